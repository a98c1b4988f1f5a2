//! Snapshots and damaged records that come from peers, and those that peers fetch here.

use std::{collections::BTreeMap, time::Duration};

use mesh_log::{
    id::{GroupId, LaneId},
    job::{Done, Job},
    location::Piece,
};

use super::{Host, Purpose};
use crate::{
    door::Refusal,
    id::NodeNumber,
    machine::Machine,
    message::{Message, Part, Pull},
    pull::{Follower, FollowerOutput, Leader, LeaderOutput, PullOptions, Reading, Repair, RepairOutput},
};

/// What is fetched, served and repaired.
#[derive(Debug)]
pub(crate) struct Pulls {
    pub(crate) follower: Follower,
    pub(crate) leader: Leader,
    pub(crate) repair: Repair,
    /// What would have been trimmed if no snapshot needed it.
    held_back: BTreeMap<(GroupId, LaneId), u64>,
}

impl Default for Pulls {
    fn default() -> Self {
        Self::new(PullOptions::default())
    }
}

impl Pulls {
    pub(crate) fn new(options: PullOptions) -> Self {
        Self {
            follower: Follower::new(options),
            leader: Leader::new(options),
            repair: Repair::new(options),
            held_back: BTreeMap::new(),
        }
    }

    pub(super) fn next(&self) -> Option<Duration> {
        [self.follower.poll_timeout(), self.leader.poll_timeout(), self.repair.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    pub(super) fn forget(&mut self, group: GroupId) {
        self.follower.forget(group);
        self.leader.forget(group);
        self.repair.forget(group);
        self.held_back.retain(|(other, _), _| *other != group);
    }

    /// The records of a lane below a number are not wanted any more. Returns below which they may go now: not those that
    /// a snapshot names which a follower is fetching.
    pub(crate) fn trim(&mut self, group: GroupId, lane: LaneId, below: u64) -> u64 {
        if self.leader.pins() == 0 {
            return below;
        }
        match self.leader.pinned_from(group, lane).filter(|pinned| *pinned < below) {
            Some(pinned) => {
                self.held_back.insert((group, lane), below);
                pinned
            }
            None => below,
        }
    }

    /// The records of a lane below this are held back only.
    pub(crate) fn held_below(&self, group: GroupId, lane: LaneId) -> u64 {
        self.held_back.get(&(group, lane)).copied().unwrap_or(0)
    }

    /// What may go now that was held back.
    fn let_go(&mut self) -> Vec<(GroupId, LaneId, u64)> {
        let leader = &self.leader;
        let mut free = Vec::new();
        self.held_back.retain(|(group, lane), below| {
            let pinned = leader.pinned_from(*group, *lane).is_some_and(|pinned| pinned < *below);
            if !pinned {
                free.push((*group, *lane, *below));
            }
            pinned
        });
        free
    }
}

impl<M: Machine> Host<M> {
    /// A peer wants records of a snapshot, or of what is damaged there.
    pub(super) fn handle_pull(&mut self, from: NodeNumber, pull: Pull) {
        let Some(group) = self.groups.get_mut(&pull.group) else { return };
        if !group.members().contains(from) {
            return self.shared.refused(pull.group, from, Refusal::NotMember { from });
        }
        group.heard_pull(from, self.now.monotonic);
        self.busy.insert(pull.group);
        // Nothing is read for a lie.
        if let Err(lie) =
            self.shared.pulls.leader.handle_pull(self.now.monotonic, self.options.own, from, pull)
        {
            self.shared.refused(pull.group, from, lie.into());
        }
    }

    pub(super) fn handle_part(&mut self, from: NodeNumber, part: Part) {
        self.busy.insert(part.group);
        let now = self.now.monotonic;
        if part.snapshot == 0 {
            self.shared.pulls.repair.handle_part(now, from, part);
        } else {
            // A lie ends the fetch, which its output says.
            _ = self.shared.pulls.follower.handle_part(now, from, part);
        }
    }

    /// A piece is not what was written.
    pub(super) fn damaged(&mut self, group: GroupId, piece: Piece) {
        if self.shared.lanes.stands(group, &piece) {
            self.shared.pulls.repair.handle_damaged(self.now.monotonic, group, piece);
            self.ask_for_repair();
        }
    }

    /// Input: the scrub found pieces that are not what was written.
    pub fn handle_damaged(&mut self, now: crate::clock::Now, group: GroupId, pieces: Vec<Piece>) {
        self.at(now);
        self.busy.insert(group);
        for piece in pieces {
            self.damaged(group, piece);
        }
    }

    fn ask_for_repair(&mut self) {
        let super::work::Shared { lanes, pulls, .. } = &mut self.shared;
        let Pulls { repair, held_back, .. } = pulls;
        let held = |group, lane| held_back.get(&(group, lane)).copied().unwrap_or(0);
        let low = |group, lane| lanes.low(group, lane).max(held(group, lane));
        repair.retain(&low, &|group, piece| lanes.stands(group, piece));
        let groups = &self.groups;
        let peers = |group: GroupId| {
            groups.get(&group).map(|group| group.peers().into_iter().collect()).unwrap_or_default()
        };
        self.shared.pulls.repair.handle_timeout(self.now.monotonic, self.options.own, &peers);
    }

    pub(super) fn pulls_timeout(&mut self) {
        let now = self.now.monotonic;
        if self.shared.pulls.next().is_none_or(|at| at > now) {
            return;
        }
        self.shared.pulls.follower.handle_timeout(now);
        self.shared.pulls.leader.handle_timeout(now);
        self.ask_for_repair();
        self.do_pulls();
    }

    /// Does what the pulling cores want done.
    pub(super) fn do_pulls(&mut self) {
        while let Some(output) = self.shared.pulls.follower.poll_output() {
            self.do_follower(output);
        }
        while let Some(output) = self.shared.pulls.leader.poll_output() {
            self.do_leader(output);
        }
        while let Some(output) = self.shared.pulls.repair.poll_output() {
            match output {
                RepairOutput::Send { to, pull } => self.shared.sends(to).other.push(Message::Pull(pull)),
                RepairOutput::Store { group, piece, bytes } => {
                    let job = Job::Store { group, pieces: vec![(piece, bytes)] };
                    self.shared.job(job, Purpose::Repair(group, piece));
                }
                RepairOutput::NoIntactCopy { group, piece } => self.shared.lost(group, piece),
            }
        }
        for (group, lane, below) in self.shared.pulls.let_go() {
            self.shared.lanes.trim(group, lane, below);
        }
    }

    fn do_follower(&mut self, output: FollowerOutput) {
        match output {
            FollowerOutput::Send { to, pull } => self.shared.sends(to).other.push(Message::Pull(pull)),
            FollowerOutput::Store { id, group, pieces } => {
                self.shared.job(Job::Store { group, pieces }, Purpose::Store(group, id));
            }
            FollowerOutput::Install { offer } => {
                self.with(offer.group, |group, work| group.install(work, *offer));
            }
            FollowerOutput::GivenUp { group, from, why, .. } => self.shared.refused(group, from, why.into()),
        }
    }

    fn do_leader(&mut self, output: LeaderOutput) {
        match output {
            LeaderOutput::Send { to, part } => self.shared.sends(to).other.push(Message::Part(part)),
            LeaderOutput::Read { id, group, lane, first, last, max_bytes } => {
                let sources = self.shared.lanes.find(group, lane, first, last);
                self.shared.job(
                    Job::Read { group, lane, first, last, max_bytes, sources },
                    Purpose::Serve(group, id),
                );
            }
            LeaderOutput::Expired { group, to, .. } => {
                self.with(group, |group, _| group.offer_failed(to));
            }
        }
    }

    pub(super) fn finish_serve(&mut self, group: GroupId, id: Reading, done: Done) {
        match done {
            Done::Read(read) => {
                for (piece, bytes) in &read {
                    if bytes.is_none() {
                        self.damaged(group, *piece);
                    }
                }
                self.shared.pulls.leader.handle_read(self.options.own, id, read);
            }
            _ => self.shared.pulls.leader.handle_read_failed(id),
        }
        self.busy.insert(group);
    }

    pub(super) fn finish_store(&mut self, group: GroupId, id: u64, done: Done) {
        let stored = if let Done::Moved(pieces) = &done {
            self.shared.lanes.stored(group, pieces);
            let bytes = pieces.iter().map(|piece| u64::from(piece.location.len)).sum();
            self.with(group, |group, work| group.note_fetched(work, bytes));
            true
        } else {
            false
        };
        self.shared.pulls.follower.handle_stored(self.now.monotonic, id, stored);
        self.busy.insert(group);
    }

    pub(super) fn finish_repair(&mut self, group: GroupId, piece: &Piece, done: Done) {
        let stored = matches!(&done, Done::Moved(_));
        if let Done::Moved(pieces) = &done {
            self.shared.lanes.stored(group, pieces);
        }
        self.shared.pulls.repair.handle_stored(self.now.monotonic, group, piece, stored);
        self.busy.insert(group);
    }
}
