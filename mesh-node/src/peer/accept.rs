//! Takes the links that peers open.

use std::{net::SocketAddr, rc::Rc, sync::Arc};

use actix::Addr;
use mesh_transport::{
    link::Link,
    quic::{Incoming, Listener},
};
use mesh_wire::{class::Class, code::Code, frame::Kind};
use tokio::{
    sync::{Semaphore, oneshot},
    time::timeout,
};

use super::{
    Fault, Surroundings,
    book::{Book, From, Greeted, Refused},
    frames,
    greet::{self, certified},
    handshake,
    lane::Lane,
    link::{self, Parts},
};

/// Accepts until the listener is closed.
pub(super) async fn run(listener: Rc<Listener>, surroundings: Rc<Surroundings>, book: Addr<Book>) {
    let room = Arc::new(Semaphore::new(surroundings.greeting_max));
    while let Some(incoming) = listener.accept().await {
        actix_rt::spawn(take(incoming, Arc::clone(&room), Rc::clone(&surroundings), book.clone()));
    }
}

/// One link that a peer opened, from its first packet to its end.
async fn take(incoming: Incoming, room: Arc<Semaphore>, surroundings: Rc<Surroundings>, book: Addr<Book>) {
    let remote = incoming.remote();
    match incoming.finish().await {
        Ok(link) => greet(link, remote, room, surroundings, book).await,
        Err(error) => book.do_send(Refused { code: error.code, cause: error.cause, remote, node: None }),
    }
}

async fn greet(
    link: Link,
    remote: SocketAddr,
    room: Arc<Semaphore>,
    surroundings: Rc<Surroundings>,
    book: Addr<Book>,
) {
    let Link { mut inbound, outbound, handle } = link;
    let Ok(place) = room.try_acquire() else {
        let cause = format!("{} nodes are greeting already", surroundings.greeting_max);
        handle.close(Code::TooManyPeers, &cause);
        return book.do_send(Refused { code: Code::TooManyPeers, cause, remote, node: None });
    };
    let longest = surroundings.handshake_timeout;
    let greeting = async {
        let certificate = certified(&handle)?;
        let mut read = inbound.accept().await.map_err(|error| Fault::of(&error))?.reader;
        let opening = handshake::read_opening(&mut read, Kind::PeerHello).await?;
        let greeting = opening.greeting(certificate.id().name())?;
        let welcome = handshake::welcome(&surroundings.identity, &opening)?;
        Ok((read, opening, greeting, certificate, welcome))
    };
    let late = || Err(Fault::new(Code::HandshakeTimeout, format!("no greeting within {longest:?}")));
    let (read, opening, greeting, certificate, welcome) =
        match timeout(longest, greeting).await.unwrap_or_else(|_| late()) {
            Ok(greeted) => greeted,
            Err(fault) => {
                let node = certified(&handle).ok().map(|certificate| certificate.id().name().clone());
                let Fault { code, cause, .. } = fault.clone();
                book.do_send(Refused { code, cause, remote, node });
                return greet::turn_away(outbound, &handle, &fault).await;
            }
        };
    let (sender, queues) = frames::queues();
    let facts = greet::facts(&opening, &certificate, &handle, None);
    // In front of whatever the link's users send as soon as it is admitted. There is room: nothing else is queued yet.
    sender.try_send(Class::Control, welcome).unwrap_or_default();
    let (orders, order) = oneshot::channel();
    let greeted = Greeted { from: From::Peer(orders), greeting, facts, sender: sender.clone() };
    let admitted = match book.send(greeted).await {
        Ok(Ok(admitted)) => admitted,
        Ok(Err(fault)) => return greet::turn_away(outbound, &handle, &fault).await,
        Err(_) => return handle.close(Code::NodeStopped, "the node stops"),
    };
    drop(place);
    let control = Lane::new(read, opening.rest);
    let parts = Parts { inbound, outbound, handle, control, queues, sender, certificate };
    link::run(parts, admitted, order, opening.features, surroundings, book).await;
}
