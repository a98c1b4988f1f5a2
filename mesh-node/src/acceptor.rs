//! Takes connections from the socket and gives each to the data thread with the fewest links.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix::Addr;
use mesh_transport::{
    link::Link,
    listen::{Incoming, Listener},
    peer::Peer,
};
use mesh_wire::code::Code;
use tokio::{net::UnixStream, sync::watch};

use crate::{
    link::turn_away,
    metrics::Counters,
    shared::Shared,
    thread::{Accept, DataThread},
};

/// How long to wait when the process has no file left for a connection.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// A data thread, as the acceptor sees it.
pub(crate) struct Seat {
    pub(crate) thread: Addr<DataThread>,
    pub(crate) links: Arc<AtomicUsize>,
}

/// Accepts until `draining` turns true; the socket is gone when this returns.
pub(crate) async fn run(
    listener: Listener,
    seats: Vec<Seat>,
    shared: Arc<Shared>,
    counters: Arc<Counters>,
    mut draining: watch::Receiver<bool>,
) {
    loop {
        let incoming = tokio::select! {
            _ = draining.wait_for(|draining| *draining) => return,
            incoming = listener.accept() => incoming,
        };
        match incoming {
            Ok(Incoming::Admitted(stream, peer)) => {
                let links: usize = seats.iter().map(|s| s.links.load(Ordering::Relaxed)).sum();
                if links >= shared.config.limits.max_links {
                    let cause = format!("the node holds {links} links, as many as it may");
                    refuse(stream, Code::TooManyLinks, cause, &counters);
                } else {
                    seat(stream, peer, &seats);
                }
            }
            Ok(Incoming::Refused(stream, refused)) => {
                tracing::warn!(%refused, "a connection was refused");
                refuse(stream, refused.code(), refused.to_string(), &counters);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                counters.refused(error.code());
                if error.is_retryable() {
                    tokio::time::sleep(EXHAUSTED_PAUSE).await;
                }
            }
        }
    }
}

fn seat(stream: UnixStream, peer: Peer, seats: &[Seat]) {
    let Some(seat) = seats.iter().min_by_key(|seat| seat.links.load(Ordering::Relaxed)) else { return };
    match stream.into_std() {
        Ok(stream) => {
            seat.links.fetch_add(1, Ordering::Relaxed);
            seat.thread.do_send(Accept { stream, peer });
        }
        Err(error) => tracing::warn!(%error, "an accepted connection can't be used"),
    }
}

fn refuse(stream: UnixStream, code: Code, cause: String, counters: &Counters) {
    counters.refused(code);
    let Link { outbound, handle, .. } = Link::unix(stream, None);
    actix_rt::spawn(async move { turn_away(outbound, &handle, code, cause).await });
}
