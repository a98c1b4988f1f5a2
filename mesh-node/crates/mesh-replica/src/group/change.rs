//! Changes of members.
//!
//! ```text
//!   newcomers become learners ─► they have the log ─► joint: both majorities count ─► the new members alone
//! ```
//! Whoever leads ends a joint form that it finds. A leader that is not to stay hands over first, when it can.
//!
//! Who knows the end of a change from its log and not that it is committed needs those who went to elect anybody. So each
//! change is followed by an entry, which says durably on every disk that it reaches that what is before it is committed:
//! when a majority has that one, the change is settled, and nobody needs those who went.

use mesh_log::record::{Entry, EntryKind};
use raft::{ProgressState, StateRole};

use super::Group;
use crate::{
    host::Work,
    id::{NodeNumber, Token},
    machine::{At, Machine},
    members::{Change, Members},
    output::Output,
    refused::Refused,
    storage::kind_of,
};

/// A learner that lacks no more than so many entries may become a voter.
const BEHIND_MAX: u64 = 64;

/// A change that somebody waits for.
#[derive(Debug)]
pub(super) struct Changing {
    pub(super) token: Token,
    target: Members,
}

impl<M: Machine> Group<M> {
    /// Makes `target` the members. What was asked for before and is not through is not done.
    pub(crate) fn set_members(
        &mut self,
        work: &mut Work<'_>,
        token: Token,
        target: Members,
    ) -> Result<(), Refused> {
        if !self.leads() {
            return Err(self.not_leader());
        }
        if target.voters.is_empty()
            || target.is_joint()
            || !target.learners_next.is_empty()
            || !target.voters.is_disjoint(&target.learners)
            || target.contains(NodeNumber(0))
        {
            return Err(Refused::Members);
        }
        self.wake(work);
        let before = self.lead.as_mut().and_then(|lead| lead.changing.replace(Changing { token, target }));
        if let Some(before) = before {
            work.outputs.push(Output::Refused { token: before.token, why: Refused::Members });
        }
        Ok(())
    }

    /// The next step of a change, when there is one to be taken.
    pub(super) fn change_members(&mut self, work: &mut Work<'_>) {
        let raft = &self.raft.raft;
        if raft.state != StateRole::Leader || raft.has_pending_conf() || !raft.commit_to_current_term() {
            return;
        }
        if self.members.is_joint() {
            self.propose_change(work, &Change::leave());
            return;
        }
        self.settle();
        let Some(changing) = self.lead.as_mut().and_then(|lead| lead.changing.take()) else { return };
        let target = &changing.target;
        if (&self.members.voters, &self.members.learners) == (&target.voters, &target.learners) {
            let at = At {
                group: self.id,
                index: self.applied.0,
                term: self.applied.1,
                time_ms: self.clock.last_ms(),
            };
            work.outputs.push(Output::Applied { token: changing.token, at, reply: bytes::Bytes::new() });
            return;
        }
        let step = self.next_change(work, target);
        if let Some(lead) = &mut self.lead {
            lead.changing = Some(changing);
        }
        if let Some(change) = step {
            self.propose_change(work, &change);
        }
    }

    /// An entry behind a change of members, if there is none. It has no bytes, as a leader's first one.
    fn settle(&mut self) {
        let last = self.raft.raft.raft_log.last_index();
        if self.lead.as_ref().is_some_and(|lead| lead.changed == Some(last)) {
            // One that is dropped for a transfer is proposed again.
            _ = self.raft.propose(Vec::new(), Vec::new());
        }
    }

    /// Whether a majority knows durably who the members are: entries of this lead were sent with the word that all changes
    /// applied until then are committed.
    pub(super) fn is_settled(&self) -> bool {
        let raft = &self.raft.raft;
        let changed = self.lead.as_ref().and_then(|lead| lead.changed);
        self.leads()
            && !self.members.is_joint()
            && raft.commit_to_current_term()
            && changed.is_none_or(|changed| raft.raft_log.committed > changed)
    }

    fn next_change(&mut self, work: &mut Work<'_>, target: &Members) -> Option<Change> {
        if !target.voters.contains(&self.own)
            && let Some(to) = self.best_voter(|node| target.voters.contains(&node))
        {
            if self.raft.raft.lead_transferee.is_none() {
                self.transfer(work, to);
            }
            return None;
        }
        let mut first = self.members.clone();
        first.learners.extend(target.all().filter(|node| !self.members.contains(*node)));
        if let Some(change) = Change::between(&self.members, &first) {
            return Some(change);
        }
        let last = self.raft.raft.raft_log.last_index();
        let ready = target.voters.iter().all(|node| {
            self.members.voters.contains(node)
                || !self.has_forgot(*node)
                    && self.raft.raft.prs().get(node.0).is_some_and(|progress| {
                        // After a snapshot raft goes on probing until there is another entry, which may be never.
                        progress.state != ProgressState::Snapshot
                            && progress.matched > 0
                            && progress.matched + BEHIND_MAX >= last
                    })
        });
        if ready { Change::between(&self.members, target) } else { None }
    }

    fn propose_change(&mut self, work: &mut Work<'_>, change: &Change) {
        if self.raft.raft.lead_transferee.is_some() {
            return;
        }
        let before = self.raft.raft.raft_log.last_index();
        if self.raft.propose_conf_change(Vec::new(), change.to_raft()).is_err() {
            return;
        }
        let raft = &self.raft.raft;
        let (index, term) = (raft.raft_log.last_index(), raft.term);
        // One that raft refuses becomes an entry without bytes, with no word about it.
        let taken =
            raft.raft_log.unstable_entries().last().is_some_and(|entry| kind_of(entry) == EntryKind::Members);
        if index == before || !taken {
            self.refuse_change(work);
            return;
        }
        self.incoming.insert((index, term), mesh_log::payload::Payload::new(change.encode()));
    }

    fn refuse_change(&mut self, work: &mut Work<'_>) {
        if let Some(changing) = self.lead.as_mut().and_then(|lead| lead.changing.take()) {
            work.outputs.push(Output::Refused { token: changing.token, why: Refused::Members });
        }
    }

    pub(super) fn apply_change(&mut self, work: &mut Work<'_>, entry: &Entry) {
        let Ok(change) = Change::decode(entry.payload.bytes()) else {
            work.outputs.push(Output::Fatal(format!(
                "group {}: entry {} is no change of members",
                self.id, entry.index
            )));
            return;
        };
        // One that does not fit is refused by all replicas alike.
        let Ok(state) = self.raft.apply_conf_change(&change.to_raft()) else { return };
        self.members = Members::from_conf_state(&state);
        let last = self.raft.raft.raft_log.last_index();
        if let Some(lead) = &mut self.lead {
            lead.changed = Some(last);
            lead.lost.members_changed(&self.members, entry.index);
            // Who is new would not take a snapshot of before it was a member.
            self.offered = None;
            self.raft.mut_store().set_offer(None);
        }
        work.outputs.push(Output::Changed(self.id));
        let votes = self.members.voters.contains(&self.own) || self.members.outgoing.contains(&self.own);
        if self.raft.raft.state == StateRole::Leader && !votes {
            self.retire(work);
        }
    }

    /// A leader that is no voter any more steps down: raft does not, and panics at the next commit.
    fn retire(&mut self, work: &mut Work<'_>) {
        let changing = self.lead.as_mut().and_then(|lead| lead.changing.take());
        if let Some(changing) = changing {
            let target = &changing.target;
            if (&self.members.voters, &self.members.learners) == (&target.voters, &target.learners) {
                let at = At {
                    group: self.id,
                    index: self.applied.0,
                    term: self.applied.1,
                    time_ms: self.clock.last_ms(),
                };
                work.outputs.push(Output::Applied { token: changing.token, at, reply: bytes::Bytes::new() });
            } else {
                work.outputs.push(Output::Refused { token: changing.token, why: Refused::Unknown });
            }
        }
        // The others learn that the change is committed, and the best of them that it is its turn.
        self.raft.raft.bcast_append();
        if let Some(to) = self.best_voter(|_| true) {
            self.raft.raft.send_timeout_now(to.0);
        }
        let term = self.raft.raft.term;
        self.raft.raft.become_follower(term, raft::INVALID_ID);
    }
}
