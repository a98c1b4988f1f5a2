//! Ping-pong: a message goes out and comes back, directly or through a middle.

use std::collections::VecDeque;
use std::path::Path;
use std::time::Instant;

use anyhow::ensure;
use mesh_race::{latency::Latencies, line};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// Bytes of every read buffer here.
const READ: usize = 64 * 1024;

/// Sends back what one client sends, until it goes.
pub(crate) async fn pong(socket: &Path) -> anyhow::Result<()> {
    let listener = UnixListener::bind(socket)?;
    line::ready(json!({}))?;
    let (mut stream, _) = listener.accept().await?;
    let mut buffer = vec![0; READ];
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..n]).await?;
    }
}

/// Passes on between one client and `to`, until the client goes.
pub(crate) async fn middle(socket: &Path, to: &Path) -> anyhow::Result<()> {
    let mut far = UnixStream::connect(to).await?;
    let listener = UnixListener::bind(socket)?;
    line::ready(json!({}))?;
    let (mut near, _) = listener.accept().await?;
    let (mut from_near, mut from_far) = (vec![0; READ], vec![0; READ]);
    loop {
        tokio::select! {
            n = near.read(&mut from_near) => match n? {
                0 => return Ok(()),
                n => far.write_all(&from_near[..n]).await?,
            },
            n = far.read(&mut from_far) => match n? {
                0 => return Ok(()),
                n => near.write_all(&from_far[..n]).await?,
            },
        }
    }
}

/// Keeps `window` messages under way until `count` came back.
pub(crate) async fn ping(socket: &Path, size: usize, count: usize, window: usize) -> anyhow::Result<()> {
    // More than a socket buffer under way could block both ends in a write.
    ensure!(size * window <= READ, "{window} messages of {size} bytes are more than {READ} bytes");
    ensure!(size > 0 && window > 0, "a size and a window of at least 1");
    let mut stream = UnixStream::connect(socket).await?;
    let message = vec![0; READ];
    let mut buffer = vec![0; READ];
    let mut asked = VecDeque::with_capacity(window);
    let mut latencies = Latencies::with_capacity(count);
    let (mut sent, mut back, mut partial) = (0, 0, 0);
    let mut room = window;
    let first = Instant::now();
    while back < count {
        let more = room.min(count - sent);
        if more > 0 {
            let now = Instant::now();
            asked.extend(std::iter::repeat_n(now, more));
            stream.write_all(&message[..more * size]).await?;
            sent += more;
        }
        let n = stream.read(&mut buffer).await?;
        ensure!(n > 0, "the other end went after {back} of {count} messages");
        partial += n;
        room = partial / size;
        partial %= size;
        back += room;
        let now = Instant::now();
        asked.drain(..room).for_each(|then| latencies.record(now - then));
    }
    let elapsed = first.elapsed();
    let pairs_p50 = latencies.pairs().micros_at(0.5);
    let mut report = latencies.report(elapsed);
    report["two_p50_us"] = json!(pairs_p50);
    line::emit(&report)?;
    Ok(())
}
