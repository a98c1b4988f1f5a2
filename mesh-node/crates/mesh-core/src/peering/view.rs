//! What can be seen of peer links from outside.

use mesh_wire::code::Code;
use mesh_wire::name::Name;

use super::LinkNumber;

/// A link that was admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer<'a> {
    /// The node at its other end.
    pub node: &'a Name,
    /// The link.
    pub link: LinkNumber,
    /// The start time of that node.
    pub incarnation: u64,
    /// Whether this node dialled it.
    pub is_dialled: bool,
}

/// An address that this node was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known<'a> {
    /// `host:port`.
    pub address: &'a str,
    /// The node that answered there last.
    pub node: Option<&'a Name>,
    /// What is done with it.
    pub state: AddressState,
    /// Why the last attempt failed.
    pub fault: Option<Code>,
}

/// What is done with an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressState {
    /// It is dialled again later.
    Waiting,
    /// It is being dialled.
    Dialling,
    /// There is a link with its node.
    Linked,
    /// It is this node's own.
    Own,
}

/// More addresses than [`super::Options::addresses_max`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{given} addresses of peers are more than the {most} that a node takes")]
pub struct TooManyAddresses {
    /// How many there were.
    pub given: usize,
    /// How many there may be.
    pub most: usize,
}

impl TooManyAddresses {
    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::TooManyPeers
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        "name fewer addresses: a peer needs to be named by one side only"
    }

    /// Whether the same addresses can be taken later: no.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        false
    }
}
