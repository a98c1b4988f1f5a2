//! The inventory on the mesh.

use std::sync::{Arc, PoisonError};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use mesh_client::serve::{Body, Server, State};
use mesh_client::{Client, Failure};

use super::{Error, Inventory, Stats};
use crate::api::{OfOrder, Released, Reserve, Reserved};

/// Name of the service.
pub const SERVICE: &str = "inventory";

/// One inventory for all calls: each takes some microseconds and waits for nothing, so a lock is all it needs.
#[derive(Debug, Clone)]
struct Service(Arc<Mutex<Inventory>>);

impl Service {
    fn inventory(&self) -> MutexGuard<'_, Inventory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts answering `inventory.reserve`, `confirm`, `release` and `stats`.
///
/// # Errors
/// No connection, or what the node refused.
pub async fn serve(mesh: &Client, inventory: Inventory) -> Result<Server, mesh_client::Error> {
    mesh.serve(SERVICE)
        .version(env!("CARGO_PKG_VERSION"))
        .description("holds stock for orders")
        .state(Service(Arc::new(Mutex::new(inventory))))
        .handle("reserve", reserve)
        .handle("confirm", confirm)
        .handle("release", release)
        .handle("stats", stats)
        .spawn()
        .await
}

async fn reserve(
    State(service): State<Service>,
    Body(wanted): Body<Reserve>,
) -> Result<Body<Reserved>, Failure> {
    let total = service.inventory().reserve(Instant::now(), &wanted.order, &wanted.lines).map_err(failure)?;
    Ok(Body(Reserved { total }))
}

async fn confirm(State(service): State<Service>, Body(sold): Body<OfOrder>) -> Result<Body<()>, Failure> {
    service.inventory().confirm(Instant::now(), &sold.order).map_err(failure)?;
    Ok(Body(()))
}

async fn release(State(service): State<Service>, Body(unwanted): Body<OfOrder>) -> Body<Released> {
    Body(Released { units: service.inventory().release(Instant::now(), &unwanted.order) })
}

async fn stats(State(service): State<Service>) -> Body<Stats> {
    let mut inventory = service.inventory();
    // Holds end when somebody looks; no timer is needed for them.
    inventory.handle_timeout(Instant::now());
    Body(inventory.stats())
}

fn failure(error: Error) -> Failure {
    Failure::new(error.code(), format!("{error}; {}", error.hint()))
}
