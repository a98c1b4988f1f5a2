//! The connections of a measurement.

use futures_util::stream::{FuturesUnordered, TryStreamExt as _};
use mesh_client::Client;

use crate::failure::Failure;
use crate::session::{Lost, Session};

/// Opens `count` connections, one after the other.
pub(super) async fn connect(session: &mut Session<'_>, count: u32) -> Result<Vec<Client>, Failure> {
    let mut clients = Vec::with_capacity(count as usize);
    for _ in 0..count {
        clients.push(session.connect(Lost::Ends).await?);
    }
    Ok(clients)
}

/// Runs `work` for each client, all at once, until all are done or one fails.
pub(super) async fn each<'c, T, W>(
    clients: &'c [Client],
    work: impl Fn(usize, &'c Client) -> W,
) -> Result<Vec<T>, Failure>
where
    W: Future<Output = Result<T, Failure>>,
{
    let running: FuturesUnordered<W> =
        clients.iter().enumerate().map(|(at, client)| work(at, client)).collect();
    running.try_collect().await
}

/// Closes them all.
pub(super) async fn close(clients: Vec<Client>) {
    for client in clients {
        client.close().await;
    }
}
