//! Reads a file of the log.

use std::io;

use bytes::Bytes;

use crate::{
    id::FileId,
    location::Location,
    payload::Payload,
    record::Entry,
    vfs::File,
    wal::{
        ALIGN,
        block::{self, Header},
        footer::{self, Footer},
        head::{self, Head, Unreadable},
        item::Item,
    },
};

/// Read at once, where that is more than a block.
const WINDOW_BYTES: usize = 1 << 20;
/// A payload below this is copied out of what was read, so that it does not hold all of that in memory.
const COPY_BYTES: usize = 16 << 10;

/// A block that is what was written, but for payloads that are named.
#[derive(Debug)]
pub(crate) struct Block {
    /// Where it stands.
    pub(crate) at: u64,
    /// Its header.
    pub(crate) header: Header,
    /// Its records, each with the place of its payload in the file, and the payload unless that is damaged.
    pub(crate) items: Vec<(Item, u64, Option<Payload>)>,
}

impl Block {
    /// Where the next one stands.
    pub(crate) fn end(&self) -> u64 {
        self.at + self.header.padded()
    }

    /// Whether a payload is damaged.
    pub(crate) fn is_damaged(&self) -> bool {
        self.items.iter().any(|(_, _, payload)| payload.is_none())
    }
}

/// The entry of an item, and where its payload stands.
pub(crate) fn entry_of(file: FileId, item: &Item, at: u64, payload: &Payload) -> Option<(Entry, Location)> {
    let Item::Entry { term, index, kind, len, crc, .. } = *item else { return None };
    let entry = Entry { term, index, kind, payload: payload.clone() };
    Some((entry, Location { file, offset: at, len, crc }))
}

/// Reads one file, mostly from front to back.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    file: &'a dyn File,
    size: u64,
    salt: u64,
    window: Bytes,
    window_at: u64,
    window_bytes: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(file: &'a dyn File, salt: u64) -> io::Result<Self> {
        let (size, window) = (file.size()?, Bytes::new());
        Ok(Self { file, size, salt, window, window_at: 0, window_bytes: WINDOW_BYTES })
    }

    /// One that reads no more than it is asked for.
    pub(crate) fn narrow(file: &'a dyn File, salt: u64) -> io::Result<Self> {
        Ok(Self { window_bytes: ALIGN as usize, ..Self::new(file, salt)? })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn head(&mut self) -> io::Result<Result<Head, Unreadable>> {
        Ok(Head::decode(&self.bytes(0, head::BYTES)?))
    }

    pub(crate) fn footer(&mut self) -> io::Result<Option<Footer>> {
        let tail = self.last(footer::TAIL as u64)?;
        let Some(len) = Footer::len(&tail, self.salt, self.size) else { return Ok(None) };
        Ok(Footer::decode(&self.last(len)?, self.salt))
    }

    /// The block that stands here, if one does.
    pub(crate) fn block(&mut self, at: u64) -> io::Result<Option<Block>> {
        let Some((header, items)) = self.header(at)? else { return Ok(None) };
        let whole = self.bytes(at, header.len as usize)?;
        let mut from = header.table_end();
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            let to = from + item.payload_len();
            let payload = match (&item, whole.get(from..to)) {
                (Item::Entry { crc, .. }, Some(bytes)) if bytes.len() < COPY_BYTES => {
                    Payload::checked(Bytes::copy_from_slice(bytes), *crc)
                }
                (Item::Entry { crc, .. }, Some(_)) => Payload::checked(whole.slice(from..to), *crc),
                (Item::Entry { .. }, None) => None,
                _ => Some(Payload::default()),
            };
            found.push((item, at + from as u64, payload));
            from = to;
        }
        Ok(Some(Block { at, header, items: found }))
    }

    /// Header and table of the block that stands here, if they do; nothing is said of its payloads.
    pub(crate) fn header(&mut self, at: u64) -> io::Result<Option<(Header, Vec<Item>)>> {
        let room = self.size.saturating_sub(at);
        let front = self.bytes(at, block::BYTES)?;
        let Some(header) = Header::peek(&front, self.salt, room) else { return Ok(None) };
        let table = self.bytes(at, header.table_end())?;
        Ok(header.table(&table).map(|items| (header, items)))
    }

    /// The next place, from here on, at which header and table of a block stand.
    pub(crate) fn find(&mut self, from: u64) -> io::Result<Option<(u64, Header)>> {
        let mut at = from.next_multiple_of(ALIGN);
        while at + ALIGN <= self.size {
            if let Some((header, _)) = self.header(at)? {
                return Ok(Some((at, header)));
            }
            at += ALIGN;
        }
        Ok(None)
    }

    /// Whether a block was begun here.
    pub(crate) fn is_begun(&mut self, at: u64) -> io::Result<bool> {
        Ok(block::is_begun(&self.bytes(at, block::BYTES)?, self.salt))
    }

    fn last(&mut self, len: u64) -> io::Result<Bytes> {
        let mut bytes = vec![0; usize::try_from(len.min(self.size)).unwrap_or(0)];
        let filled = self.file.read_at(&mut bytes, self.size - len.min(self.size))?;
        bytes.truncate(filled);
        Ok(bytes.into())
    }

    /// Bytes of the file; fewer at its end.
    fn bytes(&mut self, at: u64, len: usize) -> io::Result<Bytes> {
        let room = usize::try_from(self.size.saturating_sub(at)).unwrap_or(usize::MAX);
        let len = len.min(room);
        let window_end = self.window_at + self.window.len() as u64;
        if at < self.window_at || at + len as u64 > window_end {
            let mut bytes = vec![0; len.max(self.window_bytes).min(room)];
            let filled = self.file.read_at(&mut bytes, at)?;
            bytes.truncate(filled);
            (self.window, self.window_at) = (bytes.into(), at);
        }
        let from = (at - self.window_at) as usize;
        Ok(self.window.slice(from.min(self.window.len())..(from + len).min(self.window.len())))
    }
}
