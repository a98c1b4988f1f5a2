//! Fuzz targets: one function per decoder of the protocol, which takes any bytes and asserts what has to hold.
//!
//! A target does more than not to panic: what decodes is encoded again and compared, bounds are checked, and where
//! there is an obvious slow model (grammars, reassembly) the decoder has to agree with it.
//!
//! ```text
//!  seeds ─► mutate ─► target      the stable loop: bounded and seeded, in `cargo test` (tests/smoke.rs)
//!       └─► libFuzzer ─► target   guided by coverage, on nightly: tests/fuzz
//! ```

pub mod batches;
pub mod bodies;
pub mod chunks;
pub mod door;
pub mod drive;
pub mod ext;
pub mod frames;
pub mod headers;
pub mod hello;
pub mod logs;
pub mod mutate;
pub mod names;
pub mod peers;
pub mod records;
pub mod segments;
pub mod subjects;

/// A decoder under test.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: that of the libFuzzer binary and of its directory of regressions.
    pub name: &'static str,
    /// Takes any bytes; panics when something does not hold.
    pub run: fn(&[u8]),
    /// Inputs to start from: valid ones, and some that are just not.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "batches", run: batches::target, seeds: batches::seeds },
    Target { name: "body_error", run: bodies::error, seeds: bodies::error_seeds },
    Target { name: "body_hello", run: bodies::hello, seeds: bodies::hello_seeds },
    Target { name: "body_peer_hello", run: bodies::peer_hello, seeds: bodies::peer_hello_seeds },
    Target { name: "body_subscribe", run: bodies::subscribe, seeds: bodies::subscribe_seeds },
    Target { name: "body_welcome", run: bodies::welcome, seeds: bodies::welcome_seeds },
    Target { name: "chunks", run: chunks::target, seeds: chunks::seeds },
    Target { name: "door", run: door::target, seeds: door::seeds },
    Target { name: "ext", run: ext::target, seeds: ext::seeds },
    Target { name: "frames", run: frames::target, seeds: frames::seeds },
    Target { name: "headers", run: headers::target, seeds: headers::seeds },
    Target { name: "hello", run: hello::target, seeds: hello::seeds },
    Target { name: "logs", run: logs::target, seeds: logs::seeds },
    Target { name: "names", run: names::target, seeds: names::seeds },
    Target { name: "peers", run: peers::target, seeds: peers::seeds },
    Target { name: "records", run: records::target, seeds: records::seeds },
    Target { name: "segments", run: segments::target, seeds: segments::seeds },
    Target { name: "subjects", run: subjects::target, seeds: subjects::seeds },
];
