use mesh_wire::subject::Pattern;
use proptest::prelude::*;

use super::*;
use crate::routing::{LinkId, Mode, SubscriptionId, Target};

fn target(id: u32) -> Target {
    Target::new(LinkId(1), SubscriptionId(id))
}

fn insert(table: &mut Table, pattern: &str, id: u32) {
    let pattern: Pattern = pattern.parse().unwrap();
    assert!(table.insert(&pattern, target(id), Mode::Events, None));
}

fn cached(cache: &mut MatchCache, table: &Table, subject: &str) -> Rc<Routes> {
    Rc::clone(cache.lookup(table, subject.as_bytes()).unwrap())
}

#[test]
fn a_hit_gives_the_same_routes() {
    let mut table = Table::new(1);
    insert(&mut table, "a.*", 1);
    let mut cache = MatchCache::new(1);
    let first = cached(&mut cache, &table, "a.b");
    assert_eq!(*first, table.lookup("a.b"));
    assert!(Rc::ptr_eq(&first, &cached(&mut cache, &table, "a.b")));
    let other = cached(&mut cache, &table, "a.c");
    assert!(!Rc::ptr_eq(&first, &other));
    assert!(Rc::ptr_eq(&first, &cached(&mut cache, &table, "a.b")));
    assert_eq!(cache.misses(), 2);
}

#[test]
fn only_well_formed_unreserved_subjects_get_in() {
    let table = Table::new(1);
    let mut cache = MatchCache::new(1);
    for (subject, error) in [
        (&b""[..], SubjectError::Empty),
        (b"a..b", SubjectError::EmptyToken { at: 2 }),
        (b"a.*", SubjectError::Wildcard { at: 2 }),
        (b"a.\xff", SubjectError::NotUtf8 { at: 2 }),
        (b"$mesh.node.info", SubjectError::Reserved),
    ] {
        for _ in 0..2 {
            assert_eq!(cache.lookup(&table, subject).err(), Some(error));
        }
    }
    assert!(cache.is_empty());
    assert!(cache.lookup(&table, b"a").unwrap().is_empty());
    assert_eq!(cache.len(), 1);
}

#[test]
fn a_change_of_another_first_token_keeps_the_entry() {
    let mut table = Table::new(1);
    insert(&mut table, "a.b", 1);
    let mut cache = MatchCache::new(1);
    let before = cached(&mut cache, &table, "a.b");
    insert(&mut table, "b.c", 2);
    assert!(Rc::ptr_eq(&before, &cached(&mut cache, &table, "a.b")));
    assert_eq!(cache.misses(), 1);
    insert(&mut table, "a.>", 3);
    assert_eq!(cached(&mut cache, &table, "a.b").events.len(), 2);
    insert(&mut table, "*.b", 4);
    assert_eq!(cached(&mut cache, &table, "a.b").events.len(), 3);
    assert_eq!(cache.misses(), 3);
}

#[test]
fn the_last_subject_is_checked_against_the_version_too() {
    let mut table = Table::new(1);
    let mut cache = MatchCache::new(1);
    assert!(cached(&mut cache, &table, "a").is_empty());
    insert(&mut table, "a", 1);
    assert_eq!(cached(&mut cache, &table, "a").events.len(), 1);
}

#[test]
fn subjects_at_the_bound() {
    let table = Table::new(1);
    let mut cache = MatchCache::with_bounds(1, WAYS, 100);
    for number in 0..WAYS {
        cached(&mut cache, &table, &number.to_string());
    }
    assert_eq!(cache.len(), WAYS);
    cached(&mut cache, &table, "one-more");
    assert_eq!(cache.len(), WAYS);

    let mut cache = MatchCache::with_bounds(1, 1024, 100);
    for number in 0..20_000 {
        cached(&mut cache, &table, &number.to_string());
        assert!(cache.sets.len() * WAYS <= 1024);
    }
    assert_eq!(cache.len(), 1024);
    assert_eq!(cache.misses(), 20_000);
}

#[test]
fn bounds_are_rounded() {
    for (asked, given) in [(0, 8), (7, 8), (8, 8), (15, 8), (16, 16), (31, 16), (16_384, 16_384)] {
        assert_eq!(MatchCache::with_bounds(1, asked, 1).sets_max * WAYS, given, "{asked}");
    }
}

#[test]
fn growing_loses_nothing() {
    let table = Table::new(1);
    let mut cache = MatchCache::with_bounds(1, 65_536, 100);
    let subjects: Vec<String> = (0..4_000).map(|number| format!("subject.{number}")).collect();
    for _ in 0..3 {
        subjects.iter().for_each(|subject| drop(cached(&mut cache, &table, subject)));
    }
    assert_eq!((cache.len(), cache.misses()), (4_000, 4_000));
}

#[test]
fn an_entry_in_use_stays_when_others_leave() {
    let table = Table::new(1);
    let mut cache = MatchCache::with_bounds(1, WAYS, 100);
    for number in 0..200 {
        cached(&mut cache, &table, "often");
        cached(&mut cache, &table, &number.to_string());
    }
    assert_eq!(cache.misses(), 201);
}

#[test]
fn targets_at_the_bound() {
    let mut table = Table::new(1);
    for id in 0..10 {
        insert(&mut table, "*", id);
    }
    let mut cache = MatchCache::with_bounds(1, 1024, 30);
    for subject in ["a", "b", "c"] {
        cached(&mut cache, &table, subject);
    }
    assert_eq!((cache.len(), cache.targets()), (3, 30));
    assert_eq!(cached(&mut cache, &table, "d").events.len(), 10);
    assert!(cache.targets() <= 30, "{} targets", cache.targets());

    // One more target than fit altogether: such routes are kept, alone.
    for id in 10..31 {
        insert(&mut table, "*", id);
    }
    for subject in ["a", "b", "e"] {
        assert_eq!(cached(&mut cache, &table, subject).events.len(), 31);
        assert_eq!((cache.len(), cache.targets()), (1, 31));
    }
}

proptest! {
    #[test]
    fn agrees_with_the_table(
        bound in prop_oneof![Just(8usize), Just(64)],
        steps in proptest::collection::vec((0..4u8, "[abc*](\\.[ab*]){0,2}", 0..4u32), 1..300),
    ) {
        let mut table = Table::new(3);
        let mut cache = MatchCache::with_bounds(4, bound, 40);
        for (kind, text, id) in steps {
            match kind {
                0 => drop(table.insert(&text.parse::<Pattern>().unwrap(), target(id), Mode::Events, None)),
                1 => drop(table.remove(&text.parse::<Pattern>().unwrap(), target(id), Mode::Events, None)),
                _ => match cache.lookup(&table, text.as_bytes()) {
                    Ok(routes) => prop_assert_eq!(&**routes, &table.lookup(&text)),
                    Err(error) => prop_assert_eq!(error, Subject::check(text.as_bytes()).unwrap_err()),
                },
            }
            let held = cache.sets.iter().flat_map(|set| set.entries.iter().flatten());
            prop_assert_eq!(cache.targets(), held.map(|entry| entry.routes.targets()).sum::<usize>());
            prop_assert!(cache.len() <= bound && cache.targets() <= 40);
        }
    }
}
