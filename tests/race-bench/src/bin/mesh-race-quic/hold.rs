//! Connections that are there and idle.

use std::net::SocketAddr;

use mesh_race::line;
use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::side::{Connector, Listener};

/// Accepts connections with a stream each way, and keeps them until it is killed.
pub(crate) async fn keep(listener: &Listener) -> anyhow::Result<()> {
    line::ready(json!({ "address": listener.address()? }))?;
    loop {
        let connection = listener.accept().await?;
        tokio::spawn(async move {
            let mut from = connection.accept_uni().await?;
            let mut to = connection.open_uni().await?;
            to.write_all(&[0]).await?;
            drop(from.read_to_end(1).await);
            anyhow::Ok(())
        });
    }
}

/// Opens `count` connections with a stream each way, and keeps them until stdin ends.
pub(crate) async fn hold(connector: &Connector, to: SocketAddr, count: usize) -> anyhow::Result<()> {
    let mut held = Vec::with_capacity(count);
    for _ in 0..count {
        let connection = connector.connect(to).await?;
        let mut out = connection.open_uni().await?;
        out.write_all(&[0]).await?;
        let mut back = connection.accept_uni().await?;
        back.read_exact(&mut [0]).await?;
        held.push((connection, out, back));
    }
    line::ready(json!({}))?;
    tokio::io::stdin().read_u8().await.ok();
    Ok(())
}
