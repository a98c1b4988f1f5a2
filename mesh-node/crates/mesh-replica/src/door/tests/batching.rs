//! Why appends are not batched by raft itself (`batch_append`): it adds entries to a message that was made for another
//! place in the log. Loss and reordering bring that about; we merge messages into frames instead.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::network::{Between, Network, Wrong};
use crate::door::Refusal;

const SEEDS: u64 = 40;
const STEPS: usize = 3_000;

/// Runs that went wrong, and how many entries the others committed.
fn run(batch_append: bool, between: Between) -> (Vec<Option<Wrong>>, usize) {
    let (mut wrong, mut committed) = (Vec::new(), 0);
    for seed in 1..=SEEDS {
        match catch_unwind(AssertUnwindSafe(|| Network::new(seed, batch_append, between).run(STEPS))) {
            Ok(Ok(entries)) => committed += entries,
            Ok(Err(what)) => wrong.push(Some(what)),
            Err(_) => wrong.push(None),
        }
    }
    (wrong, committed)
}

#[test]
fn with_batched_appends_a_bad_network_breaks_raft() {
    let (malformed, _) = run(true, Between::Look);
    assert!(malformed.len() as u64 > SEEDS / 4, "{malformed:?}");
    // Sent, they bring replicas down, or commit what no majority has.
    let (wrong, _) = run(true, Between::Nothing);
    assert!(!wrong.is_empty(), "sent, they do no harm");
}

#[test]
fn without_them_it_does_not() {
    let (wrong, committed) = run(false, Between::Look);
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(committed as u64 > 20 * SEEDS, "{committed} entries");
}

/// The door keeps nothing out that replicas say to each other, but what is too late.
#[test]
fn the_door_lets_in_what_replicas_say() {
    let mut committed = 0;
    for seed in 1..=SEEDS {
        let mut network = Network::new(seed, false, Between::Door);
        committed += network.run(STEPS).unwrap();
        for refusal in &network.refused {
            let is_late = matches!(refusal, Refusal::Stale { .. } | Refusal::Unasked);
            assert!(is_late, "seed {seed}: {refusal}");
        }
    }
    assert!(committed as u64 > 20 * SEEDS, "{committed} entries");
}
