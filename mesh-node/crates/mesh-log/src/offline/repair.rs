//! Makes a damaged log usable again, for the price of what is damaged.

use std::{
    io::{self, IoSlice},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Error, Report, Told, verify};
use crate::{
    directory::Uuid,
    id::FileId,
    keeper::{self, Keeper},
    log::{self, Log},
    vfs::Vfs,
};

const COPY_BYTES: usize = 1 << 20;

/// What a repair did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// What was lost, as it was found before.
    pub before: Report,
    /// Copies of the files that are damaged.
    pub aside: Vec<PathBuf>,
}

/// Cuts the log where it is damaged, so that the groups concerned go on from what is left of them. Damaged files are
/// copied first, and stay as they are. Damaged checkpoints and indexes are put aside. Nothing is done when nothing is damaged.
///
/// # Errors
/// When something can't be read or written at all.
pub fn repair(vfs: &Arc<dyn Vfs>, dir: &Path, directory: Uuid, told: Told<'_>) -> Result<Repaired, Error> {
    let before = verify(vfs, dir, directory, told)?;
    let mut aside = keeper::accept_loss(vfs, dir)?;
    if !before.damage.is_empty() || before.groups.values().any(|group| group.suspect) {
        aside.extend(cut(vfs, dir, directory, &before)?);
    }
    // What neither of these has put right is not there, and stays so.
    let left = verify(vfs, dir, directory, told)?;
    if !left.accepted && !left.lacking.is_empty() {
        let text: String =
            left.lacking.iter().map(|(group, what)| format!("group {group}: {what}\n")).collect();
        aside.push(keeper::accept_lack(vfs.as_ref(), dir, &text)?);
    }
    Ok(Repaired { before, aside })
}

/// Cuts the log where it is damaged. Gives copies of the files that are.
fn cut(vfs: &Arc<dyn Vfs>, dir: &Path, directory: Uuid, before: &Report) -> Result<Vec<PathBuf>, Error> {
    let mut aside = Vec::new();
    let log_dir = dir.join("log");
    let mut damaged: Vec<FileId> = before.damage.iter().map(|damage| damage.file).collect();
    damaged.dedup();
    for file in damaged {
        let from = log_dir.join(format!("{:016x}.wal", file.0));
        let to = log_dir.join(format!("{:016x}.damaged", file.0));
        match copy(vfs.as_ref(), &from, &to) {
            Ok(()) => aside.push(to),
            // One that is missing can't be kept.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(Error::Copy { path: from, source }),
        }
    }
    vfs.sync_dir(&log_dir).map_err(|source| Error::Copy { path: log_dir.clone(), source })?;
    let options = keeper::Options { read_only: true, ..keeper::Options::default() };
    let kept = Keeper::open(Arc::clone(vfs), dir, options)?.1.kept;
    let file_bytes = before.files.last().map_or(log::Options::FILE_BYTES, |file| file.bytes);
    let range = log::Options::FILE_BYTES_MIN..=log::Options::FILE_BYTES_MAX;
    let file_bytes = if range.contains(&file_bytes) { file_bytes } else { log::Options::FILE_BYTES };
    let options = log::Options { kept, file_bytes, prefill: false, ..log::Options::new(directory.0) };
    let (mut log, _) = Log::open(Arc::clone(vfs), &log_dir, options)?;
    log.accept_loss()?;
    Ok(aside)
}

fn copy(vfs: &dyn Vfs, from: &Path, to: &Path) -> io::Result<()> {
    let source = vfs.open(from, true)?;
    match vfs.remove(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let target = vfs.create(to)?;
    let mut bytes = vec![0; COPY_BYTES];
    let mut at = 0;
    loop {
        let filled = source.read_at(&mut bytes, at)?;
        if filled == 0 {
            return target.sync_data();
        }
        target.write_at(&mut [IoSlice::new(&bytes[..filled])], at)?;
        at += filled as u64;
    }
}
