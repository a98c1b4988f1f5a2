//! Writing files so that nobody sees a half.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Error;

/// A file to write.
pub(crate) struct Write {
    path: PathBuf,
    text: String,
    mode: u32,
}

impl Write {
    /// For everybody to read.
    pub(crate) fn public(path: &Path, text: String) -> Self {
        Self { path: path.to_owned(), text, mode: 0o644 }
    }

    /// For its owner only.
    pub(crate) fn secret(path: &Path, text: String) -> Self {
        Self { path: path.to_owned(), text, mode: 0o600 }
    }

    /// Writes all of it beside its place, under a name that nobody reads.
    fn prepare(&self) -> io::Result<NamedTempFile> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        // Made for its owner only from the first moment on.
        let mut file = tempfile::Builder::new().prefix(".mesh-").tempfile_in(dir)?;
        file.write_all(self.text.as_bytes())?;
        file.as_file().set_permissions(permissions(self.mode))?;
        file.as_file().sync_all()?;
        Ok(file)
    }
}

/// Writes all files, then renames them in order: if one can't be written, none is there.
pub(crate) fn write_all(files: &[Write]) -> Result<(), Error> {
    let failed = |file: &Write, source| Error::Io { path: file.path.clone(), source };
    let prepared: Result<Vec<_>, _> =
        files.iter().map(|file| file.prepare().map_err(|error| failed(file, error))).collect();
    for (file, prepared) in files.iter().zip(prepared?) {
        prepared.persist(&file.path).map_err(|error| failed(file, error.error))?;
    }
    Ok(())
}

pub(crate) fn must_not_exist(path: &Path) -> Result<(), Error> {
    match path.symlink_metadata() {
        Ok(_) => Err(Error::Exists { path: path.to_owned() }),
        Err(_) => Ok(()),
    }
}

pub(crate) fn make_dir(dir: &Path) -> Result<(), Error> {
    fs::create_dir_all(dir).map_err(|source| Error::Io { path: dir.to_owned(), source })
}

#[cfg(unix)]
fn permissions(mode: u32) -> Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    Permissions::from_mode(mode)
}
