//! The connection behind a link's parts, and how it ends.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, OnceLock};

use mesh_identity::peer::PeerCertificate;
use tokio::sync::Notify;

use super::{Tcp, end};
use crate::link::Closed;
use crate::side::Side;

/// A connection; the parts of a link share it.
#[derive(Debug)]
pub(crate) struct Whole {
    tcp: Tcp,
    remote: SocketAddr,
    side: Arc<Side>,
    certificate: Option<Arc<PeerCertificate>>,
    closed: OnceLock<Closed>,
    over: Notify,
}

impl Whole {
    pub(super) fn new(
        tcp: Tcp,
        remote: SocketAddr,
        side: Arc<Side>,
        certificate: Option<Arc<PeerCertificate>>,
    ) -> Self {
        Self { tcp, remote, side, certificate, closed: OnceLock::new(), over: Notify::new() }
    }

    pub(crate) fn remote(&self) -> SocketAddr {
        self.remote
    }

    pub(crate) fn certificate(&self) -> Option<Arc<PeerCertificate>> {
        self.certificate.clone()
    }

    /// Closes the link; the first reason counts.
    pub(crate) fn close(&self, closed: Closed) {
        self.over_by(closed);
        self.tcp.cut();
    }

    /// The link is over by `error` of one of its parts, unless it was before; gives why.
    pub(super) fn end(&self, error: io::Error) -> Closed {
        self.over_by(end::of(&error, &self.side))
    }

    fn over_by(&self, closed: Closed) -> Closed {
        let why = self.closed.get_or_init(|| closed).clone();
        self.over.notify_waiters();
        why
    }

    pub(crate) async fn closed(&self) -> Closed {
        loop {
            let mut over = pin!(self.over.notified());
            // From here on no word is missed.
            over.as_mut().enable();
            if let Some(closed) = self.closed.get() {
                return closed.clone();
            }
            over.await;
        }
    }
}
