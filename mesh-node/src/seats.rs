//! Data threads as those see them who bring links, and how many links there may be.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use actix::Addr;

use crate::thread::DataThread;

/// A data thread.
#[derive(Clone)]
pub(crate) struct Seat {
    pub(crate) thread: Addr<DataThread>,
    pub(crate) links: Arc<AtomicUsize>,
}

/// The thread with the fewest links.
pub(crate) fn emptiest(seats: &[Seat]) -> Option<&Seat> {
    seats.iter().min_by_key(|seat| seat.links.load(Ordering::Relaxed))
}

/// How many links a node holds, over whatever.
pub(crate) struct Places {
    taken: Arc<AtomicUsize>,
    most: usize,
}

/// There are as many links as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the node holds {links} links, as many as it may")]
pub(crate) struct Full {
    pub(crate) links: usize,
}

impl Places {
    pub(crate) fn new(most: usize) -> Self {
        Self { taken: Arc::default(), most }
    }

    /// A place on a thread, by its count of links.
    pub(crate) fn take(&self, thread: &Arc<AtomicUsize>) -> Result<Place, Full> {
        let links = self.taken.fetch_add(1, Ordering::Relaxed);
        if links >= self.most {
            self.taken.fetch_sub(1, Ordering::Relaxed);
            return Err(Full { links });
        }
        thread.fetch_add(1, Ordering::Relaxed);
        Ok(Place { all: Arc::clone(&self.taken), thread: Arc::clone(thread) })
    }
}

/// The place of one link, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    all: Arc<AtomicUsize>,
    thread: Arc<AtomicUsize>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
        self.thread.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_places_as_said_and_each_comes_back() {
        let places = Places::new(2);
        let threads = [Arc::default(), Arc::default()];
        let first = places.take(&threads[0]).unwrap();
        let _second = places.take(&threads[1]).unwrap();
        assert_eq!(places.take(&threads[1]).unwrap_err(), Full { links: 2 });
        assert_eq!(threads.each_ref().map(|t| t.load(Ordering::Relaxed)), [1, 1]);
        drop(first);
        assert_eq!(threads.each_ref().map(|t| t.load(Ordering::Relaxed)), [0, 1]);
        let _third = places.take(&threads[1]).unwrap();
        assert!(places.take(&threads[0]).is_err());
    }
}
