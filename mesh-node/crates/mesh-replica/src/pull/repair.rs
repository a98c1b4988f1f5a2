//! Damaged records, from whoever has them.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use mesh_log::{
    id::{GroupId, LaneId},
    location::Piece,
};

use super::{PullOptions, budget::Budget};
use crate::{
    id::NodeNumber,
    message::{Part, Pull},
};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepairOutput {
    /// Send a pull.
    Send {
        /// To whom.
        to: NodeNumber,
        /// It.
        pull: Pull,
    },
    /// Store this durably; then [`Repair::handle_stored`].
    Store {
        /// The group.
        group: GroupId,
        /// The piece, as it is to be.
        piece: Piece,
        /// Its bytes.
        bytes: Bytes,
    },
    /// Every peer was asked and none had it. They are asked again later.
    NoIntactCopy {
        /// The group.
        group: GroupId,
        /// The piece.
        piece: Piece,
    },
}

#[derive(Debug)]
struct Damaged {
    piece: Piece,
    /// Whom it will be asked of yet, in this round.
    left: VecDeque<NodeNumber>,
    asked: Option<NodeNumber>,
    /// When it is asked again: of the next one, or from the beginning.
    at: Duration,
    storing: bool,
}

/// Repairs what the disk did not give back as it was written: each piece is asked of one peer after the other, and taken
/// only with the checksum that it had when it was written.
#[derive(Debug)]
pub struct Repair {
    options: PullOptions,
    budget: Budget,
    damaged: BTreeMap<(GroupId, LaneId, u64), Damaged>,
    outputs: VecDeque<RepairOutput>,
}

impl Repair {
    /// Nothing damaged.
    #[must_use]
    pub fn new(options: PullOptions) -> Self {
        Self { budget: Budget::new(&options), options, damaged: BTreeMap::new(), outputs: VecDeque::new() }
    }

    /// Input: a piece is damaged. `false` when as many as may be are known: the scrub finds it again.
    pub fn handle_damaged(&mut self, now: Duration, group: GroupId, piece: Piece) -> bool {
        let key = (group, piece.lane, piece.first);
        if self.damaged.contains_key(&key) {
            return true;
        }
        if self.damaged.len() >= self.options.damaged_max {
            return false;
        }
        let damaged = Damaged { piece, left: VecDeque::new(), asked: None, at: now, storing: false };
        self.damaged.insert(key, damaged);
        true
    }

    /// Input: a part, from the node on the other side of its link. One that is not asked for, or does not hold the piece,
    /// counts as an answer that it is not there.
    pub fn handle_part(&mut self, now: Duration, link: NodeNumber, part: Part) {
        if part.snapshot != 0 || part.from != link {
            return;
        }
        for (first, count, payload) in part.pieces {
            let Some(damaged) = self.damaged.get_mut(&(part.group, part.lane, first)) else { continue };
            let piece = damaged.piece;
            let (len, crc) = (payload.len() as u64, payload.crc());
            let is_it = (count, len, crc) == (piece.count, piece.location.len.into(), piece.location.crc);
            if damaged.asked != Some(link) || !is_it || damaged.storing {
                continue;
            }
            damaged.storing = true;
            self.budget.receive(now, len, len);
            let bytes = payload.bytes().clone();
            self.outputs.push_back(RepairOutput::Store { group: part.group, piece, bytes });
            return;
        }
        // It has not: on to the next one.
        let asked = self.damaged.iter_mut().filter(|((group, lane, _), damaged)| {
            *group == part.group && *lane == part.lane && damaged.asked == Some(link) && !damaged.storing
        });
        for (_, damaged) in asked {
            damaged.at = now;
        }
    }

    /// Input: a piece is stored, or could not be.
    pub fn handle_stored(&mut self, now: Duration, group: GroupId, piece: &Piece, is_stored: bool) {
        let key = (group, piece.lane, piece.first);
        let Some(damaged) = self.damaged.get_mut(&key).filter(|damaged| damaged.storing) else { return };
        self.budget.finish(damaged.piece.location.len.into());
        if is_stored {
            self.damaged.remove(&key);
        } else {
            (damaged.storing, damaged.asked) = (false, None);
            damaged.left.clear();
            damaged.at = now.saturating_add(self.options.repair_again_after);
        }
    }

    /// Input: time has passed, or something was damaged: asks whom there is to ask. `peers` are the other nodes with a
    /// replica of a group that can be reached.
    pub fn handle_timeout(
        &mut self,
        now: Duration,
        own: NodeNumber,
        peers: &dyn Fn(GroupId) -> Vec<NodeNumber>,
    ) {
        for ((group, ..), damaged) in &mut self.damaged {
            if damaged.storing || damaged.at > now {
                continue;
            }
            let piece = damaged.piece;
            let bytes = u64::from(piece.location.len);
            if damaged.asked.take().is_some() {
                self.budget.finish(bytes);
                if damaged.left.is_empty() {
                    damaged.at = now.saturating_add(self.options.repair_again_after);
                    self.outputs.push_back(RepairOutput::NoIntactCopy { group: *group, piece });
                    continue;
                }
            }
            if !self.budget.allows(now, bytes) {
                damaged.at = self.budget.next_at().max(now.saturating_add(self.options.answer_time_max));
                continue;
            }
            if damaged.left.is_empty() {
                damaged.left = peers(*group).into_iter().filter(|peer| *peer != own).collect();
            }
            let Some(to) = damaged.left.pop_front() else {
                damaged.at = now.saturating_add(self.options.repair_again_after);
                continue;
            };
            self.budget.ask(bytes);
            damaged.asked = Some(to);
            damaged.at = now.saturating_add(self.options.answer_time_max);
            let pull = Pull {
                group: *group,
                from: own,
                snapshot: 0,
                lane: piece.lane,
                first: piece.first,
                last: piece.last(),
                max_bytes: piece.location.len.clamp(1, super::leader::MAX_BYTES),
            };
            self.outputs.push_back(RepairOutput::Send { to, pull });
        }
    }

    /// Command: the group has no replica here any more.
    pub fn forget(&mut self, group: GroupId) {
        let budget = &mut self.budget;
        self.damaged.retain(|(other, ..), damaged| {
            let goes = *other == group;
            if goes && (damaged.asked.is_some() || damaged.storing) {
                budget.finish(damaged.piece.location.len.into());
            }
            !goes
        });
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<RepairOutput> {
        self.outputs.pop_front()
    }

    /// When [`Repair::handle_timeout`] is wanted.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.damaged.values().filter(|damaged| !damaged.storing).map(|damaged| damaged.at).min()
    }

    /// How many pieces are known to be damaged.
    #[must_use]
    pub fn len(&self) -> usize {
        self.damaged.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.damaged.is_empty()
    }
}
