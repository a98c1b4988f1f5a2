//! The connection behind a link's parts, and how it ends.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use mesh_identity::peer::PeerCertificate;
use mesh_wire::code::Code;
use quinn::{Connection, ConnectionError, VarInt};
use tokio::time::{sleep, timeout};

use super::refused::refused;
use super::{Role, congestion, end, settings};
use crate::link::{Closed, Stats};
use crate::side::Side;
use crate::socket;

/// A connection; the parts of a link share it. When the last part is gone, it closes in good order.
#[derive(Debug)]
pub(crate) struct Whole {
    connection: Connection,
    side: Arc<Side>,
    certificate: Option<Arc<PeerCertificate>>,
    /// What this side closed it with.
    closed_here: OnceLock<Closed>,
}

impl Whole {
    /// Takes a connection and watches it from now on, on the current runtime.
    pub(super) fn watched(
        connection: Connection,
        side: Arc<Side>,
        certificate: Option<Arc<PeerCertificate>>,
        role: Role,
    ) -> Arc<Self> {
        let remote = connection.remote_address();
        let whole = Arc::new(Self { connection, side, certificate, closed_here: OnceLock::new() });
        tokio::spawn(watch(Arc::downgrade(&whole), remote, role));
        whole
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn remote(&self) -> SocketAddr {
        socket::canonical(self.connection.remote_address())
    }

    pub(crate) fn certificate(&self) -> Option<Arc<PeerCertificate>> {
        self.certificate.clone()
    }

    pub(crate) fn rtt(&self) -> Duration {
        self.connection.rtt()
    }

    pub(crate) fn stats(&self) -> Stats {
        let stats = self.connection.stats();
        Stats {
            rtt: stats.path.rtt,
            mtu_bytes: stats.path.current_mtu,
            congestion_window_bytes: stats.path.cwnd,
            sent_packets: stats.path.sent_packets,
            lost_packets: stats.path.lost_packets,
            sent_bytes: stats.udp_tx.bytes,
            received_bytes: stats.udp_rx.bytes,
        }
    }

    /// Closes the link; the first reason counts.
    pub(crate) fn close(&self, closed: Closed) {
        if self.connection.close_reason().is_some() {
            return;
        }
        let closed = self.closed_here.get_or_init(|| closed);
        let number = closed.code.map_or(end::IN_ORDER, |code| VarInt::from_u32(code.number().into()));
        // A flood of what can't be delivered must not keep the reason from the other side.
        congestion::open(&self.connection);
        self.connection.close(number, closed.cause_to_send());
    }

    /// What `error` of a stream or of the connection means.
    pub(super) fn end(&self, error: &ConnectionError) -> Closed {
        match (error, self.closed_here.get()) {
            (ConnectionError::LocallyClosed, Some(closed)) => closed.clone(),
            _ => end::of(error, &self.side),
        }
    }

    pub(crate) async fn closed(&self) -> Closed {
        let error = self.connection.closed().await;
        self.end(&error)
    }
}

/// Closes a link that nothing comes from, before its idle timeout would end it without a word: over a path that is cut
/// in one direction the other side still hears why.
///
/// The side that dialled also asks, when it is silent, whether the port is still there: a node that was killed is noticed
/// so before its time is over. The listening side does not ask: it would need a socket for each of its clients at once.
async fn watch(whole: Weak<Whole>, remote: SocketAddr, role: Role) {
    let mut heard = 0;
    let mut silent = 0;
    loop {
        // By count and not by clock: a process that was stopped finds what came meanwhile before it judges.
        let gone = if role == Role::Dialled && silent >= settings::WATCH_STEPS_TO_ASK {
            timeout(settings::WATCH_STEP, refused(remote)).await.is_ok()
        } else {
            sleep(settings::WATCH_STEP).await;
            false
        };
        let Some(whole) = whole.upgrade() else { return };
        if whole.connection.close_reason().is_some() {
            return;
        }
        let now = whole.connection.stats().udp_rx.datagrams;
        silent = if now == heard { silent + 1 } else { 0 };
        heard = now;
        let time = settings::WATCH_STEP * silent;
        if silent > 0 && gone {
            let cause = format!("no process has the port any more, and nothing was heard for {time:?}");
            whole.close(Closed::new(Code::LinkReset, cause));
        } else if silent >= settings::WATCH_STEPS {
            whole.close(Closed::new(Code::LinkDead, format!("nothing was heard for {time:?}")));
        }
    }
}
