//! Jobs that write or remove segments.

use bytes::Bytes;

use super::{Keeper, done};
use crate::{
    files::{data_path, index_path, replace, sync_removal},
    id::{FileId, GroupId},
    job::{Done, Wanted},
    location::Piece,
    segment::{Page, Segment, index},
};
use std::{io, sync::Arc};

/// So many bytes are copied at once, if it is more than one piece.
const COPY_BYTES: u64 = 8 << 20;

impl Keeper {
    pub(super) fn do_move(&self, group: GroupId, pieces: &[Piece]) -> Done {
        match self.load(pieces) {
            Ok(pieces) => done(self.append(group, &pieces), Done::Moved),
            Err(damaged) => Done::Damaged(damaged),
        }
    }

    pub(super) fn store(&self, group: GroupId, pieces: Vec<(Piece, Bytes)>) -> Done {
        let is_whole = |(piece, bytes): &&(Piece, Bytes)| {
            bytes.len() == piece.location.len as usize
                && piece.is_whole()
                && crc32c::crc32c(bytes) == piece.location.crc
        };
        let bad: Vec<Piece> =
            pieces.iter().filter(|piece| !is_whole(piece)).map(|(piece, _)| *piece).collect();
        if !bad.is_empty() {
            return Done::Damaged(bad);
        }
        done(self.append(group, &pieces), Done::Moved)
    }

    /// The bytes of all of them, or those that can't be read.
    fn load(&self, pieces: &[Piece]) -> Result<Vec<(Piece, Bytes)>, Vec<Piece>> {
        let mut loaded = Vec::with_capacity(pieces.len());
        let mut damaged = Vec::new();
        for piece in pieces {
            match self.read_piece(piece) {
                Some(bytes) => loaded.push((*piece, bytes)),
                None => damaged.push(*piece),
            }
        }
        if damaged.is_empty() { Ok(loaded) } else { Err(damaged) }
    }

    pub(super) fn keep(&self, file: FileId, pieces: Vec<(GroupId, Piece)>) -> Done {
        if pieces.iter().any(|(_, piece)| piece.location.file != file) {
            return Done::Failed("a piece to be kept is in another file".to_owned());
        }
        let mut all = match self.known_pieces(file) {
            Ok(known) => known,
            Err(error) => return Done::Failed(error.to_string()),
        };
        all.extend(pieces);
        if let Err(error) = self.put_aside(file) {
            return Done::Failed(error.to_string());
        }
        let (bytes, directory) = index::encode(file, &index::sorted(all));
        let written = replace(&*self.vfs, &index_path(&self.dir, file), &[&bytes]);
        done(written, |()| {
            self.files.close(file);
            self.segments.write().insert(file, Arc::new(Segment::Indexed(directory)));
            Done::Kept
        })
    }

    /// An index that can't be read is not written over.
    fn put_aside(&self, file: FileId) -> io::Result<()> {
        if self.segment(file).is_some() {
            return Ok(());
        }
        let path = index_path(&self.dir, file);
        match self.vfs.rename(&path, &path.with_extension("damaged")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// What the index of a segment has that was kept before a crash.
    pub(super) fn known_pieces(&self, file: FileId) -> io::Result<Vec<(GroupId, Piece)>> {
        let Some(segment) = self.segment(file) else { return Ok(Vec::new()) };
        let Segment::Indexed(directory) = &*segment else { return Ok(Vec::new()) };
        let mut pieces = Vec::new();
        for (at, line) in directory.lines().iter().enumerate() {
            let found = Page::default().read(directory, at, &self.files)?.to_vec();
            pieces.extend(found.into_iter().map(|piece| (line.group, piece)));
        }
        Ok(pieces)
    }

    pub(super) fn compact(&self, file: FileId, pieces: u64, wanted: &[Wanted]) -> Done {
        if let Err(error) = self.detach(file, pieces) {
            return done(Err(error), |()| Done::Dropped);
        }
        let mut moved = Vec::new();
        let mut damaged = Vec::new();
        let mut batch: (Option<GroupId>, u64, Vec<Piece>) = (None, 0, Vec::new());
        for Wanted { group, lane, first, last } in wanted {
            let pieces = match self.pieces_within(file, (*group, *lane, *first), *last) {
                Ok(pieces) => pieces,
                Err(piece) => {
                    damaged.push(piece);
                    continue;
                }
            };
            for piece in pieces {
                let len = u64::from(piece.location.len);
                if batch.0 != Some(*group) || batch.1 + len > COPY_BYTES {
                    if let Err(failed) = self.copy(&mut batch, &mut moved, &mut damaged) {
                        return done(Err(failed), |()| Done::Dropped);
                    }
                    batch.0 = Some(*group);
                }
                batch.1 += len;
                batch.2.push(piece);
            }
        }
        if let Err(failed) = self.copy(&mut batch, &mut moved, &mut damaged) {
            return done(Err(failed), |()| Done::Dropped);
        }
        if damaged.is_empty() { Done::Compacted(moved) } else { Done::Damaged(damaged) }
    }

    fn copy(
        &self,
        (group, bytes, pieces): &mut (Option<GroupId>, u64, Vec<Piece>),
        moved: &mut Vec<(GroupId, Piece)>,
        damaged: &mut Vec<Piece>,
    ) -> io::Result<()> {
        *bytes = 0;
        let pieces = std::mem::take(pieces);
        let Some(group) = group.filter(|_| !pieces.is_empty()) else { return Ok(()) };
        match self.load(&pieces) {
            // Once one is damaged, nothing that is copied will count.
            Ok(_) if !damaged.is_empty() => {}
            Ok(loaded) => {
                let placed = self.append(group, &loaded)?;
                moved.extend(placed.into_iter().map(|piece| (group, piece)));
            }
            Err(bad) => damaged.extend(bad),
        }
        Ok(())
    }

    /// Nothing more is written to a segment that is still being built.
    fn detach(&self, file: FileId, pieces: u64) -> io::Result<()> {
        let mut builder = self.builder.lock();
        builder.has_no_more(file, pieces)?;
        if builder.current.as_ref().is_some_and(|current| current.file == file) {
            self.finish(file)?;
            builder.current = None;
        }
        Ok(())
    }

    pub(super) fn drop_segment(&self, file: FileId, pieces: u64) -> Done {
        let mut builder = self.builder.lock();
        if let Err(error) = builder.has_no_more(file, pieces) {
            return Done::Failed(error.to_string());
        }
        builder.current = builder.current.take().filter(|current| current.file != file);
        drop(builder);
        // The index first: one without data would be taken for damage.
        let removed = sync_removal(&*self.vfs, &index_path(&self.dir, file))
            .and_then(|()| sync_removal(&*self.vfs, &data_path(&self.dir, file)));
        done(removed, |()| {
            self.segments.write().remove(&file);
            self.builder.lock().counts.remove(&file);
            self.files.close(file);
            Done::Dropped
        })
    }
}
