use mesh_wire::name::Name;
use mesh_wire::subject::Pattern;
use proptest::prelude::*;

use super::*;

/// A subscription as the slow model keeps it.
#[derive(Clone, Debug, PartialEq)]
struct Wish {
    pattern: Pattern,
    target: Target,
    mode: Mode,
    group: Option<Name>,
}

/// The obvious table: every pattern is asked.
#[derive(Clone, Default)]
struct Model(Vec<Wish>);

impl Model {
    fn lookup(&self, subject: &str) -> Routes {
        let plain = |mode| {
            let wanted = |wish: &&Wish| wish.mode == mode && wish.group.is_none();
            let mut targets: Vec<Target> =
                self.matching(subject).filter(wanted).map(|wish| wish.target).collect();
            targets.sort();
            targets.into()
        };
        let groups = |mode| {
            let wanted = |wish: &&Wish| wish.mode == mode;
            let mut names: Vec<&Name> =
                self.matching(subject).filter(wanted).filter_map(|wish| wish.group.as_ref()).collect();
            names.sort();
            names.dedup();
            let group = |name: &Name| {
                let member = |wish: &&Wish| wish.mode == mode && wish.group.as_ref() == Some(name);
                let mut members: Vec<Target> =
                    self.matching(subject).filter(member).map(|wish| wish.target).collect();
                members.sort();
                Group { name: name.as_str().into(), members: members.into() }
            };
            names.into_iter().map(group).collect()
        };
        Routes {
            events: plain(Mode::Events),
            event_groups: groups(Mode::Events),
            responders: plain(Mode::Responder),
            responder_groups: groups(Mode::Responder),
        }
    }

    fn matching(&self, subject: &str) -> impl Iterator<Item = &Wish> {
        self.0.iter().filter(move |wish| wish.pattern.matches(subject))
    }
}

fn wish(pattern: &str, link: u64, id: u32, mode: Mode, group: Option<&str>) -> Wish {
    Wish {
        pattern: pattern.parse().unwrap(),
        target: Target::new(LinkId(link), SubscriptionId(id)),
        mode,
        group: group.map(|name| name.parse().unwrap()),
    }
}

fn insert(table: &mut Table, wish: &Wish) -> bool {
    table.insert(&wish.pattern, wish.target, wish.mode, wish.group.as_ref())
}

fn remove(table: &mut Table, wish: &Wish) -> bool {
    table.remove(&wish.pattern, wish.target, wish.mode, wish.group.as_ref())
}

fn events(table: &Table, subject: &str) -> Vec<u32> {
    table.lookup(subject).events.iter().map(|target| target.subscription.0).collect()
}

fn a_pattern() -> impl Strategy<Value = Pattern> {
    "[ab*](\\.[ab*]){0,3}(\\.>)?|>|[ab](\\.[abc]){0,3}".prop_map(|text| text.parse().unwrap())
}

fn a_wish() -> impl Strategy<Value = Wish> {
    let group = proptest::option::of("[gh]".prop_map(|name| name.parse().unwrap()));
    (a_pattern(), 0..3u64, 0..6u32, any::<bool>(), group).prop_map(|(pattern, link, id, events, group)| {
        Wish {
            pattern,
            target: Target::new(LinkId(link), SubscriptionId(id)),
            mode: if events { Mode::Events } else { Mode::Responder },
            group,
        }
    })
}

/// Every subject that the patterns above could tell apart.
fn subjects() -> Vec<String> {
    let mut subjects: Vec<String> = vec!["a".into(), "b".into(), "c".into()];
    let mut start = 0;
    for _ in 0..3 {
        let end = subjects.len();
        for at in start..end {
            for token in ["a", "b", "c"] {
                subjects.push(format!("{}.{token}", subjects[at]));
            }
        }
        start = end;
    }
    subjects.push("a.b.a.b.a".into());
    subjects
}

#[test]
fn exact_wildcards_and_tails() {
    let mut table = Table::new(1);
    for (id, pattern) in ["a.b", "a.*", "a.>", ">", "*.b", "*.*.c", "a.b.c"].into_iter().enumerate() {
        assert!(insert(&mut table, &wish(pattern, 1, id as u32, Mode::Events, None)));
    }
    for (subject, expected) in [
        ("a", vec![3]),
        ("a.b", vec![0, 1, 2, 3, 4]),
        ("a.c", vec![1, 2, 3]),
        ("x.b", vec![3, 4]),
        ("a.b.c", vec![2, 3, 5, 6]),
        ("x.y.c", vec![3, 5]),
        ("x.y.z", vec![3]),
    ] {
        assert_eq!(events(&table, subject), expected, "{subject}");
    }
}

#[test]
fn groups_merge_by_name_across_patterns() {
    let mut table = Table::new(1);
    insert(&mut table, &wish("a.b", 2, 1, Mode::Events, Some("g")));
    insert(&mut table, &wish("a.*", 1, 1, Mode::Events, Some("g")));
    insert(&mut table, &wish("a.*", 3, 1, Mode::Events, Some("h")));
    insert(&mut table, &wish("a.b", 4, 1, Mode::Responder, Some("g")));
    insert(&mut table, &wish("a.b", 5, 1, Mode::Responder, None));
    let routes = table.lookup("a.b");
    let names: Vec<&str> = routes.event_groups.iter().map(|group| &*group.name).collect();
    assert_eq!(names, ["g", "h"]);
    let links = |group: &Group| group.members.iter().map(|member| member.link.0).collect::<Vec<_>>();
    assert_eq!(links(&routes.event_groups[0]), [1, 2]);
    assert_eq!(links(&routes.responder_groups[0]), [4]);
    assert_eq!(routes.responders.len(), 1);
    assert!(routes.events.is_empty());
    assert_eq!(routes.targets(), 5);
}

#[test]
fn a_groups_name_is_kept_once_and_goes_with_its_last_member() {
    let mut table = Table::new(1);
    let first = wish("a", 1, 1, Mode::Events, Some("g"));
    let second = wish("b", 1, 2, Mode::Responder, Some("g"));
    insert(&mut table, &first);
    insert(&mut table, &second);
    assert!(!insert(&mut table, &second));
    let (a, b) = (table.lookup("a"), table.lookup("b"));
    assert!(std::sync::Arc::ptr_eq(&a.event_groups[0].name, &b.responder_groups[0].name));
    assert!(remove(&mut table, &first));
    assert!(!remove(&mut table, &first));
    assert_eq!(table.lookup("b").targets(), 1);
    assert!(remove(&mut table, &second));
    drop(a);
    let name = b.responder_groups[0].name.clone();
    drop(b);
    assert_eq!(std::sync::Arc::strong_count(&name), 1, "the table still holds the name");
}

#[test]
fn a_change_concerns_its_first_token_only() {
    let mut table = Table::new(1);
    let (on_a, on_b) = (table.stamp("a.x"), table.stamp("b.x"));
    insert(&mut table, &wish("a.y", 1, 1, Mode::Events, None));
    assert_eq!(table.refresh(on_a), None);
    let on_b = table.refresh(on_b).expect("nothing under b changed");
    assert_eq!(on_b.version(), table.version());
    insert(&mut table, &wish("a.*", 1, 2, Mode::Events, None));
    assert!(table.refresh(on_b).is_some());
    insert(&mut table, &wish("*.y", 1, 3, Mode::Events, None));
    assert_eq!(table.refresh(on_b), None);
    let on_b = table.stamp("b");
    remove(&mut table, &wish("b.>", 1, 4, Mode::Events, None));
    assert!(table.refresh(on_b).is_some(), "nothing was removed");
    remove(&mut table, &wish("*.y", 1, 3, Mode::Events, None));
    assert_eq!(table.refresh(on_b), None);
}

#[test]
fn a_snapshot_does_not_trust_a_later_stamp() {
    let mut table = Table::new(1);
    let old = table.clone();
    insert(&mut table, &wish("a", 1, 1, Mode::Events, None));
    assert_eq!(old.refresh(table.stamp("b")), None);
}

#[test]
fn the_deepest_and_longest_patterns() {
    let mut table = Table::new(1);
    let wild = ["*"; 32].join(".");
    let deep = ["t"; 32].join(".");
    let long = format!("{}.*", "l".repeat(254));
    for (id, pattern) in [&wild, &deep, &long].into_iter().enumerate() {
        assert!(insert(&mut table, &wish(pattern, 1, id as u32, Mode::Events, None)));
    }
    assert_eq!(events(&table, &deep), [0, 1]);
    assert_eq!(events(&table, &format!("{}.x", "l".repeat(254))), [2]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn finds_what_the_model_finds(
        seed in any::<u64>(),
        changes in proptest::collection::vec((0..3u8, a_wish()), 1..120),
    ) {
        let mut table = Table::new(seed);
        let mut model = Model::default();
        let mut snapshots = Vec::new();
        for (kind, wish) in changes {
            let known = model.0.iter().position(|other| *other == wish);
            if kind > 0 {
                prop_assert_eq!(insert(&mut table, &wish), known.is_none());
                if known.is_none() {
                    model.0.push(wish);
                }
            } else {
                // Mostly something that is there.
                let victim = model.0.first().cloned().unwrap_or(wish);
                let known = model.0.iter().position(|other| *other == victim);
                prop_assert_eq!(remove(&mut table, &victim), known.is_some());
                known.map(|at| model.0.remove(at));
            }
            prop_assert_eq!(table.len(), model.0.len());
            if table.version().is_multiple_of(16) {
                snapshots.push((table.clone(), model.clone()));
            }
        }
        let subjects = subjects();
        snapshots.push((table.clone(), model.clone()));
        for (table, model) in &snapshots {
            for subject in &subjects {
                prop_assert_eq!(table.lookup(subject), model.lookup(subject), "{}", subject);
            }
        }
        for wish in &model.0 {
            prop_assert!(remove(&mut table, wish));
        }
        prop_assert!(table.is_empty());
        for subject in &subjects {
            prop_assert!(table.lookup(subject).is_empty());
        }
    }

    #[test]
    fn a_refreshed_stamp_means_the_same_routes(
        seed in any::<u64>(),
        before in proptest::collection::vec(a_wish(), 0..10),
        changes in proptest::collection::vec((any::<bool>(), a_wish()), 1..4),
    ) {
        let mut table = Table::new(seed);
        before.iter().for_each(|wish| { insert(&mut table, wish); });
        let old = table.clone();
        for (add, wish) in &changes {
            if *add { insert(&mut table, wish) } else { remove(&mut table, before.first().unwrap_or(wish)) };
        }
        for subject in subjects() {
            if table.refresh(old.stamp(&subject)).is_some() {
                prop_assert_eq!(table.lookup(&subject), old.lookup(&subject));
            }
        }
    }
}
