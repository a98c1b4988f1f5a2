//! The responder's end: calls that a link has been given and has not answered.

use std::{
    collections::{HashMap, HashSet, VecDeque, hash_map::Entry},
    time::{Duration, Instant},
};

use foldhash::fast::RandomState;
use mesh_wire::code::Code;

use crate::routing::{LinkId, SubscriptionId};

/// Calls that ended before their reply and are remembered, so that a late reply is not taken for a foreign one.
const REMEMBERED: usize = 4096;

/// Where a call came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The requester's link.
    pub link: LinkId,
    /// The requester's number.
    pub request: u64,
}

/// Where a reply goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The request that it answers.
    pub origin: Origin,
    /// With the last reply: how long the responder held the call.
    pub took: Option<Duration>,
}

#[derive(Debug)]
struct Call {
    origin: Origin,
    opened: Instant,
    subscription: SubscriptionId,
    /// Replies that the requester has room for.
    credit: u32,
}

/// Why a reply is not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyRefusal {
    /// Its request was over: dropped and counted, no fault of the responder.
    Late,
    /// The responder's fault, told to it by this code.
    Fault(Code),
}

/// All calls that one link holds.
#[derive(Debug, Default)]
pub struct Calls {
    by_number: HashMap<u32, Call, RandomState>,
    /// A gather may have given one link several calls, each to a subscription of its own.
    by_origin: HashMap<(Origin, SubscriptionId), u32, RandomState>,
    held: HashMap<SubscriptionId, u32, RandomState>,
    forgotten: HashSet<u32, RandomState>,
    forgotten_order: VecDeque<u32>,
    last: u32,
}

impl Calls {
    /// None held.
    pub fn new() -> Self {
        Self::default()
    }

    /// Command: gives the link a call, and the number under which it goes out.
    ///
    /// `most` is what the subscription takes at once; `credit` the replies that the requester has room for.
    ///
    /// # Errors
    /// [`Code::ResponderBusy`] when the subscription holds `most` already.
    pub fn open(
        &mut self,
        now: Instant,
        origin: Origin,
        subscription: SubscriptionId,
        most: u32,
        credit: u32,
    ) -> Result<u32, Code> {
        let held = self.held.entry(subscription).or_default();
        if *held >= most {
            return Err(Code::ResponderBusy);
        }
        *held += 1;
        loop {
            self.last = self.last.wrapping_add(1);
            if let Entry::Vacant(slot) = self.by_number.entry(self.last) {
                slot.insert(Call { origin, opened: now, subscription, credit });
                break;
            }
        }
        self.by_origin.insert((origin, subscription), self.last);
        Ok(self.last)
    }

    /// Input: the link answers call `number`; `more` when the series goes on. Where the reply goes.
    ///
    /// # Errors
    /// See [`ReplyRefusal`]. A reply beyond its credit leaves the call open.
    pub fn handle_reply(
        &mut self,
        now: Instant,
        number: u32,
        subscription: SubscriptionId,
        more: bool,
    ) -> Result<Answer, ReplyRefusal> {
        let Some(call) = self.by_number.get_mut(&number).filter(|c| c.subscription == subscription) else {
            return Err(self.judge_unknown(number, more));
        };
        if more {
            call.credit = call.credit.checked_sub(1).ok_or(ReplyRefusal::Fault(Code::ReplyBeyondCredit))?;
            return Ok(Answer { origin: call.origin, took: None });
        }
        let answer = Answer { origin: call.origin, took: Some(now.saturating_duration_since(call.opened)) };
        self.remove(number);
        Ok(answer)
    }

    /// Input: nobody waits for this request any more. The call to cancel, if the link still holds it.
    pub fn handle_cancel(&mut self, origin: Origin, subscription: SubscriptionId) -> Option<u32> {
        let number = *self.by_origin.get(&(origin, subscription))?;
        self.remove(number)?;
        if self.forgotten_order.len() >= REMEMBERED
            && let Some(oldest) = self.forgotten_order.pop_front()
        {
            self.forgotten.remove(&oldest);
        }
        if self.forgotten.insert(number) {
            self.forgotten_order.push_back(number);
        }
        Some(number)
    }

    /// Input: the requester has room for `more` replies. The call to pass the credit to.
    pub fn handle_credit(&mut self, origin: Origin, subscription: SubscriptionId, more: u32) -> Option<u32> {
        let number = *self.by_origin.get(&(origin, subscription))?;
        let call = self.by_number.get_mut(&number)?;
        call.credit = call.credit.saturating_add(more);
        Some(number)
    }

    /// Command: the link closes. Everything that stays unanswered, with the subscription that held it.
    pub fn drain(&mut self) -> impl Iterator<Item = (Origin, SubscriptionId)> + '_ {
        self.by_origin.clear();
        self.held.clear();
        self.by_number.drain().map(|(_, call)| (call.origin, call.subscription))
    }

    /// How many the link holds: its load.
    pub fn len(&self) -> usize {
        self.by_number.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    fn judge_unknown(&mut self, number: u32, more: bool) -> ReplyRefusal {
        if self.forgotten.contains(&number) {
            if !more {
                self.forgotten.remove(&number);
                self.forgotten_order.retain(|&n| n != number);
            }
            return ReplyRefusal::Late;
        }
        if self.by_number.contains_key(&number) {
            // It was given to another subscription of the link.
            return ReplyRefusal::Fault(Code::ReplyForeign);
        }
        // Numbers rise from 1: one that is not ahead of the last has been given out and answered.
        let given_out = number != 0 && self.last.wrapping_sub(number) < u32::MAX / 2;
        ReplyRefusal::Fault(if given_out { Code::ReplyRepeated } else { Code::ReplyForeign })
    }

    fn remove(&mut self, number: u32) -> Option<Call> {
        let call = self.by_number.remove(&number)?;
        self.by_origin.remove(&(call.origin, call.subscription));
        if let Entry::Occupied(mut held) = self.held.entry(call.subscription) {
            *held.get_mut() -= 1;
            if *held.get() == 0 {
                held.remove();
            }
        }
        Some(call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUB: SubscriptionId = SubscriptionId(5);

    fn open(
        c: &mut Calls,
        request: u64,
        subscription: SubscriptionId,
        most: u32,
        credit: u32,
    ) -> Result<u32, Code> {
        c.open(Instant::now(), origin(request), subscription, most, credit)
    }

    fn reply(
        c: &mut Calls,
        number: u32,
        subscription: SubscriptionId,
        more: bool,
    ) -> Result<Origin, ReplyRefusal> {
        let answer = c.handle_reply(Instant::now(), number, subscription, more)?;
        assert_eq!(answer.took.is_none(), more);
        Ok(answer.origin)
    }

    fn origin(request: u64) -> Origin {
        Origin { link: LinkId(1), request }
    }

    #[test]
    fn a_reply_goes_back_to_where_the_call_came_from_once() {
        let mut c = Calls::new();
        let first = open(&mut c, 10, SUB, 9, 0).unwrap();
        let second = open(&mut c, 11, SUB, 9, 0).unwrap();
        assert_ne!(first, second);
        assert_eq!(c.len(), 2);
        assert_eq!(reply(&mut c, second, SUB, false), Ok(origin(11)));
        assert_eq!(reply(&mut c, second, SUB, false), Err(ReplyRefusal::Fault(Code::ReplyRepeated)));
        assert_eq!(
            reply(&mut c, first, SubscriptionId(6), false).unwrap_err(),
            ReplyRefusal::Fault(Code::ReplyForeign)
        );
        assert_eq!(reply(&mut c, 99, SUB, false), Err(ReplyRefusal::Fault(Code::ReplyForeign)));
        assert_eq!(reply(&mut c, 0, SUB, false), Err(ReplyRefusal::Fault(Code::ReplyForeign)));
        assert_eq!(reply(&mut c, first, SUB, false), Ok(origin(10)));
        assert!(c.is_empty());
    }

    #[test]
    fn a_series_needs_credit() {
        let mut c = Calls::new();
        let n = open(&mut c, 1, SUB, 9, 1).unwrap();
        assert_eq!(reply(&mut c, n, SUB, true), Ok(origin(1)));
        assert_eq!(reply(&mut c, n, SUB, true), Err(ReplyRefusal::Fault(Code::ReplyBeyondCredit)));
        assert_eq!(c.handle_credit(origin(1), SUB, 1), Some(n));
        assert_eq!(reply(&mut c, n, SUB, true), Ok(origin(1)));
        assert_eq!(reply(&mut c, n, SUB, false), Ok(origin(1)), "the last one needs none");
        assert_eq!(c.handle_credit(origin(1), SUB, 1), None);
    }

    #[test]
    fn a_cancelled_call_makes_its_reply_late_not_foreign() {
        let mut c = Calls::new();
        let n = open(&mut c, 1, SUB, 9, 9).unwrap();
        assert_eq!(c.handle_cancel(origin(1), SUB), Some(n));
        assert_eq!(c.handle_cancel(origin(1), SUB), None);
        assert_eq!(reply(&mut c, n, SUB, true), Err(ReplyRefusal::Late));
        assert_eq!(reply(&mut c, n, SUB, false), Err(ReplyRefusal::Late));
        assert_eq!(reply(&mut c, n, SUB, false), Err(ReplyRefusal::Fault(Code::ReplyRepeated)));
    }

    #[test]
    fn what_is_remembered_of_cancelled_calls_is_bounded() {
        let mut c = Calls::new();
        let numbers: Vec<u32> = (0..=REMEMBERED as u64)
            .map(|i| {
                let n = open(&mut c, i, SUB, 1, 0).unwrap();
                c.handle_cancel(origin(i), SUB).unwrap();
                n
            })
            .collect();
        assert_eq!((c.forgotten.len(), c.forgotten_order.len()), (REMEMBERED, REMEMBERED));
        assert_eq!(reply(&mut c, numbers[0], SUB, false), Err(ReplyRefusal::Fault(Code::ReplyRepeated)));
        assert_eq!(reply(&mut c, numbers[1], SUB, false), Err(ReplyRefusal::Late));
    }

    #[test]
    fn several_calls_of_one_request_are_cancelled_each() {
        let mut c = Calls::new();
        let other = SubscriptionId(6);
        let first = open(&mut c, 1, SUB, 1, 0).unwrap();
        let second = open(&mut c, 1, other, 1, 0).unwrap();
        assert_eq!(c.handle_cancel(origin(1), other), Some(second));
        assert_eq!(c.handle_cancel(origin(1), SUB), Some(first));
        assert!(c.is_empty() && open(&mut c, 2, SUB, 1, 0).is_ok() && open(&mut c, 2, other, 1, 0).is_ok());
    }

    #[test]
    fn a_subscription_takes_as_many_as_it_said() {
        let mut c = Calls::new();
        open(&mut c, 1, SUB, 2, 0).unwrap();
        let second = open(&mut c, 2, SUB, 2, 0).unwrap();
        assert_eq!(open(&mut c, 3, SUB, 2, 0), Err(Code::ResponderBusy));
        open(&mut c, 3, SubscriptionId(6), 2, 0).unwrap();
        reply(&mut c, second, SUB, false).unwrap();
        open(&mut c, 4, SUB, 2, 0).unwrap();
        assert_eq!(c.drain().count(), 3);
        open(&mut c, 5, SUB, 1, 0).unwrap();
    }
}
