//! The segment that is being built.

use std::{collections::BTreeMap, io, sync::Arc};

use bytes::Bytes;
use parking_lot::RwLock;

use super::Keeper;
use crate::{
    files::{SEGMENT_DIR, built, data_path, index_path, is_built, replace, write_all},
    id::{FileId, GroupId},
    location::Piece,
    segment::{
        Segment,
        block::{self, ALIGN, Place, aligned},
        index,
    },
    vfs::File,
};

/// Writes blocks at the end of one segment at a time.
#[derive(Debug)]
pub(super) struct Builder {
    /// The number of the next segment.
    pub(super) next: u64,
    /// What salts come from.
    pub(super) seed: u64,
    /// How many pieces came into each segment that was built.
    pub(super) counts: BTreeMap<FileId, u64>,
    /// The one that is being built.
    pub(super) current: Option<Current>,
}

impl Builder {
    /// # Errors
    /// When pieces came into a segment of which whoever asks has not heard: they would be lost with it.
    pub(super) fn has_no_more(&self, file: FileId, pieces: u64) -> io::Result<()> {
        match self.counts.get(&file) {
            Some(count) if is_built(file) && *count != pieces => {
                Err(io::Error::other("more has come into the segment"))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Debug)]
pub(super) struct Current {
    pub(super) file: FileId,
    pub(super) data: Box<dyn File>,
    pub(super) salt: u32,
    pub(super) number: u32,
    pub(super) end: u64,
}

impl Keeper {
    /// Writes pieces of a group to the end of the segment that is being built. Durable when it returns.
    ///
    /// # Errors
    /// Those of the system; nothing of it counts then.
    pub(super) fn append(&self, group: GroupId, pieces: &[(Piece, Bytes)]) -> io::Result<Vec<Piece>> {
        let mut placed = Vec::with_capacity(pieces.len());
        for some in pieces.chunks(block::PIECES_MAX) {
            placed.extend(self.append_block(group, some)?);
        }
        Ok(placed)
    }

    fn append_block(&self, group: GroupId, pieces: &[(Piece, Bytes)]) -> io::Result<Vec<Piece>> {
        let mut builder = self.builder.lock();
        let mut current = match builder.current.take() {
            Some(current) => current,
            None => self.begin(&mut builder)?,
        };
        let only: Vec<Piece> = pieces.iter().map(|(piece, _)| *piece).collect();
        let place =
            Place { file: current.file, salt: current.salt, number: current.number, offset: current.end };
        let (head, placed) = block::encode(place, group, &only);
        let len = head.len() + pieces.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
        let mut parts: Vec<&[u8]> = vec![&head];
        parts.extend(pieces.iter().map(|(_, bytes)| &bytes[..]));
        let end = current.end + len as u64;
        let room = current.data.allocate(aligned(end));
        let written = room.and_then(|()| write_all(&*current.data, &parts, current.end));
        if let Err(error) = written {
            // What was written behind the end counts for nothing and is written over.
            if error.kind() == io::ErrorKind::StorageFull {
                builder.current = Some(current);
            }
            return Err(error);
        }
        // After a failed sync nothing can be relied on that is written to this file: another one is begun.
        current.data.sync_data()?;
        current.end = aligned(end);
        current.number += 1;
        *builder.counts.entry(current.file).or_default() += placed.len() as u64;
        if let Some(Segment::Growing(known)) = self.segment(current.file).as_deref() {
            known.write().extend(placed.iter().map(|piece| ((group, piece.lane, piece.first), *piece)));
        }
        // When there is no room for the index, it is tried again after the next block.
        if current.end < self.options.segment_bytes || self.finish(current.file).is_err() {
            builder.current = Some(current);
        }
        Ok(placed)
    }

    fn begin(&self, builder: &mut Builder) -> io::Result<Current> {
        let file = built(builder.next);
        let path = data_path(&self.dir, file);
        let salt = salt(builder.seed, builder.next);
        let data = self.vfs.create(&path)?;
        builder.next += 1;
        let head = block::head(file, salt);
        let begun = data
            .allocate(ALIGN)
            .and_then(|()| write_all(&*data, &[&head], 0))
            .and_then(|()| data.sync_data())
            .and_then(|()| self.vfs.sync_dir(&self.dir.join(SEGMENT_DIR)));
        if let Err(error) = begun {
            drop(self.vfs.remove(&path));
            return Err(error);
        }
        let segment = Arc::new(Segment::Growing(RwLock::new(BTreeMap::new())));
        self.segments.write().insert(file, segment);
        Ok(Current { file, data, salt, number: 0, end: ALIGN })
    }

    /// Writes the index of a segment that was built.
    ///
    /// # Errors
    /// Those of the system; it stays as it was then.
    pub(super) fn finish(&self, file: FileId) -> io::Result<()> {
        let Some(segment) = self.segment(file) else { return Ok(()) };
        let Segment::Growing(pieces) = &*segment else { return Ok(()) };
        let pieces = pieces.read().iter().map(|((group, ..), piece)| (*group, *piece)).collect();
        let (bytes, directory) = index::encode(file, &index::sorted(pieces));
        replace(&*self.vfs, &index_path(&self.dir, file), &[&bytes])?;
        self.segments.write().insert(file, Arc::new(Segment::Indexed(directory)));
        Ok(())
    }
}

/// Spreads the bits of a number (SplitMix64, Steele et al., 2014).
fn salt(seed: u64, nth: u64) -> u32 {
    let mut bits = seed.wrapping_add(nth.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    u32::try_from((bits ^ (bits >> 31)) >> 32).unwrap_or_default()
}
