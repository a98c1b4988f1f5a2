//! What a new link is told first: everything that was subscribed before.

use std::sync::Arc;

use bytes::BytesMut;
use mesh_wire::frame::{Kind, Parts};

use super::feed::Feed;
use super::outbox::Epoch;
use super::shared::{Feeds, Shared};

/// Puts a link that is up in its place: subscriptions and responders go out before anything else.
pub(crate) fn install(shared: &Shared, epoch: Epoch) {
    // Held until the outbox is up, so that no feed is asked for twice or not at all.
    let feeds = shared.feeds.lock();
    let restore = frames(&feeds, epoch);
    shared.outbox.up(epoch, restore);
}

fn frames(feeds: &Feeds, epoch: Epoch) -> BytesMut {
    let mut all: Vec<&Arc<Feed>> = feeds.by_id.values().collect();
    all.sort_unstable_by_key(|feed| feed.id);
    let mut out = BytesMut::new();
    for feed in all {
        let Some(spec) = feed.relink(epoch) else { continue };
        let Ok(body) = mesh_wire::body::encode(&spec) else { continue };
        let parts =
            Parts { subject: feed.pattern.as_bytes(), ..Parts::bare(Kind::Subscribe, feed.id.into()) };
        let encoded = parts.body(&body).encode(&mut out);
        debug_assert!(encoded.is_ok(), "it was encoded once before");
    }
    out
}
