//! Work on a data directory while no node runs on it: look, print, repair.

mod dump;
mod error;
mod repair;
mod verify;

pub use self::{
    dump::dump,
    error::Error,
    repair::{Repaired, repair},
    verify::{GroupReport, InLog, Lacking, Report, Told, verify},
};
