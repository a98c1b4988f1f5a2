//! A whole node: puts the threads together, and takes them down again.
//!
//! ```text
//!   system thread   Router · Supervisor · acceptor          admin thread   HTTP
//!   data thread 0…  DataThread · its links: reader, writer, Subscriber actor each
//! ```

use std::{
    fs::{self, File},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicUsize, mpsc},
    thread::JoinHandle,
    time::{SystemTime, UNIX_EPOCH},
};

use actix::{Actor, Addr};
use mesh_transport::{
    endpoint::Endpoint,
    listen::{self, Listener},
};
use mesh_wire::code::Code;
use rustix::fs::{FlockOperation, flock};
use tokio::sync::watch;

use crate::{
    acceptor::{self, Seat},
    admin::Api,
    config::Config,
    metrics::Metrics,
    router::{Begin, Router},
    shared::Shared,
    supervisor::{Drain, Supervisor},
    thread::DataThread,
};

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The socket can't be had.
    #[error(transparent)]
    Listen(#[from] listen::Error),
    /// The data directory can't be used.
    #[error("data directory {path}: {source}")]
    DataDir {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another node runs on the data directory.
    #[error("data directory {path} belongs to a running node")]
    DataDirLocked {
        /// The directory.
        path: PathBuf,
    },
    /// The system gives no thread or runtime.
    #[error("the node's threads can't be started: {0}")]
    Threads(#[from] std::io::Error),
    /// The node's system thread ended before it was ready.
    #[error("the node ended while it started")]
    Ended,
}

impl Error {
    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Listen(error) => error.code(),
            Self::DataDir { .. } => Code::DataDirUnusable,
            Self::DataDirLocked { .. } => Code::DataDirLocked,
            Self::Threads(_) | Self::Ended => Code::InternalError,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Listen(error) => error.hint(),
            other => other.code().hint().to_owned(),
        }
    }
}

/// A running node. Dropping the handle drains it and waits for its end.
#[derive(Debug)]
pub struct Node {
    endpoint: Endpoint,
    stop: watch::Sender<bool>,
    ended: watch::Receiver<bool>,
    system: Option<JoinHandle<()>>,
    _data_lock: File,
}

impl Node {
    /// Starts a node and returns when clients can connect.
    ///
    /// # Errors
    /// See [`Error`]; nothing is left behind.
    pub fn start(config: Config) -> Result<Self, Error> {
        let data_lock = lock_data_dir(&config.data)?;
        let (stop, stopping) = watch::channel(false);
        let (end, ended) = watch::channel(false);
        let (ready, when_ready) = mpsc::sync_channel(1);
        let system = std::thread::Builder::new().name("mesh-system".into()).spawn(move || {
            actix_rt::System::new().block_on(async move {
                match Parts::start(config) {
                    Ok(parts) => {
                        ready.send(Ok(parts.endpoint.clone())).ok();
                        parts.run(stopping).await;
                    }
                    Err(error) => {
                        ready.send(Err(error)).ok();
                    }
                }
            });
            end.send_replace(true);
        })?;
        let endpoint = when_ready.recv().map_err(|_| Error::Ended)??;
        Ok(Self { endpoint, stop, ended, system: Some(system), _data_lock: data_lock })
    }

    /// What a client connects to.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Where the admin HTTP server listens, if there is one.
    #[must_use]
    pub fn http_address(&self) -> Option<std::net::SocketAddr> {
        None
    }

    /// Asks the node to drain and stop; returns at once.
    pub fn begin_drain(&self) {
        self.stop.send_replace(true);
    }

    /// Completes when the node has stopped, for whatever reason.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn stopped(&self) {
        // An error means that the system thread is gone, which is the same.
        self.ended.clone().wait_for(|ended| *ended).await.ok();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.begin_drain();
        if let Some(system) = self.system.take() {
            // A panic there aborted the process already in a release build; in a test it was printed.
            system.join().ok();
        }
    }
}

/// The parts of a running node, on the system thread.
struct Parts {
    endpoint: Endpoint,
    listener: Listener,
    shared: Arc<Shared>,
    supervisor: Addr<Supervisor>,
    seats: Vec<Seat>,
    arbiters: Vec<actix_rt::Arbiter>,
}

impl Parts {
    fn start(config: Config) -> Result<Self, Error> {
        let listener = Listener::bind(config.socket.listener_options())?;
        let threads = config.threads;
        let metrics = Arc::new(Metrics::new(threads));
        let incarnation = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64;
        let seed = secret_seed();
        let router = Router::new(seed).start();
        let counters = metrics.control();
        let shared = Arc::new(Shared::new(config, incarnation, seed, metrics, router.clone()));
        router.do_send(Begin(Arc::clone(&shared), counters));
        let supervisor = Supervisor::new(Arc::clone(&shared)).start();
        shared.complete(supervisor.clone(), Api);
        let mut arbiters = Vec::with_capacity(threads);
        let mut seats = Vec::with_capacity(threads);
        for index in 0..threads {
            let arbiter = actix_rt::Arbiter::new();
            let links = Arc::new(AtomicUsize::new(0));
            let (thread_shared, thread_links) = (Arc::clone(&shared), Arc::clone(&links));
            let thread = DataThread::start_in_arbiter(&arbiter.handle(), move |_| {
                DataThread::new(thread_shared, index, thread_links)
            });
            seats.push(Seat { thread, links });
            arbiters.push(arbiter);
        }
        Ok(Self { endpoint: listener.endpoint(), listener, shared, supervisor, seats, arbiters })
    }

    /// Serves until `stopping` turns true, then drains.
    async fn run(self, stopping: watch::Receiver<bool>) {
        let Self { listener, shared, supervisor, seats, arbiters, .. } = self;
        let counters = shared.metrics.control();
        acceptor::run(listener, seats, Arc::clone(&shared), counters, stopping).await;
        if supervisor.send(Drain).await.is_err() {
            tracing::error!("the supervisor is gone: links are cut");
        }
        for arbiter in arbiters {
            arbiter.stop();
            if arbiter.join().is_err() {
                tracing::error!("a data thread ended by a panic");
            }
        }
    }
}

/// A directory of the node's own, held by a lock for as long as it runs.
fn lock_data_dir(path: &Path) -> Result<File, Error> {
    let failed = |source| Error::DataDir { path: path.to_owned(), source };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
    let lock =
        File::options().create(true).truncate(false).write(true).open(path.join("lock")).map_err(failed)?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::DataDirLocked { path: path.to_owned() }),
        Err(errno) => Err(failed(errno.into())),
    }
}

/// What hash tables start from, so that nobody outside can make their keys collide.
fn secret_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}
