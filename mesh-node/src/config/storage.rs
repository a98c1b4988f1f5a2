//! What a node keeps on disk.

use mesh_wire::name::Name;

/// What a node keeps on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    /// The nodes that a new cluster begins with, in the order of their numbers.
    pub bootstrap: Vec<Name>,
    /// Shards of a new cluster.
    pub shards: usize,
    /// Replicas of each shard of a new cluster.
    pub replicas: usize,
    /// Whether clients may keep registers.
    pub registers: bool,
    /// Size of a file of the log, in bytes.
    pub file_bytes: usize,
    /// Files of the log beyond which the oldest is to go.
    pub files: usize,
}
