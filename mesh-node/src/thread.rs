//! A data thread: an arbiter that owns links and everything on their path.

use std::{
    cell::{OnceCell, RefCell},
    net::SocketAddr,
    rc::Rc,
    sync::{Arc, atomic::AtomicUsize},
    time::{Duration, Instant, SystemTime},
};

use actix::{Actor, AsyncContext, Context, Handler, Message};
use mesh_transport::{
    link as transport,
    peer::Peer,
    quic::{Listener, TurnedAway},
};
use mesh_wire::code::Code;

use crate::{
    durable::Plane,
    link::{self, Lapsing, RECHECK_TIME},
    metrics::{Counter, Counters},
    refusals::Refusals,
    seats::Place,
    shared::Shared,
    spin::Spinner,
    switch::Switch,
};

mod durable;
mod network;
mod peers;
mod quic;

pub(crate) use network::AcceptTls;
pub(crate) use peers::OpenPeers;
pub(crate) use quic::{EndQuic, ListenQuic};

/// Most bytes taken by one read.
pub(crate) const READ_BYTES: usize = 256 * 1024;

/// What the links of one data thread share.
pub(crate) struct Thread {
    pub(crate) shared: Arc<Shared>,
    pub(crate) switch: RefCell<Switch>,
    /// One buffer for all links: it is full only between a read and the handling of what was read.
    pub(crate) read_buffer: RefCell<Box<[u8]>>,
    pub(crate) spinner: Spinner,
    pub(crate) lapsing: Lapsing,
    /// The durable plane, on the thread that it lives on.
    pub(crate) plane: OnceCell<Rc<RefCell<Plane>>>,
    refusals: Refusals,
    counters: Arc<Counters>,
}

impl Thread {
    /// Counts `n` of something.
    #[inline]
    pub(crate) fn count(&self, counter: Counter, n: u64) {
        self.counters.add(counter, n);
    }

    /// Counts what the match cache did since the last round.
    pub(crate) fn count_lookups(&self) {
        let (hits, misses) = self.switch.borrow_mut().take_lookups();
        self.count(Counter::CacheHits, hits);
        self.count(Counter::CacheMisses, misses);
    }

    /// Counts a refusal by its code.
    pub(crate) fn refused(&self, code: Code) {
        self.counters.refused(code);
    }

    /// Counts and logs somebody who got no link.
    pub(crate) fn turned_away(&self, remote: Option<SocketAddr>, code: Code, cause: &str) {
        self.refused(code);
        self.refusals.log(Instant::now(), remote, code, cause);
    }

    /// Counts a request that was answered, and how long that took.
    pub(crate) fn answered(&self, took: Duration) {
        self.counters.answered(took);
    }
}

/// The actor through which links come to a data thread.
pub(crate) struct DataThread {
    thread: Rc<Thread>,
    links: Arc<AtomicUsize>,
    /// Its socket for clients on a network.
    quic: Option<Rc<Listener>>,
    /// What was counted of it so far.
    turned_away: TurnedAway,
}

impl DataThread {
    /// Called on the arbiter that it is to own.
    pub(crate) fn new(shared: Arc<Shared>, index: usize, links: Arc<AtomicUsize>) -> Self {
        let thread = Rc::new(Thread {
            switch: RefCell::new(Switch::new(Arc::clone(&shared), index)),
            read_buffer: RefCell::new(vec![0; READ_BYTES].into_boxed_slice()),
            spinner: Spinner::new(shared.config.busy_poll),
            lapsing: Lapsing::default(),
            plane: OnceCell::new(),
            refusals: Refusals::new(Instant::now()),
            counters: shared.metrics.thread(index),
            shared,
        });
        Self { thread, links, quic: None, turned_away: TurnedAway::default() }
    }
}

impl Actor for DataThread {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        actix_rt::spawn(Spinner::run(Rc::clone(&self.thread)));
        ctx.run_interval(RECHECK_TIME, |this, _| {
            let store = this.thread.shared.security.store.as_ref();
            this.thread.lapsing.recheck(store, SystemTime::now());
            this.count_turned_away();
        });
    }
}

/// A connection that was admitted.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Accept {
    pub(crate) stream: std::os::unix::net::UnixStream,
    pub(crate) peer: Peer,
    pub(crate) place: Place,
}

impl Handler<Accept> for DataThread {
    type Result = ();

    fn handle(&mut self, Accept { stream, peer, place }: Accept, _: &mut Self::Context) {
        let thread = Rc::clone(&self.thread);
        actix_rt::spawn(async move {
            match tokio::net::UnixStream::from_std(stream) {
                Ok(stream) => link::run(transport::Link::unix(stream, Some(peer)), thread).await,
                Err(error) => tracing::warn!(%error, "an accepted connection can't be used"),
            }
            drop(place);
        });
    }
}
