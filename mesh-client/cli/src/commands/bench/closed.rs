//! Requests in a closed loop: the next one is sent when one is answered.

use std::cell::Cell;
use std::time::Instant;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use mesh_client::Client;

use super::request::Work;
use crate::failure::Failure;

/// Sends `count` requests with the window of `work` under way at once.
pub(super) async fn run(client: &Client, work: &Work<'_>, count: u64) -> Result<(), Failure> {
    let left = Cell::new(count);
    let lane = || async {
        while left.get() > 0 {
            left.set(left.get() - 1);
            let sent = Instant::now();
            let result = client.request(work.subject, &work.body[..]).timeout(work.timeout).await;
            if !work.tally.borrow_mut().count(result, sent) {
                left.set(0);
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
