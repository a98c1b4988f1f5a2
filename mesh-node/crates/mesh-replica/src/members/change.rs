//! A change of members, as an entry.
//!
//! ```text
//!   version u8 │ joint u8 │ n u16 │ n × { kind u8, node u64 }      little-endian; nothing to change: leave the joint form
//! ```

use bytes::{BufMut, Bytes, BytesMut};
use raft::eraftpb::{ConfChangeSingle, ConfChangeTransition, ConfChangeType, ConfChangeV2};

use super::Members;
use crate::id::NodeNumber;

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 4;
const SINGLE_BYTES: usize = 9;

/// What becomes of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ChangeKind {
    Voter = 0,
    Remove = 1,
    Learner = 2,
}

/// A change of members.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Change {
    /// Whether both majorities count until another entry ends it.
    pub(crate) joint: bool,
    pub(crate) singles: Vec<(ChangeKind, NodeNumber)>,
}

/// Why a change can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a change of members")]
pub(crate) struct ChangeError;

impl Change {
    /// Ends the joint form.
    pub(crate) fn leave() -> Self {
        Self::default()
    }

    /// From the members as they are (not joint) to others; `None` when they are the same.
    pub(crate) fn between(now: &Members, then: &Members) -> Option<Self> {
        let mut singles = Vec::new();
        for node in &then.voters {
            if !now.voters.contains(node) {
                singles.push((ChangeKind::Voter, *node));
            }
        }
        for node in &then.learners {
            if !now.learners.contains(node) {
                singles.push((ChangeKind::Learner, *node));
            }
        }
        for node in now.all() {
            if !then.contains(node) {
                singles.push((ChangeKind::Remove, node));
            }
        }
        // One learner more or less touches no majority.
        let simple =
            matches!(singles[..], [(kind, node)] if !now.voters.contains(&node) && kind != ChangeKind::Voter);
        (!singles.is_empty()).then_some(Self { joint: !simple, singles })
    }

    pub(crate) fn encode(&self) -> Bytes {
        let mut into = BytesMut::with_capacity(HEAD_BYTES + SINGLE_BYTES * self.singles.len());
        into.put_u8(VERSION);
        into.put_u8(u8::from(self.joint));
        into.put_u16_le(u16::try_from(self.singles.len()).unwrap_or(u16::MAX));
        for (kind, node) in &self.singles {
            into.put_u8(*kind as u8);
            into.put_u64_le(node.0);
        }
        into.freeze()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, ChangeError> {
        let [VERSION, joint @ 0..=1, low, high, rest @ ..] = bytes else { return Err(ChangeError) };
        if rest.len() != usize::from(u16::from_le_bytes([*low, *high])) * SINGLE_BYTES {
            return Err(ChangeError);
        }
        let mut singles = Vec::new();
        for single in rest.chunks_exact(SINGLE_BYTES) {
            let kind = match single[0] {
                0 => ChangeKind::Voter,
                1 => ChangeKind::Remove,
                2 => ChangeKind::Learner,
                _ => return Err(ChangeError),
            };
            let node = single[1..].try_into().map(u64::from_le_bytes).map_err(|_| ChangeError)?;
            if node == 0 {
                return Err(ChangeError);
            }
            singles.push((kind, NodeNumber(node)));
        }
        Ok(Self { joint: *joint == 1, singles })
    }

    pub(crate) fn to_raft(&self) -> ConfChangeV2 {
        let mut change = ConfChangeV2::default();
        // Left by us and not by raft, which forgets to when the leader changes at the wrong moment.
        change.set_transition(if self.joint {
            ConfChangeTransition::Explicit
        } else {
            ConfChangeTransition::Auto
        });
        for (kind, node) in &self.singles {
            let mut single = ConfChangeSingle { node_id: node.0, ..ConfChangeSingle::default() };
            single.set_change_type(match kind {
                ChangeKind::Voter => ConfChangeType::AddNode,
                ChangeKind::Remove => ConfChangeType::RemoveNode,
                ChangeKind::Learner => ConfChangeType::AddLearnerNode,
            });
            change.changes.push(single);
        }
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(voters: &[u64], learners: &[u64]) -> Members {
        let nodes = |numbers: &[u64]| numbers.iter().copied().map(NodeNumber).collect();
        Members { voters: nodes(voters), learners: nodes(learners), ..Members::default() }
    }

    #[test]
    fn golden() {
        let change = Change { joint: true, singles: vec![(ChangeKind::Learner, NodeNumber(0x0102))] };
        assert_eq!(change.encode()[..], [1, 1, 1, 0, 2, 2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Change::decode(&change.encode()), Ok(change));
        assert_eq!(Change::leave().encode()[..], [1, 0, 0, 0]);
    }

    #[test]
    fn what_is_no_change_is_refused() {
        for bytes in [&[][..], &[1], &[2, 0, 0, 0], &[1, 2, 0, 0], &[1, 0, 1, 0], &[1, 0, 0, 0, 0]] {
            assert_eq!(Change::decode(bytes), Err(ChangeError), "{bytes:?}");
        }
        assert_eq!(Change::decode(&[1, 0, 1, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0]), Err(ChangeError));
        assert_eq!(Change::decode(&[1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Err(ChangeError));
    }

    #[test]
    fn between_two_sets_of_members() {
        let now = members(&[1, 2, 3], &[4]);
        let cases = [
            (members(&[1, 2, 3], &[4]), None),
            (members(&[1, 2, 3], &[4, 5]), Some((false, vec![(ChangeKind::Learner, 5)]))),
            (members(&[1, 2, 3], &[]), Some((false, vec![(ChangeKind::Remove, 4)]))),
            (members(&[1, 2, 3, 4], &[]), Some((true, vec![(ChangeKind::Voter, 4)]))),
            (members(&[1, 2], &[3, 4]), Some((true, vec![(ChangeKind::Learner, 3)]))),
            (members(&[1, 2, 4], &[]), Some((true, vec![(ChangeKind::Voter, 4), (ChangeKind::Remove, 3)]))),
        ];
        for (then, expected) in cases {
            let got = Change::between(&now, &then).map(|change| {
                (change.joint, change.singles.iter().map(|(kind, node)| (*kind, node.0)).collect::<Vec<_>>())
            });
            assert_eq!(got, expected, "{then:?}");
        }
    }
}
