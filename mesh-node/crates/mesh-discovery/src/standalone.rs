//! Nobody else: a node by itself.

use mesh_core::meta::Uuid;
use mesh_wire::name::Name;

use crate::{
    discovery::Discovery,
    event::Left,
    feed::Feed,
    founding::{Founded, Founding},
    handle::{self, Order, Seat},
    record::Record,
};

/// Starts it: a task on the runtime that this is called on.
///
/// # Panics
/// When it is not called on a runtime of tokio.
#[must_use]
pub fn start(own: &Record) -> Box<dyn Discovery> {
    let (handle, seat) = handle::pair();
    tokio::spawn(run(seat, own.id.clone(), own.cluster));
    Box::new(handle)
}

async fn run(mut seat: Seat, own: Name, mut cluster: Option<Uuid>) {
    let mut feed = Feed::default();
    feed.handle_all([], Left::Meant);
    feed.handle_registered(true);
    loop {
        tokio::select! {
            permit = seat.events.reserve(), if feed.has_event() => match permit {
                Ok(permit) => if let Some(event) = feed.poll_event() { permit.send(event) },
                Err(_) => return,
            },
            order = seat.orders.recv() => match order {
                Some(Order::Found { cluster: wanted, reply, .. }) => {
                    let founding = |cluster| Founding { cluster, voters: vec![own.clone()] };
                    let founded = match cluster {
                        Some(cluster) => Founded::There(founding(cluster)),
                        None => Founded::Ours(founding(*cluster.insert(wanted))),
                    };
                    // Whoever asked may have stopped waiting.
                    reply.send(Ok(founded)).ok();
                }
                Some(Order::Leave { reply, .. }) => {
                    reply.send(Ok(())).ok();
                    return;
                }
                None => return,
            },
        }
    }
}
