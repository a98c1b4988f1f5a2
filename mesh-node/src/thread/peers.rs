//! The peers' endpoint: on the first data thread, where the replicated groups are.

use std::rc::Rc;

use actix::{Handler, Message};

use super::DataThread;
use crate::{
    durable::DurablePeers,
    node::Error,
    peer::{self, FrameHandler, NoFrames, Peers},
};

/// Take part in the cluster, if the configuration says so.
#[derive(Message)]
#[rtype(result = "Result<Option<Peers>, Error>")]
pub(crate) struct OpenPeers;

impl Handler<OpenPeers> for DataThread {
    type Result = Result<Option<Peers>, Error>;

    fn handle(&mut self, _: OpenPeers, _: &mut Self::Context) -> Self::Result {
        let handler: Rc<dyn FrameHandler> = match self.thread.plane.get() {
            Some(plane) => Rc::new(DurablePeers(Rc::clone(plane))),
            None => Rc::new(NoFrames),
        };
        peer::open(&self.thread.shared, handler)
    }
}
