//! Moves bytes between sockets and the cores of both directions.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::net::UdpSocket;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use crate::clients::Clients;
use crate::{Direction, Path, Plan, Verdict, socket};

/// Most bytes of a datagram.
const DATAGRAM_BYTES: usize = 64 * 1024;
/// Datagrams that are handled before somebody else has a turn.
const BATCH: usize = 64;

/// Everything that a proxy's tasks share.
#[derive(Debug)]
pub(crate) struct Shell {
    started: Instant,
    target: SocketAddr,
    listen: UdpSocket,
    up: Way,
    down: Way,
    clients: Mutex<Clients<Upstream>>,
}

/// A direction, with what its tasks need beside the core.
#[derive(Debug)]
struct Way {
    core: Mutex<(Path, Buffer)>,
    /// Something waits that goes on earlier than what the releasing task knows of.
    earlier: Notify,
}

/// One for all sockets of a direction: thousands of them would take much memory.
type Buffer = Box<[u8]>;

/// A client's own socket towards the target.
#[derive(Debug)]
struct Upstream {
    socket: Arc<UdpSocket>,
    pump: AbortHandle,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

impl Way {
    fn new(path: Path) -> Self {
        let buffer = vec![0; DATAGRAM_BYTES].into_boxed_slice();
        Self { core: Mutex::new((path, buffer)), earlier: Notify::new() }
    }
}

impl Shell {
    /// Within a runtime: both directions at their start.
    pub(crate) fn new(target: SocketAddr, listen: UdpSocket, seed: u64, plan: &Plan) -> Self {
        Self {
            started: Instant::now(),
            target,
            listen,
            up: Way::new(Path::new(seed, Direction::Up, plan.up)),
            down: Way::new(Path::new(seed, Direction::Down, plan.down)),
            clients: Mutex::new(Clients::new(plan.clients_max)),
        }
    }

    /// Forwards until it is dropped.
    pub(crate) async fn run(self: Arc<Self>) {
        tokio::join!(
            self.pump_up(),
            self.release(&self.up, |client, datagram| self.send_up(client, datagram)),
            self.release(&self.down, |client, datagram| socket::send_to(&self.listen, datagram, client)),
        );
    }

    /// Does something with the core of a direction. What is sent is sent under its lock: once a command has returned, no
    /// datagram goes on that the command should have stopped.
    pub(crate) fn with<R>(&self, direction: Direction, act: impl FnOnce(&mut Path) -> R) -> R {
        let way = match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        };
        act(&mut way.core.lock().0)
    }

    /// How many clients are known.
    pub(crate) fn clients(&self) -> usize {
        self.clients.lock().len()
    }

    async fn pump_up(self: &Arc<Self>) {
        loop {
            if self.listen.readable().await.is_err() {
                return;
            }
            self.pump(
                &self.up,
                |buffer| self.listen.try_recv_from(buffer),
                |client, datagram| self.heard(client) && self.send_up(client, datagram),
                |client| self.heard(client),
            );
        }
    }

    async fn pump_down(self: Arc<Self>, client: SocketAddr, upstream: Arc<UdpSocket>) {
        while upstream.readable().await.is_ok() {
            self.pump(
                &self.down,
                |buffer| upstream.try_recv(buffer).map(|bytes| (bytes, client)),
                |client, datagram| socket::send_to(&self.listen, datagram, client),
                |_| true,
            );
        }
    }

    /// Handles what a socket has, at most a batch.
    fn pump(
        &self,
        way: &Way,
        receive: impl Fn(&mut [u8]) -> std::io::Result<(usize, SocketAddr)>,
        send: impl Fn(SocketAddr, &[u8]) -> bool,
        waits: impl Fn(SocketAddr) -> bool,
    ) {
        let mut core = way.core.lock();
        let (path, buffer) = &mut *core;
        for _ in 0..BATCH {
            let (bytes, client) = match receive(buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                // The target refused an earlier one: it is not there now, and may be later.
                Err(_) => continue,
            };
            let datagram = &mut buffer[..bytes];
            let earliest = path.poll_timeout();
            match path.handle_datagram(self.started.elapsed(), client, datagram) {
                Verdict::Now(times) => {
                    for _ in 0..times {
                        path.handle_sent(send(client, datagram));
                    }
                }
                Verdict::Waits => {
                    waits(client);
                    if path.poll_timeout() != earliest {
                        way.earlier.notify_one();
                    }
                }
                Verdict::Gone => {}
            }
        }
    }

    /// Sends what has waited long enough.
    async fn release(&self, way: &Way, send: impl Fn(SocketAddr, &[u8]) -> bool) {
        loop {
            let next = {
                let mut core = way.core.lock();
                let path = &mut core.0;
                for _ in 0..BATCH {
                    let Some((client, datagram)) = path.poll_output(self.started.elapsed()) else { break };
                    path.handle_sent(send(client, &datagram));
                }
                path.poll_timeout()
            };
            match next {
                Some(due) => tokio::select! {
                    () = sleep_until(self.started + due) => {}
                    () = way.earlier.notified() => {}
                },
                None => way.earlier.notified().await,
            }
        }
    }

    /// Makes sure that a client that sent something has a socket; whether it has.
    fn heard(self: &Arc<Self>, client: SocketAddr) -> bool {
        let mut clients = self.clients.lock();
        if clients.heard(client).is_some() {
            return true;
        }
        let Ok(upstream) = socket::connect(self.target).map(Arc::new) else { return false };
        let pump = tokio::spawn(Arc::clone(self).pump_down(client, Arc::clone(&upstream))).abort_handle();
        clients.add(client, Upstream { socket: upstream, pump });
        true
    }

    fn send_up(&self, client: SocketAddr, datagram: &[u8]) -> bool {
        let clients = self.clients.lock();
        clients.get(client).is_some_and(|upstream| socket::send_on(&upstream.socket, datagram))
    }
}
