//! Writes a link's outbox: all that waits at once, as soon as the input has run dry, never by a timer.

use std::{future::poll_fn, io::IoSlice, pin::Pin, rc::Rc, time::Duration};

use actix::Addr;
use tokio::{io::AsyncWrite, net::unix::OwnedWriteHalf, time::timeout};

use super::{Closing, LargeKey, Link};
use crate::{
    metrics::Counter,
    subscriber::{
        Subscriber,
        message::{LargeSent, LinkClosed, RoomAgain},
    },
    thread::Thread,
};

/// Slices per write.
const SLICES: usize = 64;
/// How long a closing link may take to write what is queued.
const FLUSH_TIME: Duration = Duration::from_secs(2);

/// Runs until the link closes.
pub(super) async fn run(
    mut half: OwnedWriteHalf,
    link: Rc<Link>,
    thread: Rc<Thread>,
    subscriber: Addr<Subscriber>,
) {
    loop {
        match link.closing.get() {
            Some(Closing::Now) => break,
            Some(Closing::AfterFlush) => {
                timeout(FLUSH_TIME, flush(&mut half, &link, &thread)).await.ok();
                break;
            }
            None if link.outbox.borrow().is_empty() => link.wake.notified().await,
            None => {
                let written = tokio::select! {
                    biased;
                    written = write_once(&mut half, &link) => written,
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

async fn flush(half: &mut OwnedWriteHalf, link: &Link, thread: &Thread) {
    while !link.outbox.borrow().is_empty() {
        match write_once(half, link).await {
            Ok(bytes) => thread.count(Counter::OutBytes, bytes as u64),
            Err(_) => return,
        }
    }
}

async fn write_once(half: &mut OwnedWriteHalf, link: &Link) -> std::io::Result<usize> {
    let written = poll_fn(|cx| {
        let mut outbox = link.outbox.borrow_mut();
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = outbox.poll_write(&mut slices);
        if count == 0 {
            return std::task::Poll::Ready(Ok(0));
        }
        Pin::new(&mut *half).poll_write_vectored(cx, &slices[..count])
    })
    .await?;
    link.outbox.borrow_mut().handle_written(written);
    Ok(written)
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
