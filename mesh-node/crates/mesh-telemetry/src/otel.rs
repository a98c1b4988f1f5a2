//! Between the trace context of a message and the current `tracing` span.
//!
//! Works with a subscriber that has a `tracing-opentelemetry` layer; without one there is no context and nothing to set.

mod baggage;

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::trace_context::{SpanId, TraceContext, TraceId};

/// The context to send with a message: that of the current span.
///
/// `None` when no span is current or nothing follows traces. The context of a span that is not sampled is given too,
/// so that the receiver makes the same decision.
#[must_use]
pub fn current() -> Option<TraceContext> {
    of(&Span::current())
}

/// The context of `span`; see [`current`].
#[must_use]
pub fn of(span: &Span) -> Option<TraceContext> {
    if span.is_disabled() {
        return None;
    }
    let context = span.context();
    let span = context.span();
    let span = span.span_context();
    let trace_id = TraceId::new(span.trace_id().to_bytes())?;
    let span_id = SpanId::new(span.span_id().to_bytes())?;
    let mut sent = TraceContext::new(trace_id, span_id, span.is_sampled());
    // What can't be written by the rules is left out: a trace without it beats none.
    let state = span.trace_state().header();
    if !state.is_empty() {
        sent = sent.clone().with_tracestate(&state).unwrap_or(sent);
    }
    if let Some(text) = baggage::encode(context.baggage()) {
        sent = sent.clone().with_baggage(&text).unwrap_or(sent);
    }
    Some(sent)
}

/// Makes `context`, received with a message, the parent of `span`. To be called before the span is first entered.
///
/// Returns whether it was done: not for a disabled or started span, nor without a `tracing-opentelemetry` layer.
pub fn set_parent(span: &Span, context: &TraceContext) -> bool {
    span.set_parent(to_context(context)).is_ok()
}

/// Adds a link from `span` to `context`: for a span that works on a batch of messages, which has no single parent.
pub fn add_link(span: &Span, context: &TraceContext) {
    span.add_link(to_span_context(context));
}

fn to_context(context: &TraceContext) -> Context {
    let parent = Context::new().with_remote_span_context(to_span_context(context));
    match context.baggage() {
        Some(text) => parent.with_baggage(baggage::decode(text)),
        None => parent,
    }
}

fn to_span_context(context: &TraceContext) -> SpanContext {
    let flags = if context.is_sampled() { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let state = context.tracestate().and_then(|text| text.parse::<TraceState>().ok()).unwrap_or_default();
    SpanContext::new(
        opentelemetry::TraceId::from_bytes(context.trace_id().to_bytes()),
        opentelemetry::SpanId::from_bytes(context.span_id().to_bytes()),
        flags,
        true,
        state,
    )
}

#[cfg(test)]
mod tests;
