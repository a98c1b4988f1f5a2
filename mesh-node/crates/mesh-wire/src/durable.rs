//! Bodies of the durable plane: what is kept on the disks of a quorum before it is acknowledged.
//!
//! ```text
//!  DECLARE  postcard: sort, name, create            DECLARED  postcard: lane, group, created
//!  PUT      ext LANE, body = one record batch       PUT_OK    | lane u64 | first u64 | count u32 | duplicate u8 |
//!  FETCH    | lane u64 | from u64 | max_bytes u32 | linearizable u8 |
//!  FETCHED  | next u64 | head u64 | { first u64 | count u32 | len u32 | record batch } … |
//! ```
//! A *lane* is what keeps numbered records: here a register. Its number is given when it is declared and never given
//! to another one; its records are numbered from 1 without gaps. All integers are little endian. The body of a `PUT` is
//! the batch and nothing else, so that it is carried unchanged from the producer to the disks; where it goes stands in
//! the extension area. Large `PUT`s and `FETCHED`s travel in chunks (see [`crate::chunk`]).

mod bodies;
mod fetched;

use serde::{Deserialize, Serialize};

pub use bodies::{Fetch, PutOk, put_ext};
pub use fetched::{Fetched, FetchedBuilder, Piece};

/// Sort of a declaration: a register, an append-only list of records.
pub const REGISTER: u8 = 0;

/// Largest body of a `FETCHED`, in bytes: whatever is asked for, what comes is at most so much.
pub const FETCHED_BYTES: usize = 2 * crate::limits::BATCH_BYTES;

/// Something that is to be there, in `DECLARE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclareV1 {
    /// What sort of thing: [`REGISTER`].
    pub sort: u8,
    /// Its name, a [`crate::name::Name`]. Names of different sorts have nothing to do with each other.
    pub name: String,
    /// Whether it is made when it is not there; else its absence is an error.
    pub create: bool,
}

/// What is there now, in `DECLARED`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredV1 {
    /// Its number, for `PUT` and `FETCH`; never that of another one, also after it was removed.
    pub lane: u64,
    /// The group that keeps it, for listings.
    pub group: u32,
    /// Whether it was made now.
    pub created: bool,
}

#[cfg(test)]
mod tests;
