//! The disk of a node: one write-ahead log for all groups, segments that keep what outlives it, checkpoints.
//!
//! ```text
//!   records of all groups ─► Log: one vectored write, one fdatasync ─► locations
//!        file is full ─► sealed ─► mostly live: kept as a segment where it is, with an index
//!                               └► mostly dead: live pieces move to a segment, the file is used again
//!   group's state ─► checkpoint (small; says up to which entry the log is not needed any more)
//! ```
//! Nothing here is asynchronous: whoever calls decides on which thread. [`vfs::Vfs`] stands between us and the disk, so
//! that the same code runs on a disk that fails by a seed.

pub mod bug;
pub mod checkpoint;
pub mod directory;
pub mod files;
pub mod id;
pub mod job;
pub mod keeper;
pub mod lanes;
pub mod location;
pub mod log;
pub mod offline;
pub mod payload;
pub mod record;
pub mod rollover;
pub mod scrub;
pub mod segment;
pub mod vfs;
pub mod wal;
pub mod writer;
