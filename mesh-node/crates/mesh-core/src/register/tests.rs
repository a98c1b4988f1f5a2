mod bounds;
mod encoding;
mod model;

use bytes::Bytes;
use mesh_wire::{
    batch::{BatchBuilder, NO_PRODUCER, Producer, Record},
    code::Code,
};

use super::*;

const LANE: LaneId = LaneId(1);

pub(super) fn batch(id: u64, epoch: u32, base_sequence: u64, count: u64) -> Bytes {
    let mut builder = BatchBuilder::new(Producer { id, epoch, base_sequence });
    for at in 0..count {
        let value = format!("{id}:{epoch}:{}", base_sequence + at);
        builder.push(&Record { value: Some(value.as_bytes()), ..Record::default() }).unwrap();
    }
    builder.build().unwrap()
}

pub(super) fn append(lane: LaneId, batch: Bytes) -> Bytes {
    Command::Append { lane, batch }.encode()
}

pub(super) fn put(registers: &mut Registers, id: u64, epoch: u32, base: u64, count: u64) -> Reply {
    registers.apply(7, &append(LANE, batch(id, epoch, base, count))).reply
}

pub(super) fn new(first: u64, count: u32) -> Reply {
    Reply::Appended { first, count, duplicate: false }
}

pub(super) fn repeated(first: u64, count: u32) -> Reply {
    Reply::Appended { first, count, duplicate: true }
}

#[test]
fn numbers_are_dense_from_one_and_the_batch_is_kept_as_it_came() {
    let mut registers = Registers::new();
    let bytes = batch(5, 0, 0, 3);
    let command = append(LANE, bytes.clone());
    let applied = registers.apply(7, &command);
    let keep = applied.keep.unwrap();
    assert_eq!((applied.reply, keep.lane, keep.first, keep.count), (new(1, 3), LANE, 1, 3));
    let (from, to) = (keep.offset as usize, (keep.offset + keep.len) as usize);
    assert_eq!(command.slice(from..to), bytes);
    assert_eq!(put(&mut registers, NO_PRODUCER, 0, 0, 2), new(4, 2));
    assert_eq!(put(&mut registers, NO_PRODUCER, 0, 0, 2), new(6, 2), "nobody said that it is the same");
    assert_eq!(registers.view(LANE).map(|view| (view.first, view.next)), Some((1, 8)));
    assert_eq!(registers.view(LaneId(2)), None);
}

#[test]
fn what_comes_again_gets_the_numbers_that_it_had() {
    let mut registers = Registers::new();
    assert_eq!(put(&mut registers, 5, 0, 0, 3), new(1, 3));
    assert_eq!(put(&mut registers, 6, 0, 0, 1), new(4, 1));
    assert_eq!(put(&mut registers, 5, 0, 3, 2), new(5, 2));
    let before = registers.digest();
    assert_eq!(put(&mut registers, 5, 0, 0, 3), repeated(1, 3));
    assert_eq!(put(&mut registers, 5, 0, 3, 2), repeated(5, 2));
    assert_eq!(put(&mut registers, 6, 0, 0, 1), repeated(4, 1));
    assert_eq!(registers.apply(7, &append(LANE, batch(5, 0, 0, 3))).keep, None);
    assert_eq!(registers.digest(), before);
}

#[test]
fn gaps_and_older_epochs_are_refused() {
    let mut registers = Registers::new();
    let refused = |registers: &mut Registers, epoch, base, count| {
        let before = registers.clone();
        let Reply::Refused(refusal) = put(registers, 5, epoch, base, count) else { panic!("not refused") };
        assert_eq!(*registers, before);
        refusal
    };
    assert_eq!(refused(&mut registers, 0, 1, 1), Refusal::Gap { expected: 0 }, "it begins at 0");
    assert_eq!(put(&mut registers, 5, 0, 0, 3), new(1, 3));
    assert_eq!(refused(&mut registers, 0, 4, 1), Refusal::Gap { expected: 3 });
    assert_eq!(refused(&mut registers, 0, 2, 2), Refusal::Gap { expected: 3 }, "half of it is there");
    assert_eq!(refused(&mut registers, 2, 3, 1), Refusal::Gap { expected: 0 }, "a new life begins at 0");
    assert_eq!(put(&mut registers, 5, 2, 0, 1), new(4, 1));
    assert_eq!(refused(&mut registers, 1, 0, 1), Refusal::Fenced { epoch: 2 });
    assert_eq!(Refusal::Gap { expected: 0 }.code(), Code::SequenceGap);
    assert!(Refusal::Gap { expected: 0 }.is_retryable() && !Refusal::Fenced { epoch: 2 }.is_retryable());
}

#[test]
fn lanes_have_nothing_to_do_with_each_other() {
    let mut registers = Registers::new();
    assert_eq!(put(&mut registers, 5, 0, 0, 3), new(1, 3));
    let other = registers.apply(7, &append(LaneId(2), batch(5, 0, 0, 1)));
    assert_eq!(other.reply, new(1, 1));
    assert_eq!(
        registers.views().map(|(lane, view)| (lane.0, view.next)).collect::<Vec<_>>(),
        [(1, 4), (2, 2)]
    );
}

#[test]
fn what_is_trimmed_is_gone_and_its_numbers_are_not_given_again() {
    let mut registers = Registers::new();
    put(&mut registers, 5, 0, 0, 3);
    let trim = |registers: &mut Registers, lane, below| {
        registers.apply(7, &Command::Trim { lane: LaneId(lane), below }.encode())
    };
    let applied = trim(&mut registers, 1, 3);
    assert_eq!((applied.reply, applied.trim), (Reply::Trimmed, vec![Trim { lane: LANE, below: 3 }]));
    assert_eq!(trim(&mut registers, 1, 2).reply, Reply::Trimmed);
    assert_eq!(registers.view(LANE).map(|view| (view.first, view.next)), Some((3, 4)));
    assert_eq!(trim(&mut registers, 1, 4).reply, Reply::Trimmed, "all of it");
    for (lane, below) in [(1, 5), (2, 1)] {
        assert_eq!(trim(&mut registers, lane, below).reply, Reply::Refused(Refusal::Invalid));
    }
    assert_eq!(put(&mut registers, 5, 0, 3, 1), new(4, 1));
}

#[test]
fn batches_are_looked_at_before_and_after() {
    let good = batch(5, 0, 0, 2);
    assert_eq!(check(&good), Ok(()));
    let mut damaged = good.to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(check(&damaged), Err(Refusal::Batch { code: Code::RecordCorrupt.number() }));
    assert_eq!(check(&good[1..]), Err(Refusal::Batch { code: Code::BatchMalformed.number() }));
    let mut builder = BatchBuilder::new(Producer { id: 5, epoch: 0, base_sequence: 0 });
    builder.push_at(1, &Record::default()).unwrap();
    let sparse = builder.build().unwrap();
    assert_eq!(check(&sparse), Err(Refusal::Invalid));
    let mut registers = Registers::new();
    for wrong in [sparse, good.slice(1..), Bytes::new()] {
        assert!(matches!(registers.apply(7, &append(LANE, wrong)).reply, Reply::Refused(_)));
    }
    assert_eq!(registers.apply(7, &append(LaneId(0), good)).reply, Reply::Refused(Refusal::Invalid));
    assert_eq!(registers, Registers::new());
}

#[test]
fn a_digest_is_of_what_was_appended() {
    let digest = |batches: &[Bytes]| {
        let mut registers = Registers::new();
        for batch in batches {
            registers.apply(7, &append(LANE, batch.clone()));
        }
        registers.digest()
    };
    let (one, two) = (batch(NO_PRODUCER, 0, 0, 1), batch(NO_PRODUCER, 0, 1, 1));
    assert_eq!(digest(&[one.clone(), two.clone()]), digest(&[one.clone(), two.clone()]));
    assert_ne!(digest(&[one.clone(), two.clone()]), digest(&[two.clone(), one.clone()]));
    assert_ne!(digest(std::slice::from_ref(&one)), digest(&[two]));
    assert_ne!(digest(&[]), digest(&[one]));
}
