//! Where the frames of peers are handed over.
//!
//! ```text
//!   lane of a class ─► whole frames of one read, back to back ─► PeerFrames ─► FrameHandler
//!   Sender ─► queue of a class ─► lane of that class
//! ```
//! What belongs to the link itself (`PING`, `PONG`, `GOODBYE`, `DRAINING`, `ERROR`) is not handed over.

use std::{future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use mesh_core::peering::LinkNumber;
use mesh_wire::{class::Class, code::Code, frame::Frame, name::Name};
use tokio::sync::mpsc;

use super::Fault;

/// Most batches that wait to be taken by one lane.
const BATCHES: usize = 64;

/// Whole frames of a peer, in the order in which they came on one lane. Never empty; frames of different lanes are in
/// no order with each other.
#[derive(Debug, Clone)]
pub(crate) struct PeerFrames {
    /// The peer.
    pub(crate) node: Arc<Name>,
    /// The link that they came on. A later link with the same node has a higher number.
    pub(crate) link: LinkNumber,
    /// The lane that they came on.
    pub(crate) class: Class,
    /// The frames, back to back.
    pub(crate) frames: Bytes,
}

/// A link with a peer that is there now. It takes the place of an earlier one with the same node.
#[derive(Debug, Clone)]
#[expect(dead_code, reason = "who it is in the cluster, it says itself")]
pub(crate) struct PeerUp {
    /// The peer.
    pub(crate) node: Arc<Name>,
    /// The link.
    pub(crate) link: LinkNumber,
    /// The start time of the peer: another one means that it has forgotten everything.
    pub(crate) incarnation: u64,
    /// Sends to it.
    pub(crate) sender: Sender,
}

/// What takes the frames of all peers; called on the first data thread.
pub(crate) trait FrameHandler {
    /// There is a link now. Nothing was handed over of it before.
    fn up(&self, peer: PeerUp);

    /// Takes a batch. The lane is not read any further until that is done, so that a peer which sends more than can be
    /// taken is held back by the lane's window and nobody else is. A refusal closes the link.
    fn handle(&self, frames: PeerFrames) -> Pin<Box<dyn Future<Output = Result<(), Fault>>>>;

    /// The link is over: nothing is handed over of it any more. A later one may be up already. `code`: why the peer closed
    /// it, if that was the peer.
    fn down(&self, node: &Name, link: LinkNumber, code: Option<Code>);
}

/// Takes nothing: for as long as peers have nothing to send but what belongs to the link.
#[derive(Debug, Default)]
pub(crate) struct NoFrames;

impl FrameHandler for NoFrames {
    fn up(&self, _: PeerUp) {}

    fn handle(&self, frames: PeerFrames) -> Pin<Box<dyn Future<Output = Result<(), Fault>>>> {
        let kind = Frame::decode(&frames.frames).ok().flatten().map(|frame| frame.kind());
        let cause = format!("a frame of kind {kind:?} on the lane {}", frames.class.as_str());
        Box::pin(std::future::ready(Err(Fault::new(Code::UnexpectedKind, cause))))
    }

    fn down(&self, _: &Name, _: LinkNumber, _: Option<Code>) {}
}

/// Sends to one peer, from any thread. A clone sends on the same link; it is of no use once that is over.
#[derive(Debug, Clone)]
pub(crate) struct Sender([mpsc::Sender<Bytes>; Class::COUNT]);

/// The queues of a link, by class.
pub(crate) type Queues = [mpsc::Receiver<Bytes>; Class::COUNT];

/// The two ends of a link's queues.
pub(crate) fn queues() -> (Sender, Queues) {
    let [a, b, c, d, e, f] = Class::ALL.map(|_| mpsc::channel(BATCHES));
    (Sender([a.0, b.0, c.0, d.0, e.0, f.0]), [a.1, b.1, c.1, d.1, e.1, f.1])
}

impl Sender {
    /// Queues whole frames, back to back, for the lane of `class`; waits while as many batches are queued as may be.
    /// False when the link is over.
    ///
    /// # Cancel safety
    /// Safe: what was not queued is not sent.
    pub(crate) async fn send(&self, class: Class, frames: Bytes) -> bool {
        self.0[class.index()].send(frames).await.is_ok()
    }

    /// As [`Sender::send`], without waiting: gives the frames back when there is no room, or no link any more.
    pub(crate) fn try_send(&self, class: Class, frames: Bytes) -> Result<(), Bytes> {
        self.0[class.index()].try_send(frames).map_err(|error| match error {
            mpsc::error::TrySendError::Full(frames) | mpsc::error::TrySendError::Closed(frames) => frames,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_queue_holds_so_many_batches_and_not_one_more() {
        let (sender, mut queues) = queues();
        let batch = || Bytes::from_static(b"x");
        for _ in 0..BATCHES {
            assert!(sender.try_send(Class::Bulk, batch()).is_ok());
        }
        assert_eq!(sender.try_send(Class::Bulk, batch()), Err(batch()));
        // Each class has its own.
        assert!(sender.send(Class::Control, batch()).await);
        assert_eq!(queues[Class::Bulk.index()].recv().await, Some(batch()));
        assert!(sender.try_send(Class::Bulk, batch()).is_ok());
        drop(queues);
        assert_eq!(sender.try_send(Class::Raft, batch()), Err(batch()));
        assert!(!sender.send(Class::Raft, batch()).await);
    }
}
