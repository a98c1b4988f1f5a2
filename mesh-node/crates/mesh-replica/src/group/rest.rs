//! Rest: a group that has nothing to do costs nothing.
//!
//! ```text
//!   awake ──(nothing to do for a while, all have everything)──► offering: heartbeats say so
//!     ▲                                                            │ all followers rest
//!     └── a command, a message, a node that is not heard any more ─┴─► resting: no ticks
//! ```
//! Followers of a leader that rests watch its node, not the group: nodes tell each other that they are there.

use std::collections::BTreeSet;

use raft::StateRole;

use super::{Group, Phase};
use crate::{host::Work, id::NodeNumber, machine::Machine};

/// Whether a replica rests.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Ticks without anything to do.
    idle: u32,
    /// A leader offers it with its heartbeats.
    offering: bool,
    /// Who took the offer.
    taken: BTreeSet<NodeNumber>,
    rests: bool,
}

impl Rest {
    pub(super) fn rests(&self) -> bool {
        self.rests
    }

    /// Whether a leader's heartbeat offers rest.
    pub(super) fn offers(&self) -> bool {
        self.offering || self.rests
    }
}

impl<M: Machine> Group<M> {
    pub(crate) fn rests(&self) -> bool {
        self.rest.rests
    }

    /// Whether it wants ticks.
    pub(crate) fn ticks(&self) -> bool {
        self.phase == Phase::Running && !self.rest.rests
    }

    /// There is something to do.
    pub(crate) fn wake(&mut self, work: &mut Work<'_>) {
        if self.rest.rests && self.phase == Phase::Running {
            self.rest = Rest::default();
            work.awake.insert(self.id);
            if self.leads() {
                // Followers are to watch the group again.
                self.raft.ping();
            }
        }
    }

    /// Something happened: who took an offer of rest may not rest any more.
    pub(super) fn stir(&mut self) {
        if !self.rest.rests {
            self.rest = Rest::default();
        }
    }

    /// A tick of raft's clock.
    pub(crate) fn tick(&mut self, work: &mut Work<'_>) {
        if !self.ticks() {
            return;
        }
        let raft = &self.raft.raft;
        let (election, range) = (raft.election_timeout(), raft.election_timeout() as u64);
        let timeout = election
            + usize::try_from(
                mix(self.seed ^ mix(u64::from(self.id.0)) ^ mix(self.own.0 << 32) ^ raft.term) % range,
            )
            .unwrap_or(0);
        let unwritten = raft.raft_log.persisted < raft.raft_log.last_index();
        if raft.state != StateRole::Leader && unwritten && raft.election_elapsed + 1 >= timeout {
            // Who is elected has all its log on disk: raft relies on it. So nobody stands before that.
            return;
        }
        self.raft.raft.set_randomized_election_timeout(timeout);
        self.raft.tick();
        self.tick_lead(work);
        self.tick_rest(work);
    }

    fn tick_rest(&mut self, work: &mut Work<'_>) {
        if work.options.rest_ticks == 0 || !self.leads() {
            return;
        }
        if !self.has_nothing_to_do() {
            self.stir();
            return;
        }
        self.rest.idle = self.rest.idle.saturating_add(1);
        if self.rest.idle < work.options.rest_ticks {
            return;
        }
        self.rest.offering = true;
        self.rest_when_all_do(work);
    }

    fn has_nothing_to_do(&self) -> bool {
        let raft = &self.raft.raft;
        let last = raft.raft_log.last_index();
        let idle = self.asking.is_idle() && self.lead.as_ref().is_some_and(super::Lead::is_idle);
        idle && self.writing.is_empty()
            && raft.raft_log.committed == last
            && self.applied.0 == last
            && raft.lead_transferee.is_none()
            && !self.members.is_joint()
            && raft.prs().iter().all(|(_, progress)| progress.matched == last)
    }

    fn rest_when_all_do(&mut self, work: &mut Work<'_>) {
        if self.rest.offering && self.peers().is_subset(&self.rest.taken) {
            self.rest.rests = true;
            work.awake.remove(&self.id);
        }
    }

    /// A follower heard a heartbeat that offers rest, or does not.
    pub(super) fn hear_rest(&mut self, work: &mut Work<'_>, offered: bool) {
        let log = &self.raft.raft.raft_log;
        let has_all =
            log.committed == log.last_index() && self.applied.0 == log.committed && self.writing.is_empty();
        if offered && has_all && self.install.is_none() {
            self.rest.rests = true;
            work.awake.remove(&self.id);
        } else {
            self.wake(work);
        }
    }

    /// A leader heard that a follower rests, or does not.
    pub(super) fn hear_taken(&mut self, work: &mut Work<'_>, from: NodeNumber, rests: bool) {
        if !rests {
            self.rest.taken.remove(&from);
        } else if self.rest.offering {
            self.rest.taken.insert(from);
            self.rest_when_all_do(work);
        }
    }
}

/// SplitMix64's finish.
pub(super) fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
