//! A proxy that runs.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::runtime;
use tokio::sync::oneshot;

use crate::shell::Shell;
use crate::{Counters, Direction, Faults, Plan, socket};

/// A proxy that runs, on a thread of its own; it ends when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    seed: u64,
    shell: Arc<Shell>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts one towards `target`.
    ///
    /// # Errors
    /// When the address can't be bound, or the system has no thread or no poll for it.
    pub fn start(target: SocketAddr, seed: u64, plan: Plan) -> io::Result<Self> {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        let listen = socket::bind(plan.listen.unwrap_or_else(|| socket::loopback(target)))?;
        let address = listen.local_addr()?;
        let shell = Arc::new(Shell::new(target, listen, seed, &plan));
        drop(entered);
        let (stop, stopped) = oneshot::channel::<()>();
        let running = Arc::clone(&shell);
        let thread = thread::Builder::new().name("netproxy".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = running.run() => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { address, seed, shell, stop: Some(stop), thread: Some(thread) })
    }

    /// Where clients send to.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its fates come from.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// How many clients it knows.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.shell.clients()
    }

    /// Gives a direction other faults from here on.
    pub fn faults(&self, direction: Direction, faults: Faults) {
        self.shell.with(direction, |path| path.set_faults(faults));
    }

    /// Makes a direction a black hole: once this returns nothing gets through, not even what was on its way.
    pub fn cut(&self, direction: Direction) {
        self.shell.with(direction, |path| path.cut());
    }

    /// Undoes every cut.
    pub fn heal(&self) {
        for direction in Direction::ALL {
            self.shell.with(direction, |path| path.heal());
        }
    }

    /// What became of the datagrams of a direction so far.
    #[must_use]
    pub fn counters(&self, direction: Direction) -> Counters {
        self.shell.with(direction, |path| path.counters())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It has nothing to say, and a panic of it has been printed.
            thread.join().ok();
        }
    }
}
