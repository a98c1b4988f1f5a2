//! Runs of one row: every side in turn, again and again, so that what else the machine does meets them alike.

use std::collections::BTreeMap;

use crate::measurement::Measurement;
use crate::row::Row;
use crate::side::Side;

/// After so many failures a side is out of a row, so that a hung one does not cost a timeout per run.
const FAILURES_MAX: usize = 2;

/// What all sides did in all runs of one row.
pub(crate) struct Outcome {
    pub(crate) row: Row,
    /// By side, in order of running.
    pub(crate) measured: BTreeMap<&'static str, Vec<Measurement>>,
    /// By side: what went wrong, and in which run.
    pub(crate) failures: BTreeMap<&'static str, Vec<String>>,
}

/// Runs `row` `runs` times with each of `sides`; `tell` gets a line about each measurement.
pub(crate) async fn run(
    row: Row,
    sides: &[Side],
    runs: usize,
    smoke: bool,
    mut tell: impl FnMut(String),
) -> anyhow::Result<Outcome> {
    // So little work, built like the tests are, says nothing about goals.
    let row = if smoke { Row { work: row.work.smoke(), goals: &[], ..row } } else { row };
    let work = row.work;
    let taking_part: Vec<&Side> = sides.iter().filter(|side| side.takes_part(row)).collect();
    let mut outcome = Outcome { row, measured: BTreeMap::new(), failures: BTreeMap::new() };
    for run in 0..runs {
        for nth in 0..taking_part.len() {
            // Another side begins each run: none always follows the same one.
            let side = taking_part[(run + nth) % taking_part.len()];
            let failed = outcome.failures.get(side.name()).map_or(0, Vec::len);
            if failed >= FAILURES_MAX {
                continue;
            }
            // For sockets, data and what processes say on stderr; gone when the measurement is.
            let folder = tempfile::Builder::new().prefix("mesh-race-").tempdir()?;
            let prefix = format!("{} run {}/{runs} {}", row.name, run + 1, side.name());
            match side.measure(row, smoke, folder.path()).await {
                Ok(measurement) => {
                    tell(format!("{prefix}: {:.1} {}", measurement.value, work.unit()));
                    outcome.measured.entry(side.name()).or_default().push(measurement);
                }
                Err(error) => {
                    tell(format!("{prefix}: failed: {error:#}"));
                    let failures = outcome.failures.entry(side.name()).or_default();
                    failures.push(format!("run {}: {error:#}", run + 1));
                }
            }
        }
    }
    Ok(outcome)
}
