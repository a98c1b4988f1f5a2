//! The same seed does the same.

use mesh_sim::{plan::Plan, run};

#[test]
fn a_seed_run_twice_leaves_the_same_trace() {
    for seed in 1..=12 {
        let (first, second) = (run(Plan::of(seed)), run(Plan::of(seed)));
        assert_eq!(first, second, "seed {seed}");
        assert!(first.counts.events > 100, "seed {seed}: {:?}", first.counts);
    }
}

#[test]
fn another_seed_is_another_run() {
    assert_ne!(run(Plan::of(1)).hash, run(Plan::of(2)).hash);
}
