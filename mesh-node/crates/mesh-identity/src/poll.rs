//! Looking at something every second.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// How often files are looked at.
///
/// Their contents are compared and not their times, which do not move when a link is swapped, as Kubernetes does it.
pub const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What is worth telling.
pub(crate) enum Change<T, E> {
    New(T),
    Failed(E),
    Restored,
}

/// Calls `look` every [`POLL_INTERVAL`], and `tell` when what it found is new. A failure that stays the same is told
/// once.
pub(crate) async fn every_second<T, E: Display>(
    mut look: impl FnMut() -> Result<Option<T>, E>,
    mut tell: impl FnMut(Change<T, E>),
) {
    let mut failed: Option<String> = None;
    let mut interval = interval_at(Instant::now() + POLL_INTERVAL, POLL_INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        match look() {
            Ok(None) if failed.take().is_some() => tell(Change::Restored),
            Ok(None) => {}
            Ok(Some(new)) => {
                failed = None;
                tell(Change::New(new));
            }
            Err(error) => {
                let text = error.to_string();
                if failed.as_ref() != Some(&text) {
                    failed = Some(text);
                    tell(Change::Failed(error));
                }
            }
        }
    }
}
