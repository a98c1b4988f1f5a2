//! How many requests are under way in the node, and when there are none.

use tokio::sync::watch;

/// Counted by links, awaited by the drain.
#[derive(Debug)]
pub(crate) struct InFlight(watch::Sender<usize>);

impl InFlight {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// A link's number changed from `before` to `after`.
    pub(crate) fn changed(&self, before: usize, after: usize) {
        self.0.send_modify(|sum| *sum = *sum + after - before);
    }

    pub(crate) fn len(&self) -> usize {
        *self.0.borrow()
    }

    /// Completes when there are none.
    pub(crate) async fn none(&self) {
        // The sender is `self`, so the channel can't be closed.
        self.0.subscribe().wait_for(|sum| *sum == 0).await.ok();
    }
}
