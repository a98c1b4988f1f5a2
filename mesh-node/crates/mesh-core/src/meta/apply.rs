//! What each command does.

use super::{
    Command, DECLARATIONS_MAX, Declaration, Fields, Found, Group, GroupId, Join, Kind, LaneId, Meta,
    NODES_MAX, Node, NodeNumber, NodeState, REPLICAS, Refusal, Reply, Report, SHARDS_MAX, Settled, Wanted,
};
use mesh_wire::name::Name;

type Applied = Result<Reply, Refusal>;

impl Meta {
    /// Applies the bytes of a command at a shard time.
    pub fn apply_bytes(&mut self, time_ms: u64, command: &bytes::Bytes) -> Reply {
        match Command::decode(command) {
            Ok(command) => self.apply(time_ms, command),
            Err(error) => Refusal::Format(error).into(),
        }
    }

    /// Applies a command at a shard time. A refused one changes nothing.
    pub fn apply(&mut self, time_ms: u64, command: Command) -> Reply {
        let founding = matches!(command, Command::Found(_));
        if self.cluster.is_none() && !founding {
            return Refusal::NotFounded.into();
        }
        let applied = match command {
            Command::Found(found) => self.found(found),
            Command::Report(report) => self.report(report),
            Command::Join(join) => self.join(join),
            Command::Drain { node, on } => self.drain(node, on),
            Command::Leave { node } => self.leave(node),
            Command::Forget { node } => self.forget(node),
            Command::SetReplicas { replicas } => self.set_replicas(replicas),
            Command::Place(wanted) => self.place(wanted),
            Command::Settled(settled) => self.settled(settled),
            Command::RaiseLevel { level } => self.raise_level(level),
            Command::Declare { kind, name, options } => self.declare(time_ms, kind, name, options),
            Command::Undeclare { kind, name } => self.undeclare(kind, &name),
        };
        applied.unwrap_or_else(Reply::from)
    }

    fn found(&mut self, found: Found) -> Applied {
        if let Some(cluster) = self.cluster {
            // Told again, by a leader that doesn't know that it was heard.
            return if cluster == found.cluster {
                Ok(Reply::Done)
            } else {
                Err(Refusal::Founded { cluster })
            };
        }
        let count = found.nodes.len();
        let numbered = |number: &NodeNumber| (1..=count as u64).contains(&number.0);
        let mut names = found.nodes.clone();
        names.sort();
        names.dedup();
        if names.len() != count || !(1..=NODES_MAX).contains(&count) {
            return Err(Refusal::Invalid("the names of the nodes are none, too many, or one is there twice"));
        }
        let mut directories = found.directories.clone();
        directories.sort();
        directories.dedup();
        if directories.len() != found.directories.len() || ![0, count].contains(&directories.len()) {
            return Err(Refusal::Invalid("the directories of the nodes are too few, or one is there twice"));
        }
        if !(2..=SHARDS_MAX as usize + 1).contains(&found.groups.len()) {
            return Err(Refusal::Invalid("the number of groups is out of range"));
        }
        if !found.groups.iter().all(|voters| !voters.is_empty() && voters.iter().all(numbered)) {
            return Err(Refusal::Invalid("a group has no voters, or unknown ones"));
        }
        if !REPLICAS.contains(&found.replicas) || found.replicas as usize > count {
            return Err(Refusal::TooFewNodes { nodes: count, replicas: found.replicas });
        }
        self.cluster = Some(found.cluster);
        self.level = found.level;
        self.replicas = found.replicas;
        self.next_node = count as u64 + 1;
        self.next_lane = 1;
        self.nodes = (1..)
            .map(NodeNumber)
            .zip(found.nodes)
            .map(|(number, name)| (number, Node::named(number, name, found.level)))
            .collect();
        for (node, directory) in self.nodes.values_mut().zip(found.directories) {
            node.directory = Some(directory);
        }
        self.groups = (0..)
            .map(GroupId)
            .zip(found.groups)
            .map(|(group, wanted)| (group, Group { wanted, version: 1, ..Group::default() }))
            .collect();
        Ok(Reply::Done)
    }

    fn report(&mut self, report: Report) -> Applied {
        let number = report.number;
        self.check_level(report.about.level)?;
        let node = self.nodes.get_mut(&number).ok_or(Refusal::NodeUnknown(number))?;
        let same = node.directory.is_none_or(|directory| directory == report.about.directory);
        if !same || node.name != report.about.name {
            return Err(Refusal::NodeTaken { number, name: node.name.clone() });
        }
        if report.about.incarnation < node.incarnation {
            return Err(Refusal::NodeOutdated(number));
        }
        tell(node, report.about);
        Ok(Reply::Done)
    }

    fn join(&mut self, join: Join) -> Applied {
        let cluster = self.cluster.ok_or(Refusal::NotFounded)?;
        self.check_level(join.level)?;
        if let Some(known) = self.node_of_directory(join.directory).map(|node| node.number) {
            self.report(Report { number: known, about: join })?;
            return Ok(Reply::Joined { number: known, cluster });
        }
        // A node that never told its directory may be this one, or may have lost the one in which it had voted: who
        // can't prove that it has its number gets another.
        let before = self.node_named(join.name.as_str());
        if let Some(later) = before.filter(|node| node.incarnation > join.incarnation) {
            return Err(Refusal::NodeOutdated(later.number));
        }
        let before = before.map(|node| node.number);
        if self.nodes.len() >= NODES_MAX {
            return Err(Refusal::NodesFull);
        }
        let number = NodeNumber(self.next_node);
        self.next_node += 1;
        if let Some(lost) = before.and_then(|number| self.nodes.get_mut(&number)) {
            lost.state = NodeState::Lost;
        }
        let mut node = Node::named(number, join.name.clone(), join.level);
        node.replaces = before;
        tell(&mut node, join);
        self.nodes.insert(number, node);
        Ok(Reply::Joined { number, cluster })
    }

    fn check_level(&self, level: u32) -> Result<(), Refusal> {
        if level < self.level { Err(Refusal::LevelTooLow { level, needed: self.level }) } else { Ok(()) }
    }

    fn drain(&mut self, number: NodeNumber, on: bool) -> Applied {
        let node = self.nodes.get_mut(&number).ok_or(Refusal::NodeUnknown(number))?;
        node.state = match node.state {
            NodeState::Active | NodeState::Draining if on => NodeState::Draining,
            NodeState::Active | NodeState::Draining => NodeState::Active,
            NodeState::Leaving | NodeState::Lost => {
                return Err(Refusal::Invalid("the node is on its way out"));
            }
        };
        Ok(Reply::Done)
    }

    fn leave(&mut self, number: NodeNumber) -> Applied {
        let node = self.nodes.get(&number).ok_or(Refusal::NodeUnknown(number))?;
        if node.state == NodeState::Lost {
            return Ok(Reply::Done);
        }
        let left = self.nodes.values().filter(|node| node.number != number && node.keeps_replicas()).count();
        if node.keeps_replicas() && left < self.replicas as usize {
            return Err(Refusal::TooFewNodes { nodes: left, replicas: self.replicas });
        }
        if let Some(node) = self.nodes.get_mut(&number) {
            node.state = NodeState::Leaving;
        }
        Ok(Reply::Done)
    }

    fn forget(&mut self, number: NodeNumber) -> Applied {
        // Told again, after it was heard.
        if self.is_removed(number) {
            return Ok(Reply::Done);
        }
        let node = self.nodes.get(&number).ok_or(Refusal::NodeUnknown(number))?;
        let on_its_way = matches!(node.state, NodeState::Leaving | NodeState::Lost);
        if !on_its_way || self.groups.values().any(|group| group.involves(number)) {
            return Err(Refusal::NodeInUse(number));
        }
        self.nodes.remove(&number);
        Ok(Reply::Done)
    }

    fn set_replicas(&mut self, replicas: u32) -> Applied {
        if !REPLICAS.contains(&replicas) {
            return Err(Refusal::Invalid("a group has 1, 3 or 5 replicas"));
        }
        // To grow takes nodes that take more.
        let counts = |node: &&Node| {
            if replicas > self.replicas { node.takes_replicas() } else { node.keeps_replicas() }
        };
        let nodes = self.nodes.values().filter(counts).count();
        if nodes < replicas as usize {
            return Err(Refusal::TooFewNodes { nodes, replicas });
        }
        self.replicas = replicas;
        Ok(Reply::Done)
    }

    fn place(&mut self, wanted: Wanted) -> Applied {
        let group = self.groups.get_mut(&wanted.group).ok_or(Refusal::Invalid("there is no such group"))?;
        if group.version != wanted.version {
            return Err(Refusal::PlanOutdated(wanted.group));
        }
        let known = wanted.voters.iter().all(|number| self.nodes.contains_key(number));
        if wanted.voters.is_empty() || !known || wanted.voters.len() > super::VOTERS_MAX {
            return Err(Refusal::Invalid("a group has no voters, too many, or unknown ones"));
        }
        let before = std::mem::replace(&mut group.wanted, wanted.voters);
        group.version += 1;
        // They may have come to vote, and do until its leader tells otherwise: the group may still need them.
        group.actual.get_or_insert_default().voters.extend(before);
        Ok(Reply::Done)
    }

    fn settled(&mut self, settled: Settled) -> Applied {
        let group = self.groups.get_mut(&settled.group).ok_or(Refusal::Invalid("there is no such group"))?;
        if group.actual.as_ref().is_none_or(|known| known.index <= settled.actual.index) {
            group.actual = Some(settled.actual);
        }
        Ok(Reply::Done)
    }

    fn raise_level(&mut self, level: u32) -> Applied {
        if let Some(node) =
            self.nodes.values().find(|node| node.state != NodeState::Lost && node.level < level)
        {
            return Err(Refusal::LevelTooLow { level: node.level, needed: level });
        }
        self.level = self.level.max(level);
        Ok(Reply::Done)
    }

    fn declare(&mut self, time_ms: u64, kind: Kind, name: Name, options: Fields) -> Applied {
        if let Some(found) = self.declaration(kind, &name) {
            return Ok(Reply::Declared { lane: found.lane, group: found.group, new: false });
        }
        if self.declarations.len() >= DECLARATIONS_MAX {
            return Err(Refusal::DeclarationsFull);
        }
        let lane = LaneId(self.next_lane);
        // In turn: shards have as many each as makes no difference, and every version agrees on it.
        let shards = self.groups.len() as u64 - 1;
        let group = GroupId(1 + ((lane.0 - 1) % shards) as u32);
        self.next_lane += 1;
        let declaration =
            Declaration { kind, name: name.clone(), lane, group, since_ms: time_ms, rest: options };
        self.declarations.insert((kind, name), declaration);
        Ok(Reply::Declared { lane, group, new: true })
    }

    fn undeclare(&mut self, kind: Kind, name: &Name) -> Applied {
        match self.declarations.remove(&(kind, name.clone())) {
            Some(_) => Ok(Reply::Done),
            None => Err(Refusal::NotDeclared(name.clone())),
        }
    }
}

/// Takes what a node tells, and with it whatever a later version tells.
fn tell(node: &mut Node, about: Join) {
    node.directory = Some(about.directory);
    node.incarnation = about.incarnation;
    node.role = about.role;
    node.zone = about.zone;
    node.level = about.level;
    node.rest = about.rest;
}
