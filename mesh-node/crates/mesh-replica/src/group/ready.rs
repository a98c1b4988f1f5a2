//! What raft hands out, in its order: the log in memory, records, messages, what is committed.

use std::time::Duration;

use mesh_log::{
    bug::Bug,
    record::{Entry, EntryKind, HardState, Record},
};
use raft::{Ready, StateRole, eraftpb, eraftpb::MessageType};

use super::{Group, Phase, Writing};
use crate::{host::Work, id::WriteId, machine::Machine, output::Output, storage::kind_of};

impl<M: Machine> Group<M> {
    /// Does all that there is to do, until something from outside is needed.
    pub(crate) fn drive(&mut self, work: &mut Work<'_>) {
        if self.phase != Phase::Running {
            self.raft.raft.msgs.clear();
            return;
        }
        loop {
            self.look_at_lead(work);
            self.begin_lead(work);
            self.change_members(work);
            self.form(work);
            self.ask_quorum(work);
            self.offer_wanted(work);
            if !self.raft.has_ready() {
                break;
            }
            self.take_ready(work);
            if self.phase != Phase::Running {
                return;
            }
        }
        self.incoming.clear();
        self.look_at_lead(work);
        self.answer_reads(work);
        self.save_when_due(work);
    }

    fn take_ready(&mut self, work: &mut Work<'_>) {
        let mut ready = self.raft.ready();
        let number = ready.number();
        let hard = ready.hs().map(|hard| HardState { term: hard.term, vote: hard.vote, commit: hard.commit });
        let entries = ready.take_entries();
        let installed = self.take_snapshot(work, ready.snapshot());
        let any = !entries.is_empty();
        let wrote = installed | self.record_state(work, hard, any) | self.record_entries(work, entries);
        if any {
            self.record_commit(work);
        }
        let (now, later) = self.sort_messages(&mut ready);
        self.note_written(work, number, wrote, later);
        for message in now {
            self.send(work, message);
        }
        for state in ready.take_read_states() {
            self.confirmed(&state.request_ctx, state.index);
        }
        let committed = ready.take_committed_entries();
        self.raft.advance_append_async(ready);
        if self.writing.is_empty() {
            self.raft.on_persist_ready(number);
        }
        self.apply_all(work, &committed);
    }

    /// Term and vote go before the entries that need them; a commit index goes along when entries are written, and never
    /// ahead of them.
    ///
    /// It could be found again without, but for one thing: a change of members counts when it is applied. Whoever has the
    /// end of a change in its log has to know after a crash that its begin is committed, else it would stand for election
    /// among members of two changes ago, whose majority need not meet that of today's.
    fn record_state(&mut self, work: &mut Work<'_>, hard: Option<HardState>, entries: bool) -> bool {
        let hard = match hard {
            Some(hard) => hard,
            None if entries => {
                let hard = self.raft.raft.hard_state();
                HardState { term: hard.term, vote: hard.vote, commit: hard.commit }
            }
            None => return false,
        };
        let promised = (hard.term, hard.vote) != (self.state.term, self.state.vote);
        if !promised && !entries {
            return false;
        }
        let store = self.raft.store();
        let mut state = HardState { commit: hard.commit.min(store.last()).max(self.state.commit), ..hard };
        if state == self.state {
            return false;
        }
        self.state = state;
        if work.options.bugs.has(Bug::ForgetVote) {
            state.vote = 0;
        }
        work.record(Record::State { group: self.id, state });
        true
    }

    /// What of the entries that were just given to be written is known to be committed.
    fn record_commit(&mut self, work: &mut Work<'_>) {
        let commit = self.raft.raft.raft_log.committed.min(self.raft.store().last());
        if commit > self.state.commit {
            self.state.commit = commit;
            let mut state = self.state;
            if work.options.bugs.has(Bug::ForgetVote) {
                state.vote = 0;
            }
            work.record(Record::State { group: self.id, state });
        }
    }

    fn record_entries(&mut self, work: &mut Work<'_>, handles: Vec<eraftpb::Entry>) -> bool {
        let any = !handles.is_empty();
        if any {
            self.stir();
        }
        for handle in handles {
            let kind = kind_of(&handle);
            // A leader's first entry has no bytes; every other one came with its own.
            let payload = self.incoming.remove(&(handle.index, handle.term)).unwrap_or_default();
            let entry = Entry { term: handle.term, index: handle.index, kind, payload };
            self.raft.mut_store().append(entry.clone(), None);
            work.record_entry(self.id, entry);
        }
        any
    }

    /// What may be sent at once, and what only when everything that was given to be written is durable.
    ///
    /// A leader need not wait for its own disk, but for its term and vote: else it could lead the same term twice, with
    /// other entries. A heartbeat's answer promises nothing.
    fn sort_messages(&self, ready: &mut Ready) -> (Vec<eraftpb::Message>, Vec<eraftpb::Message>) {
        let mut now = ready.take_messages();
        let mut later = ready.take_persisted_messages();
        if self.durable_term < self.raft.raft.term {
            later.append(&mut now);
        }
        let (free, later) = later.into_iter().partition(|message| {
            matches!(
                message.get_msg_type(),
                MessageType::MsgHeartbeatResponse | MessageType::MsgRequestPreVote
            )
        });
        now.extend::<Vec<_>>(free);
        (now, later)
    }

    fn note_written(&mut self, work: &mut Work<'_>, ready: u64, wrote: bool, later: Vec<eraftpb::Message>) {
        let term = self.raft.raft.term;
        let last = self.raft.store().last();
        if wrote {
            let (id, since) = (work.write_id(), work.now.monotonic);
            self.writing.push_back(Writing { id, ready, term, since, messages: later, last });
            return;
        }
        match self.writing.back_mut() {
            // Nothing of this one has to be written, so it is durable with the one before.
            Some(writing) => {
                writing.ready = ready;
                writing.messages.extend(later);
            }
            None => {
                for message in later {
                    self.send(work, message);
                }
            }
        }
    }

    /// A write is durable, and those before it.
    pub(crate) fn handle_written(&mut self, work: &mut Work<'_>, id: WriteId) {
        while self.writing.front().is_some_and(|writing| writing.id <= id) {
            let Some(writing) = self.writing.pop_front() else { return };
            self.durable_term = self.durable_term.max(writing.term);
            if self.phase != Phase::Running {
                continue;
            }
            self.note_pace(work, work.now.monotonic.saturating_sub(writing.since), writing.last);
            self.raft.on_persist_ready(writing.ready);
            // A snapshot counts as applied once it is durable. Raft looks for what is not applied when it stands for
            // election, and panics where the log was cut off.
            let applied = self.applied.0.min(self.raft.raft.raft_log.persisted);
            if self.raft.raft.raft_log.applied < applied {
                self.raft.advance_apply_to(applied);
            }
            for message in writing.messages {
                self.send(work, message);
            }
            if work.options.bugs.has(Bug::AckBeforeQuorum) {
                self.commit_alone();
            }
        }
    }

    /// The known bug of a leader that takes for committed what it has itself.
    fn commit_alone(&mut self) {
        let raft = &mut self.raft.raft;
        if raft.state == StateRole::Leader
            && raft.raft_log.term(raft.raft_log.persisted).ok() == Some(raft.term)
        {
            raft.raft_log.committed = raft.raft_log.committed.max(raft.raft_log.persisted);
        }
    }

    /// How long the disk took; a leader whose followers were faster again and again hands over.
    fn note_pace(&mut self, work: &mut Work<'_>, took: Duration, last: u64) {
        if took < work.options.slow_disk {
            if let Some(lead) = &mut self.lead {
                lead.slow = lead.slow.saturating_sub(1);
            }
            return;
        }
        let others_had_it = self.had_by_others(last);
        if let Some(lead) = self.lead.as_mut().filter(|_| others_had_it) {
            lead.slow += 2;
        }
    }

    /// Whether a follower has an entry that was not durable here a moment ago.
    fn had_by_others(&self, last: u64) -> bool {
        let voters = &self.members.voters;
        let others = self.raft.raft.prs().iter().filter(|(node, _)| **node != self.own.0);
        last > 0
            && others
                .filter(|(node, _)| voters.contains(&crate::id::NodeNumber(**node)))
                .any(|(_, progress)| progress.matched >= last)
    }

    pub(super) fn apply_all(&mut self, work: &mut Work<'_>, committed: &[eraftpb::Entry]) {
        for handle in committed {
            self.apply(work, handle);
            if self.phase != Phase::Running {
                return;
            }
        }
        if !committed.is_empty() {
            let applied = self.applied.0;
            self.raft.advance_apply_to(applied);
        }
    }

    fn apply(&mut self, work: &mut Work<'_>, handle: &eraftpb::Entry) {
        let Some(held) = self.raft.store().get(handle.index) else {
            work.outputs.push(Output::Fatal(format!(
                "group {}: entry {} is committed and not there",
                self.id, handle.index
            )));
            return;
        };
        let (entry, location) = (held.entry.clone(), held.location);
        if entry.index <= self.applied.0 {
            return;
        }
        match entry.kind {
            EntryKind::Commands => self.apply_commands(work, &entry, location),
            EntryKind::Members => self.apply_change(work, &entry),
        }
        self.applied = (entry.index, entry.term);
        self.forget_proposed(work, entry.index);
    }
}
