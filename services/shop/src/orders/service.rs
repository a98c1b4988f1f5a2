//! Orders on the mesh: runs the steps of each order, and tells everybody what was decided.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use mesh_client::serve::{Body, Deadline, Server, State};
use mesh_client::{Client, Error, Failure, Json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::fault::of_error;
use super::outcome::{Decided, Outcome};
use super::saga::{Action, Done, Saga, Step};
use super::stats::Stats;
use crate::api::{
    Charge, INVENTORY_CONFIRM, INVENTORY_RELEASE, INVENTORY_RESERVE, ORDERS_PLACED, ORDERS_REJECTED, OfOrder,
    PAYMENT_CHARGE, PAYMENT_VOID, Released, Reserve, Reserved, Voided,
};
use crate::memory::{Bounds, Memory};
use crate::order::Order;

/// Name of the service.
pub const SERVICE: &str = "orders";
/// Orders that are worked on at once; more wait at the node.
pub const ORDERS_AT_ONCE: u32 = 256;
/// Number of the failure of an order whose number was used for another one.
pub const KEY_REUSED: u32 = 401;

/// The orders service.
#[derive(Debug)]
pub struct Orders {
    server: Server,
    under_way: Arc<Semaphore>,
}

#[derive(Debug, Clone)]
struct Service {
    mesh: Client,
    /// One permit for each order under way, whether somebody waits for it or not.
    under_way: Arc<Semaphore>,
    book: Arc<Mutex<Book>>,
}

/// What was decided, and how often.
#[derive(Debug)]
struct Book {
    decided: Memory<(Order, Outcome)>,
    stats: Stats,
}

impl Book {
    /// For an order that was decided before: its outcome again, or nothing when its number was used for another one.
    fn repeated(&mut self, order: &Order) -> Option<Option<Outcome>> {
        let (before, outcome) = self.decided.get(&order.id)?;
        let outcome = (before == order).then(|| outcome.clone());
        self.stats.repeated += u64::from(outcome.is_some());
        Some(outcome)
    }
}

impl Orders {
    /// Starts answering `orders.place` and `orders.stats`.
    ///
    /// # Errors
    /// No connection, or what the node refused.
    pub async fn serve(mesh: &Client, bounds: Bounds) -> Result<Self, Error> {
        let under_way = Arc::new(Semaphore::new(ORDERS_AT_ONCE as usize));
        let book = Book { decided: Memory::new(bounds), stats: Stats::default() };
        let service =
            Service { mesh: mesh.clone(), under_way: under_way.clone(), book: Arc::new(Mutex::new(book)) };
        let server = mesh
            .serve(SERVICE)
            .version(env!("CARGO_PKG_VERSION"))
            .description("places orders")
            .state(service)
            .concurrency(ORDERS_AT_ONCE)
            .handle("place", place)
            .handle("stats", stats)
            .spawn()
            .await?;
        Ok(Self { server, under_way })
    }

    /// Waits until the service has ended, because the node refused it or the client is closed.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn join(&self) {
        self.server.join().await;
    }

    /// Takes no more orders and waits until those under way are decided, also those that nobody waits for any more.
    ///
    /// # Cancel safety
    /// No more orders are taken; calling it again waits again.
    pub async fn drain(&self) {
        self.server.drain().await;
        // It fails only when the semaphore is closed, which nobody does.
        self.under_way.acquire_many(ORDERS_AT_ONCE).await.ok();
    }
}

async fn place(
    State(service): State<Service>,
    Deadline(deadline): Deadline,
    Body(order): Body<Order>,
) -> Result<Body<Outcome>, Failure> {
    if let Some(answer) = service.book().repeated(&order) {
        let reused = || Failure::new(KEY_REUSED, "the order's number was used for another order");
        return answer.map(Body).ok_or_else(reused);
    }
    let permit = service.under_way.clone().acquire_owned().await?;
    // On a task of its own: when the caller gives up, the order is still brought to its end, forward or back.
    let decided = tokio::spawn(service.decide(order, deadline, permit));
    Ok(Body(decided.await?))
}

async fn stats(State(service): State<Service>) -> Body<Stats> {
    Body(service.book().stats)
}

impl Service {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn decide(self, order: Order, deadline: Instant, _under_way: OwnedSemaphorePermit) -> Outcome {
        let mut saga = Saga::new(Instant::now(), deadline);
        let outcome = loop {
            while let Some(step) = saga.poll_output() {
                let answer = self.take(&order, step).await;
                let answer = answer.map_err(|error| of_error(step.action, &error));
                saga.handle_answer(Instant::now(), answer);
            }
            if let Some(outcome) = saga.outcome() {
                break outcome;
            }
        };
        self.tell(order, &outcome).await;
        outcome
    }

    /// Makes the call of a step. Each is safe to repeat under the order's number, and says so.
    async fn take(&self, order: &Order, step: Step) -> Result<Done, Error> {
        // Even a sleep of nothing lasts until the timer's next tick.
        if !step.wait.is_zero() {
            tokio::time::sleep(step.wait).await;
        }
        let (mesh, timeout) = (&self.mesh, step.timeout);
        let of_order = OfOrder { order: order.id.clone() };
        match step.action {
            Action::Reserve => {
                let wanted = Reserve { order: order.id.clone(), lines: order.lines.clone() };
                let reserved = mesh.call(INVENTORY_RESERVE, &wanted).timeout(timeout).idempotent().await;
                reserved.map(|Reserved { total }| Done::Reserved(total))
            }
            Action::Charge(amount) => {
                let wanted = Charge { order: order.id.clone(), card: order.card.clone(), amount };
                mesh.call(PAYMENT_CHARGE, &wanted).timeout(timeout).idempotent().await.map(Done::Charged)
            }
            Action::Confirm => {
                let confirmed = mesh.call(INVENTORY_CONFIRM, &of_order).timeout(timeout).idempotent().await;
                confirmed.map(|()| Done::Acknowledged)
            }
            Action::Void => {
                let voided = mesh.call(PAYMENT_VOID, &of_order).timeout(timeout).idempotent().await;
                voided.map(|Voided { .. }| Done::Acknowledged)
            }
            Action::Release => {
                let released = mesh.call(INVENTORY_RELEASE, &of_order).timeout(timeout).idempotent().await;
                released.map(|Released { .. }| Done::Acknowledged)
            }
        }
    }

    /// Enters the outcome into the book and publishes it.
    async fn tell(&self, order: Order, outcome: &Outcome) {
        let id = order.id.clone();
        {
            let mut book = self.book();
            book.stats.count(outcome);
            book.decided.settle(&id, (order, outcome.clone()));
        }
        let subject = match outcome {
            Outcome::Placed(_) => ORDERS_PLACED,
            Outcome::Rejected(_) => ORDERS_REJECTED,
        };
        let decided = Decided { order: id.clone(), outcome: outcome.clone() };
        if let Err(error) = self.mesh.publish(subject, Json(decided)).key(id.as_str()).await {
            tracing::warn!(%error, order = %id, "the decision was not published");
            self.book().stats.unpublished += 1;
        }
    }
}
