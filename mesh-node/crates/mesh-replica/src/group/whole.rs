//! Whether there is all that the files of a group say there is.
//!
//! ```text
//!   log: "goes on from entry 75" ─► checkpoint of entry 75 or later ─► "lane 1: records 1 to 30,000" ─► segments
//! ```
//! Each file of a directory that was copied in part may be as it was written; what is missing is known only to the others.

use bytes::Bytes;
use mesh_log::{
    id::{GroupId, LaneId},
    lanes::Lanes,
    location::{Location, Piece},
    log::RecoveredGroup,
};
use mesh_wire::code::Code;

use super::{Saved, start_of};

/// Something of a group that there should be and is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lack {
    /// The checkpoint from which the log goes on.
    #[error("its checkpoint is not there: the log goes on behind entry {cut}")]
    Checkpoint {
        /// The last entry that was in it.
        cut: u64,
    },
    /// Entries that are known to have been there.
    #[error("entries behind {last} are not there")]
    Entries {
        /// The last one that is.
        last: u64,
    },
    /// Records that the checkpoint names.
    #[error("records {first} to {last} of lane {} are not there", lane.0)]
    Records {
        /// The lane.
        lane: LaneId,
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
}

impl Lack {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::DataDirIncomplete
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether it can be there later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}

/// What of a group is not there, as far as its checkpoint and its log know. `lanes` say where records stand in segments.
/// What is damaged is told by whoever read it, and not here; `is_there` says of a place in a file of the log only whether
/// the file reaches so far.
#[must_use]
pub fn lacking(
    group: GroupId,
    checkpoint: Option<&Bytes>,
    recovered: Option<&RecoveredGroup>,
    lanes: &Lanes,
    is_there: &dyn Fn(&Location) -> bool,
) -> Vec<Lack> {
    let nothing = RecoveredGroup::default();
    let recovered = recovered.unwrap_or(&nothing);
    if recovered.removed || recovered.suspect {
        return Vec::new();
    }
    // One that can't be read is refused when the group is opened.
    let Ok(saved) = checkpoint.map(Saved::decode).transpose() else { return Vec::new() };
    if saved.is_none() && recovered.cut.0 > 0 {
        return vec![Lack::Checkpoint { cut: recovered.cut.0 }];
    }
    let start = start_of(saved.as_ref(), None, recovered);
    let mut lacks = Vec::new();
    if start.quarantined {
        lacks.push(Lack::Entries { last: start.state.commit });
    }
    if let Some(saved) = &saved {
        lacks.extend(records(group, saved, lanes, is_there));
    }
    lacks
}

/// Records that a checkpoint names in files of the log, and that stand in no segment: only there.
#[must_use]
pub fn in_log(group: GroupId, checkpoint: &Bytes, lanes: &Lanes) -> Vec<Piece> {
    let Ok(saved) = Saved::decode(checkpoint) else { return Vec::new() };
    let is_only_there =
        |piece: &Piece| !lanes.lacking(group, &[(piece.lane, piece.first, piece.last())]).is_empty();
    saved.pieces.into_iter().filter(is_only_there).collect()
}

/// Records that a checkpoint names and that stand nowhere.
fn records(group: GroupId, saved: &Saved, lanes: &Lanes, is_there: &dyn Fn(&Location) -> bool) -> Vec<Lack> {
    let ranges: Vec<_> =
        saved.extents.iter().map(|extent| (extent.lane, extent.first, extent.last)).collect();
    let mut in_log = saved.pieces.clone();
    in_log.retain(|piece| is_there(&piece.location));
    in_log.sort_unstable_by_key(|piece| (piece.lane, piece.first));
    let mut lacks = Vec::new();
    for (lane, mut first, last) in lanes.lacking(group, &ranges) {
        for piece in in_log.iter().filter(|piece| piece.lane == lane && piece.first <= last) {
            if piece.last() < first {
                continue;
            }
            if piece.first > first {
                lacks.push(Lack::Records { lane, first, last: piece.first - 1 });
            }
            first = piece.last() + 1;
        }
        if first <= last {
            lacks.push(Lack::Records { lane, first, last });
        }
    }
    lacks
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use mesh_log::{id::FileId, payload::Payload, record::HardState};

    use super::*;
    use crate::{
        id::NodeNumber,
        members::Members,
        message::{Extent, Manifest},
    };

    const GROUP: GroupId = GroupId(3);
    const LANE: LaneId = LaneId(7);

    fn lacking(
        group: GroupId,
        checkpoint: Option<&Bytes>,
        recovered: Option<&RecoveredGroup>,
        lanes: &Lanes,
    ) -> Vec<Lack> {
        super::lacking(group, checkpoint, recovered, lanes, &|_| true)
    }

    fn piece(first: u64, count: u32, file: FileId) -> Piece {
        Piece { lane: LANE, first, count, location: Location { file, offset: 0, len: 10, crc: 0 } }
    }

    fn checkpoint(index: u64, extents: &[(u64, u64)], in_log: &[Piece]) -> Bytes {
        let extent = |&(first, last): &(u64, u64)| Extent { lane: LANE, first, last, bytes: 10, digest: 0 };
        let members = Members { voters: BTreeSet::from([NodeNumber(1)]), ..Members::default() };
        let manifest = Manifest {
            index,
            term: 2,
            time_ms: 1,
            members,
            state: Payload::new(Bytes::new()),
            extents: extents.iter().map(extent).collect(),
        };
        Saved::encode(&manifest, in_log, false)
    }

    fn log(cut: u64, commit: u64) -> RecoveredGroup {
        let state = HardState { term: 2, vote: 1, commit };
        RecoveredGroup { state, cut: (cut, 2), ..RecoveredGroup::default() }
    }

    #[test]
    fn what_is_all_there_lacks_nothing() {
        let mut lanes = Lanes::default();
        lanes.put(GROUP, piece(1, 10, FileId(1)));
        let saved = checkpoint(5, &[(1, 20)], &[piece(11, 10, FileId(2))]);
        assert_eq!(lacking(GROUP, Some(&saved), Some(&log(5, 5)), &lanes), []);
        assert_eq!(lacking(GROUP, None, Some(&RecoveredGroup::default()), &lanes), []);
        assert_eq!(lacking(GROUP, None, None, &lanes), []);
    }

    #[test]
    fn a_checkpoint_that_the_log_goes_on_from_is_missed() {
        let lanes = Lanes::default();
        assert_eq!(lacking(GROUP, None, Some(&log(5, 5)), &lanes), [Lack::Checkpoint { cut: 5 }]);
        let removed = RecoveredGroup { removed: true, ..log(5, 5) };
        assert_eq!(lacking(GROUP, None, Some(&removed), &lanes), []);
    }

    #[test]
    fn entries_that_were_committed_are_missed() {
        let saved = checkpoint(5, &[], &[]);
        let lacks = lacking(GROUP, Some(&saved), Some(&log(5, 9)), &Lanes::default());
        assert_eq!(lacks, [Lack::Entries { last: 5 }]);
        // An older checkpoint than the one that the log was cut behind.
        let lacks = lacking(GROUP, Some(&saved), Some(&log(7, 7)), &Lanes::default());
        assert_eq!(lacks, [Lack::Entries { last: 5 }]);
    }

    #[test]
    fn records_that_stand_nowhere_are_missed() {
        let mut lanes = Lanes::default();
        lanes.put(GROUP, piece(1, 10, FileId(1)));
        let in_log = [piece(15, 3, FileId(2)), piece(30, 5, FileId(2))];
        let saved = checkpoint(5, &[(1, 20), (30, 40)], &in_log);
        let lacks = lacking(GROUP, Some(&saved), Some(&log(5, 5)), &lanes);
        let records = |first, last| Lack::Records { lane: LANE, first, last };
        assert_eq!(lacks, [records(11, 14), records(18, 20), records(35, 40)]);
        assert_eq!(super::in_log(GROUP, &saved, &lanes), in_log);
        // The same when the file of the log is not there.
        let is_there = |location: &Location| location.file != FileId(2);
        let lacks = super::lacking(GROUP, Some(&saved), Some(&log(5, 5)), &lanes, &is_there);
        assert_eq!(lacks, [records(11, 20), records(30, 40)]);
        // A segment has what the log had.
        lanes.put(GROUP, piece(15, 3, FileId(3)));
        assert_eq!(super::in_log(GROUP, &saved, &lanes), in_log[1..]);
    }
}
