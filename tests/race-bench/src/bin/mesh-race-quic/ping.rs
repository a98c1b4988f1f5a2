//! Ping-pong: a message goes out on one stream and comes back on another.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::ensure;
use mesh_race::{latency::Latencies, line};
use serde_json::json;

use crate::middle::{READ, read, write};
use crate::side::{Connector, Listener};

/// Sends back what one client sends, until it goes.
pub(crate) async fn pong(listener: &Listener) -> anyhow::Result<()> {
    line::ready(json!({ "address": listener.address()? }))?;
    let connection = listener.accept().await?;
    let mut from = connection.accept_uni().await?;
    let mut to = connection.open_uni().await?;
    let mut buffer = vec![0; READ];
    while let Some(n) = read(&mut from, &mut buffer).await? {
        if !write(&mut to, &buffer[..n]).await? {
            break;
        }
    }
    Ok(())
}

/// Sends `count` messages, each when the one before has come back.
pub(crate) async fn ping(
    connector: &Connector,
    to: SocketAddr,
    size: usize,
    count: usize,
) -> anyhow::Result<()> {
    ensure!((1..=READ).contains(&size), "a size between 1 and {READ}");
    let connection = connector.connect(to).await?;
    let mut to = connection.open_uni().await?;
    let message = vec![0; size];
    let mut buffer = vec![0; READ];
    to.write_all(&message).await?;
    let mut from = connection.accept_uni().await?;
    from.read_exact(&mut buffer[..size]).await?;
    let mut latencies = Latencies::with_capacity(count);
    let first = Instant::now();
    for _ in 0..count {
        let asked = Instant::now();
        to.write_all(&message).await?;
        from.read_exact(&mut buffer[..size]).await?;
        latencies.record(asked.elapsed());
    }
    let elapsed = first.elapsed();
    let pairs_p50 = latencies.pairs().micros_at(0.5);
    let mut report = latencies.report(elapsed);
    report["two_p50_us"] = json!(pairs_p50);
    connector.close().await;
    line::emit(&report)?;
    Ok(())
}
