//! How a log is written.

use std::{
    io::{self, IoSlice},
    sync::atomic::Ordering,
};

use super::{Log, Sealed, WriteError, current::Current};
use crate::{
    bug::Bug,
    location::Location,
    record::Record,
    wal::{
        align,
        block::{self, Header},
        head,
        item::{self, Item},
    },
};

impl Log {
    /// Writes records as one block; durable after [`Log::sync`]. Returns where the payload of each
    /// [`Record::Entry`] stands, in order. After a crash before the sync all of them may be there or none; only when
    /// they don't fit into one file together, the first ones.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn append(&mut self, records: &[Record]) -> Result<Vec<Location>, WriteError> {
        if self.broken {
            return Err(WriteError::Broken);
        }
        let entries = records.iter().filter(|record| matches!(record, Record::Entry { .. })).count();
        let mut locations = Vec::with_capacity(entries);
        let parts = self.parts(records)?;
        self.make_room(&parts)?;
        let mut rest = records;
        for part in parts {
            let (now, later) = rest.split_at(part.records);
            rest = later;
            let written = if part.rolls { self.roll() } else { Ok(()) };
            let written = written.and_then(|()| self.write(now, &mut locations));
            if let Err(error) = written {
                self.broken = true;
                return Err(error);
            }
        }
        Ok(locations)
    }

    /// Makes everything durable that was appended.
    ///
    /// # Errors
    /// [`WriteError`]; never [`WriteError::Full`].
    pub fn sync(&mut self) -> Result<(), WriteError> {
        if self.broken {
            return Err(WriteError::Broken);
        }
        if self.durable < self.sequence && !self.options.bugs.has(Bug::AckBeforeFsync) {
            // What says that a file was begun is durable no later than what is in it.
            if let Err(source) = self.begun.sync() {
                self.broken = true;
                return Err(WriteError::Io { what: "fdatasync", source });
            }
            let before = self.unsynced.iter();
            let mut files = before.chain(self.current.as_ref().map(|current| &current.file));
            if let Err(source) = files.try_for_each(|file| file.sync_data()) {
                self.broken = true;
                return Err(WriteError::Io { what: "fdatasync", source });
            }
        }
        self.unsynced.clear();
        self.durable = self.sequence;
        self.sealed.append(&mut self.sealing);
        if !self.apart {
            self.maintain();
        }
        Ok(())
    }

    /// Writes down that everything is durable, so that the last block is told from a torn one too. To be called when
    /// nothing is to be written for a while. Whether there was anything to say.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn mark(&mut self) -> Result<bool, WriteError> {
        if self.marked >= self.durable || self.durable < self.sequence || self.current.is_none() {
            return Ok(false);
        }
        self.append(&[])?;
        self.sync()?;
        // What it says of itself does not matter.
        self.marked = self.durable;
        Ok(true)
    }

    /// Gives up what is lost: the groups concerned are suspect no more, and go on from what is left of them; also those
    /// that are known to have committed more than there is. Durable when it
    /// returns.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn accept_loss(&mut self) -> Result<(), WriteError> {
        for standing in self.groups.values_mut() {
            standing.suspect = false;
            // What is not there can't be known to be committed.
            standing.state.commit = standing.state.commit.min(standing.last.0);
        }
        self.make_room(&[Part { records: 0, rolls: true }])?;
        self.roll()?;
        self.sync()
    }

    /// Files that became full, and whose successor is durable, since it was last asked.
    pub fn sealed(&mut self) -> Vec<Sealed> {
        std::mem::take(&mut self.sealed)
    }

    /// Bytes that a block of these records takes in its file, padding included.
    fn bytes_of(records: &[Record]) -> u64 {
        let payloads: u64 = records.iter().map(payload_bytes).sum();
        align((block::BYTES + records.len() * item::BYTES) as u64 + payloads)
    }

    /// Where records have to be split, because they don't fit into what is left of a file.
    pub(super) fn parts(&self, records: &[Record]) -> Result<Vec<Part>, WriteError> {
        let empty = self.empty_room();
        let whole = Self::bytes_of(records);
        let here = self.current.as_ref().is_some_and(|current| current.has_room(whole, records.len()));
        if here || whole + footer_room(records.len()) <= empty {
            return Ok(vec![Part { records: records.len(), rolls: !here }]);
        }
        let mut parts = Vec::new();
        let (mut from, mut to) = (0, 0);
        while to < records.len() {
            if Self::bytes_of(&records[from..=to]) + footer_room(to + 1 - from) <= empty {
                to += 1;
                continue;
            }
            if from == to {
                let len = usize::try_from(payload_bytes(&records[to])).unwrap_or(usize::MAX);
                let around = align((block::BYTES + item::BYTES) as u64) + footer_room(1);
                let max = usize::try_from(empty.saturating_sub(around)).unwrap_or(usize::MAX);
                return Err(WriteError::TooLarge { len, max });
            }
            parts.push(Part { records: to - from, rolls: true });
            from = to;
        }
        parts.push(Part { records: to - from, rolls: true });
        Ok(parts)
    }

    /// Bytes that an empty file has for blocks and the footer, behind its first block.
    fn empty_room(&self) -> u64 {
        let start = align((block::BYTES + 3 * self.groups.len() * item::BYTES) as u64);
        self.options.file_bytes.saturating_sub(crate::wal::ALIGN + start)
    }

    /// Begins the next file.
    fn roll(&mut self) -> Result<(), WriteError> {
        if let Some(full) = self.current.take() {
            full.close(self.sequence).map_err(failed("footer"))?;
            self.sealing.push(full.sealed());
            self.unsynced.push(full.file);
        }
        let Some((id, file)) = self.ready.pop_front() else { return Err(WriteError::Full) };
        self.begun.begin(id).map_err(failed("name of the file"))?;
        let salt = head::salt(self.options.identity, id);
        let jumps = self.accepted != self.sequence;
        self.current = Some(Current::new(id, file, salt, self.options.file_bytes, self.sequence + 1));
        block::begin(&mut self.front);
        for (group, standing) in &self.groups {
            standing.items(*group).iter().for_each(|item| item.encode(&mut self.front));
        }
        self.put(3 * self.groups.len(), 0, true, Vec::new())?;
        match &self.current {
            // That what was cut off does not count must be known before anything is written that builds on it.
            Some(current) if jumps => current.file.sync_data().map_err(failed("fdatasync")),
            _ => Ok(()),
        }
    }

    fn write(&mut self, records: &[Record], locations: &mut Vec<Location>) -> Result<(), WriteError> {
        let Some(current) = &mut self.current else { return Err(WriteError::Broken) };
        block::begin(&mut self.front);
        let mut at = current.offset + (block::BYTES + records.len() * item::BYTES) as u64;
        let mut parts = Vec::with_capacity(records.len() + 2);
        parts.push(IoSlice::new(&[]));
        let payloads_at = at;
        for record in records {
            let item = Item::of(record);
            item.encode(&mut self.front);
            current.handle_item(&item);
            self.groups.entry(item.group()).or_default().handle_item(&item);
            if let Record::Entry { entry, .. } = record {
                let (len, crc) = (item.payload_len() as u32, entry.payload.crc());
                locations.push(Location { file: current.id, offset: at, len, crc });
                at += u64::from(len);
                if len > 0 {
                    parts.push(IoSlice::new(entry.payload.bytes()));
                }
            }
        }
        self.put(records.len(), at - payloads_at, false, parts)
    }

    /// Writes the block whose table is in `front`. The first of `parts` is a place for that.
    fn put(
        &mut self,
        count: usize,
        payloads: u64,
        start: bool,
        parts: Vec<IoSlice<'_>>,
    ) -> Result<(), WriteError> {
        let mut parts = parts;
        let Some(current) = &mut self.current else { return Err(WriteError::Broken) };
        let header = Header {
            salt: current.salt,
            sequence: self.sequence + 1,
            before: self.accepted,
            mark: self.durable,
            // A block is smaller than a file, which is at most 1 GiB.
            len: (self.front.len() as u64 + payloads) as u32,
            count: count as u32,
            ordinal: current.ordinal,
            start,
        };
        block::finish(&mut self.front, &header);
        let front = IoSlice::new(&self.front);
        match parts.first_mut() {
            Some(first) => *first = front,
            None => parts.push(front),
        }
        current.write(&header, &mut parts).map_err(failed("write"))?;
        self.written.fetch_add(header.padded(), Ordering::Relaxed);
        (self.sequence, self.accepted, self.marked) = (header.sequence, header.sequence, header.mark);
        Ok(())
    }
}

/// Records that go into one block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    records: usize,
    /// Whether it begins a file.
    pub(super) rolls: bool,
}

fn payload_bytes(record: &Record) -> u64 {
    match record {
        Record::Entry { entry, .. } => entry.payload.len() as u64,
        _ => 0,
    }
}

fn footer_room(groups: usize) -> u64 {
    crate::wal::footer::bytes(groups)
}

fn failed(what: &'static str) -> impl FnOnce(io::Error) -> WriteError {
    move |source| WriteError::Io { what, source }
}
