//! Anything may come to a replica: it never panics, and keeps what it had committed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mesh_log::{id::GroupId, record::EntryKind};
use proptest::prelude::*;
use raft::StateRole;

use super::subject::{OWN, Subject, entry, message, raw_entry, to_raw};
use crate::{
    id::NodeNumber,
    members::Members,
    message::{Manifest, Offer, Raft},
};

/// A number of a message, near one that the replica knows.
#[derive(Debug, Clone, Copy)]
enum Near {
    Zero,
    Term(i64),
    Last(i64),
    Commit(i64),
    Any(u64),
}

impl Near {
    fn of(self, subject: &Subject) -> u64 {
        let raft = &subject.raw.raft;
        match self {
            Self::Zero => 0,
            Self::Term(by) => raft.term.saturating_add_signed(by),
            Self::Last(by) => raft.raft_log.last_index().saturating_add_signed(by),
            Self::Commit(by) => raft.raft_log.committed.saturating_add_signed(by),
            Self::Any(number) => number,
        }
    }
}

fn near() -> impl Strategy<Value = Near> {
    prop_oneof![
        2 => Just(Near::Zero),
        4 => (-2i64..3).prop_map(Near::Term),
        4 => (-4i64..4).prop_map(Near::Last),
        4 => (-3i64..3).prop_map(Near::Commit),
        1 => prop_oneof![Just(u64::MAX), Just(1 << 48), any::<u64>(), 0u64..20].prop_map(Near::Any),
    ]
}

fn term() -> impl Strategy<Value = Near> {
    prop_oneof![12 => (-1i64..3).prop_map(Near::Term), 1 => near()]
}

#[derive(Debug, Clone)]
struct Wild {
    kind: u8,
    from: u64,
    term: Near,
    log_term: Near,
    index: Near,
    commit: Near,
    commit_term: Near,
    reject: bool,
    hint: Near,
    entries: Vec<(i8, i8, bool)>,
    priority: i64,
    request: bool,
    /// As a leader would say it: what it says of the log before is what this replica has.
    matches: bool,
}

impl Wild {
    fn message(&self, subject: &Subject) -> Raft {
        let index = self.index.of(subject);
        let mut log_term = self.log_term.of(subject);
        if self.matches {
            log_term = subject.raw.raft.raft_log.term(index).unwrap_or(log_term);
        }
        let (mut at, mut last) = (index, log_term);
        let entries = self.entries.iter().map(|(skip, rise, members)| {
            at = at.wrapping_add(1).saturating_add_signed((*skip).into());
            last = last.max(1).saturating_add_signed((*rise).into());
            let mut entry = entry(at, last);
            if *members {
                entry.kind = EntryKind::Members;
            }
            entry
        });
        Raft {
            entries: entries.collect(),
            kind: self.kind,
            from: NodeNumber(self.from),
            term: self.term.of(subject),
            log_term,
            index,
            commit: self.commit.of(subject),
            commit_term: self.commit_term.of(subject),
            reject: self.reject,
            reject_hint: self.hint.of(subject),
            priority: self.priority,
            request_snapshot: u64::from(self.request),
            ..message(raft::eraftpb::MessageType::MsgHup)
        }
    }
}

fn wild() -> impl Strategy<Value = Wild> {
    let kind =
        prop_oneof![9 => prop::sample::select(vec![3u8, 3, 3, 4, 5, 6, 8, 9, 14, 17, 18]), 1 => 0u8..24];
    let from = prop_oneof![9 => 2u64..4, 1 => 0u64..6];
    let skip = prop_oneof![9 => Just(0i8), 1 => -3i8..4];
    let rise = prop_oneof![9 => 0i8..2, 1 => -3i8..4];
    let entries = prop_oneof![
        1 => Just(Vec::new()),
        1 => proptest::collection::vec((skip, rise, prop::bool::weighted(0.1)), 0..4),
    ];
    let numbers = (term(), near(), near(), near(), near(), near());
    (
        kind,
        from,
        numbers,
        any::<bool>(),
        entries,
        -1i64..2,
        prop::bool::weighted(0.05),
        prop::bool::weighted(0.7),
    )
        .prop_map(|(kind, from, numbers, reject, entries, priority, request, matches)| {
            let (term, log_term, index, commit, commit_term, hint) = numbers;
            Wild {
                kind,
                from,
                term,
                log_term,
                index,
                commit,
                commit_term,
                reject,
                hint,
                entries,
                priority,
                request,
                matches,
            }
        })
}

#[derive(Debug, Clone)]
enum Step {
    Message(Wild),
    Offer { term: Near, index: Near, at: Near, members: Vec<u8> },
    Tick(u8),
    Propose,
    Ready(bool),
    Persist,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => wild().prop_map(Step::Message),
        1 => (term(), near(), near(), proptest::collection::vec(0u8..16, 5))
            .prop_map(|(term, index, at, members)| Step::Offer { term, index, at, members }),
        2 => (1u8..25).prop_map(Step::Tick),
        1 => Just(Step::Propose),
        4 => any::<bool>().prop_map(Step::Ready),
        2 => Just(Step::Persist),
    ]
}

fn subjects() -> [fn() -> Subject; 5] {
    [Subject::follower, Subject::fresh, Subject::candidate, Subject::pre_candidate, Subject::leader]
}

fn offer(subject: &Subject, term: Near, index: Near, at: Near, members: &[u8]) -> Offer {
    let set = |bit: u8| {
        (1..)
            .zip(members)
            .filter(move |(_, bits)| **bits & 1 << bit != 0)
            .map(|(node, _)| NodeNumber(node))
            .collect()
    };
    let members = Members { voters: set(0), learners: set(1), outgoing: set(2), learners_next: set(3) };
    let (index, at) = (index.of(subject), at.of(subject));
    let manifest =
        Manifest { index, term: at, time_ms: 0, members, state: Default::default(), extents: Vec::new() };
    let (from, to) = (NodeNumber(2), NodeNumber(OWN));
    Offer { group: GroupId(1), from, to, term: term.of(subject), loss: 0, manifest }
}

/// Runs; with the door, or without it. How many messages raft was given.
fn run(start: fn() -> Subject, steps: &[Step], with_door: bool) -> usize {
    let mut subject = start();
    let mut given = 0;
    let mut committed = Vec::new();
    for step in steps {
        match step {
            Step::Message(wild) => {
                let message = wild.message(&subject);
                if !with_door {
                    drop(subject.raw.step(to_raw(&message)));
                    given += 1;
                } else if let Ok(admit) = subject.check(&message) {
                    subject.step(&message, admit);
                    given += 1;
                }
            }
            Step::Offer { term, index, at, members } => {
                let offer = offer(&subject, *term, *index, *at, members);
                if subject.offer(&offer).is_ok() {
                    given += 1;
                    committed.clear();
                }
            }
            Step::Tick(times) => (0..*times).for_each(|_| subject.tick()),
            Step::Propose => {
                if subject.raw.raft.state == StateRole::Leader {
                    drop(subject.raw.propose(Vec::new(), vec![1]));
                }
            }
            Step::Ready(persist) => subject.ready(*persist),
            Step::Persist => subject.persist(),
        }
        if with_door {
            assert!(subject.is_sound());
            keeps(&subject, &mut committed);
        }
    }
    subject.ready(true);
    given
}

/// What was committed once is so for ever.
fn keeps(subject: &Subject, committed: &mut Vec<(u64, u64)>) {
    let log = &subject.raw.raft.raft_log;
    for (index, term) in committed.iter() {
        if *index >= log.first_index() {
            assert_eq!(log.term(*index), Ok(*term), "entry {index}");
        }
    }
    let next = committed.last().map_or(log.first_index(), |(index, _)| index + 1);
    for index in next..=log.committed {
        committed.push((index, log.term(index).unwrap()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_replica_behind_the_door_takes_anything(
        start in 0usize..5,
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        run(subjects()[start], &steps, true);
    }
}

/// The test above can fail: the same inputs without the door bring raft down.
#[test]
fn without_the_door_the_same_inputs_bring_it_down() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};

    let mut runner = TestRunner::deterministic();
    let steps = proptest::collection::vec(step(), 1..60);
    let (mut down, mut given) = (0, 0);
    for start in subjects().into_iter().cycle().take(60) {
        let steps = steps.new_tree(&mut runner).unwrap().current();
        down += usize::from(catch_unwind(AssertUnwindSafe(|| run(start, &steps, false))).is_err());
        given += run(start, &steps, true);
    }
    assert!(down > 20, "{down} of 60");
    // And it is not that nothing gets through.
    assert!(given > 60, "{given}");
}

/// Entries are only what the strategy says; beside them raft makes its own.
#[test]
fn entries_of_the_strategy_are_those_of_raft() {
    assert_eq!(
        to_raw(&Raft { entries: vec![entry(1, 1)], ..message(raft::eraftpb::MessageType::MsgAppend) })
            .entries[0],
        raw_entry(1, 1)
    );
}
