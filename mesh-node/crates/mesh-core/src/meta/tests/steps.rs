//! Declarations, replicas, plans.

use mesh_wire::code::Code;

use super::*;

fn declare(text: &str) -> Command {
    Command::Declare { kind: Kind::REGISTER, name: name(text), options: Fields::new().number(7, 7) }
}

#[test]
fn a_name_is_declared_once_and_its_lane_is_never_used_again() {
    let mut meta = founded(3, 3);
    let new = |lane, group| Reply::Declared { lane: LaneId(lane), group: GroupId(group), new: true };
    assert_eq!(meta.apply(5, declare("a")), new(1, 1));
    assert_eq!(meta.apply(6, declare("b")), new(2, 2));
    let again = Reply::Declared { lane: LaneId(1), group: GroupId(1), new: false };
    assert_eq!(meta.apply(7, declare("a")), again);
    let found = meta.declaration(Kind::REGISTER, &name("a")).unwrap();
    assert_eq!((found.since_ms, found.rest.clone()), (5, Fields::new().number(7, 7)));
    assert_eq!(meta.declaration(Kind(1), &name("a")), None);
    let undeclare = Command::Undeclare { kind: Kind::REGISTER, name: name("a") };
    assert_eq!(meta.apply(8, undeclare.clone()), Reply::Done);
    assert_eq!(refused(&meta.apply(8, undeclare)), Code::LaneUndeclared);
    assert_eq!(meta.apply(9, declare("a")), new(3, 3));
    let (fourth, fifth) = (meta.apply(9, declare("d")), meta.apply(9, declare("e")));
    assert_eq!((fourth, fifth), (new(4, 4), new(5, 1)));
}

#[test]
fn as_many_declarations_as_there_may_be() {
    let mut meta = founded(1, 1);
    meta.apply(1, declare("a"));
    let one = meta.declarations().next().unwrap().clone();
    for number in 1..DECLARATIONS_MAX as u64 - 1 {
        let name = name(&number.to_string());
        meta.declarations.insert((Kind(9), name.clone()), Declaration { name, ..one.clone() });
    }
    assert!(matches!(meta.apply(1, declare("b")), Reply::Declared { new: true, .. }));
    assert_eq!(meta.declarations().count(), DECLARATIONS_MAX);
    assert_eq!(refused(&meta.apply(1, declare("c"))), Code::TooManyDeclarations);
    assert!(matches!(meta.apply(1, declare("b")), Reply::Declared { new: false, .. }));
}

#[test]
fn as_many_replicas_as_there_are_nodes_that_stay() {
    let mut meta = told(5, 3);
    let set = |replicas| Command::SetReplicas { replicas };
    for replicas in [0, 2, 4, 6, 7] {
        assert_eq!(refused(&meta.apply(1, set(replicas))), Code::MetaCommandInvalid, "{replicas}");
    }
    assert_eq!((meta.apply(1, set(5)), meta.replicas()), (Reply::Done, 5));
    let leave = Command::Leave { node: NodeNumber(5) };
    assert_eq!(refused(&meta.apply(1, leave.clone())), Code::TooFewNodes);
    assert_eq!(meta.apply(1, set(3)), Reply::Done);
    assert_eq!(meta.apply(1, leave), Reply::Done);
    assert_eq!(refused(&meta.apply(1, set(5))), Code::TooFewNodes);
}

#[test]
fn a_plan_is_for_the_group_as_it_was_seen() {
    let mut meta = told(5, 3);
    let place = |group, version, voters| {
        Command::Place(Wanted { group: GroupId(group), version, voters: numbers(voters) })
    };
    assert_eq!(meta.apply(1, place(1, 1, vec![3, 4, 5])), Reply::Done);
    assert_eq!(refused(&meta.apply(1, place(1, 1, vec![1, 2, 3]))), Code::PlacementOutdated);
    let group = meta.group(GroupId(1)).unwrap();
    assert_eq!((group.version, group.wanted.clone()), (2, numbers([3, 4, 5])));
    for (group, voters) in [(1, vec![]), (1, vec![1, 9]), (5, vec![1])] {
        assert_eq!(refused(&meta.apply(1, place(group, 2, voters))), Code::MetaCommandInvalid);
    }
}

#[test]
fn as_many_voters_as_there_may_be() {
    let mut meta = told(8, 5);
    let place =
        |version, most| Command::Place(Wanted { group: GroupId(1), version, voters: numbers(1..=most) });
    assert_eq!(meta.apply(1, place(1, VOTERS_MAX as u64)), Reply::Done);
    assert_eq!(refused(&meta.apply(1, place(2, VOTERS_MAX as u64 + 1))), Code::MetaCommandInvalid);
}
