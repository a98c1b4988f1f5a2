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

mod files;
mod gone;
mod peers;
mod pulls;
mod refusals;
mod start;
mod work;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use mesh_log::{
    id::{GroupId, LaneId},
    job::Done,
    lanes::Lanes,
    location::{Location, Piece},
    log::Sealed,
    rollover::Rollover,
};

pub(crate) use self::work::{Purpose, Work};
use self::{
    gone::Gones,
    peers::Peers,
    work::{Fetch, Shared},
};
pub use self::{
    refusals::Refusals,
    start::{GroupStart, OpenError},
};
use crate::{
    clock::Now,
    group::Group,
    id::{JobId, NodeNumber, Token, WriteId},
    machine::Machine,
    members::Members,
    message::Message,
    options::HostOptions,
    output::Output,
    refused::Refused,
    view::View,
};

/// All groups of one thread.
#[derive(Debug)]
pub struct Host<M> {
    options: HostOptions,
    now: Now,
    groups: BTreeMap<GroupId, Group<M>>,
    /// Those that have something to do.
    busy: BTreeSet<GroupId>,
    /// Those of which something may have changed since somebody looked.
    touched: BTreeSet<GroupId>,
    shared: Shared,
    peers: Peers,
    gone: Gones,
    rollover: Rollover,
    next_tick: Option<Duration>,
    /// When what failed on files is tried again.
    next_retry: Option<Duration>,
    outputs: VecDeque<Output>,
}

impl<M: Machine> Host<M> {
    /// No groups yet, and no records.
    #[must_use]
    pub fn new(options: HostOptions) -> Self {
        Self {
            now: Now::default(),
            groups: BTreeMap::new(),
            busy: BTreeSet::new(),
            touched: BTreeSet::new(),
            shared: Shared::new(options.pull),
            peers: Peers::default(),
            gone: Gones::default(),
            rollover: Rollover::new(options.rollover.clone()),
            next_tick: None,
            next_retry: None,
            outputs: VecDeque::new(),
            options,
        }
    }

    /// Says where records stand that were found in segments. Before the first group is opened.
    pub fn set_lanes(&mut self, lanes: Lanes) {
        self.shared.lanes = lanes;
    }

    /// Opens a group: one that is new, one that was here before, or one that this node is to become a member of.
    ///
    /// # Errors
    /// [`OpenError`]; nothing has changed then.
    pub fn open_group(&mut self, now: Now, mut start: GroupStart<M>) -> Result<(), OpenError> {
        self.at(now);
        let id = start.group;
        if self.groups.contains_key(&id) {
            return Err(OpenError::Open(id));
        }
        if let Some(removed) = start.recovered.as_ref().filter(|found| found.removed) {
            self.note_removed(id, removed);
        }
        let clears = self.gone.take(&mut start);
        let mut work = Work { options: &self.options, now, shared: &mut self.shared };
        let mut group = Group::open(&mut work, start, clears)?;
        self.shared.log_bytes += group.count_log_bytes().1;
        self.shared.awake.insert(id);
        self.groups.insert(id, group);
        self.busy.insert(id);
        self.progress(id);
        Ok(())
    }

    /// Command: the replica of a group goes, with all that it has but its last vote.
    pub fn remove_group(&mut self, now: Now, group: GroupId) {
        self.at(now);
        self.with(group, |group, work| group.remove(work));
        let Some(mut gone) = self.groups.remove(&group) else { return };
        self.shared.log_bytes -= gone.count_log_bytes().0;
        self.shared.awake.remove(&group);
        self.busy.remove(&group);
        self.touched.insert(group);
        self.peers.forget(group);
        self.shared.pulls.forget(group);
        self.note_gone(group, gone.last_vote());
    }

    /// Command: proposes a command. Answered by one of [`Output::Applied`] and [`Output::Refused`].
    pub fn propose(&mut self, now: Now, group: GroupId, token: Token, command: Bytes) {
        self.at(now);
        let asked = self.with(group, |group, work| {
            group.ask_command(work, token, command).inspect(|()| {
                if group.rests() {
                    group.wake(work);
                }
            })
        });
        self.refuse(token, asked);
    }

    /// Command: asks for a point from which on reading the machine sees all that was acknowledged before. Answered by one
    /// of [`Output::Readable`] and [`Output::Refused`].
    pub fn read(&mut self, now: Now, group: GroupId, token: Token) {
        self.at(now);
        let asked = self.with(group, |group, work| {
            group.ask_read(work, token).inspect(|()| {
                if group.rests() {
                    group.wake(work);
                }
            })
        });
        self.refuse(token, asked);
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
        self.at(now);
        self.start_fetch(Fetch { group, token, lane, first, last, max_bytes, again: false });
    }

    /// Command: makes `target` the members; who is new becomes a learner first, until it has the log. Answered by one of
    /// [`Output::Applied`] (with an empty reply), when all of it is through, and [`Output::Refused`]. Another one that comes
    /// before that takes its place.
    pub fn set_members(&mut self, now: Now, group: GroupId, token: Token, target: Members) {
        self.at(now);
        let asked = self.with(group, |group, work| group.set_members(work, token, target));
        self.refuse(token, asked);
    }

    /// Command: hands the lead of a group to another member. [`Output::Changed`] says when it came to something.
    pub fn transfer(&mut self, now: Now, group: GroupId, to: NodeNumber) {
        self.at(now);
        self.with(group, |group, work| group.transfer(work, to));
    }

    /// Command: hands the lead of all groups to others, where there are others.
    pub fn step_down_all(&mut self, now: Now) {
        self.at(now);
        let led: Vec<GroupId> =
            self.groups.iter().filter(|(_, group)| group.leads()).map(|(id, _)| *id).collect();
        for id in led {
            self.with(id, |group, work| group.step_down(work));
        }
    }

    /// Input: a message from a peer.
    pub fn handle_message(&mut self, now: Now, from: NodeNumber, message: Message) {
        self.at(now);
        self.peers.heard(from, now);
        if !self.is_addressed(from, &message) {
            return;
        }
        match message {
            Message::Raft(raft) => {
                self.with(raft.group, |group, work| group.handle_raft(work, raft));
            }
            Message::Beat(beats) => {
                let beats = self.known(from, beats);
                self.handle_beats(from, beats, false);
            }
            Message::BeatReply(beats) => {
                let beats = self.known(from, beats);
                self.handle_beats(from, beats, true);
            }
            Message::Offer(offer) => {
                self.with(offer.group, |group, work| group.handle_offer(work, offer));
            }
            Message::Pull(pull) => self.handle_pull(from, pull),
            Message::Part(part) => self.handle_part(from, part),
            Message::Alive => {}
        }
    }

    /// Input: a peer can be reached, or can't any more.
    pub fn handle_peer(&mut self, now: Now, peer: NodeNumber, up: bool) {
        self.at(now);
        self.peers.set_up(peer, up, now);
        if up {
            self.shared.pulls.repair.handle_back(now.monotonic);
        }
        let concerned = self.groups.iter().filter(|(_, group)| group.members().contains(peer));
        for id in concerned.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.with(
                id,
                |group, work| {
                    if up { group.handle_back(work) } else { group.handle_gone(work, peer) }
                },
            );
        }
    }

    /// Input: a write is durable, and those before it. One location for each entry in it, in order.
    pub fn handle_written(&mut self, now: Now, id: WriteId, locations: Vec<Location>) {
        self.at(now);
        let written = self.shared.written(id, locations);
        for (group, index, term, location) in written.places {
            if let Some(group) = self.groups.get_mut(&group) {
                group.locate(index, term, location);
            }
        }
        let Some(last) = written.last else { return };
        self.settle_gone(last);
        for group in written.groups {
            self.with(group, |group, work| group.handle_written(work, last));
        }
        for (group, index) in written.cuts {
            if let Some(found) = self.groups.get_mut(&group) {
                found.note_cut(index);
                self.progress(group);
            }
        }
    }

    /// Input: files of the log became full, or were found so at the start. All that were found have to be told at once: a
    /// file that nobody has told of is taken for a segment, which goes when nothing in it is wanted.
    pub fn handle_sealed(&mut self, now: Now, sealed: &[Sealed]) {
        self.at(now);
        for file in sealed {
            for (group, _) in &file.groups {
                if !self.groups.contains_key(group) && !self.gone.is_waiting(*group) {
                    self.rollover.forget(*group);
                }
            }
            self.rollover.handle_sealed(file);
        }
        self.roll();
    }

    /// Input: the disk is full, or is not any more.
    pub fn handle_full(&mut self, now: Now, full: bool) {
        self.at(now);
        self.rollover.set_urgent(full);
        if std::mem::replace(&mut self.shared.full, full) == full {
            return;
        }
        for id in self.groups.keys().copied().collect::<Vec<_>>() {
            self.with(id, |group, work| {
                if full {
                    group.handle_full(work)
                }
            });
        }
        self.roll();
    }

    /// Input: a job is done.
    pub fn handle_done(&mut self, now: Now, id: JobId, done: Done) {
        self.at(now);
        if let Some(purpose) = self.shared.take_job(id) {
            self.finish(purpose, done);
        }
    }

    /// Input: the time of [`Host::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Now) {
        self.at(now);
        if self.next_tick.is_some_and(|at| at <= now.monotonic) {
            // One tick also after a long sleep: whoever slept has not waited in vain for anybody.
            self.next_tick = None;
            for id in self.shared.awake.iter().copied().collect::<Vec<_>>() {
                self.with(id, Group::tick);
            }
        }
        self.watch_peers();
        self.pulls_timeout();
        if self.next_retry.is_some_and(|at| at <= now.monotonic) {
            self.next_retry = None;
            self.gone.retry(&mut self.shared);
            let held = self.groups.iter().filter(|(_, group)| group.is_held()).map(|(id, _)| *id);
            for id in held.collect::<Vec<_>>() {
                self.with(id, Group::save_again);
            }
            self.rollover.retry();
            self.roll();
        }
    }

    /// What is to be done next; `None` when that is all.
    pub fn poll_output(&mut self) -> Option<Output> {
        while self.outputs.is_empty() && !(self.busy.is_empty() && self.shared.is_empty()) {
            for id in std::mem::take(&mut self.busy) {
                self.drive(id);
            }
            self.do_pulls();
            self.roll();
            self.shared.flush(&mut self.outputs);
        }
        self.outputs.pop_front()
    }

    /// When [`Host::handle_timeout`] is wanted, in time of [`Now::monotonic`]. To be asked when there are no outputs left.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        [self.next_tick, self.peers.next(), self.next_retry, self.shared.pulls.next()]
            .into_iter()
            .flatten()
            .min()
    }

    /// A group as it is now.
    #[must_use]
    pub fn group(&self, group: GroupId) -> Option<View> {
        let mut view = self.groups.get(&group)?.view();
        (view.damaged, view.lost) = self.shared.pulls.repair.of_group(group);
        Some(view)
    }

    /// Damaged pieces of which no other replica that can be reached gave an intact copy, since this was last asked. They
    /// are asked for again, and told again when that is in vain too.
    pub fn take_lost(&mut self) -> Vec<(GroupId, Piece)> {
        std::mem::take(&mut self.shared.lost)
    }

    /// The groups of which something may have changed since this was last asked, those that are gone among them. All others
    /// look as they did.
    pub fn take_touched(&mut self) -> BTreeSet<GroupId> {
        std::mem::take(&mut self.touched)
    }

    /// The groups that are open.
    pub fn groups(&self) -> impl Iterator<Item = GroupId> + '_ {
        self.groups.keys().copied()
    }

    /// The machine of a group.
    #[must_use]
    pub fn machine(&self, group: GroupId) -> Option<&M> {
        self.groups.get(&group).map(Group::machine)
    }

    /// Shard time of a group, in milliseconds: that of the last entry that is applied.
    #[must_use]
    pub fn time_ms(&self, group: GroupId) -> Option<u64> {
        self.groups.get(&group).map(Group::time_ms)
    }

    /// Where records stand.
    #[must_use]
    pub fn lanes(&self) -> &Lanes {
        &self.shared.lanes
    }

    /// What it was made with.
    #[must_use]
    pub fn options(&self) -> &HostOptions {
        &self.options
    }
}

impl<M: Machine> Host<M> {
    fn at(&mut self, now: Now) {
        self.now = now;
        if self.next_tick.is_none() && !self.shared.awake.is_empty() {
            self.next_tick = Some(now.monotonic + self.options.tick);
        }
    }

    /// Calls a group, which has something to do from then on.
    fn with<R>(&mut self, id: GroupId, call: impl FnOnce(&mut Group<M>, &mut Work<'_>) -> R) -> Option<R> {
        let group = self.groups.get_mut(&id)?;
        self.busy.insert(id);
        let mut work = Work { options: &self.options, now: self.now, shared: &mut self.shared };
        Some(call(group, &mut work))
    }

    fn drive(&mut self, id: GroupId) {
        self.touched.insert(id);
        let Some(group) = self.groups.get_mut(&id) else { return };
        let mut work = Work { options: &self.options, now: self.now, shared: &mut self.shared };
        group.drive(&mut work);
        let rests = group.rests();
        let (before, now) = group.count_log_bytes();
        self.shared.log_bytes = self.shared.log_bytes + now - before;
        if rests {
            let peers = group.peers();
            self.peers.rests(id, &peers, self.now, &self.options);
        } else {
            self.peers.forget(id);
        }
        if self.next_tick.is_none() && !self.shared.awake.is_empty() {
            self.next_tick = Some(self.now.monotonic + self.options.tick);
        }
        self.progress(id);
    }

    fn refuse(&mut self, token: Token, asked: Option<Result<(), Refused>>) {
        if let Err(why) = asked.unwrap_or(Err(Refused::NoGroup)) {
            self.shared.outputs.push(Output::Refused { token, why });
        }
    }
}

#[cfg(test)]
mod tests;
