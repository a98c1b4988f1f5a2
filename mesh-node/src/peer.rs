//! Links with the other nodes of the cluster.
//!
//! ```text
//!   quic::Listener ─► accept ─┐                     ┌─► lanes ─► FrameHandler
//!                             ├─► greeted ─► Book ──┤
//!   Dial ─► connect ──────────┘     mesh_core::     └─► writer ◄─ Sender
//!                                   peering
//! ```
//! The [`Book`](book::Book) is the shell of [`mesh_core::peering`]: it alone knows which links there are, and decides
//! which stays when there are two. Each link is a task, with one more for each of its lanes and one for what it writes.
//! All of it lives on the first data thread, beside the replicated groups, which most of what peers say is about.

mod accept;
mod book;
mod dial;
pub(crate) mod frames;
mod greet;
mod handshake;
mod lane;
mod link;
mod open;
mod probe;
mod view;
mod writer;

use std::{fmt, io, net::SocketAddr, rc::Rc, sync::Arc, time::Duration};

use actix::{Actor, Addr};
use mesh_core::peering::{self, Own};
use mesh_identity::{store::Store, verify::Expect};
use mesh_transport::{
    endpoint::Authority,
    link::Closed,
    quic::{Listener, ListenerOptions, ResetKey},
};
use mesh_wire::code::Code;
use tokio::sync::watch;

pub(crate) use self::frames::{FrameHandler, NoFrames, PeerFrames, PeerUp, Sender};
pub(crate) use self::open::open;
pub(crate) use self::view::{PeerInfo, View};
use self::{
    book::{Book, Drain},
    view::Published,
};
use crate::metrics::Counters;

/// Longest time of a dial: resolving the name, the handshake of the carrier, and the greeting.
const DIAL_TIME: Duration = Duration::from_secs(5);

/// How a node takes part in its cluster.
pub(crate) struct Options {
    /// Who this node is.
    pub(crate) own: Own,
    /// Where it takes the links of its peers; `None`: it only dials.
    pub(crate) listen: Option<SocketAddr>,
    /// Where its peers reach it, when that is not where it listens.
    pub(crate) advertise: Option<Authority>,
    /// Where its peers are; its own address may be among them.
    pub(crate) addresses: Vec<Authority>,
    /// Its certificates, and those that it trusts.
    pub(crate) store: Store,
    /// By which links of a former life are ended at once.
    pub(crate) reset_key: ResetKey,
    /// How long a node may take to greet.
    pub(crate) handshake_timeout: Duration,
    /// Most nodes that greet at once. Each has shown a certificate, and has not said yet which link it is.
    pub(crate) greeting_max: usize,
    /// Bounds and paces.
    pub(crate) peering: peering::Options,
    /// What waits are drawn from.
    pub(crate) seed: u64,
    /// What takes the frames of peers.
    pub(crate) handler: Rc<dyn FrameHandler>,
    /// Where refusals are counted; of the thread that this is called on.
    pub(crate) counters: Arc<Counters>,
}

/// Who this node is, as it greets.
#[derive(Debug)]
struct Identity {
    own: Own,
    /// `host:port`, or nothing.
    advertise: String,
}

/// What all tasks of peers share; on one thread.
struct Surroundings {
    counters: Arc<Counters>,
    identity: Identity,
    store: Store,
    handshake_timeout: Duration,
    greeting_max: usize,
    handler: Rc<dyn FrameHandler>,
}

/// Why there is no link, or none any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    code: Code,
    cause: String,
    /// Whether the other side said so: it needs not be told.
    is_theirs: bool,
}

impl Fault {
    /// Something that this side found wrong.
    pub(crate) fn new(code: Code, cause: impl Into<String>) -> Self {
        Self { code, cause: cause.into(), is_theirs: false }
    }

    /// What an error of a link's part means.
    fn of(error: &io::Error) -> Self {
        match Closed::of(error) {
            Some(closed) => Self {
                code: closed.code.unwrap_or(Code::Disconnected),
                cause: closed.cause.clone(),
                is_theirs: true,
            },
            None => Self { code: Code::LinkReset, cause: error.to_string(), is_theirs: true },
        }
    }
}

/// Why a node can't take links of its peers.
#[derive(Debug, thiserror::Error)]
#[error("{address}: {source}")]
pub(crate) struct BindError {
    /// The address.
    pub(crate) address: SocketAddr,
    /// What the system says.
    pub(crate) source: io::Error,
}

/// The peers of a node. A clone is the same.
#[derive(Clone)]
pub(crate) struct Peers {
    book: Addr<Book>,
    views: watch::Receiver<Arc<View>>,
    address: Option<SocketAddr>,
}

impl Peers {
    /// Listens and dials, on the current thread, which runs an actix system.
    ///
    /// # Errors
    /// The address can't be had; then nothing is left behind.
    pub(crate) fn start(options: Options) -> Result<Self, BindError> {
        let cluster = options.own.cluster.clone();
        let bind = |address| {
            let expect = Expect::Node { cluster: cluster.clone() };
            let key = options.reset_key.clone();
            let listener = Listener::bind(ListenerOptions::new(address, options.store.clone(), expect, key));
            let listener = listener.and_then(|listener| Ok((listener.local_address()?, listener)));
            listener.map_err(|source| BindError { address, source })
        };
        let listener = options.listen.map(bind).transpose()?;
        let address = listener.as_ref().map(|(address, _)| *address);
        let advertise = options.advertise.map(|place| place.to_string()).or(address.map(|a| a.to_string()));
        let surroundings = Rc::new(Surroundings {
            identity: Identity { own: options.own.clone(), advertise: advertise.unwrap_or_default() },
            store: options.store,
            handshake_timeout: options.handshake_timeout,
            greeting_max: options.greeting_max,
            handler: options.handler,
            counters: options.counters,
        });
        let published = Published::new(Arc::default());
        let views = published.subscribe();
        let listener = listener.map(|(_, listener)| Rc::new(listener));
        let peering = peering::Peering::new(options.peering, options.own, options.seed);
        let book =
            Book::new(peering, &options.addresses, Rc::clone(&surroundings), listener.clone(), published);
        let book = book.start();
        if let Some(listener) = listener {
            actix_rt::spawn(accept::run(listener, surroundings, book.clone()));
        }
        Ok(Self { book, views, address })
    }

    /// Where the node takes the links of its peers.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// What is known of the peers now; never waits.
    pub(crate) fn view(&self) -> Arc<View> {
        Arc::clone(&self.views.borrow())
    }

    /// The peers and addresses of that.
    pub(crate) fn list(&self) -> Vec<PeerInfo> {
        self.view().peers.clone()
    }

    /// Takes leave of all peers; completes when their links are closed, in bounded time.
    pub(crate) async fn drain(&self) {
        // The book is gone only when its thread is.
        self.book.send(Drain).await.unwrap_or_default();
    }
}

impl fmt::Debug for Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
