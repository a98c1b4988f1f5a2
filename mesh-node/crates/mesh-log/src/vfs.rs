//! What we ask of a file system: few things, so that a failing one is easily made.

use std::{
    fmt,
    io::{self, IoSlice},
    path::{Path, PathBuf},
};

#[cfg(feature = "faults")]
pub mod faulty;
pub mod real;
#[cfg(any(test, feature = "faults"))]
pub mod simulated;

/// A file system. Paths are whole ones.
pub trait Vfs: fmt::Debug + Send + Sync {
    /// Opens a file that is there, for reading, and for writing unless `read_only`.
    ///
    /// # Errors
    /// Those of the system.
    fn open(&self, path: &Path, read_only: bool) -> io::Result<Box<dyn File>>;

    /// Makes a new file, for reading and writing.
    ///
    /// # Errors
    /// `AlreadyExists`, and those of the system.
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>>;

    /// Gives a file another name, in the place of one that may have it. Durable after [`Vfs::sync_dir`].
    ///
    /// # Errors
    /// Those of the system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// Those of the system.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory, in order.
    ///
    /// # Errors
    /// Those of the system.
    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>>;

    /// Makes a directory and those above it; nothing happens when it is there.
    ///
    /// # Errors
    /// Those of the system.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// Those of the system.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
}

/// An open file.
pub trait File: fmt::Debug + Send + Sync {
    /// Reads at a place, as much as there is room for; less only at the end of the file.
    ///
    /// # Errors
    /// Those of the system.
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of it at a place, one after the other. Durable after [`File::sync_data`] only.
    ///
    /// # Errors
    /// Those of the system; then any part of it may have been written.
    fn write_at(&self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()>;

    /// Returns when everything that was written is durable (`fdatasync`).
    ///
    /// # Errors
    /// Those of the system. Nothing that was written since the last success may be relied on then, ever: a system may
    /// forget the failure together with the data.
    fn sync_data(&self) -> io::Result<()>;

    /// Reserves space, so that writing within it can't fail for want of it.
    ///
    /// # Errors
    /// `StorageFull`, and those of the system.
    fn allocate(&self, size: u64) -> io::Result<()>;

    /// Its length in bytes.
    ///
    /// # Errors
    /// Those of the system.
    fn size(&self) -> io::Result<u64>;

    /// Cuts it to a length, or makes it longer by a hole.
    ///
    /// # Errors
    /// Those of the system.
    fn set_size(&self, size: u64) -> io::Result<()>;
}
