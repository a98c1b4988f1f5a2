//! How a log is opened.

use std::{
    collections::VecDeque,
    io::IoSlice,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64},
    },
};

use super::{
    FileReport, Log, OpenError, Options, Part, Recovered,
    begun::Begun,
    current::Current,
    recover::{Doubt, Recovery, Tail, recover},
    survey, work,
};
use crate::{
    vfs::{File, Vfs},
    wal::{ALIGN, footer, head},
};

impl Log {
    /// Opens the log in a directory, which is made when it is not there, and reads what is needed of it.
    ///
    /// Damage is no error: it is in what is returned, and everything that is damaged is left as it is. When there is any,
    /// the log goes on in a new file, which remembers that the groups concerned are suspect.
    ///
    /// # Errors
    /// When the system refuses, or a file has a format that is not known or is another log's.
    pub fn open(vfs: Arc<dyn Vfs>, dir: &Path, options: Options) -> Result<(Self, Recovered), OpenError> {
        is_valid(&options)?;
        vfs.create_dir(dir).map_err(OpenError::io(dir))?;
        work::sweep(vfs.as_ref(), dir).map_err(OpenError::io(dir))?;
        let recovery = recover(&vfs, dir, &options, false)?;
        close(vfs.as_ref(), dir, &recovery, &options)?;
        sync_read(vfs.as_ref(), dir, &recovery)?;
        let begun = Begun::open(vfs.as_ref(), dir, options.identity, recovery.newest)?;
        let Recovery { recovered, standing, tail, accepted, top, files, .. } = recovery;
        let top_id = files.last().map(|file| file.file).max(begun.newest()).map_or(0, |file| file.0);
        let mut log = Self {
            current: None,
            begun,
            groups: standing,
            unsynced: Vec::new(),
            sequence: top,
            accepted,
            durable: accepted,
            marked: 0,
            sealing: Vec::new(),
            sealed: Vec::new(),
            ready: VecDeque::new(),
            free: VecDeque::new(),
            top_id,
            working: false,
            apart: false,
            hurry: Arc::new(AtomicBool::new(false)),
            written: Arc::new(AtomicU64::new(0)),
            broken: false,
            front: Vec::new(),
            vfs,
            dir: dir.to_owned(),
            options,
        };
        for file in &files {
            let is_used = recovered.sealed.iter().any(|sealed| sealed.file == file.file)
                || recovered.damage.iter().any(|damage| damage.file == file.file)
                || tail.as_ref().is_some_and(|tail| tail.id == file.file)
                // It has to be there until another one is begun.
                || log.begun.newest() == Some(file.file);
            // It is not known whether its name is durable, so it gets another one before it is used.
            if file.part == Part::Empty && !is_used {
                log.free.push_back(file.file);
            }
        }
        if let Some(tail) = tail {
            log.go_on(tail)?;
        }
        Ok((log, recovered))
    }

    /// Reads everything of a log and changes nothing: what [`Log::open`] would return, and what there is to say of each
    /// file.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn inspect(
        vfs: Arc<dyn Vfs>,
        dir: &Path,
        options: &Options,
    ) -> Result<(Recovered, Vec<FileReport>), OpenError> {
        let recovery = recover(&vfs, dir, options, true)?;
        Ok((recovery.recovered, recovery.files))
    }

    /// What [`Log::open`] would find, with nothing changed: for whoever may not want to go on from that.
    ///
    /// # Errors
    /// As [`Log::open`].
    pub fn look(vfs: &Arc<dyn Vfs>, dir: &Path, options: &Options) -> Result<Recovered, OpenError> {
        Ok(recover(vfs, dir, options, false)?.recovered)
    }

    /// Writes on where the log ends.
    fn go_on(&mut self, tail: Tail) -> Result<(), OpenError> {
        let path = survey::path(&self.dir, tail.id);
        let file = self.vfs.open(&path, false).map_err(OpenError::io(&path))?;
        let file_bytes = file.size().map_err(OpenError::io(&path))?;
        let salt = head::salt(self.options.identity, tail.id);
        self.current = Some(Current {
            offset: tail.offset,
            ordinal: tail.ordinal,
            groups: tail.groups,
            ..Current::new(tail.id, file, salt, file_bytes, tail.first)
        });
        Ok(())
    }
}

/// What does not count must never count again, also when the file that goes on from here is gone.
fn close(vfs: &dyn Vfs, dir: &Path, recovery: &Recovery, options: &Options) -> Result<(), OpenError> {
    for (id, footer) in &recovery.unclosed {
        let path = survey::path(dir, *id);
        let bytes = footer.encode(head::salt(options.identity, *id));
        let closed = vfs.open(&path, false).and_then(|file| {
            let at = file.size()?.saturating_sub(bytes.len() as u64);
            file.write_at(&mut [IoSlice::new(&bytes)], at)?;
            file.sync_data()
        });
        closed.map_err(OpenError::io(&path))?;
    }
    Ok(())
}

/// So much is written again at a time.
const AGAIN_BYTES: usize = 1 << 20;

/// What was read may never have been made durable, when it was the process that ended; and others are told that it is. When
/// it ended because a sync failed, the system may even take what was not written for clean: it can be read, and would be
/// gone with the power. So everything that no later block proves is written again before it is synced; damaged files stay
/// as they are.
fn sync_read(vfs: &dyn Vfs, dir: &Path, recovery: &Recovery) -> Result<(), OpenError> {
    let read: Vec<_> = recovery.files.iter().filter(|file| file.part == Part::Read).collect();
    for (nth, file) in read.iter().enumerate() {
        let path = survey::path(dir, file.file);
        let is_damaged = recovery.recovered.damage.iter().any(|damage| damage.file == file.file);
        let next = read.get(nth + 1).map(|next| next.file);
        let from = recovery.unproven.from(file.file, next).filter(|_| !is_damaged);
        let tail = recovery.tail.as_ref().filter(|tail| tail.id == file.file);
        let end = tail.map_or(file.bytes, |tail| tail.offset);
        let synced = vfs.open(&path, false).and_then(|opened| {
            match from {
                Some(Doubt::Block(at)) => write_again(opened.as_ref(), at, end)?,
                Some(Doubt::Footer) => {
                    write_again(opened.as_ref(), end.saturating_sub(footer::bytes(file.groups.len())), end)?;
                }
                None => {}
            }
            opened.sync_data()
        });
        synced.map_err(OpenError::io(&path))?;
    }
    Ok(())
}

fn write_again(file: &dyn File, begin: u64, end: u64) -> std::io::Result<()> {
    let mut bytes =
        vec![0; usize::try_from(end.saturating_sub(begin)).unwrap_or(AGAIN_BYTES).min(AGAIN_BYTES)];
    let mut at = begin;
    while at < end {
        let want = usize::try_from(end - at).unwrap_or(usize::MAX).min(bytes.len());
        let got = file.read_at(&mut bytes[..want], at)?;
        if got == 0 {
            break;
        }
        file.write_at(&mut [IoSlice::new(&bytes[..got])], at)?;
        at += got as u64;
    }
    Ok(())
}

fn is_valid(options: &Options) -> Result<(), OpenError> {
    let bytes = options.file_bytes;
    let range = Options::FILE_BYTES_MIN..=Options::FILE_BYTES_MAX;
    if bytes.is_multiple_of(ALIGN) && range.contains(&bytes) {
        Ok(())
    } else {
        Err(OpenError::FileBytes { bytes })
    }
}
