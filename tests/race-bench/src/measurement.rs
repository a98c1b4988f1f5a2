//! What one contestant did once.

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::Value;

/// One contestant's outcome of one run of one row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measurement {
    /// The value, in the row's unit.
    pub(crate) value: f64,
    /// Processor time while the work was done; none where only memory is looked at.
    pub(crate) cpu: Option<Cpu>,
    /// Further figures by name.
    pub(crate) details: BTreeMap<String, f64>,
}

/// Processor time in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cpu {
    /// The server's, while the work was done.
    pub(crate) server: f64,
    /// All drivers' together.
    pub(crate) clients: f64,
}

/// Latencies that a driver's report may have, under the names that every driver uses.
const QUANTILES: [&str; 4] = ["p50_us", "p99_us", "p999_us", "max_us"];

/// A number in a driver's report.
///
/// # Errors
/// When it is not there, or none.
pub(crate) fn number(report: &Value, name: &str) -> anyhow::Result<f64> {
    report[name].as_f64().with_context(|| format!("no number {name:?} in {report}"))
}

/// The latencies of a driver's report.
pub(crate) fn latencies(report: &Value) -> BTreeMap<String, f64> {
    let known = QUANTILES.iter().filter_map(|name| Some(((*name).to_owned(), report[*name].as_f64()?)));
    known.collect()
}
