//! Checks of the workspace itself. What is checked is a function from text or metadata to findings, tested on small
//! bad inputs beside it; `tests/` runs each on this repository.

pub mod protocol;
pub mod repository;
