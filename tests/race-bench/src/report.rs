//! Results for people and for programs.

pub(crate) mod details;
pub(crate) mod json;
pub(crate) mod number;
pub(crate) mod page;
pub(crate) mod table;
