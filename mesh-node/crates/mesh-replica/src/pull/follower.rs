//! The side that fetches.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use mesh_log::{
    id::{GroupId, LaneId},
    location::Piece,
};
use mesh_wire::code::Code;

use super::{
    Lie, PullOptions,
    budget::Budget,
    fetch::{Came, Fetch, Storing},
};
use crate::{
    id::NodeNumber,
    message::{Offer, Part, Pull},
};

/// Most runs that are remembered because a lie came with them.
const DOUBTED_MAX: usize = 1_024;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowerOutput {
    /// Send a pull.
    Send {
        /// To whom.
        to: NodeNumber,
        /// It.
        pull: Pull,
    },
    /// Store these durably; then [`Follower::handle_stored`].
    Store {
        /// What it is known by.
        id: u64,
        /// The group.
        group: GroupId,
        /// In order; where they stood does not count.
        pieces: Vec<(Piece, Bytes)>,
    },
    /// Every record of the snapshot is there: judge the offer once more, then go on from it.
    Install {
        /// It.
        offer: Box<Offer>,
    },
    /// The snapshot is not fetched any more; another offer may come.
    GivenUp {
        /// The group.
        group: GroupId,
        /// Who offered it.
        from: NodeNumber,
        /// The snapshot.
        index: u64,
        /// Why.
        why: GivenUp,
    },
}

/// Why a snapshot is not fetched any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GivenUp {
    /// It is not there any more.
    #[error("the snapshot is not there any more")]
    Gone,
    /// It is not what its manifest says.
    #[error(transparent)]
    Lie(#[from] Lie),
    /// Nobody answered.
    #[error("nobody answered")]
    Silence,
    /// There is no room for it, or it could not be written.
    #[error("it could not be stored")]
    NotStored,
}

impl GivenUp {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Gone | Self::Silence => Code::SnapshotGone,
            Self::Lie(lie) => lie.code(),
            Self::NotStored => Code::StorageFull,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether another offer may do better.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}

/// Fetches the snapshots of all groups of a node, one of each.
#[derive(Debug)]
pub struct Follower {
    options: PullOptions,
    budget: Budget,
    fetches: BTreeMap<GroupId, Fetch>,
    /// Runs that a lie came with: they are fetched again, although they are there.
    doubted: BTreeMap<GroupId, Vec<(LaneId, u64, u64)>>,
    next_store: u64,
    /// Whose turn it is.
    turn: GroupId,
    outputs: VecDeque<FollowerOutput>,
}

impl Follower {
    /// Nothing to fetch.
    #[must_use]
    pub fn new(options: PullOptions) -> Self {
        Self {
            budget: Budget::new(&options),
            options,
            fetches: BTreeMap::new(),
            doubted: BTreeMap::new(),
            next_store: 1,
            turn: GroupId(0),
            outputs: VecDeque::new(),
        }
    }

    /// Input: an offer that the door has let in. `lacking` are the numbers of the manifest's extents that are not on this
    /// node (`Lanes::lacking`). It takes the place of an older one; the same one again changes nothing but who is asked.
    pub fn handle_offer(&mut self, now: Duration, offer: Offer, lacking: &[(LaneId, u64, u64)]) {
        let group = offer.group;
        let mut lacking = lacking.to_vec();
        let mut storing = Storing::new();
        if let Some(fetch) = self.fetches.get_mut(&group) {
            if fetch.offer.manifest == offer.manifest {
                fetch.offer = offer;
                return self.pump(now);
            }
            // What is on its way to the disk will be there.
            storing = fetch.take_storing();
            for (lane, first, last, _) in storing.values() {
                lacking = without(lacking, *lane, *first, *last);
            }
            self.cancel(group);
        }
        for extent in &offer.manifest.extents {
            for (lane, first, last) in self.doubted.get(&group).into_iter().flatten() {
                let (first, last) = (extent.first.max(*first), extent.last.min(*last));
                if *lane == extent.lane && first <= last {
                    lacking = without(lacking, *lane, first, last);
                    lacking.push((*lane, first, last));
                }
            }
        }
        lacking.sort_unstable();
        self.fetches.insert(group, Fetch::new(offer, &lacking).with_storing(storing));
        self.pump(now);
    }

    /// Input: a part, from the node on the other side of its link.
    ///
    /// # Errors
    /// [`Lie`]: none of it is stored, and the snapshot is given up.
    pub fn handle_part(&mut self, now: Duration, link: NodeNumber, part: Part) -> Result<(), Lie> {
        let group = part.group;
        let Some(fetch) = self.fetches.get_mut(&group) else { return Ok(()) };
        let is_answer =
            part.from == link && link == fetch.offer.from && part.snapshot == fetch.offer.manifest.index;
        if !is_answer {
            return Ok(());
        }
        if part.gone {
            self.give_up(now, group, GivenUp::Gone);
            return Ok(());
        }
        match fetch.take(part) {
            Ok(None) => Ok(()),
            Ok(Some(came)) => {
                let id = self.next_store;
                self.next_store += 1;
                fetch.store(id, &came);
                let Came { asked, bytes, pieces, .. } = came;
                self.budget.receive(now, asked, bytes);
                self.outputs.push_back(FollowerOutput::Store { id, group, pieces });
                self.pump(now);
                Ok(())
            }
            Err(lie) => {
                self.doubt(group, &lie);
                self.give_up(now, group, GivenUp::Lie(lie));
                Err(lie)
            }
        }
    }

    /// Input: pieces are stored durably, or could not be.
    pub fn handle_stored(&mut self, now: Duration, id: u64, is_stored: bool) {
        let found = self.fetches.iter_mut().find_map(|(group, fetch)| Some((*group, fetch.stored(id)?)));
        let Some((group, bytes)) = found else { return };
        self.budget.finish(bytes);
        if is_stored {
            self.pump(now);
        } else {
            self.give_up(now, group, GivenUp::NotStored);
        }
    }

    /// Input: the time of [`Follower::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: Duration) {
        let PullOptions { answer_time_max, tries_max, .. } = self.options;
        let mut silent = Vec::new();
        for (group, fetch) in &mut self.fetches {
            match fetch.again(now, answer_time_max, tries_max) {
                Ok(pulls) => {
                    let to = fetch.offer.from;
                    self.outputs.extend(pulls.into_iter().map(|pull| FollowerOutput::Send { to, pull }));
                }
                Err(()) => silent.push(*group),
            }
        }
        for group in silent {
            self.give_up(now, group, GivenUp::Silence);
        }
        self.pump(now);
    }

    /// Command: stops fetching the snapshot of a group. What came stays.
    pub fn cancel(&mut self, group: GroupId) {
        if let Some(fetch) = self.fetches.remove(&group) {
            self.budget.finish(fetch.in_flight());
        }
    }

    /// Command: nothing is doubted any more, since the group has no records here.
    pub fn forget(&mut self, group: GroupId) {
        self.cancel(group);
        self.doubted.remove(&group);
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<FollowerOutput> {
        self.outputs.pop_front()
    }

    /// When [`Follower::handle_timeout`] is wanted.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        let answers = self.fetches.values().filter_map(Fetch::next_timeout).min();
        let paced = self.fetches.values().any(Fetch::wants) && self.has_room();
        let pace = paced.then(|| self.budget.next_at());
        answers.into_iter().chain(pace).min()
    }

    /// Whether a snapshot of the group is being fetched: its index.
    #[must_use]
    pub fn fetching(&self, group: GroupId) -> Option<u64> {
        self.fetches.get(&group).map(|fetch| fetch.offer.manifest.index)
    }

    /// Bytes that were asked for, or are not stored yet.
    #[must_use]
    pub fn in_flight_bytes(&self) -> u64 {
        self.budget.in_flight()
    }

    /// Whether only the pace holds up the next pull.
    fn has_room(&self) -> bool {
        self.budget.allows(Duration::MAX, self.options.pull_bytes.into())
    }

    /// Asks for as much as the budget has room for, the groups in turn, and installs what is there.
    fn pump(&mut self, now: Duration) {
        let PullOptions { pull_bytes, answer_time_max, .. } = self.options;
        while self.budget.allows(now, pull_bytes.into()) {
            let behind =
                self.fetches.range((std::ops::Bound::Excluded(self.turn), std::ops::Bound::Unbounded));
            let Some(group) =
                behind.chain(&self.fetches).find(|(_, fetch)| fetch.wants()).map(|(group, _)| *group)
            else {
                break;
            };
            self.turn = group;
            let Some(fetch) = self.fetches.get_mut(&group) else { break };
            let Some(pull) = fetch.ask(now, answer_time_max, pull_bytes) else { break };
            self.budget.ask(pull_bytes.into());
            self.outputs.push_back(FollowerOutput::Send { to: fetch.offer.from, pull });
        }
        let done: Vec<GroupId> =
            self.fetches.iter().filter(|(_, fetch)| fetch.is_done()).map(|(group, _)| *group).collect();
        for group in done {
            if let Some(fetch) = self.fetches.remove(&group) {
                self.doubted.remove(&group);
                self.outputs.push_back(FollowerOutput::Install { offer: Box::new(fetch.offer) });
            }
        }
    }

    fn give_up(&mut self, now: Duration, group: GroupId, why: GivenUp) {
        let Some(Offer { from, manifest, .. }) = self.fetches.get(&group).map(|fetch| &fetch.offer) else {
            return;
        };
        let (from, index) = (*from, manifest.index);
        self.cancel(group);
        self.outputs.push_back(FollowerOutput::GivenUp { group, from, index, why });
        self.pump(now);
    }

    /// What came of a run before the lie was found is not to be trusted.
    fn doubt(&mut self, group: GroupId, lie: &Lie) {
        let (Lie::Digest { lane, .. }
        | Lie::TooLittle { lane, .. }
        | Lie::TooMuch { lane, .. }
        | Lie::Order { lane, .. }
        | Lie::Beyond { lane, .. }) = *lie
        else {
            return;
        };
        let Some(fetch) = self.fetches.get(&group) else { return };
        let runs = fetch.came(lane);
        let doubted = self.doubted.entry(group).or_default();
        doubted.extend(runs);
        doubted.truncate(DOUBTED_MAX);
    }
}

/// `lacking` without some numbers of a lane.
fn without(lacking: Vec<(LaneId, u64, u64)>, lane: LaneId, first: u64, last: u64) -> Vec<(LaneId, u64, u64)> {
    let mut rest = Vec::with_capacity(lacking.len() + 1);
    for (other, from, to) in lacking {
        if other != lane || to < first || last < from {
            rest.push((other, from, to));
            continue;
        }
        if from < first {
            rest.push((other, from, first - 1));
        }
        if last < to {
            rest.push((other, last + 1, to));
        }
    }
    rest
}
