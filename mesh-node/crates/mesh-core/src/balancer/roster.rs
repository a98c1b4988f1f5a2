//! All members that something is known about.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use foldhash::fast::FixedState;

use super::Options;
use super::member::Member;
use crate::routing::{LinkId, SubscriptionId, Target};

/// Members by their link, so that a closed link is forgotten at once. The node gives out link ids itself, so they
/// need no secret hash.
#[derive(Debug)]
pub(super) struct Roster {
    links: HashMap<LinkId, Vec<(SubscriptionId, Member)>, FixedState>,
    len: usize,
    members_max: usize,
    /// Members that are out: ejected or probing.
    out: Vec<Target>,
    /// How many members are in a tier other than 0.
    tiered: usize,
}

impl Roster {
    pub(super) fn new(members_max: usize) -> Self {
        Self { links: HashMap::default(), len: 0, members_max, out: Vec::new(), tiered: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether all members are in the same tier and none is out: then any may be drawn without looking at the others.
    pub(super) fn is_uniform(&self) -> bool {
        self.out.is_empty() && self.tiered == 0
    }

    #[inline]
    pub(super) fn get(&self, target: Target) -> Option<&Member> {
        let members = self.links.get(&target.link)?;
        let at = position(members, target.subscription).ok()?;
        Some(&members[at].1)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, target: Target) -> Option<&mut Member> {
        let members = self.links.get_mut(&target.link)?;
        let at = position(members, target.subscription).ok()?;
        Some(&mut members[at].1)
    }

    /// `None` when the member is not known and there is no room for one more.
    pub(super) fn get_or_insert(&mut self, now: Instant, target: Target) -> Option<&mut Member> {
        if self.len >= self.members_max {
            return self.get_mut(target);
        }
        let members = self.links.entry(target.link).or_default();
        let at = position(members, target.subscription).unwrap_or_else(|at| {
            self.len += 1;
            members.insert(at, (target.subscription, Member::new(now)));
            at
        });
        Some(&mut members[at].1)
    }

    pub(super) fn set_tier(&mut self, now: Instant, target: Target, tier: u8) {
        let Some(member) = self.get_or_insert(now, target) else { return };
        let before = std::mem::replace(&mut member.tier, tier);
        self.tiered += usize::from(tier != 0);
        self.tiered -= usize::from(before != 0);
    }

    pub(super) fn ejected(&mut self, target: Target) {
        self.out.push(target);
    }

    pub(super) fn returned(&mut self, target: Target) {
        self.out.retain(|other| *other != target);
    }

    /// The member that is out and may be tried first, and when.
    pub(super) fn next_due(&self, options: &Options) -> Option<(Target, Instant)> {
        let due = |target: &Target| Some((*target, self.get(*target)?.due_at(options)?));
        self.out.iter().filter_map(due).min_by_key(|(target, due)| (*due, *target))
    }

    pub(super) fn remove(&mut self, target: Target) {
        let Some(members) = self.links.get_mut(&target.link) else { return };
        let Ok(at) = position(members, target.subscription) else { return };
        let (_, member) = members.remove(at);
        if members.is_empty() {
            self.links.remove(&target.link);
        }
        self.len -= 1;
        self.tiered -= usize::from(member.tier != 0);
        if member.is_out() {
            self.returned(target);
        }
    }

    pub(super) fn remove_link(&mut self, link: LinkId) {
        let Some(members) = self.links.remove(&link) else { return };
        self.len -= members.len();
        self.tiered -= members.iter().filter(|(_, member)| member.tier != 0).count();
        if members.iter().any(|(_, member)| member.is_out()) {
            self.out.retain(|target| target.link != link);
        }
    }

    /// Drops the members that were not seen for `unseen`.
    pub(super) fn sweep(&mut self, now: Instant, unseen: Duration) {
        let mut dropped = 0;
        self.links.retain(|_, members| {
            let before = members.len();
            members.retain(|(_, member)| !member.is_unseen(now, unseen));
            dropped += before - members.len();
            !members.is_empty()
        });
        self.len -= dropped;
        let links = &self.links;
        self.out.retain(|target| {
            links.get(&target.link).is_some_and(|members| position(members, target.subscription).is_ok())
        });
    }
}

fn position(members: &[(SubscriptionId, Member)], subscription: SubscriptionId) -> Result<usize, usize> {
    members.binary_search_by_key(&subscription, |(id, _)| *id)
}
