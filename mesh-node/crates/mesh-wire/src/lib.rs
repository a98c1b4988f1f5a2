//! The Mesh protocol as bytes: subjects, names, headers, frames, bodies, record batches, limits and error codes.
//!
//! Pure: no async, clock, random source, lock or I/O. What decodes borrows from the input, what encodes writes
//! into a buffer of the caller. The protocol itself is described in `docs/reference/protocol.md`.
//!
//! ```text
//!  Subject / Pattern ─┐
//!  Headers ───────────┼─► Frame ─► bytes on a link        Record ─► Batch ─► bytes in the log
//!  ext, body ─────────┘
//! ```

pub mod batch;
pub mod body;
pub mod chunk;
pub mod class;
pub mod code;
pub mod durable;
pub mod ext;
pub mod frame;
pub mod header;
pub mod hello;
pub mod limits;
pub mod name;
pub mod peer;
pub mod subject;
