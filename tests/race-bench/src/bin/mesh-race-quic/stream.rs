//! A stream from one process to another, in large writes, without a copy by either.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, ensure};
use bytes::Bytes;
use mesh_race::line;
use quinn::{ConnectionStats, VarInt};
use serde_json::{Value, json};

use crate::side::{Connector, Listener};

/// Bytes taken at once, at most.
const READ: usize = 256 * 1024;

/// Reads one client's stream until it ends, and reports its speed from the first byte on.
pub(crate) async fn sink(listener: &Listener) -> anyhow::Result<()> {
    line::ready(json!({ "address": listener.address()? }))?;
    let connection = listener.accept().await?;
    let mut stream = connection.accept_uni().await?;
    let mut bytes = stream.read_chunk(READ, true).await?.context("an empty stream")?.bytes.len();
    let first = Instant::now();
    while let Some(chunk) = stream.read_chunk(READ, true).await? {
        bytes += chunk.bytes.len();
    }
    let seconds = first.elapsed().as_secs_f64();
    // The writer goes when it knows that everything is here.
    connection.closed().await;
    line::emit(&json!({ "bytes": bytes, "seconds": seconds, "bytes_per_second": bytes as f64 / seconds }))?;
    Ok(())
}

/// Writes `bytes` in writes of `write` bytes.
pub(crate) async fn source(
    connector: &Connector,
    to: SocketAddr,
    bytes: u64,
    write: usize,
) -> anyhow::Result<()> {
    let connection = connector.connect(to).await?;
    let mut stream = connection.open_uni().await?;
    let block = Bytes::from(vec![0; write]);
    let mut left = bytes;
    while left > 0 {
        let n = left.min(write as u64) as usize;
        stream.write_chunk(block.slice(..n)).await?;
        left -= n as u64;
    }
    stream.finish()?;
    let refused: Option<VarInt> = stream.stopped().await?;
    ensure!(refused.is_none(), "the reader stopped the stream");
    line::emit(&path(&connection.stats()))?;
    connector.close().await;
    Ok(())
}

/// How the packets went.
fn path(stats: &ConnectionStats) -> Value {
    json!({
        "mtu": stats.path.current_mtu,
        "congestion_window": stats.path.cwnd,
        "packets": stats.path.sent_packets,
        "lost_packets": stats.path.lost_packets,
        "datagrams": stats.udp_tx.datagrams,
        "sends": stats.udp_tx.ios,
    })
}
