//! The same seed does the same.

use mesh_sim::{
    plan::{Fault, Plan},
    report::Counts,
    run,
};

#[test]
fn a_seed_run_twice_leaves_the_same_trace() {
    let plans = (1..=12).map(Plan::given).chain((1..=2).map(|seed| Plan::given(seed).with_cluster()));
    for plan in plans {
        let seed = plan.seed;
        let (first, second) = (run(plan.clone()), run(plan));
        assert_eq!(first, second, "seed {seed}");
        assert!(first.counts.events > 100, "seed {seed}: {:?}", first.counts);
    }
}

/// What the reconciler is to be seen at: nodes that join, members that change, replicas that lost something and are taken
/// out, all of it until the cluster is at rest.
#[test]
fn clusters_are_tended_to() {
    let mut all = Counts::default();
    for seed in 1..=4 {
        let faults = [Fault::Members, Fault::Wipe, Fault::Power, Fault::FlipLog];
        let report = run(Plan::given(seed).with_cluster().with_faults(&faults));
        assert_eq!(report.violation, None, "seed {seed}");
        all.add(&report.counts);
    }
    assert!(all.joins > 0 && all.steps > 0 && all.member_changes > 0 && all.flips > 0, "{all:?}");
}

#[test]
fn another_seed_is_another_run() {
    assert_ne!(run(Plan::given(1)).hash, run(Plan::given(2)).hash);
}
