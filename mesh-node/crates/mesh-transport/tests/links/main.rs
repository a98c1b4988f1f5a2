//! Links over every carrier: one suite that all of them run, and what is particular to each.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod certs;
mod dialling;
mod handshakes;
mod identities;
mod pair;
mod relay;
mod rules;
mod suite;
mod watch;
