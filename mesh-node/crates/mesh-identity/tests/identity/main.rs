//! Certificates on disk, in a store, and in handshakes in memory.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod accepted;
mod authority;
mod describe;
mod directory;
mod keys;
mod meet;
mod place;
mod refused;
mod reload;
mod rogue;
mod tokens;
