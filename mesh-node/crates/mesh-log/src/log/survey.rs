//! Which files a log has, by their heads, footers and first blocks.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{OpenError, Options, scan::Reader};
use crate::{
    id::FileId,
    vfs::{File, Vfs},
    wal::{
        ALIGN,
        block::Header,
        footer::Footer,
        head::{self, Head, Unreadable},
        item::Item,
    },
};

/// A file of the log.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) id: FileId,
    pub(crate) path: PathBuf,
    pub(crate) salt: u64,
    pub(crate) size: u64,
    /// None where it is damaged.
    pub(crate) head: Option<Head>,
    pub(crate) footer: Option<Footer>,
    /// The first block.
    pub(crate) start: Option<(Header, Vec<Item>)>,
    /// Whether there is any block in it.
    pub(crate) used: bool,
    /// The last block of it that counts, as far as later files say.
    pub(crate) limit: u64,
}

impl Found {
    /// Whether a part of it is not there.
    pub(crate) fn is_short(&self) -> bool {
        self.head.is_some_and(|head| self.size < head.file_bytes)
    }

    /// Where its blocks end, as far as it says so.
    pub(crate) fn end(&self) -> u64 {
        self.footer.as_ref().map_or(u64::MAX, |footer| footer.end)
    }

    pub(crate) fn open(&self, vfs: &dyn Vfs) -> Result<Box<dyn File>, OpenError> {
        vfs.open(&self.path, true).map_err(OpenError::io(&self.path))
    }
}

/// The path of a file.
pub(crate) fn path(dir: &Path, id: FileId) -> PathBuf {
    dir.join(format!("{:016x}.wal", id.0))
}

/// The file that a name is of.
pub(crate) fn id_of(name: &Path) -> Option<FileId> {
    let digits = name.to_str()?.strip_suffix(".wal")?;
    let is_hex = digits.len() == 16 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_hex.then(|| u64::from_str_radix(digits, 16).ok().map(FileId)).flatten()
}

/// All files, by rising id.
pub(crate) fn survey(vfs: &Arc<dyn Vfs>, dir: &Path, options: &Options) -> Result<Vec<Found>, OpenError> {
    let names = vfs.list(dir).map_err(OpenError::io(dir))?;
    let mut ids: Vec<FileId> = names.iter().filter_map(|name| id_of(name)).collect();
    ids.sort_unstable();
    let mut files = ids
        .into_iter()
        .map(|id| look(vfs.as_ref(), path(dir, id), id, options.identity))
        .collect::<Result<Vec<_>, _>>()?;
    let mut limit = u64::MAX;
    for file in files.iter_mut().rev() {
        file.limit = limit;
        if let Some((header, _)) = &file.start {
            limit = limit.min(header.before);
        }
    }
    Ok(files)
}

fn look(vfs: &dyn Vfs, path: PathBuf, id: FileId, identity: u128) -> Result<Found, OpenError> {
    let failed = OpenError::io(&path);
    let salt = head::salt(identity, id);
    let file = vfs.open(&path, true).map_err(OpenError::io(&path))?;
    let look = || -> std::io::Result<_> {
        let mut reader = Reader::narrow(file.as_ref(), salt)?;
        let head = reader.head()?;
        let footer = reader.footer()?;
        let start = reader.header(ALIGN)?.filter(|(header, _)| header.start && header.ordinal == 0);
        let used = start.is_some() || Reader::new(file.as_ref(), salt)?.find(ALIGN)?.is_some();
        Ok((head, footer, start, used, reader.size()))
    };
    let (head, footer, start, used, size) = look().map_err(failed)?;
    let head = match head {
        Ok(head) if head.identity != identity || head.id != id => {
            return Err(OpenError::Foreign { path });
        }
        Ok(head) => Some(head),
        Err(Unreadable::Version(found)) => {
            return Err(OpenError::Version { path, found, known: head::VERSION });
        }
        Err(Unreadable::Damaged) => None,
    };
    // A footer may say that nothing in the file counts.
    let start = start.filter(|_| footer.as_ref().is_none_or(|footer| footer.end > ALIGN));
    Ok(Found { id, path, salt, size, head, footer, start, used, limit: u64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_files_only_as_we_write_them() {
        let dir = Path::new("/d");
        for id in [0, 1, 0xabc, u64::MAX] {
            let path = path(dir, FileId(id));
            assert_eq!(id_of(Path::new(path.file_name().unwrap())), Some(FileId(id)));
        }
        for name in ["1.wal", "000000000000000A.wal", "0000000000000001.new", "+000000000000001.wal", ".wal"]
        {
            assert_eq!(id_of(Path::new(name)), None, "{name}");
        }
    }
}
