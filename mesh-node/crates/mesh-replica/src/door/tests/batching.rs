//! Why appends are not batched by raft itself (`batch_append`): it adds entries to a message that was made for another
//! place in the log. Loss and reordering bring that about; we merge messages into frames instead.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::network::{Network, Wrong};

const SEEDS: u64 = 40;
const STEPS: usize = 3_000;

/// Runs that went wrong, and how many entries the others committed.
fn run(batch_append: bool, looks_at_messages: bool) -> (Vec<Option<Wrong>>, usize) {
    let (mut wrong, mut committed) = (Vec::new(), 0);
    for seed in 1..=SEEDS {
        match catch_unwind(AssertUnwindSafe(|| {
            Network::new(seed, batch_append, looks_at_messages).run(STEPS)
        })) {
            Ok(Ok(entries)) => committed += entries,
            Ok(Err(what)) => wrong.push(Some(what)),
            Err(_) => wrong.push(None),
        }
    }
    (wrong, committed)
}

#[test]
fn with_batched_appends_a_bad_network_breaks_raft() {
    let (malformed, _) = run(true, true);
    assert!(malformed.len() as u64 > SEEDS / 4, "{malformed:?}");
    // Sent, they bring replicas down, or commit what no majority has.
    let (wrong, _) = run(true, false);
    assert!(!wrong.is_empty(), "sent, they do no harm");
}

#[test]
fn without_them_it_does_not() {
    let (wrong, committed) = run(false, true);
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(committed as u64 > 20 * SEEDS, "{committed} entries");
}
