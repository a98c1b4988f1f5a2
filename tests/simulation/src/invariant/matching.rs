//! If two logs have an entry with the same index and term, all up to it is the same in both ("Log Matching").
//!
//! By induction: it is enough that entries of the same index and term are the same, and follow entries of the same term.

use std::collections::HashMap;

use mesh_log::{id::GroupId, record::Entry};

use super::Verdict;

/// All entries that were ever written: what is in them, and the term of the one before where that is known.
#[derive(Debug, Default)]
pub struct LogMatching(HashMap<(GroupId, u64, u64), (u32, Option<u64>)>);

impl LogMatching {
    /// A node writes an entry behind one of `before`.
    ///
    /// # Errors
    /// When another node wrote something else there.
    pub fn written(&mut self, group: GroupId, entry: &Entry, before: Option<u64>) -> Verdict {
        let crc = entry.payload.crc() ^ entry.kind as u32;
        let (known_crc, known_before) =
            self.0.entry((group, entry.index, entry.term)).or_insert((crc, before));
        let place = || format!("group {group}, index {}, term {}", entry.index, entry.term);
        if *known_crc != crc {
            return Err(format!("{}: two different entries", place()));
        }
        match (*known_before, before) {
            (Some(known), Some(before)) if known != before => {
                Err(format!("{}: it follows entries of the terms {known} and {before}", place()))
            }
            (None, Some(before)) => {
                *known_before = Some(before);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mesh_log::{payload::Payload, record::EntryKind};

    use super::*;

    #[test]
    fn entries_and_what_is_before_them_are_compared() {
        let entry = |index, term, bytes: &'static str| Entry {
            term,
            index,
            kind: EntryKind::Commands,
            payload: Payload::new(Bytes::from_static(bytes.as_bytes())),
        };
        let group = GroupId(1);
        let mut matching = LogMatching::default();
        matching.written(group, &entry(1, 1, "a"), Some(0)).unwrap();
        matching.written(group, &entry(1, 2, "b"), Some(0)).unwrap();
        matching.written(group, &entry(2, 2, "c"), None).unwrap();
        matching.written(group, &entry(2, 2, "c"), Some(2)).unwrap();
        assert!(matching.written(group, &entry(1, 1, "b"), Some(0)).is_err());
        assert!(matching.written(group, &entry(2, 2, "c"), Some(1)).is_err());
        matching.written(GroupId(2), &entry(1, 1, "b"), Some(0)).unwrap();
    }
}
