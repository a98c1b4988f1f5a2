//! Requests under way, seen from the requester.
//!
//! ```text
//!  open ──► waiting ──(reply · end · lost · expired)──► outcome ──(poll)──► gone
//!              └─────────────(close: its future was dropped)──────────────► gone, CANCEL if it was waiting
//! ```
//! `W` is whom to wake: a `Waker` in the client, a number in the tests.

use std::collections::VecDeque;
use std::task::Poll;
use std::time::Instant;

use mesh_wire::code::Code;
use slab::Slab;

/// Why a request ended without a (further) reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    /// All replies were given.
    Complete,
    /// The node says so, by the number of a code that may be newer than this client.
    Code(u32),
    /// The node refused it and says why.
    Refused(u32, String),
    /// The connection was lost.
    Lost,
    /// Its deadline passed and the node did not say so.
    Expired,
    /// The client was closed.
    Closed,
}

#[derive(Debug)]
enum Answer<R> {
    /// One reply.
    One(Option<Result<R, Ended>>),
    /// Several, up to a bound at once.
    Many { queue: VecDeque<R>, bound: usize, ended: Option<Ended> },
}

#[derive(Debug)]
struct Request<R, W> {
    generation: u32,
    deadline: Instant,
    waiter: Option<W>,
    answer: Answer<R>,
}

impl<R, W> Request<R, W> {
    fn is_waiting(&self) -> bool {
        match &self.answer {
            Answer::One(outcome) => outcome.is_none(),
            Answer::Many { ended, .. } => ended.is_none(),
        }
    }

    fn end(&mut self, why: Ended) -> Option<W> {
        match &mut self.answer {
            Answer::One(outcome @ None) => *outcome = Some(Err(why)),
            Answer::Many { ended: ended @ None, .. } => *ended = Some(why),
            _ => return None,
        }
        self.waiter.take()
    }
}

/// What a reply led to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken<W> {
    /// Whom to wake.
    pub(crate) wake: Option<W>,
    /// The responder goes on although nobody wants more: it is to be cancelled.
    pub(crate) cancel: bool,
}

/// All requests under way of one client; pings are requests whose reply is empty.
#[derive(Debug)]
pub(crate) struct Requests<R, W> {
    slots: Slab<Request<R, W>>,
    generation: u32,
    max: usize,
    /// No deadline is before this.
    next_deadline: Option<Instant>,
}

impl<R, W> Requests<R, W> {
    /// For at most `max` at once.
    pub(crate) fn new(max: usize) -> Self {
        Self { slots: Slab::new(), generation: 0, max, next_deadline: None }
    }

    /// Command: a request for one reply. Its id, or `None` when there are too many.
    pub(crate) fn open_one(&mut self, deadline: Instant, waiter: Option<W>) -> Option<u64> {
        self.open(deadline, waiter, Answer::One(None))
    }

    /// Command: a request for several replies, of which at most `bound` wait here.
    pub(crate) fn open_many(&mut self, deadline: Instant, bound: usize) -> Option<u64> {
        self.open(deadline, None, Answer::Many { queue: VecDeque::new(), bound, ended: None })
    }

    fn open(&mut self, deadline: Instant, waiter: Option<W>, answer: Answer<R>) -> Option<u64> {
        if self.slots.len() >= self.max {
            return None;
        }
        self.generation = self.generation.wrapping_add(1);
        let slot = self.slots.insert(Request { generation: self.generation, deadline, waiter, answer });
        self.next_deadline = Some(self.next_deadline.map_or(deadline, |next| next.min(deadline)));
        Some(u64::from(self.generation) << 32 | slot as u64)
    }

    fn get(&mut self, id: u64) -> Option<&mut Request<R, W>> {
        self.slots.get_mut(id as u32 as usize).filter(|r| r.generation == (id >> 32) as u32)
    }

    /// Input: a reply; `more` when others follow. `None` when nobody waits for it any more.
    pub(crate) fn handle_reply(&mut self, id: u64, reply: R, more: bool) -> Option<Taken<W>> {
        let request = self.get(id).filter(|r| r.is_waiting())?;
        match &mut request.answer {
            Answer::One(outcome) => {
                *outcome = Some(Ok(reply));
                Some(Taken { wake: request.waiter.take(), cancel: more })
            }
            Answer::Many { queue, bound, ended } => {
                // The last one needs no credit.
                if queue.len() >= *bound && more {
                    let beyond = u32::from(Code::ReplyBeyondCredit.number());
                    return Some(Taken { wake: request.end(Ended::Code(beyond)), cancel: true });
                }
                queue.push_back(reply);
                if !more {
                    *ended = Some(Ended::Complete);
                }
                Some(Taken { wake: request.waiter.take(), cancel: false })
            }
        }
    }

    /// Input: the request is over.
    pub(crate) fn handle_end(&mut self, id: u64, why: Ended) -> Option<W> {
        self.get(id)?.end(why)
    }

    /// Input: everything under way is over, for the same reason.
    pub(crate) fn handle_all(&mut self, why: &Ended, wake: &mut Vec<W>) {
        wake.extend(self.slots.iter_mut().filter_map(|(_, request)| request.end(why.clone())));
    }

    /// Input: the time. Ends what is over its deadline.
    pub(crate) fn handle_time(&mut self, now: Instant, wake: &mut Vec<W>) {
        if self.next_deadline.is_none_or(|next| next > now) {
            return;
        }
        self.next_deadline = None;
        for (_, request) in self.slots.iter_mut().filter(|(_, request)| request.is_waiting()) {
            if request.deadline <= now {
                wake.extend(request.end(Ended::Expired));
            } else {
                let next = self.next_deadline.map_or(request.deadline, |next| next.min(request.deadline));
                self.next_deadline = Some(next);
            }
        }
    }

    /// When to give the time next, at the latest.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.next_deadline
    }

    /// Output: the outcome of a request for one reply, which is forgotten then; else `register` notes whom to wake.
    pub(crate) fn poll_one(
        &mut self,
        id: u64,
        register: impl FnOnce(&mut Option<W>),
    ) -> Poll<Result<R, Ended>> {
        let Some(request) = self.get(id) else { return Poll::Ready(Err(Ended::Closed)) };
        let Answer::One(outcome) = &mut request.answer else { return Poll::Ready(Err(Ended::Closed)) };
        match outcome.take() {
            Some(outcome) => {
                self.slots.remove(id as u32 as usize);
                Poll::Ready(outcome)
            }
            None => {
                register(&mut request.waiter);
                Poll::Pending
            }
        }
    }

    /// Output: the next of several replies, or why there is none any more; it is then forgotten.
    pub(crate) fn poll_many(
        &mut self,
        id: u64,
        register: impl FnOnce(&mut Option<W>),
    ) -> Poll<Result<R, Ended>> {
        let Some(request) = self.get(id) else { return Poll::Ready(Err(Ended::Complete)) };
        let Answer::Many { queue, ended, .. } = &mut request.answer else {
            return Poll::Ready(Err(Ended::Complete));
        };
        if let Some(reply) = queue.pop_front() {
            return Poll::Ready(Ok(reply));
        }
        match ended.take() {
            Some(why) => {
                self.slots.remove(id as u32 as usize);
                Poll::Ready(Err(why))
            }
            None => {
                register(&mut request.waiter);
                Poll::Pending
            }
        }
    }

    /// Command: nobody wants it any more. Whether it was still under way, and so has to be cancelled.
    pub(crate) fn close(&mut self, id: u64) -> bool {
        let Some(request) = self.get(id) else { return false };
        let waiting = request.is_waiting();
        self.slots.remove(id as u32 as usize);
        waiting
    }

    /// Whether none is under way. Looks at all.
    pub(crate) fn is_idle(&self) -> bool {
        self.slots.iter().all(|(_, request)| !request.is_waiting())
    }

    /// How many are under way or not yet looked at.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests;
