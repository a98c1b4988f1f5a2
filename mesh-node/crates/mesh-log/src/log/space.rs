//! Which files a log makes ready, and which it lets go.

use std::sync::atomic::Ordering;

use super::{
    Log, WriteError,
    work::{Kind, Work, Worked},
    write::Part,
};
use crate::{id::FileId, record::Record, wal::head::Head};

impl Log {
    /// No group needs a sealed file any more: its space may be used again, or (`kept`) it is a segment now and not ours.
    pub fn release(&mut self, file: FileId, kept: bool) {
        let is_ours = self.current.as_ref().is_none_or(|current| current.id != file)
            && !self.ready.iter().any(|(ready, _)| *ready == file)
            && !self.free.contains(&file);
        if !kept && is_ours {
            self.free.push_back(file);
        }
    }

    /// Does what is to be done with files. Whoever has the log alone need not: [`Log::sync`] does it too.
    pub fn maintain(&mut self) {
        while let Some(work) = self.work() {
            let worked = work.run();
            let stop = matches!(worked, Worked::Full { .. } | Worked::Failed(_));
            self.handle_worked(worked);
            if stop {
                break;
            }
        }
    }

    /// Leaves the work on files to a thread: [`Log::work`] and [`Log::handle_worked`].
    pub(crate) fn work_apart(&mut self) {
        self.apart = true;
    }

    /// The next thing to be done with files, unless somebody is at it.
    pub(crate) fn work(&mut self) -> Option<Work> {
        if self.working || self.broken {
            return None;
        }
        // A file that nobody needs may still be the only one that says where groups stand.
        let is_safe = self.current.as_ref().is_some_and(|current| current.first <= self.durable);
        let kind = if self.ready.len() < self.options.spare_files.max(1) {
            self.make(is_safe)
        } else if is_safe && self.free.len() > self.options.spare_files.max(1) {
            Kind::Remove { id: self.free.pop_front()? }
        } else {
            return None;
        };
        Some(self.begin(kind))
    }

    fn make(&mut self, may_reuse: bool) -> Kind {
        self.top_id += 1;
        let (file_bytes, identity) = (self.options.file_bytes, self.options.identity);
        let head = Head { id: FileId(self.top_id), file_bytes, identity };
        let of = if may_reuse { self.free.pop_front() } else { None };
        Kind::Make { head, of, fill: self.options.prefill }
    }

    fn begin(&mut self, kind: Kind) -> Work {
        self.working = true;
        self.hurry.store(false, Ordering::Relaxed);
        Work {
            vfs: self.vfs.clone(),
            dir: self.dir.clone(),
            kind,
            hurry: self.hurry.clone(),
            written: self.written.clone(),
        }
    }

    /// Takes in what was done. A failure is not one of the log: it is tried again, and met when the file is needed.
    pub(crate) fn handle_worked(&mut self, worked: Worked) {
        self.working = false;
        match worked {
            Worked::Made(id, file) => self.ready.push_back((id, file)),
            Worked::Full { of } => self.free.extend(of),
            Worked::Removed | Worked::Failed(_) => {}
        }
    }

    /// Whether a file is needed for these records that somebody is about to make ready. Tells them to hurry.
    pub(crate) fn waits_for_file(&self, records: &[Record]) -> bool {
        let needed = self.files_needed(records);
        let waits = self.working && needed > self.ready.len();
        if waits {
            self.hurry.store(true, Ordering::Relaxed);
        }
        waits
    }

    /// Whether records go into the file that is written to.
    pub(crate) fn has_room(&self, records: &[Record]) -> bool {
        !self.broken && self.parts(records).is_ok_and(|parts| parts.iter().all(|part| !part.rolls))
    }

    fn files_needed(&self, records: &[Record]) -> usize {
        self.parts(records).map_or(0, |parts| parts.iter().filter(|part| part.rolls).count())
    }

    /// Makes sure, before anything is written, that there are as many files as will be needed.
    pub(super) fn make_room(&mut self, parts: &[Part]) -> Result<(), WriteError> {
        let needed = parts.iter().filter(|part| part.rolls).count();
        while self.ready.len() < needed {
            let is_safe = self.current.as_ref().is_some_and(|current| current.first <= self.durable);
            let mut kind = self.make(is_safe);
            if let Kind::Make { fill, .. } = &mut kind {
                *fill = false;
            }
            match self.begin(kind).run() {
                Worked::Failed(source) => {
                    self.broken = true;
                    return Err(WriteError::Io { what: "new file", source });
                }
                worked => {
                    let is_full = matches!(worked, Worked::Full { .. });
                    self.handle_worked(worked);
                    if is_full {
                        return Err(WriteError::Full);
                    }
                }
            }
        }
        Ok(())
    }
}
