//! What came of a handshake over a network.

use std::{
    rc::Rc,
    sync::{Arc, atomic::AtomicUsize},
};

use actix::{Handler, Message};
use mesh_transport::{handshake::HandshakeError, link::Link, tls};
use mesh_wire::code::Code;

use super::{DataThread, Thread};
use crate::link;

/// Runs the link if there is one and there is a place for it.
pub(super) async fn admit(
    finished: Result<Link, HandshakeError>,
    thread: Rc<Thread>,
    links: &Arc<AtomicUsize>,
) {
    let carrier = match finished {
        Ok(carrier) => carrier,
        Err(error) => return thread.turned_away(Some(error.remote), error.code, &error.cause),
    };
    match thread.shared.places.take(links) {
        Ok(place) => {
            link::run(carrier, thread).await;
            drop(place);
        }
        Err(full) => {
            let (code, cause) = (Code::TooManyLinks, full.to_string());
            thread.turned_away(carrier.handle.remote(), code, &cause);
            link::turn_away(carrier.outbound, &carrier.handle, code, cause).await;
        }
    }
}

/// A TCP connection, whose handshake is still to be done.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct AcceptTls(pub(crate) tls::Incoming);

impl Handler<AcceptTls> for DataThread {
    type Result = ();

    fn handle(&mut self, AcceptTls(incoming): AcceptTls, _: &mut Self::Context) {
        let (thread, links) = (Rc::clone(&self.thread), Arc::clone(&self.links));
        actix_rt::spawn(async move { admit(incoming.finish().await, thread, &links).await });
    }
}
