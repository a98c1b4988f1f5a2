//! Follows what is published: readings, aggregates and decisions about our orders.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mesh_client::{Client, Error, Message, Subscription};
use mesh_sensors::{AGGREGATES, Aggregate, READINGS, Reading, Series};
use mesh_shop::api::{ORDERS_PLACED, ORDERS_REJECTED};
use tokio::sync::mpsc;

use crate::board::{End, Observation, Work};
use crate::ledger::{Ledger, Totals};
use crate::pace::{Stop, stopped};

/// How long an event may take that the reply overtook.
const EVENTS_WAIT: Duration = Duration::from_secs(2);

/// Milliseconds since 1970-01-01T00:00:00Z.
pub(crate) fn now_ms() -> u64 {
    now_us() / 1_000
}

fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// Follows readings and aggregates.
#[derive(Debug)]
pub(crate) struct Sensors {
    readings: Subscription,
    aggregates: Subscription,
    ledger: Ledger,
    seen: mpsc::Sender<Observation>,
}

impl Sensors {
    /// Subscribes to both.
    ///
    /// # Errors
    /// No connection, or what the node refused.
    pub(crate) async fn follow(mesh: &Client, seen: mpsc::Sender<Observation>) -> Result<Self, Error> {
        let readings = mesh.subscribe(&format!("{READINGS}.>")).await?;
        let aggregates = mesh.subscribe(&format!("{AGGREGATES}.>")).await?;
        Ok(Self { readings, aggregates, ledger: Ledger::new(now_ms()), seen })
    }

    /// Looks at all that comes until it is time to end. Gives how aggregates compared to readings, and how many
    /// messages of both were dropped on the way to us.
    pub(crate) async fn run(mut self, mut stop: Stop) -> (Totals, u64) {
        loop {
            // Readings first: an aggregate is checked against all readings that came before it.
            let observation = tokio::select! {
                biased;
                Some(message) = self.readings.next() => self.reading(&message),
                Some(message) = self.aggregates.next() => self.aggregate(&message),
                () = stopped(&mut stop) => break,
                else => break,
            };
            // Nobody is interested any more when the receiver is gone.
            self.seen.send(observation).await.ok();
        }
        (self.ledger.totals(), self.readings.dropped() + self.aggregates.dropped())
    }

    fn reading(&mut self, message: &Message) -> Observation {
        let (took, end) = match (Series::of_reading(message.subject()), message.decode::<Reading>()) {
            (Some(series), Ok(reading)) => {
                self.ledger.handle_reading(series, reading);
                (since_us(reading.taken_us), End::Good)
            }
            _ => (Duration::ZERO, End::Unexpected(format!("{} is no reading", message.subject()))),
        };
        Observation { work: Work::Readings, took, end, label: "received" }
    }

    fn aggregate(&mut self, message: &Message) -> Observation {
        let (took, end) = match (Series::of_aggregate(message.subject()), message.decode::<Aggregate>()) {
            (Some(series), Ok(aggregate)) => {
                let wrong = self.ledger.handle_aggregate(&series, &aggregate);
                (since_us(aggregate.end_ms.saturating_mul(1_000)), wrong.map_or(End::Good, End::Unexpected))
            }
            _ => (Duration::ZERO, End::Unexpected(format!("{} is no aggregate", message.subject()))),
        };
        Observation { work: Work::Aggregates, took, end, label: "received" }
    }
}

fn since_us(at_us: u64) -> Duration {
    Duration::from_micros(now_us().saturating_sub(at_us))
}

/// Events about our orders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Decisions {
    /// `orders.placed`.
    pub(crate) placed: u64,
    /// `orders.rejected`.
    pub(crate) rejected: u64,
}

/// Counts the events about orders whose number starts with `prefix`, which is their key.
#[derive(Debug)]
pub(crate) struct Events {
    events: Subscription,
    prefix: String,
    decisions: Decisions,
}

impl Events {
    /// Subscribes to them.
    ///
    /// # Errors
    /// No connection, or what the node refused.
    pub(crate) async fn follow(mesh: &Client, prefix: &str) -> Result<Self, Error> {
        let events = mesh.subscribe("orders.*").await?;
        Ok(Self { events, prefix: prefix.to_owned(), decisions: Decisions::default() })
    }

    /// Counts until the task is cancelled or the subscription ends.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn count(&mut self) {
        while let Some(event) = self.events.next().await {
            self.take(&event);
        }
    }

    /// Counts until there are so many, or no more come. Gives what was counted.
    pub(crate) async fn await_decisions(mut self, expected: Decisions) -> Decisions {
        let wait = async {
            while self.decisions != expected {
                match self.events.next().await {
                    Some(event) => self.take(&event),
                    None => break,
                }
            }
        };
        // What is missing then is said by the count.
        tokio::time::timeout(EVENTS_WAIT, wait).await.ok();
        self.decisions
    }

    fn take(&mut self, event: &Message) {
        if !event.key().is_some_and(|key| key.starts_with(self.prefix.as_bytes())) {
            return;
        }
        match event.subject() {
            ORDERS_PLACED => self.decisions.placed += 1,
            ORDERS_REJECTED => self.decisions.rejected += 1,
            _ => {}
        }
    }
}
