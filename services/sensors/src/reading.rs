//! One reading, as it is published.

use serde::{Deserialize, Serialize};

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 0 to 100.
    Percent,
    /// Bytes.
    Bytes,
    /// Bytes per second.
    BytesPerSecond,
    /// Runnable tasks, averaged.
    Load,
}

/// A value of one series at one moment. The series is the subject; the body is this in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The value.
    pub value: f64,
    /// What it counts.
    pub unit: Unit,
    /// When it was taken, in microseconds since 1970-01-01T00:00:00Z.
    pub taken_us: u64,
}

impl Reading {
    /// When it was taken, in milliseconds since 1970-01-01T00:00:00Z: what windows go by.
    pub fn taken_ms(&self) -> u64 {
        self.taken_us / 1_000
    }
}
