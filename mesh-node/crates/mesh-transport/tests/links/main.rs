//! Links over every carrier: one suite that all of them run, and what is particular to each.

mod certs;
mod pair;
mod suite;
