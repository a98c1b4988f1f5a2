//! The requester's end: what a link has asked and waits for.

use std::{
    collections::{BTreeSet, hash_map::Entry},
    time::{Duration, Instant},
};

use foldhash::fast::RandomState;
use mesh_wire::{code::Code, limits};
use smallvec::SmallVec;

use crate::routing::Target;

/// The responders that a request went to.
pub type Targets = SmallVec<[Target; 1]>;

/// How a request is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// By one responder.
    Single(Target),
    /// By several, at most `max` replies.
    Gather {
        /// All that were asked.
        targets: Targets,
        /// Replies after which it is over.
        max: u32,
    },
}

/// What to do with a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The request is over already (or never was): drop and count.
    Late,
    /// Hand it to the requester.
    Forward {
        /// Whether more follow, as the requester sees it.
        more: bool,
        /// The responder is done, after this time.
        took: Option<Duration>,
        /// The gather is over with this reply: tell the requester, and cancel the others.
        over: Option<Targets>,
    },
}

/// A request that ended without its reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The requester's number.
    pub id: u64,
    /// Why, or `None` for a gather that has all it can get.
    pub code: Option<Code>,
    /// Whom to tell that nobody waits any more.
    pub cancel: Targets,
}

#[derive(Debug)]
struct Request {
    opened: Instant,
    deadline: Instant,
    shape: Shape,
}

/// All requests under way of one link.
#[derive(Debug)]
pub struct Requests {
    by_id: std::collections::HashMap<u64, Request, RandomState>,
    deadlines: BTreeSet<(Instant, u64)>,
    max: usize,
}

impl Requests {
    /// For at most `max` at once.
    pub fn new(max: usize) -> Self {
        Self { by_id: Default::default(), deadlines: BTreeSet::new(), max }
    }

    /// Checks whether a request could be opened, before a responder is chosen for it.
    ///
    /// # Errors
    /// The code of what is wrong: timeout out of range, id in use, too many.
    pub fn check(&self, id: u64, timeout_ms: u32) -> Result<(), Code> {
        if timeout_ms == 0 || timeout_ms > limits::REQUEST_TIMEOUT_MS_MAX {
            return Err(Code::TimeoutOutOfRange);
        }
        if self.by_id.contains_key(&id) {
            return Err(Code::RequestIdInUse);
        }
        if self.by_id.len() >= self.max {
            return Err(Code::TooManyRequests);
        }
        Ok(())
    }

    /// Command: a request goes out to the responders in `shape`.
    ///
    /// # Errors
    /// As [`Self::check`]; nothing changes.
    pub fn open(&mut self, now: Instant, id: u64, timeout_ms: u32, shape: Shape) -> Result<(), Code> {
        self.check(id, timeout_ms)?;
        let deadline = now + Duration::from_millis(u64::from(timeout_ms));
        self.deadlines.insert((deadline, id));
        self.by_id.insert(id, Request { opened: now, deadline, shape });
        Ok(())
    }

    /// Input: a reply from `from`; `more` as the responder set it.
    pub fn handle_reply(&mut self, now: Instant, id: u64, from: Target, more: bool) -> Verdict {
        let Entry::Occupied(mut entry) = self.by_id.entry(id) else { return Verdict::Late };
        let request = entry.get_mut();
        let took = (!more).then(|| now.saturating_duration_since(request.opened));
        match &mut request.shape {
            Shape::Single(target) if *target != from => Verdict::Late,
            Shape::Single(_) => {
                if !more {
                    let request = entry.remove();
                    self.deadlines.remove(&(request.deadline, id));
                }
                Verdict::Forward { more, took, over: None }
            }
            Shape::Gather { targets, max } => {
                let Some(at) = targets.iter().position(|t| *t == from) else { return Verdict::Late };
                *max -= 1;
                if !more {
                    targets.swap_remove(at);
                }
                let over = *max == 0 || targets.is_empty();
                let over = over.then(|| std::mem::take(targets));
                if over.is_some() {
                    let request = entry.remove();
                    self.deadlines.remove(&(request.deadline, id));
                }
                Verdict::Forward { more: true, took, over }
            }
        }
    }

    /// Input: `from` will not answer any more, for the reason in `code`.
    pub fn handle_gone(&mut self, id: u64, from: Target, code: Code) -> Option<Ended> {
        let request = self.by_id.get_mut(&id)?;
        let code = match &mut request.shape {
            Shape::Single(target) => (*target == from).then_some(Some(code)),
            Shape::Gather { targets, .. } => {
                targets.retain(|t| *t != from);
                targets.is_empty().then_some(None)
            }
        }?;
        self.remove(id);
        Some(Ended { id, code, cancel: Targets::new() })
    }

    /// Command: the requester does not want it any more. Whom to tell; empty when it was over already.
    pub fn cancel(&mut self, id: u64) -> Targets {
        self.remove(id)
    }

    /// Whether a request still waits for this responder.
    pub fn waits_for(&self, id: u64, target: Target) -> bool {
        self.by_id.get(&id).is_some_and(|request| match &request.shape {
            Shape::Single(single) => *single == target,
            Shape::Gather { targets, .. } => targets.contains(&target),
        })
    }

    /// The responder of a request that takes a series: whom to pass credit to.
    pub fn single_target(&self, id: u64) -> Option<Target> {
        match self.by_id.get(&id)?.shape {
            Shape::Single(target) => Some(target),
            Shape::Gather { .. } => None,
        }
    }

    /// Output: the next request whose deadline is over at `now`.
    pub fn poll_expired(&mut self, now: Instant) -> Option<Ended> {
        let &(deadline, id) = self.deadlines.first()?;
        if deadline > now {
            return None;
        }
        let cancel = self.remove(id);
        Some(Ended { id, code: Some(Code::RequestDeadline), cancel })
    }

    /// When to call [`Self::poll_expired`] next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.deadlines.first().map(|&(deadline, _)| deadline)
    }

    /// Command: the link closes. Everything that has to be cancelled.
    pub fn drain(&mut self) -> impl Iterator<Item = (u64, Targets)> + '_ {
        self.deadlines.clear();
        self.by_id.drain().map(|(id, request)| (id, request.shape.into_targets()))
    }

    /// How many are under way.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    fn remove(&mut self, id: u64) -> Targets {
        let Some(request) = self.by_id.remove(&id) else { return Targets::new() };
        self.deadlines.remove(&(request.deadline, id));
        request.shape.into_targets()
    }
}

impl Shape {
    fn into_targets(self) -> Targets {
        match self {
            Self::Single(target) => Targets::from_iter([target]),
            Self::Gather { targets, .. } => targets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::{LinkId, SubscriptionId};

    const SECOND: Duration = Duration::from_secs(1);

    fn start() -> Instant {
        static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
        *START
    }

    fn target(link: u64) -> Target {
        Target { link: LinkId(link), subscription: SubscriptionId(1) }
    }

    fn gather(links: &[u64], max: u32) -> Shape {
        Shape::Gather { targets: links.iter().map(|&l| target(l)).collect(), max }
    }

    #[test]
    fn a_single_reply_ends_the_request_and_the_next_is_late() {
        let mut r = Requests::new(9);
        r.open(start(), 7, 1000, Shape::Single(target(1))).unwrap();
        assert_eq!(r.handle_reply(start(), 7, target(2), false), Verdict::Late, "not whom it was sent to");
        assert_eq!(r.poll_timeout(), Some(start() + SECOND));
        let took = Some(SECOND / 2);
        let forward = Verdict::Forward { more: false, took, over: None };
        assert_eq!(r.handle_reply(start() + SECOND / 2, 7, target(1), false), forward);
        assert_eq!(r.handle_reply(start(), 7, target(1), false), Verdict::Late);
        assert_eq!((r.len(), r.poll_timeout()), (0, None));
    }

    #[test]
    fn a_series_goes_on_until_its_last_reply() {
        let mut r = Requests::new(9);
        r.open(start(), 7, 1000, Shape::Single(target(1))).unwrap();
        for _ in 0..3 {
            let forward = Verdict::Forward { more: true, took: None, over: None };
            assert_eq!(r.handle_reply(start(), 7, target(1), true), forward);
        }
        assert!(matches!(r.handle_reply(start(), 7, target(1), false), Verdict::Forward { more: false, .. }));
        assert!(r.is_empty());
    }

    #[test]
    fn a_gather_is_over_with_the_last_member_or_the_wanted_number() {
        let mut r = Requests::new(9);
        r.open(start(), 1, 1000, gather(&[1, 2], 9)).unwrap();
        r.open(start(), 2, 1000, gather(&[1, 2, 3], 2)).unwrap();
        let on = |over: Option<&[u64]>| Verdict::Forward {
            more: true,
            took: Some(Duration::ZERO),
            over: over.map(|o| o.iter().map(|&l| target(l)).collect()),
        };
        assert_eq!(r.handle_reply(start(), 1, target(2), false), on(None));
        assert_eq!(r.handle_reply(start(), 1, target(2), false), Verdict::Late, "each member once");
        assert_eq!(r.handle_reply(start(), 1, target(1), false), on(Some(&[])));
        assert_eq!(r.handle_reply(start(), 2, target(1), false), on(None));
        assert_eq!(r.handle_reply(start(), 2, target(3), false), on(Some(&[2])), "the third is cancelled");
        assert!(r.is_empty() && r.poll_timeout().is_none());
    }

    #[test]
    fn gone_responders_end_a_request_only_when_none_is_left() {
        let mut r = Requests::new(9);
        r.open(start(), 1, 1000, Shape::Single(target(1))).unwrap();
        r.open(start(), 2, 1000, gather(&[1, 2], 9)).unwrap();
        let gone = Code::ResponderGone;
        assert_eq!(r.handle_gone(1, target(9), gone), None);
        assert!(r.waits_for(1, target(1)) && r.waits_for(2, target(2)) && !r.waits_for(1, target(2)));
        assert_eq!(
            r.handle_gone(1, target(1), gone),
            Some(Ended { id: 1, code: Some(gone), cancel: Targets::new() })
        );
        assert_eq!(r.handle_gone(2, target(1), gone), None);
        assert!(!r.waits_for(2, target(1)) && !r.waits_for(1, target(1)));
        assert_eq!(
            r.handle_gone(2, target(2), gone),
            Some(Ended { id: 2, code: None, cancel: Targets::new() })
        );
        assert_eq!(r.handle_gone(2, target(2), gone), None);
    }

    #[test]
    fn deadlines_come_in_order_and_name_whom_to_cancel() {
        let mut r = Requests::new(9);
        r.open(start(), 1, 3000, Shape::Single(target(1))).unwrap();
        r.open(start(), 2, 1000, gather(&[1, 2], 9)).unwrap();
        assert_eq!(r.poll_timeout(), Some(start() + SECOND));
        assert_eq!(r.poll_expired(start() + SECOND - Duration::from_micros(1)), None);
        let ended = r.poll_expired(start() + SECOND).unwrap();
        assert_eq!((ended.id, ended.code, ended.cancel.len()), (2, Some(Code::RequestDeadline), 2));
        assert_eq!(r.poll_expired(start() + SECOND), None);
        assert_eq!(r.cancel(1).as_slice(), [target(1)]);
        assert!(r.cancel(1).is_empty());
        assert_eq!(r.poll_timeout(), None);
    }

    #[test]
    fn limits_hold_at_one_more_and_one_less() {
        let mut r = Requests::new(2);
        let max = limits::REQUEST_TIMEOUT_MS_MAX;
        let single = || Shape::Single(target(1));
        assert_eq!(r.open(start(), 1, 0, single()), Err(Code::TimeoutOutOfRange));
        assert_eq!(r.open(start(), 1, max + 1, single()), Err(Code::TimeoutOutOfRange));
        r.open(start(), 1, max, single()).unwrap();
        assert_eq!(r.open(start(), 1, 1, single()), Err(Code::RequestIdInUse));
        r.open(start(), 2, 1, single()).unwrap();
        assert_eq!(r.open(start(), 3, 1, single()), Err(Code::TooManyRequests));
        assert_eq!(r.drain().count(), 2);
        r.open(start(), 3, 1, single()).unwrap();
    }
}
