//! A data thread's own UDP socket: its links never leave the thread that the kernel brings their packets to.

use std::{
    io,
    rc::Rc,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use actix::{Handler, Message, ResponseFuture};
use mesh_transport::quic::{Incoming, Listener, ListenerOptions, TurnedAway};
use mesh_wire::code::Code;
use tokio::{sync::watch, time::timeout};

use super::{DataThread, Thread, network};
use crate::metrics::Counter;

/// How long the other sides may take to hear of the end of their links.
const END_TIME: Duration = Duration::from_millis(500);

/// Listen for clients on a network, until `draining`.
#[derive(Message)]
#[rtype(result = "io::Result<()>")]
pub(crate) struct ListenQuic {
    pub(crate) options: ListenerOptions,
    pub(crate) draining: watch::Receiver<bool>,
}

impl Handler<ListenQuic> for DataThread {
    type Result = io::Result<()>;

    fn handle(
        &mut self,
        ListenQuic { options, draining }: ListenQuic,
        _: &mut Self::Context,
    ) -> Self::Result {
        // One that was bound at a port which another thread did not get goes first.
        self.quic = None;
        let listener = Rc::new(Listener::bind(options)?);
        self.quic = Some(Rc::clone(&listener));
        actix_rt::spawn(accept(listener, Rc::clone(&self.thread), Arc::clone(&self.links), draining));
        Ok(())
    }
}

/// All links are over: see to it that the other sides hear of it.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct EndQuic;

impl Handler<EndQuic> for DataThread {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: EndQuic, _: &mut Self::Context) -> Self::Result {
        let listener = self.quic.take();
        Box::pin(async move {
            if let Some(listener) = listener {
                listener.close(Code::NodeStopped, "the node has stopped");
                // Who does not answer finds out by its own clock.
                timeout(END_TIME, listener.idle()).await.ok();
            }
        })
    }
}

impl DataThread {
    /// Counts those who were let into no handshake since this was called last.
    pub(super) fn count_turned_away(&mut self) {
        let Some(quic) = &self.quic else { return };
        let TurnedAway { retried, refused } = quic.turned_away();
        self.thread.count(Counter::HandshakesRetried, retried - self.turned_away.retried);
        self.thread.count(Counter::HandshakesRefused, refused - self.turned_away.refused);
        self.turned_away = TurnedAway { retried, refused };
    }
}

async fn accept(
    listener: Rc<Listener>,
    thread: Rc<Thread>,
    links: Arc<AtomicUsize>,
    mut draining: watch::Receiver<bool>,
) {
    loop {
        let incoming = tokio::select! {
            _ = draining.wait_for(|draining| *draining) => return listener.stop(),
            incoming = listener.accept() => incoming,
        };
        let Some(incoming) = incoming else { return };
        actix_rt::spawn(admit(incoming, Rc::clone(&thread), Arc::clone(&links)));
    }
}

async fn admit(incoming: Incoming, thread: Rc<Thread>, links: Arc<AtomicUsize>) {
    network::admit(incoming.finish().await, thread, &links).await;
}
