//! Both sides, with messages that are lost, doubled and overtake each other, crashes of the follower and other leaders.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use mesh_log::{
    id::{GroupId, LaneId},
    location::Piece,
};
use proptest::prelude::*;

use super::world::{GROUP, OWN, extent, lane, offer};
use crate::{
    id::NodeNumber,
    message::{Message, Offer},
    pull::{Follower, FollowerOutput, Leader, LeaderOutput, PullOptions},
};

type Lanes = BTreeMap<(LaneId, u64), (Piece, Bytes)>;

/// What may happen between two steps.
#[derive(Debug, Clone, Copy)]
enum Event {
    Deliver(prop::sample::Index),
    Lose(prop::sample::Index),
    Double(prop::sample::Index),
    Store,
    Wait,
    Crash,
    OtherLeader,
}

struct World {
    now: Duration,
    records: Lanes,
    leaders: BTreeMap<NodeNumber, Leader>,
    offering: NodeNumber,
    index: u64,
    follower: Follower,
    disk: Lanes,
    writing: Vec<(u64, Vec<(Piece, Bytes)>)>,
    flying: Vec<(NodeNumber, NodeNumber, Message)>,
    installed: Option<Offer>,
    written: BTreeMap<(LaneId, u64), usize>,
    crashes: usize,
    changes: usize,
}

fn options() -> PullOptions {
    PullOptions { pull_bytes: 200, in_flight_bytes_max: 600, ..PullOptions::default() }
}

impl World {
    fn new(lanes: &[Vec<(u32, usize)>]) -> Self {
        let mut records = Lanes::new();
        for (number, sizes) in (1..).zip(lanes) {
            records.extend(
                lane(number, sizes)
                    .into_iter()
                    .map(|(piece, bytes)| ((piece.lane, piece.first), (piece, bytes))),
            );
        }
        let leaders = [2, 3].map(|node| (NodeNumber(node), Leader::new(options())));
        let mut world = Self {
            now: Duration::from_secs(1),
            records,
            leaders: leaders.into(),
            offering: NodeNumber(2),
            index: 40,
            follower: Follower::new(options()),
            disk: Lanes::new(),
            writing: Vec::new(),
            flying: Vec::new(),
            installed: None,
            written: BTreeMap::new(),
            crashes: 0,
            changes: 0,
        };
        world.make_offer();
        world
    }

    /// The snapshot of the moment: everything, in extents that differ from leader to leader.
    fn make_offer(&mut self) {
        let mut extents = Vec::new();
        let mut lanes: BTreeMap<LaneId, Vec<(Piece, Bytes)>> = BTreeMap::new();
        for ((lane, _), piece) in &self.records {
            lanes.entry(*lane).or_default().push(piece.clone());
        }
        let per = self.offering.0 as usize + 1;
        for pieces in lanes.values() {
            extents.extend(pieces.chunks(per).map(extent));
        }
        let offer = offer(self.offering, self.index, extents);
        let leader = self.leaders.get_mut(&self.offering).unwrap();
        assert!(leader.offer(self.now, self.offering, &offer));
        self.flying.push((self.offering, OWN, Message::Offer(offer)));
    }

    fn lacking(&self, offer: &Offer) -> Vec<(LaneId, u64, u64)> {
        let mut lacking: Vec<(LaneId, u64, u64)> = Vec::new();
        for (key, (piece, _)) in &self.records {
            let wanted = offer.manifest.extents.iter().any(|extent| {
                extent.lane == piece.lane && (extent.first..=extent.last).contains(&piece.first)
            });
            if !wanted || self.disk.contains_key(key) {
                continue;
            }
            match lacking.last_mut() {
                Some((lane, _, last)) if *lane == piece.lane && *last + 1 == piece.first => {
                    *last = piece.last()
                }
                _ => lacking.push((piece.lane, piece.first, piece.last())),
            }
        }
        lacking
    }

    fn deliver(&mut self, (from, to, message): (NodeNumber, NodeNumber, Message)) {
        match message {
            Message::Offer(offer) if self.installed.is_none() => {
                let lacking = self.lacking(&offer);
                self.follower.handle_offer(self.now, offer, &lacking);
            }
            Message::Part(part) => self.follower.handle_part(self.now, from, part).unwrap(),
            Message::Pull(pull) => {
                self.leaders.get_mut(&to).unwrap().handle_pull(self.now, to, from, pull).unwrap();
            }
            _ => {}
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.follower.poll_output() {
            match output {
                FollowerOutput::Send { to, pull } => self.flying.push((OWN, to, Message::Pull(pull))),
                FollowerOutput::Store { id, pieces, .. } => self.writing.push((id, pieces)),
                FollowerOutput::Install { offer } => {
                    assert!(self.lacking(&offer).is_empty(), "all of it is durable");
                    self.installed = Some(*offer);
                }
                FollowerOutput::GivenUp { .. } => {}
            }
        }
        for (node, leader) in &mut self.leaders {
            while let Some(output) = leader.poll_output() {
                match output {
                    LeaderOutput::Send { to, part } => self.flying.push((*node, to, Message::Part(part))),
                    LeaderOutput::Read { id, group, lane, first, last, max_bytes } => {
                        assert_eq!(group, GroupId(3));
                        let mut bytes = 0;
                        let range = self.records.range((lane, first)..=(lane, last));
                        let read = range
                            .take_while(|(_, (piece, _))| {
                                let fits = bytes < max_bytes;
                                bytes += piece.location.len;
                                fits
                            })
                            .map(|(_, (piece, bytes))| (*piece, Some(bytes.clone())));
                        leader.handle_read(*node, id, read.collect());
                    }
                    LeaderOutput::Expired { .. } => {}
                }
            }
        }
        assert!(self.follower.in_flight_bytes() <= options().in_flight_bytes_max + 400);
    }

    fn store(&mut self) {
        if self.writing.is_empty() {
            return;
        }
        let (id, pieces) = self.writing.remove(0);
        for (piece, bytes) in pieces {
            assert_eq!(
                self.records[&(piece.lane, piece.first)],
                (piece, bytes.clone()),
                "as it is everywhere"
            );
            *self.written.entry((piece.lane, piece.first)).or_default() += 1;
            self.disk.insert((piece.lane, piece.first), (piece, bytes));
        }
        self.follower.handle_stored(self.now, id, true);
    }

    fn step(&mut self, event: Event) {
        match event {
            Event::Deliver(at) | Event::Lose(at) | Event::Double(at) if !self.flying.is_empty() => {
                let at = at.index(self.flying.len());
                if let Event::Double(_) = event {
                    let message = self.flying[at].clone();
                    self.deliver(message);
                } else {
                    let message = self.flying.swap_remove(at);
                    if let Event::Deliver(_) = event {
                        self.deliver(message);
                    }
                }
            }
            Event::Store => self.store(),
            Event::Wait => self.wait(),
            Event::Crash => {
                self.follower = Follower::new(options());
                self.writing.clear();
                self.crashes += 1;
            }
            Event::OtherLeader => {
                self.changes += 1;
                self.offering = NodeNumber(5 - self.offering.0);
                self.index += 1;
                self.make_offer();
            }
            _ => {}
        }
        self.drain();
    }

    fn wait(&mut self) {
        self.now += Duration::from_secs(1);
        self.follower.handle_timeout(self.now);
        for leader in self.leaders.values_mut() {
            leader.handle_timeout(self.now);
        }
    }

    /// From here on nothing is lost.
    fn settle(&mut self) {
        for round in 0..10_000 {
            if self.installed.is_some() {
                return;
            }
            while !self.flying.is_empty() {
                let message = self.flying.remove(0);
                self.deliver(message);
                self.drain();
            }
            self.store();
            self.drain();
            self.wait();
            if round % 20 == 19 && self.follower.fetching(GROUP).is_none() {
                self.index += 1;
                self.make_offer();
            }
            self.drain();
        }
        panic!("it never comes to an end");
    }
}

fn event() -> impl Strategy<Value = Event> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        12 => at().prop_map(Event::Deliver),
        2 => at().prop_map(Event::Lose),
        2 => at().prop_map(Event::Double),
        8 => Just(Event::Store),
        3 => Just(Event::Wait),
        1 => Just(Event::Crash),
        1 => Just(Event::OtherLeader),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_snapshot_comes_whatever_happens_on_the_way(
        lanes in proptest::collection::vec(proptest::collection::vec((1u32..5, 1usize..150), 1..20), 1..6),
        events in proptest::collection::vec(event(), 0..200),
    ) {
        let mut world = World::new(&lanes);
        for event in events {
            world.step(event);
        }
        world.settle();
        prop_assert_eq!(&world.disk, &world.records);
        // What was durable is never fetched again. What a crash took is, and what was on its way from another leader.
        let most = 1 + world.crashes + world.changes;
        let often = world.written.values().filter(|times| **times > most).count();
        prop_assert_eq!(often, 0, "{:?}, at most {} times", world.written, most);
    }
}
