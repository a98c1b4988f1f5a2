//! Bytes: golden ones, what a later version wrote, and what nobody wrote.

use proptest::prelude::*;

use super::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn full() -> Registers {
    let mut registers = Registers::new();
    put(&mut registers, 5, 3, 0, 3);
    put(&mut registers, 6, 0, 0, 1);
    put(&mut registers, 5, 3, 3, 300);
    registers.apply(9, &append(LaneId(300), batch(NO_PRODUCER, 0, 0, 1)));
    registers.apply(9, &Command::Trim { lane: LANE, below: 4 }.encode());
    registers
}

#[test]
fn golden_commands() {
    let commands = [
        (
            "01000000000000002c01000000000000626174636800",
            Command::Append { lane: LaneId(300), batch: Bytes::from_static(b"batch\0") },
        ),
        ("020000000000000001000000000000000700000000000000", Command::Trim { lane: LANE, below: 7 }),
        (
            "030000000000000001000000000000000700000000000000",
            Command::Forget { first: LANE, last: LaneId(7) },
        ),
    ];
    for (golden, command) in commands {
        let bytes = command.encode();
        assert_eq!(hex(&bytes), golden);
        assert_eq!(Command::decode(&bytes), Ok(command));
    }
    assert_eq!(append(LANE, Bytes::new()).len(), APPEND_OVERHEAD);
}

#[test]
fn golden_replies() {
    let replies = [
        ("00010000030000000700000000000000", repeated(7, 3)),
        ("00000000030000000700000000000000", new(7, 3)),
        ("01000000000000000000000000000000", Reply::Trimmed),
        ("02000000000000000000000000000000", Reply::Refused(Refusal::Invalid)),
        ("02000100000000004c04000000000000", Reply::Refused(Refusal::Batch { code: 1100 })),
        ("02000200000000000700000000000000", Reply::Refused(Refusal::Fenced { epoch: 7 })),
        ("02000300000000000700000000000000", Reply::Refused(Refusal::Gap { expected: 7 })),
        ("02000400000000000700000000000000", Reply::Refused(Refusal::Forgotten { expected: 7 })),
        ("02000500000000000000000000000000", Reply::Refused(Refusal::ProducersFull)),
        ("02000600000000000000000000000000", Reply::Refused(Refusal::LanesFull)),
        ("02000700000000000000000000000000", Reply::Refused(Refusal::Undeclared)),
        ("03000000000000000000000000000000", Reply::Forgotten),
    ];
    for (golden, reply) in replies {
        let bytes = reply.encode();
        assert_eq!((hex(&bytes), bytes.len()), (golden.into(), REPLY_BYTES));
        assert_eq!(Reply::decode(&bytes), Ok(reply));
    }
}

#[test]
fn golden_state() {
    let registers = full();
    let bytes = registers.encode();
    assert_eq!(Registers::decode(&bytes).unwrap().encode(), bytes);
    let golden = [
        "00010739040108040cb10210b4e68c8fd997bac56b1716040508030caf021007140014031401140314ac0214",
        "05170e040608000c011007140014011404071204ac0208010c0210db8fd7bf93e183c8e701",
    ];
    assert_eq!(hex(&bytes), golden.concat());
}

#[test]
fn what_a_later_version_wrote_goes_through_an_earlier_one() {
    let mut fields = Fields::decode(&full().encode()).unwrap();
    let later = |fields: Fields| fields.number(70, 7).record(71, Fields::new().text(1, "later"));
    let lanes: Vec<_> = fields
        .take_records(1)
        .unwrap()
        .into_iter()
        .map(|mut lane| {
            let producers: Vec<_> = lane.take_records(5).unwrap().into_iter().map(later).collect();
            later(lane).records(5, producers)
        })
        .collect();
    let later = later(fields).records(1, lanes).encode();
    let mut earlier = Registers::decode(&later).unwrap();
    assert_eq!(earlier.encode(), later);
    assert_eq!(put(&mut earlier, 5, 3, 303, 1), new(305, 1));
    let kept = hex(&earlier.encode()).matches(&hex(b"later")).count();
    assert_eq!(kept, 5, "the state's, two lanes', two producers'");
}

#[test]
fn states_that_can_not_be() {
    let lane = |first, next| {
        let lane = Fields::new().number(1, 1).number(2, first).number(3, next).number(4, 0);
        Registers::decode(&Fields::new().number(0, 1).record(1, lane).encode())
    };
    assert!(lane(1, 1).is_ok() && lane(3, 3).is_ok());
    assert!(lane(0, 1).is_err() && lane(2, 1).is_err());
    let producer = |runs: &[u64]| {
        let producer =
            Fields::new().number(1, 5).number(2, 0).number(3, 9).number(4, 0).numbers(5, runs.to_vec());
        let lane = Fields::new().number(1, 1).number(2, 1).number(3, 99).number(4, 0).record(5, producer);
        Registers::decode(&Fields::new().number(0, 1).record(1, lane).encode())
    };
    assert!(producer(&[]).is_ok() && producer(&[0, 9, 1]).is_ok());
    assert!(producer(&[0, 9]).is_err(), "not three");
    assert!(producer(&[0, 10, 1]).is_err(), "beyond what comes next");
    assert!(producer(&[0, 9, u64::MAX]).is_err());
    assert!(producer(&[0, 1, 1].repeat(RUNS_MAX)).is_ok());
    assert!(producer(&[0, 1, 1].repeat(RUNS_MAX + 1)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let bytes = Bytes::from(bytes);
        _ = (Registers::decode(&bytes), Reply::decode(&bytes), check(&bytes));
        full().apply(9, &bytes);
        full().apply(9, &append(LANE, bytes));
    }

    #[test]
    fn a_tampered_state_never_panics(at in any::<prop::sample::Index>(), flip in 1..=255_u8, base in 0..400_u64) {
        let mut bytes = full().encode().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Ok(mut registers) = Registers::decode(&bytes.into()) {
            put(&mut registers, 5, 3, base, 2);
            put(&mut registers, 6, 0, 1, 2);
            _ = registers.encode();
        }
    }

    #[test]
    fn a_tampered_batch_never_panics(at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let mut bytes = batch(5, 3, 303, 2).to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        let mut registers = full();
        let applied = registers.apply(9, &append(LANE, bytes.into()));
        prop_assert_eq!(applied.keep.is_some(), matches!(applied.reply, Reply::Appended { duplicate: false, .. }));
    }
}
