//! From a link to the durable plane: one call for everything of one read.
//!
//! ```text
//!   frames of one read ─► Gathering ─► same thread as the plane: a call
//!                                   └► another thread: one mailbox message
//! ```

use std::rc::Rc;

use actix::{Addr, Message};
use bytes::BytesMut;
use mesh_core::{large::Large, routing::LinkId};
use mesh_wire::{
    code::Code,
    frame::{Frame, HEADER_BYTES},
};

use super::Outlet;
use crate::{
    link::Link,
    subscriber::{Subscriber, message::Refuse},
    thread::Thread,
};

/// What a client asks of the plane.
#[derive(Debug)]
pub(crate) enum Item {
    /// Whole frames, back to back.
    Frames(BytesMut),
    /// One that came in chunks.
    Large(Large),
}

/// What one read brought, in its order.
#[derive(Debug, Default)]
pub(crate) struct Gathering {
    frames: BytesMut,
    items: Vec<Item>,
}

impl Gathering {
    /// Adds the bytes of a frame.
    pub(crate) fn frame(&mut self, whole: &[u8]) {
        self.frames.extend_from_slice(whole);
    }

    /// Adds one that came in chunks.
    pub(crate) fn large(&mut self, large: Large) {
        self.seal();
        self.items.push(Item::Large(large));
    }

    /// All that was added, if anything was.
    pub(crate) fn take(&mut self) -> Option<Vec<Item>> {
        self.seal();
        (!self.items.is_empty()).then(|| std::mem::take(&mut self.items))
    }

    fn seal(&mut self) {
        if self.frames.len() >= HEADER_BYTES {
            self.items.push(Item::Frames(std::mem::take(&mut self.frames)));
        }
    }
}

/// What a link of another thread asks.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Ask {
    pub(crate) link: LinkId,
    pub(crate) subscriber: Addr<Subscriber>,
    pub(crate) items: Vec<Item>,
}

/// Brings what a link asks to the plane. A full mailbox makes the reader wait, never lose.
pub(crate) async fn hand_over(
    items: Vec<Item>,
    link: &Rc<Link>,
    thread: &Thread,
    subscriber: &Addr<Subscriber>,
) {
    if let Some(plane) = thread.plane.get() {
        plane.borrow_mut().handle_link(link.id, || Outlet::Here(Rc::clone(link)), items);
        return;
    }
    let Some(durable) = thread.shared.durable() else { return refuse(&items, subscriber) };
    let ask = Ask { link: link.id, subscriber: subscriber.clone(), items };
    if let Err(actix::dev::SendError::Full(ask)) = durable.try_send(ask) {
        // Closed: the node is on its way down.
        durable.send(ask).await.ok();
    }
}

/// There is no plane to ask.
fn refuse(items: &[Item], subscriber: &Addr<Subscriber>) {
    for item in items {
        match item {
            Item::Frames(frames) => {
                let mut rest: &[u8] = frames;
                while let Ok(Some(frame)) = Frame::decode(rest) {
                    rest = &rest[frame.len()..];
                    subscriber.do_send(disabled(frame.kind() as u8, frame.id()));
                }
            }
            Item::Large(large) => subscriber.do_send(disabled(large.kind as u8, large.id)),
        }
    }
}

fn disabled(about: u8, id: u64) -> Refuse {
    let code = Code::DurableDisabled;
    Refuse { about, id, code, cause: code.cause().to_owned() }
}

/// A link of another thread is over.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Gone(pub(crate) LinkId);

/// Tells the plane that a link is over, if it may know of it.
pub(crate) fn forget(link: LinkId, thread: &Thread) {
    match (thread.plane.get(), thread.shared.durable()) {
        (Some(plane), _) => plane.borrow_mut().handle_gone(link),
        (None, Some(durable)) => durable.do_send(Gone(link)),
        (None, None) => {}
    }
}
