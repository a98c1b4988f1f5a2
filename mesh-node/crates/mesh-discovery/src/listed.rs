//! Peers at addresses that were told: a list, and a file that is read again and again.

mod file;

use std::{path::PathBuf, time::Duration};

use mesh_transport::endpoint::Authority;
use tokio::time::{MissedTickBehavior, interval};

pub use self::file::{FILE_BYTES, LISTED_MAX};
use crate::{
    discovery::Discovery,
    error::{Error, Trouble},
    event::Left,
    feed::Feed,
    handle::{self, Order, Seat},
    peer::Peer,
    record::Record,
};

/// Which peers there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// At these addresses; the own ones among them are left out.
    pub peers: Vec<Authority>,
    /// And at those in this file: one in each line, `#` begins a comment.
    pub file: Option<PathBuf>,
    /// How often the file is looked at.
    pub every: Duration,
    /// The port of an address without one.
    pub port: u16,
}

impl Options {
    /// A list and no file.
    #[must_use]
    pub fn list(peers: Vec<Authority>) -> Self {
        Self { peers, file: None, every: Duration::from_secs(1), port: 7401 }
    }
}

/// Starts it: a task on the runtime that this is called on.
///
/// # Errors
/// [`Error::Settings`] for too many addresses, [`Error::File`].
///
/// # Panics
/// When it is not called on a runtime of tokio.
pub fn start(own: &Record, options: Options) -> Result<Box<dyn Discovery>, Error> {
    if options.peers.len() > LISTED_MAX {
        return Err(Error::Settings(format!("{} peers, {LISTED_MAX} are allowed", options.peers.len())));
    }
    let mut feed = Feed::default();
    feed.handle_all(peers(own, &options, read(&options)?), Left::Meant);
    feed.handle_registered(true);
    let (handle, seat) = handle::pair();
    tokio::spawn(run(seat, own.clone(), options, feed));
    Ok(Box::new(handle))
}

async fn run(mut seat: Seat, own: Record, options: Options, mut feed: Feed) {
    let mut ticks = interval(options.every.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut told: Option<Error> = None;
    loop {
        tokio::select! {
            permit = seat.events.reserve(), if feed.has_event() => match permit {
                Ok(permit) => if let Some(event) = feed.poll_event() { permit.send(event) },
                Err(_) => return,
            },
            _ = ticks.tick(), if options.file.is_some() => match read(&options) {
                Ok(listed) => {
                    feed.handle_all(peers(&own, &options, listed), Left::Meant);
                    if told.take().is_some() {
                        feed.handle_recovered();
                    }
                }
                Err(error) if told.as_ref() == Some(&error) => {}
                Err(error) => {
                    feed.handle_trouble(Trouble::from(&error));
                    told = Some(error);
                }
            },
            order = seat.orders.recv() => match order {
                Some(Order::Found { reply, .. }) => {
                    reply.send(Err(Error::CannotFound)).ok();
                }
                Some(Order::Leave { reply, .. }) => {
                    reply.send(Ok(())).ok();
                    return;
                }
                None => return,
            },
        }
    }
}

fn read(options: &Options) -> Result<Vec<Authority>, Error> {
    options.file.as_ref().map_or_else(|| Ok(Vec::new()), |path| file::read(path, options.port))
}

fn peers(own: &Record, options: &Options, listed: Vec<Authority>) -> Vec<Peer> {
    let all = options.peers.iter().cloned().chain(listed);
    all.filter(|address| !own.addresses.contains(address)).map(Peer::Address).collect()
}
