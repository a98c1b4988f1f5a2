//! Where replicas go.

use proptest::prelude::*;

use super::*;

/// Writes a plan down and takes it for done, until there is none. How many times that was, and how many replicas moved.
fn settle(meta: &mut Meta) -> (usize, usize) {
    let (mut rounds, mut moves) = (0, 0);
    loop {
        let plan = place::plan(meta);
        if plan.is_empty() {
            if meta.groups().all(|(_, group)| group.is_settled()) {
                return (rounds, moves);
            }
        } else {
            rounds += 1;
            assert!(rounds < 1_000, "no end to it: {plan:?}");
        }
        for wanted in plan {
            let before = &meta.group(wanted.group).unwrap().wanted;
            moves += wanted.voters.difference(before).count();
            assert_eq!(meta.apply(1, Command::Place(wanted)), Reply::Done);
        }
        let groups: Vec<_> = meta.groups().map(|(id, group)| (id, group.wanted.clone())).collect();
        for (group, voters) in groups {
            let index = meta.group(group).unwrap().actual.as_ref().map_or(0, |actual| actual.index) + 1;
            let actual = Actual { index, voters, learners: numbers([]) };
            meta.apply(1, Command::Settled(Settled { group, actual }));
        }
    }
}

fn loads(meta: &Meta) -> Vec<usize> {
    let load = |node: &Node| meta.groups().filter(|(_, group)| group.wanted.contains(&node.number)).count();
    meta.nodes().filter(|node| node.takes_replicas()).map(load).collect()
}

fn is_level(meta: &Meta) -> bool {
    let loads = loads(meta);
    loads.iter().max().unwrap_or(&0) - loads.iter().min().unwrap_or(&0) <= 1
}

fn join(meta: &mut Meta, node: u8, zone: Option<&str>) -> NodeNumber {
    let about =
        Join { zone: zone.map(name), incarnation: u64::from(node), ..about(&format!("n{node}"), node) };
    match meta.apply(1, Command::Join(about)) {
        Reply::Joined { number, .. } => number,
        reply => panic!("{reply:?}"),
    }
}

fn shards(meta: &mut Meta, count: u32) {
    *meta = Meta::new();
    meta.apply(1, Command::Found(found(3, 3, count)));
}

#[test]
fn what_is_as_it_should_be_stays() {
    for nodes in 1..=7 {
        for replicas in REPLICAS.into_iter().filter(|replicas| u64::from(*replicas) <= nodes) {
            let mut meta = founded(nodes, replicas);
            assert!(is_level(&meta), "{nodes} nodes, {replicas} replicas");
            assert_eq!(settle(&mut meta), (0, 0));
        }
    }
}

#[test]
fn from_one_to_three_to_five_and_back() {
    let mut meta = told(1, 1);
    for node in [2, 3] {
        join(&mut meta, node, None);
    }
    assert_eq!(meta.apply(1, Command::SetReplicas { replicas: 3 }), Reply::Done);
    let (_, moves) = settle(&mut meta);
    assert_eq!((moves, loads(&meta)), (2 * 5, vec![5, 5, 5]));
    for node in [4, 5] {
        join(&mut meta, node, None);
    }
    meta.apply(1, Command::SetReplicas { replicas: 5 });
    assert_eq!((settle(&mut meta).1, loads(&meta)), (2 * 5, vec![5; 5]));
    meta.apply(1, Command::SetReplicas { replicas: 3 });
    assert_eq!(settle(&mut meta).1, 0, "a group that shrinks gives away, and takes nothing");
    assert!(is_level(&meta), "{:?}", loads(&meta));
    for node in [2, 4] {
        assert_eq!(meta.apply(1, Command::Leave { node: NodeNumber(node) }), Reply::Done);
    }
    settle(&mut meta);
    assert_eq!(loads(&meta), [5, 5, 5]);
}

#[test]
fn a_new_node_gets_its_share_few_at_a_time() {
    let mut meta = Meta::new();
    shards(&mut meta, 16);
    settle(&mut meta);
    join(&mut meta, 4, None);
    let plan = place::plan(&meta);
    assert_eq!(plan.len(), place::MOVES_MAX);
    meta.apply(1, Command::Place(plan[0].clone()));
    assert_eq!(place::plan(&meta), [], "until that one is done");
    let (_, moves) = settle(&mut meta);
    assert_eq!((moves + 1, is_level(&meta)), (51 / 4, true), "{:?}", loads(&meta));
}

#[test]
fn who_takes_the_place_of_a_lost_node_gets_what_it_had() {
    let mut meta = told(3, 3);
    settle(&mut meta);
    let number = match meta.apply(1, Command::Join(Join { incarnation: 11, ..about("n2", 22) })) {
        Reply::Joined { number, .. } => number,
        reply => panic!("{reply:?}"),
    };
    let plan = place::plan(&meta);
    assert_eq!(plan.len(), 5, "all at once: they are one short");
    assert!(plan.iter().all(|wanted| wanted.voters == numbers([1, 3, number.0])));
}

#[test]
fn a_lost_node_stays_a_member_while_there_is_no_other() {
    let mut meta = told(3, 3);
    settle(&mut meta);
    meta.nodes.get_mut(&NodeNumber(3)).unwrap().state = NodeState::Lost;
    assert_eq!(place::plan(&meta), []);
}

#[test]
fn replicas_spread_over_zones_before_load() {
    let mut meta = told(1, 1);
    let zones = ["a", "a", "a", "b", "c"];
    meta.nodes.get_mut(&NodeNumber(1)).unwrap().zone = Some(name("a"));
    for (node, zone) in (2..).zip(&zones[1..]) {
        join(&mut meta, node, Some(zone));
    }
    meta.apply(1, Command::SetReplicas { replicas: 3 });
    settle(&mut meta);
    let zone = |node: &NodeNumber| meta.node(*node).unwrap().zone.clone();
    for (id, group) in meta.groups() {
        let zones: BTreeSet<_> = group.wanted.iter().map(zone).collect();
        assert_eq!(zones.len(), 3, "group {id}: {:?}", group.wanted);
    }
    // Within zone a, the three are level.
    let in_a: Vec<_> = loads(&meta)[..3].to_vec();
    assert!(in_a.iter().max().unwrap() - in_a.iter().min().unwrap() <= 1, "{in_a:?}");
}

#[test]
fn a_zone_that_comes_later_is_used() {
    let mut meta = told(3, 3);
    for number in 1..=3 {
        let zone = Some(name(if number == 1 { "a" } else { "b" }));
        meta.nodes.get_mut(&NodeNumber(number)).unwrap().zone = zone;
    }
    assert_eq!(settle(&mut meta), (0, 0), "there is no other zone yet");
    let number = join(&mut meta, 4, Some("c"));
    settle(&mut meta);
    assert!(
        meta.groups()
            .all(|(_, group)| group.wanted.contains(&number) && group.wanted.contains(&NodeNumber(1)))
    );
}

#[test]
fn a_node_that_drains_keeps_its_replicas_and_gets_no_others() {
    let mut meta = told(4, 3);
    settle(&mut meta);
    let before = meta.groups().filter(|(_, group)| group.wanted.contains(&NodeNumber(4))).count();
    meta.apply(1, Command::Drain { node: NodeNumber(4), on: true });
    assert_eq!(settle(&mut meta), (0, 0));
    meta.apply(1, Command::Leave { node: NodeNumber(3) });
    settle(&mut meta);
    let after = meta.groups().filter(|(_, group)| group.wanted.contains(&NodeNumber(4))).count();
    assert!(after == before, "{before} before, {after} after");
}

#[derive(Debug, Clone)]
enum Event {
    Join(u8),
    Drain(u8, bool),
    Leave(u8),
    Replicas(usize),
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens to nodes, a plan comes to an end, leaves nobody on a node that goes if there is another one, and
    /// is level as far as zones allow.
    #[test]
    fn plans_come_to_an_end(events in prop::collection::vec(prop_oneof![
        4 => any::<u8>().prop_map(Event::Join),
        1 => (any::<u8>(), any::<bool>()).prop_map(|(node, on)| Event::Drain(node, on)),
        2 => any::<u8>().prop_map(Event::Leave),
        1 => (0..3_usize).prop_map(Event::Replicas),
    ], 1..16)) {
        let mut meta = Meta::new();
        shards(&mut meta, 7);
        for (at, event) in (100..).zip(events) {
            let number = |node: u8| NodeNumber(u64::from(node) % 8 + 1);
            match event {
                Event::Join(zone) => {
                    let zone = ["a", "b", "c", "d"].get(usize::from(zone) % 5).copied();
                    join(&mut meta, at, zone);
                }
                Event::Drain(node, on) => _ = meta.apply(1, Command::Drain { node: number(node), on }),
                Event::Leave(node) => _ = meta.apply(1, Command::Leave { node: number(node) }),
                Event::Replicas(at) => _ = meta.apply(1, Command::SetReplicas { replicas: REPLICAS[at] }),
            }
            settle(&mut meta);
            let takers = meta.nodes().filter(|node| node.takes_replicas()).count();
            for (_, group) in meta.groups() {
                prop_assert_eq!(group.wanted.len(), meta.replicas() as usize);
                let goes = |node: &&NodeNumber| !meta.node(**node).is_some_and(Node::keeps_replicas);
                prop_assert!(group.wanted.iter().filter(goes).count() == 0 || takers < group.wanted.len());
            }
            if meta.nodes().all(|node| node.zone.is_none()) {
                prop_assert!(is_level(&meta), "{:?}", loads(&meta));
            }
        }
    }
}
