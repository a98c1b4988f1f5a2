//! Compares what the services say they did with what we saw. The comparing is pure.

use mesh_client::{Client, Error};
use mesh_shop::{api, inventory, orders, payment};

use crate::ledger::Totals;
use crate::watch::Decisions;

/// What the services say they did so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Books {
    /// The orders service.
    pub(crate) orders: orders::Stats,
    /// The inventory.
    pub(crate) inventory: inventory::Stats,
    /// Payment.
    pub(crate) payment: payment::Stats,
    /// The aggregator of readings.
    pub(crate) aggregator: mesh_sensors::Stats,
}

impl Books {
    /// Asks every service that keeps books.
    ///
    /// # Errors
    /// The first service that does not answer.
    pub(crate) async fn ask(mesh: &Client) -> Result<Self, Error> {
        Ok(Self {
            orders: mesh.call(api::ORDERS_STATS, "").idempotent().await?,
            inventory: mesh.call(api::INVENTORY_STATS, "").idempotent().await?,
            payment: mesh.call(api::PAYMENT_STATS, "").idempotent().await?,
            aggregator: mesh.call(mesh_sensors::STATS, "").idempotent().await?,
        })
    }
}

/// What we saw ourselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Orders that we were told are placed.
    pub(crate) placed: u64,
    /// What they come to, in cents.
    pub(crate) placed_cents: u64,
    /// Orders that we were told are rejected.
    pub(crate) rejected: u64,
    /// Events about them.
    pub(crate) events: Decisions,
    /// How aggregates compared to readings.
    pub(crate) aggregates: Totals,
}

/// Says what does not add up. `alone` says that nobody else used the services meanwhile, so that counts are equal.
pub(crate) fn audit(before: &Books, after: &Books, seen: &Seen, alone: bool) -> Vec<String> {
    let mut problems = Vec::new();
    let mut same = |what: &str, ours: u64, theirs: u64| {
        if ours != theirs {
            problems.push(format!("{what}: {ours} by our count, {theirs} by theirs"));
        }
    };
    same("events about placed orders", seen.placed, seen.events.placed);
    same("events about rejected orders", seen.rejected, seen.events.rejected);
    same("pieces in the inventory", pieces(&before.inventory), pieces(&after.inventory));
    if alone {
        let (old, new) = (&before.orders, &after.orders);
        same("orders placed", seen.placed, new.placed - old.placed);
        same("orders rejected", seen.rejected, new.rejected - old.rejected);
        same("cents of orders placed", seen.placed_cents, new.placed_total.0 - old.placed_total.0);
        same("orders that could not be undone", 0, new.incomplete - old.incomplete);
        let (old, new) = (&before.inventory, &after.inventory);
        same("reservations confirmed", seen.placed, new.confirmed - old.confirmed);
        same("pieces still held", 0, new.units_held);
        let (old, new) = (&before.payment, &after.payment);
        same("charges that stand", seen.placed, new.captured - old.captured);
        same("cents charged", seen.placed_cents, new.captured_total.0 - old.captured_total.0);
    }
    let lost = unaggregated(&after.aggregator) - unaggregated(&before.aggregator);
    if seen.aggregates.missing > lost {
        let missing = seen.aggregates.missing;
        problems.push(format!("aggregates lack {missing} readings, and the aggregator knows of {lost} only"));
    }
    if seen.aggregates.surplus > 0 {
        problems.push(format!("aggregates count {} readings that nobody published", seen.aggregates.surplus));
    }
    problems
}

fn pieces(stats: &inventory::Stats) -> u64 {
    stats.units_available + stats.units_held + stats.units_confirmed
}

/// Readings that the aggregator says are in no aggregate.
fn unaggregated(stats: &mesh_sensors::Stats) -> u64 {
    let counts = stats.readings;
    counts.late
        + counts.ahead
        + counts.series_refused
        + counts.values_refused
        + counts.invalid
        + stats.dropped
}

#[cfg(test)]
mod tests {
    use mesh_shop::Cents;

    use super::*;

    fn honest() -> (Books, Books, Seen) {
        let mut before = Books::default();
        before.inventory.units_available = 100;
        before.orders.placed = 5;
        let mut after = before;
        after.orders = orders::Stats { placed: 7, placed_total: Cents(900), rejected: 1, ..before.orders };
        after.inventory.units_available = 97;
        after.inventory.units_confirmed = 3;
        after.inventory.confirmed = 2;
        after.payment.captured = 2;
        after.payment.captured_total = Cents(900);
        let events = Decisions { placed: 2, rejected: 1 };
        let seen = Seen { placed: 2, placed_cents: 900, rejected: 1, events, aggregates: Totals::default() };
        (before, after, seen)
    }

    #[test]
    fn honest_books_add_up() {
        let (before, after, seen) = honest();
        assert_eq!(audit(&before, &after, &seen, true), Vec::<String>::new());
    }

    #[test]
    fn every_kind_of_mistake_is_found() {
        type Mistake = fn(&mut Books, &mut Seen);
        let mistakes: [(&str, Mistake); 10] = [
            ("events about placed", |_, seen| seen.events.placed -= 1),
            ("events about rejected", |_, seen| seen.events.rejected += 1),
            ("pieces in the inventory", |books, _| books.inventory.units_available -= 1),
            ("orders placed", |books, _| books.orders.placed += 1),
            ("cents of orders placed", |books, _| books.orders.placed_total = Cents(901)),
            ("could not be undone", |books, _| books.orders.incomplete += 1),
            ("reservations confirmed", |books, _| books.inventory.confirmed -= 1),
            ("charges that stand", |books, _| books.payment.captured += 1),
            ("cents charged", |books, _| books.payment.captured_total = Cents(1800)),
            ("nobody published", |_, seen| seen.aggregates.surplus += 1),
        ];
        for (what, mistake) in mistakes {
            let (before, mut after, mut seen) = honest();
            mistake(&mut after, &mut seen);
            let problems = audit(&before, &after, &seen, true);
            assert_eq!(problems.len(), 1, "{what}: {problems:?}");
            assert!(problems[0].contains(what), "{what}: {problems:?}");
        }
    }

    #[test]
    fn pieces_held_at_the_end_are_found() {
        let (before, mut after, seen) = honest();
        after.inventory.units_held = 1;
        after.inventory.units_available -= 1;
        assert_eq!(audit(&before, &after, &seen, true).len(), 1);
    }

    #[test]
    fn counts_of_others_are_no_mistake_when_we_are_not_alone() {
        let (before, mut after, seen) = honest();
        after.orders.placed += 10;
        after.payment.captured += 10;
        assert_eq!(audit(&before, &after, &seen, false), Vec::<String>::new());
    }

    #[test]
    fn readings_may_be_missing_as_far_as_the_aggregator_says_so() {
        let (before, mut after, mut seen) = honest();
        seen.aggregates.missing = 3;
        after.aggregator.readings.late = 2;
        assert_eq!(audit(&before, &after, &seen, true).len(), 1);
        after.aggregator.dropped = 1;
        assert_eq!(audit(&before, &after, &seen, true), Vec::<String>::new());
    }
}
