//! The write-ahead log on a simulated disk.
#![cfg(feature = "faults")]
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod basics;
mod crashes;
mod damage;
mod fixture;
mod model;
mod newest;
mod noise;
mod space;
