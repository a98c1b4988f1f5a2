//! What is written is read; what is read from anything panics never, and holds no more than a small multiple of it.

use proptest::prelude::*;

use super::*;

fn an_entry() -> impl Strategy<Value = Entry> {
    (any::<u64>(), any::<u64>(), any::<bool>(), prop_oneof![9 => 0..300usize, 1 => 0..300_000usize]).prop_map(
        |(term, index, members, len)| Entry {
            term,
            index,
            kind: if members { EntryKind::Members } else { EntryKind::Commands },
            payload: payload(len, index as u8),
        },
    )
}

fn a_message() -> impl Strategy<Value = Message> {
    let numbers = || proptest::array::uniform10(any::<u64>());
    let raft = (
        numbers(),
        any::<bool>(),
        any::<u8>(),
        proptest::collection::vec(any::<u8>(), 0..=CONTEXT_BYTES_MAX),
    );
    let raft = (raft, proptest::option::of(an_entry())).prop_map(|((n, reject, kind, context), entry)| {
        Message::Raft(Raft {
            group: GroupId(n[0] as u32),
            from: NodeNumber(n[1]),
            to: NodeNumber(n[2]),
            kind,
            term: n[3],
            log_term: n[4],
            index: n[5],
            commit: n[6],
            commit_term: n[7],
            reject,
            reject_hint: n[8],
            context: context.into(),
            entries: entry.into_iter().collect(),
            priority: n[9].cast_signed(),
            request_snapshot: n[9],
        })
    });
    let beats = proptest::collection::vec((numbers(), any::<bool>()), 1..20).prop_map(|beats| {
        beats
            .into_iter()
            .map(|(n, rests)| Beat {
                group: GroupId(n[0] as u32),
                term: n[1],
                commit: n[2],
                rests,
                lost: n[4] % 2 == 1,
                read: n[3],
            })
            .collect::<Vec<_>>()
    });
    let pull = numbers().prop_map(|n| {
        Message::Pull(Pull {
            group: GroupId(n[0] as u32),
            from: NodeNumber(n[1]),
            snapshot: n[2],
            lane: LaneId(n[3]),
            first: n[4],
            last: n[5],
            max_bytes: n[6] as u32,
        })
    });
    let piece = (any::<u64>(), any::<u32>(), 0..40_000usize)
        .prop_map(|(first, count, len)| (first, count, payload(len, 9)));
    let part =
        (numbers(), any::<bool>(), proptest::collection::vec(piece, 0..40)).prop_map(|(n, gone, pieces)| {
            Message::Part(Part {
                group: GroupId(n[0] as u32),
                from: NodeNumber(n[1]),
                snapshot: n[2],
                lane: LaneId(n[3]),
                pieces,
                gone,
            })
        });
    prop_oneof![
        4 => raft,
        1 => beats.clone().prop_map(Message::Beat),
        1 => beats.prop_map(Message::BeatReply),
        1 => Just(Message::Alive),
        1 => pull,
        1 => part,
        1 => (0..200usize).prop_map(|state| Message::Offer(offer(state))),
    ]
}

/// Messages of one kind, in their order.
fn of_kind(messages: &[Message], kind: std::mem::Discriminant<Message>) -> Vec<&Message> {
    messages.iter().filter(|message| std::mem::discriminant(*message) == kind).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(messages in proptest::collection::vec(a_message(), 0..20)) {
        let decoded = decode_all(&encode(&messages).unwrap()).unwrap();
        prop_assert_eq!(decoded.len(), messages.len());
        for message in &messages {
            let kind = std::mem::discriminant(message);
            prop_assert_eq!(of_kind(&decoded, kind), of_kind(&messages, kind));
        }
    }

    #[test]
    fn anything_may_come(
        kind in 0x42u8..0x4c,
        body in proptest::collection::vec(any::<u8>(), 0..400),
        (aux, id, more) in (0u32..4, 0u64..600, any::<bool>()),
    ) {
        let kind = Kind::from_byte(kind).unwrap();
        let flags = if more { Flags::MORE } else { Flags::NONE };
        let mut decoder = Decoder::new();
        for aux in [aux, body.len() as u32] {
            if let Err(error) = decoder.decode(&frame(kind, flags, aux, id, &body)) {
                prop_assert!(!error.hint().is_empty());
            }
        }
        prop_assert!(decoder.held_bytes() <= 2 * body.len());
    }

    #[test]
    fn what_was_changed_on_its_way_is_read_as_something_or_refused(
        messages in proptest::collection::vec(a_message(), 1..4),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        for outgoing in encode(&messages).unwrap() {
            let mut bytes = outgoing.frame.to_vec();
            for (at, value) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *value;
            }
            // It must not panic; what it makes of it is for the door to judge.
            drop(Decoder::new().decode(&Bytes::from(bytes)));
        }
    }
}
