//! One snapshot on its way to this node.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use mesh_log::{
    id::{FileId, LaneId},
    location::{Location, Piece},
};

use super::Lie;
use crate::message::{Extent, Offer, Part, Pull};

/// Numbers that are lacking, of one extent.
#[derive(Debug, Clone, Copy)]
struct Range {
    extent: Extent,
    next: u64,
    last: u64,
    /// Bytes that came of it, and the CRC32C over the CRC32Cs of their pieces.
    bytes: u64,
    digest: u32,
}

impl Range {
    /// Whether all of the extent is lacking, so that its bytes and digest can be compared.
    fn is_whole(&self, from: u64) -> bool {
        from == self.extent.first && self.last == self.extent.last
    }
}

/// A pull that is not answered.
#[derive(Debug, Clone, Copy)]
struct Asked {
    range: Range,
    from: u64,
    bytes: u64,
    again_at: Duration,
    tries: u32,
}

/// A snapshot that is being fetched. Of each lane one pull is out at a time: a part says where the next one begins.
#[derive(Debug)]
pub(super) struct Fetch {
    pub(super) offer: Offer,
    waiting: VecDeque<(u64, Range)>,
    asked: BTreeMap<LaneId, Asked>,
    /// What is being stored.
    storing: Storing,
}

/// By its id: the lane, the first and the last number, the bytes.
pub(super) type Storing = BTreeMap<u64, (LaneId, u64, u64, u64)>;

/// What a part brought.
pub(super) struct Came {
    pub(super) lane: LaneId,
    pub(super) asked: u64,
    pub(super) bytes: u64,
    pub(super) pieces: Vec<(Piece, Bytes)>,
}

impl Fetch {
    /// `lacking` are numbers of the manifest's extents that are not there.
    pub(super) fn new(offer: Offer, lacking: &[(LaneId, u64, u64)]) -> Self {
        let mut waiting = VecDeque::new();
        for (lane, first, last) in lacking {
            for extent in offer.manifest.extents.iter().filter(|extent| extent.lane == *lane) {
                let (from, last) = (extent.first.max(*first), extent.last.min(*last));
                if from <= last {
                    waiting
                        .push_back((from, Range { extent: *extent, next: from, last, bytes: 0, digest: 0 }));
                }
            }
        }
        Self { offer, waiting, asked: BTreeMap::new(), storing: BTreeMap::new() }
    }

    /// Whether all that was lacking is there, durably.
    pub(super) fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.asked.is_empty() && self.storing.is_empty()
    }

    /// Whether there is something that could be asked for now.
    pub(super) fn wants(&self) -> bool {
        self.waiting.iter().any(|(_, range)| !self.asked.contains_key(&range.extent.lane))
    }

    /// The next pull.
    pub(super) fn ask(&mut self, now: Duration, answer_time: Duration, bytes: u32) -> Option<Pull> {
        let at = self.waiting.iter().position(|(_, range)| !self.asked.contains_key(&range.extent.lane))?;
        let (from, range) = self.waiting.remove(at)?;
        let again_at = now.saturating_add(answer_time);
        let asked = Asked { range, from, bytes: u64::from(bytes), again_at, tries: 1 };
        self.asked.insert(range.extent.lane, asked);
        Some(self.pull(&asked))
    }

    fn pull(&self, asked: &Asked) -> Pull {
        Pull {
            group: self.offer.group,
            from: self.offer.to,
            snapshot: self.offer.manifest.index,
            lane: asked.range.extent.lane,
            first: asked.range.next,
            last: asked.range.last,
            max_bytes: u32::try_from(asked.bytes).unwrap_or(u32::MAX),
        }
    }

    /// Pulls whose time is up, to be sent once more; `Err` when one was sent too often.
    pub(super) fn again(
        &mut self,
        now: Duration,
        answer_time: Duration,
        tries_max: u32,
    ) -> Result<Vec<Pull>, ()> {
        let mut late = Vec::new();
        for asked in self.asked.values_mut().filter(|asked| asked.again_at <= now) {
            if asked.tries >= tries_max {
                return Err(());
            }
            asked.tries += 1;
            asked.again_at = now.saturating_add(answer_time);
            late.push(*asked);
        }
        Ok(late.iter().map(|asked| self.pull(asked)).collect())
    }

    pub(super) fn next_timeout(&self) -> Option<Duration> {
        self.asked.values().map(|asked| asked.again_at).min()
    }

    /// Bytes that count as in flight.
    pub(super) fn in_flight(&self) -> u64 {
        let asked: u64 = self.asked.values().map(|asked| asked.bytes).sum();
        asked + self.storing.values().map(|(_, _, _, bytes)| bytes).sum::<u64>()
    }

    /// What is being stored, to be waited for by the fetch that takes this one's place.
    pub(super) fn take_storing(&mut self) -> Storing {
        std::mem::take(&mut self.storing)
    }

    /// Waits for what an earlier one is storing.
    pub(super) fn with_storing(self, storing: Storing) -> Self {
        Self { storing, ..self }
    }

    /// Takes a part; `None` when it answers nothing that is asked, or has nothing in it: it is asked again then.
    pub(super) fn take(&mut self, part: Part) -> Result<Option<Came>, Lie> {
        let lane = part.lane;
        let Some(asked) = self.asked.get(&lane).copied() else {
            return if self.offer.manifest.extents.iter().any(|extent| extent.lane == lane) {
                Ok(None)
            } else {
                Err(Lie::Lane { lane })
            };
        };
        // Not the answer to what is asked now, but to what was asked before: twice, or for an earlier offer of the same.
        if part.pieces.first().is_none_or(|(first, ..)| *first != asked.range.next) {
            return Ok(None);
        }
        let mut range = asked.range;
        let before = range.bytes;
        let mut pieces = Vec::with_capacity(part.pieces.len());
        for (first, count, payload) in part.pieces {
            // What was asked for was full before this one.
            if range.bytes - before >= asked.bytes {
                let bytes = range.bytes - before + payload.len() as u64;
                return Err(Lie::TooMuch { lane, bytes, max: asked.bytes });
            }
            check(&range, lane, first, count, payload.len())?;
            range.bytes += payload.len() as u64;
            if range.bytes > range.extent.bytes {
                return Err(Lie::TooMuch { lane, bytes: range.bytes, max: range.extent.bytes });
            }
            range.digest = crc32c::crc32c_append(range.digest, &payload.crc().to_le_bytes());
            range.next = first + u64::from(count);
            let location =
                Location { file: FileId(0), offset: 0, len: payload.len() as u32, crc: payload.crc() };
            pieces.push((Piece { lane, first, count, location }, payload.bytes().clone()));
        }
        let is_over = range.next > range.last;
        if is_over && range.is_whole(asked.from) {
            compare(&range)?;
        }
        self.asked.remove(&lane);
        if !is_over {
            // Goes on where it is, before other runs of the lane.
            self.waiting.push_front((asked.from, range));
        }
        Ok(Some(Came { lane, asked: asked.bytes, bytes: range.bytes - before, pieces }))
    }

    /// The numbers of the run that a lane is at which came before.
    pub(super) fn came(&self, lane: LaneId) -> Option<(LaneId, u64, u64)> {
        let asked = self.asked.get(&lane)?;
        (asked.from < asked.range.next).then(|| (lane, asked.from, asked.range.next - 1))
    }

    /// What came is being stored.
    pub(super) fn store(&mut self, id: u64, came: &Came) {
        let first = came.pieces.first().map_or(0, |(piece, _)| piece.first);
        let last = came.pieces.last().map_or(0, |(piece, _)| piece.last());
        self.storing.insert(id, (came.lane, first, last, came.bytes));
    }

    /// It is stored, or was not: its bytes.
    pub(super) fn stored(&mut self, id: u64) -> Option<u64> {
        self.storing.remove(&id).map(|(_, _, _, bytes)| bytes)
    }
}

fn check(range: &Range, lane: LaneId, first: u64, count: u32, len: usize) -> Result<(), Lie> {
    if first != range.next {
        return Err(Lie::Order { lane, first, expected: range.next });
    }
    if count == 0 || len == 0 {
        return Err(Lie::Empty { lane });
    }
    let last = first.saturating_add(u64::from(count) - 1);
    if last > range.last {
        return Err(Lie::Beyond { lane, last, wanted: range.last });
    }
    Ok(())
}

fn compare(range: &Range) -> Result<(), Lie> {
    let lane = range.extent.lane;
    if range.bytes != range.extent.bytes {
        return Err(Lie::TooLittle { lane, bytes: range.bytes, expected: range.extent.bytes });
    }
    if range.digest != range.extent.digest {
        return Err(Lie::Digest { lane, first: range.extent.first });
    }
    Ok(())
}
