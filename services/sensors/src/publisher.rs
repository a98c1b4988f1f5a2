//! Publishes this machine's readings, round after round.

use std::time::Duration;

use mesh_client::{Client, Error, Json};
use tokio::time::{MissedTickBehavior, interval};

use crate::clock::now_us;
use crate::machine::{Machine, Sample};
use crate::reading::Reading;
use crate::series::Series;

/// Reads the machine each `every` and publishes what it reads under `host`, without end. A round that could not be
/// published is told in the log and made up for by the next one.
///
/// # Cancel safety
/// Safe: it stops between two messages.
pub async fn publish(mesh: &Client, host: &str, every: Duration) {
    let mut machine = Machine::new();
    let mut rounds = interval(every);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once, and a processor's load needs some time to be a load of.
    rounds.tick().await;
    loop {
        rounds.tick().await;
        // Reading takes some milliseconds of this thread, which has nothing else to do.
        let samples = machine.read();
        if let Err(error) = round(mesh, host, samples, now_us()).await {
            tracing::warn!(%error, "readings were not published");
        }
    }
}

async fn round(mesh: &Client, host: &str, samples: Vec<Sample>, taken_us: u64) -> Result<(), Error> {
    for (kind, value, unit) in samples {
        let Some(series) = Series::new(host, &kind) else { continue };
        mesh.publish(&series.reading_subject(), Json(Reading { value, unit, taken_us })).await?;
    }
    Ok(())
}
