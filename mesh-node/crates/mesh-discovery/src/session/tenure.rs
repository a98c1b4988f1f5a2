//! The own registration: a lease, the key under it, and who else may have it.

use std::time::{Duration, Instant};

use super::{Action, Guard, Holder, Validity};
use crate::{error::Error, record::Record};

/// How often somebody else's lease is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// Given to a lease beyond its end: etcd looks for ended ones twice a second.
const GRACE: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Tenure {
    own: Record,
    ttl: Duration,
    lease: Option<Lease>,
    stage: Stage,
    /// Whether others find this node, as far as is known.
    is_registered: bool,
    was_registered: bool,
    /// Whether the key may be of the lease.
    has_tried: bool,
    /// The key may be gone: it is looked at once more when there is time for it.
    recheck: bool,
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    id: i64,
    ttl: Duration,
    /// When it ends at the earliest.
    until: Instant,
}

#[derive(Debug)]
enum Stage {
    Off,
    Granting { since: Instant },
    Renewing { since: Instant, before: Before },
    Registering,
    Kept { renew: Instant },
    Held(Held),
}

#[derive(Debug, Clone, Copy)]
enum Before {
    Register,
    Keep,
}

/// Somebody else has the key, and is looked at.
#[derive(Debug)]
struct Held {
    holder: Box<Holder>,
    since: Instant,
    /// The least time that their lease had left.
    least: Option<Duration>,
    /// When to look again; looking when there is none.
    look: Option<Instant>,
    is_told: bool,
}

/// What follows.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    Rest,
    Do(Action),
    /// The registration was lost; do this about it.
    Lost(Action),
    Registered {
        /// Whether it was not before.
        anew: bool,
    },
    /// Somebody else has the id, and lives.
    Taken {
        error: Error,
        /// Whether this node was never registered.
        first: bool,
    },
}

impl Tenure {
    pub(super) fn new(own: Record, ttl: Duration) -> Self {
        Self {
            own,
            ttl,
            lease: None,
            stage: Stage::Off,
            is_registered: false,
            was_registered: false,
            has_tried: false,
            recheck: false,
        }
    }

    pub(super) fn own(&self) -> &Record {
        &self.own
    }

    pub(super) fn is_registered(&self) -> bool {
        self.is_registered
            && matches!(self.stage, Stage::Kept { .. } | Stage::Renewing { before: Before::Keep, .. })
    }

    pub(super) fn was_registered(&self) -> bool {
        self.was_registered
    }

    /// The lease that may have a key.
    pub(super) fn lease(&self) -> Option<i64> {
        self.lease.filter(|_| self.has_tried).map(|lease| lease.id)
    }

    /// Begins on a new connection: with the lease that there is, if it may still be valid.
    pub(super) fn open(&mut self, now: Instant) -> Step {
        match self.lease.filter(|lease| now < lease.until) {
            Some(lease) => {
                self.stage = Stage::Renewing { since: now, before: Before::Register };
                Step::Do(Action::KeepAlive { lease: lease.id })
            }
            None => self.handle_gone(now),
        }
    }

    pub(super) fn close(&mut self) {
        self.stage = Stage::Off;
        self.recheck = false;
    }

    /// Says something else of this node from now on.
    pub(super) fn set_own(&mut self, now: Instant, own: Record) -> Step {
        self.own = own;
        match self.stage {
            Stage::Kept { .. } => self.register(now, Guard::Absent),
            // It is said with the next registration, or is too late.
            _ => Step::Rest,
        }
    }

    pub(super) fn handle_granted(&mut self, now: Instant, id: i64, ttl: Duration) -> Step {
        let Stage::Granting { since } = self.stage else { return Step::Rest };
        // Less than a third of a second between two renewals would be a load and no help.
        let ttl = ttl.max(Duration::from_secs(1));
        self.lease = Some(Lease { id, ttl, until: since + ttl });
        if now >= since + ttl { Step::Do(self.grant(now)) } else { self.register(now, Guard::Absent) }
    }

    pub(super) fn handle_alive(&mut self, now: Instant) -> Step {
        let Stage::Renewing { since, before } = self.stage else { return Step::Rest };
        let Some(lease) = &mut self.lease else { return Step::Do(self.grant(now)) };
        lease.until = since + lease.ttl;
        match before {
            Before::Register => self.register(now, Guard::Absent),
            Before::Keep if self.recheck => self.register(now, Guard::Absent),
            Before::Keep => {
                self.stage = Stage::Kept { renew: since + lease.ttl / 3 };
                Step::Rest
            }
        }
    }

    pub(super) fn handle_gone(&mut self, now: Instant) -> Step {
        let action = self.grant(now);
        if std::mem::take(&mut self.is_registered) { Step::Lost(action) } else { Step::Do(action) }
    }

    pub(super) fn handle_registered(&mut self, now: Instant) -> Step {
        let Stage::Registering = self.stage else { return Step::Rest };
        self.was_registered = true;
        if self.recheck {
            return self.register(now, Guard::Absent);
        }
        let ttl = self.lease.map_or(self.ttl, |lease| lease.ttl);
        self.stage = Stage::Kept { renew: now + ttl / 3 };
        Step::Registered { anew: !std::mem::replace(&mut self.is_registered, true) }
    }

    pub(super) fn handle_held(&mut self, now: Instant, holder: Holder) -> Step {
        let Stage::Registering = self.stage else { return Step::Rest };
        let same = holder.record.as_ref().is_some_and(|record| record.is_same_node(&self.own));
        if same {
            let is_written = holder.record.as_ref() == Some(&self.own);
            return match self.lease {
                Some(lease) if is_written && holder.lease == lease.id => self.handle_registered(now),
                _ => self.register(now, Guard::Unchanged(holder.revision)),
            };
        }
        self.is_registered = false;
        let look = holder.lease;
        let holder = Box::new(holder);
        if look == 0 {
            // Nothing will ever end it.
            self.stage = Stage::Held(Held {
                holder,
                since: now,
                least: None,
                look: Some(now + self.ttl),
                is_told: false,
            });
            return self.taken();
        }
        self.stage = Stage::Held(Held { holder, since: now, least: None, look: None, is_told: false });
        Step::Do(Action::Look { lease: look })
    }

    pub(super) fn handle_looked(&mut self, now: Instant, left: Option<Validity>) -> Step {
        let Stage::Held(held) = &mut self.stage else { return Step::Rest };
        let Some(Validity { left, granted }) = left else { return self.register(now, Guard::Absent) };
        held.look = Some(now + LOOK);
        let was_renewed = held.least.is_some_and(|least| left > least);
        held.least = Some(held.least.map_or(left, |least| least.min(left)));
        let has_outlived = now.saturating_duration_since(held.since) > granted + GRACE;
        if (was_renewed || has_outlived) && !held.is_told { self.taken() } else { Step::Rest }
    }

    /// The own key was deleted, or has somebody else's record.
    pub(super) fn handle_key_lost(&mut self, now: Instant) -> Step {
        match self.stage {
            Stage::Kept { .. } => self.register(now, Guard::Absent),
            // What is under way may have been before the loss.
            Stage::Registering | Stage::Renewing { .. } => {
                self.recheck = true;
                Step::Rest
            }
            _ => Step::Rest,
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.stage {
            Stage::Kept { renew } => Some(*renew),
            Stage::Held(held) => held.look,
            _ => None,
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Step {
        match &mut self.stage {
            Stage::Kept { renew } if now >= *renew => {
                let Some(lease) = self.lease else { return Step::Do(self.grant(now)) };
                self.stage = Stage::Renewing { since: now, before: Before::Keep };
                Step::Do(Action::KeepAlive { lease: lease.id })
            }
            Stage::Held(held) if held.look.is_some_and(|look| now >= look) => {
                held.look = None;
                if held.holder.lease == 0 {
                    return self.register(now, Guard::Absent);
                }
                Step::Do(Action::Look { lease: held.holder.lease })
            }
            _ => Step::Rest,
        }
    }

    fn grant(&mut self, now: Instant) -> Action {
        self.lease = None;
        self.stage = Stage::Granting { since: now };
        Action::Grant { ttl: self.ttl }
    }

    fn register(&mut self, now: Instant, guard: Guard) -> Step {
        let Some(lease) = self.lease else { return Step::Do(self.grant(now)) };
        self.stage = Stage::Registering;
        self.has_tried = true;
        self.recheck = false;
        Step::Do(Action::Register { lease: lease.id, guard, record: Box::new(self.own.clone()) })
    }

    fn taken(&mut self) -> Step {
        let Stage::Held(held) = &mut self.stage else { return Step::Rest };
        held.is_told = true;
        let holder = match &held.holder.record {
            Some(record) => {
                let addresses: Vec<String> = record.addresses.iter().map(ToString::to_string).collect();
                format!("by a node at {}", addresses.join(", "))
            }
            None => "by something that is no node".to_owned(),
        };
        let error = Error::IdTaken { id: self.own.id.clone(), holder };
        Step::Taken { error, first: !self.was_registered }
    }
}
