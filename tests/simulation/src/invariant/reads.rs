//! A linearizable read sees all that was acknowledged, to anyone, before it was asked for.

use std::collections::BTreeMap;

use mesh_log::id::{GroupId, LaneId};

use super::Verdict;

/// How far the records of each lane are known to reach.
#[derive(Debug, Default)]
pub struct FreshReads(BTreeMap<(GroupId, LaneId), u64>);

impl FreshReads {
    /// A client was told, by an acknowledgement or a read, that a lane reaches to a number.
    pub fn known(&mut self, group: GroupId, lane: LaneId, last: u64) {
        let known = self.0.entry((group, lane)).or_default();
        *known = last.max(*known);
    }

    /// What a read that is asked for now has to see.
    #[must_use]
    pub fn must_see(&self, group: GroupId, lane: LaneId) -> u64 {
        self.0.get(&(group, lane)).copied().unwrap_or(0)
    }

    /// What it saw.
    ///
    /// # Errors
    /// When that is less.
    pub fn saw(&mut self, node: u64, group: GroupId, lane: LaneId, must_see: u64, last: u64) -> Verdict {
        self.known(group, lane, last);
        if last >= must_see {
            return Ok(());
        }
        Err(format!(
            "node {node} showed lane {} of group {group} up to {last}, when {must_see} was known",
            lane.0
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_may_see_more_and_not_less() {
        let (group, lane) = (GroupId(1), LaneId(2));
        let mut reads = FreshReads::default();
        reads.known(group, lane, 5);
        reads.known(group, lane, 3);
        let must_see = reads.must_see(group, lane);
        assert_eq!((must_see, reads.must_see(group, LaneId(3))), (5, 0));
        assert!(reads.saw(1, group, lane, must_see, 4).is_err());
        reads.saw(1, group, lane, must_see, 7).unwrap();
        assert_eq!(reads.must_see(group, lane), 7, "what one has seen the next one sees");
    }
}
