//! Checks of the workspace itself. What is checked is a function from text or metadata to findings, tested on small
//! bad inputs beside it; `tests/` runs each on this repository.
//!
//! ```text
//!   cargo metadata ─► Metadata ─┬─► direction · dependency · licence
//!   files ─► File ──────────────┼─► layout · source · purity · lint · script
//!                               └─► document · error_page · decision
//!   mesh-wire ─► protocol ─► the examples of docs/reference/protocol.md
//! ```

pub mod decision;
pub mod dependency;
pub mod direction;
pub mod document;
pub mod error_page;
pub mod layout;
pub mod licence;
pub mod lint;
pub mod metadata;
pub mod protocol;
pub mod purity;
pub mod repository;
pub mod script;
pub mod source;

/// What is wrong, one line each; nothing when all is well.
pub type Findings = Vec<String>;
