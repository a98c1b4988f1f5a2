//! Lanes that are declared no more: nothing of them is there, and nothing comes to be there again.

use std::collections::BTreeMap;

use super::{Applied, FormatError, LaneId, Registers, Reply, Trim, append::refused, refusal::Refusal};
use crate::tagged::Fields;

/// Ranges of lanes, with others between any two of them: so there are at most as many as lanes that are declared, and one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Gone(BTreeMap<LaneId, LaneId>);

impl Gone {
    pub(super) fn has(&self, lane: LaneId) -> bool {
        self.0.range(..=lane).next_back().is_some_and(|(_, last)| lane <= *last)
    }

    /// Adds a range and joins it with those that it touches.
    fn add(&mut self, first: LaneId, last: LaneId) {
        let (mut first, mut last) = (first, last);
        while let Some((from, to)) = self.0.range(..=LaneId(last.0.saturating_add(1))).next_back() {
            let (from, to) = (*from, *to);
            if to.0.saturating_add(1) < first.0 {
                break;
            }
            self.0.remove(&from);
            (first, last) = (first.min(from), last.max(to));
        }
        self.0.insert(first, last);
    }

    pub(super) fn to_fields(&self) -> impl Iterator<Item = Fields> + '_ {
        self.0.iter().map(|(first, last)| Fields::new().number(1, first.0).number(2, last.0))
    }

    pub(super) fn from_fields(ranges: Vec<Fields>) -> Result<Self, FormatError> {
        let mut gone = Self::default();
        for mut range in ranges {
            let (first, last) = (range.take_number(1)?, range.take_number(2)?);
            if first == 0 || last < first {
                return Err(FormatError::Unfit { tag: 2 });
            }
            gone.add(LaneId(first), LaneId(last));
        }
        Ok(gone)
    }
}

impl Registers {
    /// Whether a lane is known to be declared no more.
    #[must_use]
    pub fn is_gone(&self, lane: LaneId) -> bool {
        self.gone.has(lane)
    }

    pub(super) fn forget(&mut self, first: LaneId, last: LaneId) -> Applied {
        if first.0 == 0 || last < first {
            return refused(Refusal::Invalid);
        }
        let lanes: Vec<LaneId> = self.lanes.range(first..=last).map(|(id, _)| *id).collect();
        let mut trim = Vec::with_capacity(lanes.len());
        for id in lanes {
            let Some(lane) = self.lanes.remove(&id) else { continue };
            self.producers -= lane.producers.len();
            self.runs -= lane.runs();
            trim.push(Trim { lane: id, below: lane.view().next });
        }
        self.gone.add(first, last);
        Applied { reply: Reply::Forgotten, keep: None, trim }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_has_what_was_added_in_as_few_ranges_as_can_be(added in prop::collection::vec((1..60_u64, 0..9_u64), 0..20)) {
            let mut gone = Gone::default();
            let mut model = std::collections::BTreeSet::new();
            for (first, more) in added {
                gone.add(LaneId(first), LaneId(first + more));
                model.extend(first..=first + more);
            }
            for lane in 0..80 {
                prop_assert_eq!(gone.has(LaneId(lane)), model.contains(&lane), "{}", lane);
            }
            let begins = model.iter().filter(|lane| !model.contains(&(**lane - 1))).count();
            prop_assert_eq!(gone.0.len(), begins);
            let again = Gone::from_fields(gone.to_fields().collect());
            prop_assert_eq!(again, Ok(gone));
        }
    }

    #[test]
    fn the_ends_of_the_numbers_are_no_exception() {
        let mut gone = Gone::default();
        gone.add(LaneId(u64::MAX), LaneId(u64::MAX));
        gone.add(LaneId(1), LaneId(u64::MAX - 1));
        assert!(gone.has(LaneId(1)) && gone.has(LaneId(u64::MAX)) && !gone.has(LaneId(0)));
        assert_eq!(gone.0.len(), 1);
    }
}
