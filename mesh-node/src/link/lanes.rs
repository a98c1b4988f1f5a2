//! Reads every lane of a link, each by a reader of its own, and sees when all of them are over.
//!
//! Lanes are in no order with each other, so a goodbye on one of them may come before what was sent earlier on another:
//! the rest is read until the other side, which waits for that, has closed the link. That is bounded in time.

use std::{io, rc::Rc, time::Duration};

use actix::Addr;
use bytes::BytesMut;
use mesh_transport::link::{Closed, Inbound, Lane, LaneReader};
use mesh_wire::class::Class;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    Link,
    reader::{End, Reader},
};
use crate::{
    metrics::Counter,
    subscriber::{Subscriber, message::Finish},
    thread::Thread,
};

/// How long the other lanes are read when one says that the link is over.
const REST_TIME: Duration = Duration::from_secs(2);

/// Reads until the link is over, whichever way.
pub(super) async fn read(
    inbound: Inbound,
    mut first: LaneReader,
    rest: BytesMut,
    link: &Rc<Link>,
    thread: &Rc<Thread>,
    subscriber: &Addr<Subscriber>,
) {
    let reader = || Reader::new(Rc::clone(link), Rc::clone(thread), subscriber.clone());
    if link.outbox.borrow().is_shared() {
        if let End::Lost(error) = reader().run(&mut first, rest).await {
            note_lost(&error, link, thread);
        }
        return;
    }
    let mut lanes = Lanes { open: JoinSet::new(), reader };
    lanes.open(Lane { class: Class::Control, reader: first }, rest);
    lanes.run(inbound, link, thread, subscriber).await;
}

/// The lanes that are being read.
struct Lanes<F> {
    open: JoinSet<(Class, End)>,
    reader: F,
}

impl<F: Fn() -> Reader> Lanes<F> {
    fn open(&mut self, Lane { class, reader: mut lane }: Lane, rest: BytesMut) {
        let mut reader = (self.reader)();
        self.open.spawn_local(async move { (class, reader.run(&mut lane, rest).await) });
    }

    async fn run(
        &mut self,
        mut inbound: Inbound,
        link: &Link,
        thread: &Thread,
        subscriber: &Addr<Subscriber>,
    ) {
        let (mut accepting, mut said_goodbye, mut lost) = (true, false, None);
        let mut until: Option<Instant> = None;
        while accepting || !self.open.is_empty() {
            let over = tokio::select! {
                lane = inbound.accept(), if accepting => match lane {
                    Ok(lane) => {
                        self.open(lane, BytesMut::new());
                        false
                    }
                    Err(error) => {
                        lost.get_or_insert(error);
                        accepting = false;
                        true
                    }
                },
                Some(ended) = self.open.join_next() => match ended {
                    Ok((_, End::Fault)) => return,
                    Ok((class, End::Finished)) => class == Class::Control,
                    Ok((_, End::Lost(error))) => {
                        lost.get_or_insert(error);
                        true
                    }
                    Err(_) => {
                        thread.count(Counter::InternalErrors, 1);
                        true
                    }
                },
                () = link.goodbye.notified() => {
                    said_goodbye = true;
                    true
                }
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => break,
            };
            if over && until.is_none() {
                until = Some(Instant::now() + REST_TIME);
            }
        }
        if let Some(error) = lost {
            note_lost(&error, link, thread);
        }
        if said_goodbye {
            // Behind everything that was read, and so the last that the actor is told.
            subscriber.do_send(Finish { code: None });
        }
    }
}

/// Counts and logs the end of a link that has a code; the carrier has told the other side.
fn note_lost(error: &io::Error, link: &Link, thread: &Thread) {
    // What this side closes was counted when it decided to.
    if link.is_blamed() {
        return;
    }
    if let Some(Closed { code: Some(code), cause }) = Closed::of(error) {
        thread.refused(*code);
        let (id, identity) = (link.id.0, &link.identity.text);
        tracing::info!(link = id, name = %link.name, identity, %code, cause, "link lost");
    }
}
