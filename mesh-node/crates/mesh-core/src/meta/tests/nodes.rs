//! How nodes come, tell of themselves, and go.

use mesh_wire::code::Code;

use super::*;

#[test]
fn nothing_but_founding_comes_first() {
    let mut meta = Meta::new();
    assert_eq!(refused(&meta.apply(1, Command::Join(about("a", 1)))), Code::ClusterNotFounded);
    assert_eq!(meta, Meta::new());
    let meta = founded(3, 3);
    assert_eq!((meta.cluster(), meta.level(), meta.replicas()), (Some(CLUSTER), 1, 3));
    assert_eq!(meta.nodes().map(|node| node.number.0).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(meta.shards().map(|group| group.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(meta.group(GroupId::META).map(|group| group.wanted.clone()), Some(numbers(1..=3)));
}

#[test]
fn founded_once() {
    let mut meta = founded(3, 3);
    let before = meta.clone();
    assert_eq!(meta.apply(2, Command::Found(found(3, 3, 4))), Reply::Done);
    let other = Found { cluster: uuid(9), ..found(5, 5, 4) };
    assert_eq!(refused(&meta.apply(2, Command::Found(other))), Code::ClusterFounded);
    assert_eq!(meta, before);
}

#[test]
fn what_can_not_be_founded() {
    let good = found(3, 3, 4);
    let mut cases = vec![
        Found { nodes: vec![], ..good.clone() },
        Found { nodes: vec![name("a"), name("b"), name("a")], ..good.clone() },
        Found { directories: vec![uuid(1), uuid(2)], ..good.clone() },
        Found { directories: vec![uuid(1), uuid(2), uuid(1)], ..good.clone() },
        Found { replicas: 2, ..good.clone() },
        Found { replicas: 5, ..good.clone() },
        Found { groups: vec![numbers([1])], ..good.clone() },
        Found { groups: vec![numbers([1]), numbers([])], ..good.clone() },
        Found { groups: vec![numbers([1]), numbers([0])], ..good.clone() },
        Found { groups: vec![numbers([1]), numbers([4])], ..good.clone() },
    ];
    cases.push(Found { groups: vec![numbers([1]); SHARDS_MAX as usize + 2], ..good.clone() });
    for found in cases {
        let mut meta = Meta::new();
        refused(&meta.apply(1, Command::Found(found)));
        assert_eq!(meta, Meta::new());
    }
    let most = Found { groups: vec![numbers([1]); SHARDS_MAX as usize + 1], ..good };
    assert_eq!(Meta::new().apply(1, Command::Found(most)), Reply::Done);
}

#[test]
fn a_number_belongs_to_the_first_directory_that_tells() {
    let mut meta = told(3, 3);
    assert_eq!(meta.node_of_directory(uuid(2)).map(|node| node.number), Some(NodeNumber(2)));
    let report = |number, about| Command::Report(Report { number: NodeNumber(number), about });
    assert_eq!(refused(&meta.apply(2, report(2, about("n2", 9)))), Code::NodeNumberTaken);
    assert_eq!(refused(&meta.apply(2, report(2, about("n3", 2)))), Code::NodeNumberTaken);
    assert_eq!(refused(&meta.apply(2, report(4, about("n4", 4)))), Code::NodeNumberUnknown);
    let at = |incarnation| report(2, Join { incarnation, zone: Some(name("z")), ..about("n2", 2) });
    assert_eq!(refused(&meta.apply(2, at(9))), Code::NodeOutdated);
    assert_eq!(meta.apply(2, at(10)), Reply::Done);
    assert_eq!(meta.node_named("n2").and_then(|node| node.zone.clone()), Some(name("z")));
}

#[test]
fn a_new_node_gets_the_next_number_once() {
    let mut meta = told(3, 3);
    let joined = Reply::Joined { number: NodeNumber(4), cluster: CLUSTER };
    assert_eq!(meta.apply(2, Command::Join(about("n4", 4))), joined);
    assert_eq!(meta.apply(3, Command::Join(about("n4", 4))), joined, "the answer was lost");
    assert_eq!(meta.nodes().count(), 4);
    assert_eq!(
        meta.node(NodeNumber(4)).map(|node| (node.state, node.replaces)),
        Some((NodeState::Active, None))
    );
    // Who has a number is told it.
    let known = Reply::Joined { number: NodeNumber(1), cluster: CLUSTER };
    assert_eq!(meta.apply(4, Command::Join(about("n1", 1))), known);
}

#[test]
fn a_wiped_node_gets_another_number_and_the_old_one_counts_no_more() {
    let mut meta = told(3, 3);
    let wiped = Join { incarnation: 11, ..about("n3", 33) };
    let joined = Reply::Joined { number: NodeNumber(4), cluster: CLUSTER };
    assert_eq!(meta.apply(2, Command::Join(wiped)), joined);
    assert_eq!(meta.node(NodeNumber(3)).map(|node| node.state), Some(NodeState::Lost));
    let new = meta.node_named("n3").unwrap();
    assert_eq!((new.number, new.replaces), (NodeNumber(4), Some(NodeNumber(3))));
    // A copy with an older process doesn't push the newer one away.
    let slow = Join { incarnation: 10, ..about("n3", 34) };
    assert_eq!(refused(&meta.apply(2, Command::Join(slow))), Code::NodeOutdated);
}

#[test]
fn a_first_node_that_never_told_and_asks_gets_another_number() {
    let mut meta = founded(3, 3);
    let joined = Reply::Joined { number: NodeNumber(4), cluster: CLUSTER };
    assert_eq!(meta.apply(2, Command::Join(about("n3", 3))), joined);
    assert_eq!(meta.node(NodeNumber(3)).map(|node| node.state), Some(NodeState::Lost));
}

#[test]
fn as_many_nodes_as_there_may_be() {
    let mut meta = told(1, 1);
    for number in 2..=NODES_MAX as u64 {
        let mut directory = [0; 16];
        directory[..8].copy_from_slice(&number.to_le_bytes());
        let join = Join { directory: Uuid(directory), ..about(&format!("n{number}"), 0) };
        assert!(matches!(meta.apply(2, Command::Join(join)), Reply::Joined { .. }), "{number}");
    }
    assert_eq!(refused(&meta.apply(2, Command::Join(about("one-more", 255)))), Code::TooManyNodes);
}

/// What was wanted for a while may have been begun, and only the group's leader knows.
#[test]
fn a_node_that_may_vote_is_not_forgotten() {
    // Nobody has told yet who the members are.
    let mut meta = founded(3, 3);
    let joined = meta.apply(2, Command::Join(about("n3", 3)));
    assert!(matches!(joined, Reply::Joined { .. }));
    let lost = NodeNumber(3);
    for voters in [[1, 2, 4], [1, 2, 4]] {
        for (group, wanted) in meta.clone().groups() {
            let place = Wanted { group, version: wanted.version, voters: numbers(voters) };
            assert_eq!(meta.apply(3, Command::Place(place)), Reply::Done);
        }
        assert_eq!(refused(&meta.apply(4, Command::Forget { node: lost })), Code::NodeInUse);
    }
    for (group, known) in meta.clone().groups() {
        assert!(!known.is_settled());
        let actual = Actual { index: 0, voters: numbers([1, 2, 4]), learners: numbers([]) };
        assert_eq!(meta.apply(5, Command::Settled(Settled { group, actual })), Reply::Done);
    }
    assert_eq!(meta.apply(6, Command::Forget { node: lost }), Reply::Done);
}

#[test]
fn a_node_leaves_when_enough_are_left_and_is_forgotten_when_nobody_has_it() {
    let mut meta = told(4, 3);
    let node = NodeNumber(4);
    assert_eq!(refused(&meta.apply(2, Command::Forget { node })), Code::NodeInUse);
    assert_eq!(meta.apply(2, Command::Leave { node }), Reply::Done);
    assert_eq!(meta.apply(2, Command::Leave { node }), Reply::Done);
    let third = Command::Leave { node: NodeNumber(3) };
    assert_eq!(refused(&meta.apply(2, third)), Code::TooFewNodes);
    assert_eq!(refused(&meta.apply(2, Command::Drain { node, on: false })), Code::MetaCommandInvalid);
    for (group, wanted) in meta.clone().groups() {
        let voters = numbers([1, 2, 3]);
        let place = Wanted { group, version: wanted.version, voters };
        assert_eq!(meta.apply(3, Command::Place(place)), Reply::Done);
    }
    let settled_of = |group, index, voters, learners| {
        let actual = Actual { index, voters: numbers(voters), learners: numbers(learners) };
        Command::Settled(Settled { group, actual })
    };
    let settled = |index, voters, learners| settled_of(GroupId(2), index, voters, learners);
    for (group, _) in meta.clone().groups() {
        assert_eq!(meta.apply(3, settled_of(group, 6, vec![1, 2, 3], vec![])), Reply::Done);
    }
    assert_eq!(meta.apply(4, settled(7, vec![1, 2, 3], vec![4])), Reply::Done);
    assert_eq!(refused(&meta.apply(4, Command::Forget { node })), Code::NodeInUse);
    assert_eq!(meta.apply(4, settled(8, vec![1, 2, 3], vec![])), Reply::Done);
    // What is older than what is known is no news.
    assert_eq!(meta.apply(4, settled(7, vec![1, 2, 3], vec![4])), Reply::Done);
    assert_eq!(meta.apply(5, Command::Forget { node }), Reply::Done);
    assert_eq!(meta.apply(5, Command::Forget { node }), Reply::Done);
    assert!(meta.is_removed(node) && !meta.is_removed(NodeNumber(5)) && !meta.is_removed(NodeNumber(0)));
    assert_eq!(refused(&meta.apply(5, Command::Leave { node })), Code::NodeNumberUnknown);
}

#[test]
fn a_node_that_drains_keeps_what_it_has() {
    let mut meta = told(3, 3);
    let node = NodeNumber(2);
    assert_eq!(meta.apply(2, Command::Drain { node, on: true }), Reply::Done);
    let drains = meta.node(node).unwrap();
    assert!(drains.keeps_replicas() && !drains.takes_replicas());
    assert_eq!(meta.apply(2, Command::Drain { node, on: false }), Reply::Done);
    assert!(meta.node(node).unwrap().takes_replicas());
}

#[test]
fn the_level_rises_when_all_can_read_it() {
    let mut meta = told(3, 3);
    let raise = Command::RaiseLevel { level: 2 };
    assert_eq!(refused(&meta.apply(2, raise.clone())), Code::FeatureLevelTooLow);
    for number in 1..=3 {
        let about = Join { level: 3, ..about(&format!("n{number}"), number as u8) };
        meta.apply(3, Command::Report(Report { number: NodeNumber(number), about }));
    }
    assert_eq!((meta.apply(4, raise), meta.level()), (Reply::Done, 2));
    assert_eq!((meta.apply(4, Command::RaiseLevel { level: 1 }), meta.level()), (Reply::Done, 2));
    // From now on nobody comes who can't.
    assert_eq!(refused(&meta.apply(5, Command::Join(about("n4", 4)))), Code::FeatureLevelTooLow);
    let back = Report { number: NodeNumber(1), about: about("n1", 1) };
    assert_eq!(refused(&meta.apply(5, Command::Report(back))), Code::FeatureLevelTooLow);
}
