//! A session and an etcd that are both made up, under every failure in any order.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// As much of an etcd as matters here.
#[derive(Default)]
struct Etcd {
    revision: i64,
    keys: BTreeMap<String, (Vec<u8>, i64, i64)>,
    history: Vec<(i64, Change)>,
    compacted: i64,
    leases: Vec<i64>,
    next_lease: i64,
    /// The next change that the watch tells.
    watch: Option<i64>,
}

impl Etcd {
    fn put(&mut self, key: &str, value: Vec<u8>, lease: i64) {
        self.revision += 1;
        self.keys.insert(key.into(), (value.clone(), lease, self.revision));
        self.history.push((self.revision, Change::Put(Item { key: key.into(), value })));
    }

    fn delete(&mut self, key: &str) {
        if self.keys.remove(key).is_some() {
            self.revision += 1;
            self.history.push((self.revision, Change::Delete { key: key.into() }));
        }
    }

    fn end_leases(&mut self) {
        self.leases.clear();
        let ended: Vec<_> =
            self.keys.iter().filter(|(_, kept)| kept.1 != 0).map(|(key, _)| key.clone()).collect();
        ended.iter().for_each(|key| self.delete(key));
    }

    fn answer(&mut self, action: Action) -> Option<Input> {
        Some(match action {
            Action::Close => {
                self.watch = None;
                return None;
            }
            Action::Connect { .. } => Input::Connected,
            Action::Grant { ttl } => {
                self.next_lease += 1;
                self.leases.push(self.next_lease);
                Input::Granted { lease: self.next_lease, ttl }
            }
            Action::KeepAlive { lease } => {
                if self.leases.contains(&lease) {
                    Input::Alive
                } else {
                    Input::LeaseGone
                }
            }
            Action::Register { lease, guard, record } => {
                let id = record.id.as_str();
                if !self.leases.contains(&lease) {
                    return Some(Input::LeaseGone);
                }
                match (self.keys.get(id), guard) {
                    (Some((_, _, revision)), Guard::Unchanged(seen)) if *revision == seen => {}
                    (None, Guard::Absent) => {}
                    (None, Guard::Unchanged(_)) => {}
                    (Some((value, lease, revision)), _) => {
                        let record = Record::decode(value).ok();
                        return Some(Input::Held(Box::new(Holder {
                            record,
                            lease: *lease,
                            revision: *revision,
                        })));
                    }
                }
                self.put(id, record.encode().unwrap(), lease);
                Input::Registered
            }
            Action::Look { .. } => Input::Looked(None),
            Action::Read { after, revision } => {
                if revision.is_some_and(|revision| revision < self.compacted) {
                    return Some(Input::Compacted);
                }
                let behind = after.map(|after| String::from_utf8(after).unwrap()).unwrap_or_default();
                // Pages are of the newest here, which is why a change in between restarts the reading.
                if revision.is_some_and(|revision| revision != self.revision) {
                    return Some(Input::Compacted);
                }
                let mut items = self.keys.iter().filter(|(key, _)| **key > behind);
                let page = items.by_ref().take(2);
                let page =
                    page.map(|(key, kept)| Item { key: key.clone().into(), value: kept.0.clone() }).collect();
                Input::Page { items: page, more: items.next().is_some(), revision: self.revision }
            }
            Action::Watch { from } => {
                if from <= self.compacted {
                    return Some(Input::Compacted);
                }
                self.watch = Some(from);
                Input::Watching
            }
            Action::Progress => Input::Progress,
            Action::Found { .. } => Input::Founding { founding: None, ours: false },
            Action::Depart { .. } => Input::Departed,
        })
    }

    fn tell(&mut self) -> Option<Input> {
        let from = self.watch?;
        let (revision, change) = self.history.iter().find(|(revision, _)| *revision >= from)?.clone();
        self.watch = Some(revision + 1);
        Some(Input::Changes { changes: vec![change], revision })
    }
}

#[derive(Debug, Clone)]
enum Step {
    Put(usize, u8),
    Delete(usize),
    /// So many actions are answered, and so many changes told.
    Serve(usize, usize),
    /// What is under way fails.
    Fail(usize),
    /// It fails, but was done.
    Lose,
    Compact,
    EndLeases,
    Wait,
    Empty,
    DeleteOwn,
}

const CODES: [Code; 4] =
    [Code::DiscoveryUnreachable, Code::DiscoveryNoLeader, Code::DiscoverySilent, Code::DiscoveryRefused];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..5_usize, 0..4_u8).prop_map(|(id, run)| Step::Put(id, run)),
        3 => (0..5_usize).prop_map(Step::Delete),
        8 => (0..6_usize, 0..4_usize).prop_map(|(calls, changes)| Step::Serve(calls, changes)),
        2 => (0..CODES.len()).prop_map(Step::Fail),
        1 => Just(Step::Lose),
        1 => Just(Step::Compact),
        1 => Just(Step::EndLeases),
        3 => Just(Step::Wait),
        1 => Just(Step::Empty),
        1 => Just(Step::DeleteOwn),
    ]
}

struct World {
    table: Table,
    etcd: Etcd,
    waiting: Vec<Action>,
    view: BTreeMap<Key, Peer>,
    has_snapshot: bool,
}

impl World {
    fn collect(&mut self) {
        for action in self.table.actions() {
            if action == Action::Close {
                self.waiting.clear();
                self.etcd.watch = None;
            } else {
                self.waiting.push(action);
            }
        }
        assert!(self.waiting.len() <= 6, "more is under way than there are kinds of it: {:?}", self.waiting);
    }

    fn serve(&mut self, calls: usize, changes: usize) -> bool {
        let mut has_done = false;
        for _ in 0..calls {
            self.collect();
            if self.waiting.is_empty() {
                break;
            }
            has_done = true;
            let action = self.waiting.remove(0);
            if let Some(input) = self.etcd.answer(action) {
                self.table.input(input);
            }
        }
        for _ in 0..changes {
            self.collect();
            let Some(input) = self.etcd.tell() else { break };
            has_done = true;
            self.table.input(input);
        }
        has_done
    }

    fn step(&mut self, step: Step) {
        let id = |id: usize| format!("n{id}");
        match step {
            Step::Put(node, 3) => self.etcd.put(&id(node), b"garbage".to_vec(), 0),
            Step::Put(node, run) => self.etcd.put(&id(node), record(&id(node), run).encode().unwrap(), 0),
            Step::Delete(node) => self.etcd.delete(&id(node)),
            Step::Serve(calls, changes) => drop(self.serve(calls, changes)),
            Step::Fail(code) => self.table.fail(CODES[code]),
            Step::Lose => {
                self.collect();
                if let Some(action) = self.waiting.pop() {
                    self.etcd.answer(action);
                    self.table.fail(Code::DiscoverySilent);
                }
            }
            Step::Compact => self.etcd.compacted = self.etcd.revision,
            Step::EndLeases => self.etcd.end_leases(),
            Step::Wait => {
                self.collect();
                self.table.wait();
            }
            Step::Empty => {
                self.etcd = Etcd { next_lease: self.etcd.next_lease, ..Etcd::default() };
                self.table.fail(Code::DiscoveryUnreachable);
            }
            Step::DeleteOwn => self.etcd.delete("own"),
        }
        self.apply();
    }

    fn apply(&mut self) {
        for event in self.table.events() {
            match event {
                Event::Snapshot(peers) => {
                    assert!(!std::mem::replace(&mut self.has_snapshot, true));
                    self.view = peers.into_iter().map(|peer| (peer.key(), peer)).collect();
                }
                Event::Joined(peer) => assert!(self.view.insert(peer.key(), peer).is_none()),
                Event::Changed(peer) => assert!(self.view.insert(peer.key(), peer).is_some()),
                Event::Left { peer, .. } => assert!(self.view.remove(&peer).is_some()),
                _ => {}
            }
        }
    }

    /// Nothing fails any more.
    fn heal(&mut self) {
        for _ in 0..200 {
            while self.serve(100, 100) {}
            if self.table.session.is_healthy() && self.etcd.keys.contains_key("own") {
                break;
            }
            self.table.wait();
        }
        self.apply();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn whatever_happened_in_the_end_it_is_registered_and_knows_what_is_there(
        steps in proptest::collection::vec(step(), 0..80)
    ) {
        let mut world = World {
            table: Table::new(record("own", 200), 2),
            etcd: Etcd::default(),
            waiting: Vec::new(),
            view: BTreeMap::new(),
            has_snapshot: false,
        };
        for step in steps {
            world.step(step);
        }
        world.heal();
        prop_assert!(world.table.session.is_healthy());
        prop_assert!(world.etcd.keys.contains_key("own"));
        let there = world.etcd.keys.iter().filter(|(key, _)| *key != "own");
        let there = there.filter_map(|(_, kept)| Some(Peer::Node(Box::new(Record::decode(&kept.0).ok()?))));
        let there: BTreeMap<_, _> = there.map(|peer| (peer.key(), peer)).collect();
        prop_assert_eq!(&world.view, &there);
    }

    #[test]
    fn the_same_seed_and_inputs_give_the_same_waits(codes in proptest::collection::vec(0..CODES.len(), 1..40)) {
        let run = || {
            let mut table = Table::new(record("own", 1), 3);
            codes.iter().map(|code| { table.fail(CODES[*code]); table.wait() }).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(), run());
    }
}
