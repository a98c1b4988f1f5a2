//! Founders that are started, cut off, killed and wiped in any order.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const COUNT: usize = 3;

fn node(number: u64) -> NodeNumber {
    NodeNumber(number)
}

fn uuids(directories: &[u128]) -> Vec<Uuid> {
    directories.iter().copied().map(Uuid).collect()
}

fn list(directories: &[u128], begun: bool) -> Founders {
    Founders { directories: uuids(directories), begun }
}

fn heard(all: &[(u64, u128, Option<Founders>)]) -> BTreeMap<NodeNumber, Heard> {
    let one = |(number, directory, founders): &(u64, u128, Option<Founders>)| {
        (node(*number), Heard { directory: Uuid(*directory), founders: founders.clone() })
    };
    all.iter().map(one).collect()
}

fn next(written: Option<&Founders>, all: &[(u64, u128, Option<Founders>)]) -> Next {
    Founder { own: node(1), directory: Uuid(10), count: COUNT, written }.next(&heard(all))
}

fn missing(missing: &[u64]) -> Next {
    Next::Wait(Waits { missing: missing.iter().copied().map(node).collect(), differing: vec![] })
}

fn differing(differing: &[u64]) -> Next {
    Next::Wait(Waits { missing: vec![], differing: differing.iter().copied().map(node).collect() })
}

#[test]
fn all_have_to_be_there_and_then_all_have_to_agree() {
    assert_eq!(next(None, &[]), missing(&[2, 3]));
    assert_eq!(next(None, &[(3, 30, None)]), missing(&[2]));
    let agreed = list(&[10, 20, 30], false);
    assert_eq!(next(None, &[(2, 20, None), (3, 30, None)]), Next::Write(agreed.clone()));
    let same = Some(agreed.clone());
    assert_eq!(next(Some(&agreed), &[(2, 20, None), (3, 30, same.clone())]), missing(&[2]));
    assert_eq!(next(Some(&agreed), &[(2, 20, same.clone())]), missing(&[3]));
    let begun = list(&[10, 20, 30], true);
    assert_eq!(next(Some(&agreed), &[(2, 20, same.clone()), (3, 30, same)]), Next::Write(begun.clone()));
    assert_eq!(next(Some(&agreed), &[(2, 20, Some(begun.clone()))]), Next::Write(begun.clone()), "one knows");
    assert_eq!(next(Some(&begun), &[]), Next::Nothing);
}

#[test]
fn who_is_remembered_with_another_directory_is_no_founder() {
    for begun in [false, true] {
        assert_eq!(next(None, &[(2, 20, Some(list(&[11, 20, 30], begun)))]), Next::Resign);
        assert_eq!(next(None, &[(2, 20, Some(list(&[], begun)))]), Next::Resign, "another list of names");
    }
}

#[test]
fn what_does_not_fit_is_told_apart_from_what_is_not_there_yet() {
    let other = Some(list(&[10, 21, 30], false));
    assert_eq!(next(None, &[(2, 20, None), (3, 30, other.clone())]), differing(&[3]));
    let agreed = list(&[10, 20, 30], false);
    assert_eq!(
        next(Some(&agreed), &[(2, 21, None), (3, 30, other)]),
        differing(&[2, 3]),
        "wiped before all had agreed"
    );
}

#[test]
fn alone_there_is_nobody_to_wait_for() {
    let founder = |written| Founder { own: node(1), directory: Uuid(10), count: 1, written };
    let agreed = list(&[10], false);
    assert_eq!(founder(None).next(&BTreeMap::new()), Next::Write(agreed.clone()));
    assert_eq!(founder(Some(&agreed)).next(&BTreeMap::new()), Next::Write(list(&[10], true)));
}

/// A founder's directory, and the process that has it, if it runs.
#[derive(Debug, Clone)]
struct Node {
    directory: Uuid,
    written: Option<Founders>,
    resigned: bool,
    /// By number: what was last heard over a link that is up. Older than what is true.
    heard: BTreeMap<NodeNumber, Heard>,
}

#[derive(Debug, Clone)]
enum Event {
    /// The first hears what the second says now.
    Hear(usize, usize),
    /// The link between them is over: neither counts what it heard by it.
    Cut(usize, usize),
    /// A process is killed and started again.
    Restart(usize),
    /// The same, with an empty directory.
    Wipe(usize),
    /// A founder does what is next.
    Act(usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let one = 0..COUNT;
    let event = prop_oneof![
        8 => (one.clone(), one.clone()).prop_map(|(a, b)| Event::Hear(a, b)),
        1 => (one.clone(), one.clone()).prop_map(|(a, b)| Event::Cut(a, b)),
        1 => one.clone().prop_map(Event::Restart),
        1 => one.clone().prop_map(Event::Wipe),
        8 => one.prop_map(Event::Act),
    ];
    proptest::collection::vec(event, 0..200)
}

struct World {
    nodes: Vec<Node>,
    directories: u128,
    /// Every list that any directory has begun with, also of directories that are gone.
    begun: Vec<(NodeNumber, Uuid, Vec<Uuid>)>,
}

impl World {
    fn new() -> Self {
        let mut world = Self { nodes: Vec::new(), directories: 0, begun: Vec::new() };
        world.nodes = (0..COUNT).map(|_| world.empty()).collect();
        world
    }

    fn empty(&mut self) -> Node {
        self.directories += 1;
        Node { directory: Uuid(self.directories), written: None, resigned: false, heard: BTreeMap::new() }
    }

    fn apply(&mut self, event: &Event) {
        match *event {
            Event::Hear(a, b) if a != b && !self.nodes[b].resigned => {
                let said =
                    Heard { directory: self.nodes[b].directory, founders: self.nodes[b].written.clone() };
                self.nodes[a].heard.insert(node(b as u64 + 1), said);
            }
            Event::Hear(..) => {}
            Event::Cut(a, b) => {
                self.nodes[a].heard.remove(&node(b as u64 + 1));
                self.nodes[b].heard.remove(&node(a as u64 + 1));
            }
            Event::Restart(a) => self.nodes[a].heard.clear(),
            Event::Wipe(a) => self.nodes[a] = self.empty(),
            Event::Act(a) => self.act(a),
        }
    }

    fn act(&mut self, at: usize) {
        let own = node(at as u64 + 1);
        let Node { directory, written, resigned, heard } = &mut self.nodes[at];
        let founder = Founder { own, directory: *directory, count: COUNT, written: written.as_ref() };
        if *resigned {
            return;
        }
        match founder.next(heard) {
            Next::Write(founders) => {
                if let Some(before) = &written {
                    assert_eq!(before.directories, founders.directories, "it agreed to another list");
                }
                if founders.begun {
                    self.begun.push((own, *directory, founders.directories.clone()));
                }
                *written = Some(founders);
            }
            Next::Resign => {
                assert_eq!(*written, None, "it has promised something");
                *resigned = true;
            }
            Next::Wait(_) | Next::Nothing => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Who votes under a number is one directory, as far as anybody counts its votes that has not lost everything.
    #[test]
    fn no_two_lists_that_have_begun_share_a_directory(events in events()) {
        let mut world = World::new();
        events.iter().for_each(|event| world.apply(event));
        for (own, directory, list) in &world.begun {
            prop_assert_eq!(list[own.0 as usize - 1], *directory, "it counts itself");
            for (_, _, other) in &world.begun {
                let shared: BTreeSet<_> = list.iter().filter(|uuid| other.contains(uuid)).collect();
                prop_assert!(list == other || shared.is_empty(), "{:?} and {:?}", list, other);
            }
        }
    }

    /// Once links hold and nobody is wiped any more, all begin, if nobody was.
    #[test]
    fn without_a_wipe_all_begin(events in events()) {
        let mut world = World::new();
        events.iter().filter(|event| !matches!(event, Event::Wipe(_))).for_each(|event| world.apply(event));
        for _ in 0..3 {
            let all = || (0..COUNT).flat_map(|a| (0..COUNT).map(move |b| (a, b)));
            all().for_each(|(a, b)| world.apply(&Event::Hear(a, b)));
            (0..COUNT).for_each(|a| world.apply(&Event::Act(a)));
        }
        for node in &world.nodes {
            prop_assert!(node.written.as_ref().is_some_and(|founders| founders.begun));
        }
    }
}
