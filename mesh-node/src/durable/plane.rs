//! Everything of the durable plane that lives on the first data thread.
//!
//! ```text
//!   links, peers, disk, operator, timer ─► handle_* ─► host ─► settle: what it wants done, until that is nothing
//!                                                                ├─► disk         writes, jobs
//!                                                                ├─► nodes        messages, merged by node
//!                                                                └─► outlets      answers, merged by link
//! ```
//! Every entrance takes what came in one go and settles once: one entry, one write and one message come of a batch of
//! requests.

mod client;
mod disk_events;
mod forwarding;
mod founding;
mod operate;
mod peers;
mod reply;
mod tending;

use std::{
    collections::BTreeSet,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use mesh_log::{bug::Bugs, id::GroupId};
use mesh_replica::{
    clock::Now,
    host::{Host, Refusals},
    output::Output,
};
use mesh_shard::{ShardMachine, retire::Retire};
use mesh_wire::code::Code;
use tokio::sync::Notify;

use super::{
    Groups,
    clock::Clock,
    direct::{Direct, Source},
    disk::Disk,
    fatal,
    forwards::Forwards,
    leads::Leads,
    nodes::Nodes,
    operator::Operators,
    outlets::Outlets,
    routes::Routes,
    seen::Seen,
    steward::Steward,
    waiting::Requests,
};
use crate::{
    metrics::{Counter, Counters},
    shared::Shared,
};

/// How often the gauges are told at most.
const PUBLISH_EVERY: Duration = Duration::from_millis(500);

/// See the module.
pub(crate) struct Plane {
    pub(super) shared: Arc<Shared>,
    counters: Arc<Counters>,
    pub(super) clock: Clock,
    /// The groups; none before the node has a number.
    pub(super) host: Option<Host<ShardMachine>>,
    pub(super) disk: Disk,
    /// Whether a write is made on this thread, and who brought the one about that may come next.
    direct: Direct,
    source: Option<Source>,
    pub(super) requests: Requests,
    pub(super) outlets: Outlets,
    pub(super) nodes: Nodes,
    pub(super) leads: Leads,
    pub(super) routes: Routes,
    pub(super) forwards: Forwards,
    pub(super) steward: Steward,
    pub(super) operators: Operators,
    bugs: Bugs,
    retire: Retire,
    /// The groups as they were last looked at, and what of that the gauges show and was tended to.
    seen: Seen,
    counted: (u64, Groups),
    tended: u64,
    /// When the gauges are told next.
    publish_at: Duration,
    /// Groups of which something has changed.
    changed: BTreeSet<GroupId>,
    /// When the timer goes off.
    armed: Option<Duration>,
    /// Sets the timer anew.
    rearm: Rc<Notify>,
}

impl Plane {
    pub(super) fn new(
        shared: Arc<Shared>,
        clock: Clock,
        host: Option<Host<ShardMachine>>,
        disk: Disk,
        steward: Steward,
        bugs: Bugs,
        rearm: Rc<Notify>,
    ) -> Self {
        Self {
            counters: shared.metrics.thread(0),
            outlets: Outlets::new(shared.outbox_hard_bytes()),
            shared,
            clock,
            host,
            disk,
            direct: Direct::default(),
            source: None,
            requests: Requests::default(),
            nodes: Nodes::default(),
            leads: Leads::default(),
            routes: Routes::default(),
            forwards: Forwards::default(),
            steward,
            operators: Operators::default(),
            bugs,
            retire: Retire::default(),
            seen: Seen::default(),
            counted: (0, Groups::default()),
            tended: 0,
            publish_at: Duration::ZERO,
            changed: BTreeSet::new(),
            armed: None,
            rearm,
        }
    }

    /// To be called once, before anything comes in.
    pub(super) fn begin(&mut self) {
        let groups = self.host.iter().flat_map(Host::groups);
        self.changed = groups.collect();
        let now = self.clock.now();
        self.settle(now);
    }

    /// Does what the host wants done, until that is nothing.
    pub(super) fn settle(&mut self, now: Now) {
        let mut now = now;
        loop {
            self.follow_all(now);
            let idle = !self.nodes.has_more() && self.outlets.is_empty();
            let lost = self.nodes.flush();
            self.counters.add(Counter::MessagesLost, lost);
            self.outlets.flush();
            if !self.write_held(now, idle) {
                break;
            }
            now = self.clock.now();
        }
        self.source = None;
        self.count_refusals();
        self.count_lost();
        self.publish(now);
        self.arm();
    }

    fn follow_all(&mut self, now: Now) {
        loop {
            while let Some(output) = self.host.as_mut().and_then(Host::poll_output) {
                self.follow(now, output);
            }
            if !self.look(now) {
                break;
            }
        }
    }

    /// Counts what other nodes said and was not taken.
    fn count_refusals(&mut self) {
        let Some(host) = &mut self.host else { return };
        let Refusals { counts, first } = host.take_refusals();
        for (code, n) in counts {
            self.counters.not_taken(code, n);
        }
        for (group, node, refusal) in first {
            tracing::debug!(%group, %node, code = %refusal.code(), cause = %refusal, "a message was not taken");
        }
    }

    /// Says which records can't be read anywhere.
    fn count_lost(&mut self) {
        let lost = self.host.as_mut().map(Host::take_lost).unwrap_or_default();
        self.counters.add(Counter::LogLost, lost.len() as u64);
        for (group, piece) in lost {
            let (code, lane, first, last) = (Code::NoIntactCopy, piece.lane.0, piece.first, piece.last());
            tracing::error!(%code, %group, lane, first, last, "damaged records have no intact copy that can be reached");
        }
    }

    /// Tells the gauges, now and then.
    fn publish(&mut self, now: Now) {
        if now.monotonic >= self.publish_at {
            self.publish_at = now.monotonic + PUBLISH_EVERY;
            self.seen.look(now.monotonic, self.host.as_mut());
            if self.seen.has_changed_since(&mut self.counted.0) {
                self.counted.1 = self.seen.count();
            }
            let waiting = self.requests.len() as u64;
            self.shared.metrics.set_groups(Groups { waiting, ..self.counted.1 });
            self.shared.metrics.set_scrub(self.disk.scrubbed(now.wall_ms));
        }
    }

    fn follow(&mut self, now: Now, output: Output) {
        match output {
            Output::Write { id, records } => self.disk.write(id, records),
            Output::Job { id, job } => self.disk.job(id, job),
            Output::Release { file, kept } => self.disk.release(file, kept),
            Output::Send { to, message } => self.nodes.send(to, &message),
            Output::Applied { token, reply, .. } => self.applied(now, token, reply),
            Output::Readable { token } => self.readable(now, token),
            Output::Fetched { token, pieces } => self.fetched(token, &pieces),
            Output::Refused { token, why } => self.refused(token, why),
            Output::Changed(group) => {
                self.changed.insert(group);
            }
            Output::Fatal(why) => fatal::end(Code::LogWriteFailed, &why),
        }
    }

    /// Looks at what has changed; true when that made new work for the host.
    fn look(&mut self, now: Now) -> bool {
        let changed = std::mem::take(&mut self.changed);
        if changed.is_empty() {
            return false;
        }
        let mut has_moved = false;
        for group in changed {
            let view = self.host.as_ref().and_then(|host| host.group(group));
            if self.leads.changed(group, view.as_ref()) {
                tracing::debug!(%group, ?view, "the lead of a group has changed");
                has_moved = true;
                // Who led before may be gone without a word.
                let leader = view.and_then(|view| view.leader);
                let outdated = self.forwards.outdated(group, leader);
                self.give_up(outdated);
            }
        }
        has_moved && self.tend(now)
    }

    /// Sets the timer when it would be late.
    fn arm(&mut self) {
        let host = self.host.as_ref().and_then(Host::poll_timeout);
        let due = [host, self.forwards.poll_timeout(), Some(self.steward.poll_timeout())]
            .into_iter()
            .flatten()
            .min();
        let is_late = match (due, self.armed) {
            (Some(due), Some(armed)) => due < armed,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if is_late {
            self.armed = due;
            self.rearm.notify_one();
        }
    }

    /// When the timer is to go off.
    pub(super) fn due(&self) -> Option<Instant> {
        self.armed.map(|due| self.clock.at(due))
    }

    /// Input: the timer went off.
    pub(super) fn handle_timer(&mut self) {
        let now = self.clock.now();
        self.armed = None;
        if let Some(host) = &mut self.host
            && host.poll_timeout().is_some_and(|due| due <= now.monotonic)
        {
            host.handle_timeout(now);
        }
        self.expire(now);
        if self.steward.poll_timeout() <= now.monotonic {
            self.tend(now);
        }
        self.settle(now);
    }
}
