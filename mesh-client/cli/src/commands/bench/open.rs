//! Requests in an open loop: the next one is sent when it is due, whatever became of those before.

use std::time::Instant;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use mesh_client::Client;

use super::pacer::Pacer;
use super::request::Work;
use crate::failure::Failure;

/// Sends `count` requests, `rate` of them in a second, with at most the window of `work` under way.
///
/// A latency counts from the moment at which its request was due. When the window is full, or this process was late,
/// requests are sent late and their wait is part of their latency: a stall delays those behind it, and hiding that
/// would be the coordinated omission that closed loops are prone to.
pub(super) async fn run(client: &Client, work: &Work, count: u64, rate: u64) -> Result<(), Failure> {
    let mut pacer = Pacer::start(rate)?;
    let mut under_way = FuturesUnordered::new();
    let mut left = count;
    let window = work.window as usize;
    while left > 0 {
        tokio::select! {
            biased;
            answered = under_way.next(), if !under_way.is_empty() => {
                if answered == Some(false) {
                    return Ok(());
                }
            }
            due = pacer.tick(), if under_way.len() < window => due?,
        }
        let now = Instant::now();
        while left > 0 && under_way.len() < window {
            let Some(due) = pacer.due(now) else { break };
            left -= 1;
            under_way.push(async move {
                let result = client.request(&work.subject, &work.body[..]).timeout(work.timeout).await;
                work.tally.lock().count(result, due)
            });
        }
    }
    while under_way.next().await == Some(true) {}
    Ok(())
}
