//! Going on without what is damaged, because somebody said so.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Damage, DamageKind, Keeper, OpenError, Options};
use crate::{
    checkpoint::CHECKPOINT_DIR,
    files::{Part, SEGMENT_DIR, id_of, index_path, replace},
    id::FileId,
    segment::{Segment, index},
    vfs::Vfs,
};

/// The ending of what is put aside.
const ASIDE: &str = "damaged";

/// Puts damaged checkpoints and indexes aside (they get the ending `.damaged`) and writes indexes for what can be read of
/// damaged segments. What is lost by that was lost before; records that a checkpoint names are missing from then on, and
/// are said to be damaged when they are read. Files of another version stay as they are. Gives what was put aside.
///
/// # Errors
/// When the system refuses; what was done until then stays done.
pub fn accept_loss(vfs: &Arc<dyn Vfs>, dir: &Path) -> Result<Vec<PathBuf>, OpenError> {
    let options = Options { read_only: true, ..Options::default() };
    let (keeper, restored) = Keeper::open(Arc::clone(vfs), dir, options)?;
    let mut aside = Vec::new();
    for damage in &restored.damage {
        let done = accept(&keeper, damage).map_err(OpenError::io(&damage.path))?;
        aside.extend(done);
    }
    Ok(aside)
}

/// Writes down that what is not there is not missed: the words of it, in a file beside the checkpoints, which is given.
///
/// # Errors
/// When the system refuses.
pub fn accept_lack(vfs: &dyn Vfs, dir: &Path, words: &str) -> Result<PathBuf, OpenError> {
    let path = dir.join(CHECKPOINT_DIR).join("lost").with_extension(ASIDE);
    replace(vfs, &path, &[words.as_bytes()]).map_err(OpenError::io(&path))?;
    Ok(path)
}

/// Whether somebody agreed to go on without something: it is said where that was.
///
/// # Errors
/// When the system refuses.
pub fn is_loss_accepted(vfs: &dyn Vfs, dir: &Path) -> Result<bool, OpenError> {
    for dir in [dir.join(CHECKPOINT_DIR), dir.join(SEGMENT_DIR)] {
        let names = match vfs.list(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            names => names.map_err(OpenError::io(&dir))?,
        };
        if names.iter().any(|name| name.extension().is_some_and(|extension| extension == ASIDE)) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn accept(keeper: &Keeper, damage: &Damage) -> io::Result<Option<PathBuf>> {
    let id = |extension: &str| id_of(Path::new(damage.path.file_name().unwrap_or_default()), extension);
    match damage.kind {
        DamageKind::Version => Ok(None),
        DamageKind::Checkpoint => put_aside(keeper, &damage.path),
        DamageKind::Index => {
            let aside = put_aside(keeper, &damage.path)?;
            if let Some(file) = id("idx") {
                keeper.finish(file)?;
            }
            Ok(aside)
        }
        DamageKind::Segment => match id("seg").or_else(|| id("wal")) {
            Some(file) => accept_segment(keeper, file),
            None => Ok(None),
        },
    }
}

/// A segment with an index that says more than there is gets one for what there is.
fn accept_segment(keeper: &Keeper, file: FileId) -> io::Result<Option<PathBuf>> {
    let Some(segment) = keeper.segment(file) else { return Ok(None) };
    if matches!(&*segment, Segment::Growing(_)) {
        return keeper.finish(file).map(|()| None);
    }
    let size = match keeper.files.get(file, Part::Data) {
        Ok(data) => data.size()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        Err(error) => return Err(error),
    };
    let mut pieces = keeper.known_pieces(file)?;
    pieces.retain(|(_, piece)| piece.location.offset + u64::from(piece.location.len) <= size);
    let path = index_path(&keeper.dir, file);
    let aside = put_aside(keeper, &path)?;
    if !pieces.is_empty() {
        let (bytes, _) = index::encode(file, &index::sorted(pieces));
        replace(&*keeper.vfs, &path, &[&bytes])?;
    }
    Ok(aside)
}

fn put_aside(keeper: &Keeper, path: &Path) -> io::Result<Option<PathBuf>> {
    let aside = path.with_extension(ASIDE);
    match keeper.vfs.rename(path, &aside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    }
    path.parent().map_or(Ok(()), |dir| keeper.vfs.sync_dir(dir))?;
    Ok(Some(aside))
}
