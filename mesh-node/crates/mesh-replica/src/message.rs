//! What nodes say to each other about groups.
//!
//! [`Message`]s are what travels; `codec` gives them their bytes.

use bytes::Bytes;
use mesh_log::{
    id::{GroupId, LaneId},
    payload::Payload,
    record::{Entry, EntryKind},
};

use crate::{id::NodeNumber, members::Members};

/// One message between nodes. They may be lost, doubled and overtake each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Consensus of a group.
    Raft(Raft),
    /// The heartbeats of all groups that the sender leads and the receiver follows, in one.
    Beat(Vec<Beat>),
    /// The answers to them.
    BeatReply(Vec<Beat>),
    /// Nothing to say but that the sender is there: what hibernating groups rest on.
    Alive,
    /// The receiver is to fetch a snapshot: what it needs of the log is not there any more.
    Offer(Offer),
    /// Asks for a part of a snapshot, or of damaged records.
    Pull(Pull),
    /// The answer to it.
    Part(Part),
}

/// A message of consensus, as in the Raft paper and its dissertation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raft {
    /// The group.
    pub group: GroupId,
    /// The sender.
    pub from: NodeNumber,
    /// The receiver.
    pub to: NodeNumber,
    /// What it is: the number of the crate's message type.
    pub kind: u8,
    /// The sender's term; 0 in what has none.
    pub term: u64,
    /// Term of the entry at `index`.
    pub log_term: u64,
    /// The entry before `entries`, or what is acknowledged.
    pub index: u64,
    /// What the sender knows to be committed.
    pub commit: u64,
    /// The term of that entry (votes).
    pub commit_term: u64,
    /// A refusal.
    pub reject: bool,
    /// Where to go on after a refusal.
    pub reject_hint: u64,
    /// What a vote or a read is about, as the crate encodes it.
    pub context: Bytes,
    /// Entries, with their bytes.
    pub entries: Vec<Entry>,
    /// Priority of the sender (votes).
    pub priority: i64,
    /// Bytes of the request's snapshot index (crate: `request_snapshot`).
    pub request_snapshot: u64,
}

/// A heartbeat of one group, or the answer to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// The group.
    pub group: GroupId,
    /// The sender's term.
    pub term: u64,
    /// What the receiver may take as committed (in an answer: 0).
    pub commit: u64,
    /// The leader rests from now on, and the follower may too. (In an answer: it does.)
    pub rests: bool,
    /// In an answer: the replica has lost what it had promised to keep. It promises nothing, and confirms no read.
    pub lost: bool,
    /// A read that this heartbeat confirms; 0 for none. In the answer of a replica that is lost: what it calls its loss.
    pub read: u64,
}

/// A snapshot is there to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The group.
    pub group: GroupId,
    /// The sender.
    pub from: NodeNumber,
    /// The receiver.
    pub to: NodeNumber,
    /// The sender's term.
    pub term: u64,
    /// What a receiver that has lost something calls its loss, as its leader heard it while it had no vote; 0 else.
    pub loss: u64,
    /// The manifest.
    pub manifest: Manifest,
}

/// A point in a group's history that a replica can go on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The last entry in it.
    pub index: u64,
    /// Its term.
    pub term: u64,
    /// Shard time at it, in milliseconds.
    pub time_ms: u64,
    /// The members at it.
    pub members: Members,
    /// The state of the machine.
    pub state: Payload,
    /// The records that the lanes have, in order of lane and number.
    pub extents: Vec<Extent>,
}

/// A run of a lane's records. Says nothing of where they stand: that differs from node to node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The lane.
    pub lane: LaneId,
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
    /// Bytes of all pieces.
    pub bytes: u64,
    /// CRC32C over the CRC32Cs (little-endian) of the pieces, in order.
    pub digest: u32,
}

/// Asks for records of a lane, or (without a lane) for the manifest again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pull {
    /// The group.
    pub group: GroupId,
    /// The sender.
    pub from: NodeNumber,
    /// The index of the snapshot; 0 for the repair of damage.
    pub snapshot: u64,
    /// The lane.
    pub lane: LaneId,
    /// The first number wanted.
    pub first: u64,
    /// The last number wanted.
    pub last: u64,
    /// Most bytes to be sent.
    pub max_bytes: u32,
}

/// Records of a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The group.
    pub group: GroupId,
    /// The sender.
    pub from: NodeNumber,
    /// As asked.
    pub snapshot: u64,
    /// As asked.
    pub lane: LaneId,
    /// Whole pieces, in order, as far as they are there and there was room: (first number, count, bytes).
    pub pieces: Vec<(u64, u32, Payload)>,
    /// The snapshot, or what was asked of it, is not there any more: begin again.
    pub gone: bool,
}

/// The kinds of entries by their number.
#[must_use]
pub fn entry_kind(number: u8) -> Option<EntryKind> {
    match number {
        0 => Some(EntryKind::Commands),
        1 => Some(EntryKind::Members),
        _ => None,
    }
}
