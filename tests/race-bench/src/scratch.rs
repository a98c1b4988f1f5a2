//! A folder for sockets, data and what processes say on stderr; gone when the race is over.

use std::path::{Path, PathBuf};

/// A folder that is removed when this is dropped.
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes a folder of this process, readable by nobody else.
    pub(crate) fn new() -> anyhow::Result<Self> {
        use std::os::unix::fs::DirBuilderExt;
        let path = std::env::temp_dir().join(format!("mesh-race-{}", std::process::id()));
        std::fs::DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self { path })
    }

    /// An empty folder in it.
    pub(crate) fn folder(&self, name: &str) -> anyhow::Result<Folder> {
        let path = self.path.join(name);
        std::fs::create_dir(&path)?;
        Ok(Folder { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// One measurement's folder, removed when this is dropped.
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// What can't be removed is left behind: it is in the folder for temporary files.
fn remove(path: &Path) {
    drop(std::fs::remove_dir_all(path));
}
