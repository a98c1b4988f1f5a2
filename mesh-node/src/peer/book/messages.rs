//! What the tasks of links tell the book.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actix::Message;
use mesh_core::peering::{Greeting, LinkNumber};
use mesh_wire::{class::Class, code::Code, name::Name};
use tokio::sync::oneshot;

use super::super::{Fault, frames::Sender, view::Facts};

/// To close a link, and what the peer is told.
pub(in crate::peer) type Order = Fault;

/// Somebody has greeted; the answer says whether there is a link now.
#[derive(Message)]
#[rtype(result = "Result<Admitted, Fault>")]
pub(in crate::peer) struct Greeted {
    pub(in crate::peer) from: From,
    pub(in crate::peer) greeting: Greeting,
    pub(in crate::peer) facts: Arc<Facts>,
    pub(in crate::peer) sender: Sender,
}

/// How a link came about.
pub(in crate::peer) enum From {
    /// This node has dialled it.
    Dial(LinkNumber),
    /// The peer has; orders to its task go here.
    Peer(oneshot::Sender<Order>),
}

/// A link that there is now.
pub(in crate::peer) struct Admitted {
    pub(in crate::peer) link: LinkNumber,
    pub(in crate::peer) node: Arc<Name>,
}

/// A link that somebody opened came to nothing before the core was asked.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::peer) struct Refused {
    pub(in crate::peer) code: Code,
    pub(in crate::peer) cause: String,
    pub(in crate::peer) remote: SocketAddr,
    pub(in crate::peer) node: Option<Name>,
}

/// A dial came to nothing before the core was asked.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::peer) struct Failed {
    pub(in crate::peer) link: LinkNumber,
    pub(in crate::peer) code: Code,
    pub(in crate::peer) cause: String,
    /// Who answered, as far as it came to that.
    pub(in crate::peer) node: Option<Name>,
}

/// A lane of a link has answered.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::peer) struct Measured {
    pub(in crate::peer) link: LinkNumber,
    pub(in crate::peer) class: Class,
    pub(in crate::peer) rtt: Duration,
}

/// A link that was admitted is over.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::peer) struct Ended {
    pub(in crate::peer) link: LinkNumber,
    pub(in crate::peer) code: Option<Code>,
    pub(in crate::peer) cause: String,
    /// Whether this side wanted it.
    pub(in crate::peer) is_here: bool,
}

/// Take leave of all peers; completes when their links are closed.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::peer) struct Drain;
