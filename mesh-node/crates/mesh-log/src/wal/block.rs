//! Blocks: what one write puts into a file.
//!
//! ```text
//!  0       4       8      16         24       32     40    44      48        52      56       64
//!  ├ magic ┼─ crc ─┼ salt ┼ sequence ┼ before ┼ mark ┼ len ┼ count ┼ ordinal ┼ flags ┼─ zeros ┤ table … payloads … zeros
//!          └ CRC32C of everything behind it up to the end of the table; payloads have theirs in the table
//! ```
//! * `sequence` rises from block to block over all files and is never used again.
//! * `before` is the sequence of the block before it that counts: one less, unless blocks were cut off in between.
//! * `mark` is the sequence of the last block that was known to be durable when this one was written. A block at or below
//!   a mark that can't be read was **damaged**; one above every mark was **torn** while it was written.
//! * `len` is without the padding; `ordinal` counts the blocks of a file from 0.

use super::{
    align,
    fields::{u32_at, u64_at},
    item::{self, Item},
};

const MAGIC: u32 = u32::from_le_bytes(*b"MWB1");
/// Bytes of a header.
pub const BYTES: usize = 64;
const START: u32 = 1;

/// The header of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The salt of the file.
    pub salt: u64,
    /// Its number.
    pub sequence: u64,
    /// The number of the block before it that counts.
    pub before: u64,
    /// The number of the last block that was known to be durable.
    pub mark: u64,
    /// Bytes of header, table and payloads.
    pub len: u32,
    /// Lines of the table.
    pub count: u32,
    /// Its place among the blocks of its file.
    pub ordinal: u32,
    /// Whether it is the first of its file and says where all groups stand.
    pub start: bool,
}

impl Header {
    /// Bytes of header and table.
    #[must_use]
    pub fn table_end(&self) -> usize {
        BYTES + self.count as usize * item::BYTES
    }

    /// Bytes with the padding.
    #[must_use]
    pub fn padded(&self) -> u64 {
        align(self.len.into())
    }

    /// The header at the front of these bytes, when they may be a block of a file with this salt and of at most `room`
    /// bytes. Nothing is checked yet: see [`Header::table`].
    #[must_use]
    pub fn peek(bytes: &[u8], salt: u64, room: u64) -> Option<Self> {
        let bytes: &[u8; BYTES] = bytes.first_chunk()?;
        if u32_at(bytes, 0) != MAGIC || u64_at(bytes, 8) != salt {
            return None;
        }
        let header = Self {
            salt,
            sequence: u64_at(bytes, 16),
            before: u64_at(bytes, 24),
            mark: u64_at(bytes, 32),
            len: u32_at(bytes, 40),
            count: u32_at(bytes, 44),
            ordinal: u32_at(bytes, 48),
            start: u32_at(bytes, 52) & START != 0,
        };
        let table_end = BYTES as u64 + u64::from(header.count) * item::BYTES as u64;
        (table_end <= header.len.into() && header.padded() <= room).then_some(header)
    }

    /// The table, when header and table (these bytes) are what was written.
    #[must_use]
    pub fn table(&self, bytes: &[u8]) -> Option<Vec<Item>> {
        let bytes = bytes.get(..self.table_end())?;
        if u32_at(bytes, 4) != crc32c::crc32c(&bytes[8..]) {
            return None;
        }
        let items: Vec<Item> = bytes[BYTES..].chunks_exact(item::BYTES).map_while(Item::decode).collect();
        let payloads: u64 = items.iter().map(|item| item.payload_len() as u64).sum();
        let is_whole = items.len() == self.count as usize
            && self.table_end() as u64 + payloads == self.len.into()
            && self.before < self.sequence
            && self.mark < self.sequence;
        is_whole.then_some(items)
    }
}

/// Whether these bytes were meant as a block of a file with this salt, however much of it is there.
#[must_use]
pub fn is_begun(bytes: &[u8], salt: u64) -> bool {
    bytes.len() >= 16 && u32_at(bytes, 0) == MAGIC && u64_at(bytes, 8) == salt
}

/// Begins a block in an empty buffer; lines of the table come next, then [`finish`].
pub fn begin(into: &mut Vec<u8>) {
    into.clear();
    into.resize(BYTES, 0);
}

/// Fills in the header of a block whose table is in the buffer.
pub fn finish(into: &mut [u8], header: &Header) {
    let Some((front, _)) = into.split_first_chunk_mut::<BYTES>() else { return };
    front[0..4].copy_from_slice(&MAGIC.to_le_bytes());
    front[8..16].copy_from_slice(&header.salt.to_le_bytes());
    front[16..24].copy_from_slice(&header.sequence.to_le_bytes());
    front[24..32].copy_from_slice(&header.before.to_le_bytes());
    front[32..40].copy_from_slice(&header.mark.to_le_bytes());
    front[40..44].copy_from_slice(&header.len.to_le_bytes());
    front[44..48].copy_from_slice(&header.count.to_le_bytes());
    front[48..52].copy_from_slice(&header.ordinal.to_le_bytes());
    front[52..56].copy_from_slice(&(if header.start { START } else { 0 }).to_le_bytes());
    front[56..64].fill(0);
    let crc = crc32c::crc32c(&into[8..]);
    into[4..8].copy_from_slice(&crc.to_le_bytes());
}

#[cfg(test)]
mod tests;
