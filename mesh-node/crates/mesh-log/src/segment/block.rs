//! What a segment that is built consists of.
//!
//! ```text
//!   head, 32 bytes      "MESHSEGM" version(2) 0(6) segment(8) salt(4) CRC32C of this(4)
//!   blocks              each at a multiple of 4,096:
//!     head, 32 bytes    "BLK1" group(4) pieces(4) number in the file(4) bytes of the records(8) 0(4)
//!                       CRC32C of the salt, this and the entries(4)
//!     entry, 28 bytes   lane(8) first(8) count(4) length(4) CRC32C(4)
//!     records           of all entries, one after the other
//! ```
//! The head is durable before the first block is written, and a block before the next one. So one that can't be read is
//! damage when another one follows, and otherwise one that was never finished. The salt keeps records that look like a
//! block from being taken for one.

use std::io;

use crate::{
    files::read_exact,
    id::{FileId, GroupId, LaneId},
    location::{Location, Piece, u32_at, u64_at},
    vfs::File,
};

/// Blocks begin at multiples of so many bytes.
pub const ALIGN: u64 = 4096;
/// The most pieces of a block.
pub const PIECES_MAX: usize = 1 << 18;
/// The most bytes of one piece.
pub const PIECE_BYTES_MAX: u32 = 128 << 20;

const MAGIC: &[u8; 8] = b"MESHSEGM";
const VERSION: u16 = 1;
const HEAD: usize = 32;
const BLOCK_MAGIC: &[u8; 4] = b"BLK1";
const BLOCK_HEAD: usize = 32;
const ENTRY: usize = 28;

/// What was found in a segment without an index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Scan {
    /// All pieces that the blocks name.
    pub(crate) pieces: Vec<(GroupId, Piece)>,
    /// Where the next block goes.
    pub(crate) end: u64,
    /// The number of the next block.
    pub(crate) number: u32,
    /// What the checksums of its blocks begin with.
    pub(crate) salt: u32,
    /// Whether a block at the end can't be read: nothing may be written there.
    pub(crate) torn: bool,
    /// What is lost, in words, if something is.
    pub(crate) damage: Option<String>,
    /// The format, if it is one that is not known.
    pub(crate) version: Option<u16>,
}

/// The head of a file.
pub(crate) fn head(file: FileId, salt: u32) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(MAGIC);
    head[8..10].copy_from_slice(&VERSION.to_le_bytes());
    head[16..24].copy_from_slice(&file.0.to_le_bytes());
    head[24..28].copy_from_slice(&salt.to_le_bytes());
    let crc = crc32c::crc32c(&head[..28]);
    head[28..].copy_from_slice(&crc.to_le_bytes());
    head
}

/// Where a block may begin that comes behind this.
pub(crate) fn aligned(offset: u64) -> u64 {
    offset.div_ceil(ALIGN) * ALIGN
}

/// The place of a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) file: FileId,
    pub(crate) salt: u32,
    pub(crate) number: u32,
    pub(crate) offset: u64,
}

/// The bytes of a block but for the records, and where these will stand.
pub(crate) fn encode(place: Place, group: GroupId, pieces: &[Piece]) -> (Vec<u8>, Vec<Piece>) {
    let Place { file, salt, number, offset } = place;
    let mut at = offset + (BLOCK_HEAD + pieces.len() * ENTRY) as u64;
    let bytes: u64 = pieces.iter().map(|piece| u64::from(piece.location.len)).sum();
    let mut head = [0; BLOCK_HEAD];
    head[..4].copy_from_slice(BLOCK_MAGIC);
    head[4..8].copy_from_slice(&group.0.to_le_bytes());
    head[8..12].copy_from_slice(&u32::try_from(pieces.len()).unwrap_or(u32::MAX).to_le_bytes());
    head[12..16].copy_from_slice(&number.to_le_bytes());
    head[16..24].copy_from_slice(&bytes.to_le_bytes());
    let mut entries = Vec::with_capacity(pieces.len() * ENTRY);
    let mut placed = Vec::with_capacity(pieces.len());
    for piece in pieces {
        entries.extend_from_slice(&piece.lane.0.to_le_bytes());
        entries.extend_from_slice(&piece.first.to_le_bytes());
        entries.extend_from_slice(&piece.count.to_le_bytes());
        entries.extend_from_slice(&piece.location.len.to_le_bytes());
        entries.extend_from_slice(&piece.location.crc.to_le_bytes());
        placed.push(Piece { location: Location { file, offset: at, ..piece.location }, ..*piece });
        at += u64::from(piece.location.len);
    }
    let crc = checksum(salt, &head[..28], &entries);
    head[28..].copy_from_slice(&crc.to_le_bytes());
    let mut bytes = head.to_vec();
    bytes.append(&mut entries);
    (bytes, placed)
}

struct Block {
    group: GroupId,
    number: u32,
    pieces: Vec<Piece>,
    end: u64,
}

fn checksum(salt: u32, head: &[u8], entries: &[u8]) -> u32 {
    let crc = crc32c::crc32c_append(crc32c::crc32c(&salt.to_le_bytes()), head);
    crc32c::crc32c_append(crc, entries)
}

/// Reads what a segment without an index has: the entries of all blocks, and the records of the last one.
///
/// # Errors
/// Those of the system.
pub(crate) fn scan(from: &dyn File, file: FileId) -> io::Result<Scan> {
    let size = from.size()?;
    let mut scan = Scan { end: ALIGN, ..Scan::default() };
    match check_head(from, file, size)? {
        HeadIs::Ours(salt) => scan.salt = salt,
        HeadIs::Version(version) => scan.version = Some(version),
        HeadIs::Other => {
            scan.torn = true;
            if !is_blank(from, size)? {
                scan.damage = Some("its head can't be read, and so nothing of it can".to_owned());
            }
        }
    }
    if scan.version.is_none() && !scan.torn {
        scan_blocks(from, file, size, &mut scan)?;
    }
    Ok(scan)
}

fn scan_blocks(from: &dyn File, file: FileId, size: u64, scan: &mut Scan) -> io::Result<()> {
    let mut last: Option<Block> = None;
    let mut lost = 0;
    let mut at = ALIGN;
    while at < size {
        let place = Place { file, salt: scan.salt, number: scan.number, offset: at };
        match read_block(from, place, size)? {
            Some(block) => {
                lost += u64::from(block.number != scan.number || scan.torn);
                at = aligned(block.end);
                (scan.end, scan.number, scan.torn) = (at, block.number + 1, false);
                scan.pieces.extend(block.pieces.iter().map(|piece| (block.group, *piece)));
                last = Some(block);
            }
            None => {
                scan.torn = scan.torn || !is_zero(from, at)?;
                at += ALIGN;
            }
        }
    }
    if let Some(block) = last
        && !is_whole(from, &block, size)?
    {
        scan.pieces.truncate(scan.pieces.len() - block.pieces.len());
        scan.torn = true;
    }
    if lost > 0 {
        scan.damage = Some(format!("{lost} stretches of blocks in it can't be read"));
    }
    Ok(())
}

enum HeadIs {
    Ours(u32),
    Version(u16),
    Other,
}

fn check_head(from: &dyn File, file: FileId, size: u64) -> io::Result<HeadIs> {
    if size < HEAD as u64 {
        return Ok(HeadIs::Other);
    }
    let mut bytes = [0; HEAD];
    read_exact(from, &mut bytes, 0)?;
    let salt = u32_at(&bytes, 24);
    if bytes == head(file, salt) {
        return Ok(HeadIs::Ours(salt));
    }
    let version = u16::from_le_bytes([bytes[8], bytes[9]]);
    let sound = bytes.starts_with(MAGIC) && u32_at(&bytes, 28) == crc32c::crc32c(&bytes[..28]);
    Ok(if sound && version != VERSION { HeadIs::Version(version) } else { HeadIs::Other })
}

/// A block that stands here; `None` also for one with a number that was there before.
fn read_block(from: &dyn File, place: Place, size: u64) -> io::Result<Option<Block>> {
    let Place { file, salt, offset: at, .. } = place;
    if size - at < BLOCK_HEAD as u64 {
        return Ok(None);
    }
    let mut head = [0; BLOCK_HEAD];
    read_exact(from, &mut head, at)?;
    let count = u32_at(&head, 8) as usize;
    let behind_head = size - at - BLOCK_HEAD as u64;
    if !head.starts_with(BLOCK_MAGIC)
        || count == 0
        || count > PIECES_MAX
        || (count * ENTRY) as u64 > behind_head
    {
        return Ok(None);
    }
    let mut entries = vec![0; count * ENTRY];
    read_exact(from, &mut entries, at + BLOCK_HEAD as u64)?;
    let number = u32_at(&head, 12);
    if u32_at(&head, 28) != checksum(salt, &head[..28], &entries) || number < place.number {
        return Ok(None);
    }
    let mut offset = at + (BLOCK_HEAD + entries.len()) as u64;
    let mut pieces = Vec::with_capacity(count);
    for entry in entries.chunks_exact(ENTRY) {
        let location = Location { file, offset, len: u32_at(entry, 20), crc: u32_at(entry, 24) };
        let piece = Piece {
            lane: LaneId(u64_at(entry, 0)),
            first: u64_at(entry, 8),
            count: u32_at(entry, 16),
            location,
        };
        if !piece.is_whole() {
            return Ok(None);
        }
        offset += u64::from(location.len);
        pieces.push(piece);
    }
    let group = GroupId(u32_at(&head, 4));
    Ok(Some(Block { group, number, pieces, end: offset }))
}

fn is_whole(from: &dyn File, block: &Block, size: u64) -> io::Result<bool> {
    for piece in &block.pieces {
        let Location { offset, len, crc, .. } = piece.location;
        if len > PIECE_BYTES_MAX || offset.saturating_add(u64::from(len)) > size {
            return Ok(false);
        }
        let mut bytes = vec![0; len as usize];
        read_exact(from, &mut bytes, offset)?;
        if crc32c::crc32c(&bytes) != crc {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether there are only zeros where the head and blocks would begin.
fn is_blank(from: &dyn File, size: u64) -> io::Result<bool> {
    let mut at = 0;
    while at < size {
        if !is_zero(from, at)? {
            return Ok(false);
        }
        at += ALIGN;
    }
    Ok(true)
}

fn is_zero(from: &dyn File, at: u64) -> io::Result<bool> {
    let mut bytes = [0; BLOCK_HEAD];
    let there = from.read_at(&mut bytes, at)?;
    Ok(bytes[..there].iter().all(|byte| *byte == 0))
}
