//! A cluster of reconcilers around a model of groups, in which a change of members is done at once.

use std::collections::BTreeSet;

use mesh_core::meta::{self, Fields, GroupId as Group, NodeState, Reply, Role as Work, Uuid};
use mesh_wire::name::Name;

use super::*;
use crate::{bootstrap, convert};

struct Replicated {
    members: Members,
    leader: NodeNumber,
    term: u64,
    index: u64,
    lag: BTreeMap<NodeNumber, u64>,
}

struct World {
    now: Duration,
    meta: Meta,
    groups: BTreeMap<GroupId, Replicated>,
    nodes: BTreeMap<NodeNumber, Reconciler>,
    open: BTreeSet<(NodeNumber, GroupId)>,
    dead: BTreeSet<NodeNumber>,
    /// Replicas that have lost something, and are members since before that.
    lost: BTreeSet<(NodeNumber, GroupId)>,
    /// Changes of members look as if they never came to their end.
    stuck: bool,
    /// Nobody is sure yet that they are known.
    unsettled: bool,
    transfers: usize,
    most_growing: usize,
}

fn about(node: u64) -> Join {
    Join {
        name: Name::new(format!("n{node}")).unwrap(),
        directory: Uuid([node as u8; 16]),
        incarnation: node,
        role: Work::CORE,
        zone: None,
        level: 1,
        rest: Fields::new(),
    }
}

impl World {
    fn begin(nodes: u64) -> Self {
        let names: Vec<_> = (1..=nodes).map(|node| about(node).name).collect();
        let options = bootstrap::Options { shards: 6, replicas: 3 };
        let plan = bootstrap::static_(&names[0], names.clone(), options).unwrap();
        let mut world = Self {
            now: Duration::from_secs(1),
            meta: Meta::new(),
            groups: BTreeMap::new(),
            nodes: BTreeMap::new(),
            open: BTreeSet::new(),
            dead: BTreeSet::new(),
            lost: BTreeSet::new(),
            stuck: false,
            unsettled: false,
            transfers: 0,
            most_growing: 0,
        };
        for (group, members) in &plan.groups {
            world.open.extend(members.voters.union(&members.learners).map(|node| (*node, *group)));
            let leader = *members.voters.first().unwrap();
            let lag = BTreeMap::new();
            world
                .groups
                .insert(*group, Replicated { members: members.clone(), leader, term: 1, index: 1, lag });
        }
        for node in 1..=nodes {
            let found = Some(plan.found(Uuid([0xcc; 16]), Vec::new()));
            let options = Options { own: NodeNumber(node), about: about(node), found };
            world.nodes.insert(NodeNumber(node), Reconciler::new(options));
        }
        world
    }

    /// A directory of this name gets a number.
    fn join(&mut self, name: u64, directory: u64) -> NodeNumber {
        let about = Join { name: about(name).name, ..about(directory) };
        let Reply::Joined { number, .. } = self.meta.apply(1, Command::Join(about.clone())) else {
            panic!("{name}")
        };
        let own = convert::node(number);
        self.nodes.insert(own, Reconciler::new(Options { own, about, found: None }));
        self.open.insert((own, GroupId::META));
        own
    }

    fn view(&self, id: GroupId, node: NodeNumber) -> View {
        let group = &self.groups[&id];
        let is_member = group.members.contains(node);
        let role = if group.leader == node { Role::Leader } else { Role::Follower };
        // Who is no member any more has heard of nothing since.
        let index = if is_member { group.index } else { group.index - 1 };
        View {
            leader: Some(group.leader),
            term: group.term,
            role,
            members: if is_member { group.members.clone() } else { Members::default() },
            applied: if is_member { index } else { 0 },
            lag: group.lag.clone(),
            changing: self.stuck,
            settled: !self.unsettled,
            forgot: self.lost.iter().filter(|(_, lost)| *lost == id).map(|(node, _)| *node).collect(),
            ..blank(index)
        }
    }

    fn step(&mut self, own: NodeNumber, step: Step) {
        match step {
            Step::Propose(command) => _ = self.meta.apply(1, command),
            Step::SetMembers { group, target } => self.set_members(group, target),
            Step::Transfer { group, to } => {
                let group = self.groups.get_mut(&group).unwrap();
                assert!(
                    group.members.voters.contains(&to)
                        && group.lag.get(&to).is_none_or(|lag| *lag <= LAG_MAX)
                );
                group.leader = to;
                group.term += 1;
                self.transfers += 1;
            }
            Step::Open(group) => _ = self.open.insert((own, group)),
            Step::Close(group) => {
                assert!(
                    !self.groups[&group].members.contains(own),
                    "{own} gives up {group}, of which it is a member"
                );
                self.open.remove(&(own, group));
            }
        }
    }

    fn set_members(&mut self, id: GroupId, target: Members) {
        let group = self.groups.get_mut(&id).unwrap();
        assert!(target.voters.is_disjoint(&target.learners), "{id}: who learns does not vote: {target:?}");
        for new in target.voters.difference(&group.members.voters) {
            assert!(group.members.learners.contains(new), "{new} votes in {id} before it learns");
            assert!(
                group.lag.get(new).is_some_and(|lag| *lag <= LAG_MAX),
                "{new} votes in {id} before it has caught up"
            );
        }
        assert!(target.voters.contains(&group.leader), "the leader of {id} takes itself out");
        let gone = self.lost.iter().filter(|(node, lost)| *lost == id && !target.contains(*node)).count();
        self.lost.retain(|(node, lost)| *lost != id || target.contains(*node));
        assert!(gone == 0 || target.voters.len() * 2 > group.members.voters.len(), "fewer than may decide");
        group.lag.retain(|node, _| target.contains(*node));
        for new in target.learners.iter().chain(&target.voters) {
            group.lag.entry(*new).or_insert(2_000);
        }
        group.members = target;
        group.index += 1;
    }

    fn tick(&mut self) {
        self.now += EVERY;
        let (open, dead) = (&self.open, &self.dead);
        for (id, group) in &mut self.groups {
            let first = group.index == 1;
            let members: Vec<_> = group.members.voters.union(&group.members.learners).copied().collect();
            for node in members {
                let lag = group.lag.entry(node).or_insert(0);
                let learns = open.contains(&(node, *id)) && !dead.contains(&node);
                *lag = if first {
                    0
                } else if learns {
                    lag.saturating_sub(500)
                } else {
                    *lag
                };
            }
            if dead.contains(&group.leader) {
                let heir = group.members.voters.iter().find(|node| !dead.contains(node));
                group.leader = *heir.expect("somebody is left");
                group.term += 1;
            }
        }
        let alive: Vec<_> = self.nodes.keys().copied().filter(|node| !self.dead.contains(node)).collect();
        for node in alive {
            let own = self.open.iter().filter(|(other, _)| *other == node).map(|(_, group)| *group);
            let views: Views = own.map(|group| (group, self.view(group, node))).collect();
            let steps = self.nodes.get_mut(&node).unwrap().handle(self.now, &self.meta, &views);
            assert!(steps.len() < 64, "{node} takes {} steps at once", steps.len());
            let growing = |step: &&Step| {
                matches!(step, Step::SetMembers { group, target }
                    if *group != GroupId::META && !target.learners.is_empty())
            };
            self.most_growing = self.most_growing.max(steps.iter().filter(growing).count());
            for step in steps {
                self.step(node, step);
            }
        }
    }

    fn run(&mut self, ticks: usize) {
        for _ in 0..ticks {
            self.tick();
        }
    }

    /// Until everything is as it is wanted, for a while.
    fn settle(&mut self) {
        for _ in 0..2_000 {
            self.tick();
            let as_wanted = self.meta.groups().all(|(id, group)| {
                let seen = &self.groups[&convert::group(id)].members;
                seen.voters == convert::nodes(&group.wanted)
                    && (id == Group::META || seen.learners.is_empty())
            });
            if as_wanted
                && meta::place::plan(&self.meta).is_empty()
                && self.meta.groups().all(|(_, group)| group.is_settled())
            {
                self.run(120);
                return;
            }
        }
        panic!("it does not come to rest");
    }

    fn voters(&self, group: u32) -> Vec<u64> {
        self.groups[&GroupId(group)].members.voters.iter().map(|node| node.0).collect()
    }
}

fn blank(last: u64) -> View {
    View {
        leader: None,
        term: 0,
        role: Role::Follower,
        members: Members::default(),
        first: 1,
        last,
        persisted: last,
        commit: last,
        applied: last,
        checkpoint: 0,
        lag: BTreeMap::new(),
        rests: false,
        quarantined: false,
        fetching: false,
        changing: false,
        settled: true,
        log_bytes: 0,
        forgot: BTreeSet::new(),
        damaged: 0,
        lost: 0,
    }
}

#[test]
fn a_cluster_is_founded_and_told_of_its_nodes() {
    let mut world = World::begin(3);
    world.settle();
    assert_eq!(world.meta.cluster(), Some(Uuid([0xcc; 16])));
    assert!(world.meta.nodes().all(|node| node.directory == Some(Uuid([node.number.0 as u8; 16]))));
    let leads = |node| world.groups.values().filter(|group| group.leader == NodeNumber(node)).count();
    assert_eq!([leads(1), leads(2), leads(3)].iter().max(), Some(&3), "leads are spread");
    let before = world.transfers;
    world.run(200);
    assert_eq!(world.transfers, before, "and stay");
}

#[test]
fn from_three_to_five_and_back() {
    let mut world = World::begin(3);
    world.settle();
    world.join(4, 4);
    world.join(5, 5);
    world.settle();
    assert_eq!(world.meta.apply(1, Command::SetReplicas { replicas: 5 }), Reply::Done);
    world.settle();
    assert!((0..7).all(|group| world.voters(group) == [1, 2, 3, 4, 5]));
    world.meta.apply(1, Command::SetReplicas { replicas: 3 });
    world.settle();
    for node in [1, 2] {
        assert_eq!(world.meta.apply(1, Command::Leave { node: Number(node) }), Reply::Done);
    }
    world.settle();
    assert!((0..7).all(|group| world.voters(group) == [3, 4, 5]));
    assert!(world.meta.is_removed(Number(1)) && world.meta.is_removed(Number(2)), "forgotten");
    assert!(world.most_growing <= CHANGES_MAX, "{}", world.most_growing);
}

#[test]
fn a_wiped_node_is_replaced_by_its_new_number() {
    let mut world = World::begin(3);
    world.settle();
    world.dead.insert(NodeNumber(3));
    let new = world.join(3, 33);
    world.settle();
    assert!((0..7).all(|group| world.voters(group) == [1, 2, new.0]));
    assert!(world.meta.is_removed(Number(3)));
}

/// A change that waits for a node that is gone does not keep another one from being made.
#[test]
fn what_is_wanted_by_now_takes_the_place_of_a_change_that_waits() {
    let mut world = World::begin(3);
    world.settle();
    world.stuck = true;
    world.dead.insert(NodeNumber(3));
    let new = world.join(3, 33);
    world.settle();
    assert!((0..7).all(|group| world.voters(group) == [1, 2, new.0]));
}

/// The others may need it, to elect anybody, until they know durably that it is out.
#[test]
fn who_is_out_stays_until_that_is_settled() {
    let mut world = World::begin(4);
    world.settle();
    world.unsettled = true;
    let open = |world: &World| world.open.iter().filter(|(node, _)| node.0 == 4).count();
    let had = open(&world);
    world.meta.apply(1, Command::Leave { node: Number(4) });
    world.run(400);
    assert!((1..7).all(|group| !world.voters(group).contains(&4)));
    assert_eq!(open(&world), had);
    world.unsettled = false;
    world.settle();
    assert_eq!(open(&world), 1, "the meta group's stays, to know");
}

#[test]
fn who_lost_something_goes_and_comes_back() {
    let mut world = World::begin(3);
    world.settle();
    let hurt = NodeNumber(3);
    for group in 0..7 {
        if world.groups[&GroupId(group)].leader == hurt {
            world.groups.get_mut(&GroupId(group)).unwrap().leader = NodeNumber(1);
        }
        world.lost.insert((hurt, GroupId(group)));
    }
    world.run(1);
    assert!((0..7).all(|group| world.voters(group) == [1, 2]), "at once, and all of them");
    world.settle();
    assert!((0..7).all(|group| world.voters(group) == [1, 2, 3]));
    assert!(world.lost.is_empty());
}

#[test]
fn a_learner_of_the_meta_group_that_lost_something_too() {
    let mut world = World::begin(4);
    world.settle();
    world.lost.insert((NodeNumber(4), GroupId::META));
    world.settle();
    assert!(world.lost.is_empty());
    assert!(world.groups[&GroupId::META].members.learners.contains(&NodeNumber(4)));
}

#[test]
fn half_of_the_voters_decide_nothing() {
    let mut world = World::begin(3);
    world.settle();
    let group = GroupId(1);
    let leader = world.groups[&group].leader;
    world.lost.extend((1..=3).map(NodeNumber).filter(|node| *node != leader).map(|node| (node, group)));
    world.run(200);
    assert_eq!(world.voters(1), [1, 2, 3]);
    assert_eq!(world.lost.len(), 2);
    // One of the two is found whole.
    world.lost.pop_first();
    world.settle();
    assert!(world.lost.is_empty());
    assert_eq!(world.voters(1), [1, 2, 3]);
}

#[test]
fn nobody_goes_before_the_new_one_has_caught_up() {
    let mut world = World::begin(3);
    world.settle();
    let new = world.join(3, 33);
    world.dead.extend([NodeNumber(3), new]);
    world.run(400);
    assert!((0..7).all(|group| world.voters(group) == [1, 2, 3]), "the new one is not there");
    world.dead.remove(&new);
    world.settle();
    assert!((0..7).all(|group| world.voters(group) == [1, 2, new.0]));
}

#[test]
fn who_drains_leads_nothing_and_keeps_its_replicas() {
    let mut world = World::begin(3);
    world.settle();
    world.meta.apply(1, Command::Drain { node: Number(1), on: true });
    world.run(60);
    assert!(world.groups.values().all(|group| group.leader != NodeNumber(1)));
    assert!((0..7).all(|group| world.voters(group) == [1, 2, 3]));
    assert_eq!(world.meta.node(Number(1)).map(|node| node.state), Some(NodeState::Draining));
}

#[test]
fn what_nobody_wants_is_given_up_after_a_while() {
    let mut world = World::begin(4);
    world.settle();
    let had: Vec<_> = world.open.iter().filter(|(node, _)| node.0 == 4).copied().collect();
    assert!(had.len() > 1);
    world.meta.apply(1, Command::Leave { node: Number(4) });
    world.settle();
    let left: Vec<_> = world.open.iter().filter(|(node, _)| node.0 == 4).collect();
    assert_eq!(left.len(), 1, "{left:?}: the meta group's stays, to know");
}

#[test]
fn the_level_rises_when_all_can_read_it() {
    let mut world = World::begin(3);
    world.settle();
    for node in 1..=3 {
        let about = Join { level: 2, incarnation: 100, ..about(node) };
        let options = Options { own: NodeNumber(node), about, found: None };
        world.nodes.insert(NodeNumber(node), Reconciler::new(options));
        world.run(10);
        assert_eq!(world.meta.level(), if node < 3 { 1 } else { 2 });
    }
}

#[test]
fn a_lead_that_comes_back_stays_twice_as_long() {
    let mut world = World::begin(3);
    world.settle();
    let group = GroupId(1);
    let best = world.groups[&group].leader;
    let other = world.voters(1).into_iter().map(NodeNumber).find(|node| *node != best).unwrap();
    let mut waits = Vec::new();
    for _ in 0..3 {
        let replicated = world.groups.get_mut(&group).unwrap();
        replicated.leader = other;
        replicated.term += 1;
        let since = world.now;
        while world.groups[&group].leader == other {
            world.tick();
        }
        waits.push(world.now - since);
    }
    assert!(waits[0] >= LED_MIN && waits[1] >= 2 * LED_MIN && waits[2] >= 4 * LED_MIN, "{waits:?}");
}

#[test]
fn it_passes_once_it_waits_for_nothing() {
    let mut world = World::begin(3);
    let own = NodeNumber(1);
    world.tick();
    let now = world.now;
    let founding = world.nodes.values_mut().any(|node| !node.passes(now));
    assert!(founding, "what was proposed may not have come through");
    world.settle();
    let now = world.now;
    let node = world.nodes.get_mut(&own).unwrap();
    assert!(node.passes(now));
    assert_eq!(node.poll_timeout(), now + EVERY, "it looks again all the same");
}
