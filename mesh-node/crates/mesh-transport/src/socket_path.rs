//! Where a node listens and a client looks when nobody said where.
//!
//! In this order: `$XDG_RUNTIME_DIR/mesh/mesh.sock`, `/run/mesh/mesh.sock`, `DATA/mesh.sock`. A node takes the first
//! place that it may write to, a client tries them all.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::endpoint::SOCKET_PATH_BYTES;

/// Name of the socket inside its directory.
pub const SOCKET_NAME: &str = "mesh.sock";

/// What decides about the default places; taken from the process by [`Places::from_env`], set by hand in tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// `$XDG_RUNTIME_DIR`, if it is set and absolute.
    pub runtime_dir: Option<PathBuf>,
    /// The system's runtime directory: `/run`.
    pub system_dir: PathBuf,
    /// The data directory of a node of this user that was told nothing else.
    pub data_dir: PathBuf,
}

impl Places {
    /// The places of this process, from `XDG_RUNTIME_DIR`, `XDG_DATA_HOME`, `HOME` and the user.
    #[must_use]
    pub fn from_env() -> Self {
        Self {
            runtime_dir: absolute(env::var_os("XDG_RUNTIME_DIR")),
            system_dir: PathBuf::from("/run"),
            data_dir: data_dir(
                rustix::process::geteuid().is_root(),
                absolute(env::var_os("XDG_DATA_HOME")),
                absolute(env::var_os("HOME")),
            ),
        }
    }

    /// The first place where this user may make a socket; `data_dir` stands for [`Places::data_dir`] where given.
    ///
    /// Never fails: the data directory is taken when nothing else can be, and binding then says what is wrong with it.
    #[must_use]
    pub fn listen(&self, data_dir: Option<&Path>) -> PathBuf {
        let shared = [self.runtime_dir.as_deref(), Some(self.system_dir.as_path())];
        shared
            .into_iter()
            .flatten()
            .filter(|dir| can_hold_socket(dir))
            .map(socket_under)
            .find(|path| path.as_os_str().len() <= SOCKET_PATH_BYTES)
            .unwrap_or_else(|| data_dir.unwrap_or(&self.data_dir).join(SOCKET_NAME))
    }

    /// Every place where a client looks, first choice first; at most three.
    #[must_use]
    pub fn candidates(&self) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = self.runtime_dir.as_deref().map(socket_under).into_iter().collect();
        paths.push(socket_under(&self.system_dir));
        paths.push(self.data_dir.join(SOCKET_NAME));
        paths
    }
}

/// Where a node listens when nobody said where; `data_dir` is the node's data directory, if it was given one.
#[must_use]
pub fn default_socket_path(data_dir: Option<&Path>) -> PathBuf {
    Places::from_env().listen(data_dir)
}

/// Where a client looks for a node when nobody said where, first choice first.
#[must_use]
pub fn candidate_socket_paths() -> Vec<PathBuf> {
    Places::from_env().candidates()
}

/// Where a node keeps its data when nobody said where: `/var/lib/mesh` for root, else `$XDG_DATA_HOME/mesh`, else
/// `~/.local/share/mesh`, and `mesh-data` in the working directory for a user without a home.
#[must_use]
pub fn default_data_dir() -> PathBuf {
    Places::from_env().data_dir
}

fn data_dir(root: bool, data_home: Option<PathBuf>, home: Option<PathBuf>) -> PathBuf {
    if root {
        return PathBuf::from("/var/lib/mesh");
    }
    data_home
        .or_else(|| home.map(|home| home.join(".local/share")))
        .map_or_else(|| PathBuf::from("mesh-data"), |dir| dir.join("mesh"))
}

/// The XDG specification has relative paths ignored.
fn absolute(value: Option<OsString>) -> Option<PathBuf> {
    value.map(PathBuf::from).filter(|path| path.is_absolute())
}

fn socket_under(dir: &Path) -> PathBuf {
    dir.join("mesh").join(SOCKET_NAME)
}

fn can_hold_socket(dir: &Path) -> bool {
    let own = dir.join("mesh");
    let place = if own.exists() { own.as_path() } else { dir };
    place.is_dir() && access(place, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn places(root: &Path) -> Places {
        Places {
            runtime_dir: Some(root.join("xdg")),
            system_dir: root.join("run"),
            data_dir: root.join("share/mesh"),
        }
    }

    #[test]
    fn a_node_takes_the_first_place_that_is_there() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let places = places(root);

        assert_eq!(places.listen(None), root.join("share/mesh/mesh.sock"));
        assert_eq!(places.listen(Some(Path::new("/d"))), Path::new("/d/mesh.sock"));
        fs::create_dir(root.join("run")).unwrap();
        assert_eq!(places.listen(None), root.join("run/mesh/mesh.sock"));
        fs::create_dir(root.join("xdg")).unwrap();
        assert_eq!(places.listen(None), root.join("xdg/mesh/mesh.sock"));
        assert_eq!(Places { runtime_dir: None, ..places }.listen(None), root.join("run/mesh/mesh.sock"));
    }

    #[test]
    fn a_file_in_the_way_is_no_place() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("run")).unwrap();
        fs::write(root.path().join("run/mesh"), "").unwrap();
        assert_eq!(places(root.path()).listen(None), root.path().join("share/mesh/mesh.sock"));
    }

    #[test]
    fn a_place_whose_path_would_be_too_long_is_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let fixed = root.path().join("xx/mesh/mesh.sock").as_os_str().len() - 2;
        for (extra, taken) in [(0, true), (1, false)] {
            let deep = root.path().join("d".repeat(SOCKET_PATH_BYTES - fixed + extra));
            fs::create_dir(&deep).unwrap();
            let places = Places { runtime_dir: Some(deep.clone()), ..places(root.path()) };
            assert_eq!(places.listen(None).starts_with(&deep), taken, "{extra} bytes too many");
        }
    }

    #[test]
    fn a_client_looks_everywhere_in_the_same_order() {
        let places = places(Path::new("/t"));
        let all: Vec<PathBuf> = ["/t/xdg/mesh/mesh.sock", "/t/run/mesh/mesh.sock", "/t/share/mesh/mesh.sock"]
            .map(PathBuf::from)
            .into();
        assert_eq!(places.candidates(), all);
        assert_eq!(Places { runtime_dir: None, ..places }.candidates(), all[1..]);
    }

    #[test]
    fn the_data_directory_depends_on_the_user() {
        let some = |path: &str| Some(PathBuf::from(path));
        let table = [
            (true, some("/x"), some("/root"), "/var/lib/mesh"),
            (false, some("/x"), some("/home/u"), "/x/mesh"),
            (false, None, some("/home/u"), "/home/u/.local/share/mesh"),
            (false, None, None, "mesh-data"),
        ];
        for (root, data_home, home, dir) in table {
            assert_eq!(data_dir(root, data_home, home), Path::new(dir));
        }
    }

    #[test]
    fn relative_directories_of_the_environment_are_ignored() {
        assert_eq!(absolute(Some("run/user".into())), None);
        assert_eq!(absolute(Some("".into())), None);
        assert_eq!(absolute(Some("/run/user/1".into())), Some(PathBuf::from("/run/user/1")));
    }
}
