//! What clients do: one thing after the other, each until it is done.

use std::time::Duration;

use mesh_replica::id::NodeNumber;

use super::{Answer, Asked, Event, World};
use crate::{client::Doing, invariant::model::RecordId, workload};

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_millis(800);
/// How soon it tries again, at most, after it was told no.
const AGAIN: Duration = Duration::from_millis(60);
/// Records that a lane keeps when its old ones are given up.
const KEPT: u64 = 20;

impl World {
    /// Plans the next turn of a client; earlier plans don't count any more.
    pub(super) fn plan_turn(&mut self, client: usize, after: Duration) {
        let planned = &mut self.clients[client];
        planned.turn += 1;
        self.queue.push(self.now + after, Event::Turn { client, turn: planned.turn });
    }

    /// A client goes on, or has waited long enough.
    pub(super) fn turn(&mut self, client: usize, turn: u64) {
        if self.clients[client].turn != turn {
            return;
        }
        if self.clients[client].is_idle() {
            if self.healed {
                if self.clients[client].left == 0 {
                    return;
                }
                self.clients[client].left -= 1;
            }
            self.begin_operation(client);
        } else if !std::mem::take(&mut self.clients[client].told) {
            // Whoever does not answer may not be who leads.
            self.clients[client].leader = None;
        }
        self.ask(client);
    }

    fn begin_operation(&mut self, index: usize) {
        let reads = self.plan.reads;
        let (records_max, record_bytes) = (self.plan.records_max, self.plan.record_bytes_max);
        let must_see = {
            let client = &self.clients[index];
            self.checks.must_see(client.group, client.lane)
        };
        let client = &mut self.clients[index];
        client.operation += 1;
        // A read when all is healed would not show that the group can do something new.
        if !self.healed && client.random.chance(reads) {
            client.doing = Doing::Read { must_see };
        } else if must_see > 2 * KEPT && client.random.chance(20) {
            let below = must_see - KEPT;
            client.doing = Doing::Trim { below };
            self.checks.trimmed(client.group, client.lane, below);
        } else {
            let first = RecordId { producer: client.producer, sequence: client.next };
            let count = client.random.between(1, records_max);
            let Some(command) = workload::append(client.lane, first, count, record_bytes, &mut client.random)
            else {
                return;
            };
            client.next += count;
            client.doing = Doing::Append { first, count, command };
            let last = RecordId { sequence: client.next - 1, ..first };
            self.checks.sent(client.group, client.lane, last);
        }
    }

    /// Sends what a client is at to a node: whoever leads, as far as it knows, or any.
    fn ask(&mut self, index: usize) {
        let nodes = self.numbers();
        let client = &mut self.clients[index];
        let known = client.leader.filter(|leader| nodes.contains(leader));
        let node = known.unwrap_or_else(|| *client.random.pick(&nodes));
        let operation = client.operation;
        let delay = self.network.client_delay();
        self.queue.push(self.now + delay, Event::Request { node, client: index, operation });
        self.plan_turn(index, PATIENCE);
    }

    /// A request arrives.
    pub(super) fn request(&mut self, number: u64, index: usize, operation: u64) {
        let client = &self.clients[index];
        // A node has the request, whatever its client does meanwhile; but what is done is not asked for again.
        if client.operation != operation || self.node(number).process.is_none() {
            return;
        }
        let client = &self.clients[index];
        let (group, doing) = (client.group, client.doing.clone());
        let (what, asked, command) = match doing {
            Doing::Idle => return,
            Doing::Append { command, .. } => {
                ("asked to append", Asked::Append { client: index, operation }, Some(command))
            }
            Doing::Trim { below } => {
                let command = workload::trim(client.lane, below);
                ("asked to trim", Asked::Append { client: index, operation }, Some(command))
            }
            Doing::Read { must_see } => {
                ("asked to read", Asked::Read { client: index, operation, must_see }, None)
            }
        };
        let producer = client.producer;
        self.trace.event(self.now, number, what, &[("client", producer), ("operation", operation)]);
        let token = self.token(number, asked);
        self.tell(number, |host, now| match command {
            Some(command) => host.propose(now, group, token, command),
            None => host.read(now, group, token),
        });
    }

    /// Sends an answer to a client.
    pub(super) fn reply(&mut self, client: usize, operation: u64, answer: Answer) {
        let delay = self.network.client_delay();
        self.queue.push(self.now + delay, Event::Answer { client, operation, answer });
    }

    /// An answer arrives. It may be to an earlier try: what is done is done.
    pub(super) fn answer(&mut self, index: usize, operation: u64, answer: &Answer) {
        let client = &mut self.clients[index];
        if client.operation != operation || client.is_idle() {
            return;
        }
        match answer {
            Answer::Not { leader } => {
                client.leader = leader.map(|NodeNumber(number)| number);
                client.told = true;
                let after = client.random.duration(Duration::from_millis(1), AGAIN);
                self.plan_turn(index, after);
            }
            Answer::Done { first } => {
                let done = std::mem::replace(&mut client.doing, Doing::Idle);
                let (group, lane, think) = (client.group, client.lane, self.plan.think);
                let pause = client.random.duration(Duration::ZERO, think);
                if let Doing::Append { first: record, count, .. } = done {
                    for n in 0..count {
                        let record = RecordId { sequence: record.sequence + n, ..record };
                        self.checks.told(group, lane, first + n, record);
                    }
                }
                self.plan_turn(index, pause);
            }
        }
    }
}
