//! The lock beside a socket that makes taking its place one step.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::io::Errno;

use super::Error;

/// How often the lock file may vanish under us before we give up: each time, another listener has just ended.
const ATTEMPTS: usize = 16;

/// An exclusive lock on `PATH.lock`, held while this value lives. The kernel frees it when the process ends, however
/// that comes about.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    // Closing the file frees the lock.
    _file: File,
}

impl Lock {
    /// Takes the lock for the socket at `socket` without waiting.
    ///
    /// # Errors
    /// [`Error::InUse`] when another listener holds it.
    pub(super) fn take(socket: &Path) -> Result<Self, Error> {
        let mut path = socket.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        for _ in 0..ATTEMPTS {
            let file = open(&path).map_err(|source| Error::io("open the lock", &path, source))?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Err(Error::InUse { path: socket.to_owned() }),
                Err(errno) => return Err(Error::io("lock", &path, errno.into())),
            }
            // The holder removes the file before it lets go: what we locked may be a file that nobody else can see.
            if is_still_at(&file, &path) {
                return Ok(Self { path, _file: file });
            }
        }
        Err(Error::InUse { path: socket.to_owned() })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Left behind, the file does no harm: the lock counts, not the file.
        fs::remove_file(&self.path).ok();
    }
}

fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).custom_flags(flags).open(path)
}

fn is_still_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mesh_wire::code::Code;

    #[test]
    fn one_holder_at_a_time_and_no_file_left() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("s");
        let first = Lock::take(&socket).unwrap();
        assert_eq!(Lock::take(&socket).unwrap_err().code(), Code::SocketInUse);
        drop(first);
        assert!(!dir.path().join("s.lock").exists());
        Lock::take(&socket).unwrap();
    }

    #[test]
    fn a_lock_file_left_by_a_killed_process_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("s.lock"), "").unwrap();
        Lock::take(&dir.path().join("s")).unwrap();
    }

    #[test]
    fn a_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(dir.path().join("elsewhere"), dir.path().join("s.lock")).unwrap();
        assert!(Lock::take(&dir.path().join("s")).is_err());
        assert!(!dir.path().join("elsewhere").exists());
    }

    #[test]
    fn of_many_threads_one_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("s");
        let inside = std::sync::atomic::AtomicUsize::new(0);
        let most = std::sync::atomic::AtomicUsize::new(0);
        let order = std::sync::atomic::Ordering::SeqCst;
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        if let Ok(lock) = Lock::take(&socket) {
                            most.fetch_max(inside.fetch_add(1, order) + 1, order);
                            inside.fetch_sub(1, order);
                            drop(lock);
                        }
                    }
                });
            }
        });
        assert_eq!(most.load(order), 1);
    }
}
