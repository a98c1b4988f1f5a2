//! Payment on the mesh.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mesh_client::serve::{Body, Deadline, Server, State};
use mesh_client::{Client, Failure};

use super::{Answer, Error, Payments, Receipt, Stats};
use crate::api::{Charge, OfOrder, Voided};

/// Name of the service.
pub const SERVICE: &str = "payment";
/// How long after the caller's deadline a slow bank answers.
const BANK_LATENESS: Duration = Duration::from_millis(50);

/// All charges, for all calls: each takes some microseconds and waits for nothing, so a lock is all it needs.
#[derive(Debug, Clone)]
struct Service(Arc<Mutex<Payments>>);

impl Service {
    fn payments(&self) -> MutexGuard<'_, Payments> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts answering `payment.charge`, `void` and `stats`.
///
/// # Errors
/// No connection, or what the node refused.
pub async fn serve(mesh: &Client, payments: Payments) -> Result<Server, mesh_client::Error> {
    mesh.serve(SERVICE)
        .version(env!("CARGO_PKG_VERSION"))
        .description("charges cards")
        .state(Service(Arc::new(Mutex::new(payments))))
        .handle("charge", charge)
        .handle("void", void)
        .handle("stats", stats)
        .spawn()
        .await
}

async fn charge(
    State(service): State<Service>,
    deadline: Deadline,
    Body(wanted): Body<Charge>,
) -> Result<Body<Receipt>, Failure> {
    let Charge { order, card, amount } = wanted;
    let answer = service.payments().charge(&order, &card, amount).map_err(failure)?;
    match answer {
        Answer::Now(receipt) => Ok(Body(receipt)),
        Answer::Late => {
            // The bank goes on when nobody waits for this call any more, as banks do.
            let bank = tokio::spawn(async move {
                tokio::time::sleep(deadline.remaining() + BANK_LATENESS).await;
                service.payments().capture(&order, &card, amount)
            });
            Ok(Body(bank.await?.map_err(failure)?))
        }
    }
}

async fn void(State(service): State<Service>, Body(unwanted): Body<OfOrder>) -> Body<Voided> {
    Body(Voided { refunded: service.payments().void(&unwanted.order) })
}

async fn stats(State(service): State<Service>) -> Body<Stats> {
    Body(service.payments().stats())
}

fn failure(error: Error) -> Failure {
    Failure::new(error.code(), format!("{error}; {}", error.hint()))
}
