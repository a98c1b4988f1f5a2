//! The cores that nodes run (host, log, keeper, machines), on a simulated clock, network and disk.
//!
//! ```text
//!   seed ─► Plan ─► World ─► faults for a while ─► healed ─► at rest ─► every record is read
//!                    │ clients ─► hosts ◄─► network
//!                    │             └► log, keeper ─► disks that forget
//!                    └► all that happens ─► invariants, and one number for the whole run
//! ```
//! A run is one thread and has no clock of its own: the same seed does the same. `tests/sim` runs many.

use std::time::Instant;

pub mod checks;
pub mod client;
pub mod home;
pub mod invariant;
pub mod network;
pub mod node;
pub mod plan;
pub mod queue;
pub mod report;
pub mod shadow;
pub mod time;
pub mod trace;
pub mod workload;
pub mod world;

use plan::Plan;
use report::Report;
use trace::Trace;
use world::World;

/// Runs a plan.
#[must_use]
pub fn run(plan: Plan) -> Report {
    World::new(plan, Trace::silent()).run().0
}

/// Runs seeds on so many threads, and gives back what each came to, in their order. Stops early when one failed, unless
/// `all`.
#[must_use]
pub fn run_many(
    seeds: std::ops::RangeInclusive<u64>,
    plan: impl Fn(u64) -> Plan + Sync,
    threads: usize,
    all: bool,
) -> Vec<Report> {
    use std::sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    };
    let next = AtomicU64::new(*seeds.start());
    let stop = AtomicBool::new(false);
    let reports = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > *seeds.end() {
                        break;
                    }
                    let report = run(plan(seed));
                    if report.violation.is_some() && !all {
                        stop.store(true, Ordering::Relaxed);
                    }
                    reports.lock().unwrap_or_else(PoisonError::into_inner).push(report);
                }
            });
        }
    });
    let mut reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
    reports.sort_by_key(|report| report.seed);
    reports
}

/// Seconds since then.
#[must_use]
pub fn seconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64()
}
