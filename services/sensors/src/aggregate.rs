//! What is said about one window of one series.

use serde::{Deserialize, Serialize};

use crate::reading::Unit;

/// The readings of one series in one window. The series is the subject; the body is this in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Aggregate {
    /// Start of the window (inside it), in milliseconds since 1970-01-01T00:00:00Z.
    pub start_ms: u64,
    /// End of the window (outside it), in milliseconds since 1970-01-01T00:00:00Z.
    pub end_ms: u64,
    /// What the values count.
    pub unit: Unit,
    /// Readings in the window, at least one.
    pub count: u64,
    /// The smallest value.
    pub min: f64,
    /// The mean of the values.
    pub mean: f64,
    /// The largest value.
    pub max: f64,
    /// The value that 95 of 100 values do not exceed (nearest rank).
    pub p95: f64,
}
