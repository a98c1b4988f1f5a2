//! Clients on the network.

use std::env;
use std::io::{self, Write};
use std::net::SocketAddr;

use mesh_client::{Client, ClientBuilder, ConnectionEvent, Events};
use tokio::time::timeout;

use crate::{Certificates, PATIENCE};

/// Where a trial's seed may be given, to repeat one.
const SEED: &str = "MESH_TRIAL_SEED";

/// A client over QUIC that shows a service's certificate.
pub fn client(address: SocketAddr, certificates: &Certificates, service: &str) -> ClientBuilder {
    let builder = Client::builder().name(service).endpoint(format!("quic://{address}"));
    builder.certs(certificates.path()).identity(service).connect_timeout(PATIENCE)
}

/// Waits until a client is connected.
///
/// # Panics
/// When that does not happen.
pub async fn connected(events: &mut Events) {
    wait(events, "connected", |event| matches!(event, ConnectionEvent::Connected { .. }).then_some(())).await;
}

/// Waits until a client is disconnected; the reason.
///
/// # Panics
/// When that does not happen.
pub async fn disconnected(events: &mut Events) -> String {
    wait(events, "disconnected", |event| match event {
        ConnectionEvent::Disconnected { reason } => Some(reason),
        _ => None,
    })
    .await
}

async fn wait<T>(events: &mut Events, what: &str, is: impl Fn(ConnectionEvent) -> Option<T>) -> T {
    let waiting = async {
        loop {
            let event = events.next().await.expect("the client is not closed");
            if let Some(found) = is(event) {
                return found;
            }
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("waited too long until {what}"))
}

/// The seed of a trial: `MESH_TRIAL_SEED`, else `usual`. It is printed, so that a failure can be repeated.
///
/// # Panics
/// When the variable is no number.
#[must_use]
pub fn seed(usual: u64) -> u64 {
    let seed = env::var(SEED).map_or(usual, |text| text.parse().expect("MESH_TRIAL_SEED is a number"));
    // Where there is nobody to read it, it is not missed.
    writeln!(io::stderr(), "seed: {SEED}={seed}").ok();
    seed
}
