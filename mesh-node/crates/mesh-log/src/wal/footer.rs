//! The footer of a file that is full: what is in it, so that nobody has to read it to know.
//!
//! ```text
//!  a line for each group, by rising group                       the last 64 bytes of the file
//!  0       4       8       16      24      32                   0       4       8      16      20      24      32     40    48      64
//!  ├ group ┼ zeros ┼ first ┼─ last ┼ bytes ┤ … one after another ├ magic ┼─ crc ─┼ salt ┼ count ┼ zeros ┼ first ┼ last ┼ end ┼ zeros ┤
//!                                                                        └ CRC32C of the lines and everything behind it
//! ```
//! `first` and `last` of the tail are sequences of blocks, `end` is where the last block ends. A footer that can't be read
//! only means that the file is read.

use super::{
    align,
    fields::{u32_at, u64_at},
};
use crate::id::GroupId;

const MAGIC: u32 = u32::from_le_bytes(*b"MWF1");
/// Bytes of the tail.
pub const TAIL: usize = 64;
/// Bytes of a line.
pub const LINE: usize = 32;

/// What a file holds of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The group.
    pub group: GroupId,
    /// The lowest index of its entries.
    pub first: u64,
    /// The highest one.
    pub last: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
}

/// The footer of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footer {
    /// What the file holds, by rising group.
    pub groups: Vec<Extent>,
    /// The sequence of its first block.
    pub first: u64,
    /// The sequence of its last block.
    pub last: u64,
    /// Where its last block ends.
    pub end: u64,
}

/// Bytes that a footer of so many groups takes, with its padding (in front).
#[must_use]
pub const fn bytes(groups: usize) -> u64 {
    align((TAIL + groups * LINE) as u64)
}

impl Footer {
    /// As bytes, to be written so that they end where the file does.
    #[must_use]
    pub fn encode(&self, salt: u64) -> Vec<u8> {
        let whole = usize::try_from(bytes(self.groups.len())).unwrap_or(usize::MAX);
        let lines = self.groups.len() * LINE;
        let mut out = vec![0; whole - TAIL - lines];
        out.reserve_exact(TAIL + lines);
        for extent in &self.groups {
            out.extend_from_slice(&extent.group.0.to_le_bytes());
            out.extend_from_slice(&[0; 4]);
            for number in [extent.first, extent.last, extent.bytes] {
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
        let mut tail = [0; TAIL];
        tail[0..4].copy_from_slice(&MAGIC.to_le_bytes());
        tail[8..16].copy_from_slice(&salt.to_le_bytes());
        tail[16..20].copy_from_slice(&(self.groups.len() as u32).to_le_bytes());
        tail[24..32].copy_from_slice(&self.first.to_le_bytes());
        tail[32..40].copy_from_slice(&self.last.to_le_bytes());
        tail[40..48].copy_from_slice(&self.end.to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c(&out[whole - TAIL - lines..]), &tail[8..]);
        tail[4..8].copy_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(&tail);
        out
    }

    /// How many bytes before the end of a file its footer begins, when the file ends with these.
    #[must_use]
    pub fn len(end_of_file: &[u8], salt: u64, file_bytes: u64) -> Option<u64> {
        let tail: &[u8; TAIL] = end_of_file.last_chunk()?;
        let count = u64::from(u32_at(tail, 16));
        let len = TAIL as u64 + count * LINE as u64;
        (u32_at(tail, 0) == MAGIC && u64_at(tail, 8) == salt && len <= file_bytes).then_some(len)
    }

    /// Of the bytes at the end of a file, at least as many as [`Footer::len`] said.
    #[must_use]
    pub fn decode(end_of_file: &[u8], salt: u64) -> Option<Self> {
        let len = Self::len(end_of_file, salt, end_of_file.len() as u64)?;
        let bytes = &end_of_file[end_of_file.len() - usize::try_from(len).ok()?..];
        let (lines, tail) = bytes.split_at(bytes.len() - TAIL);
        if u32_at(tail, 4) != crc32c::crc32c_append(crc32c::crc32c(lines), &tail[8..]) {
            return None;
        }
        let extent = |line: &[u8]| Extent {
            group: GroupId(u32_at(line, 0)),
            first: u64_at(line, 8),
            last: u64_at(line, 16),
            bytes: u64_at(line, 24),
        };
        Some(Self {
            groups: lines.chunks_exact(LINE).map(extent).collect(),
            first: u64_at(tail, 24),
            last: u64_at(tail, 32),
            end: u64_at(tail, 40),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn footer(groups: u32) -> Footer {
        let extent = |group| Extent { group: GroupId(group), first: 1, last: 2, bytes: 3 };
        Footer { groups: (0..groups).map(extent).collect(), first: 4, last: 5, end: 8192 }
    }

    #[test]
    fn it_is_read_as_it_is_written() {
        for groups in [0, 1, 125, 126, 127, 1000] {
            let footer = footer(groups);
            let encoded = footer.encode(9);
            assert_eq!(encoded.len() as u64, bytes(groups as usize));
            assert_eq!(Footer::decode(&encoded, 9), Some(footer));
            assert_eq!(Footer::decode(&encoded, 8), None);
        }
        assert_eq!((bytes(126), bytes(127)), (4096, 8192));
    }

    #[test]
    fn no_bit_can_flip_unnoticed() {
        let encoded = footer(2).encode(9);
        let meant = encoded.len() - TAIL - 2 * LINE;
        for at in meant * 8..encoded.len() * 8 {
            let mut bytes = encoded.clone();
            bytes[at / 8] ^= 1 << (at % 8);
            assert_eq!(Footer::decode(&bytes, 9), None, "bit {at}");
        }
    }

    #[test]
    fn a_count_that_lies_reads_nothing_outside() {
        let mut bytes = footer(1).encode(9);
        let at = bytes.len() - TAIL + 16;
        for count in [0, 2, 126, 127, u32::MAX] {
            bytes[at..at + 4].copy_from_slice(&count.to_le_bytes());
            assert_eq!(Footer::decode(&bytes, 9), None, "{count}");
        }
        assert_eq!(Footer::decode(&[], 9), None);
    }
}
