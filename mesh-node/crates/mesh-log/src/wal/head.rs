//! The head of a file.
//!
//! ```text
//!  0         8         12      16       24       32           40                56       64 … 4096
//!  ├─ magic ─┼ version ┼─ crc ─┼── id ──┼─ salt ─┼─ file size ┼── identity ────┼─ zeros ┼─ zeros ─┤
//! ```

use super::fields::{array, u32_at, u64_at};
use crate::id::FileId;

const MAGIC: [u8; 8] = *b"MESHWAL\0";
/// The format of files that this version writes and reads.
pub const VERSION: u32 = 1;
/// Bytes of a head that mean something.
pub const BYTES: usize = 64;

/// The head of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The file.
    pub id: FileId,
    /// Bytes that the file has.
    pub file_bytes: u64,
    /// Whose it is: the UUID of the data directory.
    pub identity: u128,
}

/// Why bytes are no head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreadable {
    /// They are of a format that this version does not know.
    Version(u32),
    /// They are not what was written.
    Damaged,
}

/// What every block of a file carries, so that one which was written before the file was used again is told apart. It
/// follows from whose the file is and which: both never come twice, and it is known also when the head is damaged.
#[must_use]
pub fn salt(identity: u128, id: FileId) -> u64 {
    // The finalizer of SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
    let mix = |mut z: u64| {
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    };
    let [low, high] = [identity as u64, (identity >> 64) as u64];
    mix(low ^ mix(high ^ mix(id.0.wrapping_add(0x9e37_79b9_7f4a_7c15))))
}

impl Head {
    /// The salt of the file's blocks.
    #[must_use]
    pub fn salt(&self) -> u64 {
        salt(self.identity, self.id)
    }

    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.id.0.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.salt().to_le_bytes());
        bytes[32..40].copy_from_slice(&self.file_bytes.to_le_bytes());
        bytes[40..56].copy_from_slice(&self.identity.to_le_bytes());
        let crc = checksum(&bytes);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Of bytes.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Unreadable> {
        let bytes: &[u8; BYTES] = bytes.first_chunk().ok_or(Unreadable::Damaged)?;
        if bytes[..8] != MAGIC || u32_at(bytes, 12) != checksum(bytes) {
            return Err(Unreadable::Damaged);
        }
        match u32_at(bytes, 8) {
            VERSION => {}
            other => return Err(Unreadable::Version(other)),
        }
        let head = Self {
            id: FileId(u64_at(bytes, 16)),
            file_bytes: u64_at(bytes, 32),
            identity: u128::from_le_bytes(array(bytes, 40)),
        };
        if head.salt() == u64_at(bytes, 24) { Ok(head) } else { Err(Unreadable::Damaged) }
    }
}

fn checksum(bytes: &[u8; BYTES]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&bytes[..12]), &bytes[16..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Head = Head { id: FileId(7), file_bytes: 64 << 20, identity: 0x0102 << 100 | 3 };

    #[test]
    fn it_is_read_as_it_is_written() {
        assert_eq!(Head::decode(&HEAD.encode()), Ok(HEAD));
        assert_eq!(Head::decode(&HEAD.encode()[..BYTES - 1]), Err(Unreadable::Damaged));
    }

    #[test]
    fn no_bit_can_flip_unnoticed() {
        for at in 0..BYTES * 8 {
            let mut bytes = HEAD.encode();
            bytes[at / 8] ^= 1 << (at % 8);
            assert_eq!(Head::decode(&bytes), Err(Unreadable::Damaged), "bit {at}");
        }
    }

    #[test]
    fn another_version_is_named() {
        let mut bytes = HEAD.encode();
        bytes[8] = 2;
        let crc = checksum(&bytes);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(Head::decode(&bytes), Err(Unreadable::Version(2)));
    }

    #[test]
    fn salts_differ() {
        let salts = [(0, 0), (0, 1), (1, 0), (1, 1), (1 << 64, 0), (1 << 64, 1)]
            .map(|(identity, id)| salt(identity, FileId(id)));
        for (at, salt) in salts.iter().enumerate() {
            assert!(!salts[..at].contains(salt));
        }
        assert_eq!(salt(1, FileId(1)), salt(1, FileId(1)));
    }
}
