//! What a subscriber actor is told.

use actix::Message;
use bytes::{Bytes, BytesMut};
use mesh_core::{
    large::Large,
    request::Origin,
    routing::{LinkId, SubscriptionId, Target},
    subscription::Batch,
};
use mesh_wire::code::Code;

use crate::switch::{CallSpan, ReplySpan};

/// Messages for its subscriptions.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Deliver(pub(crate) Batch);

/// One large message for a subscription.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct DeliverLarge {
    pub(crate) subscription: SubscriptionId,
    pub(crate) large: Large,
}

/// Requests that its responders were chosen for. The frames' ids are still to be filled in.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Calls {
    pub(crate) origin: LinkId,
    pub(crate) frames: BytesMut,
    pub(crate) calls: Vec<CallSpan>,
}

/// One large request.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct CallLarge {
    pub(crate) origin: Origin,
    pub(crate) subscription: SubscriptionId,
    pub(crate) credit: u32,
    pub(crate) large: Large,
}

/// Replies to its requests.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Replies {
    pub(crate) from: LinkId,
    pub(crate) load: u32,
    pub(crate) frames: BytesMut,
    pub(crate) replies: Vec<ReplySpan>,
}

/// One large reply.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct ReplyLarge {
    pub(crate) from: Target,
    pub(crate) load: u32,
    pub(crate) request: u64,
    pub(crate) more: bool,
    pub(crate) large: Large,
}

/// Requests of its that a responder will not answer.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct CallsEnded {
    pub(crate) ended: Vec<(u64, Target)>,
    pub(crate) code: Code,
}

/// A requester waits no more.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct CancelCall {
    pub(crate) origin: Origin,
    pub(crate) subscription: SubscriptionId,
}

/// A requester has room for more replies.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct GrantReplies {
    pub(crate) origin: Origin,
    pub(crate) subscription: SubscriptionId,
    pub(crate) more: u32,
}

/// Answers of the durable plane, of small frames and large.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Answers {
    pub(crate) frames: Bytes,
    pub(crate) large: Vec<Large>,
}

/// Whole frames from its client, other than publishes.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Ingress(pub(crate) Bytes);

/// A large request or reply from its client.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct IngressLarge(pub(crate) Large);

/// Its client did something that a code stands for; the link goes on.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Refuse {
    pub(crate) about: u8,
    pub(crate) id: u64,
    pub(crate) code: Code,
    pub(crate) cause: String,
}

/// The link can't go on: tell the client why, flush, close.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Fail {
    pub(crate) code: Code,
    pub(crate) cause: String,
}

/// The node is leaving: tell the client.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct AnnounceDrain;

/// Flush, say goodbye, close.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Finish {
    pub(crate) code: Option<Code>,
}

/// The link is closed, on whichever side.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct LinkClosed;

/// The outbox has room again.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct RoomAgain;

/// The last chunk of a large message is queued.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct LargeSent(pub(crate) SubscriptionId);

/// These subscriptions are in the routing table now (or out of it).
#[derive(Message, Default)]
#[rtype(result = "()")]
pub(crate) struct Effective {
    pub(crate) subscribed: Vec<SubscriptionId>,
    pub(crate) unsubscribed: Vec<SubscriptionId>,
}
