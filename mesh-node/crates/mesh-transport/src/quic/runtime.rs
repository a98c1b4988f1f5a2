//! What quinn runs on: Tokio, with fewer system calls per packet than quinn's own adapter makes.
//!
//! * A batch of datagrams that did not fill its buffers has emptied the socket, so the socket is not read once more only
//!   to hear that. Per packet of a lone request that is one of two reads.
//! * On a thread whose work is a `LocalSet` (an actix arbiter), quinn's tasks live in that set. A task outside of it that
//!   wakes one inside makes the runtime look for events once more before it goes on.

use std::future::Future;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use quinn::udp::{RecvMeta, Transmit, UdpSocketState};
use quinn::{AsyncTimer, AsyncUdpSocket, TokioRuntime, UdpPoller};
use tokio::io::Interest;

/// Where the tasks of an endpoint and of its connections live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tasks {
    /// In the runtime that is current when they begin.
    Runtime,
    /// In the `LocalSet` that is current when they begin; there has to be one.
    LocalSet,
}

/// Tokio for quinn.
#[derive(Debug)]
pub(super) struct Runtime(pub(super) Tasks);

impl quinn::Runtime for Runtime {
    fn new_timer(&self, due: Instant) -> Pin<Box<dyn AsyncTimer>> {
        TokioRuntime.new_timer(due)
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        match self.0 {
            Tasks::Runtime => drop(tokio::spawn(task)),
            Tasks::LocalSet => drop(tokio::task::spawn_local(task)),
        }
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let state = UdpSocketState::new((&socket).into())?;
        Ok(Arc::new(Socket { state, io: tokio::net::UdpSocket::from_std(socket)? }))
    }
}

#[derive(Debug)]
struct Socket {
    io: tokio::net::UdpSocket,
    state: UdpSocketState,
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Writable { socket: self, waiting: None })
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.io.try_io(Interest::WRITABLE, || self.state.send((&self.io).into(), transmit))
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.io.poll_recv_ready(cx))?;
            let mut received = None;
            let attempt = self.io.try_io(Interest::READABLE, || {
                let count = self.state.recv((&self.io).into(), bufs, meta)?;
                received = Some(count);
                // Said within the attempt, so that a datagram that comes after it makes the socket ready again.
                if count < bufs.len() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            if let Some(count) = received {
                return Poll::Ready(Ok(count));
            }
            // An error is about a datagram that was sent, and none of the receiver's business.
            drop(attempt);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }

    fn max_transmit_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.state.gro_segments()
    }
}

type Waiting = Pin<Box<dyn Future<Output = io::Result<()>> + Send + Sync>>;

/// One connection's wait for room in the socket; many may wait at once.
struct Writable {
    socket: Arc<Socket>,
    waiting: Option<Waiting>,
}

impl UdpPoller for Writable {
    fn poll_writable(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let socket = Arc::clone(&self.socket);
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(async move { socket.io.writable().await }));
        let room = ready!(waiting.as_mut().poll(cx));
        self.waiting = None;
        Poll::Ready(room)
    }
}

impl std::fmt::Debug for Writable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writable").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use quinn::Runtime as _;
    use quinn::udp::BATCH_SIZE;

    use super::*;

    fn socket() -> (Arc<dyn AsyncUdpSocket>, UdpSocket, SocketAddr) {
        let bind = || UdpSocket::bind("127.0.0.1:0").unwrap();
        let (ours, theirs) = (bind(), bind());
        ours.set_nonblocking(true).unwrap();
        let address = ours.local_addr().unwrap();
        (Runtime(Tasks::Runtime).wrap_udp_socket(ours).unwrap(), theirs, address)
    }

    /// Receives until there is nothing more; how many datagrams, and how many reads gave some.
    async fn receive(socket: &Arc<dyn AsyncUdpSocket>, count: usize) -> usize {
        let mut got = 0;
        while got < count {
            let mut storage = vec![[0u8; 2048]; BATCH_SIZE];
            let mut bufs: Vec<IoSliceMut<'_>> = storage.iter_mut().map(|buf| IoSliceMut::new(buf)).collect();
            let mut meta = [RecvMeta::default(); BATCH_SIZE];
            let read = poll_fn(|cx| socket.poll_recv(cx, &mut bufs, &mut meta)).await.unwrap();
            got += meta[..read].iter().map(|meta| meta.len.div_ceil(meta.stride.max(1))).sum::<usize>();
        }
        got
    }

    #[tokio::test]
    async fn nothing_is_missed_around_a_batch_that_empties_the_socket() {
        let (socket, theirs, address) = socket();
        for round in [1, 2, BATCH_SIZE - 1, BATCH_SIZE, BATCH_SIZE + 1, 3 * BATCH_SIZE] {
            for _ in 0..round {
                theirs.send_to(b"datagram", address).unwrap();
            }
            assert_eq!(receive(&socket, round).await, round);
            // The next one comes when the socket was found empty, or full to the brim of a batch.
            theirs.send_to(b"one more", address).unwrap();
            assert_eq!(receive(&socket, 1).await, 1, "behind {round}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn nothing_is_missed_while_another_thread_sends() {
        let (socket, theirs, address) = socket();
        for _ in 0..2_000 {
            let theirs = theirs.try_clone().unwrap();
            let sent = tokio::task::spawn_blocking(move || theirs.send_to(b"datagram", address));
            // Never comes to an end if the socket is taken for empty when it is not.
            assert_eq!(receive(&socket, 1).await, 1);
            sent.await.unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn room_is_waited_for_by_each_on_its_own() {
        let (socket, _theirs, _) = socket();
        let mut pollers = [Arc::clone(&socket).create_io_poller(), socket.create_io_poller()];
        for poller in &mut pollers {
            poll_fn(|cx| poller.as_mut().poll_writable(cx)).await.unwrap();
        }
    }
}
