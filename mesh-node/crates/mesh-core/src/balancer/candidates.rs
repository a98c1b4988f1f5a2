//! Which members of a group may be drawn when not all are alike.

use std::time::Instant;

use super::Options;
use super::member::Standing;
use super::roster::Roster;
use crate::routing::Target;

/// The usable members of one group, by their index; never empty after [`Candidates::collect`] of a group.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    usable: Vec<Candidate>,
    out: Vec<(Instant, Candidate)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    index: usize,
    tier: u8,
    due: bool,
}

impl Candidates {
    pub(super) fn len(&self) -> usize {
        self.usable.len()
    }

    pub(super) fn index(&self, at: usize) -> usize {
        self.usable[at].index
    }

    /// Sorts out who may be drawn among `members`.
    pub(super) fn collect(&mut self, now: Instant, members: &[Target], roster: &Roster, options: &Options) {
        self.usable.clear();
        self.out.clear();
        for (index, target) in members.iter().enumerate() {
            let member = roster.get(*target);
            let tier = member.map_or(0, |member| member.tier);
            match member.map_or(Standing::Serving, |member| member.standing(now, options)) {
                Standing::Serving => self.usable.push(Candidate { index, tier, due: false }),
                Standing::Due => self.usable.push(Candidate { index, tier, due: true }),
                Standing::Out(until) => self.out.push((until, Candidate { index, tier, due: false })),
            }
        }
        let out_max = members.len() * options.ejected_percent_max.min(100) as usize / 100;
        if self.out.len() > out_max {
            self.out.sort_unstable();
            let surplus = self.out.len() - out_max;
            self.usable.extend(self.out[..surplus].iter().map(|(_, candidate)| *candidate));
        }
        if self.usable.is_empty() {
            // All may be out at once, and all are: a refusal would help nobody.
            self.usable.extend(self.out.iter().map(|(_, candidate)| *candidate));
        }
        self.keep_lowest_tier();
    }

    /// Keeps the lowest tier that serves, and members up to it that are due to be tried.
    fn keep_lowest_tier(&mut self) {
        let serving =
            self.usable.iter().filter(|candidate| !candidate.due).map(|candidate| candidate.tier).min();
        let lowest = serving.or_else(|| self.usable.iter().map(|candidate| candidate.tier).min());
        self.usable.retain(|candidate| {
            Some(candidate.tier) == lowest || candidate.due && Some(candidate.tier) < lowest
        });
    }
}
