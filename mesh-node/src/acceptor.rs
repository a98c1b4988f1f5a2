//! Takes connections from the socket and gives each to the data thread with the fewest links.

use std::time::Duration;

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
    seats::{Place, Seat, emptiest},
    shared::Shared,
    thread::Accept,
};

/// How long to wait when the process has no file left for a connection.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// Accepts until `draining` turns true; the socket is gone when this returns.
pub(crate) async fn run(
    listener: Listener,
    seats: &[Seat],
    shared: &Shared,
    counters: &Counters,
    mut draining: watch::Receiver<bool>,
) {
    loop {
        let incoming = tokio::select! {
            _ = draining.wait_for(|draining| *draining) => return,
            incoming = listener.accept() => incoming,
        };
        match incoming {
            Ok(Incoming::Admitted(stream, peer)) => {
                let Some(seat) = emptiest(seats) else { return };
                match shared.places.take(&seat.links) {
                    Ok(place) => hand_over(stream, peer, seat, place),
                    Err(full) => refuse(stream, Code::TooManyLinks, full.to_string(), counters),
                }
            }
            Ok(Incoming::Refused(stream, refused)) => {
                tracing::warn!(%refused, "a connection was refused");
                refuse(stream, refused.code(), refused.to_string(), counters);
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

fn hand_over(stream: UnixStream, peer: Peer, seat: &Seat, place: Place) {
    match stream.into_std() {
        Ok(stream) => seat.thread.do_send(Accept { stream, peer, place }),
        Err(error) => tracing::warn!(%error, "an accepted connection can't be used"),
    }
}

fn refuse(stream: UnixStream, code: Code, cause: String, counters: &Counters) {
    counters.refused(code);
    let Link { outbound, handle, .. } = Link::unix(stream, None);
    actix_rt::spawn(async move { turn_away(outbound, &handle, code, cause).await });
}
