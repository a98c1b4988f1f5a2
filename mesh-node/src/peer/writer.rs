//! Writes what is queued for a peer, each class to its lane.

use std::{collections::VecDeque, future::poll_fn, io, pin::Pin, task::Poll};

use bytes::{Buf, Bytes};
use mesh_transport::link::Outbound;
use mesh_wire::class::Class;
use tokio::sync::oneshot;

use super::frames::Queues;

/// Most batches that are taken for one write.
const AT_ONCE: usize = 64;

/// Writes until told to finish, then all that is queued by then and the end of every lane; completes when the peer has
/// it.
pub(super) async fn run(
    mut outbound: Outbound,
    mut queues: Queues,
    mut finish: oneshot::Receiver<()>,
) -> io::Result<()> {
    let mut waiting: [VecDeque<Bytes>; Class::COUNT] = Default::default();
    let mut is_finishing = false;
    poll_fn(|cx| {
        if !is_finishing && Pin::new(&mut finish).poll(cx).is_ready() {
            is_finishing = true;
            queues.iter_mut().for_each(|queue| queue.close());
        }
        let mut is_done = true;
        for class in Class::ALL {
            let (queue, waiting) = (&mut queues[class.index()], &mut waiting[class.index()]);
            let lane = outbound.lane_of(class);
            loop {
                while waiting.len() < AT_ONCE {
                    match queue.poll_recv(cx) {
                        Poll::Ready(Some(frames)) => waiting.push_back(frames),
                        Poll::Ready(None) => break,
                        Poll::Pending => {
                            is_done = false;
                            break;
                        }
                    }
                }
                if waiting.is_empty() {
                    break;
                }
                // A lane that has no room keeps no other one waiting.
                match outbound.poll_write(lane, cx, waiting.make_contiguous()) {
                    Poll::Ready(written) => advance(waiting, written?),
                    Poll::Pending => {
                        is_done = false;
                        break;
                    }
                }
            }
        }
        if is_finishing && is_done { Poll::Ready(Ok::<(), io::Error>(())) } else { Poll::Pending }
    })
    .await?;
    outbound.finish().await
}

/// Takes what was written from the front.
fn advance(waiting: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(first) = waiting.front_mut() {
        let here = first.len().min(written);
        first.advance(here);
        written -= here;
        if !first.is_empty() {
            break;
        }
        waiting.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_taken_from_the_front() {
        let full = || VecDeque::from([Bytes::from_static(b"abc"), Bytes::new(), Bytes::from_static(b"de")]);
        for (written, left) in [(0, "abcde"), (2, "cde"), (3, "de"), (4, "e"), (5, "")] {
            let mut waiting = full();
            advance(&mut waiting, written);
            assert_eq!(waiting.iter().flatten().copied().collect::<Vec<u8>>(), left.as_bytes(), "{written}");
            assert!(waiting.iter().skip(1).all(|rest| written < 3 || !rest.is_empty()));
        }
    }
}
