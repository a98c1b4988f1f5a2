//! A whole node: puts the threads together, and takes them down again.
//!
//! ```text
//!   system thread   Router · Supervisor · acceptor          admin thread   HTTP
//!   data thread 0…  DataThread · its links: reader, writer, Subscriber actor each
//!   data thread 0   Peers
//! ```

use std::{
    net::SocketAddr,
    sync::{Arc, atomic::AtomicUsize, mpsc},
    thread::JoinHandle,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use actix::{Actor, Addr};
use actix_rt::Arbiter;
use futures_util::future::{join, join_all};
use mesh_log::directory::{DataDir, Names};
use mesh_transport::{endpoint::Endpoint, listen::Listener};
use tokio::sync::watch;

use crate::{
    acceptor,
    admin::{Api, Bound, Facts, Health, Hosts, Server, State},
    config::Config,
    durable::{self, HandOver},
    inspector::Inspector,
    listening::{self, Listening},
    metrics::Metrics,
    peer::Peers,
    router::{Begin, Router},
    seats::Seat,
    security::{self, Security},
    shared::Shared,
    supervisor::{Drain, Supervisor},
    thread::{DataThread, EndQuic, OpenPeers},
};

mod error;
mod gauges;

pub use error::Error;

/// A running node. Dropping the handle drains it and waits for its end.
#[derive(Debug)]
pub struct Node {
    endpoint: Endpoint,
    listen_address: Option<SocketAddr>,
    http_address: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    ended: watch::Receiver<bool>,
    system: Option<JoinHandle<()>>,
}

impl Node {
    /// Starts a node and returns when clients can connect.
    ///
    /// # Errors
    /// See [`Error`]; nothing is left behind.
    pub fn start(config: Config) -> Result<Self, Error> {
        let names =
            Names { cluster: config.cluster.as_str().to_owned(), node: config.name.as_str().to_owned() };
        let directory = DataDir::open(&config.data, &names)?;
        let stop = watch::Sender::new(false);
        let asked_to_stop = stop.clone();
        let (end, ended) = watch::channel(false);
        let (ready, when_ready) = mpsc::sync_channel(1);
        let system = std::thread::Builder::new().name("mesh-system".into()).spawn(move || {
            actix_rt::System::new().block_on(async move {
                match Parts::start(config, directory, asked_to_stop).await {
                    Ok(parts) => {
                        ready.send(Ok(parts.addresses())).ok();
                        parts.run().await;
                    }
                    Err(error) => {
                        ready.send(Err(error)).ok();
                    }
                }
            });
            end.send_replace(true);
        })?;
        let (endpoint, listen_address, http_address) = when_ready.recv().map_err(|_| Error::Ended)??;
        let system = Some(system);
        Ok(Self { endpoint, listen_address, http_address, stop, ended, system })
    }

    /// What a client on this machine connects to.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Where the node listens for clients on a network, if it does: over QUIC and over TLS.
    #[must_use]
    pub fn listen_address(&self) -> Option<SocketAddr> {
        self.listen_address
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
    listening: Option<Listening>,
    peers: Option<Peers>,
    http: Option<Server>,
    http_address: Option<SocketAddr>,
    health: Arc<Health>,
    shared: Arc<Shared>,
    supervisor: Addr<Supervisor>,
    seats: Vec<Seat>,
    arbiters: Vec<Arbiter>,
    stop: watch::Sender<bool>,
}

impl Parts {
    async fn start(config: Config, directory: DataDir, stop: watch::Sender<bool>) -> Result<Self, Error> {
        let security = Security::open(&config)?;
        let listener = Listener::bind(config.socket.listener_options())?;
        let bound = config.http.address.map(Bound::bind).transpose()?;
        let http_address = bound.as_ref().map(Bound::address);
        let hosts = Hosts::new(&config.http.allow_hosts);
        let incarnation = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64;
        let started = Instant::now();
        let seed = secret_seed();
        let metrics = Arc::new(Metrics::new(config.threads));
        let router = Router::new(seed).start();
        let shared =
            Arc::new(Shared::new(config, security, incarnation, seed, Arc::clone(&metrics), router.clone()));
        router.do_send(Begin(Arc::clone(&shared), metrics.control()));
        let supervisor = Supervisor::new(Arc::clone(&shared)).start();
        let (seats, arbiters) = data_threads(&shared);
        let listening = match listening::open(&shared, &seats, &stop).await {
            Ok(listening) => listening,
            Err(error) => {
                end(arbiters);
                return Err(error);
            }
        };
        let opened = durable::open(&shared, directory, &seats).await;
        let durable = match opened {
            Ok(durable) => durable,
            Err(error) => {
                end(arbiters);
                return Err(error.into());
            }
        };
        shared.set_durable(durable);
        let peers = match open_peers(&seats).await {
            Ok(peers) => peers,
            Err(error) => {
                end(arbiters);
                return Err(error);
            }
        };
        let (look, look_peers) = (Arc::clone(&shared), peers.clone());
        metrics.set_gauges(move || gauges::look(&look, look_peers.as_ref()));
        security::watch(&shared);
        let facts = Facts {
            name: shared.config.name.to_string(),
            cluster: shared.config.cluster.to_string(),
            incarnation,
            started,
            socket: listener.endpoint().to_string(),
            listen: listening.as_ref().map(|listening| listening.address.to_string()),
            peer: peers.as_ref().and_then(Peers::address).map(|address| address.to_string()),
            http: http_address.map(|address| address.to_string()),
            threads: shared.config.threads,
        };
        let health = Arc::new(Health::new());
        let inspector = Inspector {
            supervisor: supervisor.clone(),
            stop: stop.clone(),
            shared: Arc::clone(&shared),
            peers: peers.clone(),
        };
        let api = Api::new(facts, Arc::clone(&health), metrics, inspector);
        shared.complete(supervisor.clone(), api.clone());
        let http = bound.map(|bound| bound.serve(api, hosts)).transpose()?;
        health.advance(State::Ready);
        Ok(Self {
            listener,
            listening,
            peers,
            http,
            http_address,
            health,
            shared,
            supervisor,
            seats,
            arbiters,
            stop,
        })
    }

    fn addresses(&self) -> (Endpoint, Option<SocketAddr>, Option<SocketAddr>) {
        let listening = self.listening.as_ref().map(|listening| listening.address);
        (self.listener.endpoint(), listening, self.http_address)
    }

    /// Serves until told to stop, then drains.
    async fn run(self) {
        let Self {
            listener, listening, peers, http, health, shared, supervisor, seats, arbiters, stop, ..
        } = self;
        let counters = shared.metrics.control();
        let network = async {
            if let Some(listening) = &listening {
                listening.accept(&seats, &counters, stop.subscribe()).await;
            }
        };
        join(acceptor::run(listener, &seats, &shared, &counters, stop.subscribe()), network).await;
        drop(listening);
        health.advance(State::Draining);
        if let Some(durable) = shared.durable()
            && durable.send(HandOver).await.is_err()
        {
            tracing::error!("the durable plane is gone: others find out by themselves");
        }
        if supervisor.send(Drain).await.is_err() {
            tracing::error!("the supervisor is gone: links are cut");
        }
        for ended in join_all(seats.iter().map(|seat| seat.thread.send(EndQuic))).await {
            if ended.is_err() {
                tracing::error!("a data thread is gone: its links are cut");
            }
        }
        // Last of all: what clients still had under way may have needed them.
        if let Some(peers) = peers {
            peers.drain().await;
        }
        health.advance(State::Stopped);
        // Stopping waits for open requests, and those wait for actors of this thread.
        if tokio::task::spawn_blocking(move || drop(http)).await.is_err() {
            tracing::error!("the admin thread ended by a panic");
        }
        end(arbiters);
    }
}

/// Stops data threads and waits for their end.
fn end(arbiters: Vec<Arbiter>) {
    for arbiter in arbiters {
        arbiter.stop();
        if arbiter.join().is_err() {
            tracing::error!("a data thread ended by a panic");
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

/// Takes part in the cluster, on the first data thread.
async fn open_peers(seats: &[Seat]) -> Result<Option<Peers>, Error> {
    let first = seats.first().ok_or(Error::Ended)?;
    first.thread.send(OpenPeers).await.map_err(|_| Error::Ended)?
}

/// What hash tables start from, so that nobody outside can make their keys collide.
fn secret_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}
