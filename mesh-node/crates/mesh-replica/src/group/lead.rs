//! What a replica has only while it leads.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use mesh_log::id::GroupId;
use raft::StateRole;

use super::{Group, change::Changing, lost::Lost};
use crate::{
    host::Work,
    id::{NodeNumber, Token},
    machine::Machine,
    output::Output,
    refused::Refused,
};

/// An entry that was formed here and is not applied yet.
#[derive(Debug)]
pub(super) struct Proposed {
    pub(super) index: u64,
    pub(super) term: u64,
    pub(super) tokens: Vec<Token>,
}

/// What a leader knows.
#[derive(Debug, Default)]
pub(super) struct Lead {
    pub(super) term: u64,
    pub(super) proposed: VecDeque<Proposed>,
    /// What the clocks of others say beyond our monotonic one, in milliseconds.
    pub(super) clocks: BTreeMap<NodeNumber, u64>,
    pub(super) begun: bool,
    pub(super) changing: Option<Changing>,
    /// The last index when members changed last.
    pub(super) changed: Option<u64>,
    /// How slow its disk was found, in points.
    pub(super) slow: u32,
    /// Followers that a snapshot was offered to, and when they were last heard of about it.
    pub(super) offered: BTreeMap<NodeNumber, Duration>,
    /// Members that have lost something.
    pub(super) lost: Lost,
}

impl Lead {
    pub(super) fn in_flight(&self) -> usize {
        self.proposed.len()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.proposed.is_empty() && self.changing.is_none() && self.offered.is_empty()
    }

    pub(super) fn changes(&self) -> bool {
        self.changing.is_some()
    }
}

impl<M: Machine> Group<M> {
    /// Notes who leads since it was last looked.
    pub(super) fn look_at_lead(&mut self, work: &mut Work<'_>) {
        let (term, leads) = (self.raft.raft.term, self.raft.raft.state == StateRole::Leader);
        if self.lead.as_ref().is_some_and(|lead| !leads || lead.term != term) {
            self.lose_lead(work);
        }
        if leads && self.lead.is_none() {
            self.lead = Some(Lead { term, ..Lead::default() });
            // Who is acknowledged waits for nobody who only wants to know (ADR 0104): followers hear what is committed with
            // the next entries or the next heartbeat. What the cluster says of itself is used on every node, so there it
            // is told at once.
            self.raft.skip_bcast_commit(self.id != GroupId::META);
            self.wake(work);
        }
        if (self.seen_leader, self.seen_term) != (self.raft.raft.leader_id, term) {
            (self.seen_leader, self.seen_term) = (self.raft.raft.leader_id, term);
            work.outputs.push(Output::Changed(self.id));
        }
    }

    /// Once an entry of its term is committed, a quorum has told its clocks, and commands may be given a time.
    pub(super) fn begin_lead(&mut self, work: &mut Work<'_>) {
        let Some(lead) = self.lead.as_mut().filter(|lead| !lead.begun) else { return };
        if !self.raft.raft.commit_to_current_term() {
            return;
        }
        lead.begun = true;
        let passed = u64::try_from(work.now.monotonic.as_millis()).unwrap_or(u64::MAX);
        let mut clocks: Vec<u64> = lead.clocks.values().map(|ahead| ahead.saturating_add(passed)).collect();
        clocks.push(work.now.wall_ms);
        self.clock.lead(work.now, clocks);
    }

    /// Somebody's clock came with an acknowledgement.
    pub(super) fn hear_clock(&mut self, work: &Work<'_>, from: NodeNumber, wall_ms: u64) {
        let passed = u64::try_from(work.now.monotonic.as_millis()).unwrap_or(u64::MAX);
        if let Some(lead) = &mut self.lead {
            lead.clocks.insert(from, wall_ms.saturating_sub(passed));
        }
    }

    /// It does not lead any more: what is on its way may become committed or not, what is not is refused.
    pub(super) fn lose_lead(&mut self, work: &mut Work<'_>) {
        self.clock.follow();
        if let Some(lead) = self.lead.take() {
            let why = Refused::Unknown;
            for proposed in lead.proposed {
                work.outputs.extend(proposed.tokens.into_iter().map(|token| Output::Refused { token, why }));
            }
            if let Some(changing) = lead.changing {
                work.outputs.push(Output::Refused { token: changing.token, why });
            }
            work.outputs.push(Output::Changed(self.id));
        }
        self.saving.unpin();
        self.raft.mut_store().set_offer(None);
        let why = self.not_leader();
        self.refuse_waiting(work, why);
    }

    /// Nothing more can be written for now: nobody waits for what may take long.
    pub(crate) fn handle_full(&mut self, work: &mut Work<'_>) {
        self.refuse_commands(work, Refused::DiskFull);
        let Some(lead) = &mut self.lead else { return };
        for proposed in &mut lead.proposed {
            let tokens = std::mem::take(&mut proposed.tokens);
            work.outputs
                .extend(tokens.into_iter().map(|token| Output::Refused { token, why: Refused::Unknown }));
        }
    }
}
