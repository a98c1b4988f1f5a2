//! Registers beside something slow and obvious, which forgets nothing.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Everything that was ever appended: who appended which number.
#[derive(Default)]
struct Model {
    lanes: BTreeMap<u64, Vec<(u64, u32, u64)>>,
    epochs: BTreeMap<(u64, u64), u32>,
}

impl Model {
    /// The number that a record has.
    fn number(&self, lane: u64, record: (u64, u32, u64)) -> Option<u64> {
        let at = self.lanes.get(&lane)?.iter().position(|other| *other == record)?;
        Some(at as u64 + 1)
    }

    fn append(
        &mut self,
        lane: u64,
        id: u64,
        epoch: u32,
        base: u64,
        count: u32,
    ) -> Result<(u64, bool), &'static str> {
        let known = *self.epochs.get(&(lane, id)).unwrap_or(&0);
        if epoch < known {
            return Err("fenced");
        }
        let records: Vec<_> = (base..base + u64::from(count)).map(|sequence| (id, epoch, sequence)).collect();
        let numbers: Vec<_> = records.iter().filter_map(|record| self.number(lane, *record)).collect();
        if numbers.len() == records.len() {
            // All there; together, if they came together.
            let together = numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]);
            return if together { Ok((numbers[0], true)) } else { Err("never one batch") };
        }
        let follows = base == 0 || self.number(lane, (id, epoch, base - 1)).is_some();
        if !follows || !numbers.is_empty() {
            return Err("gap");
        }
        self.epochs.insert((lane, id), epoch);
        let all = self.lanes.entry(lane).or_default();
        let first = all.len() as u64 + 1;
        all.extend(records);
        Ok((first, false))
    }
}

#[derive(Debug, Clone)]
struct Put {
    lane: u64,
    id: u64,
    epoch: u32,
    /// From what comes next: below 0 is there already.
    from_next: i64,
    count: u32,
    checkpoint: bool,
}

fn any_put() -> impl Strategy<Value = Put> {
    let from_next = prop_oneof![6 => Just(0), 3 => -12..0_i64, 1 => 1..3_i64];
    let epoch = prop_oneof![9 => Just(1_u32), 1 => 0..4_u32];
    (1..3_u64, 0..3_u64, epoch, from_next, 1..5_u32, prop::bool::weighted(0.1)).prop_map(
        |(lane, id, epoch, from_next, count, checkpoint)| Put {
            lane,
            id,
            epoch,
            from_next,
            count,
            checkpoint,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn like_the_model(puts in prop::collection::vec(any_put(), 1..120)) {
        let mut registers = Registers::new();
        let mut model = Model::default();
        let mut next: BTreeMap<(u64, u64, u32), u64> = BTreeMap::new();
        for (time, put) in (1..).zip(puts) {
            let key = (put.lane, put.id, put.epoch);
            let base = next.get(&key).copied().unwrap_or_default().saturating_add_signed(put.from_next);
            let command = append(LaneId(put.lane), batch(put.id, put.epoch, base, put.count.into()));
            let applied = registers.apply(time, &command);
            let expected = model.append(put.lane, put.id, put.epoch, base, put.count);
            match (applied.reply, expected) {
                (Reply::Appended { first, count, duplicate }, Ok(expected)) => {
                    prop_assert_eq!(((first, duplicate), count), (expected, put.count));
                    prop_assert_eq!(applied.keep.is_some(), !duplicate);
                    if !duplicate {
                        next.insert(key, base + u64::from(put.count));
                    }
                }
                // Of an old run the numbers may be forgotten, but not that it was there.
                (Reply::Refused(Refusal::Forgotten { .. }), Ok((_, true)) | Err("never one batch")) => {}
                (Reply::Refused(Refusal::Fenced { .. }), Err("fenced")) => {}
                (Reply::Refused(Refusal::Gap { .. }), Err("gap")) => {}
                (reply, expected) => prop_assert!(false, "{put:?}: {reply:?}, and the model: {expected:?}"),
            }
            if put.checkpoint {
                registers = Registers::decode(&registers.encode()).unwrap();
            }
        }
        for (lane, all) in &model.lanes {
            prop_assert_eq!(registers.view(LaneId(*lane)).map(|view| view.next), Some(all.len() as u64 + 1));
        }
    }
}
