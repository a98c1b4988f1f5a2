//! Keys of what a node keeps on disk.

use super::super::form::{Bytes, Count, Labels, Switch};
use super::super::reader::Default::Text;
use super::super::reader::Key;
use super::{GIB, MIB};

/// Most nodes that a cluster may begin with.
const FOUNDERS: usize = 9;
/// Most shards.
const SHARDS: u64 = 1024;
/// Most replicas of a shard.
const REPLICAS: u64 = 9;

pub(in crate::config) const STORAGE_BOOTSTRAP: Key<Labels> = Key {
    path: "storage.bootstrap",
    form: Labels { most: FOUNDERS },
    default: Text(""),
    flag: Some("--bootstrap"),
    doc: "The nodes that a new cluster begins with, this one among them: the same list, in the same order, on all of \
          them. It counts once: a data directory that belongs to a cluster already does not look at it. A node without \
          peers begins alone; one with peers and without this list joins the cluster that they have.",
};
pub(in crate::config) const STORAGE_SHARDS: Key<Count> = Key {
    path: "storage.shards",
    form: Count { min: 1, max: SHARDS },
    default: Text("16"),
    flag: None,
    doc: "Replicated groups that what is stored is spread over. It counts when a cluster begins, and stays.",
};
pub(in crate::config) const STORAGE_REPLICAS: Key<Count> = Key {
    path: "storage.replicas",
    form: Count { min: 1, max: REPLICAS },
    default: Text("3"),
    flag: None,
    doc: "Nodes that have a copy of each shard, as far as there are so many. It counts when a cluster begins; `mesh \
          group replicas` changes it.",
};
pub(in crate::config) const STORAGE_REGISTERS: Key<Switch> = Key {
    path: "storage.registers",
    form: Switch,
    default: Text("off"),
    flag: None,
    doc: "Lets clients keep registers, the plainest thing that is replicated: for tests and benchmarks.",
};
pub(in crate::config) const STORAGE_FILE_BYTES: Key<Bytes> = Key {
    path: "storage.file_bytes",
    form: Bytes { min: 4 * MIB, max: GIB },
    default: Text("64MiB"),
    flag: None,
    doc: "Size of each file of the log. Two are made as soon as a node starts, so that it never waits for one.",
};
pub(in crate::config) const STORAGE_FILES: Key<Count> = Key {
    path: "storage.files",
    form: Count { min: 2, max: 1024 },
    default: Text("4"),
    flag: None,
    doc: "Files of the log beyond which the groups in the oldest are made to move on. While the disk is slow there may \
          be more.",
};
