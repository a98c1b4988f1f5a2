//! Commands of whoever owns a session: begin a cluster, leave.

use std::time::{Duration, Instant};

use mesh_core::meta::Uuid;
use mesh_wire::code::Code;

use super::{Action, Call, Phase, Session};
use crate::{
    error::{Error, Trouble},
    founding::{self, Founded, Founding},
    peer::Peer,
};

/// A question of how the cluster began, and why it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The own data directory is of a cluster, which is written where etcd has lost it.
    Assert,
    /// By command.
    Found { cluster: Uuid, expected: usize, seen: usize, proposed: Option<i64> },
}

impl Session {
    /// Command: look for the cluster, or begin it with this UUID and so many nodes. What comes of it is in
    /// [`Session::poll_founded`]; a second command before that takes the place of the first.
    pub fn found(&mut self, now: Instant, cluster: Uuid, expected: usize) {
        self.founded = None;
        if self.has_ended() {
            self.founded = Some(Err(Error::Ended));
            return;
        }
        if let Some(why) = &self.trouble {
            self.founded = Some(Err(Error::Etcd(why.clone())));
            return;
        }
        // While it is connecting for the first time, it is asked as soon as that is done, or has failed.
        self.wanted = Some(Asked::Found { cluster, expected, seen: 0, proposed: None });
        self.ask(now);
    }

    /// Command: say goodbye, take the registration back, and end, within so long. What comes of it is in
    /// [`Session::poll_left`].
    pub fn leave(&mut self, now: Instant, within: Duration) {
        match (self.phase, self.tenure.lease()) {
            (Phase::Ended | Phase::Leaving { .. }, _) => {}
            (_, None) => self.end(Ok(())),
            (Phase::Open, Some(lease)) => {
                let mut record = self.own().clone();
                record.leaving = true;
                self.phase = Phase::Leaving { until: now + within };
                self.actions.push_back(Action::Depart { lease, record: Box::new(record) });
            }
            (_, Some(_)) => {
                let unknown =
                    || Trouble { code: Code::DiscoveryUnreachable, text: "not connected".to_owned() };
                let why = self.trouble.clone().unwrap_or_else(unknown);
                self.end(Err(Error::Etcd(why)));
            }
        }
    }

    /// Output: what came of [`Session::found`].
    pub fn poll_founded(&mut self) -> Option<Result<Founded, Error>> {
        self.founded.take()
    }

    /// Output: what came of [`Session::leave`].
    pub fn poll_left(&mut self) -> Option<Result<(), Error>> {
        self.left.take()
    }

    pub(super) fn is_asked_for(&self) -> bool {
        let found = |asked| matches!(asked, Some(Asked::Found { .. }));
        found(self.asked) || found(self.wanted)
    }

    /// Asks the next question, if there is one and none is open.
    pub(super) fn ask(&mut self, now: Instant) {
        if self.asked.is_some() || self.is_stale || !self.is_healthy() {
            return;
        }
        if let Some(cluster) = self.own().cluster.filter(|_| std::mem::take(&mut self.assert_due)) {
            self.asked = Some(Asked::Assert);
            let proposal = Some(Founding { cluster, voters: Vec::new() });
            return self.act(now, Action::Found { proposal, unchanged_since: None });
        }
        let Some(Asked::Found { cluster, expected, .. }) = self.wanted.take() else { return };
        let others = self.feed.peers().filter_map(Peer::record);
        let (proposal, seen) = match founding::propose(self.own(), others, expected) {
            Ok(voters) => (Some(Founding { cluster, voters }), expected),
            Err(seen) => (None, seen),
        };
        // The list that it was decided by has to be the list that there is.
        let proposed = proposal.is_some().then_some(self.mirror.revision());
        self.asked = Some(Asked::Found { cluster, expected, seen, proposed });
        self.act(now, Action::Found { proposal, unchanged_since: proposed });
    }

    pub(super) fn handle_founding(&mut self, now: Instant, founding: Option<Founding>, ours: bool) {
        self.calls.done(Call::Founding);
        match (self.asked.take(), founding) {
            (None, _) => {}
            (Some(asked), Some(founding)) => self.handle_founded(now, asked, founding, ours),
            // Written by nobody, and not by us: the next registration tries again.
            (Some(Asked::Assert), None) => {}
            // The list had changed, and the change is on its way here, or was faster than this.
            (Some(Asked::Found { cluster, expected, proposed: Some(since), .. }), None) => {
                self.wanted = Some(Asked::Found { cluster, expected, seen: 0, proposed: None });
                self.is_stale = self.mirror.revision() <= since;
            }
            (Some(Asked::Found { expected, seen, .. }), None) => {
                self.founded = Some(Ok(Founded::NotYet { seen, expected }));
            }
        }
        self.ask(now);
    }

    fn handle_founded(&mut self, now: Instant, asked: Asked, founding: Founding, ours: bool) {
        let found = founding.cluster;
        match self.own().cluster {
            Some(own) if own != found => {
                let error = Error::OtherCluster { own, found };
                if asked != Asked::Assert {
                    self.founded = Some(Err(error));
                } else {
                    self.refuse(error);
                }
                return;
            }
            Some(_) => {}
            None => {
                // From here on it says so, and a node that comes after etcd lost everything founds no other one.
                let mut own = self.own().clone();
                own.cluster = Some(found);
                let step = self.tenure.set_own(now, own);
                self.step(now, step);
            }
        }
        if let Asked::Found { .. } = asked {
            self.founded = Some(Ok(if ours { Founded::Ours(founding) } else { Founded::There(founding) }));
        }
    }
}
