//! Committed entries go to the machine, and its answers to whoever asked.

use mesh_log::{
    bug::Bug,
    location::{Location, Piece},
    record::{Entry, EntryKind},
};

use super::Group;
use crate::{
    forming::Formed,
    host::Work,
    id::Token,
    machine::{At, Keep, Machine, Outcome},
    output::Output,
    refused::Refused,
};

impl<M: Machine> Group<M> {
    pub(super) fn apply_commands(&mut self, work: &mut Work<'_>, entry: &Entry, location: Option<Location>) {
        let formed = match Formed::read(entry.payload.bytes()) {
            Ok(None) => return,
            Ok(Some(formed)) => formed,
            Err(why) => {
                // Passing it over would make this replica another one than those that can read it.
                work.outputs.push(Output::Fatal(format!("group {}: entry {}: {why}", self.id, entry.index)));
                return;
            }
        };
        let time_ms = self.clock.applied(formed.time_ms);
        let at = At { group: self.id, index: entry.index, term: entry.term, time_ms };
        let mut tokens = self.tokens_of(entry).into_iter();
        for (offset, command) in formed {
            let outcome = self.machine.apply(at, &command);
            self.keep(work, entry, location, offset, command.len(), &outcome);
            if let Some(token) = tokens.next() {
                work.outputs.push(Output::Applied { token, at, reply: outcome.reply });
            }
        }
    }

    /// Who waits for the commands of an entry, in their order.
    fn tokens_of(&mut self, entry: &Entry) -> Vec<Token> {
        let Some(lead) = &mut self.lead else { return Vec::new() };
        let found = lead.proposed.front_mut();
        let found = found.filter(|proposed| (proposed.index, proposed.term) == (entry.index, entry.term));
        found.map(|proposed| std::mem::take(&mut proposed.tokens)).unwrap_or_default()
    }

    /// Entries up to an index are applied; whoever waits for another one in the place of one of them waits in vain.
    pub(super) fn forget_proposed(&mut self, work: &mut Work<'_>, applied: u64) {
        let Some(lead) = &mut self.lead else { return };
        while lead.proposed.front().is_some_and(|proposed| proposed.index <= applied) {
            let tokens = lead.proposed.pop_front().map(|proposed| proposed.tokens).unwrap_or_default();
            work.outputs
                .extend(tokens.into_iter().map(|token| Output::Refused { token, why: Refused::Unknown }));
        }
    }

    fn keep(
        &self,
        work: &mut Work<'_>,
        entry: &Entry,
        location: Option<Location>,
        offset: usize,
        len: usize,
        outcome: &Outcome,
    ) {
        for keep in &outcome.keep {
            let Some(piece) = piece_of(entry, location, offset, len, keep) else {
                let why = format!("group {}: records of entry {} stand nowhere", self.id, entry.index);
                work.outputs.push(Output::Fatal(why));
                return;
            };
            work.lanes.put(self.id, piece);
        }
        for trim in &outcome.trim {
            let below = work.shared.pulls.trim(self.id, trim.lane, trim.below);
            work.lanes.trim(self.id, trim.lane, below);
        }
    }

    /// The known bug of a replica that applies again what its checkpoint has.
    pub(super) fn replay(&mut self, work: &mut Work<'_>, entries: Vec<(Entry, Location)>) {
        if !work.options.bugs.has(Bug::ApplyTwice) {
            return;
        }
        let applied = self.applied.0;
        let behind = entries.into_iter().filter(|(entry, _)| entry.index <= applied);
        for (entry, location) in behind.filter(|(entry, _)| entry.kind == EntryKind::Commands) {
            self.apply_commands(work, &entry, Some(location));
        }
    }
}

/// Where a part of a command stands on disk.
fn piece_of(
    entry: &Entry,
    location: Option<Location>,
    offset: usize,
    len: usize,
    keep: &Keep,
) -> Option<Piece> {
    let (begin, end) = (keep.offset as usize, (keep.offset as usize).checked_add(keep.len as usize)?);
    if end > len || keep.count == 0 {
        return None;
    }
    let location = location?;
    let bytes = entry.payload.bytes().get(offset + begin..offset + end)?;
    Some(Piece {
        lane: keep.lane,
        first: keep.first,
        count: keep.count,
        location: Location {
            file: location.file,
            offset: location.offset + (offset + begin) as u64,
            len: keep.len,
            crc: crc32c::crc32c(bytes),
        },
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use mesh_log::{
        id::{FileId, LaneId},
        payload::Payload,
    };

    use super::*;
    use crate::forming;

    #[test]
    fn a_piece_is_a_part_of_what_was_written() {
        let commands = [Bytes::from_static(b"first"), Bytes::from_static(b"second")];
        let payload: Payload = forming::form(1, commands.iter());
        let bytes = payload.bytes().clone();
        let entry = Entry { term: 1, index: 2, kind: EntryKind::Commands, payload };
        let location = Location { file: FileId(3), offset: 1_000, len: 0, crc: 0 };
        let (offset, command) = Formed::read(&bytes).unwrap().unwrap().nth(1).unwrap();
        let keep = Keep { lane: LaneId(9), first: 5, count: 1, offset: 2, len: 4 };
        let piece = piece_of(&entry, Some(location), offset, command.len(), &keep).unwrap();
        let at = usize::try_from(piece.location.offset - 1_000).unwrap();
        assert_eq!(&bytes[at..at + 4], b"cond");
        assert_eq!(piece.location.crc, crc32c::crc32c(b"cond"));
        let over = |offset, len| piece_of(&entry, Some(location), 0, 6, &Keep { offset, len, ..keep });
        assert!(over(2, 4).is_some());
        assert!(over(2, 5).is_none());
        assert!(over(u32::MAX, 1).is_none());
        assert!(piece_of(&entry, None, 0, 6, &keep).is_none());
    }
}
