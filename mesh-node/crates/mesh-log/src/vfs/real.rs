//! The file system of the machine.

use std::{
    fs,
    io::{self, IoSlice},
    num::NonZero,
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::{Advice, FallocateFlags, fadvise, fallocate, fdatasync};

use super::{File, Vfs};

/// As many parts as the system takes in one call (`IOV_MAX`).
const PARTS_MAX: usize = 1024;
/// Of a long write the disk gets so many bytes at a time, and works on them while the next are copied. See ADR 0148.
const STRETCH: usize = 512 << 10;

/// The file system of the machine. Files and directories that it makes are the owner's alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Real;

impl Vfs for Real {
    fn open(&self, path: &Path, read_only: bool) -> io::Result<Box<dyn File>> {
        let file = fs::File::options().read(true).write(!read_only).open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let file = fs::File::options().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let mut names = fs::read_dir(dir)?
            .map(|entry| entry.map(|entry| PathBuf::from(entry.file_name())))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort_unstable();
        Ok(names)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(dir)?.sync_all()
    }
}

#[derive(Debug)]
struct RealFile(fs::File);

impl File for RealFile {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < into.len() {
            match self.0.read_at(&mut into[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, parts: &mut [IoSlice<'_>], mut offset: u64) -> io::Result<()> {
        let mut parts = parts;
        IoSlice::advance_slices(&mut parts, 0);
        while !parts.is_empty() {
            let first = &parts[0];
            let written = if first.len() > 2 * STRETCH {
                rustix::io::pwritev(&self.0, &[IoSlice::new(&first[..STRETCH])], offset)
            } else {
                rustix::io::pwritev(&self.0, &parts[..stretch(parts)], offset)
            };
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    IoSlice::advance_slices(&mut parts, n);
                    if !parts.is_empty() {
                        // The system begins to write what is not clean before it forgets what is: nothing is, here. It is a
                        // hint; what fails is told by the sync.
                        _ = fadvise(&self.0, offset, NonZero::new(n as u64), Advice::DontNeed);
                    }
                    offset += n as u64;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        // Never tried again after a failure: the system may have dropped what it could not write.
        Ok(fdatasync(&self.0)?)
    }

    fn allocate(&self, size: u64) -> io::Result<()> {
        match fallocate(&self.0, FallocateFlags::empty(), 0, size) {
            Ok(()) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.0.set_len(size)
    }
}

/// How many parts are written in one call: until they come to a stretch together.
fn stretch(parts: &[IoSlice<'_>]) -> usize {
    let mut bytes = 0;
    let begun = parts.iter().take(PARTS_MAX).take_while(|part| {
        let begins = bytes < STRETCH;
        bytes += part.len();
        begins
    });
    begun.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_writes_come_whole_and_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let mut path = dir.path().to_path_buf();
        path.push("file");
        let file = Real.create(&path).unwrap();
        let bytes: Vec<u8> = (0..5 * STRETCH + 7).map(|at| (at / 251) as u8).collect();
        for cuts in [
            vec![],
            vec![1],
            vec![STRETCH],
            vec![STRETCH - 1, STRETCH + 1],
            vec![2 * STRETCH],
            vec![2 * STRETCH + 1],
            vec![5; 3],
        ] {
            let mut ends: Vec<usize> = cuts.clone();
            ends.push(bytes.len());
            let mut begin = 0;
            let mut parts = Vec::new();
            for end in ends {
                parts.push(IoSlice::new(&bytes[begin..end.max(begin)]));
                begin = end.max(begin);
            }
            file.write_at(&mut parts, 11).unwrap();
            let mut found = vec![0; bytes.len()];
            assert_eq!(file.read_at(&mut found, 11).unwrap(), bytes.len());
            assert_eq!(found, bytes, "{cuts:?}");
        }
        let many: Vec<_> = bytes.chunks(100).collect();
        let mut parts: Vec<_> = many.iter().map(|part| IoSlice::new(part)).collect();
        assert!(parts.len() > PARTS_MAX);
        assert_eq!(stretch(&parts), PARTS_MAX);
        file.write_at(&mut parts, 0).unwrap();
        let mut found = vec![0; bytes.len()];
        file.read_at(&mut found, 0).unwrap();
        assert_eq!(found, bytes);
    }

    #[test]
    fn so_many_parts_go_in_one_stretch() {
        let bytes = vec![0; STRETCH + 1];
        let parts = |sizes: &[usize]| {
            let parts: Vec<_> = sizes.iter().map(|size| IoSlice::new(&bytes[..*size])).collect();
            stretch(&parts)
        };
        assert_eq!(parts(&[1]), 1);
        assert_eq!(parts(&[STRETCH - 1, STRETCH, 1]), 2);
        assert_eq!(parts(&[STRETCH, 1]), 1);
    }
}
