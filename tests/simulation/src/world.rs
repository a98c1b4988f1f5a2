//! A run: nodes, network, clients and faults, one event at a time.

use std::{
    any::Any,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use bytes::Bytes;
use mesh_log::{
    id::{GroupId, LaneId},
    vfs::simulated::SplitMix64,
};
use mesh_replica::{
    clock::Now,
    host::Host,
    id::{NodeNumber, Token},
    members::Members,
};

use crate::{
    checks::Checks,
    client::Client,
    invariant::{Invariant, Violation, applied::Told},
    network::Network,
    node::{Machine, Node},
    plan::{Fault, Plan},
    queue::Queue,
    report::Counts,
    time::Time,
    trace::Trace,
};

mod clients;
mod cluster;
mod disks;
mod end;
mod faults;
mod hosts;
mod links;
mod messages;
mod placement;

pub use cluster::Asker;
use cluster::Steward;
pub use faults::Undo;

/// Something that happens at a time.
#[derive(Debug)]
pub enum Event {
    /// A message arrives.
    Message {
        /// From this node.
        from: u64,
        /// At this one.
        to: u64,
        /// It, as it was sent.
        frames: Vec<Bytes>,
    },
    /// A host wanted to be told the time.
    Timer {
        /// The node.
        node: u64,
        /// Its life.
        life: u64,
    },
    /// The log has been written, and is to be synced.
    Sync {
        /// The node.
        node: u64,
        /// Its life.
        life: u64,
    },
    /// A host was asked for something, and may want something done.
    Wake {
        /// The node.
        node: u64,
        /// Its life.
        life: u64,
    },
    /// A disk that was full is tried again.
    Retry {
        /// The node.
        node: u64,
        /// Its life.
        life: u64,
    },
    /// A job's turn has come.
    Job {
        /// The node.
        node: u64,
        /// Its life.
        life: u64,
    },
    /// A process starts.
    Start {
        /// The node.
        node: u64,
    },
    /// A process that stood still goes on.
    Resume {
        /// The node.
        node: u64,
    },
    /// A client's request arrives.
    Request {
        /// The node.
        node: u64,
        /// Who asks.
        client: usize,
        /// For what.
        operation: u64,
    },
    /// A client's request is answered.
    Answer {
        /// Who asked.
        client: usize,
        /// For what.
        operation: u64,
        /// What it came to.
        answer: Answer,
    },
    /// A client goes on, or has waited long enough.
    Turn {
        /// Who.
        client: usize,
        /// The turn that was planned.
        turn: u64,
    },
    /// It is time for a fault.
    Fault,
    /// A fault is over.
    Undo(Undo),
    /// A lane is read again, at the end.
    Look {
        /// The node.
        node: u64,
        /// The group.
        group: GroupId,
        /// The lane.
        lane: LaneId,
        /// From which number to which.
        extent: (u64, u64),
    },
    /// Links are looked at.
    Links,
    /// Members are looked at.
    Placement,
    /// A node tends to its cluster.
    Tend {
        /// The node.
        node: u64,
        /// The turn that was planned.
        turn: u64,
    },
    /// A node without a number asks for one.
    Ask {
        /// The node.
        node: u64,
    },
}

/// What an operation came to.
#[derive(Debug, Clone)]
pub enum Answer {
    /// It is done.
    Done {
        /// The number of the first record that was appended.
        first: u64,
    },
    /// It is not done, as far as is known; who leads, perhaps.
    Not {
        /// The leader.
        leader: Option<NodeNumber>,
    },
}

/// What a host was asked for.
#[derive(Debug, Clone)]
pub enum Asked {
    /// A client's append.
    Append {
        /// Who.
        client: usize,
        /// For what.
        operation: u64,
    },
    /// A client's read.
    Read {
        /// Who.
        client: usize,
        /// For what.
        operation: u64,
        /// What it has to see.
        must_see: u64,
    },
    /// The records for it.
    Fetch {
        /// Who.
        client: usize,
        /// For what.
        operation: u64,
    },
    /// A change of members.
    Members {
        /// The group.
        group: GroupId,
    },
    /// A change of what the cluster knows of itself.
    Meta {
        /// Who asked.
        asker: Asker,
    },
    /// All of a lane, at the end.
    Whole {
        /// The group.
        group: GroupId,
        /// The lane.
        lane: LaneId,
        /// The records so far.
        records: Vec<(u64, crate::invariant::model::RecordId)>,
        /// Up to which number.
        last: u64,
    },
}

/// Everything there is.
#[derive(Debug)]
pub struct World {
    pub(crate) plan: Plan,
    pub(crate) now: Time,
    pub(crate) queue: Queue<Event>,
    pub(crate) random: SplitMix64,
    pub(crate) network: Network,
    pub(crate) nodes: Vec<Node>,
    /// What waits for nodes that stand still.
    pub(crate) held: BTreeMap<u64, Vec<Event>>,
    pub(crate) clients: Vec<Client>,
    pub(crate) told: Told,
    pub(crate) tokens: BTreeMap<(u64, Token), Asked>,
    pub(crate) last_token: u64,
    /// Who is to have each group.
    pub(crate) wanted: BTreeMap<GroupId, Members>,
    /// What was asked for last.
    pub(crate) asked: BTreeMap<GroupId, Members>,
    /// What running nodes keep for their cluster.
    pub(crate) stewards: BTreeMap<u64, Steward>,
    /// Which links nodes were told to be up.
    pub(crate) up: BTreeMap<(u64, u64), bool>,
    pub(crate) checks: Checks,
    pub(crate) counts: Counts,
    pub(crate) trace: Trace,
    /// No more faults come, and clients begin nothing new.
    pub(crate) healed: bool,
    /// How many replicas may still be damaged for good.
    pub(crate) losses_left: u64,
}

impl World {
    /// A run that is about to begin.
    #[must_use]
    pub fn new(plan: Plan, trace: Trace) -> Self {
        let mut random = SplitMix64::new(plan.seed ^ 0x6d65_7368);
        let network = Network::new(random.fork(), plan.weather);
        let mut world = Self {
            now: Time::default(),
            queue: Queue::new(),
            network,
            nodes: Vec::new(),
            held: BTreeMap::new(),
            clients: Vec::new(),
            told: Told::default(),
            tokens: BTreeMap::new(),
            last_token: 0,
            wanted: BTreeMap::new(),
            stewards: BTreeMap::new(),
            asked: BTreeMap::new(),
            up: BTreeMap::new(),
            checks: Checks::default(),
            counts: Counts::default(),
            trace,
            healed: false,
            losses_left: losses(&plan),
            random,
            plan,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        match self.plan.cluster {
            Some(cluster) => self.begin_cluster(cluster),
            None => self.begin_nodes(),
        }
        for client in 0..self.plan.clients {
            let group = GroupId(self.random.between(1, u64::from(self.plan.groups)) as u32);
            let lane = LaneId(self.random.between(1, self.plan.lanes));
            let client = Client::new(client + 1, group, lane, self.random.fork());
            self.clients.push(client);
            let index = self.clients.len() - 1;
            self.plan_turn(index, std::time::Duration::ZERO);
        }
        self.queue.push(Time::default(), Event::Links);
        self.queue.push(Time::default(), Event::Placement);
        self.plan_fault();
    }

    /// Nodes that have all groups.
    fn begin_nodes(&mut self) {
        let members = Members::of_voters((1..=self.plan.nodes).map(NodeNumber));
        let groups: Vec<GroupId> = (0..=self.plan.groups).map(GroupId).collect();
        for number in 1..=self.plan.nodes {
            self.add_node(number);
            for group in &groups {
                self.node(number).groups.insert(*group, Some(members.clone()));
            }
        }
        for group in groups {
            self.wanted.insert(group, members.clone());
        }
    }

    /// Adds a node that starts at once.
    pub(crate) fn add_node(&mut self, number: u64) {
        let seed = self.random.number();
        self.nodes.push(Node::new(number, seed, self.plan.bugs));
        self.queue.push(self.now, Event::Start { node: number });
    }

    /// Lets things happen until a time, or until something is wrong.
    pub(crate) fn run_until(&mut self, end: Time) {
        while self.checks.violation().is_none() {
            let Some((at, event)) = self.queue.pop(end) else { break };
            self.now = at;
            self.checks.at(at);
            // A node would end here, and come back. None is expected to.
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.handle(event))) {
                self.checks.judge(Invariant::NoPanic, Err(words(&*panic)));
            }
        }
        self.now = self.now.max(end);
    }

    /// What was wrong first.
    #[must_use]
    pub fn violation(&self) -> Option<&Violation> {
        self.checks.violation()
    }

    fn handle(&mut self, event: Event) {
        let event = match self.hold(event) {
            Some(event) => event,
            None => return,
        };
        match event {
            Event::Message { from, to, frames } => self.arrives(from, to, &frames),
            Event::Timer { node, life } => self.timer(node, life),
            Event::Sync { node, life } => self.sync(node, life),
            Event::Wake { node, life } => {
                if self.node(node).life == life {
                    self.drain(node);
                }
            }
            Event::Retry { node, life } => self.retry(node, life),
            Event::Job { node, life } => self.job(node, life),
            Event::Start { node } => self.start(node),
            Event::Resume { node } => self.resume(node),
            Event::Request { node, client, operation } => self.request(node, client, operation),
            Event::Answer { client, operation, answer } => self.answer(client, operation, &answer),
            Event::Turn { client, turn } => self.turn(client, turn),
            Event::Fault => self.fault(),
            Event::Undo(undo) => self.undo(undo),
            Event::Look { node, group, lane, extent } => self.look(node, group, lane, extent),
            Event::Links => self.look_at_links(),
            Event::Placement => self.look_at_members(),
            Event::Tend { node, turn } => self.tend(node, turn),
            Event::Ask { node } => self.ask_for_number(node),
        }
    }

    /// Keeps what is for a node that stands still until it goes on.
    fn hold(&mut self, event: Event) -> Option<Event> {
        let node = match &event {
            Event::Message { to: node, .. }
            | Event::Timer { node, .. }
            | Event::Sync { node, .. }
            | Event::Wake { node, .. }
            | Event::Retry { node, .. }
            | Event::Job { node, .. }
            | Event::Tend { node, .. }
            | Event::Request { node, .. } => *node,
            _ => return Some(event),
        };
        if self.node(node).paused.is_none() {
            return Some(event);
        }
        self.held.entry(node).or_default().push(event);
        None
    }

    pub(crate) fn node(&mut self, number: u64) -> &mut Node {
        &mut self.nodes[number as usize - 1]
    }

    pub(crate) fn numbers(&self) -> Vec<u64> {
        self.nodes.iter().filter(|node| !node.gone).map(|node| node.number).collect()
    }

    /// Nodes whose process runs.
    pub(crate) fn running(&self) -> Vec<u64> {
        self.nodes.iter().filter(|node| node.process.is_some()).map(|node| node.number).collect()
    }

    /// Tells a host something, if its process runs, and does what it wants done.
    pub(crate) fn tell(&mut self, node: u64, input: impl FnOnce(&mut Host<Machine>, Now)) {
        let now = self.now.now(self.node(node).wrong_by_ms);
        if let Some(process) = &mut self.node(node).process {
            input(&mut process.host, now);
            self.drain(node);
        }
    }

    /// Has a node do what it wants done, in an event of its own.
    pub(crate) fn wake(&mut self, node: u64) {
        let life = self.node(node).life;
        self.queue.push(self.now, Event::Wake { node, life });
    }

    pub(crate) fn token(&mut self, node: u64, asked: Asked) -> Token {
        self.last_token += 1;
        let token = Token(self.last_token);
        self.tokens.insert((node, token), asked);
        token
    }
}

/// What was said in a panic.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word").to_owned()
}

/// How many nodes may lose what is on their disks: a majority of each group has to stay whole, also while it has three
/// members only.
fn losses(plan: &Plan) -> u64 {
    if plan.cluster.is_some() {
        return 1;
    }
    let shrinks = plan.faults.iter().any(|(fault, _)| *fault == Fault::Members);
    (plan.nodes - 1) / 2 - u64::from(shrinks && plan.nodes == 5)
}
