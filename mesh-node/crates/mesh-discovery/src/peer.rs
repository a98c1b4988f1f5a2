//! Somebody else in the cluster.

use std::fmt;

use mesh_transport::endpoint::Authority;
use mesh_wire::name::Name;

use crate::record::Record;

/// Somebody else in the cluster: a node that said who it is, or an address where one is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Peer {
    /// A node, by its registration.
    Node(Box<Record>),
    /// An address. Whose it is, and whether it is this node's own, says the one who answers there.
    Address(Authority),
}

/// What a peer is known by from event to event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Key {
    /// The node of this name.
    Node(Name),
    /// The address, as it is written.
    Address(String),
}

impl Peer {
    /// What it is known by.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Node(record) => Key::Node(record.id.clone()),
            Self::Address(address) => Key::Address(address.to_string()),
        }
    }

    /// Where it is reached, the best first.
    #[must_use]
    pub fn addresses(&self) -> &[Authority] {
        match self {
            Self::Node(record) => &record.addresses,
            Self::Address(address) => std::slice::from_ref(address),
        }
    }

    /// What it says of itself, if it has said anything.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        match self {
            Self::Node(record) => Some(record),
            Self::Address(_) => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(name) => f.write_str(name.as_str()),
            Self::Address(address) => f.write_str(address),
        }
    }
}
