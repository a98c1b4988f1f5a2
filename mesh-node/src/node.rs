//! A whole node: puts the threads together, and takes them down again.
//!
//! ```text
//!   system thread   Router · Supervisor · acceptor          admin thread   HTTP
//!   data thread 0…  DataThread · its links: reader, writer, Subscriber actor each
//! ```

use std::{
    fs::{self, File},
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicUsize, mpsc},
    thread::JoinHandle,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use actix::{Actor, Addr};
use actix_rt::Arbiter;
use mesh_transport::{
    endpoint::Endpoint,
    listen::{self, Listener},
};
use mesh_wire::code::Code;
use rustix::fs::{FlockOperation, flock};
use tokio::sync::watch;

use crate::{
    acceptor::{self, Seat},
    admin::{Api, Bound, Facts, Health, Hosts, HttpError, Server, State},
    config::Config,
    inspector::Inspector,
    metrics::{Gauges, Metrics},
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
    /// The admin HTTP address can't be had.
    #[error(transparent)]
    Http(#[from] HttpError),
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
            Self::Http(error) => error.code(),
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
            Self::Http(error) => error.hint(),
            other => other.code().hint().to_owned(),
        }
    }
}

/// A running node. Dropping the handle drains it and waits for its end.
#[derive(Debug)]
pub struct Node {
    endpoint: Endpoint,
    http_address: Option<SocketAddr>,
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
        let stop = watch::Sender::new(false);
        let asked_to_stop = stop.clone();
        let (end, ended) = watch::channel(false);
        let (ready, when_ready) = mpsc::sync_channel(1);
        let system = std::thread::Builder::new().name("mesh-system".into()).spawn(move || {
            actix_rt::System::new().block_on(async move {
                match Parts::start(config, asked_to_stop) {
                    Ok(parts) => {
                        ready.send(Ok((parts.listener.endpoint(), parts.http_address))).ok();
                        parts.run().await;
                    }
                    Err(error) => {
                        ready.send(Err(error)).ok();
                    }
                }
            });
            end.send_replace(true);
        })?;
        let (endpoint, http_address) = when_ready.recv().map_err(|_| Error::Ended)??;
        Ok(Self { endpoint, http_address, stop, ended, system: Some(system), _data_lock: data_lock })
    }

    /// What a client connects to.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Where the admin HTTP server listens, if there is one.
    #[must_use]
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http_address
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
    listener: Listener,
    http_address: Option<SocketAddr>,
    http: Option<Server>,
    health: Arc<Health>,
    shared: Arc<Shared>,
    supervisor: Addr<Supervisor>,
    seats: Vec<Seat>,
    arbiters: Vec<Arbiter>,
    stop: watch::Sender<bool>,
}

impl Parts {
    fn start(config: Config, stop: watch::Sender<bool>) -> Result<Self, Error> {
        let listener = Listener::bind(config.socket.listener_options())?;
        let bound = config.http.address.map(Bound::bind).transpose()?;
        let http_address = bound.as_ref().map(Bound::address);
        let hosts = Hosts::new(&config.http.allow_hosts);
        let incarnation = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64;
        let facts = Facts {
            name: config.name.to_string(),
            cluster: config.cluster.to_string(),
            incarnation,
            started: Instant::now(),
            socket: listener.endpoint().to_string(),
            http: http_address.map(|address| address.to_string()),
            threads: config.threads,
        };
        let seed = secret_seed();
        let metrics = Arc::new(Metrics::new(config.threads));
        let router = Router::new(seed).start();
        let shared = Arc::new(Shared::new(config, incarnation, seed, Arc::clone(&metrics), router.clone()));
        router.do_send(Begin(Arc::clone(&shared), metrics.control()));
        let supervisor = Supervisor::new(Arc::clone(&shared)).start();
        let look = Arc::clone(&shared);
        metrics.set_gauges(move || gauges(&look));
        let health = Arc::new(Health::new());
        let inspector = Inspector { supervisor: supervisor.clone(), stop: stop.clone() };
        let api = Api::new(facts, Arc::clone(&health), metrics, inspector);
        shared.complete(supervisor.clone(), api.clone());
        let http = bound.map(|bound| bound.serve(api, hosts)).transpose()?;
        let (seats, arbiters) = data_threads(&shared);
        health.advance(State::Ready);
        Ok(Self { listener, http_address, http, health, shared, supervisor, seats, arbiters, stop })
    }

    /// Serves until told to stop, then drains.
    async fn run(self) {
        let Self { listener, http, health, shared, supervisor, seats, arbiters, stop, .. } = self;
        let counters = shared.metrics.control();
        acceptor::run(listener, seats, Arc::clone(&shared), counters, stop.subscribe()).await;
        health.advance(State::Draining);
        if supervisor.send(Drain).await.is_err() {
            tracing::error!("the supervisor is gone: links are cut");
        }
        health.advance(State::Stopped);
        // Stopping waits for open requests, and those wait for actors of this thread.
        if tokio::task::spawn_blocking(move || drop(http)).await.is_err() {
            tracing::error!("the admin thread ended by a panic");
        }
        for arbiter in arbiters {
            arbiter.stop();
            if arbiter.join().is_err() {
                tracing::error!("a data thread ended by a panic");
            }
        }
    }
}

fn data_threads(shared: &Arc<Shared>) -> (Vec<Seat>, Vec<Arbiter>) {
    let start = |index| {
        let arbiter = Arbiter::new();
        let links = Arc::new(AtomicUsize::new(0));
        let (thread_shared, thread_links) = (Arc::clone(shared), Arc::clone(&links));
        let thread = DataThread::start_in_arbiter(&arbiter.handle(), move |_| {
            DataThread::new(thread_shared, index, thread_links)
        });
        (Seat { thread, links }, arbiter)
    };
    (0..shared.config.threads).map(start).unzip()
}

fn gauges(shared: &Shared) -> Gauges {
    let snapshot = shared.snapshot.load();
    Gauges {
        links: snapshot.links.len() as u64,
        subscriptions: snapshot.table.len() as u64,
        requests_in_flight: shared.in_flight.len() as u64,
        queued_bytes: snapshot.links.values().map(|link| link.gauge.queued_bytes() as u64).sum(),
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
