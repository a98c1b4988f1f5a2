//! Commands and reads that wait.

use std::collections::VecDeque;

use bytes::Bytes;
use raft::StateRole;

use super::{
    Group, Phase, Waiting,
    lead::{Lead, Proposed},
};
use crate::{forming, host::Work, id::Token, machine::Machine, output::Output, refused::Refused};

/// Reads whose heartbeats are under way at the same time.
const READ_ROUNDS_MAX: usize = 4;

/// What is asked of a group and not on its way yet, and reads.
#[derive(Debug, Default)]
pub(super) struct Asking {
    commands: VecDeque<Waiting>,
    bytes: usize,
    reads: Vec<Token>,
    /// What a quorum is being asked for: the number of the question, and who wants to know.
    asked: VecDeque<(u64, Vec<Token>)>,
    /// Confirmed, and to be answered once so much is applied.
    confirmed: VecDeque<(u64, Vec<Token>)>,
    questions: u64,
}

impl Asking {
    fn reads_waiting(&self) -> usize {
        let more = self.asked.iter().chain(&self.confirmed).map(|(_, tokens)| tokens.len()).sum::<usize>();
        self.reads.len() + more
    }

    pub(super) fn is_idle(&self) -> bool {
        self.commands.is_empty()
            && self.reads.is_empty()
            && self.asked.is_empty()
            && self.confirmed.is_empty()
    }
}

impl<M: Machine> Group<M> {
    /// A command waits for its entry. `Err` when it does not.
    pub(crate) fn ask_command(
        &mut self,
        work: &mut Work<'_>,
        token: Token,
        command: Bytes,
    ) -> Result<(), Refused> {
        let bounds = &work.options.bounds;
        if command.len() > bounds.command_bytes_max {
            return Err(Refused::TooLarge { size: command.len(), max: bounds.command_bytes_max });
        }
        if !self.leads() {
            return Err(self.not_leader());
        }
        if work.full {
            return Err(Refused::DiskFull);
        }
        let bytes = command.len() + forming::COMMAND_HEAD_BYTES;
        let full = self.asking.commands.len() >= bounds.waiting_commands_max
            || (self.asking.bytes + bytes > bounds.waiting_bytes_max && !self.asking.commands.is_empty())
            || (work.waiting_bytes + bytes > bounds.host_waiting_bytes_max && work.waiting_bytes > 0)
            || self.raft.store().bytes() > bounds.log_bytes_max
            || work.log_bytes > bounds.host_log_bytes_max;
        if full {
            return Err(Refused::Busy);
        }
        self.asking.bytes += bytes;
        work.waiting_bytes += bytes;
        self.asking.commands.push_back((token, command));
        Ok(())
    }

    /// A read waits. `Err` when it does not.
    pub(crate) fn ask_read(&mut self, work: &Work<'_>, token: Token) -> Result<(), Refused> {
        if !self.leads() {
            return Err(self.not_leader());
        }
        if self.asking.reads_waiting() >= work.options.bounds.waiting_reads_max {
            return Err(Refused::Busy);
        }
        self.asking.reads.push(token);
        Ok(())
    }

    /// Whether an entry may be formed now.
    fn may_form(&self, work: &Work<'_>) -> bool {
        let raft = &self.raft.raft;
        let bounds = &work.options.bounds;
        let in_flight = self.lead.as_ref().map_or(usize::MAX, Lead::in_flight);
        let waits_large =
            self.asking.bytes >= bounds.entry_bytes_max / 2 && in_flight < bounds.large_entries_in_flight_max;
        self.phase == Phase::Running
            && raft.state == StateRole::Leader
            && raft.lead_transferee.is_none()
            && raft.commit_to_current_term()
            && (in_flight < bounds.entries_in_flight_max || waits_large)
            && !work.full
    }

    /// Forms entries of what waits, as many as may be under way.
    pub(super) fn form(&mut self, work: &mut Work<'_>) {
        while !self.asking.commands.is_empty() && self.may_form(work) {
            if !self.form_one(work) {
                return;
            }
        }
    }

    fn form_one(&mut self, work: &mut Work<'_>) -> bool {
        let Some(time_ms) = self.clock.stamp(work.now) else { return false };
        let bounds = &work.options.bounds;
        let (mut count, mut bytes) = (0, 0);
        for (_, command) in self.asking.commands.iter().take(bounds.entry_commands_max) {
            let more = bytes + command.len() + forming::COMMAND_HEAD_BYTES;
            if count > 0 && more > bounds.entry_bytes_max {
                break;
            }
            (count, bytes) = (count + 1, more);
        }
        let payload =
            forming::form(time_ms, self.asking.commands.iter().take(count).map(|(_, command)| command));
        if self.raft.propose(Vec::new(), Vec::new()).is_err() {
            return false;
        }
        let (index, term) = (self.raft.raft.raft_log.last_index(), self.raft.raft.term);
        self.incoming.insert((index, term), payload);
        let tokens = self.asking.commands.drain(..count).map(|(token, _)| token).collect();
        self.asking.bytes -= bytes;
        work.waiting_bytes -= bytes;
        if let Some(lead) = &mut self.lead {
            lead.proposed.push_back(Proposed { index, term, tokens });
        }
        true
    }

    /// Asks a quorum for the reads that wait. Those that come while a question is under way are not answered by it.
    pub(super) fn ask_quorum(&mut self, work: &mut Work<'_>) {
        if self.asking.reads.is_empty() || !self.leads() {
            return;
        }
        if work.options.bugs.has(mesh_log::bug::Bug::StaleRead) {
            let tokens = std::mem::take(&mut self.asking.reads);
            work.outputs.extend(tokens.into_iter().map(|token| Output::Readable { token }));
            return;
        }
        // Raft drops the question without a word before it has committed in its term.
        if !self.raft.raft.commit_to_current_term() || self.asking.asked.len() >= READ_ROUNDS_MAX {
            return;
        }
        self.asking.questions += 1;
        let question = self.asking.questions;
        self.asking.asked.push_back((question, std::mem::take(&mut self.asking.reads)));
        self.raft.read_index(question.to_le_bytes().to_vec());
    }

    /// A quorum confirmed a question, and with it those before.
    pub(super) fn confirmed(&mut self, context: &[u8], index: u64) {
        let Ok(question) = context.try_into().map(u64::from_le_bytes) else { return };
        while self.asking.asked.front().is_some_and(|(asked, _)| *asked <= question) {
            let Some((_, tokens)) = self.asking.asked.pop_front() else { return };
            self.asking.confirmed.push_back((index, tokens));
        }
    }

    /// Answers reads that may see what is applied now.
    pub(super) fn answer_reads(&mut self, work: &mut Work<'_>) {
        let applied = self.applied.0;
        while self.asking.confirmed.front().is_some_and(|(index, _)| *index <= applied) {
            let Some((_, tokens)) = self.asking.confirmed.pop_front() else { return };
            work.outputs.extend(tokens.into_iter().map(|token| Output::Readable { token }));
        }
    }

    /// All that waits is refused: nothing of it is on its way.
    pub(super) fn refuse_waiting(&mut self, work: &mut Work<'_>, why: Refused) {
        self.refuse_commands(work, why);
        let asking = std::mem::take(&mut self.asking);
        let more = asking.asked.into_iter().chain(asking.confirmed).flat_map(|(_, tokens)| tokens);
        work.outputs.extend(asking.reads.into_iter().chain(more).map(|token| Output::Refused { token, why }));
        self.asking.questions = asking.questions;
    }

    /// Commands that wait are refused.
    pub(super) fn refuse_commands(&mut self, work: &mut Work<'_>, why: Refused) {
        work.waiting_bytes -= std::mem::take(&mut self.asking.bytes);
        let tokens = self.asking.commands.drain(..).map(|(token, _)| token);
        work.outputs.extend(tokens.map(|token| Output::Refused { token, why }));
    }
}
