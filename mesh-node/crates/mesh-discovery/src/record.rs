//! What a node says of itself.

mod json;

use std::time::SystemTime;

use mesh_core::meta::Uuid;
use mesh_transport::endpoint::Authority;
use mesh_wire::{code::Code, name::Name};

/// Longest encoded record, in bytes.
pub const RECORD_BYTES: usize = 4096;
/// Most addresses of a node.
pub const ADDRESSES_MAX: usize = 8;
/// Longest text of a version, in bytes.
pub const VERSION_BYTES: usize = 64;

/// What a node says of itself: its registration.
///
/// Encoded as a JSON object, so that people can read it where it lies. A reader takes the fields that it knows; a missing
/// one that is not needed has its default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its name in the cluster.
    pub id: Name,
    /// This run of it: made when its process started, never the same again.
    pub instance: Uuid,
    /// Its data directory, when it has one: what tells a node that came back from another one of its name.
    pub directory: Option<Uuid>,
    /// The cluster that its data directory belongs to.
    pub cluster: Option<Uuid>,
    /// Where its peers reach it, the best first: 1 to [`ADDRESSES_MAX`].
    pub addresses: Vec<Authority>,
    /// Where it is: nodes of one zone may fail together.
    pub zone: Option<Name>,
    /// What it does.
    pub role: Role,
    /// What it speaks.
    pub versions: Versions,
    /// When its process was started, in milliseconds since 1970, by its own clock.
    pub started_ms: u64,
    /// Whether it is about to go: it says so before it takes its registration back.
    pub leaving: bool,
}

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// It stores.
    Core,
    /// It stores nothing.
    Edge,
    /// Something that a later version knows.
    Other,
}

/// What a node speaks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Versions {
    /// Its release: at most [`VERSION_BYTES`].
    pub build: String,
    /// The protocol's major version.
    pub wire_major: u8,
    /// The protocol's minor version.
    pub wire_minor: u8,
    /// The highest feature level that it can read.
    pub level: u32,
}

/// Why bytes are no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More bytes than [`RECORD_BYTES`].
    #[error("{bytes} bytes, {RECORD_BYTES} are allowed")]
    TooLong {
        /// How many there are.
        bytes: usize,
    },
    /// No JSON object with the fields that are needed.
    #[error("not a node's registration: {0}")]
    Malformed(String),
    /// None, or more than [`ADDRESSES_MAX`].
    #[error("{0} addresses, not 1 to {ADDRESSES_MAX}")]
    Addresses(usize),
    /// A text of a version is too long.
    #[error("a version of {0} bytes, {VERSION_BYTES} are allowed")]
    Version(usize),
    /// It is somebody else's than its key says.
    #[error("it names `{0}`, which its key does not")]
    OtherId(Name),
}

impl Error {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::DiscoveryRecordInvalid
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same can succeed later: no.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}

impl Record {
    /// A core node at one address, with nothing else said.
    #[must_use]
    pub fn new(id: Name, instance: Uuid, address: Authority) -> Self {
        let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Self {
            id,
            instance,
            directory: None,
            cluster: None,
            addresses: vec![address],
            zone: None,
            role: Role::Core,
            versions: Versions::default(),
            started_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
            leaving: false,
        }
    }

    /// Its bytes.
    ///
    /// # Errors
    /// When something of it is over its limit.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        self.check()?;
        let bytes = json::encode(self);
        if bytes.len() > RECORD_BYTES { Err(Error::TooLong { bytes: bytes.len() }) } else { Ok(bytes) }
    }

    /// Reads one.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > RECORD_BYTES {
            return Err(Error::TooLong { bytes: bytes.len() });
        }
        let record = json::decode(bytes)?;
        record.check()?;
        Ok(record)
    }

    /// Whether the other record is of the same node: this run of it, or its data directory, which only one process can
    /// have open at a time.
    #[must_use]
    pub fn is_same_node(&self, other: &Self) -> bool {
        self.instance == other.instance || self.directory.is_some() && self.directory == other.directory
    }

    fn check(&self) -> Result<(), Error> {
        if !(1..=ADDRESSES_MAX).contains(&self.addresses.len()) {
            return Err(Error::Addresses(self.addresses.len()));
        }
        if self.versions.build.len() > VERSION_BYTES {
            return Err(Error::Version(self.versions.build.len()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
