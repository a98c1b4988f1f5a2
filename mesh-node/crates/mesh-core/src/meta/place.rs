//! Where replicas go: planned by the leader of the meta group, and written down as commands.
//!
//! In this order, and each only as far as it has to:
//! 1. a replica on a node that goes is taken by another node; a group with too many gives one up, with too few gets one;
//! 2. of two replicas in one zone one moves, when a zone without is there;
//! 3. the fullest node gives one to the emptiest, when they differ by two or more.
//!
//! A node is chosen by its zone first (fewest replicas of the group), then by how many replicas it is to have, then by
//! its number. What moves for the sake of balance (2, 3) waits until all groups have whom they are to have, and then few
//! move at a time; what moves because a node goes does not wait.

use std::collections::{BTreeMap, BTreeSet};

use mesh_wire::name::Name;

use super::{Group, GroupId, Meta, Node, NodeNumber, Wanted};

/// Most groups whose members change at the same time for the sake of balance.
pub const MOVES_MAX: usize = 2;

type Voters = BTreeSet<NodeNumber>;

/// Who is to have which group, where that is not what is written down: at most [`MOVES_MAX`] for the sake of balance.
#[must_use]
pub fn plan(meta: &Meta) -> Vec<Wanted> {
    let mut plan = Plan::new(meta);
    plan.mend();
    if plan.moved.is_empty() && meta.groups().all(|(_, group)| group.is_settled()) {
        plan.balance();
    }
    let wanted = |group: GroupId| {
        let version = meta.group(group)?.version;
        Some(Wanted { group, version, voters: plan.voters.get(&group)?.clone() })
    };
    plan.moved.iter().filter_map(|group| wanted(*group)).collect()
}

/// Who is to have which of `groups` groups to begin with; `nodes` are as many as replicas at least.
#[must_use]
pub fn begin(nodes: &[(NodeNumber, Option<Name>)], groups: u32, replicas: u32) -> Vec<Voters> {
    let mut meta = Meta { replicas, ..Meta::default() };
    for (number, zone) in nodes {
        // A node's name has no say in it.
        let Ok(name) = Name::new("node") else { continue };
        meta.nodes.insert(*number, Node { zone: zone.clone(), ..Node::named(*number, name, 0) });
    }
    meta.groups = (0..groups).map(|group| (GroupId(group), Group::default())).collect();
    let mut plan = Plan::new(&meta);
    plan.mend();
    plan.voters.into_values().collect()
}

struct Plan<'a> {
    meta: &'a Meta,
    voters: BTreeMap<GroupId, Voters>,
    /// How many replicas each node is to have that may be given some.
    load: BTreeMap<NodeNumber, usize>,
    moved: BTreeSet<GroupId>,
}

impl<'a> Plan<'a> {
    fn new(meta: &'a Meta) -> Self {
        let voters: BTreeMap<_, _> = meta.groups().map(|(id, group)| (id, group.wanted.clone())).collect();
        let mut load: BTreeMap<_, _> =
            meta.nodes().filter(|node| node.takes_replicas()).map(|node| (node.number, 0)).collect();
        for node in voters.values().flatten() {
            if let Some(load) = load.get_mut(node) {
                *load += 1;
            }
        }
        Self { meta, voters, load, moved: BTreeSet::new() }
    }

    fn zone(&self, node: NodeNumber) -> Option<&Name> {
        self.meta.node(node)?.zone.as_ref()
    }

    /// How many of the voters, but for `node` itself, are where it is. A node without a zone is where no other is.
    fn beside(&self, voters: &Voters, node: NodeNumber) -> usize {
        let Some(zone) = self.zone(node) else { return 0 };
        voters.iter().filter(|other| **other != node && self.zone(**other) == Some(zone)).count()
    }

    fn load(&self, node: NodeNumber) -> usize {
        self.load.get(&node).copied().unwrap_or_default()
    }

    /// Whom a group with these voters would best get.
    fn best(&self, voters: &Voters) -> Option<NodeNumber> {
        let free = self.load.keys().copied().filter(|node| !voters.contains(node));
        free.min_by_key(|node| (self.beside(voters, *node), self.load(*node), *node))
    }

    /// Whom it can best do without: who is to go, or drains, then whose zone is doubled, then the fullest.
    fn worst(&self, voters: &Voters) -> Option<NodeNumber> {
        let stays = |node: &NodeNumber| self.load.contains_key(node);
        voters
            .iter()
            .copied()
            .max_by_key(|node| (!stays(node), self.beside(voters, *node), self.load(*node), *node))
    }

    fn exchange(&mut self, group: GroupId, from: Option<NodeNumber>, to: Option<NodeNumber>) {
        let Some(voters) = self.voters.get_mut(&group) else { return };
        if let Some(from) = from.filter(|from| voters.remove(from)) {
            self.load.entry(from).and_modify(|load| *load -= 1);
        }
        if let Some(to) = to.filter(|to| voters.insert(*to)) {
            self.load.entry(to).and_modify(|load| *load += 1);
        }
        self.moved.insert(group);
    }

    /// Each group gets as many as it is to have, of nodes that stay.
    fn mend(&mut self) {
        let replicas = self.meta.replicas() as usize;
        let groups: Vec<_> = self.voters.keys().copied().collect();
        for group in groups {
            while let Some(voters) = self.voters.get(&group) {
                let stays = |node: &NodeNumber| self.meta.node(*node).is_some_and(Node::keeps_replicas);
                let goes = voters.iter().copied().find(|node| !stays(node));
                let (from, to) = match goes {
                    _ if voters.len() < replicas => (None, self.best(voters)),
                    Some(goes) if voters.len() > replicas => (Some(goes), None),
                    // Without another one it keeps who it has.
                    Some(goes) => match self.best(voters) {
                        Some(best) => (Some(goes), Some(best)),
                        None => break,
                    },
                    None if voters.len() > replicas => (self.worst(voters), None),
                    None => break,
                };
                if from.is_none() && to.is_none() {
                    break;
                }
                self.exchange(group, from, to);
            }
        }
    }

    /// Moves a few replicas for the sake of zones and load.
    fn balance(&mut self) {
        for _ in 0..MOVES_MAX {
            let Some((group, from, to)) = self.spread().or_else(|| self.level()) else { return };
            self.exchange(group, Some(from), Some(to));
        }
    }

    /// A replica that is beside another one of its group, and where it would not be.
    fn spread(&self) -> Option<(GroupId, NodeNumber, NodeNumber)> {
        self.unmoved().find_map(|(group, voters)| {
            let from = voters.iter().copied().max_by_key(|node| (self.beside(voters, *node), *node))?;
            let mut left = voters.clone();
            left.remove(&from);
            let free = self.load.keys().copied().filter(|node| !voters.contains(node));
            let to = free.min_by_key(|node| (self.beside(&left, *node), self.load(*node), *node))?;
            (self.beside(&left, to) < self.beside(voters, from)).then_some((group, from, to))
        })
    }

    /// A replica of a full node, and an emptier one that can have it without a zone being doubled for it.
    fn level(&self) -> Option<(GroupId, NodeNumber, NodeNumber)> {
        let mut nodes: Vec<_> = self.load.iter().map(|(node, load)| (*load, *node)).collect();
        nodes.sort_unstable();
        for (most, from) in nodes.iter().rev() {
            for (least, to) in nodes.iter().take_while(|(least, _)| least + 2 <= *most) {
                let found = self.unmoved().find(|(_, voters)| {
                    let mut left = (*voters).clone();
                    left.remove(from)
                        && !voters.contains(to)
                        && self.beside(&left, *to) <= self.beside(voters, *from)
                });
                debug_assert!(least < most);
                if let Some((group, _)) = found {
                    return Some((group, *from, *to));
                }
            }
        }
        None
    }

    fn unmoved(&self) -> impl Iterator<Item = (GroupId, &Voters)> {
        let unmoved = |(group, _): &(GroupId, _)| !self.moved.contains(group);
        self.voters.iter().map(|(group, voters)| (*group, voters)).filter(unmoved)
    }
}
