//! `mesh bench pub`

use std::cell::Cell;
use std::time::Instant;

use mesh_client::Client;

use super::clients;
use super::load::{Load, shares};
use super::pacer::Pacer;
use super::report::Report;
use crate::failure::Failure;
use crate::session::{self, Session};
use crate::subjects;

/// Publishes, waits until the node has taken everything, and tells how fast that went.
pub(super) async fn run(load: &Load, session: &mut Session<'_>) -> Result<(), Failure> {
    let subject = subjects::to_publish(&load.subject)?;
    let clients = clients::connect(session, load.shared.clients).await?;
    let mut events: Vec<_> = clients.iter().map(Client::events).collect();
    let body = vec![b'm'; load.size];
    let shares = shares(load.count, load.shared.clients);
    let sent = Cell::new(0);
    let mut stop = session.stop.clone();
    let started = Instant::now();
    let done = stop
        .or(clients::each(&clients, |at, client| {
            let rate = load.rate.map(|rate| (rate / u64::from(load.shared.clients)).max(1));
            publish(client, subject, &body, shares[at], rate, &sent)
        }))
        .await;
    let took = started.elapsed();
    let report = Report {
        size: load.size as u64,
        clients: load.shared.clients.into(),
        ..Report::new("pub", sent.get(), sent.get() * load.size as u64, took)
    }
    .between(started, started + took);
    report.write(load.shared.form(session.output), session.output)?;
    done??;
    if let Some(refusal) = events.iter_mut().find_map(session::refused) {
        return Err(refusal);
    }
    clients::close(clients).await;
    Ok(())
}

async fn publish(
    client: &Client,
    subject: &str,
    body: &[u8],
    count: u64,
    rate: Option<u64>,
    sent: &Cell<u64>,
) -> Result<(), Failure> {
    match rate {
        None => {
            for _ in 0..count {
                client.publish(subject, body).await?;
                sent.set(sent.get() + 1);
            }
        }
        Some(rate) => {
            let mut pacer = Pacer::start(rate)?;
            let mut left = count;
            while left > 0 {
                pacer.tick().await?;
                let now = Instant::now();
                while left > 0 && pacer.due(now).is_some() {
                    client.publish(subject, body).await?;
                    sent.set(sent.get() + 1);
                    left -= 1;
                }
            }
        }
    }
    client.flush().await?;
    Ok(())
}
