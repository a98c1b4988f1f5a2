//! What the end-to-end tests share: real binaries, real processes, and a link that speaks plain frames.
//!
//! ```text
//!  RunningNode ── the `mesh-node` binary in a directory of its own, stopped when dropped
//!  RawLink ────── a blocking link that can also say what no client library would
//!  Process ────── any of the workspace's programs, with its output at hand
//!  mesh() ─────── the `mesh` binary against a node
//!  Cluster ────── nodes that keep records together
//!  Certificates ─ a directory for `--certs`, of an Authority that signs anything
//! ```

mod certificates;
mod client;
mod cluster;
mod command;
mod http;
mod memory;
mod node;
mod process;
mod program;
mod raw;
mod records;

pub use certificates::{Authority, CLUSTER, Certificates, Issued, Subject, Validity};
pub use client::{client, connected, disconnected, seed};
pub use cluster::{Cluster, place};
pub use http::api;
pub use memory::resident;
pub use node::{NodeBuilder, RunningNode, wait_until};
pub use process::{Finished, PATIENCE, Process};
pub use program::program;
pub use raw::{RawLink, Received, hello_frame, subscribe_body};
pub use records::{client_of, everything, register};

use std::process::Command;

/// The `mesh` command, set to talk to `node`.
pub fn mesh(node: &RunningNode) -> Command {
    let mut command = Command::new(program("mesh-cli", "mesh"));
    command.env_remove("MESH_CONTEXT").env("MESH_URL", node.url()).env("XDG_CONFIG_HOME", node.directory());
    command
}
