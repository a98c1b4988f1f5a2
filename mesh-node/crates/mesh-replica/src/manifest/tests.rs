use std::collections::BTreeSet;

use proptest::prelude::*;
use raft::{Config, RawNode, eraftpb, storage::MemStorage};

use super::*;

fn nodes(numbers: &[u64]) -> BTreeSet<NodeNumber> {
    numbers.iter().copied().map(NodeNumber).collect()
}

fn members(voters: &[u64], learners: &[u64], outgoing: &[u64], learners_next: &[u64]) -> Members {
    Members {
        voters: nodes(voters),
        learners: nodes(learners),
        outgoing: nodes(outgoing),
        learners_next: nodes(learners_next),
    }
}

fn extent(lane: u64, first: u64, last: u64) -> Extent {
    Extent { lane: LaneId(lane), first, last, bytes: 10, digest: 7 }
}

fn manifest() -> Manifest {
    Manifest {
        index: 300,
        term: 2,
        time_ms: 5,
        members: members(&[1, 2], &[5], &[1, 4], &[4]),
        state: Payload::new(Bytes::from_static(b"123456789")),
        extents: vec![extent(1, 1, 9), extent(1, 10, 10), extent(2, 3, 4)],
    }
}

#[test]
fn golden_bytes() {
    let want = [
        &b"MMAN\x01\x00\x00\x00"[..],
        // Checksum of all that follows.
        &[0; 4],
        &[1 << 2, 0xac, 2, 2 << 2, 2, 3 << 2, 5],
        &[4 << 2, 1, 4 << 2, 2, 5 << 2, 5, 6 << 2, 1, 6 << 2, 4, 7 << 2, 4],
        &[8 << 2 | 1, 9],
        b"123456789",
        // 0xe3069283, the check value of CRC32C, as a varint.
        &[9 << 2, 0x83, 0xa5, 0x9a, 0x98, 0x0e],
        &[10 << 2 | 1, 120],
        &[1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0],
        &[7, 0, 0, 0, 0, 0, 0, 0],
        &[1, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0],
        &[7, 0, 0, 0, 0, 0, 0, 0],
        &[2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0],
        &[7, 0, 0, 0, 0, 0, 0, 0],
        &[11 << 2, 40],
    ]
    .concat();
    let encoded = encode(&manifest());
    assert_eq!(encoded[..8], want[..8]);
    assert_eq!(encoded[12..], want[12..]);
    assert_eq!(encoded[8..12], crc32c::crc32c(&want[12..]).to_le_bytes());
    assert_eq!(decode(&encoded).unwrap(), manifest());
}

#[test]
fn the_empty_beginning_of_a_group_is_a_manifest_too() {
    let beginning = Manifest {
        index: 0,
        term: 0,
        time_ms: 0,
        members: members(&[1], &[], &[], &[]),
        state: Payload::default(),
        extents: Vec::new(),
    };
    assert_eq!(decode(&encode(&beginning)).unwrap(), beginning);
}

#[test]
fn every_damaged_byte_is_found() {
    let encoded = encode(&manifest());
    for at in 0..encoded.len() {
        let mut bytes = encoded.to_vec();
        bytes[at] ^= 0x10;
        let error = decode(&Bytes::from(bytes)).unwrap_err();
        assert_eq!(error.code(), Code::ManifestMalformed);
        assert!(!error.hint().is_empty() && !error.is_retryable());
    }
    for n in 0..encoded.len() {
        assert!(decode(&encoded.slice(..n)).is_err(), "{n} bytes");
    }
}

/// The same fields as another version would write them.
fn reseal(fields: Bytes) -> Bytes {
    let mut out = BytesMut::from(&b"MMAN\x01\x00\x00\x00"[..]);
    out.put_u32_le(crc32c::crc32c(&fields));
    out.put_slice(&fields);
    out.freeze()
}

#[test]
fn what_a_later_version_adds_is_passed_over() {
    let fields = Fields::decode(&encode(&manifest()).slice(HEAD_BYTES..)).unwrap();
    let more = fields.text(50, "new").number(12, 5);
    assert_eq!(decode(&reseal(more.encode())).unwrap(), manifest());
    // Also within an extent.
    let mut fields = Fields::decode(&encode(&manifest()).slice(HEAD_BYTES..)).unwrap();
    let extents = fields.find_bytes(EXTENTS).unwrap().unwrap();
    fields.take_number(EXTENT_LEN).unwrap();
    let longer: Vec<u8> = extents.chunks(EXTENT_BYTES).flat_map(|one| [one, &[1; 8]].concat()).collect();
    let fields = fields.bytes(EXTENTS, longer).number(EXTENT_LEN, EXTENT_BYTES as u64 + 8);
    assert_eq!(decode(&reseal(fields.encode())).unwrap(), manifest());
    // What it says has to be understood is not.
    let mut later = encode(&manifest()).to_vec();
    later[4] = 2;
    assert_eq!(decode(&Bytes::from(later)), Err(ManifestError::Format(2)));
}

#[test]
fn what_is_missing_is_named() {
    for tag in [INDEX, TERM, TIME_MS, STATE, STATE_CRC, EXTENTS, EXTENT_LEN] {
        let mut fields = Fields::decode(&encode(&manifest()).slice(HEAD_BYTES..)).unwrap();
        fields.take(tag).unwrap();
        assert_eq!(
            decode(&reseal(fields.encode())),
            Err(ManifestError::Fields(tagged::Error::Missing { tag })),
            "{tag}"
        );
    }
    for len in [0, EXTENT_BYTES - 1, 1025] {
        let mut fields = Fields::decode(&encode(&manifest()).slice(HEAD_BYTES..)).unwrap();
        fields.take_number(EXTENT_LEN).unwrap();
        let fields = fields.number(EXTENT_LEN, len as u64);
        assert!(matches!(decode(&reseal(fields.encode())), Err(ManifestError::Wrong(_))), "{len}");
    }
}

#[test]
fn a_manifest_that_lies_is_refused() {
    let with = |extents: Vec<Extent>| Manifest { extents, ..manifest() };
    let of = |members: Members| Manifest { members, ..manifest() };
    let many: Vec<u64> = (1..=MEMBERS_MAX as u64 + 1).collect();
    for (name, manifest) in [
        ("overlap", with(vec![extent(1, 1, 9), extent(1, 9, 10)])),
        ("within each other", with(vec![extent(1, 1, 9), extent(1, 2, 3)])),
        ("out of order", with(vec![extent(2, 1, 9), extent(1, 1, 9)])),
        ("twice", with(vec![extent(1, 1, 9), extent(1, 1, 9)])),
        ("backwards", with(vec![extent(1, 9, 8)])),
        ("number 0", with(vec![extent(1, 0, 8)])),
        ("without end", with(vec![extent(1, 1, u64::MAX)])),
        ("no bytes", with(vec![Extent { bytes: 0, ..extent(1, 1, 2) }])),
        ("index beyond", Manifest { index: NUMBER_MAX + 1, ..manifest() }),
        ("term beyond", Manifest { term: NUMBER_MAX + 1, ..manifest() }),
        ("term without index", Manifest { index: 0, ..manifest() }),
        ("index without term", Manifest { term: 0, ..manifest() }),
        ("nobody votes", of(members(&[], &[1], &[], &[]))),
        ("nobody will vote", of(members(&[], &[], &[1], &[]))),
        ("votes and learns", of(members(&[1], &[1], &[], &[]))),
        ("voted and learns", of(members(&[1], &[2], &[2], &[]))),
        ("is to learn and never voted", of(members(&[1], &[], &[], &[2]))),
        ("is to learn and votes", of(members(&[1], &[], &[1], &[1]))),
        ("node 0", of(members(&[0, 1], &[], &[], &[]))),
        ("too many", of(members(&many, &[], &[], &[]))),
    ] {
        assert!(matches!(check(&manifest), Err(ManifestError::Wrong(_))), "{name}");
        assert!(decode(&encode(&manifest)).is_err(), "{name}");
    }
    for manifest in [
        with(vec![extent(1, 1, u64::MAX - 1), extent(2, 1, 1)]),
        Manifest { index: NUMBER_MAX, term: NUMBER_MAX, ..manifest() },
        of(members(&many[..MEMBERS_MAX], &[], &[], &[])),
        of(members(&[2], &[], &[1], &[1])),
    ] {
        assert_eq!(check(&manifest), Ok(()));
    }
}

/// Raft takes a snapshot with these members, or panics.
fn restores(members: &Members) -> bool {
    let numbers = |set: &BTreeSet<NodeNumber>| set.iter().map(|node| node.0).collect::<Vec<_>>();
    let conf = eraftpb::ConfState {
        voters: numbers(&members.voters),
        learners: numbers(&members.learners),
        voters_outgoing: numbers(&members.outgoing),
        learners_next: numbers(&members.learners_next),
        auto_leave: false,
    };
    let Some(own) = members.voters.iter().chain(&members.learners).chain(&members.outgoing).next() else {
        return true;
    };
    let config = Config { id: own.0, ..Config::new(own.0) };
    let logger = slog::Logger::root(slog::Discard, slog::o!());
    let mut node = RawNode::new(&config, MemStorage::new(), &logger).unwrap();
    let mut message = eraftpb::Message::default();
    message.set_msg_type(eraftpb::MessageType::MsgSnapshot);
    (message.from, message.to, message.term) = (99, own.0, 1);
    let metadata = eraftpb::SnapshotMetadata { conf_state: Some(conf), index: 10, term: 1 };
    message.snapshot = Some(eraftpb::Snapshot { data: Default::default(), metadata: Some(metadata) });
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| node.step(message).is_ok())).unwrap_or(false)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Raft panics on members that no changes lead to: whatever is let in it takes.
    #[test]
    fn members_that_are_let_in_are_taken_by_raft(
        bits in proptest::collection::vec(0u8..16, 5),
    ) {
        let set = |bit: u8| -> Vec<u64> {
            (1..).zip(&bits).filter(|(_, bits)| **bits & 1 << bit != 0).map(|(number, _)| number).collect()
        };
        let members = members(&set(0), &set(1), &set(2), &set(3));
        if check_members(&members).is_ok() {
            prop_assert!(restores(&members), "{:?}", members);
        }
    }

    #[test]
    fn what_is_written_is_read(
        (index, term, time_ms) in (1..NUMBER_MAX, 1..NUMBER_MAX, any::<u64>()),
        state in proptest::collection::vec(any::<u8>(), 0..2_000),
        runs in proptest::collection::vec((0u64..3, 1u64..100, 0u64..100, 1u64..1_000_000, any::<u32>()), 0..50),
    ) {
        let (mut lane, mut next) = (0, 1);
        let extents = runs.into_iter().map(|(skip, gap, len, bytes, digest)| {
            if skip > 0 {
                (lane, next) = (lane + skip, 1);
            }
            let (first, last) = (next + gap, next + gap + len);
            next = last + 1;
            Extent { lane: LaneId(lane), first, last, bytes, digest }
        });
        let extents = extents.collect();
        let manifest = Manifest { index, term, time_ms, state: Payload::new(state.into()), extents, ..manifest() };
        prop_assert_eq!(decode(&encode(&manifest)).unwrap(), manifest);
    }

    #[test]
    fn anything_may_come(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let bytes = Bytes::from(bytes);
        prop_assert!(decode(&bytes).is_err());
        // Also with the right checksum.
        drop(decode(&reseal(bytes)));
    }
}

#[test]
fn raft_does_panic_on_other_members() {
    assert!(!restores(&members(&[1], &[], &[], &[2])));
    assert!(restores(&members(&[1], &[], &[2], &[2])));
}
