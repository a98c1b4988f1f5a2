//! The side that has the records.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use mesh_log::{
    id::{GroupId, LaneId},
    location::Piece,
    payload::Payload,
};

use super::{Lie, PullOptions};
use crate::{
    codec::{PAYLOAD_BYTES_MAX, PULL_BYTES_MAX},
    id::NodeNumber,
    message::{Extent, Offer, Part, Pull},
};

/// Most bytes that a pull may ask for.
pub(super) const MAX_BYTES: u32 = PULL_BYTES_MAX as u32;

/// What a read for a peer is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reading(pub u64);

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaderOutput {
    /// Send a part.
    Send {
        /// To whom.
        to: NodeNumber,
        /// It.
        part: Part,
    },
    /// Read records; then [`Leader::handle_read`].
    Read {
        /// What it is known by.
        id: Reading,
        /// The group.
        group: GroupId,
        /// The lane.
        lane: LaneId,
        /// The first number.
        first: u64,
        /// The last number.
        last: u64,
        /// No further piece once so many bytes were read.
        max_bytes: u32,
    },
    /// A snapshot is not kept for a peer any more, and was not said to be installed: raft is to try again.
    Expired {
        /// The group.
        group: GroupId,
        /// For whom.
        to: NodeNumber,
        /// The snapshot.
        index: u64,
    },
}

#[derive(Debug)]
struct Pin {
    index: u64,
    extents: Vec<Extent>,
    idle_at: Duration,
    end_at: Duration,
}

impl Pin {
    fn until(&self) -> Duration {
        self.idle_at.min(self.end_at)
    }

    /// Whether these numbers were offered: all within one extent.
    fn has(&self, pull: &Pull) -> bool {
        let at = self.extents.partition_point(|extent| (extent.lane, extent.last) < (pull.lane, pull.first));
        self.extents
            .get(at)
            .is_some_and(|e| e.lane == pull.lane && e.first <= pull.first && pull.last <= e.last)
    }
}

/// Answers pulls, of snapshots and for repair, and keeps what it has offered.
#[derive(Debug)]
pub struct Leader {
    options: PullOptions,
    pins: BTreeMap<(GroupId, NodeNumber), Pin>,
    reads: BTreeMap<Reading, (NodeNumber, Pull)>,
    next_read: u64,
    outputs: VecDeque<LeaderOutput>,
}

impl Leader {
    /// Nothing offered.
    #[must_use]
    pub fn new(options: PullOptions) -> Self {
        Self {
            options,
            pins: BTreeMap::new(),
            reads: BTreeMap::new(),
            next_read: 1,
            outputs: VecDeque::new(),
        }
    }

    /// Command: keeps what an offer names until it is installed, or not asked for any more. An offer to the same node
    /// takes the place of the one before. `false` when as many as may be are kept: it must not be sent.
    pub fn offer(&mut self, now: Duration, own: NodeNumber, offer: &Offer) -> bool {
        debug_assert_eq!(own, offer.from, "offers are a node's own");
        let key = (offer.group, offer.to);
        if !self.pins.contains_key(&key) && self.pins.len() >= self.options.pins_max {
            return false;
        }
        let pin = Pin {
            index: offer.manifest.index,
            extents: offer.manifest.extents.clone(),
            idle_at: now.saturating_add(self.options.pin_idle_max),
            end_at: now.saturating_add(self.options.pin_time_max),
        };
        self.pins.insert(key, pin);
        true
    }

    /// Input: a pull, from the node on the other side of its link. `own` is this node.
    ///
    /// # Errors
    /// [`Lie`]: it asks for what was not offered; nothing is read.
    pub fn handle_pull(
        &mut self,
        now: Duration,
        own: NodeNumber,
        link: NodeNumber,
        pull: Pull,
    ) -> Result<(), Lie> {
        let Pull { lane, first, last, .. } = pull;
        if pull.from != link || first == 0 || first > last || pull.max_bytes as usize > PULL_BYTES_MAX {
            return Err(Lie::NotOffered { lane, first, last });
        }
        if pull.snapshot != 0 {
            let idle_max = self.options.pin_idle_max;
            let pin = self.pins.get_mut(&(pull.group, link));
            let Some(pin) = pin.filter(|pin| pin.index == pull.snapshot && now < pin.until()) else {
                self.send(own, link, &pull, Vec::new(), true);
                return Ok(());
            };
            if !pin.has(&pull) {
                return Err(Lie::NotOffered { lane, first, last });
            }
            pin.idle_at = now.saturating_add(idle_max);
        }
        let under_way = self.reads.values().filter(|(peer, _)| *peer == link).count();
        if under_way >= self.options.reads_per_peer_max {
            // It asks again when its time is up.
            return Ok(());
        }
        let id = Reading(self.next_read);
        self.next_read += 1;
        self.reads.insert(id, (link, pull));
        let Pull { group, max_bytes, .. } = pull;
        self.outputs.push_back(LeaderOutput::Read { id, group, lane, first, last, max_bytes });
        Ok(())
    }

    /// Input: what was read, in order; `None` where it is not what was written. Sent is what stands before that.
    pub fn handle_read(&mut self, own: NodeNumber, id: Reading, read: Vec<(Piece, Option<Bytes>)>) {
        let Some((to, pull)) = self.reads.remove(&id) else { return };
        let mut pieces = Vec::with_capacity(read.len());
        let (mut next, mut bytes) = (pull.first, 0);
        for (piece, found) in read {
            let Some(found) = found.filter(|found| !found.is_empty() && found.len() <= PAYLOAD_BYTES_MAX)
            else {
                break;
            };
            let Some(payload) = Payload::checked(found, piece.location.crc) else { break };
            // Whoever repairs may want the end of a piece only, or what was given up here: the first one is any then.
            let follows = piece.first == next || (pull.snapshot == 0 && pieces.is_empty());
            if !follows || piece.last() > pull.last || bytes >= pull.max_bytes as usize {
                break;
            }
            next = piece.last() + 1;
            bytes += payload.len();
            pieces.push((piece.first, piece.count, payload));
        }
        self.send(own, to, &pull, pieces, false);
    }

    /// Input: a read came to nothing. The peer asks again.
    pub fn handle_read_failed(&mut self, id: Reading) {
        self.reads.remove(&id);
    }

    /// Input: a follower has acknowledged up to `index`: it does not need an older snapshot any more.
    pub fn handle_acknowledged(&mut self, group: GroupId, by: NodeNumber, index: u64) {
        if self.pins.get(&(group, by)).is_some_and(|pin| pin.index <= index) {
            self.pins.remove(&(group, by));
        }
    }

    /// Input: the time of [`Leader::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        let over: Vec<_> =
            self.pins.iter().filter(|(_, pin)| pin.until() <= now).map(|(key, _)| *key).collect();
        for (group, to) in over {
            if let Some(pin) = self.pins.remove(&(group, to)) {
                self.outputs.push_back(LeaderOutput::Expired { group, to, index: pin.index });
            }
        }
    }

    /// Command: the group has no replica here any more, or its records are not to be relied on.
    pub fn forget(&mut self, group: GroupId) {
        self.pins.retain(|(other, _), _| *other != group);
        self.reads.retain(|_, (_, pull)| pull.group != group);
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<LeaderOutput> {
        self.outputs.pop_front()
    }

    /// When [`Leader::handle_timeout`] is wanted.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.pins.values().map(Pin::until).min()
    }

    /// The lowest number of a lane that a snapshot still needs: it must not be trimmed from the disk until then.
    #[must_use]
    pub fn pinned_from(&self, group: GroupId, lane: LaneId) -> Option<u64> {
        let of_group = self.pins.iter().filter(|((other, _), _)| *other == group);
        let extents = of_group.flat_map(|(_, pin)| &pin.extents);
        extents.filter(|extent| extent.lane == lane).map(|extent| extent.first).min()
    }

    /// The lanes of a group of which something is pinned.
    pub fn pinned_lanes(&self, group: GroupId) -> impl Iterator<Item = LaneId> + '_ {
        let of_group = self.pins.iter().filter(move |((other, _), _)| *other == group);
        of_group.flat_map(|(_, pin)| pin.extents.iter().map(|extent| extent.lane))
    }

    /// How many snapshots are pinned.
    #[must_use]
    pub fn pins(&self) -> usize {
        self.pins.len()
    }

    fn send(
        &mut self,
        own: NodeNumber,
        to: NodeNumber,
        pull: &Pull,
        pieces: Vec<(u64, u32, Payload)>,
        gone: bool,
    ) {
        let Pull { group, snapshot, lane, .. } = *pull;
        let part = Part { group, from: own, snapshot, lane, pieces, gone };
        self.outputs.push_back(LeaderOutput::Send { to, part });
    }
}
