//! The peers' endpoint: on the first data thread, where the replicated groups are.

use actix::{Handler, Message};

use super::DataThread;
use crate::{
    node::Error,
    peer::{self, NoFrames, Peers},
};

/// Take part in the cluster, if the configuration says so.
#[derive(Message)]
#[rtype(result = "Result<Option<Peers>, Error>")]
pub(crate) struct OpenPeers;

impl Handler<OpenPeers> for DataThread {
    type Result = Result<Option<Peers>, Error>;

    fn handle(&mut self, _: OpenPeers, _: &mut Self::Context) -> Self::Result {
        peer::open(&self.thread.shared, std::rc::Rc::new(NoFrames))
    }
}
