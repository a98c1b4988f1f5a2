//! Clients on a network: nodes in this process, frames by hand.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod bad_input;
mod client;
mod ending;
mod identities;
mod lanes;
mod renewal;
mod site;
