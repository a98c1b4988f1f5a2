//! A data thread: an arbiter that owns links and everything on their path.

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix::{Actor, Context, Handler, Message};
use mesh_transport::{link as transport, peer::Peer};
use mesh_wire::code::Code;

use crate::{
    link::{self, Identity},
    metrics::{Counter, Counters},
    shared::Shared,
    spin::Spinner,
    switch::Switch,
};

/// Most bytes taken by one read.
pub(crate) const READ_BYTES: usize = 256 * 1024;

/// What the links of one data thread share.
pub(crate) struct Thread {
    pub(crate) shared: Arc<Shared>,
    pub(crate) switch: RefCell<Switch>,
    /// One buffer for all links: it is full only between a read and the handling of what was read.
    pub(crate) read_buffer: RefCell<Box<[u8]>>,
    pub(crate) spinner: Spinner,
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

    /// Counts a request that was answered, and how long that took.
    pub(crate) fn answered(&self, took: Duration) {
        self.counters.answered(took);
    }
}

/// The actor through which links come to a data thread.
pub(crate) struct DataThread {
    thread: Rc<Thread>,
    links: Arc<AtomicUsize>,
}

impl DataThread {
    /// Called on the arbiter that it is to own.
    pub(crate) fn new(shared: Arc<Shared>, index: usize, links: Arc<AtomicUsize>) -> Self {
        let thread = Rc::new(Thread {
            switch: RefCell::new(Switch::new(Arc::clone(&shared), index)),
            read_buffer: RefCell::new(vec![0; READ_BYTES].into_boxed_slice()),
            spinner: Spinner::new(shared.config.busy_poll),
            counters: shared.metrics.thread(index),
            shared,
        });
        Self { thread, links }
    }
}

impl Actor for DataThread {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        actix_rt::spawn(Spinner::run(Rc::clone(&self.thread)));
    }
}

/// A connection that was admitted.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Accept {
    pub(crate) stream: std::os::unix::net::UnixStream,
    pub(crate) peer: Peer,
}

impl Handler<Accept> for DataThread {
    type Result = ();

    fn handle(&mut self, Accept { stream, peer }: Accept, _: &mut Self::Context) {
        let (thread, links) = (Rc::clone(&self.thread), Arc::clone(&self.links));
        actix_rt::spawn(async move {
            match tokio::net::UnixStream::from_std(stream) {
                Ok(stream) => {
                    let carrier = transport::Link::unix(stream, Some(peer));
                    link::run(carrier, Identity::of(peer), Rc::clone(&thread)).await;
                }
                Err(error) => tracing::warn!(%error, "an accepted connection can't be used"),
            }
            links.fetch_sub(1, Ordering::Relaxed);
        });
    }
}
