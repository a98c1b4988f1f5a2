//! What is to be done next, so that what is wanted comes to be.
//!
//! ```text
//!   meta state, as applied here ──┐
//!   groups, as seen here ─────────┼─► Reconciler ─► steps: few at a time, each again after a while if nothing came of it
//!   time ─────────────────────────┘
//! ```
//! Every node has one, and each part of the work is done by one of them: members and leads of a group by the node that
//! leads it, plans by the node that leads the meta group, replicas of its own by each. Whatever it does on knowledge that
//! is out of date is refused by consensus, or undone later; but it never gives up a replica that may be needed.

mod cluster;
mod lead;
mod local;
mod members;

use std::{collections::BTreeMap, time::Duration};

use mesh_core::meta::{Command, Join, Meta, NodeNumber as Number};
use mesh_log::id::GroupId;
use mesh_replica::{
    id::NodeNumber,
    members::Members,
    view::{Role, View},
};

/// How often to look.
pub const EVERY: Duration = Duration::from_millis(500);
/// After so long a step is taken again, if it is still to be done.
pub const AGAIN: Duration = Duration::from_secs(3);
/// Most groups led here that get new members at the same time.
pub const CHANGES_MAX: usize = 2;
/// A group whose new members don't catch up keeps others waiting for so long.
pub const CHANGE_SLOW: Duration = Duration::from_secs(60);
/// A replica that lacks so many entries at most has caught up.
pub const LAG_MAX: u64 = 256;
/// A group is led for so long at least, before its lead moves for the sake of balance.
pub const LED_MIN: Duration = Duration::from_secs(20);
/// The longest that it is led, after leads that came back.
pub const LED_MIN_MAX: Duration = Duration::from_secs(1280);
/// A replica that nobody wants stays for so long.
pub const CLOSE_AFTER: Duration = Duration::from_secs(30);

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Propose to the meta group, here or at its leader. The answer is not needed.
    Propose(Command),
    /// Make these the members of a group that is led here.
    SetMembers {
        /// The group.
        group: GroupId,
        /// The members.
        target: Members,
    },
    /// Hand the lead of a group to another node.
    Transfer {
        /// The group.
        group: GroupId,
        /// The node.
        to: NodeNumber,
    },
    /// Open a group with nothing in it; its leader will make it a member.
    Open(GroupId),
    /// Give up the replica of a group: it is no member any more.
    Close(GroupId),
}

/// What a node needs to know of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Its number.
    pub own: NodeNumber,
    /// What it tells of itself.
    pub about: Join,
    /// How the cluster is founded, at one of the first nodes.
    pub found: Option<Command>,
}

/// What is to be done next.
#[derive(Debug)]
pub struct Reconciler {
    options: Options,
    /// When each step was taken last.
    taken: BTreeMap<Key, Duration>,
    /// Groups that are led here.
    led: BTreeMap<GroupId, Led>,
    /// Replicas that nobody wants, since when.
    unwanted: BTreeMap<GroupId, Duration>,
    /// Leads that were handed over for the sake of balance, and came back.
    came_back: BTreeMap<GroupId, u32>,
    next: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Found,
    Report,
    Level,
    Forget(Number),
    Place(GroupId),
    Settled(GroupId),
    Members(GroupId),
    /// Members that have lost something go.
    Out(GroupId),
    /// New members begin to learn.
    Grow(GroupId),
    Transfer(GroupId),
    Open(GroupId),
}

#[derive(Debug, Clone, Copy)]
struct Led {
    term: u64,
    since: Duration,
    /// Since when new members are catching up.
    growing: Option<Duration>,
}

/// Groups as they are seen here.
pub type Views = BTreeMap<GroupId, View>;

impl Reconciler {
    /// Nothing was done yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            taken: BTreeMap::new(),
            led: BTreeMap::new(),
            unwanted: BTreeMap::new(),
            came_back: BTreeMap::new(),
            next: Duration::ZERO,
        }
    }

    /// When [`Reconciler::handle`] is wanted next.
    #[must_use]
    pub fn poll_timeout(&self) -> Duration {
        self.next
    }

    /// Nothing that it is shown has changed since it looked last. Whether it waits for nothing either; then it looks later,
    /// and [`Reconciler::handle`] need not be called now. What comes with time alone (leads that are moved for the sake of
    /// balance) is found by calling that all the same now and then.
    pub fn passes(&mut self, now: Duration) -> bool {
        let waits = !(self.taken.is_empty() && self.unwanted.is_empty());
        let grows = self.led.values().any(|led| led.growing.is_some());
        if waits || grows {
            return false;
        }
        self.next = now + EVERY;
        true
    }

    /// Looks at everything. `meta` is the state as applied here, `views` the groups that are open here.
    pub fn handle(&mut self, now: Duration, meta: &Meta, views: &Views) -> Vec<Step> {
        self.next = now + EVERY;
        self.taken.retain(|_, taken| now.saturating_sub(*taken) < AGAIN);
        self.note_leads(now, views);
        let mut steps = Vec::new();
        if meta.cluster().is_none() {
            self.found(now, views, &mut steps);
            return steps;
        }
        self.report(now, meta, &mut steps);
        self.local(now, meta, views, &mut steps);
        if leads(views, GroupId::META) {
            self.cluster(now, meta, &mut steps);
        }
        self.members(now, meta, views, &mut steps);
        self.lead(now, meta, views, &mut steps);
        steps
    }

    fn found(&mut self, now: Duration, views: &Views, steps: &mut Vec<Step>) {
        if let Some(found) = self.options.found.clone()
            && leads(views, GroupId::META)
            && self.due(now, Key::Found)
        {
            steps.push(Step::Propose(found));
        }
    }

    fn note_leads(&mut self, now: Duration, views: &Views) {
        self.led
            .retain(|group, led| views.get(group).is_some_and(|view| is_led(view) && view.term == led.term));
        for (group, view) in views.iter().filter(|(_, view)| is_led(view)) {
            self.led.entry(*group).or_insert(Led { term: view.term, since: now, growing: None });
        }
    }

    /// Whether a step is to be taken now: it was not for a while.
    fn due(&mut self, now: Duration, key: Key) -> bool {
        let due = !self.taken.contains_key(&key);
        if due {
            self.taken.insert(key, now);
        }
        due
    }
}

fn is_led(view: &View) -> bool {
    view.role == Role::Leader
}

fn leads(views: &Views, group: GroupId) -> bool {
    views.get(&group).is_some_and(is_led)
}

/// Whether a member has what the leader has, nearly.
fn caught_up(view: &View, own: NodeNumber, node: NodeNumber) -> bool {
    node == own || view.lag.get(&node).is_some_and(|lag| *lag <= LAG_MAX)
}

#[cfg(test)]
mod tests;
