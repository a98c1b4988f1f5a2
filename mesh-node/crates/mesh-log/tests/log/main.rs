//! The write-ahead log on a simulated disk.
#![cfg(feature = "faults")]

mod basics;
mod crashes;
mod damage;
mod fixture;
mod model;
mod space;
