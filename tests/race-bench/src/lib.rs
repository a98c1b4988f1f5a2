//! What the programs of the race share: latencies and the JSON lines by which a driver tells what it saw.
//!
//! `mesh-race` starts the contestants and their drivers and compares them. `mesh-race-floor` and `mesh-race-tonic`
//! are drivers; so is the Go module in `nats/`, and `mesh bench` is ours. Every driver speaks alike:
//!
//! ```text
//! {"ready":true,...}        what it set up is known to its server
//! {"count":...,...}         what it measured, when it is done
//! ```

pub mod certificates;
pub mod latency;
pub mod line;
