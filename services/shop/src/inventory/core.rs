//! Stock and the holds on it. Pure: time comes in.
//!
//! ```text
//!              reserve                confirm
//!   (unknown) ─────────► held ─────────────────► confirmed
//!       │                 │ │                        │
//!       │ release         │ └─ its time is over ─┐   │ release
//!       ▼                 ▼ release              ▼   ▼
//!   released ◄────────────┴──────────────►  expired / released      pieces are back in stock
//! ```
//!
//! Every command names an order and does its work once for it: repeated, it answers as before. A release that comes
//! before its reserve (which was lost or is late) is remembered, and the late reserve is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::{Error, Stats};
use crate::memory::{Bounds, Memory};
use crate::money::Cents;
use crate::order::Lines;
use crate::stock::Article;
use crate::text::{OrderId, Sku};

/// What became of an order's pieces.
#[derive(Debug, Clone)]
enum Hold {
    Held { lines: Lines, total: Cents, until: Instant },
    Confirmed { lines: Lines, total: Cents },
    Released,
    Expired,
}

/// What is in stock, and what is held for which order.
///
/// Pieces are never lost and never made: available, held and confirmed ones always add up to the stock of the start.
#[derive(Debug)]
pub struct Inventory {
    stock: BTreeMap<Sku, Article>,
    holds: Memory<Hold>,
    ends: BTreeSet<(Instant, OrderId)>,
    hold_for: Duration,
    stats: Stats,
}

impl Inventory {
    /// An inventory of `stock` in which a hold lasts for `hold_for`.
    pub fn new(stock: BTreeMap<Sku, Article>, hold_for: Duration, bounds: Bounds) -> Self {
        let units_available = stock.values().map(|article| article.units).sum();
        let stats = Stats { units_available, ..Stats::default() };
        Self { stock, holds: Memory::new(bounds), ends: BTreeSet::new(), hold_for, stats }
    }

    /// Command: takes the pieces of an order out of stock, all or none, until they are confirmed or released or the
    /// hold's time is over. Gives their price.
    ///
    /// # Errors
    /// [`Error::UnknownSku`], [`Error::OutOfStock`] for the first article that lacks, [`Error::Closed`] for an order
    /// whose hold is over, [`Error::KeyReused`] for other lines than before, [`Error::Full`].
    pub fn reserve(&mut self, now: Instant, order: &OrderId, lines: &Lines) -> Result<Cents, Error> {
        self.handle_timeout(now);
        match self.holds.get(order) {
            None => {}
            Some(Hold::Held { lines: before, total, .. } | Hold::Confirmed { lines: before, total }) => {
                self.stats.repeated += 1;
                return if before == lines { Ok(*total) } else { Err(Error::KeyReused) };
            }
            Some(Hold::Released | Hold::Expired) => return Err(Error::Closed),
        }
        let reserved = self.take(now, order, lines);
        if reserved.is_err() {
            self.stats.refused += 1;
        }
        reserved
    }

    /// Command: the pieces held for an order are sold.
    ///
    /// # Errors
    /// [`Error::NotHeld`] for an order that nothing was held for, [`Error::Closed`] when its hold is over.
    pub fn confirm(&mut self, now: Instant, order: &OrderId) -> Result<(), Error> {
        self.handle_timeout(now);
        match self.holds.get(order).cloned() {
            None => Err(Error::NotHeld),
            Some(Hold::Released | Hold::Expired) => Err(Error::Closed),
            Some(Hold::Confirmed { .. }) => {
                self.stats.repeated += 1;
                Ok(())
            }
            Some(Hold::Held { lines, total, until }) => {
                self.ends.remove(&(until, order.clone()));
                self.stats.units_held -= lines.units();
                self.stats.units_confirmed += lines.units();
                self.stats.confirmed += 1;
                self.holds.settle(order, Hold::Confirmed { lines, total });
                Ok(())
            }
        }
    }

    /// Command: the pieces of an order go back into stock, whether held, confirmed or (nothing is done then) neither.
    /// Gives how many did.
    pub fn release(&mut self, now: Instant, order: &OrderId) -> u64 {
        self.handle_timeout(now);
        let returned = match self.holds.get(order).cloned() {
            None => 0,
            Some(Hold::Released | Hold::Expired) => {
                self.stats.repeated += 1;
                return 0;
            }
            Some(Hold::Held { lines, until, .. }) => {
                self.ends.remove(&(until, order.clone()));
                self.stats.units_held -= lines.units();
                self.put_back(&lines)
            }
            Some(Hold::Confirmed { lines, .. }) => {
                self.stats.units_confirmed -= lines.units();
                self.stats.confirmed -= 1;
                self.put_back(&lines)
            }
        };
        self.stats.released += 1;
        self.holds.settle(order, Hold::Released);
        returned
    }

    /// Input: the time. Holds whose time is over go back into stock.
    pub fn handle_timeout(&mut self, now: Instant) {
        while self.ends.first().is_some_and(|(until, _)| *until <= now) {
            let Some((_, order)) = self.ends.pop_first() else { break };
            if let Some(Hold::Held { lines, .. }) = self.holds.get(&order).cloned() {
                self.stats.units_held -= lines.units();
                self.put_back(&lines);
                self.stats.expired += 1;
                self.holds.settle(&order, Hold::Expired);
            }
        }
    }

    /// When [`Inventory::handle_timeout`] has something to do next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.ends.first().map(|(until, _)| *until)
    }

    /// What happened so far, and where the pieces are.
    pub fn stats(&self) -> Stats {
        Stats { held: self.holds.open_len() as u64, ..self.stats }
    }

    fn take(&mut self, now: Instant, order: &OrderId, lines: &Lines) -> Result<Cents, Error> {
        let (wanted, total) = self.price(lines)?;
        let until = now + self.hold_for;
        let hold = Hold::Held { lines: lines.clone(), total, until };
        self.holds.open(order.clone(), hold).map_err(|_| Error::Full)?;
        for (sku, units) in wanted {
            if let Some(article) = self.stock.get_mut(&sku) {
                article.units -= units;
            }
        }
        self.ends.insert((until, order.clone()));
        self.stats.units_available -= lines.units();
        self.stats.units_held += lines.units();
        self.stats.reserved += 1;
        Ok(total)
    }

    /// The pieces wanted of each article, whatever lines they stand on, and the price of all; refused when one lacks.
    fn price(&self, lines: &Lines) -> Result<(BTreeMap<Sku, u64>, Cents), Error> {
        let mut wanted = BTreeMap::<Sku, u64>::new();
        let mut total = Cents::default();
        for line in lines.iter() {
            let article =
                self.stock.get(&line.sku).ok_or_else(|| Error::UnknownSku { sku: line.sku.clone() })?;
            let units = wanted.entry(line.sku.clone()).or_default();
            *units += u64::from(line.quantity);
            if *units > article.units {
                return Err(Error::OutOfStock {
                    sku: line.sku.clone(),
                    wanted: *units,
                    available: article.units,
                });
            }
            let price = article.price.times(line.quantity).and_then(|price| price.plus(total));
            total = price.ok_or(Error::TooDear)?;
        }
        Ok((wanted, total))
    }

    fn put_back(&mut self, lines: &Lines) -> u64 {
        for line in lines.iter() {
            if let Some(article) = self.stock.get_mut(&line.sku) {
                article.units += u64::from(line.quantity);
            }
        }
        self.stats.units_available += lines.units();
        lines.units()
    }
}

#[cfg(test)]
mod tests;
