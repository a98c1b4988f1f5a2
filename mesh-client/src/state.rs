//! The pure parts of the client: no lock, clock, task or I/O. The link's task and the futures of callers drive them.

pub(crate) mod budget;
pub(crate) mod credit;
pub(crate) mod endpoints;
pub(crate) mod pace;
pub(crate) mod requests;
