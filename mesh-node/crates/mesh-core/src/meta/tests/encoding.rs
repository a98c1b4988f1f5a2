//! Bytes: golden ones, what a later version wrote, and what nobody wrote.

use ::bytes::Bytes;
use mesh_wire::code::Code;
use proptest::prelude::*;

use super::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn commands() -> Vec<(&'static str, Command)> {
    let node = NodeNumber(3);
    let about = Join { zone: Some(name("z")), rest: Fields::new().number(20, 1), ..about("n3", 0xaa) };
    vec![
        (
            "00010510636c75737465722d636c75737465722d0b0406026e310b0406026e320b0406026e330c03\
            100117060401040204031706040104020403",
            Command::Found(Found { groups: vec![numbers([1, 2, 3]); 2], ..found(3, 3, 1) }),
        ),
        (
            "000204030b210a026e330d10aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa100a14001a017a1c015001",
            Command::Report(Report { number: node, about: about.clone() }),
        ),
        ("00030b210a026e330d10aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa100a14001a017a1c015001", Command::Join(about)),
        ("000404030801", Command::Drain { node, on: true }),
        ("00050403", Command::Leave { node }),
        ("00060403", Command::Forget { node }),
        ("00070405", Command::SetReplicas { replicas: 5 }),
        (
            "0008040108020c010c02",
            Command::Place(Wanted { group: GroupId(1), version: 2, voters: numbers([1, 2]) }),
        ),
        (
            "000904010b0704ac0208010c02",
            Command::Settled(Settled {
                group: GroupId(1),
                actual: Actual { index: 300, voters: numbers([1]), learners: numbers([2]) },
            }),
        ),
        ("000a0402", Command::RaiseLevel { level: 2 }),
        (
            "000b04000a01720f020401",
            Command::Declare { kind: Kind::REGISTER, name: name("r"), options: Fields::new().number(1, 1) },
        ),
        ("000c04000a0172", Command::Undeclare { kind: Kind::REGISTER, name: name("r") }),
    ]
}

#[test]
fn golden_commands() {
    for (golden, command) in commands() {
        let bytes = command.encode();
        assert_eq!(hex(&bytes), golden, "{command:?}");
        assert_eq!(Command::decode(&bytes), Ok(command));
    }
}

#[test]
fn golden_replies() {
    let replies = [
        ("0000", Reply::Done),
        (
            "000104040910cccccccccccccccccccccccccccccccc",
            Reply::Joined { number: NodeNumber(4), cluster: uuid(0xcc) },
        ),
        ("0002040108020c01", Reply::Declared { lane: LaneId(1), group: GroupId(2), new: true }),
        (
            "000304a1370a186e6f206e6f64652068617320746865206e756d6265722034",
            Refusal::NodeUnknown(NodeNumber(4)).into(),
        ),
    ];
    for (golden, reply) in replies {
        let bytes = reply.encode();
        assert_eq!(hex(&bytes), golden, "{reply:?}");
        assert_eq!(Reply::decode(&bytes), Ok(reply));
    }
    let later = Reply::decode(&Fields::new().number(0, 3).number(1, 9_999).text(2, "why").encode()).unwrap();
    assert_eq!(later.code(), Some(Code::MetaCommandInvalid), "a code that this version doesn't know");
}

/// A state with something of everything.
fn full() -> Meta {
    let mut meta = told(4, 3);
    meta.apply(2, Command::Join(Join { zone: Some(name("z")), incarnation: 11, ..about("n4", 44) }));
    meta.apply(
        3,
        Command::Declare { kind: Kind::REGISTER, name: name("r"), options: Fields::new().text(9, "o") },
    );
    let actual = Actual { index: 9, voters: numbers([1, 2, 3]), learners: numbers([4]) };
    meta.apply(4, Command::Settled(Settled { group: GroupId(1), actual }));
    meta
}

#[test]
fn golden_state() {
    let meta = full();
    let bytes = meta.encode();
    assert_eq!(Meta::decode(&bytes), Ok(meta));
    let golden = [
        "00010510636c75737465722d636c75737465722d08010c03100614022b2004010a026e310d10010101010101",
        "01010101010101010101100a14001c0120002b2004020a026e320d1002020202020202020202020202020202",
        "100a14001c0120002b2004030a026e330d1003030303030303030303030303030303100a14001c0120002b20",
        "04040a026e340d1004040404040404040404040404040404100a14001c0120032b2504050a026e340d102c2c",
        "2c2c2c2c2c2c2c2c2c2c2c2c2c2c100b14001a017a1c01200024042f0a04000801080208030c012f16040108",
        "01080208040c01130a04090801080208030c042f0a04020801080308040c012f0a04030802080308040c012f",
        "0a04040801080208030c01330e04000a01720c011001140326016f",
    ];
    assert_eq!(hex(&bytes), golden.concat());
}

/// Puts a field of a later version into every record that may have one.
fn from_a_later_version(meta: &mut Meta) {
    let later = |tag| Fields::new().number(tag, 7).record(tag + 1, Fields::new().text(1, "later"));
    meta.rest = later(30);
    meta.nodes.values_mut().for_each(|node| node.rest = later(40));
    meta.groups.values_mut().for_each(|group| group.rest = later(50));
    meta.declarations.values_mut().for_each(|declaration| declaration.rest = later(60));
}

#[test]
fn what_a_later_version_wrote_goes_through_an_earlier_one() {
    let mut later = full();
    from_a_later_version(&mut later);
    let mut earlier = Meta::decode(&later.encode()).unwrap();
    let commands = [
        Command::Drain { node: NodeNumber(1), on: true },
        Command::Declare { kind: Kind(77), name: name("x"), options: Fields::new().number(99, 1) },
        Command::Place(Wanted { group: GroupId(1), version: 1, voters: numbers([1, 2, 4]) }),
    ];
    for command in commands {
        assert_eq!(earlier.apply(9, command.clone()), later.apply(9, command));
    }
    assert_eq!(earlier.encode(), later.encode());
    assert_eq!(earlier.node(NodeNumber(1)).map(|node| node.rest.len()), Some(2));
}

#[test]
fn a_command_of_a_later_version_is_refused_and_its_fields_are_passed_over() {
    let mut meta = full();
    let before = meta.clone();
    let later = Fields::new().number(0, 99).encode();
    assert_eq!(refused(&meta.apply_bytes(1, &later)), Code::MetaCommandInvalid);
    assert_eq!(refused(&meta.apply_bytes(1, &Bytes::new())), Code::MetaCommandInvalid);
    assert_eq!(meta, before);
    let more = Fields::new().number(0, 5).number(1, 3).text(50, "in a hurry").encode();
    assert_eq!(Command::decode(&more), Ok(Command::Leave { node: NodeNumber(3) }));
}

#[test]
fn states_that_can_not_be() {
    let full = Fields::decode(&full().encode()).unwrap();
    let with = |tag: u32, number: u64| {
        let mut fields = full.clone();
        fields.take(tag);
        Meta::decode(&fields.number(tag, number).encode())
    };
    assert!(with(2, 1).is_ok());
    for (tag, number) in [(0, 2), (2, u64::MAX), (4, 1), (5, 1)] {
        assert!(with(tag, number).is_err(), "{tag}: {number}");
    }
    for tag in [0, 2, 3, 4, 5, 11] {
        let mut fields = full.clone();
        fields.take(tag);
        assert!(Meta::decode(&fields.encode()).is_err(), "without {tag}");
    }
}

fn any_command() -> impl Strategy<Value = Command> {
    let node = (0..6_u64).prop_map(NodeNumber);
    let set = prop::collection::btree_set(node.clone(), 0..4);
    let join = || {
        (0..5_u8, 0..8_u8, 0..20_u64, 0..4_u32, crate::tagged::tests::any_fields()).prop_map(
            |(node, directory, incarnation, level, rest)| {
                // What a later version adds has tags of its own.
                let rest = Fields::new().record(100, rest);
                Join { incarnation, level, rest, ..about(&format!("n{node}"), directory) }
            },
        )
    };
    let index = any::<u64>();
    prop_oneof![
        join().prop_map(Command::Join),
        (node.clone(), join()).prop_map(|(number, about)| Command::Report(Report { number, about })),
        (node.clone(), any::<bool>()).prop_map(|(node, on)| Command::Drain { node, on }),
        node.clone().prop_map(|node| Command::Leave { node }),
        node.prop_map(|node| Command::Forget { node }),
        (0..6_u32).prop_map(|replicas| Command::SetReplicas { replicas }),
        (0..6_u32, 0..4_u64, set.clone()).prop_map(|(group, version, voters)| Command::Place(Wanted {
            group: GroupId(group),
            version,
            voters
        })),
        (0..6_u32, index, set.clone(), set).prop_map(|(group, index, voters, learners)| {
            Command::Settled(Settled { group: GroupId(group), actual: Actual { index, voters, learners } })
        }),
        (0..4_u32).prop_map(|level| Command::RaiseLevel { level }),
        (any::<u8>(), 0..9_u8, crate::tagged::tests::any_fields()).prop_map(|(kind, node, options)| {
            let options = Fields::new().record(100, options);
            Command::Declare { kind: Kind(kind % 3), name: name(&format!("r{node}")), options }
        }),
        (any::<u8>(), 0..9_u8).prop_map(|(kind, node)| Command::Undeclare {
            kind: Kind(kind % 3),
            name: name(&format!("r{node}"))
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Replicas that go through a checkpoint at any point stay the same as those that don't.
    #[test]
    fn through_checkpoints(commands in prop::collection::vec(any_command(), 1..30)) {
        let mut straight = founded(3, 3);
        let mut restored = straight.clone();
        for (time, command) in (1..).zip(commands) {
            let bytes = command.encode();
            prop_assert_eq!(Command::decode(&bytes), Ok(command));
            let reply = straight.apply_bytes(time, &bytes);
            prop_assert_eq!(Reply::decode(&reply.encode()), Ok(reply.clone()));
            let before = restored.encode();
            prop_assert_eq!(restored.apply_bytes(time, &bytes), reply.clone());
            if reply.code().is_some() {
                prop_assert_eq!(before, restored.encode());
            }
            restored = Meta::decode(&restored.encode()).unwrap();
            prop_assert_eq!(&straight, &restored);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let bytes = Bytes::from(bytes);
        _ = (Meta::decode(&bytes), Command::decode(&bytes), Reply::decode(&bytes));
        full().apply_bytes(1, &bytes);
    }

    /// What is left of a state that was tampered with is refused, or it is one that goes on.
    #[test]
    fn a_tampered_state_never_panics(at in any::<prop::sample::Index>(), flip in 1..=255_u8, command in any_command()) {
        let mut bytes = full().encode().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(mut meta) = Meta::decode(&bytes.into()) {
            meta.apply(1, command);
            _ = place::plan(&meta);
        }
    }
}
