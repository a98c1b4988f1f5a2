//! What groups bring about while they are driven, until it is handed out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mesh_log::{
    id::{GroupId, LaneId},
    job::Job,
    lanes::Lanes,
    location::{Location, Piece},
    record::{Entry, Record},
    rollover,
};

use crate::{
    clock::Now,
    door::Refusal,
    id::{JobId, NodeNumber, Token, WriteId},
    message::{Beat, Message, Raft},
    options::HostOptions,
    output::Output,
    pull::{PullOptions, Reading},
};

use super::{pulls::Pulls, refusals::Refusals};

/// Pieces without an intact copy that wait to be told; later ones are told when they were asked for again in vain.
const LOST_MAX: usize = 1_024;

/// What a job is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A checkpoint of a group.
    Checkpoint(GroupId),
    /// The checkpoint of a snapshot that came from a peer.
    Install(GroupId),
    /// The files of a replica that was removed.
    Forget(GroupId),
    /// Records that were asked for here.
    Fetch(Fetch),
    /// The roll-over of the log.
    Rollover(rollover::Work),
    /// Records that a peer asked for.
    Serve(GroupId, Reading),
    /// Records of a snapshot that came from a peer.
    Store(GroupId, u64),
    /// A record that came from a peer in the place of a damaged one.
    Repair(GroupId, Piece),
}

/// Records that were asked for here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fetch {
    pub(crate) group: GroupId,
    pub(crate) token: Token,
    pub(crate) lane: LaneId,
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) max_bytes: u32,
    /// Whether it was tried again after the records had moved.
    pub(crate) again: bool,
}

/// What goes to a peer.
#[derive(Debug, Default)]
pub(crate) struct Sends {
    pub(crate) beats: Vec<Beat>,
    pub(crate) replies: Vec<Beat>,
    pub(crate) raft: Vec<Raft>,
    pub(crate) other: Vec<Message>,
}

/// A write that is not durable yet.
#[derive(Debug)]
struct Write {
    id: WriteId,
    /// The groups in it.
    groups: BTreeSet<GroupId>,
    /// Its entries in order: group, index, term.
    entries: Vec<(GroupId, u64, u64)>,
    /// Up to where groups need nothing of the log any more once it is durable.
    cuts: Vec<(GroupId, u64)>,
}

/// What became durable.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) groups: BTreeSet<GroupId>,
    pub(crate) places: Vec<(GroupId, u64, u64, Location)>,
    pub(crate) cuts: Vec<(GroupId, u64)>,
    pub(crate) last: Option<WriteId>,
}

/// What all groups share, and what they bring about.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    pub(crate) options: &'a HostOptions,
    pub(crate) now: Now,
    pub(crate) shared: &'a mut Shared,
}

impl std::ops::Deref for Work<'_> {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        self.shared
    }
}

impl std::ops::DerefMut for Work<'_> {
    fn deref_mut(&mut self) -> &mut Shared {
        self.shared
    }
}

/// What outlives a drive.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) lanes: Lanes,
    /// Nothing can be written for now.
    pub(crate) full: bool,
    /// Bytes of commands that wait, of all groups.
    pub(crate) waiting_bytes: usize,
    /// Bytes of all groups' logs in memory.
    pub(crate) log_bytes: usize,
    /// Groups that want ticks.
    pub(crate) awake: BTreeSet<GroupId>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) pulls: Pulls,
    pub(crate) refusals: Refusals,
    /// Damaged pieces of which no intact copy was found, to be told.
    pub(crate) lost: Vec<(GroupId, Piece)>,
    sends: BTreeMap<NodeNumber, Sends>,
    records: Vec<Record>,
    next: Option<Write>,
    writes: VecDeque<Write>,
    write_ids: u64,
    job_ids: u64,
    jobs: BTreeMap<JobId, Purpose>,
}

impl Shared {
    pub(crate) fn new(pull: PullOptions) -> Self {
        Self { pulls: Pulls::new(pull), ..Self::default() }
    }

    /// What the records that are given now will be known by.
    pub(crate) fn write_id(&self) -> WriteId {
        WriteId(self.write_ids + 1)
    }

    fn next(&mut self) -> &mut Write {
        let id = self.write_id();
        self.next.get_or_insert_with(|| Write {
            id,
            groups: BTreeSet::new(),
            entries: Vec::new(),
            cuts: Vec::new(),
        })
    }

    pub(crate) fn record(&mut self, record: Record) {
        self.next().groups.insert(record.group());
        self.records.push(record);
    }

    pub(crate) fn record_entry(&mut self, group: GroupId, entry: Entry) {
        self.next().entries.push((group, entry.index, entry.term));
        self.record(Record::Entry { group, entry });
    }

    /// The cut that was just recorded counts once it is durable.
    pub(crate) fn note_cut(&mut self, group: GroupId, index: u64) {
        self.next().cuts.push((group, index));
    }

    /// A message was not let in.
    pub(crate) fn refused(&mut self, group: GroupId, from: NodeNumber, refusal: Refusal) {
        self.refusals.note(group, from, refusal);
    }

    /// No intact copy of a damaged piece was found.
    pub(crate) fn lost(&mut self, group: GroupId, piece: Piece) {
        if self.lost.len() < LOST_MAX {
            self.lost.push((group, piece));
        }
    }

    pub(crate) fn sends(&mut self, to: NodeNumber) -> &mut Sends {
        self.sends.entry(to).or_default()
    }

    pub(crate) fn job(&mut self, job: Job, purpose: Purpose) {
        self.job_ids += 1;
        let id = JobId(self.job_ids);
        self.jobs.insert(id, purpose);
        self.outputs.push(Output::Job { id, job });
    }

    pub(crate) fn take_job(&mut self, id: JobId) -> Option<Purpose> {
        self.jobs.remove(&id)
    }

    /// Writes up to one are durable.
    pub(crate) fn written(&mut self, id: WriteId, locations: Vec<Location>) -> Written {
        let mut written = Written::default();
        let mut locations = locations.into_iter();
        while self.writes.front().is_some_and(|write| write.id <= id) {
            let Some(write) = self.writes.pop_front() else { break };
            written.groups.extend(write.groups);
            written.cuts.extend(write.cuts);
            written.last = Some(write.id);
            if write.id == id {
                let places = write.entries.into_iter().zip(locations.by_ref());
                written.places.extend(places.map(|((group, index, term), at)| (group, index, term, at)));
            }
        }
        written
    }

    /// Whether there is nothing to be handed out.
    pub(crate) fn is_empty(&self) -> bool {
        self.outputs.is_empty() && self.sends.is_empty() && self.next.is_none()
    }

    /// Hands everything out: the write first, then what goes to each peer together, then the rest.
    pub(crate) fn flush(&mut self, outputs: &mut VecDeque<Output>) {
        if let Some(write) = self.next.take() {
            self.write_ids += 1;
            outputs.push_back(Output::Write { id: write.id, records: std::mem::take(&mut self.records) });
            self.writes.push_back(write);
        }
        for (to, sends) in std::mem::take(&mut self.sends) {
            let beats = (!sends.beats.is_empty()).then_some(Message::Beat(sends.beats));
            let replies = (!sends.replies.is_empty()).then_some(Message::BeatReply(sends.replies));
            let raft = sends.raft.into_iter().map(Message::Raft);
            for message in beats.into_iter().chain(replies).chain(raft).chain(sends.other) {
                outputs.push_back(Output::Send { to, message });
            }
        }
        outputs.extend(self.outputs.drain(..));
    }
}
