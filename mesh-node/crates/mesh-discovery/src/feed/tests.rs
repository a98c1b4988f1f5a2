use std::collections::BTreeMap;

use mesh_core::meta::Uuid;
use mesh_transport::endpoint::Authority;
use mesh_wire::name::Name;
use proptest::prelude::*;

use super::*;
use crate::record::Record;

fn peer(id: usize, run: u8) -> Peer {
    let address = Authority::parse("a:1", 1).unwrap();
    Peer::Node(Box::new(Record {
        started_ms: 0,
        ..Record::new(Name::new(format!("n{id:05}")).unwrap(), Uuid([run; 16]), address)
    }))
}

fn all(feed: &mut Feed) -> Vec<Event> {
    std::iter::from_fn(|| feed.poll_event()).collect()
}

fn trouble(text: &str) -> Trouble {
    Trouble { code: Code::DiscoveryUnreachable, text: text.into() }
}

#[test]
fn nothing_is_told_before_all_is_known() {
    let mut feed = Feed::default();
    feed.handle_peer(peer(1, 1));
    feed.handle_gone(&peer(1, 1).key(), Left::Hint);
    assert!(!feed.has_event() && all(&mut feed).is_empty());
    feed.handle_all([], Left::Hint);
    assert_eq!(all(&mut feed), [Event::Snapshot(vec![])]);
}

#[test]
fn differences_are_told_once_and_what_comes_to_nothing_is_not() {
    let mut feed = Feed::default();
    feed.handle_all([peer(1, 1), peer(2, 1)], Left::Hint);
    assert_eq!(all(&mut feed), [Event::Snapshot(vec![peer(1, 1), peer(2, 1)])]);
    feed.handle_all([peer(1, 2), peer(3, 1)], Left::Hint);
    let left = Event::Left { peer: peer(2, 1).key(), how: Left::Hint };
    assert_eq!(all(&mut feed), [Event::Changed(peer(1, 2)), left, Event::Joined(peer(3, 1))]);
    feed.handle_peer(peer(4, 1));
    feed.handle_gone(&peer(4, 1).key(), Left::Meant);
    feed.handle_gone(&peer(3, 1).key(), Left::Hint);
    feed.handle_peer(peer(3, 1));
    assert_eq!(all(&mut feed), []);
    feed.handle_gone(&peer(3, 1).key(), Left::Meant);
    assert_eq!(all(&mut feed), [Event::Left { peer: peer(3, 1).key(), how: Left::Meant }]);
}

#[test]
fn the_end_of_trouble_comes_after_what_was_missed() {
    let mut feed = Feed::default();
    feed.handle_all([], Left::Hint);
    all(&mut feed);
    feed.handle_trouble(trouble("a"));
    feed.handle_peer(peer(1, 1));
    feed.handle_recovered();
    assert_eq!(all(&mut feed), [Event::Trouble(trouble("a")), Event::Joined(peer(1, 1)), Event::Recovered]);
    feed.handle_recovered();
    feed.handle_trouble(trouble("b"));
    assert_eq!(all(&mut feed), [Event::Trouble(trouble("b"))], "it is not over");
}

#[test]
fn bounds_hold_at_one_more_and_one_less() {
    for (count, kept) in [(PEERS_MAX - 1, PEERS_MAX - 1), (PEERS_MAX, PEERS_MAX), (PEERS_MAX + 1, PEERS_MAX)]
    {
        let mut whole = Feed::default();
        whole.handle_all((0..count).map(|id| peer(id, 1)), Left::Hint);
        let mut single = Feed::default();
        single.handle_all([], Left::Hint);
        (0..count).for_each(|id| single.handle_peer(peer(id, 1)));
        for feed in [&whole, &single] {
            assert_eq!(feed.peers().count(), kept);
            assert_eq!(feed.ignored_count(), (count - kept) as u64);
        }
        assert!(whole.peers().eq(single.peers()), "the first by name are kept");
    }
    for (count, told) in [(IGNORED_MAX, IGNORED_MAX), (IGNORED_MAX + 1, IGNORED_MAX)] {
        let mut feed = Feed::default();
        (0..count).for_each(|key| feed.handle_ignored(&key.to_string(), trouble("x")));
        assert_eq!((all(&mut feed).len(), feed.ignored_count()), (told, count as u64));
    }
}

#[derive(Debug, Clone)]
enum Step {
    All(BTreeMap<usize, u8>),
    Put(usize, u8),
    Gone(usize),
    Read(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        proptest::collection::btree_map(0..6_usize, 0..3_u8, 0..6).prop_map(Step::All),
        (0..6_usize, 0..3_u8).prop_map(|(id, run)| Step::Put(id, run)),
        (0..6_usize).prop_map(Step::Gone),
        (0..5_usize).prop_map(Step::Read),
    ]
}

proptest! {
    #[test]
    fn whoever_applies_the_events_has_what_is_so(steps in proptest::collection::vec(step(), 0..60)) {
        let mut feed = Feed::default();
        feed.handle_all([], Left::Hint);
        let mut model: BTreeMap<Key, Peer> = BTreeMap::new();
        let mut view: BTreeMap<Key, Peer> = BTreeMap::new();
        let mut read = |feed: &mut Feed, count: usize| {
            for _ in 0..count {
                match feed.poll_event() {
                    Some(Event::Snapshot(peers)) => view = peers.into_iter().map(|peer| (peer.key(), peer)).collect(),
                    Some(Event::Joined(peer)) => assert!(view.insert(peer.key(), peer).is_none()),
                    Some(Event::Changed(peer)) => assert!(view.insert(peer.key(), peer).is_some()),
                    Some(Event::Left { peer, .. }) => assert!(view.remove(&peer).is_some()),
                    Some(other) => panic!("{other:?}"),
                    None => break,
                }
            }
            view.clone()
        };
        for step in steps {
            match step {
                Step::All(peers) => {
                    let peers: Vec<_> = peers.into_iter().map(|(id, run)| peer(id, run)).collect();
                    model = peers.iter().map(|peer| (peer.key(), peer.clone())).collect();
                    feed.handle_all(peers, Left::Hint);
                }
                Step::Put(id, run) => {
                    model.insert(peer(id, run).key(), peer(id, run));
                    feed.handle_peer(peer(id, run));
                }
                Step::Gone(id) => {
                    model.remove(&peer(id, 0).key());
                    feed.handle_gone(&peer(id, 0).key(), Left::Hint);
                }
                Step::Read(count) => drop(read(&mut feed, count)),
            }
        }
        prop_assert_eq!(read(&mut feed, usize::MAX), model);
        prop_assert!(!feed.has_event());
    }
}
