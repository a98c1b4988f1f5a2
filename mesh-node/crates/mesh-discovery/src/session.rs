//! What to do about etcd, and when: one node's dealings with it, as a pure core.
//!
//! ```text
//!              Connect                       ┌─ tenure: Grant ─► Register ─► KeepAlive … ─┐
//!   Waiting ───────────► Connecting ──► Open ┤                                            ├─► healthy
//!      ▲                     │           │   └─ mirror: Read … ─► Watch ─► Progress …  ───┘
//!      └───── backoff, next endpoint ◄───┘ anything failed, or was not answered in time: Close
//! ```
//! The shell does what [`Session::poll_action`] says and brings back what came of it. Whatever fails, the whole connection
//! is given up and another one begins with reading everything: there is one way to recover and it is taken each time, so
//! it works. Only the lease outlives a connection. Differences between what was known and what is read become events
//! ([`crate::feed`]), so that an outage in which nothing changed is no event at all but the trouble and its end.
//!
//! Inputs: [`Session::handle`], [`Session::handle_timeout`]. Outputs: [`Session::poll_action`], [`Session::poll_event`],
//! [`Session::poll_founded`], [`Session::poll_left`]. Time: [`Session::poll_timeout`]. Commands: [`Session::found`],
//! [`Session::leave`]. The same seed and inputs give the same outputs.

mod action;
mod calls;
mod command;
mod mirror;
mod tenure;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use mesh_core::peering::Backoff;
use mesh_wire::code::Code;

pub use self::action::{Action, Change, Guard, Holder, Input, Item, Validity};
use self::{
    calls::{Call, Calls},
    command::Asked,
    mirror::Mirror,
    tenure::{Step, Tenure},
};
use crate::{
    error::{Error, Trouble},
    event::Event,
    feed::Feed,
    founding::Founded,
    record::Record,
};

/// So often each endpoint has to fail in a way that time does not heal before a node that starts gives up: one that was
/// restarted at the wrong moment looks like that, too.
const HOPELESS_ROUNDS: usize = 3;

/// How patient to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The endpoints by name, in the order in which they are tried; at least one.
    pub endpoints: Vec<String>,
    /// How long a registration outlives the last word of its node. It is asked for anew after each third of it.
    pub ttl: Duration,
    /// How long an answer may take.
    pub call: Duration,
    /// The first wait before another connection.
    pub backoff_min: Duration,
    /// The longest wait.
    pub backoff_max: Duration,
    /// Spreads waits.
    pub seed: u64,
}

/// See the module.
#[derive(Debug)]
pub struct Session {
    options: Options,
    phase: Phase,
    endpoint: usize,
    /// Connections that failed since the last one that was of use.
    attempts: u32,
    /// How many of them in a row failed in a way that time does not heal.
    hopeless: usize,
    backoff: Backoff,
    tenure: Tenure,
    mirror: Mirror,
    calls: Calls,
    feed: Feed,
    actions: VecDeque<Action>,
    /// What was told and is not over.
    trouble: Option<Trouble>,
    /// What nothing comes after.
    refused: Option<Error>,
    /// The cluster is to be written where etcd has lost it.
    assert_due: bool,
    asked: Option<Asked>,
    wanted: Option<Asked>,
    /// The next question waits for the next change.
    is_stale: bool,
    founded: Option<Result<Founded, Error>>,
    left: Option<Result<(), Error>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Waiting { until: Instant },
    Connecting,
    Open,
    Leaving { until: Instant },
    Ended,
}

impl Session {
    /// One that connects at once.
    #[must_use]
    pub fn new(now: Instant, own: Record, options: Options) -> Self {
        let backoff = Backoff::new(options.backoff_min, options.backoff_max, options.seed);
        let tenure = Tenure::new(own, options.ttl);
        Self {
            // Nodes that start together begin with different endpoints.
            endpoint: usize::try_from(options.seed % options.endpoints.len().max(1) as u64)
                .unwrap_or_default(),
            backoff,
            tenure,
            options,
            phase: Phase::Waiting { until: now },
            attempts: 0,
            hopeless: 0,
            mirror: Mirror::default(),
            calls: Calls::default(),
            feed: Feed::default(),
            actions: VecDeque::new(),
            trouble: None,
            refused: None,
            assert_due: false,
            asked: None,
            wanted: None,
            is_stale: false,
            founded: None,
            left: None,
        }
    }

    /// Input: something came back from etcd, on the connection that was opened last.
    pub fn handle(&mut self, now: Instant, input: Input) {
        match (self.phase, input) {
            (Phase::Ended, _) => {}
            (_, Input::Failed(why)) => self.fail(now, why),
            (Phase::Leaving { .. }, Input::Departed) => self.end(Ok(())),
            (Phase::Connecting, Input::Connected) => {
                self.calls.done(Call::Connect);
                self.phase = Phase::Open;
                let step = self.tenure.open(now);
                self.step(now, step);
                let action = self.mirror.open();
                self.act(now, action);
            }
            (Phase::Open, input) => self.handle_open(now, input),
            _ => {}
        }
    }

    /// Input: it is later.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.phase {
            Phase::Waiting { until } if now >= until => {
                self.phase = Phase::Connecting;
                self.act(now, Action::Connect { endpoint: self.endpoint });
            }
            Phase::Leaving { until } if now >= until => {
                let silent = self.silent("the registration was not taken back");
                self.end(Err(Error::Etcd(silent)));
            }
            Phase::Connecting | Phase::Open => {
                if let Some(call) = self.calls.overdue(now) {
                    let silent = self.silent(call.what());
                    return self.fail(now, silent);
                }
                if self.phase == Phase::Open {
                    let step = self.tenure.handle_timeout(now);
                    self.step(now, step);
                    if self.mirror.is_progress_due(now) {
                        self.act(now, Action::Progress);
                    }
                }
            }
            _ => {}
        }
    }

    /// Output: what the shell is to do next.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Output: what to tell next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.feed.poll_event().or_else(|| self.refused.take().map(Event::Refused))
    }

    /// Whether there is something to tell; true may still be followed by nothing.
    #[must_use]
    pub fn has_event(&self) -> bool {
        self.feed.has_event() || self.refused.is_some()
    }

    /// When it wants [`Session::handle_timeout`] to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.phase {
            Phase::Waiting { until } | Phase::Leaving { until } => Some(until),
            Phase::Connecting => self.calls.next(),
            Phase::Open => [self.calls.next(), self.tenure.poll_timeout(), self.mirror.poll_timeout()]
                .into_iter()
                .flatten()
                .min(),
            Phase::Ended => None,
        }
    }

    /// Whether it is over: it left, or was refused.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.phase == Phase::Ended
    }

    /// Whether it is registered, and told of every change.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.phase == Phase::Open && self.tenure.is_registered() && self.mirror.is_watching()
    }

    /// What this node says of itself, as of now.
    #[must_use]
    pub fn own(&self) -> &Record {
        self.tenure.own()
    }

    fn handle_open(&mut self, now: Instant, input: Input) {
        match input {
            Input::Granted { lease, ttl } => {
                self.of_lease(now, |tenure| tenure.handle_granted(now, lease, ttl))
            }
            Input::Alive => self.of_lease(now, |tenure| tenure.handle_alive(now)),
            Input::LeaseGone => self.of_lease(now, |tenure| tenure.handle_gone(now)),
            Input::Registered => self.of_lease(now, |tenure| tenure.handle_registered(now)),
            Input::Held(holder) => self.of_lease(now, |tenure| tenure.handle_held(now, *holder)),
            Input::Looked(left) => self.of_lease(now, |tenure| tenure.handle_looked(now, left)),
            Input::Page { items, more, revision } => {
                self.calls.done(Call::Read);
                let action =
                    self.mirror.handle_page(items, more, revision, self.tenure.own(), &mut self.feed);
                self.act(now, action);
                if self.mirror.lacks_own() {
                    let step = self.tenure.handle_key_lost(now);
                    self.step(now, step);
                }
            }
            Input::Compacted => {
                self.calls.done(Call::Read);
                self.calls.done(Call::Watch);
                self.calls.done(Call::Progress);
                let action = self.mirror.open();
                self.act(now, action);
            }
            Input::Watching => {
                self.calls.done(Call::Watch);
                self.mirror.handle_watching(now, self.options.ttl / 3);
                self.look_around(now);
            }
            Input::Progress => {
                self.calls.done(Call::Progress);
                self.mirror.handle_progress(now, self.options.ttl / 3);
            }
            Input::Changes { changes, revision } => {
                let lost = self.mirror.handle_changes(changes, revision, self.tenure.own(), &mut self.feed);
                if lost {
                    let step = self.tenure.handle_key_lost(now);
                    self.step(now, step);
                }
                self.is_stale = false;
                self.ask(now);
            }
            Input::Founding { founding, ours } => self.handle_founding(now, founding, ours),
            Input::Connected | Input::Departed | Input::Failed(_) => {}
        }
    }

    fn of_lease(&mut self, now: Instant, input: impl FnOnce(&mut Tenure) -> Step) {
        self.calls.done(Call::Lease);
        let step = input(&mut self.tenure);
        self.step(now, step);
    }

    fn step(&mut self, now: Instant, step: Step) {
        match step {
            Step::Rest => {}
            Step::Do(action) => self.act(now, action),
            Step::Lost(action) => {
                self.feed.handle_registered(false);
                self.act(now, action);
            }
            Step::Registered { anew } => {
                if anew {
                    self.feed.handle_registered(true);
                }
                self.assert_due = self.own().cluster.is_some();
                self.look_around(now);
            }
            Step::Taken { error, first } if first => self.refuse(error),
            Step::Taken { error, .. } => {
                self.feed.handle_registered(false);
                self.tell(Trouble::from(&error));
            }
        }
    }

    /// After something became as it should be.
    fn look_around(&mut self, now: Instant) {
        if self.is_healthy() {
            self.attempts = 0;
            self.hopeless = 0;
            if self.trouble.take().is_some() {
                self.feed.handle_recovered();
            }
        }
        self.ask(now);
    }

    fn act(&mut self, now: Instant, action: Action) {
        if let Some(call) = Call::of(&action) {
            self.calls.begin(call, now + self.options.call);
        }
        self.actions.push_back(action);
    }

    fn silent(&self, what: &str) -> Trouble {
        let endpoint = self.options.endpoints.get(self.endpoint).map_or("", String::as_str);
        let call = self.options.call;
        Trouble {
            code: Code::DiscoverySilent,
            text: format!("{endpoint}: no answer within {call:?}: {what}"),
        }
    }

    fn tell(&mut self, trouble: Trouble) {
        if self.trouble.as_ref().is_none_or(|told| told.code != trouble.code) {
            self.feed.handle_trouble(trouble.clone());
        }
        self.trouble = Some(trouble);
    }

    fn fail(&mut self, now: Instant, why: Trouble) {
        self.give_up_calls(&why);
        if matches!(self.phase, Phase::Leaving { .. }) {
            return self.end(Err(Error::Etcd(why)));
        }
        let endpoints = self.options.endpoints.len().max(1);
        let is_hopeless = matches!(why.code, Code::DiscoveryDenied | Code::DiscoveryTlsFailed);
        self.hopeless = if is_hopeless { self.hopeless + 1 } else { 0 };
        if self.hopeless >= endpoints * HOPELESS_ROUNDS && !self.tenure.was_registered() {
            return self.refuse(Error::Etcd(why));
        }
        // Each endpoint once, before waits begin to grow.
        let rounds = self.attempts / u32::try_from(endpoints).unwrap_or(u32::MAX);
        self.attempts = self.attempts.saturating_add(1);
        let wait = if is_hopeless && self.tenure.was_registered() {
            self.backoff.longest()
        } else {
            self.backoff.after(rounds)
        };
        self.endpoint = (self.endpoint + 1) % endpoints;
        self.phase = Phase::Waiting { until: now + wait };
        self.tell(why);
    }

    fn give_up_calls(&mut self, why: &Trouble) {
        self.actions.clear();
        self.actions.push_back(Action::Close);
        self.calls.clear();
        self.tenure.close();
        self.mirror.close();
        if self.founded.is_none() && self.is_asked_for() {
            self.founded = Some(Err(Error::Etcd(why.clone())));
        }
        self.assert_due |= self.asked.take() == Some(Asked::Assert);
        self.wanted = None;
        self.is_stale = false;
    }

    fn refuse(&mut self, error: Error) {
        self.give_up_calls(&Trouble::from(&error));
        self.refused = Some(error);
        self.phase = Phase::Ended;
    }

    fn end(&mut self, left: Result<(), Error>) {
        self.give_up_calls(&Trouble::from(&Error::Ended));
        self.left = Some(left);
        self.phase = Phase::Ended;
    }
}

#[cfg(test)]
mod tests;
