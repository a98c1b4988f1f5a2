//! What is remembered of a producer in a lane.

use std::collections::VecDeque;

use mesh_wire::batch::BatchHeader;

use super::{FormatError, RUNS_KEPT, RUNS_MAX, Refusal};
use crate::tagged::Fields;

/// What is remembered of a producer in a lane.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Producer {
    epoch: u32,
    /// The sequence that comes next. All below were taken, in this epoch.
    next: u64,
    /// Shard time when it was last heard.
    pub(super) seen_ms: u64,
    /// The latest runs, in their order; the last one ends at `next`.
    runs: VecDeque<Run>,
    rest: Fields,
}

/// Sequences that lie together in the lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    base: u64,
    count: u64,
    first: u64,
}

/// What a batch is to its producer.
pub(super) enum Judged {
    Next,
    Repeated { first: u64 },
}

impl Producer {
    pub(super) fn judge(known: Option<&Self>, header: &BatchHeader, count: u32) -> Result<Judged, Refusal> {
        let (base, epoch) = (header.base_sequence, header.producer_epoch);
        let end = base.checked_add(count.into()).ok_or(Refusal::Invalid)?;
        let (next, runs) = match known {
            Some(known) if epoch < known.epoch => return Err(Refusal::Fenced { epoch: known.epoch }),
            Some(known) if epoch == known.epoch => (known.next, Some(&known.runs)),
            _ => (0, None),
        };
        if base == next {
            return Ok(Judged::Next);
        }
        if end > next {
            // Beyond what comes next, or half of it known: not a batch that was sent before.
            return Err(Refusal::Gap { expected: next });
        }
        // In the order of their sequences.
        let before =
            runs.and_then(|runs| runs.get(runs.partition_point(|run| run.base <= base).checked_sub(1)?));
        let run =
            before.filter(|run| end <= run.base + run.count).ok_or(Refusal::Forgotten { expected: next })?;
        Ok(Judged::Repeated { first: run.first + (base - run.base) })
    }

    /// How many runs are remembered.
    pub(super) fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Takes a batch that was judged to be next. `crowded`: the shard remembers as many runs as it should.
    pub(super) fn took(&mut self, header: &BatchHeader, count: u32, first: u64, time_ms: u64, crowded: bool) {
        if header.producer_epoch != self.epoch {
            self.epoch = header.producer_epoch;
            self.runs.clear();
        }
        let base = header.base_sequence;
        self.next = base + u64::from(count);
        self.seen_ms = time_ms;
        match self.runs.back_mut() {
            Some(run) if run.base + run.count == base && run.first + run.count == first => {
                run.count += u64::from(count);
            }
            _ => {
                if self.runs.len() >= if crowded { RUNS_KEPT } else { RUNS_MAX } {
                    self.runs.pop_front();
                }
                self.runs.push_back(Run { base, count: count.into(), first });
            }
        }
    }

    pub(super) fn to_fields(&self) -> Fields {
        let runs = self.runs.iter().flat_map(|run| [run.base, run.count, run.first]);
        Fields::new()
            .number(2, self.epoch.into())
            .number(3, self.next)
            .number(4, self.seen_ms)
            .numbers(5, runs)
            .with_rest(&self.rest)
    }

    pub(super) fn from_fields(mut fields: Fields) -> Result<Self, FormatError> {
        let next = fields.take_number(3)?;
        let numbers = fields.take_numbers(5)?;
        let (runs, []) = numbers.as_chunks::<3>() else { return Err(FormatError::Unfit { tag: 5 }) };
        let runs: VecDeque<_> = runs
            .iter()
            .map(|[base, count, first]| Run { base: *base, count: *count, first: *first })
            .collect();
        let fits = |run: &Run| {
            let ends = run.base.checked_add(run.count).is_some_and(|end| end <= next);
            ends && run.first.checked_add(run.count).is_some()
        };
        if runs.len() > RUNS_MAX || !runs.iter().all(fits) {
            return Err(FormatError::Unfit { tag: 5 });
        }
        Ok(Self {
            epoch: u32::try_from(fields.take_number(2)?).map_err(|_| FormatError::Unfit { tag: 2 })?,
            next,
            seen_ms: fields.take_number(4)?,
            runs,
            rest: fields,
        })
    }
}
