//! The data directory of a node: whose it is, which format it has, and that only one process uses it.
//!
//! ```text
//! DIR/DATA   text: format, UUID of the directory, UUID of the cluster once there is one, names of cluster and node
//! DIR/lock   held by the process that uses it
//! DIR/log/   the write-ahead log
//! DIR/seg/   segments and their indexes
//! DIR/checkpoint/  checkpoints
//! ```

mod data_file;
mod error;
mod open;
mod uuid;

use std::{
    fs::File,
    path::{Path, PathBuf},
};

pub use self::{
    data_file::{DataFile, Founders},
    error::Error,
    uuid::Uuid,
};

/// The names that a node has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Its cluster's.
    pub cluster: String,
    /// Its own.
    pub node: String,
}

/// A data directory, held for as long as this lives: no other process can open it.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    data: DataFile,
    _lock: File,
}

impl DataDir {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The UUID that it was made with.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        self.data.directory
    }

    /// The UUID of its cluster, once it is known. A directory that has one never makes a new cluster.
    #[must_use]
    pub fn cluster(&self) -> Option<Uuid> {
        self.data.cluster
    }

    /// The number of its node in the cluster, once it has one.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.data.number
    }

    /// The directories of the nodes that founded its cluster, if its node is one of them and they have agreed.
    #[must_use]
    pub fn founders(&self) -> Option<&Founders> {
        self.data.founders.as_ref()
    }

    /// What its `DATA` file says.
    #[must_use]
    pub fn data(&self) -> &DataFile {
        &self.data
    }

    /// Where the log is: what [`crate::log::Log::open`] takes.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }
}
