//! What commands do.

use bytes::Bytes;
use mesh_wire::batch::{BatchHeader, BatchRef, NO_PRODUCER, index_crc};

use super::{
    Command, FormatError, LANE_PRODUCERS_MAX, LANES_MAX, Lane, LaneId, PRODUCER_IDLE_MS, PRODUCERS_MAX,
    Refusal, Registers, Reply, SHARD_RUNS_MAX,
    producer::{Judged, Producer},
};

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The answer.
    pub reply: Reply,
    /// The part of the command that is to be kept.
    pub keep: Option<Keep>,
    /// What is not wanted any more.
    pub trim: Vec<Trim>,
}

/// A part of the command holds records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Whose.
    pub lane: LaneId,
    /// The number of the first one.
    pub first: u64,
    /// How many.
    pub count: u32,
    /// Where in the command they begin, in bytes.
    pub offset: u32,
    /// How many bytes.
    pub len: u32,
}

/// Records of a lane below a number are not wanted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trim {
    /// Whose.
    pub lane: LaneId,
    /// The first one that is.
    pub below: u64,
}

/// Whether a batch may be proposed: everything that it says of itself, its payload too.
///
/// # Errors
/// When it would be refused, or could not be read back.
pub fn check(batch: &[u8]) -> Result<(), Refusal> {
    let batch = BatchRef::parse(batch).map_err(|error| Refusal::Batch { code: error.code().number() })?;
    batch.verify().map_err(|error| Refusal::Batch { code: error.code().number() })?;
    dense(batch.header()).map(|_| ())
}

/// How many numbers a batch takes.
fn dense(header: &BatchHeader) -> Result<u32, Refusal> {
    match header.record_count {
        count if count > 0 && count - 1 == header.last_offset_delta => Ok(count),
        _ => Err(Refusal::Invalid),
    }
}

impl Registers {
    /// Applies the bytes of a command at a shard time. A refused one changes nothing.
    pub fn apply(&mut self, time_ms: u64, command: &Bytes) -> Applied {
        match Command::decode(command) {
            Ok(Command::Append { lane, batch }) => self.append(time_ms, lane, &batch, command),
            Ok(Command::Trim { lane, below }) => self.trim(lane, below),
            Ok(Command::Forget { first, last }) => self.forget(first, last),
            Err(_) => refused(Refusal::Invalid),
        }
    }

    fn append(&mut self, time_ms: u64, lane: LaneId, batch: &Bytes, command: &Bytes) -> Applied {
        match self.try_append(time_ms, lane, batch) {
            Ok((first, count, false)) => Applied {
                reply: Reply::Appended { first, count, duplicate: false },
                // A batch, and so what it stands in, is far below 4 GiB.
                keep: Some(Keep {
                    lane,
                    first,
                    count,
                    offset: (command.len() - batch.len()) as u32,
                    len: batch.len() as u32,
                }),
                trim: Vec::new(),
            },
            Ok((first, count, true)) => Applied {
                reply: Reply::Appended { first, count, duplicate: true },
                keep: None,
                trim: Vec::new(),
            },
            Err(refusal) => refused(refusal),
        }
    }

    fn try_append(&mut self, time_ms: u64, id: LaneId, batch: &[u8]) -> Result<(u64, u32, bool), Refusal> {
        let header =
            BatchHeader::read(batch).map_err(|error| Refusal::Batch { code: error.code().number() })?;
        let count = dense(&header)?;
        if id.0 == 0 {
            return Err(Refusal::Invalid);
        }
        if self.gone.has(id) {
            return Err(Refusal::Undeclared);
        }
        let lane = match self.lanes.get(&id) {
            Some(lane) => lane,
            None if self.lanes.len() < LANES_MAX => &Lane::default(),
            None => return Err(Refusal::LanesFull),
        };
        let first = lane.view().next;
        first.checked_add(count.into()).ok_or(Refusal::Invalid)?;
        let mut new = false;
        if header.producer_id != NO_PRODUCER {
            let known = lane.producers.get(&header.producer_id);
            match Producer::judge(known, &header, count)? {
                Judged::Repeated { first } => {
                    self.seen(id, header.producer_id, time_ms);
                    return Ok((first, count, true));
                }
                Judged::Next => new = known.is_none(),
            }
        }
        if new {
            self.make_room(id, time_ms)?;
        }
        let lane = self.lanes.entry(id).or_default();
        if header.producer_id != NO_PRODUCER {
            self.producers += usize::from(new);
            let producer = lane.producers.entry(header.producer_id).or_default();
            let before = producer.runs();
            producer.took(&header, count, first, time_ms, self.runs >= SHARD_RUNS_MAX);
            self.runs = self.runs + producer.runs() - before;
        }
        lane.took(count, index_crc(batch).unwrap_or_default());
        Ok((first, count, false))
    }

    fn seen(&mut self, lane: LaneId, producer: u64, time_ms: u64) {
        if let Some(known) = self.lanes.get_mut(&lane).and_then(|lane| lane.producers.get_mut(&producer)) {
            known.seen_ms = time_ms;
        }
    }

    /// Room for one more producer: the one that has been silent for longest goes, if it was for long enough.
    fn make_room(&mut self, id: LaneId, time_ms: u64) -> Result<(), Refusal> {
        let lane_is_full = self.lanes.get(&id).is_some_and(|lane| lane.producers.len() >= LANE_PRODUCERS_MAX);
        if !lane_is_full && self.producers < PRODUCERS_MAX {
            return Ok(());
        }
        if time_ms < self.none_idle_before_ms {
            return Err(Refusal::ProducersFull);
        }
        // Every silent one goes at once: so this is done once in a while, not for each that comes.
        let mut oldest_ms = u64::MAX;
        let (mut left, mut runs) = (0, 0);
        for lane in self.lanes.values_mut() {
            lane.producers.retain(|_, producer| {
                let stays = time_ms.saturating_sub(producer.seen_ms) < PRODUCER_IDLE_MS;
                if stays {
                    oldest_ms = oldest_ms.min(producer.seen_ms);
                }
                stays
            });
            left += lane.producers.len();
            runs += lane.runs();
        }
        (self.producers, self.runs) = (left, runs);
        self.none_idle_before_ms = oldest_ms.saturating_add(PRODUCER_IDLE_MS);
        let lane_is_full = self.lanes.get(&id).is_some_and(|lane| lane.producers.len() >= LANE_PRODUCERS_MAX);
        if lane_is_full || left >= PRODUCERS_MAX { Err(Refusal::ProducersFull) } else { Ok(()) }
    }

    fn trim(&mut self, id: LaneId, below: u64) -> Applied {
        match self.lanes.get_mut(&id) {
            Some(lane) if below <= lane.view().next => {
                lane.trim(below);
                Applied { reply: Reply::Trimmed, keep: None, trim: vec![Trim { lane: id, below }] }
            }
            _ => refused(Refusal::Invalid),
        }
    }
}

pub(super) fn refused(refusal: Refusal) -> Applied {
    Applied { reply: Reply::Refused(refusal), keep: None, trim: Vec::new() }
}

impl From<FormatError> for Refusal {
    fn from(_: FormatError) -> Self {
        Self::Invalid
    }
}
