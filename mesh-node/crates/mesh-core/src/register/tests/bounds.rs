//! Each bound, and one more.

use super::*;

#[test]
fn as_many_runs_as_are_remembered() {
    let mut registers = Registers::new();
    // Two producers in turn: each batch is a run of its own.
    for at in 0..=RUNS_MAX as u64 {
        assert_eq!(put(&mut registers, 5, 0, at, 1), new(2 * at + 1, 1));
        assert_eq!(put(&mut registers, 6, 0, at, 1), new(2 * at + 2, 1));
    }
    assert_eq!(put(&mut registers, 5, 0, 1, 1), repeated(3, 1));
    let forgotten = Refusal::Forgotten { expected: RUNS_MAX as u64 + 1 };
    assert_eq!(put(&mut registers, 5, 0, 0, 1), Reply::Refused(forgotten));
    assert_eq!(forgotten.code(), Code::SequenceForgotten);
}

#[test]
fn as_many_runs_of_a_shard_as_should_be() {
    let mut registers = Registers::new();
    put(&mut registers, 5, 0, 0, 1);
    put(&mut registers, 6, 0, 0, 1);
    registers.runs = SHARD_RUNS_MAX - RUNS_KEPT;
    let in_turn = |registers: &mut Registers, at| {
        put(registers, 5, 0, at, 1);
        put(registers, 6, 0, at, 1);
    };
    for at in 1..RUNS_KEPT as u64 {
        in_turn(&mut registers, at);
    }
    assert_eq!(put(&mut registers, 5, 0, 0, 1), repeated(1, 1), "that many stay, whatever there is");
    let full = registers.runs;
    assert!(full >= SHARD_RUNS_MAX, "{full}");
    in_turn(&mut registers, RUNS_KEPT as u64);
    assert_eq!(registers.runs, full);
    let forgotten = Refusal::Forgotten { expected: RUNS_KEPT as u64 + 1 };
    assert_eq!(put(&mut registers, 5, 0, 0, 1), Reply::Refused(forgotten));
    assert_eq!(put(&mut registers, 5, 0, 1, 1), repeated(3, 1));
}

#[test]
fn one_producer_alone_is_remembered_for_ever() {
    let mut registers = Registers::new();
    for at in 0..RUNS_MAX as u64 * 3 {
        assert_eq!(put(&mut registers, 5, 0, at * 2, 2), new(at * 2 + 1, 2));
    }
    assert_eq!(put(&mut registers, 5, 0, 0, 2), repeated(1, 2));
}

/// A command from a producer's first batch, without building a batch for each.
fn first_of(template: &Bytes, lane: LaneId, producer: u64) -> Bytes {
    let mut batch = template.to_vec();
    batch[48..56].copy_from_slice(&producer.to_le_bytes());
    append(lane, batch.into())
}

#[test]
fn as_many_producers_of_a_lane_as_are_remembered() {
    let template = batch(0, 0, 0, 1);
    let mut registers = Registers::new();
    for producer in 0..LANE_PRODUCERS_MAX as u64 {
        let time = if producer == 17 { 100 } else { 200 };
        assert!(matches!(
            registers.apply(time, &first_of(&template, LANE, producer)).reply,
            Reply::Appended { .. }
        ));
    }
    let more = first_of(&template, LANE, 1 << 40);
    let full = Reply::Refused(Refusal::ProducersFull);
    assert_eq!(registers.apply(99 + PRODUCER_IDLE_MS, &more).reply, full);
    // Those that are known go on; another lane has room.
    assert_eq!(registers.apply(200, &first_of(&template, LANE, 3)).reply, repeated(4, 1));
    assert_eq!(registers.apply(200, &first_of(&template, LaneId(2), 1 << 40)).reply, new(1, 1));
    assert_eq!(registers.apply(100 + PRODUCER_IDLE_MS, &more).reply, new(LANE_PRODUCERS_MAX as u64 + 1, 1));
    assert_eq!(registers.producers, LANE_PRODUCERS_MAX + 1);
    // The one that went is not known any more, and there is no room for it.
    assert_eq!(registers.apply(100 + PRODUCER_IDLE_MS, &first_of(&template, LANE, 17)).reply, full);
    // Heard again: stays.
    assert_eq!(registers.apply(199 + PRODUCER_IDLE_MS, &first_of(&template, LANE, 4)).reply, repeated(5, 1));
    let last = first_of(&template, LANE, 2 << 40);
    assert!(matches!(registers.apply(200 + PRODUCER_IDLE_MS, &last).reply, Reply::Appended { .. }));
    assert_eq!(registers.apply(200 + PRODUCER_IDLE_MS, &first_of(&template, LANE, 4)).reply, repeated(5, 1));
}

#[test]
fn as_many_producers_of_a_shard_as_are_remembered() {
    let template = batch(0, 0, 0, 1);
    let mut registers = Registers::new();
    let per_lane = 1_024;
    for producer in 0..PRODUCERS_MAX as u64 {
        let lane = LaneId(producer / per_lane + 1);
        registers.apply(200, &first_of(&template, lane, producer));
    }
    assert_eq!(registers.producers, PRODUCERS_MAX);
    let more = first_of(&template, LaneId(1), 1 << 40);
    assert_eq!(registers.apply(199 + PRODUCER_IDLE_MS, &more).reply, Reply::Refused(Refusal::ProducersFull));
    let mut restored = Registers::decode(&registers.encode()).unwrap();
    for registers in [&mut registers, &mut restored] {
        assert_eq!(registers.apply(200 + PRODUCER_IDLE_MS, &more).reply, new(per_lane + 1, 1));
        assert_eq!((registers.producers, registers.runs), (1, 1));
    }
    assert_eq!(registers.encode(), restored.encode());
}

#[test]
fn as_many_lanes_as_there_may_be() {
    let anyone = batch(NO_PRODUCER, 0, 0, 1);
    let mut registers = Registers::new();
    for lane in 1..=LANES_MAX as u64 {
        assert_eq!(registers.apply(7, &append(LaneId(lane), anyone.clone())).reply, new(1, 1));
    }
    let one_more = append(LaneId(LANES_MAX as u64 + 1), anyone.clone());
    assert_eq!(registers.apply(7, &one_more).reply, Reply::Refused(Refusal::LanesFull));
    assert_eq!(registers.apply(7, &append(LANE, anyone)).reply, new(2, 1));
}
