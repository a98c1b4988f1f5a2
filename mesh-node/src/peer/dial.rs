//! Dials a peer.

use std::{rc::Rc, sync::Arc};

use actix::Addr;
use mesh_core::peering::LinkNumber;
use mesh_identity::{peer::PeerCertificate, verify::Expect};
use mesh_transport::{
    connect::{self, ConnectOptions},
    endpoint::{Authority, Endpoint},
    link::{LaneReader, Link},
};
use mesh_wire::{class::Class, code::Code, frame::Kind, name::Name};
use tokio::{sync::oneshot, time::timeout};

use super::{
    DIAL_TIME, Fault, Surroundings,
    book::{Book, Failed, From, Greeted, Order},
    frames,
    greet::{self, certified},
    handshake::{self, Opening},
    lane::Lane,
    link::{self, Parts},
};

/// What is to be dialled.
pub(super) struct Dial {
    pub(super) link: LinkNumber,
    pub(super) authority: Authority,
    pub(super) address: Arc<str>,
    /// Completes when the link is to be closed.
    pub(super) order: oneshot::Receiver<Order>,
}

/// A link that answered.
struct Answered {
    link: Link,
    read: LaneReader,
    opening: Opening,
    certificate: Arc<PeerCertificate>,
}

/// One link that this node dials, to its end.
pub(super) async fn run(dial: Dial, surroundings: Rc<Surroundings>, book: Addr<Book>) {
    let Dial { link: number, authority, address, mut order } = dial;
    let mut node = None;
    let opening = open(number, authority, &surroundings, &mut node);
    let answered = tokio::select! {
        answered = timeout(DIAL_TIME, opening) => answered.unwrap_or_else(|_| {
            Err(Fault::new(Code::ConnectTimeout, format!("no answer within {DIAL_TIME:?}")))
        }),
        // Whatever was opened is closed by being dropped.
        _ = &mut order => Err(Fault::new(Code::NodeStopped, "the node stops")),
    };
    let Answered { link, read, opening, certificate } = match answered {
        Ok(answered) => answered,
        Err(Fault { code, cause, .. }) => return book.do_send(Failed { link: number, code, cause, node }),
    };
    let Link { inbound, outbound, handle } = link;
    let (sender, queues) = frames::queues();
    let facts = greet::facts(&opening, &certificate, &handle, Some(address));
    let greeting = match opening.greeting(certificate.id().name()) {
        Ok(greeting) => greeting,
        Err(fault) => {
            handle.close(fault.code, &fault.cause);
            let Fault { code, cause, .. } = fault;
            return book.do_send(Failed { link: number, code, cause, node });
        }
    };
    let greeted = Greeted { from: From::Dial(number), greeting, facts, sender: sender.clone() };
    let admitted = match book.send(greeted).await {
        Ok(Ok(admitted)) => admitted,
        Ok(Err(fault)) => return handle.close(fault.code, &fault.cause),
        Err(_) => return handle.close(Code::NodeStopped, "the node stops"),
    };
    let control = Lane::new(read, opening.rest);
    let parts = Parts { inbound, outbound, handle, control, queues, sender, certificate };
    link::run(parts, admitted, order, opening.features, surroundings, book).await;
}

/// Connects and greets. `node` becomes who answered, as soon as that is known.
async fn open(
    number: LinkNumber,
    authority: Authority,
    surroundings: &Surroundings,
    node: &mut Option<Name>,
) -> Result<Answered, Fault> {
    let mut options = ConnectOptions::new(surroundings.store.clone());
    options.expect = Expect::Node { cluster: surroundings.identity.own.cluster.clone() };
    options.timeout = DIAL_TIME;
    let link = connect::open(&Endpoint::Quic(authority), &options).await;
    let link = link.map_err(|error| Fault::new(error.code(), error.to_string()))?;
    let handle = link.handle.clone();
    let greeted = greet(number, link, surroundings, node).await;
    greeted.inspect_err(|fault| {
        if !fault.is_theirs {
            handle.close(fault.code, &fault.cause);
        }
    })
}

async fn greet(
    number: LinkNumber,
    mut link: Link,
    surroundings: &Surroundings,
    node: &mut Option<Name>,
) -> Result<Answered, Fault> {
    let certificate = certified(&link.handle)?;
    *node = Some(certificate.id().name().clone());
    let hello = handshake::hello(&surroundings.identity, number)?;
    link.outbound.write_all(Class::Control, hello).await.map_err(|error| Fault::of(&error))?;
    let mut read = link.inbound.accept().await.map_err(|error| Fault::of(&error))?.reader;
    let opening = handshake::read_opening(&mut read, Kind::PeerWelcome).await?;
    Ok(Answered { link, read, opening, certificate })
}
