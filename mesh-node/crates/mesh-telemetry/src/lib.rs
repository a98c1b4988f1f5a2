//! What Mesh says about itself to the outside: names of metrics, spans and attributes, W3C trace context in message
//! headers, and the set-up of log lines for binaries.
//!
//! ```text
//!  metric, span ──── names, in one place, documented in docs/reference/metrics.md
//!  trace_context ─── traceparent / tracestate / baggage  ◄──►  headers of a message
//!  otel ──────────── trace_context  ◄──►  the current tracing span      (feature `otel`)
//!  logging ───────── `--log`, `MESH_LOG`  ──►  lines on stderr          (feature `logging`)
//! ```
//!
//! Without features this crate depends on nothing but `mesh-wire`, because every client carries it.

#[cfg(feature = "logging")]
pub mod logging;
pub mod metric;
#[cfg(feature = "otel")]
pub mod otel;
pub mod span;
pub mod trace_context;
