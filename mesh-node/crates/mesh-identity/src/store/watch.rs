//! Looking at the files of a store again and again.

use std::sync::Arc;

use super::{Reload, Store};
use crate::poll::{Change, every_second};
use crate::set::{CertSet, Error};

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

/// Looks at the files every [`POLL_INTERVAL`](super::POLL_INTERVAL) and calls `tell` when something happened. It never
/// ends.
///
/// The reads block the thread for some microseconds on a local disk; run it where that does no harm.
///
/// # Cancel safety
/// It can be dropped at any time.
pub async fn watch(store: Store, mut tell: impl FnMut(Event)) {
    let look = || match store.reload()? {
        Reload::Same => Ok(None),
        Reload::Changed(set) => Ok(Some(set)),
    };
    every_second(look, |change| {
        tell(match change {
            Change::New(set) => Event::Changed(set),
            Change::Failed(error) => Event::Failed(error),
            Change::Restored => Event::Restored,
        });
    })
    .await;
}
