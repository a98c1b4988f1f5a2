//! Which member of a group gets the next call.
//!
//! Two members are drawn at random and the less loaded one is taken, which keeps loads close together at the price
//! of two look-ups (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001). Load is what is in
//! flight to a member from here, or what its replies say is in flight there, whichever is more.
//!
//! ```text
//!             failures                 backoff over, drawn or probed
//!   serving ────────────► ejected ──────────────────────────────────► probing
//!      ▲                     ▲                                          │  │
//!      │                     └────────── failure: twice the backoff ────┘  │
//!      └──────────────────────────── reply: slow start ────────────────────┘
//! ```
//!
//! At most a part of a group is out at once ([`Options::ejected_percent_max`]); when more members than that are
//! ejected, those whose backoff ends first are used all the same. Members of the lowest tier that has a usable member
//! are preferred. Inputs: `on_*`, [`Balancer::forget`], [`Balancer::handle_timeout`]; outputs: [`Balancer::choose`],
//! [`Balancer::poll_probe`]; time: [`Balancer::poll_timeout`]. The same seed and inputs give the same choices.

mod candidates;
mod member;
mod options;
mod roster;

use std::time::Instant;

use self::candidates::Candidates;
use self::member::{FULL_WEIGHT, Standing};
pub use self::options::Options;
use self::roster::Roster;
use crate::random::Random;
use crate::routing::{LinkId, Target};

/// How often a member that is starting slowly is drawn again before it is taken after all.
const DRAWS: usize = 4;

/// See the module. One serves all groups of a thread: members are known by their target.
#[derive(Debug)]
pub struct Balancer {
    options: Options,
    random: Random,
    roster: Roster,
    /// Kept between calls for its memory.
    candidates: Candidates,
    sweep_at: Option<Instant>,
}

impl Balancer {
    /// A balancer whose choices follow from `seed` and its inputs.
    pub fn new(options: Options, seed: u64) -> Self {
        let roster = Roster::new(options.members_max);
        Self { options, random: Random::new(seed), roster, candidates: Candidates::default(), sweep_at: None }
    }

    /// The member that should get the next call; `None` only if there are no members.
    ///
    /// Tell [`Balancer::on_sent`] before the next choice, or the call does not count.
    pub fn choose(&mut self, now: Instant, members: &[Target]) -> Option<Target> {
        if let [] | [_] = members {
            return members.first().copied();
        }
        if self.roster.is_uniform() {
            let at = self.two_choices(now, members.len(), |at| members[at]);
            return Some(members[at]);
        }
        let mut candidates = std::mem::take(&mut self.candidates);
        candidates.collect(now, members, &self.roster, &self.options);
        let at = self.two_choices(now, candidates.len(), |at| members[candidates.index(at)]);
        let chosen = members[candidates.index(at)];
        self.candidates = candidates;
        if let Some(member) = self.roster.get_mut(chosen)
            && member.standing(now, &self.options) == Standing::Due
        {
            member.begin_probe(now);
        }
        Some(chosen)
    }

    /// A random member, whatever its load and health: for published messages, which nobody answers.
    pub fn choose_any(&mut self, members: &[Target]) -> Option<Target> {
        match members {
            [] | [_] => members.first().copied(),
            _ => Some(members[self.random.below(members.len())]),
        }
    }

    /// A member has just subscribed and gets its full share of calls only after [`Options::slow_start`].
    pub fn on_joined(&mut self, now: Instant, target: Target) {
        if let Some(member) = self.roster.get_or_insert(now, target) {
            member.begin_slow_start(now);
        }
        self.schedule_sweep(now);
    }

    /// How far away a member is: 0 in this process's node, 1 in the zone, 2 anywhere. Members are in tier 0 until
    /// told otherwise; one in another tier is remembered until it is forgotten.
    pub fn set_tier(&mut self, now: Instant, target: Target, tier: u8) {
        self.roster.set_tier(now, target, tier);
        self.schedule_sweep(now);
    }

    /// A call was sent to `target`. Each ends in one of [`on_reply`](Self::on_reply),
    /// [`on_failure`](Self::on_failure) and [`on_cancelled`](Self::on_cancelled).
    pub fn on_sent(&mut self, now: Instant, target: Target) {
        if let Some(member) = self.roster.get_or_insert(now, target) {
            member.sent(now);
        }
        self.schedule_sweep(now);
    }

    /// A call was answered, be it with an error of the application. `load` is what the reply said is in flight at
    /// the member.
    pub fn on_reply(&mut self, now: Instant, target: Target, load: Option<u32>) {
        let Some(member) = self.roster.get_mut(target) else { return };
        let was_out = member.is_out();
        member.replied(now, load);
        if was_out && !member.is_out() {
            self.roster.returned(target);
        }
    }

    /// A call was not answered in time, or could not be given to the member.
    pub fn on_failure(&mut self, now: Instant, target: Target) {
        let Some(member) = self.roster.get_mut(target) else { return };
        let was_out = member.is_out();
        member.failed(now, &self.options);
        if !was_out && member.is_out() {
            self.roster.ejected(target);
        }
    }

    /// A call ended in a way that says nothing about the member: its requester cancelled it or went away.
    pub fn on_cancelled(&mut self, now: Instant, target: Target) {
        if let Some(member) = self.roster.get_mut(target) {
            member.cancelled(now);
        }
    }

    /// A subscription is gone, and what was known about it.
    pub fn forget_member(&mut self, target: Target) {
        self.roster.remove(target);
    }

    /// A link is gone, and what was known about its subscriptions.
    pub fn forget(&mut self, link: LinkId) {
        self.roster.remove_link(link);
    }

    /// An ejected member whose backoff is over, to be probed by a ping instead of a call. Report the ping as if it
    /// were a call; the member is given again after [`Options::probe_patience`] if nothing was reported.
    ///
    /// Call it until it gives `None`, and only if you do probe: [`Balancer::choose`] by itself tries such a member
    /// with one call at a time.
    pub fn poll_probe(&mut self, now: Instant) -> Option<Target> {
        let (target, _) = self.roster.next_due(&self.options).filter(|(_, due)| *due <= now)?;
        self.roster.get_mut(target)?.begin_probe(now);
        Some(target)
    }

    /// When to call [`Balancer::poll_probe`] next.
    pub fn poll_probe_timeout(&self) -> Option<Instant> {
        self.roster.next_due(&self.options).map(|(_, due)| due)
    }

    /// When to call [`Balancer::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.sweep_at
    }

    /// Drops what is known about members that were not seen for [`Options::unseen`].
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.sweep_at.take_if(|at| *at <= now).is_some() {
            self.roster.sweep(now, self.options.unseen);
            self.schedule_sweep(now);
        }
    }

    /// How many calls to `target` are in flight.
    pub fn in_flight(&self, target: Target) -> u32 {
        self.roster.get(target).map_or(0, |member| member.in_flight())
    }

    /// Whether `target` is ejected or being probed.
    pub fn is_ejected(&self, target: Target) -> bool {
        self.roster.get(target).is_some_and(|member| member.is_out())
    }

    /// How many members something is known about.
    pub fn len(&self) -> usize {
        self.roster.len()
    }

    /// Whether nothing is known about any member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Draws two of `count` and takes the less loaded; the first one when they are equal.
    fn two_choices(&mut self, now: Instant, count: usize, target: impl Fn(usize) -> Target) -> usize {
        if count < 2 {
            return 0;
        }
        let first = self.draw(now, count, &target);
        // The second is another one: the first one's place is skipped.
        let other = |at: usize| if at < first { at } else { at + 1 };
        let second = other(self.draw(now, count - 1, |at| target(other(at))));
        let load = |at| self.roster.get(target(at)).map_or(0, |member| member.load(now, &self.options));
        if load(second) < load(first) { second } else { first }
    }

    /// Draws one of `count`, with less luck for those that are starting slowly.
    fn draw(&mut self, now: Instant, count: usize, target: impl Fn(usize) -> Target) -> usize {
        let mut at = 0;
        for _ in 0..DRAWS {
            at = self.random.below(count);
            let weight =
                self.roster.get(target(at)).map_or(FULL_WEIGHT, |member| member.weight(now, &self.options));
            if weight == FULL_WEIGHT || self.random.below(FULL_WEIGHT as usize) < weight as usize {
                break;
            }
        }
        at
    }

    fn schedule_sweep(&mut self, now: Instant) {
        if self.sweep_at.is_none() && !self.is_empty() {
            self.sweep_at = Some(now + self.options.unseen);
        }
    }
}

#[cfg(test)]
mod tests;
