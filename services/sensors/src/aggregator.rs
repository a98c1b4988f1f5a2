//! Follows everybody's readings and publishes what each window comes to.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mesh_client::serve::{Body, Server, State};
use mesh_client::{Client, Error, Json, Message, Subscription};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::clock::now_ms;
use crate::reading::Reading;
use crate::series::{READINGS, Series};
use crate::windows::{Counts, Options, Windows};

/// Name of the service that answers `aggregator.stats`.
pub const SERVICE: &str = "aggregator";
/// Answers with [`Stats`].
pub const STATS: &str = "aggregator.stats";

/// The reply to [`STATS`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// What became of the readings that came.
    pub readings: Counts,
    /// Readings that were dropped on the way because this aggregator could not keep up.
    pub dropped: u64,
    /// Aggregates published.
    pub published: u64,
    /// Aggregates that could not be published.
    pub unpublished: u64,
    /// Series in the open windows.
    pub open_series: u64,
}

type Shared = Arc<Mutex<Stats>>;

/// An aggregator that follows the readings already.
#[derive(Debug)]
pub struct Aggregator {
    mesh: Client,
    readings: Subscription,
    windows: Windows,
    stats: Shared,
    server: Server,
}

impl Aggregator {
    /// Subscribes to all readings and starts answering [`STATS`].
    ///
    /// # Errors
    /// No connection, or what the node refused.
    pub async fn start(mesh: &Client, options: Options) -> Result<Self, Error> {
        let readings = mesh.subscribe(&format!("{READINGS}.>")).await?;
        let stats = Shared::default();
        let server = mesh
            .serve(SERVICE)
            .version(env!("CARGO_PKG_VERSION"))
            .description("aggregates readings per window")
            .state(stats.clone())
            .handle("stats", answer)
            .spawn()
            .await?;
        Ok(Self { mesh: mesh.clone(), readings, windows: Windows::new(options), stats, server })
    }

    /// Aggregates until the subscription or the service ends. Windows that are open then are not published: they are not whole.
    ///
    /// # Cancel safety
    /// Safe: it can be called again.
    pub async fn run(&mut self) {
        loop {
            // The wait is a bound, so that a clock that was set does not stretch it for long.
            let due = self.windows.poll_timeout().map_or(u64::MAX, |at_ms| at_ms.saturating_sub(now_ms()));
            let wait = Duration::from_millis(due.min(1_000));
            tokio::select! {
                message = self.readings.next() => match message {
                    Some(message) => self.take(&message),
                    None => break,
                },
                () = sleep(wait) => self.windows.handle_timeout(now_ms()),
                () = self.server.join() => break,
            }
            self.publish().await;
        }
    }

    fn take(&mut self, message: &Message) {
        match (Series::of_reading(message.subject()), message.decode::<Reading>()) {
            (Some(series), Ok(reading)) => self.windows.handle_reading(now_ms(), series, reading),
            _ => self.windows.handle_invalid(),
        }
    }

    /// Publishes what windows came to, and tells the stats.
    async fn publish(&mut self) {
        let (mut published, mut unpublished) = (0, 0);
        while let Some((series, aggregate)) = self.windows.poll_output() {
            match self.mesh.publish(&series.aggregate_subject(), Json(aggregate)).await {
                Ok(()) => published += 1,
                Err(_) => unpublished += 1,
            }
        }
        if unpublished > 0 {
            tracing::warn!(count = unpublished, "aggregates were not published");
        }
        let mut stats = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        *stats = Stats {
            readings: self.windows.counts(),
            dropped: self.readings.dropped(),
            published: stats.published + published,
            unpublished: stats.unpublished + unpublished,
            open_series: self.windows.open_series() as u64,
        };
    }
}

async fn answer(State(stats): State<Shared>) -> Body<Stats> {
    Body(*stats.lock().unwrap_or_else(PoisonError::into_inner))
}
