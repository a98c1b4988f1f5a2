//! Looking at the files of a store again and again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval_at};

use super::{Reload, Store};
use crate::set::{CertSet, Error};

/// How often the files are looked at.
///
/// Their contents are compared and not their times, which do not move when a link is swapped, as Kubernetes does it.
pub const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What [`watch`] tells.
#[derive(Debug)]
pub enum Event {
    /// There is a new set, which is the current one now.
    Changed(Arc<CertSet>),
    /// The files are different and bad; the current set stays. A failure that stays the same is told once.
    Failed(Error),
    /// After a failure the files are again those of the current set.
    Restored,
}

/// Looks at the files every [`POLL_INTERVAL`] and calls `tell` when something happened. It never ends.
///
/// The reads block the thread for some microseconds on a local disk; run it where that does no harm.
///
/// # Cancel safety
/// It can be dropped at any time.
pub async fn watch(store: Store, mut tell: impl FnMut(Event)) {
    let mut failed: Option<String> = None;
    let mut interval = interval_at(tokio::time::Instant::now() + POLL_INTERVAL, POLL_INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        match store.reload() {
            Ok(Reload::Same) if failed.take().is_some() => tell(Event::Restored),
            Ok(Reload::Same) => {}
            Ok(Reload::Changed(set)) => {
                failed = None;
                tell(Event::Changed(set));
            }
            Err(error) => {
                let text = error.to_string();
                if failed.as_ref() != Some(&text) {
                    failed = Some(text);
                    tell(Event::Failed(error));
                }
            }
        }
    }
}
