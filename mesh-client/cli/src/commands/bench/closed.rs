//! Requests in a closed loop: the next one is sent when one is answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use mesh_client::Client;

use super::request::Work;
use crate::failure::Failure;

/// Sends `count` requests with the window of `work` under way at once.
pub(super) async fn run(client: &Client, work: &Work, count: u64) -> Result<(), Failure> {
    let begun = AtomicU64::new(0);
    let lane = || async {
        while begun.fetch_add(1, Ordering::Relaxed) < count {
            let sent = Instant::now();
            let result = client.request(&work.subject, &work.body[..]).timeout(work.timeout).await;
            if !work.tally.lock().count(result, sent) {
                begun.store(count, Ordering::Relaxed);
            }
        }
    };
    if work.window == 1 {
        lane().await;
        return Ok(());
    }
    let mut lanes: FuturesUnordered<_> = (0..work.window).map(|_| lane()).collect();
    while lanes.next().await.is_some() {}
    Ok(())
}
