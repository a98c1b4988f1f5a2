//! A stream from one process to another, in large writes.

use std::path::Path;
use std::time::Instant;

use mesh_race::line;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// Bytes read at once, as a node does.
const READ: usize = 256 * 1024;

/// Reads one client's stream until it ends, and reports its speed from the first byte on.
pub(crate) async fn sink(socket: &Path) -> anyhow::Result<()> {
    let listener = UnixListener::bind(socket)?;
    line::ready(json!({}))?;
    let (mut stream, _) = listener.accept().await?;
    let mut buffer = vec![0; READ];
    let mut bytes = stream.read(&mut buffer).await? as u64;
    let first = Instant::now();
    loop {
        match stream.read(&mut buffer).await? {
            0 => break,
            n => bytes += n as u64,
        }
    }
    let seconds = first.elapsed().as_secs_f64();
    line::emit(&json!({ "bytes": bytes, "seconds": seconds, "bytes_per_second": bytes as f64 / seconds }))?;
    Ok(())
}

/// Writes `bytes` in writes of `write` bytes.
pub(crate) async fn source(socket: &Path, bytes: u64, write: usize) -> anyhow::Result<()> {
    let mut stream = UnixStream::connect(socket).await?;
    let block = vec![0; write];
    let mut left = bytes;
    while left > 0 {
        let n = left.min(write as u64);
        stream.write_all(&block[..n as usize]).await?;
        left -= n;
    }
    stream.shutdown().await?;
    Ok(())
}
