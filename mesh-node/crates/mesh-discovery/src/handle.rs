//! The side of discovery that its owner has: events, and orders to the task that does the work.

use std::time::Duration;

use mesh_core::meta::Uuid;
use tokio::sync::{mpsc, oneshot};

use crate::{
    discovery::{BoxFuture, Discovery},
    error::Error,
    event::Event,
    founding::Founded,
};

/// Events on their way to the owner; what does not fit waits in the feed, where it is joined with what follows.
const EVENTS: usize = 16;

/// The owner's side. Dropping it ends the task.
#[derive(Debug)]
pub(crate) struct Handle {
    events: mpsc::Receiver<Event>,
    orders: mpsc::Sender<Order>,
}

/// The task's side.
pub(crate) struct Seat {
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) orders: mpsc::Receiver<Order>,
}

/// What the owner wants.
pub(crate) enum Order {
    Found { cluster: Uuid, expected: usize, reply: oneshot::Sender<Result<Founded, Error>> },
    Leave { within: Duration, reply: oneshot::Sender<Result<(), Error>> },
}

/// Both sides.
pub(crate) fn pair() -> (Handle, Seat) {
    let (events_in, events) = mpsc::channel(EVENTS);
    let (orders, orders_out) = mpsc::channel(1);
    (Handle { events, orders }, Seat { events: events_in, orders: orders_out })
}

impl Handle {
    async fn order<T>(
        &mut self,
        order: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Order,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(order(reply)).await.map_err(|_| Error::Ended)?;
        answer.await.map_err(|_| Error::Ended)?
    }
}

impl Discovery for Handle {
    fn next(&mut self) -> BoxFuture<'_, Option<Event>> {
        Box::pin(self.events.recv())
    }

    fn found(&mut self, cluster: Uuid, expected: usize) -> BoxFuture<'_, Result<Founded, Error>> {
        Box::pin(self.order(move |reply| Order::Found { cluster, expected, reply }))
    }

    fn leave(&mut self, within: Duration) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let left = self.order(move |reply| Order::Leave { within, reply }).await;
            // What was told before it does not count any more.
            self.events.close();
            while self.events.recv().await.is_some() {}
            left
        })
    }
}
