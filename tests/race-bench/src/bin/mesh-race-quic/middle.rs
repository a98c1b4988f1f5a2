//! A process between two that only copies bytes.

use std::net::SocketAddr;

use anyhow::bail;
use mesh_race::line;
use quinn::{Connection, ReadError, RecvStream, SendStream, WriteError};
use serde_json::json;

use crate::side::{Connector, Listener, is_end};

/// Bytes of every read buffer here.
pub(crate) const READ: usize = 64 * 1024;

/// Passes on between one client and `to`, until the client has finished its stream or goes.
pub(crate) async fn middle(listener: &Listener, connector: &Connector, to: SocketAddr) -> anyhow::Result<()> {
    let far = connector.connect(to).await?;
    line::ready(json!({ "address": listener.address()? }))?;
    let near = listener.accept().await?;
    tokio::select! {
        passed = pass(&near, &far) => passed?,
        passed = pass(&far, &near) => passed?,
    }
    connector.close().await;
    Ok(())
}

/// Passes on one stream, whole.
async fn pass(near: &Connection, far: &Connection) -> anyhow::Result<()> {
    let mut from = near.accept_uni().await?;
    let mut to = far.open_uni().await?;
    let mut buffer = vec![0; READ];
    while let Some(n) = read(&mut from, &mut buffer).await? {
        if !write(&mut to, &buffer[..n]).await? {
            return Ok(());
        }
    }
    to.finish()?;
    // Whoever is gone before everything has come wants no more of it.
    to.stopped().await.ok();
    Ok(())
}

/// Bytes that came; none when the other side went.
pub(crate) async fn read(from: &mut RecvStream, buffer: &mut [u8]) -> anyhow::Result<Option<usize>> {
    match from.read(buffer).await {
        Ok(n) => Ok(n),
        Err(ReadError::ConnectionLost(error)) if is_end(&error) => Ok(None),
        Err(error) => bail!(error),
    }
}

/// Whether the other side is still there to take them.
pub(crate) async fn write(to: &mut SendStream, bytes: &[u8]) -> anyhow::Result<bool> {
    match to.write_all(bytes).await {
        Ok(()) => Ok(true),
        Err(WriteError::ConnectionLost(error)) if is_end(&error) => Ok(false),
        Err(error) => bail!(error),
    }
}
