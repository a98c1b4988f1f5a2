//! What was sent, what was acknowledged, what is there in the end, and whether that may be.
//!
//! Each record has an id that is never used again: (writer, number). A record that was acknowledged must be read exactly
//! once, where the acknowledgement said; one that was refused never; one whose fate is not known at most once. Nothing else
//! is read, and the records of a writer in a register come in the order in which it sent them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Who sent a record, and the how manieth of it this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id {
    pub(crate) writer: u32,
    pub(crate) number: u64,
}

impl Id {
    /// The record.
    pub(crate) fn encode(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.writer.to_be_bytes());
        bytes[4..].copy_from_slice(&self.number.to_be_bytes());
        bytes
    }

    /// What fills a record up behind its id.
    pub(crate) const BALLAST: u8 = b'x';

    /// The id in a record; nothing when there is none.
    pub(crate) fn decode(record: &[u8]) -> Option<Self> {
        let (writer, number) = (record.get(..4)?, record.get(4..12)?);
        record[12..].iter().all(|byte| *byte == Self::BALLAST).then_some(Self {
            writer: u32::from_be_bytes(writer.try_into().ok()?),
            number: u64::from_be_bytes(number.try_into().ok()?),
        })
    }
}

/// What became of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It has this place in the register.
    Acknowledged { sequence: u64 },
    /// It surely was not done.
    Refused,
    /// Nobody can say.
    Unknown,
}

/// Appends to one register, and what is in it at the end.
#[derive(Debug, Default)]
struct Register {
    sent: BTreeMap<Id, Fate>,
    /// When appends were acknowledged, since the beginning.
    acknowledged: Vec<Duration>,
    /// The records as each reader found them: (sequence, id), or `None` for a record that is none of ours.
    read: Vec<Vec<(u64, Option<Id>)>>,
}

/// Everything that happened.
#[derive(Debug, Default)]
pub(crate) struct History {
    registers: BTreeMap<String, Register>,
    stale_reads: u64,
}

/// What it comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Verdict {
    pub(crate) sent: u64,
    pub(crate) acked: u64,
    pub(crate) refused: u64,
    pub(crate) unknown: u64,
    pub(crate) read: u64,
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    pub(crate) phantom: u64,
    /// Not in their writer's order, not where the acknowledgement said, or after a hole.
    pub(crate) misplaced: u64,
    /// Reads that did not have what was acknowledged before they began.
    pub(crate) stale: u64,
    /// Readers that did not find what the others found.
    pub(crate) diverged: u64,
    /// Registers that nobody could read at the end.
    pub(crate) unread: u64,
    /// The longest time without an acknowledgement in any register that was written to.
    pub(crate) worst_gap: Duration,
}

impl Verdict {
    /// Whether nothing happened that must not.
    pub(crate) fn is_safe(&self) -> bool {
        let never = [self.lost, self.duplicated, self.phantom, self.misplaced, self.stale, self.diverged];
        never.iter().all(|count| *count == 0)
    }
}

impl History {
    /// An append is over. `at`: since the beginning.
    pub(crate) fn record(&mut self, register: &str, id: Id, fate: Fate, at: Duration) {
        let register = self.registers.entry(register.to_owned()).or_default();
        register.sent.insert(id, fate);
        if let Fate::Acknowledged { .. } = fate {
            register.acknowledged.push(at);
        }
    }

    /// A linearizable read did not have what was acknowledged before it began.
    pub(crate) fn stale_read(&mut self) {
        self.stale_reads += 1;
    }

    /// Somebody read a whole register, from the first record on, when all was over.
    pub(crate) fn found(&mut self, register: &str, records: Vec<(u64, Option<Id>)>) {
        self.registers.entry(register.to_owned()).or_default().read.push(records);
    }

    /// The names of all registers.
    pub(crate) fn registers(&self) -> impl Iterator<Item = &str> {
        self.registers.keys().map(String::as_str)
    }

    /// How many appends were acknowledged so far.
    pub(crate) fn acknowledged(&self) -> usize {
        self.registers.values().map(|register| register.acknowledged.len()).sum()
    }

    /// The verdict. Gaps are looked for up to `end`.
    pub(crate) fn judge(&self, end: Duration) -> Verdict {
        let mut verdict = Verdict { stale: self.stale_reads, ..Verdict::default() };
        for register in self.registers.values() {
            register.judge(end, &mut verdict);
        }
        verdict
    }
}

impl Register {
    fn judge(&self, end: Duration, verdict: &mut Verdict) {
        verdict.sent += self.sent.len() as u64;
        for fate in self.sent.values() {
            *match fate {
                Fate::Acknowledged { .. } => &mut verdict.acked,
                Fate::Refused => &mut verdict.refused,
                Fate::Unknown => &mut verdict.unknown,
            } += 1;
        }
        verdict.worst_gap = verdict.worst_gap.max(self.worst_gap(end));
        let Some((first, others)) = self.read.split_first() else {
            // What nobody could read is lost, as far as anybody can tell.
            let acked = self.sent.values().filter(|fate| matches!(fate, Fate::Acknowledged { .. }));
            verdict.lost += acked.count() as u64;
            verdict.unread += 1;
            return;
        };
        verdict.diverged += others.iter().filter(|other| *other != first).count() as u64;
        self.judge_records(first, verdict);
    }

    fn judge_records(&self, records: &[(u64, Option<Id>)], verdict: &mut Verdict) {
        verdict.read += records.len() as u64;
        let mut seen = BTreeSet::new();
        let mut last_of = BTreeMap::new();
        for (place, (sequence, id)) in (1u64..).zip(records) {
            let fate = id.and_then(|id| self.sent.get(&id));
            let (Some(id), Some(fate)) = (id, fate) else {
                verdict.phantom += 1;
                continue;
            };
            if !seen.insert(*id) {
                verdict.duplicated += 1;
                continue;
            }
            let in_order = last_of.insert(id.writer, id.number).is_none_or(|last| last < id.number);
            let as_said = match fate {
                Fate::Acknowledged { sequence: said } => said == sequence,
                Fate::Unknown => true,
                Fate::Refused => {
                    verdict.phantom += 1;
                    continue;
                }
            };
            verdict.misplaced += u64::from(!in_order || !as_said || place != *sequence);
        }
        let lost =
            |(id, fate): &(&Id, &Fate)| matches!(fate, Fate::Acknowledged { .. }) && !seen.contains(id);
        verdict.lost += self.sent.iter().filter(lost).count() as u64;
    }

    fn worst_gap(&self, end: Duration) -> Duration {
        let mut times = self.acknowledged.clone();
        times.sort_unstable();
        let Some(first) = times.first().copied() else { return end };
        times.push(end);
        let gaps = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
        gaps.max().unwrap_or_default().max(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const R: &str = "r";

    fn id(number: u64) -> Id {
        Id { writer: 1, number }
    }

    fn acked(history: &mut History, number: u64, sequence: u64) {
        let at = Duration::from_millis(sequence * 10);
        history.record(R, id(number), Fate::Acknowledged { sequence }, at);
    }

    /// Three acknowledged appends, and what a reader finds.
    fn verdict(found: &[(u64, u64)]) -> Verdict {
        let mut history = History::default();
        (1..=3).for_each(|n| acked(&mut history, n, n));
        history.found(R, found.iter().map(|(sequence, number)| (*sequence, Some(id(*number)))).collect());
        history.judge(Duration::from_millis(40))
    }

    #[test]
    fn all_is_well() {
        let verdict = verdict(&[(1, 1), (2, 2), (3, 3)]);
        assert!(verdict.is_safe(), "{verdict:?}");
        assert_eq!((verdict.sent, verdict.acked, verdict.read), (3, 3, 3));
    }

    #[test]
    fn what_is_not_read_is_lost() {
        assert_eq!(verdict(&[(1, 1), (2, 2)]).lost, 1);
        let mut history = History::default();
        acked(&mut history, 1, 1);
        assert_eq!(history.judge(Duration::ZERO).lost, 1, "nobody has read");
    }

    #[test]
    fn what_is_read_twice_is_a_duplicate() {
        assert_eq!(verdict(&[(1, 1), (2, 2), (3, 3), (4, 2)]).duplicated, 1);
    }

    #[test]
    fn what_was_never_sent_is_a_phantom() {
        assert_eq!(verdict(&[(1, 1), (2, 2), (3, 3), (4, 9)]).phantom, 1);
        let mut history = History::default();
        history.record(R, id(1), Fate::Refused, Duration::ZERO);
        history.found(R, vec![(1, Some(id(1))), (2, None)]);
        assert_eq!(history.judge(Duration::ZERO).phantom, 2);
    }

    #[test]
    fn order_and_places_count() {
        assert_eq!(verdict(&[(1, 1), (2, 3), (3, 2)]).misplaced, 2, "two are not where they were said to be");
        assert_eq!(verdict(&[(1, 1), (2, 2), (4, 3)]).misplaced, 1, "a hole");
        let mut history = History::default();
        history.record(R, id(1), Fate::Unknown, Duration::ZERO);
        history.record(R, id(2), Fate::Unknown, Duration::ZERO);
        history.found(R, vec![(1, Some(id(2))), (2, Some(id(1)))]);
        assert_eq!(history.judge(Duration::ZERO).misplaced, 1);
    }

    #[test]
    fn an_unknown_append_may_be_there_or_not() {
        for found in [vec![], vec![(1, Some(id(1)))]] {
            let mut history = History::default();
            history.record(R, id(1), Fate::Unknown, Duration::ZERO);
            history.found(R, found);
            assert!(history.judge(Duration::ZERO).is_safe());
        }
    }

    #[test]
    fn readers_agree() {
        let mut history = History::default();
        acked(&mut history, 1, 1);
        history.found(R, vec![(1, Some(id(1)))]);
        history.found(R, vec![]);
        assert_eq!(history.judge(Duration::ZERO).diverged, 1);
    }

    #[test]
    fn the_worst_gap_is_between_acknowledgements_or_up_to_the_end() {
        let gap = |times: &[u64], end: u64| {
            let mut history = History::default();
            for (n, at) in (1u64..).zip(times) {
                let at = Duration::from_millis(*at);
                history.record(R, id(n), Fate::Acknowledged { sequence: n }, at);
            }
            history.judge(Duration::from_millis(end)).worst_gap.as_millis()
        };
        assert_eq!(gap(&[10, 20, 70, 80], 90), 50);
        assert_eq!(gap(&[10, 20], 90), 70);
        assert_eq!(gap(&[40, 50], 60), 40);
        assert_eq!(gap(&[], 60), 0, "nothing was sent");
    }

    #[test]
    fn ids_go_both_ways() {
        let id = Id { writer: 7, number: 1 << 40 };
        assert_eq!(Id::decode(&id.encode()), Some(id));
        assert_eq!(Id::decode(b"short"), None);
        assert_eq!(Id::decode(&[0; 13]), None);
        assert_eq!(Id::decode(&[&id.encode()[..], b"xxx"].concat()), Some(id));
    }
}
