//! Writes a link's outboxes: all that waits at once, as soon as the input has run dry, never by a timer.

use std::{future::poll_fn, rc::Rc, task::Poll, time::Duration};

use actix::Addr;
use mesh_transport::link::Outbound;
use tokio::time::timeout;

use super::{Closing, LargeKey, Link};
use crate::{
    metrics::Counter,
    subscriber::{
        Subscriber,
        message::{LargeSent, LinkClosed, RoomAgain},
    },
    thread::Thread,
};

/// How long a closing link may take to write what is queued.
const FLUSH_TIME: Duration = Duration::from_secs(2);

/// Runs until the link closes.
pub(super) async fn run(
    mut outbound: Outbound,
    link: Rc<Link>,
    thread: Rc<Thread>,
    subscriber: Addr<Subscriber>,
) {
    loop {
        match link.closing.get() {
            Some(Closing::Now) => break,
            Some(Closing::AfterFlush) => {
                timeout(FLUSH_TIME, flush(&mut outbound, &link, &thread)).await.ok();
                break;
            }
            None if link.outbox.borrow().is_empty() => link.wake.notified().await,
            None => {
                let written = tokio::select! {
                    biased;
                    written = write_once(&mut outbound, &link) => written,
                    () = aborted(&link) => break,
                };
                match written {
                    Ok(bytes) => after_write(bytes, &link, &thread, &subscriber),
                    Err(_) => {
                        subscriber.do_send(LinkClosed);
                        break;
                    }
                }
            }
        }
    }
    match &*link.reason.borrow() {
        Some((code, cause)) => link.handle.close(*code, cause),
        None => link.handle.leave(),
    }
    link.abort();
}

/// Completes when the link is to close at once; a wake for more output only ends the wait early.
async fn aborted(link: &Link) {
    while link.closing.get().is_none() {
        link.wake.notified().await;
    }
    if link.closing.get() == Some(Closing::AfterFlush) {
        // The write under way is part of the flush, which is bounded in time as a whole.
        tokio::time::sleep(FLUSH_TIME).await;
    }
}

/// Writes what is left, and sees to it that the other side has it.
async fn flush(outbound: &mut Outbound, link: &Link, thread: &Thread) {
    while !link.outbox.borrow().is_empty() {
        match write_once(outbound, link).await {
            Ok(bytes) => thread.count(Counter::OutBytes, bytes as u64),
            Err(_) => return,
        }
    }
    // A link that is gone by then has nobody to tell.
    outbound.finish().await.ok();
}

/// One write to each lane that takes some, the first class first.
async fn write_once(outbound: &mut Outbound, link: &Link) -> std::io::Result<usize> {
    poll_fn(|cx| {
        let mut lanes = link.outbox.borrow_mut();
        let (mut total, mut blocked) = (0, false);
        for (class, outbox) in lanes.iter_mut() {
            let waiting = outbox.poll_write();
            if waiting.is_empty() {
                continue;
            }
            match outbound.poll_write(outbound.lane_of(class), cx, waiting) {
                Poll::Ready(written) => {
                    let written = written?;
                    outbox.handle_written(written);
                    total += written;
                }
                Poll::Pending => blocked = true,
            }
        }
        if total == 0 && blocked { Poll::Pending } else { Poll::Ready(Ok(total)) }
    })
    .await
}

fn after_write(bytes: usize, link: &Link, thread: &Thread, subscriber: &Addr<Subscriber>) {
    thread.count(Counter::OutBytes, bytes as u64);
    link.traffic.out_bytes.set(link.traffic.out_bytes.get() + bytes as u64);
    link.written.set(link.written.get() + bytes);
    loop {
        let sent = link.outbox.borrow_mut().poll_sent();
        match sent {
            Some(LargeKey::Subscription(id)) => subscriber.do_send(LargeSent(id)),
            Some(LargeKey::Call | LargeKey::Reply) => {}
            None => break,
        }
    }
    if link.wants_room.take() {
        subscriber.do_send(RoomAgain);
    }
    link.tell_gauge();
}
