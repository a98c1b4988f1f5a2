//! The index of a segment.
//!
//! ```text
//!   head, 64 bytes      "MESHINDX" version(2) 0(2) lines(4) segment(8) bytes of its data(8) pieces(8)
//!                       bytes of all pieces(8) 0(8) CRC32C of the lines(4) CRC32C of this(4)
//!   line, 52 bytes      group(4) pieces(4) lane(8) first(8) last(8) bytes(8) digest(4) 0(4) CRC32C of its entries(4)
//!   entry, 28 bytes     first(8) offset(8) count(4) length(4) CRC32C(4)
//! ```
//! Little-endian; all lines, then all entries, both sorted by group, lane and number. Opening reads head and lines.

use std::io;

use crate::{
    files::read_exact,
    id::{FileId, GroupId, LaneId},
    lanes::Chunk,
    location::{Location, Piece, u32_at, u64_at},
    segment::Key,
    vfs::File,
};

const MAGIC: &[u8; 8] = b"MESHINDX";
const VERSION: u16 = 1;
const HEAD: usize = 64;
const LINE: usize = 52;
const ENTRY: usize = 28;

/// Why an index can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// It has a format that is not known.
    #[error("format {0}, which this version does not know")]
    Version(u16),
    /// It is not what was written.
    #[error("not what was written: {0}")]
    Damaged(&'static str),
    /// The system could not read it.
    #[error("{0}")]
    Io(String),
}

/// What an index says of up to 64 pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Whose.
    pub group: GroupId,
    /// The lane.
    pub lane: LaneId,
    /// The pieces as one.
    pub chunk: Chunk,
    start: u64,
    crc: u32,
}

/// The directory of an index: all that is held of it in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    file: FileId,
    data_bytes: u64,
    piece_bytes: u64,
    lines: Vec<Line>,
}

impl Directory {
    /// The segment.
    #[must_use]
    pub fn file(&self) -> FileId {
        self.file
    }

    /// The bytes that the segment's data must have at least.
    #[must_use]
    pub fn data_bytes(&self) -> u64 {
        self.data_bytes
    }

    /// Bytes of all pieces.
    #[must_use]
    pub fn piece_bytes(&self) -> u64 {
        self.piece_bytes
    }

    /// Its lines, sorted by group, lane and number.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Reads the directory of an index.
    ///
    /// # Errors
    /// When it is not what was written, or not the index of this segment.
    pub fn read(from: &dyn File, segment: FileId) -> Result<Self, Unreadable> {
        let failed = |error: io::Error| Unreadable::Io(error.to_string());
        let size = from.size().map_err(failed)?;
        if size < HEAD as u64 {
            return Err(Unreadable::Damaged("it is shorter than its head"));
        }
        let mut head = [0; HEAD];
        read_exact(from, &mut head, 0).map_err(failed)?;
        let head = Head::decode(&head, segment)?;
        if size != head.size() {
            return Err(Unreadable::Damaged("its length is not the one that it says"));
        }
        // Bounded by the size of the file, which was compared.
        let mut lines = vec![0; usize::try_from(head.lines).unwrap_or(usize::MAX).saturating_mul(LINE)];
        read_exact(from, &mut lines, HEAD as u64).map_err(failed)?;
        if crc32c::crc32c(&lines) != head.lines_crc {
            return Err(Unreadable::Damaged("its directory has another checksum"));
        }
        let lines = decode_lines(&lines, segment, head.pieces)?;
        Ok(Self { file: segment, data_bytes: head.data_bytes, piece_bytes: head.piece_bytes, lines })
    }

    /// The place of the first line that has this number of the lane, or what comes behind it.
    pub(crate) fn chunk_from(&self, key: Key) -> usize {
        self.lines.partition_point(|line| (line.group, line.lane, line.chunk.last) < key)
    }

    /// Reads the entries that a line stands for.
    ///
    /// # Errors
    /// `InvalidData` when they are not what was written, and those of the system.
    pub fn read_chunk(&self, from: &dyn File, at: usize) -> io::Result<Vec<Piece>> {
        let line = self.lines.get(at).ok_or(io::ErrorKind::InvalidInput)?;
        let mut entries = vec![0; line.chunk.pieces as usize * ENTRY];
        let offset = (HEAD + self.lines.len() * LINE) as u64 + line.start * ENTRY as u64;
        read_exact(from, &mut entries, offset)?;
        if crc32c::crc32c(&entries) != line.crc {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let pieces: Vec<Piece> =
            entries.chunks_exact(ENTRY).map(|entry| decode_entry(entry, line.lane, self.file)).collect();
        let whole = pieces.iter().all(Piece::is_whole);
        whole.then_some(pieces).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

#[derive(Debug)]
struct Head {
    lines: u32,
    data_bytes: u64,
    pieces: u64,
    piece_bytes: u64,
    lines_crc: u32,
}

impl Head {
    fn decode(bytes: &[u8; HEAD], segment: FileId) -> Result<Self, Unreadable> {
        if !bytes.starts_with(MAGIC) {
            return Err(Unreadable::Damaged("it does not begin like an index"));
        }
        if u32_at(bytes, 60) != crc32c::crc32c(&bytes[..60]) {
            return Err(Unreadable::Damaged("its head has another checksum"));
        }
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        if version != VERSION {
            return Err(Unreadable::Version(version));
        }
        if u64_at(bytes, 16) != segment.0 {
            return Err(Unreadable::Damaged("it is of another segment"));
        }
        Ok(Self {
            lines: u32_at(bytes, 12),
            data_bytes: u64_at(bytes, 24),
            pieces: u64_at(bytes, 32),
            piece_bytes: u64_at(bytes, 40),
            lines_crc: u32_at(bytes, 56),
        })
    }

    fn size(&self) -> u64 {
        let lines = u64::from(self.lines) * LINE as u64;
        self.pieces.saturating_mul(ENTRY as u64).saturating_add(lines).saturating_add(HEAD as u64)
    }
}

fn decode_lines(bytes: &[u8], file: FileId, pieces_total: u64) -> Result<Vec<Line>, Unreadable> {
    let mut lines: Vec<Line> = Vec::with_capacity(bytes.len() / LINE);
    let mut start = 0;
    for line in bytes.chunks_exact(LINE) {
        let chunk = Chunk {
            file,
            first: u64_at(line, 16),
            last: u64_at(line, 24),
            pieces: u32_at(line, 4),
            bytes: u64_at(line, 32),
            digest: u32_at(line, 40),
        };
        let line = Line {
            group: GroupId(u32_at(line, 0)),
            lane: LaneId(u64_at(line, 8)),
            chunk,
            start,
            crc: u32_at(line, 48),
        };
        let follows = lines.last().is_none_or(|before| {
            (before.group, before.lane, before.chunk.last) < (line.group, line.lane, chunk.first)
        });
        let sound = chunk.first <= chunk.last && (1..=crate::lanes::CHUNK_PIECES_MAX).contains(&chunk.pieces);
        if !follows || !sound {
            return Err(Unreadable::Damaged("its directory is not in order"));
        }
        start += u64::from(chunk.pieces);
        lines.push(line);
    }
    if start != pieces_total {
        return Err(Unreadable::Damaged("its directory has another number of pieces"));
    }
    Ok(lines)
}

fn decode_entry(bytes: &[u8], lane: LaneId, file: FileId) -> Piece {
    let location =
        Location { file, offset: u64_at(bytes, 8), len: u32_at(bytes, 20), crc: u32_at(bytes, 24) };
    Piece { lane, first: u64_at(bytes, 0), count: u32_at(bytes, 16), location }
}

fn encode_entry(piece: &Piece) -> [u8; ENTRY] {
    let mut bytes = [0; ENTRY];
    bytes[..8].copy_from_slice(&piece.first.to_le_bytes());
    bytes[8..16].copy_from_slice(&piece.location.offset.to_le_bytes());
    bytes[16..20].copy_from_slice(&piece.count.to_le_bytes());
    bytes[20..24].copy_from_slice(&piece.location.len.to_le_bytes());
    bytes[24..].copy_from_slice(&piece.location.crc.to_le_bytes());
    bytes
}

/// Pieces of a segment in the order of its index; of several under one number the last one stays, and what would
/// overlap the one before it goes.
pub(crate) fn sorted(mut pieces: Vec<(GroupId, Piece)>) -> Vec<(GroupId, Piece)> {
    let key = |(group, piece): &(GroupId, Piece)| (*group, piece.lane, piece.first);
    // Stable: of equal ones the later one comes behind.
    pieces.sort_by_key(key);
    let mut sorted: Vec<(GroupId, Piece)> = Vec::with_capacity(pieces.len());
    for next in pieces {
        let before = sorted.last_mut().filter(|before| (before.0, before.1.lane) == (next.0, next.1.lane));
        match before {
            Some(before) if before.1.first == next.1.first => *before = next,
            Some(before) if before.1.last() >= next.1.first => {}
            _ => sorted.push(next),
        }
    }
    sorted
}

/// The bytes of the index of a segment with these pieces, and its directory.
///
/// The pieces are sorted and don't overlap (as [`sorted`] gives them), and are all in this file.
pub(crate) fn encode(file: FileId, pieces: &[(GroupId, Piece)]) -> (Vec<u8>, Directory) {
    let mut lines: Vec<Line> = Vec::new();
    let mut entries = Vec::with_capacity(pieces.len() * ENTRY);
    let (mut data_bytes, mut piece_bytes) = (0, 0);
    for (start, (group, piece)) in pieces.iter().enumerate() {
        let entry = encode_entry(piece);
        entries.extend_from_slice(&entry);
        data_bytes = data_bytes.max(piece.location.offset + u64::from(piece.location.len));
        piece_bytes += u64::from(piece.location.len);
        let line = lines.last_mut().filter(|line| line.group == *group && line.lane == piece.lane);
        if let Some(line) = line
            && line.chunk.push(piece)
        {
            line.crc = crc32c::crc32c_append(line.crc, &entry);
            continue;
        }
        let crc = crc32c::crc32c(&entry);
        let chunk = Chunk::of(piece);
        lines.push(Line { group: *group, lane: piece.lane, chunk, start: start as u64, crc });
    }
    let encoded: Vec<u8> = lines.iter().flat_map(encode_line).collect();
    let mut bytes = Vec::with_capacity(HEAD + encoded.len() + entries.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    // A segment of 1 GiB with nothing but empty pieces of different lanes has fewer.
    bytes.extend_from_slice(&u32::try_from(lines.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(&file.0.to_le_bytes());
    bytes.extend_from_slice(&data_bytes.to_le_bytes());
    bytes.extend_from_slice(&(pieces.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&piece_bytes.to_le_bytes());
    bytes.extend_from_slice(&[0; 8]);
    bytes.extend_from_slice(&crc32c::crc32c(&encoded).to_le_bytes());
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes.extend_from_slice(&encoded);
    bytes.extend_from_slice(&entries);
    (bytes, Directory { file, data_bytes, piece_bytes, lines })
}

fn encode_line(line: &Line) -> [u8; LINE] {
    let mut bytes = [0; LINE];
    bytes[..4].copy_from_slice(&line.group.0.to_le_bytes());
    bytes[4..8].copy_from_slice(&line.chunk.pieces.to_le_bytes());
    bytes[8..16].copy_from_slice(&line.lane.0.to_le_bytes());
    bytes[16..24].copy_from_slice(&line.chunk.first.to_le_bytes());
    bytes[24..32].copy_from_slice(&line.chunk.last.to_le_bytes());
    bytes[32..40].copy_from_slice(&line.chunk.bytes.to_le_bytes());
    bytes[40..44].copy_from_slice(&line.chunk.digest.to_le_bytes());
    bytes[48..].copy_from_slice(&line.crc.to_le_bytes());
    bytes
}
