//! What nodes are told of their links.

use std::time::Duration;

use mesh_replica::id::NodeNumber;

use super::{Event, World};

/// How often links are looked at.
const EVERY: Duration = Duration::from_millis(300);

impl World {
    /// Tells nodes whom they can reach and whom not, a while after it was so.
    pub(super) fn look_at_links(&mut self) {
        self.queue.push(self.now + EVERY, Event::Links);
        let numbers = self.numbers();
        for one in &numbers {
            for other in &numbers {
                if one != other {
                    self.look_at_link(*one, *other);
                }
            }
        }
    }

    fn look_at_link(&mut self, one: u64, other: u64) {
        if self.node(one).process.is_none() || self.node(one).paused.is_some() {
            return;
        }
        // A link lives as long as something answers at its other end.
        let answers = self.node(other).process.is_some() && self.node(other).paused.is_none();
        let up = answers && self.network.is_whole(one, other);
        if self.up.insert((one, other), up) == Some(up) {
            return;
        }
        self.trace.event(self.now, one, if up { "link up" } else { "link down" }, &[("to", other)]);
        self.tell(one, |host, now| host.handle_peer(now, NodeNumber(other), up));
    }
}
