//! Certificates on disk, in a store, and in handshakes in memory.

mod handshake;
mod place;
