use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const WIDE: Bounds = Bounds { entries: 1000, bytes: 1 << 20 };

fn key(pattern: &str, mode: Mode, group: Option<&str>) -> Key {
    Key { pattern: Pattern::new(pattern).unwrap(), mode, group: group.map(|name| Name::new(name).unwrap()) }
}

fn events(pattern: &str) -> Key {
    key(pattern, Mode::Events, None)
}

/// What a routing table would hold by the routes that it was given.
#[derive(Debug, Default)]
struct Routing(BTreeMap<InterestId, Entry>);

impl Routing {
    fn follow(&mut self, routes: Vec<Route>) {
        for route in routes {
            match route {
                Route::Insert(entry) => assert_eq!(self.0.insert(entry.id, entry), None),
                Route::Weight(entry) => assert!(self.0.insert(entry.id, entry).is_some()),
                Route::Remove(entry) => assert_eq!(self.0.remove(&entry.id).map(|e| e.key), Some(entry.key)),
            }
        }
    }
}

fn entries(local: &Local) -> BTreeMap<InterestId, Entry> {
    local.after(InterestId(0)).map(|entry| (entry.id, entry)).collect()
}

/// A peer that gets all that is told.
fn tell(local: &Local, cursor: &mut Cursor, remote: &mut Remote, routing: &mut Routing, bytes: usize) {
    while let Some(update) = cursor.next(local, bytes) {
        match remote.handle(update).unwrap() {
            Told::Routes { routes, upto } => {
                routing.follow(routes);
                upto.into_iter().for_each(|number| cursor.handle_acknowledged(number));
            }
            Told::Gap => cursor.restart(),
            Told::Waiting => {}
        }
    }
}

#[test]
fn plain_events_are_told_once_and_members_are_counted() {
    let mut local = Local::new();
    local.add(events("a.>"));
    local.add(events("a.>"));
    assert_eq!(local.sequence(), 1);
    local.add(key("a.>", Mode::Events, Some("g")));
    local.add(key("a.>", Mode::Events, Some("g")));
    local.add(key("a.>", Mode::Responder, None));
    local.add(key("a.>", Mode::Responder, None));
    assert_eq!(local.sequence(), 5);
    let weights: Vec<u32> = entries(&local).into_values().map(|entry| entry.weight).collect();
    assert_eq!(weights, [1, 2, 2]);
    local.remove(&events("a.>"));
    assert_eq!((local.len(), local.sequence()), (3, 5));
    local.remove(&events("a.>"));
    assert_eq!((local.len(), local.sequence()), (2, 6));
    local.remove(&events("a.>"));
    assert_eq!(local.sequence(), 6, "there was none");
}

#[test]
fn a_number_is_effective_once_it_was_acknowledged() {
    let mut local = Local::new();
    local.add(events("a"));
    let mut cursor = Cursor::new();
    assert!(!cursor.is_effective(0), "nothing is known of a peer that said nothing");
    cursor.handle_acknowledged(1);
    assert!(!cursor.is_effective(1), "it was not told yet");
    assert!(cursor.next(&local, 100).is_some());
    cursor.handle_acknowledged(2);
    assert!(!cursor.is_effective(1), "there is no 2");
    cursor.handle_acknowledged(1);
    assert!(cursor.is_effective(1) && !cursor.is_effective(2));
}

#[test]
fn a_new_peer_is_told_the_whole_in_parts() {
    let mut local = Local::new();
    for i in 0..10 {
        local.add(events(&format!("a.{i}")));
    }
    let mut cursor = Cursor::new();
    // Each counts 19 bytes: two to a part.
    let first = cursor.next(&local, 38).unwrap();
    let part = Part { after: InterestId(0), upto: InterestId(2), last: false };
    assert_eq!((first.part, first.changes.len()), (Some(part), 2));
    local.add(events("b"));
    local.remove(&events("a.0"));
    let mut remote = Remote::new(WIDE);
    let mut routing = Routing::default();
    let Told::Routes { routes, upto: None } = remote.handle(first).unwrap() else { panic!() };
    routing.follow(routes);
    tell(&local, &mut cursor, &mut remote, &mut routing, 38);
    assert_eq!(routing.0, entries(&local));
    assert!(cursor.is_effective(local.sequence()));
}

#[test]
fn who_lags_too_far_is_told_the_whole() {
    let mut local = Local::new();
    local.add(events("kept"));
    let (mut near, mut far) = (Cursor::new(), Cursor::new());
    assert!(far.next(&local, 100).is_some());
    local.add(events("flaps"));
    assert!(near.next(&local, 100).is_some());
    for i in 0..RECENT_CHANGES {
        if i.is_multiple_of(2) { local.remove(&events("flaps")) } else { local.add(events("flaps")) }
    }
    let near = near.next(&local, 100).unwrap();
    assert_eq!((near.part, near.changes.len()), (None, 2), "what came and went is not told");
    assert!(far.next(&local, 100).unwrap().part.is_some_and(|part| part.is_first() && part.last));
}

#[test]
fn what_is_missing_is_found() {
    let mut local = Local::new();
    local.add(events("a"));
    let mut cursor = Cursor::new();
    let mut remote = Remote::new(WIDE);
    let whole = cursor.next(&local, 100).unwrap();
    local.add(events("b"));
    let lost = cursor.next(&local, 100).unwrap();
    local.add(events("c"));
    let after = cursor.next(&local, 100).unwrap();
    assert_eq!(remote.handle(after.clone()).unwrap(), Told::Waiting);
    assert!(matches!(remote.handle(whole).unwrap(), Told::Routes { upto: Some(1), .. }));
    assert_eq!(remote.handle(after.clone()).unwrap(), Told::Gap);
    assert_eq!(remote.handle(lost).unwrap(), Told::Waiting, "asked for once");
    assert_eq!(remote.len(), 1, "what is known stays in use meanwhile");
    cursor.restart();
    let mut routing = Routing(remote.drain().map(|entry| (entry.id, entry)).collect());
    routing.0.clear();
    tell(&local, &mut cursor, &mut remote, &mut routing, 100);
    assert_eq!(routing.0, entries(&local));
}

#[test]
fn bounds_hold_for_entries_and_bytes() {
    let mut local = Local::new();
    local.add(events("aa"));
    local.add(events("bb"));
    let bytes: usize = entries(&local).values().map(|entry| entry.key.bytes()).sum();
    assert_eq!(bytes, 36);
    let told = |bounds| Remote::new(bounds).handle(Cursor::new().next(&local, 1000).unwrap());
    assert!(told(Bounds { entries: 2, bytes }).is_ok());
    let less = Bounds { entries: 1, bytes };
    assert_eq!(told(less), Err(Flood(less)));
    let less = Bounds { entries: 2, bytes: bytes - 1 };
    assert_eq!(told(less), Err(Flood(less)));
}

#[test]
fn after_a_flood_all_that_is_in_the_table_is_named() {
    let mut remote = Remote::new(Bounds { entries: 1, bytes: 100 });
    let entry = |id, pattern: &str| Entry { id: InterestId(id), key: Arc::new(events(pattern)), weight: 1 };
    let part = Some(Part { after: InterestId(0), upto: InterestId(1), last: true });
    let whole = Update { part, from: 1, to: 1, changes: vec![Change::Set(entry(1, "a"))] };
    remote.handle(whole).unwrap();
    let changes = vec![Change::Gone(InterestId(1)), Change::Set(entry(2, "b")), Change::Set(entry(3, "c"))];
    remote.handle(Update { part: None, from: 1, to: 4, changes }).unwrap_err();
    let mut named: Vec<u32> = remote.drain().map(|entry| entry.id.0).collect();
    named.sort_unstable();
    assert_eq!(named, [1, 2, 3]);
    assert!(remote.is_empty() && remote.bytes() == 0);
}

#[derive(Debug, Clone)]
enum Step {
    Add(u8),
    Remove(u8),
    Tell { bytes: usize, lost: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..24u8).prop_map(Step::Add),
        (0..24u8).prop_map(Step::Remove),
        (1..120usize, prop::bool::weighted(0.2)).prop_map(|(bytes, lost)| Step::Tell { bytes, lost }),
    ]
}

fn numbered(n: u8) -> Key {
    let mode = if n.is_multiple_of(2) { Mode::Events } else { Mode::Responder };
    key(&format!("s.{}", n / 6), mode, [None, Some("g"), Some("h")][usize::from(n / 2 % 3)])
}

proptest! {
    /// Whatever is lost: what is effective at a peer is there, and in the end it knows what is so.
    #[test]
    fn a_peer_comes_to_know_all(steps in prop::collection::vec(step(), 0..200)) {
        let mut local = Local::new();
        let mut model: BTreeMap<u8, u32> = BTreeMap::new();
        let (mut cursor, mut remote, mut routing) = (Cursor::new(), Remote::new(WIDE), Routing::default());
        for step in steps {
            match step {
                Step::Add(n) => {
                    *model.entry(n).or_default() += 1;
                    local.add(numbered(n));
                }
                Step::Remove(n) => {
                    if let Some(count) = model.get_mut(&n) {
                        *count = count.saturating_sub(1);
                    }
                    local.remove(&numbered(n));
                }
                Step::Tell { bytes, lost } => {
                    let Some(update) = cursor.next(&local, bytes) else { continue };
                    if lost {
                        continue;
                    }
                    match remote.handle(update).unwrap() {
                        Told::Routes { routes, upto } => {
                            routing.follow(routes);
                            upto.into_iter().for_each(|number| cursor.handle_acknowledged(number));
                        }
                        Told::Gap => cursor.restart(),
                        Told::Waiting => {}
                    }
                }
            }
            prop_assert_eq!(remote.len(), routing.0.len());
            if cursor.is_effective(local.sequence()) {
                prop_assert_eq!(&routing.0, &entries(&local));
            }
        }
        let alive = model.values().filter(|count| **count > 0).count();
        prop_assert_eq!(local.len(), alive);
        // A loss shows by the next number.
        local.add(events("end"));
        tell(&local, &mut cursor, &mut remote, &mut routing, 50);
        if !cursor.is_effective(local.sequence()) {
            // Who waits for the whole asks again after a while.
            cursor.restart();
            tell(&local, &mut cursor, &mut remote, &mut routing, 50);
        }
        prop_assert_eq!(&routing.0, &entries(&local));
        prop_assert!(cursor.is_effective(local.sequence()));
        let bytes: usize = routing.0.values().map(|entry| entry.key.bytes()).sum();
        prop_assert_eq!(remote.bytes(), bytes);
    }
}
