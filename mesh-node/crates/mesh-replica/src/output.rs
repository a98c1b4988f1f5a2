//! What a host wants done.

use bytes::Bytes;
use mesh_log::{
    id::{FileId, GroupId},
    job::Job,
    record::Record,
};

use crate::{
    id::{JobId, NodeNumber, Token, WriteId},
    machine::At,
    message::Message,
    refused::Refused,
};

/// Something to be done, in the order in which it is given out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Write to the log and make it durable; then `handle_written`. Writes are made durable in their order.
    Write {
        /// What it is known by.
        id: WriteId,
        /// The records.
        records: Vec<Record>,
    },
    /// Send to a node. What can't be sent now may be thrown away.
    Send {
        /// To whom.
        to: NodeNumber,
        /// What.
        message: Message,
    },
    /// A proposal is through.
    Applied {
        /// Whose.
        token: Token,
        /// Where it stands in history.
        at: At,
        /// The machine's answer.
        reply: Bytes,
    },
    /// Whoever reads the machine now reads all that was acknowledged before the read was asked for.
    Readable {
        /// Whose.
        token: Token,
    },
    /// Records that were asked for, in order.
    Fetched {
        /// Whose.
        token: Token,
        /// Whole pieces: (first number, count, bytes).
        pieces: Vec<(u64, u32, Bytes)>,
    },
    /// What was asked for is not done.
    Refused {
        /// Whose.
        token: Token,
        /// Why.
        why: Refused,
    },
    /// Work on files, off this thread; then `handle_done`.
    Job {
        /// What it is known by.
        id: JobId,
        /// The work.
        job: Job,
    },
    /// No group needs a sealed file of the log any more: its space may be used again, or (`kept`) it is a segment now.
    Release {
        /// The file.
        file: FileId,
        /// Whether it stays as a segment.
        kept: bool,
    },
    /// Who leads a group, its term or its members have changed, or its state has: look at it.
    Changed(GroupId),
    /// The process has to end: going on could break a promise.
    Fatal(String),
}
