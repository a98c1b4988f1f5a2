//! The cluster itself: its nodes tend to it by the reconciler that nodes have, from what the meta group says.
//!
//! ```text
//!   meta state and views of a node ─► Reconciler ─► Propose (here, or sent on to the leader), SetMembers, Transfer, Open, Close
//!   a new node ─► asks any node for a number ─► meta group ─► it starts, and is given replicas
//! ```

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use mesh_core::meta::{self, Command, Meta};
use mesh_log::id::GroupId;
use mesh_replica::{
    codec::{Forward, Forwarded},
    id::{NodeNumber, Token},
    ident::Join,
    members::Members,
    view::{Role, View},
};
use mesh_shard::{
    bootstrap, convert, join,
    reconcile::{Options, Reconciler, Step, Views},
};
use mesh_wire::{code::Code, frame::Kind, name::Name};

use super::{Asked, Event, World};
use crate::{home::Home, invariant::Invariant, plan::Cluster, time::Time};

/// How often a node without a number asks for one.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How often a node looks at all of its groups, and not only at those that have changed.
const ALL_EVERY: Duration = Duration::from_secs(5);

/// Who asked the meta group for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// The node itself, or its operator.
    Own,
    /// A node without a number.
    Joining {
        /// It.
        node: u64,
    },
    /// Another node, which sent it on.
    Node {
        /// It.
        node: u64,
        /// What it knows it by.
        id: u64,
    },
}

/// What a process keeps for its cluster.
#[derive(Debug)]
pub(crate) struct Steward {
    reconciler: Reconciler,
    views: Views,
    all_at: Duration,
    /// Counts the times that it was to look: only the one that was planned last counts.
    turn: u64,
}

impl World {
    /// The first nodes, which all have the same plan.
    pub(super) fn begin_cluster(&mut self, cluster: Cluster) {
        let numbers = 1..=self.plan.nodes;
        let names: Vec<Name> = numbers.clone().filter_map(name).collect();
        let options = bootstrap::Options { shards: self.plan.groups, replicas: cluster.replicas };
        for number in numbers {
            let plan = name(number).and_then(|own| bootstrap::static_(&own, names.clone(), options).ok());
            if let Some(plan) = &plan {
                self.wanted = plan.groups.iter().cloned().collect();
            }
            self.add_node(number);
            let home = self.home(number);
            self.node(number).home = home.map(|home| Home { plan, numbered: true, ..home });
        }
    }

    /// A directory of a node with a name of its own.
    fn home(&mut self, number: u64) -> Option<Home> {
        let zones = self.plan.cluster.map_or(0, |cluster| cluster.zones);
        let zone = if zones == 0 { None } else { Name::new(format!("zone-{}", number % zones)).ok() };
        let (name, directory) = (name(number)?, directory(number));
        Some(Home { name, zone, directory, plan: None, cluster: None, numbered: false })
    }

    /// A node that is to join; it takes the place and the name of `lost`, if there is one.
    pub(super) fn add_joining(&mut self, lost: Option<u64>) {
        let number = self.nodes.len() as u64 + 1;
        self.add_node(number);
        let mut home = self.home(number);
        let before = lost.and_then(|lost| self.node(lost).home.clone());
        if let (Some(home), Some(before)) = (&mut home, before) {
            (home.name, home.zone) = (before.name, before.zone);
        }
        self.node(number).home = home;
        self.counts.joins += 1;
        self.trace.event(self.now, number, "wants to join", &[("instead of", lost.unwrap_or(0))]);
        self.queue.push(self.now, Event::Ask { node: number });
    }

    /// Whether a node waits for its number: numbers are given in the order of asking, so one at a time does.
    pub(super) fn joins(&self) -> bool {
        self.nodes.iter().any(|node| !node.gone && node.home.as_ref().is_some_and(|home| !home.numbered))
    }

    /// A node without a number asks any other one.
    pub(super) fn ask_for_number(&mut self, number: u64) {
        let incarnation = self.now.now(0).wall_ms;
        let node = self.node(number);
        let Some(home) = node.home.as_ref().filter(|home| !home.numbered) else { return };
        let ask = join::ask(home.about(incarnation));
        self.queue.push(self.now + ASK_EVERY, Event::Ask { node: number });
        let running = self.running();
        if !running.is_empty() {
            let to = *self.random.pick(&running);
            self.say(number, to, |encoder| encoder.push_join(&ask));
        }
    }

    /// A process has begun: it tends to its cluster.
    pub(super) fn begin_to_tend(&mut self, number: u64) {
        let incarnation = self.now.now(0).wall_ms;
        let directories = (1..=self.plan.nodes).map(directory).collect();
        let cluster = uuid(number, self.node(number).life);
        let Some(home) = &self.node(number).home else { return };
        let found = home.plan().map(|plan| plan.found(cluster, directories));
        let options = Options { own: NodeNumber(number), about: home.about(incarnation), found };
        let turn = self.stewards.get(&number).map_or(0, |steward| steward.turn);
        let reconciler = Reconciler::new(options);
        let steward = Steward { reconciler, views: Views::new(), all_at: Duration::ZERO, turn };
        self.stewards.insert(number, steward);
        self.plan_to_tend(number, self.now);
    }

    /// Plans when a node looks next.
    pub(super) fn plan_to_tend(&mut self, node: u64, at: Time) {
        if let Some(steward) = self.stewards.get_mut(&node) {
            steward.turn += 1;
            self.queue.push(at, Event::Tend { node, turn: steward.turn });
        }
    }

    /// A node does what is due for its cluster.
    pub(super) fn tend(&mut self, number: u64, turn: u64) {
        let now = self.now.now(self.node(number).wrong_by_ms).monotonic;
        let node = &mut self.nodes[number as usize - 1];
        let Some(steward) = self.stewards.get_mut(&number).filter(|steward| steward.turn == turn) else {
            return;
        };
        let (Some(process), Some(home)) = (&mut node.process, &mut node.home) else { return };
        steward.look(now, &mut process.host);
        let meta = process.host.machine(GroupId::META).and_then(|machine| machine.inner().meta());
        let steps = match meta {
            Some(meta) => {
                home.cluster = home.cluster.or(meta.cluster());
                steward.reconciler.handle(now, meta, &steward.views)
            }
            None => Vec::new(),
        };
        let at = Time::from(steward.reconciler.poll_timeout()).max(self.now + Duration::from_millis(1));
        self.plan_to_tend(number, at);
        for step in steps {
            self.step(number, step);
        }
    }

    fn step(&mut self, number: u64, step: Step) {
        self.counts.steps += 1;
        self.trace.note(self.now, || format!("n{number} {step:?}"));
        match step {
            Step::Propose(command) => self.propose_meta(number, Asker::Own, command.encode()),
            Step::SetMembers { group, target } => self.change(number, group, target),
            Step::Transfer { group, to } => {
                let numbers = [("group", u64::from(group.0)), ("to", to.0)];
                self.trace.event(self.now, number, "hands over", &numbers);
                self.counts.transfers += 1;
                self.tell(number, |host, now| host.transfer(now, group, to));
            }
            Step::Open(group) => self.open(number, group),
            Step::Close(group) => self.close(number, group),
        }
    }

    fn change(&mut self, number: u64, group: GroupId, target: Members) {
        let forgot = self.view(number, group).map(|view| view.forgot).unwrap_or_default();
        self.counts.quarantines += u64::from(forgot.iter().any(|node| !target.contains(*node)));
        self.trace.event(self.now, number, "changes members", &[("group", u64::from(group.0))]);
        let token = self.token(number, Asked::Members { group });
        self.tell(number, |host, now| host.set_members(now, group, token, target));
    }

    /// Asks the meta group for something, here or where it is led.
    pub(super) fn propose_meta(&mut self, number: u64, asker: Asker, command: Bytes) {
        let view = self.view(number, GroupId::META);
        let leader = view.as_ref().and_then(|view| view.leader).filter(|leader| leader.0 != number);
        if view.is_some_and(|view| view.role == Role::Leader) {
            let token = self.token(number, Asked::Meta { asker });
            self.tell(number, |host, now| host.propose(now, GroupId::META, token, command));
        } else if let (Some(leader), false) = (leader, matches!(asker, Asker::Node { .. })) {
            let Token(id) = self.token(number, Asked::Meta { asker });
            let (group, kind) = (GroupId::META, Kind::Declare as u8);
            let forward = Forward { id, group, timeout_ms: 0, kind, body: command };
            self.say(number, leader.0, |encoder| _ = encoder.push_forward(&forward));
        } else {
            self.answer_meta(number, asker, Err(Code::NoLeader));
        }
    }

    /// What came of it.
    pub(super) fn answer_meta(&mut self, number: u64, asker: Asker, outcome: Result<Bytes, Code>) {
        match asker {
            Asker::Own => {}
            Asker::Joining { node } => {
                let join = match outcome.map(|reply| meta::Reply::decode(&reply)) {
                    Ok(Ok(reply)) => join::answer(&reply),
                    Ok(Err(_)) => Join::Refused { code: Code::OutcomeUnknown.number().into() },
                    Err(code) => Join::Refused { code: code.number().into() },
                };
                self.say(number, node, |encoder| encoder.push_join(&join));
            }
            Asker::Node { node, id } => {
                let (code, body) = match outcome {
                    Ok(reply) => (0, reply),
                    Err(code) => (code.number().into(), Bytes::new()),
                };
                let answer = Forwarded { id, leader: None, code, kind: Kind::Declare as u8, body };
                self.say(number, node, |encoder| _ = encoder.push_forwarded(&answer));
            }
        }
    }

    /// Another node has sent on what was asked of it.
    pub(super) fn forwarded_here(&mut self, number: u64, from: u64, forward: Forward) {
        self.trace.event(self.now, number, "is sent a request", &[("from", from), ("id", forward.id)]);
        self.propose_meta(number, Asker::Node { node: from, id: forward.id }, forward.body);
    }

    /// What was sent on is answered.
    pub(super) fn forwarded_back(&mut self, number: u64, answer: Forwarded) {
        let Some(Asked::Meta { asker }) = self.tokens.remove(&(number, Token(answer.id))) else { return };
        let outcome = match answer.code {
            0 => Ok(answer.body),
            code => Err(Code::from_number(code).unwrap_or(Code::OutcomeUnknown)),
        };
        self.answer_meta(number, asker, outcome);
    }

    /// A node asks for a number, or is answered.
    pub(super) fn joining(&mut self, number: u64, from: u64, join: Join) {
        match join {
            Join::Ask { about } => {
                let Some(name) = self.node(from).home.as_ref().map(|home| home.name.clone()) else { return };
                self.trace.event(self.now, number, "is asked for a number", &[("from", from)]);
                let asker = Asker::Joining { node: from };
                match join::admit(name.as_str(), &about) {
                    Ok(command) => self.propose_meta(number, asker, command),
                    Err(code) => self.answer_meta(number, asker, Err(code)),
                }
            }
            Join::Given { cluster, number: given } => {
                self.joined(number, convert::core_uuid(cluster), given.0)
            }
            Join::Refused { code } => {
                self.trace.event(self.now, number, "gets no number yet", &[("code", u64::from(code))]);
            }
        }
    }

    fn joined(&mut self, number: u64, cluster: meta::Uuid, given: u64) {
        if given != number {
            let what = Err(format!("node {number} is given the number {given}"));
            return self.checks.judge(Invariant::StateEqualsModel, what);
        }
        let Some(home) = self.node(number).home.as_mut().filter(|home| !home.numbered) else { return };
        (home.numbered, home.cluster) = (true, Some(cluster));
        self.trace.event(self.now, number, "joins", &[]);
        self.queue.push(self.now, Event::Start { node: number });
    }

    /// An operator wants something of the cluster.
    pub(super) fn operate(&mut self) {
        let running = self.running();
        if running.is_empty() {
            return;
        }
        let (at, node) = (*self.random.pick(&running), *self.random.pick(&running));
        let node = meta::NodeNumber(node);
        let command = match self.random.below(8) {
            0..=2 => Command::SetReplicas { replicas: *self.random.pick(&[3, 5]) },
            3 | 4 => {
                if self.numbers().len() < 6 && self.may_join() {
                    self.add_joining(None);
                }
                return;
            }
            5 | 6 => Command::Leave { node },
            _ => Command::Drain { node, on: self.random.chance(500) },
        };
        self.trace.event(self.now, at, "is asked by its operator", &[("node", node.0)]);
        self.trace.note(self.now, || format!("n{at} {command:?}"));
        self.propose_meta(at, Asker::Own, command.encode());
    }

    /// What whoever leads the meta group knows of the cluster.
    pub(super) fn meta(&mut self) -> Option<(u64, &Meta)> {
        let (leader, _) = self.leader(GroupId::META)?;
        let process = self.node(leader).process.as_ref();
        Some((leader, process?.host.machine(GroupId::META)?.inner().meta()?))
    }

    /// Nodes that the cluster has forgotten are switched off, and those that were lost for good are made up for.
    pub(super) fn look_at_cluster(&mut self) {
        let numbers: Vec<u64> = self.nodes.iter().map(|node| node.number).collect();
        let Some((_, meta)) = self.meta() else { return };
        let forgotten = |number: &u64| meta.is_removed(meta::NodeNumber(*number));
        let forgotten: Vec<u64> = numbers.into_iter().filter(forgotten).collect();
        for number in forgotten {
            let node = self.node(number);
            let had_lost = std::mem::take(&mut node.damaged);
            if !node.gone {
                node.gone = true;
                self.stop(number, "is switched off");
                self.node(number).disk.wipe();
            }
            // No group counts on what it lost any more: another one may lose something.
            self.losses_left += u64::from(had_lost);
        }
    }

    /// What the cluster lacks before it is at rest; else who is to have which group, as it says.
    pub(super) fn cluster_lacks(&mut self) -> Option<String> {
        if self.joins() {
            return Some("a node has no number yet".into());
        }
        let running = self.running();
        let Some((leader, meta)) = self.meta() else { return Some("nobody leads the meta group".into()) };
        if meta.cluster().is_none() {
            return Some("the cluster is not founded".into());
        }
        if let Some(node) = meta.nodes().find(|node| !running.contains(&node.number.0)) {
            return Some(format!("node {} is gone, and is not forgotten: {:?}", node.number, node.state));
        }
        if let Some(stranger) = running.iter().find(|number| meta.node(meta::NodeNumber(**number)).is_none())
        {
            return Some(format!("node {stranger} is not known to node {leader}"));
        }
        if let Some(wanted) = meta::place::plan(meta).first() {
            return Some(format!("group {} is to have other voters: {:?}", wanted.group, wanted.voters));
        }
        if let Some((id, group)) = meta.groups().find(|(_, group)| !group.is_settled()) {
            return Some(format!("group {id} has other voters than it is to have: {group:?}"));
        }
        let nodes = convert::nodes(&meta.nodes().map(|node| node.number).collect::<Vec<_>>());
        let members = |(id, group): (meta::GroupId, &meta::Group)| {
            let voters = convert::nodes(&group.wanted);
            let hear = if id == meta::GroupId::META {
                nodes.difference(&voters).copied().collect()
            } else {
                [].into()
            };
            (convert::group(id), Members { voters, learners: hear, ..Members::default() })
        };
        let wanted: BTreeMap<GroupId, Members> = meta.groups().map(members).collect();
        self.wanted = wanted;
        running.into_iter().find_map(|node| self.has_too_many(node))
    }

    fn has_too_many(&mut self, node: u64) -> Option<String> {
        let groups: Vec<GroupId> = self.node(node).process.as_ref()?.host.groups().collect();
        let wanted = |group: &GroupId| {
            self.wanted.get(group).is_some_and(|members| members.contains(NodeNumber(node)))
        };
        let unwanted = groups.into_iter().find(|group| !wanted(group))?;
        Some(format!("node {node} has a replica of group {unwanted} that nobody wants"))
    }

    pub(super) fn may_join(&self) -> bool {
        self.nodes.len() < 12 && !self.joins()
    }
}

impl Steward {
    /// Looks at what may have changed, and at everything now and then.
    fn look(&mut self, now: Duration, host: &mut mesh_replica::host::Host<crate::node::Machine>) {
        let touched = host.take_touched();
        let host = &*host;
        if now >= self.all_at {
            self.all_at = now + ALL_EVERY;
            self.views = host.groups().filter_map(|group| Some((group, host.group(group)?))).collect();
            return;
        }
        for group in touched {
            let view: Option<View> = host.group(group);
            match view {
                Some(view) => drop(self.views.insert(group, view)),
                None => drop(self.views.remove(&group)),
            }
        }
    }
}

/// How nodes are called: the same name again where a node takes the place of a lost one.
fn name(number: u64) -> Option<Name> {
    Name::new(format!("node-{number}")).ok()
}

fn directory(number: u64) -> meta::Uuid {
    uuid(number, u64::MAX)
}

fn uuid(one: u64, other: u64) -> meta::Uuid {
    meta::Uuid((u128::from(one) << 64 | u128::from(other)).to_be_bytes())
}
