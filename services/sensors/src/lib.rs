//! Sensors: an example service that publishes this machine's readings and says what they come to.
//!
//! ```text
//!  publisher ──► sensors.HOST.KIND ──► aggregator ──► aggregates.HOST.KIND
//!                (each second)                        (each window: min, mean, max, p95, count)
//! ```
//!
//! Both are one program in two roles. Readings and aggregates are JSON, so that `mesh sub 'sensors.>'` shows them to
//! people as they are. [`Machine`] reads, [`Windows`] aggregates and knows neither clock nor mesh.

mod aggregate;
mod aggregator;
mod clock;
mod machine;
mod publisher;
mod reading;
mod series;
mod windows;

pub use self::aggregate::Aggregate;
pub use self::aggregator::{Aggregator, SERVICE, STATS, Stats};
pub use self::machine::{INTERVAL_MIN, Machine, READINGS_PER_ROUND, Sample};
pub use self::publisher::publish;
pub use self::reading::{Reading, Unit};
pub use self::series::{AGGREGATES, PART_BYTES, READINGS, Series, token};
pub use self::windows::{Counts, Options, Windows};
