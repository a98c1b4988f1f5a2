//! What can be read is what was sent: every acknowledged record where the acknowledgement said, numbers without a gap,
//! no record that nobody sent, none twice, and those of a producer in its order.

use std::collections::BTreeMap;

use mesh_log::id::{GroupId, LaneId};

use super::Verdict;

/// A record as its producer knows it. Rises with each record of a producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// The producer.
    pub producer: u64,
    /// Its number there.
    pub sequence: u64,
}

/// What is known of one lane.
#[derive(Debug, Default)]
struct Lane {
    /// What an acknowledgement or a read showed at a number.
    at: BTreeMap<u64, RecordId>,
    /// Numbers of acknowledged records.
    acknowledged: BTreeMap<RecordId, u64>,
    /// What was sent, acknowledged or not: the last number of each producer.
    sent: BTreeMap<u64, u64>,
    /// Nobody wants what is below this number.
    unwanted: u64,
}

/// All lanes of all groups.
#[derive(Debug, Default)]
pub struct Model(BTreeMap<(GroupId, LaneId), Lane>);

impl Model {
    /// A producer sends records up to a number, those before having been sent before.
    pub fn sent(&mut self, group: GroupId, lane: LaneId, last: RecordId) {
        let sent = self.lane(group, lane).sent.entry(last.producer).or_default();
        *sent = last.sequence.max(*sent);
    }

    /// Somebody gives up the records below a number.
    pub fn trimmed(&mut self, group: GroupId, lane: LaneId, below: u64) {
        let unwanted = &mut self.lane(group, lane).unwanted;
        *unwanted = below.max(*unwanted);
    }

    /// A record was acknowledged under a number.
    ///
    /// # Errors
    /// When it has another number, or the number another record.
    pub fn acknowledged(&mut self, group: GroupId, lane: LaneId, number: u64, record: RecordId) -> Verdict {
        let known = self.lane(group, lane);
        if let Some(before) = known.acknowledged.insert(record, number)
            && before != number
        {
            return Err(format!(
                "{record:?} was acknowledged as number {before} and as {number} of {lane:?}"
            ));
        }
        known.put(number, record).map_err(|what| format!("group {group}, {lane:?}: {what}"))
    }

    /// A record was read.
    ///
    /// # Errors
    /// When nobody sent it, or another one was seen there.
    pub fn read(&mut self, group: GroupId, lane: LaneId, number: u64, record: RecordId) -> Verdict {
        let known = self.lane(group, lane);
        let place = || format!("group {group}, {lane:?}");
        if known.sent.get(&record.producer).is_none_or(|last| *last < record.sequence) {
            return Err(format!("{}: number {number} is {record:?}, which nobody sent", place()));
        }
        known.put(number, record).map_err(|what| format!("{}: {what}", place()))
    }

    /// All of a lane as a replica has it, from number 1 on, or from where nobody wants what is before.
    ///
    /// # Errors
    /// When it is not what it has to be.
    pub fn whole(&mut self, group: GroupId, lane: LaneId, records: &[(u64, RecordId)]) -> Verdict {
        let place = format!("group {group}, {lane:?}");
        let mut last_of: BTreeMap<u64, u64> = BTreeMap::new();
        let unwanted = self.lane(group, lane).unwanted.max(1);
        let first = records.first().map_or(unwanted, |(number, _)| *number);
        if first > unwanted {
            return Err(format!("{place}: it begins with number {first}, and {unwanted} is still wanted"));
        }
        for (expected, (number, record)) in (first..).zip(records) {
            if *number != expected {
                return Err(format!("{place}: number {number} comes where {expected} should"));
            }
            let last = last_of.insert(record.producer, record.sequence);
            if last.is_some_and(|last| last >= record.sequence) {
                return Err(format!("{place}: {record:?} comes after number {last:?} of its producer"));
            }
            self.read(group, lane, *number, *record)?;
        }
        let end = first + records.len() as u64;
        let known = self.lane(group, lane);
        let lost = known.acknowledged.iter().find(|(_, number)| **number >= end.max(unwanted));
        lost.map_or(Ok(()), |(record, number)| {
            Err(format!("{place}: {record:?} was acknowledged as number {number}; it ends before {end}"))
        })
    }

    /// How many records were acknowledged.
    #[must_use]
    pub fn acknowledged_records(&self) -> u64 {
        self.0.values().map(|lane| lane.acknowledged.len() as u64).sum()
    }

    fn lane(&mut self, group: GroupId, lane: LaneId) -> &mut Lane {
        self.0.entry((group, lane)).or_default()
    }
}

impl Lane {
    fn put(&mut self, number: u64, record: RecordId) -> Verdict {
        match *self.at.entry(number).or_insert(record) {
            known if known == record => Ok(()),
            known => Err(format!("number {number} is {record:?}, and was {known:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: GroupId = GroupId(1);
    const LANE: LaneId = LaneId(1);

    fn id(producer: u64, sequence: u64) -> RecordId {
        RecordId { producer, sequence }
    }

    fn model() -> Model {
        let mut model = Model::default();
        model.sent(GROUP, LANE, id(1, 5));
        model.sent(GROUP, LANE, id(2, 5));
        model.acknowledged(GROUP, LANE, 1, id(1, 1)).unwrap();
        model.acknowledged(GROUP, LANE, 2, id(2, 1)).unwrap();
        model
    }

    fn whole(records: &[RecordId]) -> Verdict {
        let records: Vec<_> = (1..).zip(records.iter().copied()).collect();
        model().whole(GROUP, LANE, &records)
    }

    #[test]
    fn what_was_acknowledged_and_more_is_fine() {
        whole(&[id(1, 1), id(2, 1)]).unwrap();
        whole(&[id(1, 1), id(2, 1), id(1, 2), id(2, 4)]).unwrap();
        assert_eq!(model().acknowledged_records(), 2);
    }

    #[test]
    fn loss_phantoms_duplicates_and_disorder_are_found() {
        for wrong in [
            &[id(1, 1)] as &[_],
            &[id(2, 1), id(1, 1)],
            &[id(1, 1), id(2, 1), id(1, 6)],
            &[id(1, 1), id(2, 1), id(3, 1)],
            &[id(1, 1), id(2, 1), id(1, 1)],
            &[id(1, 1), id(2, 1), id(1, 3), id(1, 2)],
        ] {
            assert!(whole(wrong).is_err(), "{wrong:?}");
        }
        assert!(model().whole(GROUP, LANE, &[(1, id(1, 1)), (3, id(2, 1))]).is_err(), "a gap");
    }

    #[test]
    fn only_what_nobody_wants_may_be_missing_at_the_front() {
        let mut model = model();
        assert!(model.whole(GROUP, LANE, &[(2, id(2, 1))]).is_err());
        model.trimmed(GROUP, LANE, 2);
        model.whole(GROUP, LANE, &[(2, id(2, 1))]).unwrap();
        model.whole(GROUP, LANE, &[(1, id(1, 1)), (2, id(2, 1))]).unwrap();
        assert!(model.whole(GROUP, LANE, &[]).is_err());
        model.trimmed(GROUP, LANE, 3);
        model.whole(GROUP, LANE, &[]).unwrap();
    }

    #[test]
    fn acknowledgements_agree_with_each_other_and_with_reads() {
        let mut model = model();
        model.acknowledged(GROUP, LANE, 1, id(1, 1)).unwrap();
        assert!(model.acknowledged(GROUP, LANE, 3, id(1, 1)).is_err());
        assert!(model.acknowledged(GROUP, LANE, 1, id(1, 2)).is_err());
        model.read(GROUP, LANE, 7, id(1, 3)).unwrap();
        assert!(model.read(GROUP, LANE, 7, id(1, 4)).is_err());
    }
}
