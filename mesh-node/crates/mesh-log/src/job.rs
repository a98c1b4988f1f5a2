//! Work on files that is not done on the thread that asks for it.

use bytes::Bytes;

use crate::{
    id::{FileId, GroupId, LaneId},
    location::Piece,
};

/// Work on files. Jobs of one group are done in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Job {
    /// Read records of a lane: [`Done::Read`].
    Read {
        /// The group.
        group: GroupId,
        /// The lane.
        lane: LaneId,
        /// The first number wanted; the piece that has it is read whole.
        first: u64,
        /// The last number wanted.
        last: u64,
        /// No further piece is read once so many bytes were; the first one always is.
        max_bytes: u32,
        /// Where they stand, in order.
        sources: Vec<Source>,
    },
    /// Write a checkpoint in the place of the one before: [`Done::Checkpointed`].
    Checkpoint {
        /// The group.
        group: GroupId,
        /// What is in it.
        bytes: Bytes,
    },
    /// Copy pieces of a group to segments: [`Done::Moved`].
    Move {
        /// The group.
        group: GroupId,
        /// From where.
        pieces: Vec<Piece>,
    },
    /// Write pieces that came from a peer to segments: [`Done::Moved`]. Where they stood there does not count.
    Store {
        /// The group.
        group: GroupId,
        /// Them, with their bytes.
        pieces: Vec<(Piece, Bytes)>,
    },
    /// Keep a sealed file of the log as a segment, by writing its index: [`Done::Kept`].
    Keep {
        /// The file.
        file: FileId,
        /// The pieces in it that are wanted.
        pieces: Vec<(GroupId, Piece)>,
    },
    /// Copy what is still wanted of a segment to another one: [`Done::Compacted`]. The segment stays until it is dropped.
    Compact {
        /// The segment.
        file: FileId,
        /// How many pieces came into it, as far as whoever asks has heard. If there are more, nothing is done.
        pieces: u64,
        /// What is wanted of it.
        wanted: Vec<Wanted>,
    },
    /// Nothing in a segment is wanted any more: [`Done::Dropped`].
    Drop {
        /// The file.
        file: FileId,
        /// As in [`Job::Compact`].
        pieces: u64,
    },
    /// A group has no replica here any more: its checkpoint goes: [`Done::Forgotten`].
    Forget {
        /// The group.
        group: GroupId,
    },
}

/// Where records of a lane stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Exactly here.
    Piece(Piece),
    /// These numbers are somewhere in this segment, whose index says where.
    Segment {
        /// The segment.
        file: FileId,
        /// The first number that is to be taken from there.
        first: u64,
        /// The last one.
        last: u64,
    },
}

/// Records of a lane that are still wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The group.
    pub group: GroupId,
    /// The lane.
    pub lane: LaneId,
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// The pieces in order, with their bytes, or `None` where those are not what was written. They may have moved since
    /// the job was made: whoever finds them elsewhere now reads again before it speaks of damage.
    Read(Vec<(Piece, Option<Bytes>)>),
    /// The checkpoint is durable.
    Checkpointed,
    /// Where the pieces stand now, durably.
    Moved(Vec<Piece>),
    /// The file is a segment now.
    Kept,
    /// Where what was wanted of the segment stands now, durably.
    Compacted(Vec<(GroupId, Piece)>),
    /// The file is gone.
    Dropped,
    /// The checkpoint is gone.
    Forgotten,
    /// There was no room; everything is as before.
    Full,
    /// Damage was found where it was to be read from: nothing was done but to name it.
    Damaged(Vec<Piece>),
    /// It failed; everything is as before.
    Failed(String),
}
