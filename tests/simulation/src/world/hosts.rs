//! What hosts want done, and what they are seen to be.

use std::time::Duration;

use mesh_log::id::{FileId, GroupId, LaneId};
use mesh_replica::{id::Token, machine::At, output::Output, refused::Refused, view::View};
use mesh_wire::code::Code;

use super::{Answer, Asked, Event, World};
use crate::{
    client::Client,
    invariant::Invariant,
    node::{DIR, Write, restart_range},
    shadow::ShadowLog,
    time::Time,
    workload,
};

/// Records of one fetch, in bytes.
const FETCH_BYTES: u32 = 64 << 10;

impl World {
    /// A process starts.
    pub(super) fn start(&mut self, number: u64) {
        let (now, told) = (self.now, self.told.clone());
        let node = self.node(number);
        let is_nobody = node.home.as_ref().is_some_and(|home| !home.numbered);
        if node.gone || node.process.is_some() || is_nobody {
            return;
        }
        let digest = u64::from(node.disk.digest());
        let found = match node.start(now, &told) {
            Ok(found) => found,
            Err(error) => {
                self.trace.event(now, number, "can't start", &[("disk", digest)]);
                self.trace.note(now, || format!("n{number} {error}"));
                self.counts.ends += 1;
                self.end(number, "");
                return;
            }
        };
        if found.log_damage + found.file_damage > 0 {
            self.trace.note(now, || format!("n{number} finds damage: {}", found.damage));
        }
        for (group, log) in &found.logs {
            self.trace.note(now, || format!("n{number} finds group {group}: {log}"));
        }
        let node = self.node(number);
        let said = found.log_damage + found.file_damage;
        if !node.damaged || found.log_damage == 0 {
            let durable = std::mem::take(&mut node.durable);
            self.checks.recovered(number, &durable, &found.logs);
        }
        self.node(number).durable.clone_from(&found.logs);
        self.counts.damage += said as u64;
        self.trace.event(now, number, "starts", &[("disk", digest), ("damage", said as u64)]);
        for other in self.running() {
            self.up.insert((number, other), false);
            self.up.insert((other, number), false);
        }
        self.begin_to_tend(number);
        self.drain(number);
    }

    /// The process of a node ends, and comes back later; the disk is as it was.
    pub(crate) fn end(&mut self, number: u64, why: &'static str) {
        let random = &mut self.random;
        let (least, most) = restart_range();
        let back = self.now + random.duration(least, most);
        self.stop(number, why);
        self.node(number).disk.kill();
        self.queue.push(back, Event::Start { node: number });
    }

    /// The process of a node is not there any more.
    pub(crate) fn stop(&mut self, number: u64, why: &'static str) {
        if !why.is_empty() {
            self.trace.event(self.now, number, why, &[]);
        }
        self.node(number).end();
        self.held.remove(&number);
        self.stewards.remove(&number);
        self.tokens.retain(|(node, _), _| *node != number);
    }

    pub(super) fn resume(&mut self, number: u64) {
        if self.node(number).paused.take().is_none() {
            return;
        }
        self.trace.event(self.now, number, "goes on", &[]);
        for event in self.held.remove(&number).unwrap_or_default() {
            self.queue.push(self.now, event);
        }
    }

    pub(super) fn timer(&mut self, number: u64, life: u64) {
        let now = self.now;
        let node = self.node(number);
        if node.life != life {
            return;
        }
        let Some(process) = &mut node.process else { return };
        if process.timer.is_some_and(|at| at <= now) {
            process.timer = None;
            self.tell(number, |host, now| host.handle_timeout(now));
        }
    }

    /// Does what a host wants done, until it wants nothing any more.
    pub(super) fn drain(&mut self, number: u64) {
        while let Some(output) =
            self.node(number).process.as_mut().and_then(|process| process.host.poll_output())
        {
            self.output(number, output);
        }
        self.look_at(number);
        self.begin_write(number);
        self.set_timer(number);
    }

    fn output(&mut self, number: u64, output: Output) {
        match output {
            Output::Write { id, records } => {
                let node = &mut self.nodes[number as usize - 1];
                self.checks.written(&mut node.written, &records);
                if let Some(process) = &mut node.process {
                    process.waiting.push_back(Write { id, records });
                }
            }
            Output::Send { to, message } => self.send(number, to.0, &message),
            Output::Applied { token, at, reply } => {
                self.look_at(number);
                self.applied(number, token, at, reply);
            }
            Output::Readable { token } => self.readable(number, token),
            Output::Fetched { token, pieces } => self.fetched(number, token, pieces),
            Output::Refused { token, why } => self.refused(number, token, why),
            Output::Job { id, job } => self.plan_job(number, id, job),
            Output::Release { file, kept } => {
                let numbers = [("file", file.0), ("kept", u64::from(kept))];
                self.trace.event(self.now, number, "releases", &numbers);
                if let Some(process) = &mut self.node(number).process {
                    process.log.release(file, kept);
                }
            }
            Output::Changed(_) => self.plan_to_tend(number, self.now),
            Output::Fatal(why) => {
                self.trace.note(self.now, || format!("n{number} {why}"));
                self.counts.ends += 1;
                self.end(number, "gives up");
            }
        }
    }

    fn applied(&mut self, number: u64, token: Token, at: At, reply: bytes::Bytes) {
        let Some(asked) = self.tokens.remove(&(number, token)) else {
            let what = Err(format!("node {number} answered {token:?} twice, or unasked"));
            return self.checks.judge(Invariant::AppliedInOrderAndOnce, what);
        };
        self.trace.event(self.now, number, "acknowledges", &[("index", at.index), ("term", at.term)]);
        self.checks.acknowledged(number, &at);
        match asked {
            Asked::Append { client, operation } => {
                let answer = match workload::done(&reply) {
                    Ok(first) => Answer::Done { first },
                    Err(why) => {
                        // Each command follows the one before it, which was acknowledged.
                        let what = Err(format!("a command of client {client} was refused: {why}"));
                        self.checks.judge(Invariant::StateEqualsModel, what);
                        Answer::Not { leader: None }
                    }
                };
                self.reply(client, operation, answer);
            }
            Asked::Members { .. } => self.counts.member_changes += 1,
            Asked::Meta { asker } => self.answer_meta(number, asker, Ok(reply)),
            _ => {}
        }
    }

    fn readable(&mut self, number: u64, token: Token) {
        let Some(Asked::Read { client, operation, must_see }) = self.tokens.remove(&(number, token)) else {
            return;
        };
        let Client { group, lane, .. } = self.clients[client];
        let (first, last) = self.extent(number, group, lane);
        self.trace.event(self.now, number, "reads", &[("last", last), ("must see", must_see)]);
        self.checks.saw(number, group, lane, must_see, last);
        self.counts.reads += 1;
        if last < first {
            return self.reply(client, operation, Answer::Done { first: 0 });
        }
        let first = self.random.between(first, last);
        let token = self.token(number, Asked::Fetch { client, operation });
        // Within the drain of this host: its outputs are asked for again.
        let now = self.now.now(self.node(number).wrong_by_ms);
        if let Some(process) = &mut self.node(number).process {
            process.host.fetch(now, group, token, lane, first, last, FETCH_BYTES);
        }
    }

    fn fetched(&mut self, number: u64, token: Token, pieces: Vec<(u64, u32, bytes::Bytes)>) {
        let asked = self.tokens.remove(&(number, token));
        let mut found = Vec::new();
        for (first, count, bytes) in pieces {
            let records = workload::records(&bytes).filter(|records| records.len() == count as usize);
            let Some(records) = records else {
                let what =
                    Err(format!("node {number} gave out a piece at {first} that is not what was sent"));
                return self.checks.judge(Invariant::StateEqualsModel, what);
            };
            found.extend((first..).zip(records));
        }
        match asked {
            Some(Asked::Fetch { client, operation }) => {
                let Client { group, lane, .. } = self.clients[client];
                self.checks.read(group, lane, &found);
                self.reply(client, operation, Answer::Done { first: 0 });
            }
            Some(Asked::Whole { group, lane, records, last }) => {
                self.more_of_lane(number, group, lane, records, found, last);
            }
            _ => {}
        }
    }

    fn refused(&mut self, number: u64, token: Token, why: Refused) {
        let Some(asked) = self.tokens.remove(&(number, token)) else {
            let what = Err(format!("node {number} refused {token:?} twice, or unasked"));
            return self.checks.judge(Invariant::AppliedInOrderAndOnce, what);
        };
        self.trace.note(self.now, || format!("n{number} refuses {asked:?}: {why}"));
        let leader = match why {
            Refused::NotLeader { leader } => leader,
            _ => None,
        };
        match asked {
            Asked::Append { client, operation }
            | Asked::Read { client, operation, .. }
            | Asked::Fetch { client, operation } => self.reply(client, operation, Answer::Not { leader }),
            Asked::Members { .. } => {}
            Asked::Meta { asker } => {
                let code = if leader.is_some() { Code::NoLeader } else { Code::OutcomeUnknown };
                self.answer_meta(number, asker, Err(code));
            }
            Asked::Whole { group, lane, .. } => self.lane_refused(number, group, lane, why),
        }
    }

    fn set_timer(&mut self, number: u64) {
        let now = self.now;
        let node = self.node(number);
        let life = node.life;
        let Some(process) = &mut node.process else { return };
        let Some(at) = process.host.poll_timeout() else { return };
        // A timer that is due is handled as an event of its own, so that nothing can keep the clock from going on.
        let at = Time::from(at).max(now + Duration::from_micros(1));
        if process.timer.is_none_or(|set| at < set || set < now) {
            process.timer = Some(at);
            self.queue.push(at, Event::Timer { node: number, life });
        }
    }

    /// Looks at all replicas of a node from outside.
    pub(super) fn look_at(&mut self, number: u64) {
        let came = self.told.take();
        for came in &came {
            self.checks.came(came);
        }
        let node = &mut self.nodes[number as usize - 1];
        let Some(process) = &node.process else { return };
        let empty = ShadowLog::default();
        for group in process.host.groups() {
            let Some(view) = process.host.group(group) else { continue };
            let log = node.written.get(&group).unwrap_or(&empty);
            if self.checks.seen(group, number, &view, log) {
                let numbers = [("group", u64::from(group.0)), ("term", view.term)];
                self.trace.event(self.now, number, "leads", &numbers);
            }
        }
    }

    pub(super) fn view(&mut self, number: u64, group: GroupId) -> Option<View> {
        self.node(number).process.as_ref().and_then(|process| process.host.group(group))
    }

    /// The first and the last number of a lane as a replica has it.
    pub(super) fn extent(&mut self, number: u64, group: GroupId, lane: LaneId) -> (u64, u64) {
        let process = self.node(number).process.as_ref();
        let machine = process.and_then(|process| process.host.machine(group));
        machine.map_or((1, 0), |machine| workload::extent(machine.inner(), lane))
    }

    pub(super) fn data_path(file: FileId) -> std::path::PathBuf {
        mesh_log::files::data_path(std::path::Path::new(DIR), file)
    }
}
