//! All groups of one thread.
//!
//! ```text
//!   commands, handle_*(now, …) ─► groups that have something to do ─► poll_output: each of them is driven once
//!                                                                      ├─► one Write with the records of all
//!                                                                      ├─► messages, those to one peer together
//!                                                                      └─► answers, jobs
//! ```
//! Commands and inputs only note what they brought. The work is done when the outputs are asked for: so a batch of inputs
//! makes one entry, one write and one message, and not one each.

use std::time::Duration;

use bytes::Bytes;
use mesh_log::{
    id::{FileId, GroupId, LaneId},
    job::Done,
    location::Location,
    record::{Entry, HardState},
};

use crate::{
    clock::Now,
    id::{JobId, NodeNumber, Token, WriteId},
    machine::Machine,
    members::Members,
    message::Message,
    options::HostOptions,
    output::Output,
    refused::Refused,
    view::View,
};

/// What the log had of a group.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// The state of the replica.
    pub state: HardState,
    /// Its log begins behind this (index, term).
    pub cut: (u64, u64),
    /// It was removed.
    pub removed: bool,
    /// The entries behind the cut, in order, and where their bytes are.
    pub entries: Vec<(Entry, Location)>,
    /// Something that was durable is not there any more.
    pub damaged: bool,
}

/// What a group is opened with.
#[derive(Debug)]
pub struct GroupStart<M> {
    /// The group.
    pub group: GroupId,
    /// Its machine, empty.
    pub machine: M,
    /// Its first members, when it has never been anywhere: the same on each of them. `None` on a node that is to become a
    /// member of a group that is there already; it waits for a leader then.
    pub members: Option<Members>,
    /// The checkpoint that was found.
    pub checkpoint: Option<Bytes>,
    /// What the log had.
    pub recovered: Option<Recovered>,
}

/// A file of the log that became full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedFile {
    /// The file.
    pub file: FileId,
    /// The groups in it, and the last index of each.
    pub groups: Vec<(GroupId, u64)>,
    /// Its bytes.
    pub bytes: u64,
}

/// Why a group can't be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It is open.
    #[error("group {0} is open already")]
    Open(GroupId),
    /// The checkpoint can't be read.
    #[error("the checkpoint of group {group} can't be read: {why}")]
    Checkpoint {
        /// The group.
        group: GroupId,
        /// What is wrong with it.
        why: String,
    },
}

/// All groups of one thread.
#[derive(Debug)]
pub struct Host<M> {
    options: HostOptions,
    groups: std::collections::BTreeMap<GroupId, M>,
    outputs: std::collections::VecDeque<Output>,
}

impl<M: Machine> Host<M> {
    /// No groups yet.
    #[must_use]
    pub fn new(options: HostOptions) -> Self {
        Self {
            options,
            groups: std::collections::BTreeMap::new(),
            outputs: std::collections::VecDeque::new(),
        }
    }

    /// Opens a group: one that is new, one that was here before, or one that this node is to become a member of.
    ///
    /// # Errors
    /// [`OpenError`]; nothing has changed then.
    pub fn open_group(&mut self, now: Now, start: GroupStart<M>) -> Result<(), OpenError> {
        _ = now;
        if self.groups.contains_key(&start.group) {
            return Err(OpenError::Open(start.group));
        }
        self.groups.insert(start.group, start.machine);
        Ok(())
    }

    /// Command: the replica of a group goes, with all that it has.
    pub fn remove_group(&mut self, now: Now, group: GroupId) {
        _ = now;
        self.groups.remove(&group);
    }

    /// Command: proposes a command. Answered by one of [`Output::Applied`] and [`Output::Refused`].
    pub fn propose(&mut self, now: Now, group: GroupId, token: Token, command: Bytes) {
        _ = (now, group, command);
        self.refuse(token, Refused::NoGroup);
    }

    /// Command: asks for a point from which on reading the machine sees all that was acknowledged before. Answered by one
    /// of [`Output::Readable`] and [`Output::Refused`].
    pub fn read(&mut self, now: Now, group: GroupId, token: Token) {
        _ = (now, group);
        self.refuse(token, Refused::NoGroup);
    }

    /// Command: fetches records of a lane, of which there may be some only. Answered by one of [`Output::Fetched`] and
    /// [`Output::Refused`].
    #[expect(clippy::too_many_arguments, reason = "one request, as it comes")]
    pub fn fetch(
        &mut self,
        now: Now,
        group: GroupId,
        token: Token,
        lane: LaneId,
        first: u64,
        last: u64,
        max_bytes: u32,
    ) {
        _ = (now, group, lane, first, last, max_bytes);
        self.refuse(token, Refused::NoGroup);
    }

    /// Command: makes `target` the members; who is new becomes a learner first, until it has the log. Answered by one of
    /// [`Output::Applied`] (with an empty reply), when all of it is through, and [`Output::Refused`].
    pub fn set_members(&mut self, now: Now, group: GroupId, token: Token, target: Members) {
        _ = (now, group, target);
        self.refuse(token, Refused::NoGroup);
    }

    /// Command: hands the lead of a group to another member. [`Output::Changed`] says when it came to something.
    pub fn transfer(&mut self, now: Now, group: GroupId, to: NodeNumber) {
        _ = (now, group, to);
    }

    /// Command: hands the lead of all groups to others, where there are others.
    pub fn step_down_all(&mut self, now: Now) {
        _ = now;
    }

    /// Input: a message from a peer.
    pub fn handle_message(&mut self, now: Now, from: NodeNumber, message: Message) {
        _ = (now, from, message);
    }

    /// Input: a peer can be reached, or can't any more.
    pub fn handle_peer(&mut self, now: Now, peer: NodeNumber, up: bool) {
        _ = (now, peer, up);
    }

    /// Input: a write is durable, and those before it. One location for each entry in it, in order.
    pub fn handle_written(&mut self, now: Now, id: WriteId, locations: Vec<Location>) {
        _ = (now, id, locations);
    }

    /// Input: a file of the log became full.
    pub fn handle_sealed(&mut self, now: Now, sealed: SealedFile) {
        _ = (now, sealed);
    }

    /// Input: the disk is full, or is not any more.
    pub fn handle_full(&mut self, now: Now, full: bool) {
        _ = (now, full);
    }

    /// Input: a job is done.
    pub fn handle_done(&mut self, now: Now, id: JobId, done: Done) {
        _ = (now, id, done);
    }

    /// Input: the time of [`Host::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Now) {
        _ = now;
    }

    /// What is to be done next; `None` when that is all.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Host::handle_timeout`] is wanted, in time of [`Now::monotonic`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        None
    }

    /// A group as it is now.
    #[must_use]
    pub fn group(&self, group: GroupId) -> Option<View> {
        _ = group;
        None
    }

    /// The groups that are open.
    pub fn groups(&self) -> impl Iterator<Item = GroupId> + '_ {
        self.groups.keys().copied()
    }

    /// The machine of a group.
    #[must_use]
    pub fn machine(&self, group: GroupId) -> Option<&M> {
        self.groups.get(&group)
    }

    /// Shard time of a group, in milliseconds: that of the last entry that is applied.
    #[must_use]
    pub fn time_ms(&self, group: GroupId) -> Option<u64> {
        _ = group;
        None
    }

    /// What it was made with.
    #[must_use]
    pub fn options(&self) -> &HostOptions {
        &self.options
    }

    fn refuse(&mut self, token: Token, why: Refused) {
        self.outputs.push_back(Output::Refused { token, why });
    }
}
