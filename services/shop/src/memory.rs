//! What was done under which order number, so that nothing is done twice. Bounded.

use std::collections::{HashMap, VecDeque};

use crate::text::OrderId;

/// How much is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Most entries that are open: something is still owed for them, so they are never forgotten.
    pub open: usize,
    /// Most entries that are settled. Beyond them the one settled first is forgotten; what comes for its order after
    /// that is taken for new.
    pub settled: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { open: 16_384, settled: 65_536 }
    }
}

/// As many entries are open as may be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("as many orders are open as may be")]
pub(crate) struct Full;

/// One entry for each order that is open or was settled not long ago.
#[derive(Debug)]
pub(crate) struct Memory<V> {
    bounds: Bounds,
    open: HashMap<OrderId, V>,
    settled: HashMap<OrderId, V>,
    settled_in_order: VecDeque<OrderId>,
}

impl<V> Memory<V> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, open: HashMap::new(), settled: HashMap::new(), settled_in_order: VecDeque::new() }
    }

    /// What is known of an order.
    pub(crate) fn get(&self, order: &OrderId) -> Option<&V> {
        self.open.get(order).or_else(|| self.settled.get(order))
    }

    /// Whether another entry may be opened.
    pub(crate) fn has_room(&self) -> bool {
        self.open.len() < self.bounds.open
    }

    /// Opens an entry for an order that has none.
    pub(crate) fn open(&mut self, order: OrderId, value: V) -> Result<(), Full> {
        if !self.has_room() {
            return Err(Full);
        }
        self.open.insert(order, value);
        Ok(())
    }

    /// Settles the entry of an order, whether it was open, settled or not there. A settled entry keeps its age.
    pub(crate) fn settle(&mut self, order: &OrderId, value: V) {
        self.open.remove(order);
        if self.settled.insert(order.clone(), value).is_none() {
            self.settled_in_order.push_back(order.clone());
        }
        while self.settled.len() > self.bounds.settled {
            let Some(oldest) = self.settled_in_order.pop_front() else { break };
            self.settled.remove(&oldest);
        }
    }

    /// Entries that are open.
    pub(crate) fn open_len(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::tests::id;

    #[test]
    fn open_entries_are_refused_beyond_the_bound_and_never_forgotten() {
        let mut memory = Memory::new(Bounds { open: 2, settled: 1 });
        assert_eq!(memory.open(id("a"), 1), Ok(()));
        assert_eq!(memory.open(id("b"), 2), Ok(()));
        assert_eq!(memory.open(id("c"), 3), Err(Full));
        memory.settle(&id("x"), 9);
        memory.settle(&id("y"), 9);
        assert_eq!((memory.get(&id("a")), memory.get(&id("b"))), (Some(&1), Some(&2)));
        memory.settle(&id("a"), 4);
        assert_eq!(memory.open(id("c"), 3), Ok(()));
        assert_eq!(memory.open_len(), 2);
    }

    #[test]
    fn the_entry_settled_first_is_forgotten_first() {
        let mut memory = Memory::new(Bounds { open: 1, settled: 2 });
        memory.settle(&id("a"), 1);
        memory.settle(&id("b"), 2);
        memory.settle(&id("a"), 3);
        assert_eq!((memory.get(&id("a")), memory.get(&id("b"))), (Some(&3), Some(&2)), "within the bound");
        memory.settle(&id("c"), 4);
        assert_eq!(
            (memory.get(&id("a")), memory.get(&id("b")), memory.get(&id("c"))),
            (None, Some(&2), Some(&4))
        );
    }
}
