//! What a new link is told first: everything that was subscribed before.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::BytesMut;
use foldhash::fast::RandomState;
use mesh_wire::frame::{Kind, Parts};

use super::feed::Feed;
use super::outbox::{Epoch, LaneMap};
use super::shared::{Feeds, Shared};

/// Subscriptions and responders that the node has not confirmed again yet.
pub(crate) type Restoring = HashSet<u32, RandomState>;

/// Puts a link that is open in its place: subscriptions and responders go out before anything else, and new messages
/// wait until all of them are confirmed. Else what is published right after a reconnect would miss them.
pub(crate) fn install(shared: &Shared, epoch: Epoch, map: LaneMap) -> Restoring {
    // Held until the outbox is up, so that no feed is asked for twice or not at all.
    let feeds = shared.feeds.lock();
    let (frames, restoring) = frames(&feeds, epoch);
    shared.outbox.up(epoch, map, frames, restoring.is_empty());
    restoring
}

fn frames(feeds: &Feeds, epoch: Epoch) -> (BytesMut, Restoring) {
    let mut all: Vec<&Arc<Feed>> = feeds.by_id.values().collect();
    all.sort_unstable_by_key(|feed| feed.id);
    let (mut out, mut restoring) = (BytesMut::new(), Restoring::default());
    for feed in all {
        let Some(spec) = feed.relink(epoch) else { continue };
        let Ok(body) = mesh_wire::body::encode(&spec) else { continue };
        let parts =
            Parts { subject: feed.pattern.as_bytes(), ..Parts::bare(Kind::Subscribe, feed.id.into()) };
        let encoded = parts.body(&body).encode(&mut out);
        debug_assert!(encoded.is_ok(), "it was encoded once before");
        restoring.insert(feed.id);
    }
    (out, restoring)
}
