//! Where messages belong in a trace: the feature `otel`, and nothing at all without it.

#[cfg(not(feature = "otel"))]
mod off;
#[cfg(feature = "otel")]
mod on;

#[cfg(not(feature = "otel"))]
pub(crate) use off::{RequestSpan, ServeSpan, inject_current, is_active};
#[cfg(feature = "otel")]
pub(crate) use on::{RequestSpan, ServeSpan, inject_current, is_active};
