//! What one producer has under way in one lane: in order, each batch exactly once.
//!
//! ```text
//!   acknowledged │ sent, not answered │ not sent (again) yet │ ◄── push
//!                └ front              └ next                 │
//! ```
//! Batches are numbered without gaps and the node takes them in that order only. So when one is refused, or the link is
//! lost, everything from it on is sent again, in order and under the same numbers: what is there already is known there
//! and is not written twice. Only when a batch can't be brought over at all, or its time is up, does the window end: it
//! and all behind it fail, and the producer goes on in its next epoch. From then on nothing of the old epoch is taken
//! any more, so that what is still on its way can't come behind what is sent later.
//!
//! Each sending has a number of its own, so that an answer to an earlier one is known and not minded.
//! `A` is who waits for the answer: a channel in the client, a number in the tests.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mesh_wire::batch::Producer;
use mesh_wire::code::Code;

use crate::error::Error;

/// The wait before something is sent again; it doubles each time, up to [`RETRY_DELAY_MAX`].
const RETRY_DELAY: Duration = Duration::from_millis(2);
/// The longest wait before something is sent again.
const RETRY_DELAY_MAX: Duration = Duration::from_millis(200);
/// The longest wait while there may be a leader again at any moment: whoever is told so late that there is one waits in vain.
const LEADER_DELAY_MAX: Duration = Duration::from_millis(20);
/// How often in a row it is asked so soon: for a second, within which a leader is elected if one can be.
const LEADER_RETRIES: u32 = 50;
/// How long one sending may take; within its own time a batch is then sent again.
const ATTEMPT: Duration = Duration::from_secs(5);
/// How much longer than the node this side waits for an answer: only one that is stuck does not say so in time.
const SLACK: Duration = Duration::from_millis(250);
/// After so long without a batch the producer begins its next epoch: nodes forget one that is silent for an hour, and
/// its next batch would seem to follow something that is missing.
const SILENCE: Duration = Duration::from_secs(30 * 60);
/// How often in a row something is sent again that was refused in a way that rarely mends itself: a node that has
/// just started may know less than the one before it.
const DOUBTS_MAX: u32 = 10;

#[derive(Debug)]
struct Entry<A> {
    batch: Bytes,
    deadline: Instant,
    /// Its latest sending, and when that was.
    sending: u32,
    sent_at: Instant,
    /// Who waits; none once it was answered.
    answer: Option<A>,
    /// A sending of it was not answered: it may be there.
    doubtful: bool,
    error: Option<Error>,
}

/// A batch to be sent.
#[derive(Debug)]
pub(crate) struct Sending<'a> {
    /// The number of this sending.
    pub(crate) number: u32,
    /// How long the node has for it, in milliseconds.
    pub(crate) timeout_ms: u32,
    /// The batch.
    pub(crate) batch: &'a Bytes,
}

/// Batches that failed, each with who waits for it.
pub(crate) type Failed<A> = Vec<(A, Error)>;

/// See the module.
#[derive(Debug)]
pub(crate) struct Window<A> {
    producer: Producer,
    entries: VecDeque<Entry<A>>,
    /// How many at the front were sent on this link, since the last refusal.
    sent: usize,
    sending: u32,
    retries: u32,
    retry_at: Option<Instant>,
    /// When a batch was pushed or kept last.
    active_at: Instant,
}

impl<A> Window<A> {
    /// Empty, for a producer of this id in its first epoch.
    pub(crate) fn new(id: u64, now: Instant) -> Self {
        Self {
            producer: Producer { id, epoch: 0, base_sequence: 0 },
            entries: VecDeque::new(),
            sent: 0,
            sending: 0,
            retries: 0,
            retry_at: None,
            active_at: now,
        }
    }

    /// As whom the next batch is encoded.
    pub(crate) fn producer(&mut self, now: Instant) -> Producer {
        let is_silent = now.saturating_duration_since(self.active_at) >= SILENCE;
        if is_silent && self.is_empty() && self.producer.base_sequence > 0 {
            self.begin_epoch();
        }
        self.producer
    }

    fn begin_epoch(&mut self) {
        self.producer.epoch = self.producer.epoch.wrapping_add(1);
        self.producer.base_sequence = 0;
    }

    /// Whether nothing is under way.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many batches are under way.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether the link owes no answer.
    pub(crate) fn is_quiet(&self) -> bool {
        self.sent == 0
    }

    /// Whether all of it was sent.
    pub(crate) fn is_sent(&self) -> bool {
        self.sent == self.entries.len()
    }

    /// Command: one more batch. It was encoded for [`Window::producer`], and `deadline` is no earlier than the last one.
    pub(crate) fn push(&mut self, batch: Bytes, records: u32, deadline: Instant, now: Instant, answer: A) {
        self.active_at = now;
        self.producer.base_sequence += u64::from(records);
        self.entries.push_back(Entry {
            batch,
            deadline,
            sending: 0,
            sent_at: now,
            answer: Some(answer),
            doubtful: false,
            error: None,
        });
    }

    /// Output: what to send next, if anything now. [`Window::handle_sent`] when it is on its way.
    pub(crate) fn poll_send(&mut self, now: Instant) -> Option<Sending<'_>> {
        if self.retry_at.is_some_and(|at| at > now) {
            return None;
        }
        self.retry_at = None;
        // What was answered in the meantime keeps its place only.
        while self.entries.get(self.sent).is_some_and(|entry| entry.answer.is_none()) {
            self.handle_sent(now);
        }
        let entry = self.entries.get(self.sent)?;
        let left = entry.deadline.saturating_duration_since(now).min(ATTEMPT);
        let timeout_ms = u32::try_from(left.as_millis()).unwrap_or(u32::MAX).max(1);
        Some(Sending { number: self.sending, timeout_ms, batch: &entry.batch })
    }

    /// Input: what [`Window::poll_send`] gave is on its way.
    pub(crate) fn handle_sent(&mut self, now: Instant) {
        if let Some(entry) = self.entries.get_mut(self.sent) {
            entry.sending = self.sending;
            entry.sent_at = now;
            self.sending = self.sending.wrapping_add(1);
            self.sent += 1;
        }
    }

    /// Where the batch of this sending is, if it is the latest one of it and was not answered.
    fn find(&self, sending: u32) -> Option<usize> {
        let front = self.entries.front()?.sending;
        let at = match sending.wrapping_sub(front) {
            // Answers come in order as a rule.
            0 => 0,
            ahead => {
                let (mut low, mut high) = (0, self.sent);
                while low < high {
                    let middle = low.midpoint(high);
                    if self.entries[middle].sending.wrapping_sub(front) < ahead {
                        low = middle + 1;
                    } else {
                        high = middle;
                    }
                }
                low
            }
        };
        let entry = self.entries.get(at).filter(|_| at < self.sent)?;
        (entry.sending == sending && entry.answer.is_some()).then_some(at)
    }

    /// Input: the batch of this sending is kept. Who waits for it.
    pub(crate) fn handle_kept(&mut self, sending: u32, now: Instant) -> Option<A> {
        let at = self.find(sending)?;
        self.active_at = now;
        let answer = self.entries[at].answer.take();
        while self.entries.front().is_some_and(|entry| entry.answer.is_none()) {
            self.entries.pop_front();
            self.sent = self.sent.saturating_sub(1);
        }
        self.retries = 0;
        answer
    }

    /// Input: the batch of this sending was refused. Who fails over it: nobody, as long as it makes sense to go on.
    pub(crate) fn handle_refused(
        &mut self,
        sending: u32,
        error: Error,
        retry_after: Duration,
        now: Instant,
    ) -> Failed<A> {
        let Some(at) = self.find(sending) else { return Vec::new() };
        let code = error.code();
        self.entries[at].doubtful |= code.leaves_outcome_unknown();
        self.entries[at].error = Some(error.clone());
        if !self.is_worth_repeating(code, at) {
            return self.fail(at, &error);
        }
        self.forget_sendings(at);
        // This one was answered, if only so.
        self.entries[at].doubtful |= code.leaves_outcome_unknown();
        let delay = (RETRY_DELAY * (1 << self.retries.min(8))).min(self.delay_max(code));
        self.retries += 1;
        self.retry_at = Some(now + delay.max(retry_after));
        Vec::new()
    }

    fn delay_max(&self, code: Code) -> Duration {
        match code {
            Code::NoLeader if self.retries < LEADER_RETRIES => LEADER_DELAY_MAX,
            _ => RETRY_DELAY_MAX,
        }
    }

    fn is_worth_repeating(&self, code: Code, at: usize) -> bool {
        match code {
            Code::LaneUndeclared => self.retries < DOUBTS_MAX,
            // That a batch before it is missing is the way of things, unless there is none.
            Code::SequenceGap => at > 0 || self.retries < DOUBTS_MAX,
            _ => code.is_retryable() || code.leaves_outcome_unknown(),
        }
    }

    /// What was sent from `at` on is to be sent again. Behind `at` nobody knows what became of it.
    fn forget_sendings(&mut self, at: usize) {
        let sent = self.sent;
        for entry in self.entries.range_mut((at + 1).min(sent)..sent) {
            entry.doubtful |= entry.answer.is_some();
        }
        self.sent = at.min(sent);
    }

    /// Input: the link is gone, and with it all answers.
    pub(crate) fn handle_lost(&mut self) {
        if self.sent > 0 {
            self.entries[0].doubtful = true;
            self.forget_sendings(0);
        }
        self.retry_at = None;
    }

    /// Input: nothing can be sent ever again. Who fails over it.
    pub(crate) fn handle_closed(&mut self, error: &Error) -> Failed<A> {
        if self.entries.is_empty() {
            return Vec::new();
        }
        if self.sent > 0 {
            self.entries[0].doubtful = true;
        }
        self.fail(0, error)
    }

    /// Input: the time. Who fails over it.
    pub(crate) fn handle_time(&mut self, now: Instant) -> Failed<A> {
        let Some(front) = self.entries.front() else { return Vec::new() };
        let is_out = self.sent > 0;
        // The node says by itself that the time is up, and knows better how it stands.
        if front.deadline + if is_out { SLACK } else { Duration::ZERO } <= now {
            let unknown = front.doubtful || is_out;
            let error = match front.error.clone() {
                Some(error) if unknown => Error::of(Code::OutcomeUnknown).with_cause(error.to_string()),
                Some(error) => error,
                None if unknown => Error::of(Code::OutcomeUnknown),
                None => Error::of(Code::NotConnected),
            };
            let cause = format!("the time was up: {}", error.cause());
            return self.fail(0, &error.with_cause(cause));
        }
        if is_out && front.sent_at + ATTEMPT + SLACK <= now {
            self.handle_lost();
        }
        Vec::new()
    }

    /// When to give the time next, at the latest.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let front = self.entries.front()?;
        let due = match self.sent {
            0 => front.deadline,
            _ => (front.deadline + SLACK).min(front.sent_at + ATTEMPT + SLACK),
        };
        Some(self.retry_at.map_or(due, |at| at.min(due)))
    }

    /// Ends the window: the one at `at` with its error, the others with what is known of them.
    fn fail(&mut self, at: usize, error: &Error) -> Failed<A> {
        self.begin_epoch();
        let sent = std::mem::take(&mut self.sent);
        (self.retries, self.retry_at) = (0, None);
        let mut failed = Vec::new();
        for (index, entry) in self.entries.drain(..).enumerate() {
            let Some(answer) = entry.answer else { continue };
            // The answer of the one at `at` is this error; of the others that are out there is none.
            let unknown = entry.doubtful || (index < sent && index != at);
            let own = if index == at {
                error.clone()
            } else {
                let code = if unknown { Code::OutcomeUnknown } else { Code::SequenceGap };
                Error::of(code).with_cause(format!("another batch of the producer failed: {error}"))
            };
            let own = match unknown && !own.code().leaves_outcome_unknown() {
                true => Error::of(Code::OutcomeUnknown).with_cause(own.to_string()),
                false => own,
            };
            failed.push((answer, own));
        }
        failed
    }
}

#[cfg(test)]
mod tests;
