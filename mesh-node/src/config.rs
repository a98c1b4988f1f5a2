//! Configuration: one typed tree out of four layers.
//!
//! ```text
//!  default  <  file (TOML)  <  environment (MESH_NODE_LIMITS__MAX_BODY)  <  flag (--threads)
//!      └──────────┴───────────────────┴─────────────────────────────────────┘
//!                       raw values ─► forms (checked, bounded) ─► Config
//! ```
//!
//! A key that nothing reads is refused. Where each value came from is known ([`Config::entries`]): `--print-config`
//! and the admin API show it. `docs/reference/config.md` is made from the same table and checked by the tests.

mod environment;
mod error;
mod file;
mod form;
mod keys;
mod nearest;
mod network;
mod print;
mod raw;
mod reader;
#[cfg(test)]
mod reference;
mod source;
mod storage;
mod tree;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use mesh_telemetry::logging;
use mesh_transport::buffers::SocketBuffers;
use mesh_transport::listen::UnixListenerOptions;
use mesh_transport::socket_path::Places;
use mesh_wire::name::Name;

pub use environment::{CONFIG_FILE, PREFIX};
pub use error::Error;
pub use file::FILE_BYTES;
pub use network::{Certs, Discovery, Listen, Peer, Tokens};
pub use reader::Entry;
pub use source::Source;
pub use storage::Storage;

use raw::Raw;
use reader::{Given, Reader};

/// Everything that can be configured, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Name of this node.
    pub name: Name,
    /// Name of its cluster.
    pub cluster: Name,
    /// Where it stands: nodes of one zone may fail together.
    pub zone: Option<Name>,
    /// Directory with everything that it keeps on disk.
    pub data: PathBuf,
    /// Number of data threads, at least 1.
    pub threads: usize,
    /// How long a data thread polls after the last activity; zero is off.
    pub busy_poll: Duration,
    /// The socket for clients.
    pub socket: Socket,
    /// The admin HTTP server.
    pub http: Http,
    /// Links of clients over a network.
    pub listen: Listen,
    /// Where certificates are read from.
    pub certs: Certs,
    /// Tokens of clients.
    pub tokens: Tokens,
    /// This node as its peers see it.
    pub peer: Peer,
    /// How it finds them.
    pub discovery: Discovery,
    /// What it keeps on disk.
    pub storage: Storage,
    /// Log lines.
    pub log: Log,
    /// Bounds of what clients may do.
    pub limits: Limits,
    /// Stopping in good order.
    pub drain: Drain,
    /// Publishers that are faster than their subscribers.
    pub pacing: Pacing,
    /// The cache of look-ups.
    pub match_cache: MatchCache,
    entries: Vec<Entry>,
}

/// The socket for clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    /// Its path.
    pub path: PathBuf,
    /// Its permission bits.
    pub mode: u32,
    /// Users that may connect besides the node's own and root.
    pub allow_uids: Vec<u32>,
    /// Groups whose members may connect.
    pub allow_gids: Vec<u32>,
    /// Kernel buffer for what the node sends, in bytes.
    pub buffer: usize,
}

impl Socket {
    /// The same in the words of the transport.
    #[must_use]
    pub fn listener_options(&self) -> UnixListenerOptions {
        UnixListenerOptions {
            path: self.path.clone(),
            mode: self.mode,
            allowed_uids: self.allow_uids.clone(),
            allowed_gids: self.allow_gids.clone(),
            buffers: SocketBuffers { send_bytes: Some(self.buffer), receive_bytes: None },
        }
    }
}

/// The admin HTTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// Where it listens; `None` is off.
    pub address: Option<SocketAddr>,
    /// Host names that requests may carry, in lowercase.
    pub allow_hosts: Vec<String>,
}

/// Log lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// What is logged.
    pub filter: logging::Filter,
    /// What a line looks like.
    pub format: logging::Format,
}

/// Bounds of what clients may do. Sizes are in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest message body.
    pub max_body: usize,
    /// Most links at once.
    pub max_links: usize,
    /// Most subscriptions of one link.
    pub subscriptions_per_link: usize,
    /// Most requests of one link under way.
    pub requests_per_link: usize,
    /// How long a client may take to say hello.
    pub handshake_timeout: Duration,
    /// Most handshakes over a network under way on each data thread.
    pub handshakes: usize,
    /// Most bytes that wait to be written to one link.
    pub link_outbox: usize,
    /// Messages that are kept for a subscription whose client does not say how many.
    pub pending_messages: usize,
    /// Bytes that are kept for a subscription whose client does not say how many.
    pub pending_bytes: usize,
}

/// Stopping in good order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drain {
    /// How long it may take.
    pub deadline: Duration,
}

/// Publishers that are faster than their subscribers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pacing {
    /// Bytes that wait for a link above which its publishers are paused.
    pub high_water: usize,
    /// How long they are paused at most, per slow episode.
    pub stall: Duration,
}

/// The cache of look-ups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchCache {
    /// Subjects that each data thread remembers.
    pub entries: usize,
}

/// Where a configuration is taken from.
#[derive(Debug, Clone)]
pub struct Layers {
    /// The file that was named by `--config`.
    pub file: Option<PathBuf>,
    /// The environment; what is not meant for the node is passed over.
    pub environment: Vec<(OsString, OsString)>,
    /// Values of flags, each with the key that it sets.
    pub flags: Vec<Flag>,
    /// What the default paths depend on.
    pub places: Places,
    /// Name of this host.
    pub host_name: String,
}

/// A flag that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The key that it sets.
    pub key: &'static str,
    /// The flag with its dashes.
    pub flag: &'static str,
    /// Its value.
    pub value: String,
}

impl Layers {
    /// The layers of this process.
    #[must_use]
    pub fn of_process(file: Option<PathBuf>, flags: Vec<Flag>) -> Self {
        Self {
            file,
            environment: std::env::vars_os().collect(),
            flags,
            places: Places::from_env(),
            host_name: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        }
    }
}

impl Config {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// See [`Error`]; the first thing that is wrong is named, with where it stands and what would be right.
    pub fn load(layers: Layers) -> Result<Self, Error> {
        let named =
            layers.environment.iter().find(|(name, _)| name == CONFIG_FILE).map(|(_, path)| path.into());
        let mut given = match layers.file.or(named) {
            Some(path) => file::read(&path)?,
            None => Vec::new(),
        };
        given.extend(environment::read(layers.environment));
        given.extend(layers.flags.into_iter().map(|Flag { key, flag, value }| Given {
            key: key.to_owned(),
            raw: Raw::Text(value),
            source: Source::Flag { flag },
        }));
        tree::read(Reader::new(given), &layers.places, &layers.host_name)
    }

    /// What became of every key, in the order of the reference.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The effective configuration as TOML, each value with its source as a comment. Reading it again gives the same
    /// configuration.
    #[must_use]
    pub fn to_toml(&self) -> String {
        print::to_toml(&self.entries)
    }
}

#[cfg(test)]
mod tests;
