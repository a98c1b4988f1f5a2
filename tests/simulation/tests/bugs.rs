//! Known bugs are found, each by the invariant that it breaks; and the runs that find them are clean without them.

use std::time::Duration;

use mesh_log::bug::{Bug, Bugs};
use mesh_sim::{
    invariant::Invariant,
    plan::{Fault, Plan},
    run,
};

/// Runs in which a bug has to show.
const SEEDS: u64 = 300;

/// Runs seeds with a bug, under faults that bring it out, until an invariant fails; then the same seed without it.
fn finds(bug: Bug, faults: &[Fault], expected: &[Invariant]) {
    finds_in(|seed| Plan::given(seed).with_faults(faults), bug, expected);
}

fn finds_in(plan: impl Fn(u64) -> Plan, bug: Bug, expected: &[Invariant]) {
    for seed in 1..=SEEDS {
        let report = run(plan(seed).with_bugs(Bugs::default().with(bug)));
        // A run that comes to no rest says nothing of what was promised and broken.
        let broken = report.violation.filter(|violation| violation.invariant != Invariant::Liveness);
        let Some(violation) = broken else { continue };
        assert!(expected.contains(&violation.invariant), "{}, seed {seed}: {violation}", bug.as_str());
        let clean = run(plan(seed));
        assert_eq!(clean.violation, None, "seed {seed} without {}", bug.as_str());
        return;
    }
    panic!("{} was not found in {SEEDS} seeds", bug.as_str());
}

#[test]
fn an_acknowledgement_before_the_fsync() {
    finds(
        Bug::AckBeforeFsync,
        &[Fault::Power, Fault::PowerOfAll, Fault::Force, Fault::Slow],
        &[Invariant::NoAckWithoutQuorum, Invariant::DurableIsRecovered],
    );
}

#[test]
fn an_acknowledgement_before_a_quorum() {
    finds(
        Bug::AckBeforeQuorum,
        &[Fault::Cut, Fault::Force, Fault::Power],
        &[Invariant::NoAckWithoutQuorum, Invariant::CommittedStaysCommitted],
    );
}

#[test]
fn a_vote_that_is_forgotten() {
    finds(
        Bug::ForgetVote,
        &[Fault::Power, Fault::PowerOfAll, Fault::Kill, Fault::Transfer],
        &[Invariant::OneLeaderPerTerm, Invariant::LogMatching],
    );
}

#[test]
fn damage_that_is_taken_for_a_torn_tail() {
    finds(
        Bug::TruncateOnDamage,
        &[Fault::FlipLog, Fault::Force],
        &[Invariant::DurableIsRecovered, Invariant::CommittedStaysCommitted],
    );
}

#[test]
fn a_read_from_who_led_before() {
    // Several clients that read and write the same, so that one knows what another one has to be shown.
    let plan = |seed| {
        let plan = Plan::given(seed).with_faults(&[Fault::Cut, Fault::Pause]);
        let (calm, think) = (Duration::from_secs(1), Duration::from_millis(30));
        Plan { groups: 1, lanes: 1, clients: 6, reads: 500, records_max: 1, calm, think, ..plan }
    };
    finds_in(plan, Bug::StaleRead, &[Invariant::NoStaleRead]);
}

#[test]
fn entries_that_are_applied_again_after_a_snapshot() {
    finds(Bug::ApplyTwice, &[Fault::Power, Fault::Kill, Fault::Cut], &[Invariant::AppliedInOrderAndOnce]);
}

#[test]
fn an_acknowledgement_before_a_quorum_in_a_cluster_that_changes() {
    let faults = [Fault::Members, Fault::Wipe, Fault::Cut, Fault::Force, Fault::Power];
    finds_in(
        |seed| Plan::given(seed).with_cluster().with_faults(&faults),
        Bug::AckBeforeQuorum,
        &[Invariant::NoAckWithoutQuorum, Invariant::CommittedStaysCommitted],
    );
}

#[test]
fn without_bugs_something_happens() {
    let report = run(Plan::given(1));
    assert!(report.counts.commits > 0 && report.counts.records > 0, "{:?}", report.counts);
}
