//! Ping-pong: a message goes out on one stream and comes back on another, directly or through a middle.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use mesh_race::{latency::Latencies, line};
use quinn::{ReadError, RecvStream, SendStream, WriteError};
use serde_json::json;

use crate::side::{Connector, Listener, is_end};

/// Bytes of every read buffer here.
const READ: usize = 64 * 1024;

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

/// Passes on between one client and `to`, until the client goes.
pub(crate) async fn middle(listener: &Listener, connector: &Connector, to: SocketAddr) -> anyhow::Result<()> {
    let far = connector.connect(to).await?;
    line::ready(json!({ "address": listener.address()? }))?;
    let near = listener.accept().await?;
    let (mut to_far, mut to_near) = (far.open_uni().await?, near.open_uni().await?);
    let mut from_near = near.accept_uni().await?;
    let (mut there, mut back) = (vec![0; READ], vec![0; READ]);
    // The far side opens its stream only once it has something to say.
    let first = read(&mut from_near, &mut there).await?.context("a client without a message")?;
    write(&mut to_far, &there[..first]).await?;
    let mut from_far = far.accept_uni().await?;
    loop {
        tokio::select! {
            n = read(&mut from_near, &mut there) => match n? {
                None => break,
                Some(n) => drop(write(&mut to_far, &there[..n]).await?),
            },
            n = read(&mut from_far, &mut back) => match n? {
                None => break,
                Some(n) => drop(write(&mut to_near, &back[..n]).await?),
            },
        }
    }
    connector.close().await;
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

/// Bytes that came; none when the other side went.
async fn read(from: &mut RecvStream, buffer: &mut [u8]) -> anyhow::Result<Option<usize>> {
    match from.read(buffer).await {
        Ok(n) => Ok(n),
        Err(ReadError::ConnectionLost(error)) if is_end(&error) => Ok(None),
        Err(error) => bail!(error),
    }
}

/// Whether the other side is still there to take them.
async fn write(to: &mut SendStream, bytes: &[u8]) -> anyhow::Result<bool> {
    match to.write_all(bytes).await {
        Ok(()) => Ok(true),
        Err(WriteError::ConnectionLost(error)) if is_end(&error) => Ok(false),
        Err(error) => bail!(error),
    }
}
