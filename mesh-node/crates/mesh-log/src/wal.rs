//! The bytes of the write-ahead log. Pure: nothing here reads or writes a file.
//!
//! A file has a [`head`], then [`block`]s one after the other, each at a multiple of 4,096 bytes, and, once it is full, a
//! [`footer`] that ends where the file ends. Numbers are little-endian. `docs/reference/log-format.md` draws every byte.
//!
//! ```text
//!   0        4096                                                                        file_bytes
//!   ├─ head ─┼─ block ─┼─ block ───────────┼─ block ─┼ … ┼─ (what was here before) ─┼─ footer ─┤
//!            │         └ header, table of records, payloads, padding
//!            └ the first block of a file says where each group stands, so that no older file is needed for that
//! ```

pub mod block;
mod fields;
pub mod footer;
pub mod head;
pub mod item;

/// What blocks, heads and footers are aligned to: what a disk writes at once.
pub const ALIGN: u64 = 4096;

/// The least multiple of [`ALIGN`] that is not below.
#[must_use]
pub const fn align(bytes: u64) -> u64 {
    bytes.div_ceil(ALIGN) * ALIGN
}
