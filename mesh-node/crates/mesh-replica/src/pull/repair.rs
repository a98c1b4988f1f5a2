//! Damaged records, from whoever has them.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use mesh_log::{
    id::{GroupId, LaneId},
    location::{Location, Piece},
    payload::Payload,
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
    storing: Option<Piece>,
    /// All were asked in vain.
    is_lost: bool,
}

impl Damaged {
    /// Nothing but the numbers of its records is known: where they stood is lost, or the index that said so. Then they are
    /// fetched piece by piece, and each is taken with the checksum that it comes with.
    fn is_unknown(&self) -> bool {
        self.piece.location.len == u32::MAX
    }

    /// What it is taken to be in bytes.
    fn bytes(&self) -> u64 {
        if self.is_unknown() { UNKNOWN_BYTES } else { self.piece.location.len.into() }
    }

    fn new(piece: Piece, now: Duration) -> Self {
        Self { piece, left: VecDeque::new(), asked: None, at: now, storing: None, is_lost: false }
    }

    /// What is left of it from a number on, of which nothing is known.
    fn from(self, first: u64) -> Self {
        let count = self.piece.last().saturating_sub(first).saturating_add(1);
        let piece = Piece { first, count: u32::try_from(count).unwrap_or(u32::MAX), ..self.piece };
        Self { piece, ..self }
    }

    /// Whether nothing is under way for it.
    fn is_idle(&self) -> bool {
        self.asked.is_none() && self.storing.is_none()
    }

    /// The piece as it is to be, when this is it.
    fn piece_of(&self, first: u64, count: u32, payload: &Payload) -> Option<Piece> {
        let len = u32::try_from(payload.len()).ok()?;
        let location = Location { file: self.piece.location.file, offset: 0, len, crc: payload.crc() };
        let piece = Piece { lane: self.piece.lane, first, count, location };
        let known = self.piece.location;
        let is_it =
            (self.piece.first, self.piece.count, known.len, known.crc) == (first, count, len, location.crc);
        if is_it {
            return Some(self.piece);
        }
        // One that begins before what is wanted of it is kept as a whole, here as there.
        let overlaps = piece.last() >= self.piece.first && piece.last() <= self.piece.last();
        (self.is_unknown() && piece.is_whole() && overlaps).then_some(piece)
    }
}

/// What a piece of which nothing is known is taken to be in bytes.
const UNKNOWN_BYTES: u64 = 1 << 20;

/// After so long the others are asked for what the first one had not.
const REST_AFTER: Duration = Duration::from_secs(1);

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
        self.damaged.insert(key, Damaged::new(piece, now));
        true
    }

    /// Command: looks after damage only where it `stands`, and from the number on from which the records of a lane are
    /// wanted (`low`): what was given up meanwhile, or stands elsewhere, is not asked for any more.
    pub fn retain(&mut self, low: &dyn Fn(GroupId, LaneId) -> u64, stands: &dyn Fn(GroupId, &Piece) -> bool) {
        let old = |((group, lane, first), damaged): &(&(GroupId, LaneId, u64), &Damaged)| {
            damaged.is_idle() && damaged.is_unknown() && *first < low(*group, *lane)
        };
        let begun: Vec<_> = self.damaged.iter().filter(old).map(|(key, _)| *key).collect();
        for (group, lane, first) in begun {
            let low = low(group, lane);
            if let Some(damaged) = self.damaged.remove(&(group, lane, first))
                && damaged.piece.last() >= low
            {
                self.damaged.entry((group, lane, low)).or_insert_with(|| damaged.from(low));
            }
        }
        self.damaged.retain(|(group, lane, _), damaged| {
            let wanted = damaged.piece.last() >= low(*group, *lane) && stands(*group, &damaged.piece);
            wanted || !damaged.is_idle()
        });
    }

    /// Input: a part, from the node on the other side of its link. One that is not asked for, or does not hold the piece,
    /// counts as an answer that it is not there.
    pub fn handle_part(&mut self, now: Duration, link: NodeNumber, part: Part) {
        if part.snapshot != 0 || part.from != link {
            return;
        }
        for (first, count, payload) in part.pieces {
            let last = first.saturating_add(u64::from(count).saturating_sub(1));
            let upto = (part.group, part.lane, 0)..=(part.group, part.lane, last);
            let Some((_, damaged)) = self.damaged.range_mut(upto).next_back() else { continue };
            let Some(piece) = damaged.piece_of(first, count, &payload) else { continue };
            if damaged.asked != Some(link) || damaged.storing.is_some() {
                continue;
            }
            damaged.storing = Some(piece);
            self.budget.receive(now, damaged.bytes(), piece.location.len.into());
            let bytes = payload.bytes().clone();
            self.outputs.push_back(RepairOutput::Store { group: part.group, piece, bytes });
            return;
        }
        // It has not: on to the next one.
        let asked = self.damaged.iter_mut().filter(|((group, lane, _), damaged)| {
            *group == part.group
                && *lane == part.lane
                && damaged.asked == Some(link)
                && damaged.storing.is_none()
        });
        for (_, damaged) in asked {
            damaged.at = now;
        }
    }

    /// Input: a piece is stored, or could not be.
    pub fn handle_stored(&mut self, now: Duration, group: GroupId, piece: &Piece, is_stored: bool) {
        let found =
            self.damaged.range((group, piece.lane, 0)..=(group, piece.lane, piece.last())).next_back();
        let Some((key, _)) = found.filter(|(_, damaged)| damaged.storing.as_ref() == Some(piece)) else {
            return;
        };
        let key = *key;
        let Some(mut damaged) = self.damaged.remove(&key) else { return };
        self.budget.finish(piece.location.len.into());
        let from = damaged.asked.take();
        damaged.storing = None;
        if !is_stored {
            damaged.left.clear();
            damaged.at = now.saturating_add(self.options.repair_again_after);
            self.damaged.insert(key, damaged);
            return;
        }
        let range = damaged.piece;
        if range.first < piece.first {
            // Whoever had this had nothing of what is before it. Others may.
            let count = u32::try_from(piece.first - range.first).unwrap_or(u32::MAX);
            let before = Damaged::new(Piece { count, ..range }, now.saturating_add(REST_AFTER));
            self.damaged.insert(key, before);
        }
        if piece.last() < range.last() {
            // There is more of it, and whoever had this much is asked first.
            let mut rest = damaged.from(piece.last() + 1);
            rest.left.extend(from);
            rest.left.rotate_right(usize::from(from.is_some()));
            (rest.at, rest.is_lost) = (now, false);
            self.damaged.insert((group, piece.lane, rest.piece.first), rest);
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
            if damaged.storing.is_some() || damaged.at > now {
                continue;
            }
            let piece = damaged.piece;
            let bytes = damaged.bytes();
            if damaged.asked.take().is_some() {
                self.budget.finish(bytes);
                if damaged.left.is_empty() {
                    damaged.at = now.saturating_add(self.options.repair_again_after);
                    damaged.is_lost = true;
                    self.outputs.push_back(RepairOutput::NoIntactCopy { group: *group, piece });
                    continue;
                }
            }
            if !self.budget.allows(now, bytes) {
                let pace = self.budget.next_at();
                // Unless it is the pace that holds it up, it waits for others to be answered.
                damaged.at = if pace > now { pace } else { now.saturating_add(self.options.answer_time_max) };
                continue;
            }
            if damaged.left.is_empty() {
                damaged.left = peers(*group).into_iter().filter(|peer| *peer != own).collect();
            }
            let Some(to) = damaged.left.pop_front() else {
                // There is nobody else.
                damaged.at = now.saturating_add(self.options.repair_again_after);
                damaged.is_lost = true;
                self.outputs.push_back(RepairOutput::NoIntactCopy { group: *group, piece });
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
                // Of what is not known one piece at a time.
                max_bytes: if damaged.is_unknown() {
                    1
                } else {
                    piece.location.len.clamp(1, super::leader::MAX_BYTES)
                },
            };
            self.outputs.push_back(RepairOutput::Send { to, pull });
        }
    }

    /// Command: the group has no replica here any more.
    pub fn forget(&mut self, group: GroupId) {
        let budget = &mut self.budget;
        self.damaged.retain(|(other, ..), damaged| {
            let goes = *other == group;
            if goes {
                let under_way = damaged.asked.map_or(0, |_| damaged.bytes());
                budget.finish(damaged.storing.map_or(under_way, |piece| piece.location.len.into()));
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
        self.damaged.values().filter(|damaged| damaged.storing.is_none()).map(|damaged| damaged.at).min()
    }

    /// Input: a node can be reached that could not be. What nobody else has is asked for again.
    pub fn handle_back(&mut self, now: Duration) {
        let lost = self.damaged.values_mut().filter(|damaged| damaged.is_lost && damaged.is_idle());
        lost.for_each(|damaged| damaged.at = now);
    }

    /// How many pieces of a group are known to be damaged, and of how many of them nobody had an intact copy.
    #[must_use]
    pub fn of_group(&self, group: GroupId) -> (usize, usize) {
        let from = (group, LaneId(0), 0)..=(group, LaneId(u64::MAX), u64::MAX);
        self.damaged
            .range(from)
            .fold((0, 0), |(damaged, lost), (_, found)| (damaged + 1, lost + usize::from(found.is_lost)))
    }

    /// Whether nobody had an intact copy of the piece with a record, when last asked.
    #[must_use]
    pub fn is_lost(&self, group: GroupId, lane: LaneId, number: u64) -> bool {
        let upto = (group, lane, 0)..=(group, lane, number);
        let found = self.damaged.range(upto).next_back();
        found.is_some_and(|(_, damaged)| damaged.is_lost && damaged.piece.last() >= number)
    }

    /// Whether damage begins with a number.
    #[cfg(test)]
    pub(super) fn begins(&self, group: GroupId, lane: LaneId, first: u64) -> bool {
        self.damaged.contains_key(&(group, lane, first))
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

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_log::id::FileId;

    const GROUP: GroupId = GroupId(3);
    const LANE: LaneId = LaneId(4);
    const PEER: NodeNumber = NodeNumber(2);

    fn part(pieces: Vec<(u64, u32, Payload)>) -> Part {
        Part { group: GROUP, from: PEER, snapshot: 0, lane: LANE, pieces, gone: false }
    }

    fn asked(repair: &mut Repair) -> Pull {
        repair.handle_timeout(Duration::from_secs(60), NodeNumber(1), &|_| vec![PEER]);
        match repair.poll_output() {
            Some(RepairOutput::Send { to: PEER, pull }) => pull,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn records_of_which_only_the_numbers_are_known_come_piece_by_piece() {
        let now = Duration::from_secs(1);
        let location = Location { file: FileId(9), offset: 0, len: u32::MAX, crc: 0 };
        let unknown = Piece { lane: LANE, first: 10, count: 5, location };
        let mut repair = Repair::new(PullOptions::default());
        assert!(repair.handle_damaged(now, GROUP, unknown));
        for (first, count, last) in [(10, 2, 14), (12, 3, 14)] {
            let pull = asked(&mut repair);
            assert_eq!((pull.first, pull.last, pull.max_bytes), (first, last, 1));
            let payload = Payload::new(Bytes::from_static(b"records"));
            // What begins before it, or reaches beyond its end, is not taken.
            let pieces =
                [(9, 1), (14, 2), (first, count)].map(|(first, count)| (first, count, payload.clone()));
            repair.handle_part(now, PEER, part(pieces.to_vec()));
            let Some(RepairOutput::Store { piece, bytes, .. }) = repair.poll_output() else {
                panic!("to be stored");
            };
            assert_eq!((piece.first, piece.count, piece.location.crc), (first, count, payload.crc()));
            assert_eq!(bytes, payload.bytes());
            repair.handle_stored(now, GROUP, &piece, true);
        }
        assert!(repair.is_empty());
        assert_eq!(repair.budget.in_flight(), 0);
    }
}
