//! A trial's outcome as one JSON object.

use serde_json::{Map, Value, json};

use crate::trial::{Outcome, Trial};

/// The object.
pub(crate) fn object(trial: &Trial, seed: u64, outcome: &Outcome) -> Value {
    let verdict = &outcome.verdict;
    let notes: Map<String, Value> =
        outcome.notes.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({
        "trial": trial.number,
        "name": trial.name,
        "seed": seed,
        "sent": verdict.sent,
        "acked": verdict.acked,
        "refused": verdict.refused,
        "unknown": verdict.unknown,
        "read": verdict.read,
        "lost": verdict.lost,
        "duplicated": verdict.duplicated,
        "phantom": verdict.phantom,
        "misplaced": verdict.misplaced,
        "stale": verdict.stale,
        "diverged": verdict.diverged,
        "worst_gap_ms": u64::try_from(verdict.worst_gap.as_millis()).unwrap_or(u64::MAX),
        "notes": notes,
        "complaints": outcome.complaints,
        "passed": outcome.passed(),
    })
}

/// The same in a line for a person.
pub(crate) fn line(trial: &Trial, seed: u64, outcome: &Outcome) -> String {
    let verdict = &outcome.verdict;
    let end = if outcome.passed() {
        "passed".to_owned()
    } else {
        format!("FAILED {}", outcome.complaints.join("; "))
    };
    format!(
        "{:3}  {:45} seed {seed}: {} of {} acknowledged, {} lost, {} twice, {} phantom, {} misplaced, {} stale, worst \
         gap {} ms: {end}",
        trial.number,
        trial.name,
        verdict.acked,
        verdict.sent,
        verdict.lost,
        verdict.duplicated,
        verdict.phantom,
        verdict.misplaced,
        verdict.stale,
        verdict.worst_gap.as_millis(),
    )
}
