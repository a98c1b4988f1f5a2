//! Trace context between messages and the current `tracing` span; names after the OpenTelemetry conventions.

use mesh_telemetry::otel;
use mesh_telemetry::span::{self, Operation};
use mesh_telemetry::trace_context::{TRACEPARENT, TraceContext};
use tracing::Span;
use tracing::field::Empty;

use crate::error::Error;
use crate::message::Message;
use crate::outgoing::Outgoing;
use crate::serve::Response;

/// Whether a span is current that messages could belong to.
#[inline]
pub(crate) fn is_active() -> bool {
    // One load, for the many who have the feature on and nothing that listens.
    tracing::dispatcher::has_been_set() && !Span::current().is_disabled()
}

/// Sends the current span's context along.
pub(crate) fn inject_current(message: &mut Outgoing<'_>) {
    if is_active() {
        inject(message, otel::current());
    }
}

fn inject(message: &mut Outgoing<'_>, context: Option<TraceContext>) {
    // Who set it by hand knows better.
    if let Some(context) = context
        && !message.has_header(TRACEPARENT)
    {
        context.to_headers(|name, value| message.header(name, value.into()));
    }
}

/// The requester's side of a request, where a span is current when it starts.
#[derive(Debug)]
pub(crate) struct RequestSpan(Span);

impl RequestSpan {
    pub(crate) const fn none() -> Self {
        Self(Span::none())
    }

    /// Starts a span and sends its context along.
    pub(crate) fn start(message: &mut Outgoing<'_>) -> Self {
        if !is_active() {
            return Self::none();
        }
        let span = tracing::info_span!(
            "request",
            otel.name = Operation::Request.span_name(message.subject),
            otel.kind = Operation::Request.span_kind(),
            { span::RPC_SYSTEM_NAME } = span::SYSTEM,
            { span::RPC_METHOD } = message.subject,
            { span::RPC_RESPONSE_STATUS_CODE } = Empty,
            { span::ERROR_TYPE } = Empty,
            otel.status_code = Empty,
        );
        inject(message, otel::of(&span).or_else(otel::current));
        Self(span)
    }

    pub(crate) fn end(&self, result: &Result<Message, Error>) {
        if let Err(error) = result {
            fail(&self.0, &error.code().to_string());
        }
    }
}

/// The responder's side of a request: what its handler does belongs to it.
pub(crate) struct ServeSpan(Span);

impl ServeSpan {
    /// Starts a span under the requester's.
    pub(crate) fn start(message: &Message, pattern: &str) -> Self {
        if !tracing::dispatcher::has_been_set() {
            return Self(Span::none());
        }
        let span = tracing::info_span!(
            parent: None,
            "serve",
            otel.name = Operation::Serve.span_name(pattern),
            otel.kind = Operation::Serve.span_kind(),
            { span::RPC_SYSTEM_NAME } = span::SYSTEM,
            { span::RPC_METHOD } = pattern,
            { span::RPC_RESPONSE_STATUS_CODE } = Empty,
            { span::ERROR_TYPE } = Empty,
            otel.status_code = Empty,
        );
        if !span.is_disabled()
            && let Some(context) = message.trace_context()
        {
            otel::set_parent(&span, &context);
        }
        Self(span)
    }

    pub(crate) fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        self.0.in_scope(work)
    }

    pub(crate) fn end(&self, response: &Response) {
        if let Some(number) = response.failure_number() {
            fail(&self.0, &number);
        }
    }
}

fn fail(span: &Span, what: &str) {
    span.record(span::RPC_RESPONSE_STATUS_CODE, what);
    span.record(span::ERROR_TYPE, what);
    span.record("otel.status_code", "ERROR");
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use mesh_wire::frame::{Kind, Parts};
    use mesh_wire::header::HeadersRef;
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::error::Failure;
    use crate::payload::Encode;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn traced(test: impl FnOnce()) -> Vec<SpanData> {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), test);
        exporter.get_finished_spans().unwrap()
    }

    fn traceparent(message: &Outgoing<'_>) -> Option<String> {
        let headers = HeadersRef::parse(message.parts(Kind::Publish, 0).headers).unwrap();
        headers.get(TRACEPARENT).and_then(|value| value.as_str().map(str::to_owned))
    }

    fn attribute(span: &SpanData, key: &str) -> Option<String> {
        span.attributes.iter().find(|kv| kv.key.as_str() == key).map(|kv| kv.value.to_string())
    }

    #[test]
    fn without_a_span_nothing_is_added() {
        let mut message = Outgoing::new("a.b", "x".encode());
        inject_current(&mut message);
        assert!(message.is_plain(u64::MAX) && !is_active());
        traced(|| {
            inject_current(&mut message);
            assert!(message.is_plain(u64::MAX), "nobody is in a span");
        });
    }

    #[test]
    fn the_current_span_goes_along() {
        let spans = traced(|| {
            tracing::info_span!("work").in_scope(|| {
                let mut message = Outgoing::new("a.b", "x".encode());
                inject_current(&mut message);
                let sent = TraceContext::parse(&traceparent(&message).unwrap()).unwrap();
                assert_eq!(sent, otel::current().unwrap());

                let mut by_hand = Outgoing::new("a.b", "x".encode());
                by_hand.header(TRACEPARENT, PARENT.into());
                inject_current(&mut by_hand);
                assert_eq!(traceparent(&by_hand).as_deref(), Some(PARENT));
            });
        });
        assert_eq!(spans.len(), 1, "publishing makes no span of its own");
    }

    #[test]
    fn a_request_is_a_client_span_and_its_context_goes_along() {
        let mut sent = None;
        let spans = traced(|| {
            tracing::info_span!("work").in_scope(|| {
                let mut message = Outgoing::new("a.b", "x".encode());
                let span = RequestSpan::start(&mut message);
                sent = traceparent(&message);
                span.end(&Err(Error::of(mesh_wire::code::Code::NoResponders)));
            });
        });
        let [request, work] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!(
            (request.name.as_ref(), request.parent_span_id),
            ("request a.b", work.span_context.span_id())
        );
        assert!(sent.unwrap().contains(&request.span_context.span_id().to_string()));
        assert_eq!(attribute(request, span::RPC_SYSTEM_NAME).as_deref(), Some(span::SYSTEM));
        assert_eq!(attribute(request, span::RPC_METHOD).as_deref(), Some("a.b"));
        assert_eq!(attribute(request, span::ERROR_TYPE).as_deref(), Some("MESH-1042"));
        assert_eq!(request.span_kind, opentelemetry::trace::SpanKind::Client);
    }

    #[test]
    fn a_handler_works_under_who_asked() {
        let mut frame = BytesMut::new();
        let headers = mesh_wire::header::HeadersBuilder::new().with(TRACEPARENT, PARENT).unwrap().build();
        Parts { headers: headers.as_bytes(), ..Parts::bare(Kind::Call, 1) }.encode(&mut frame).unwrap();
        let message = Message::new(frame.freeze());
        let spans = traced(|| {
            let serve = ServeSpan::start(&message, "a.*");
            serve.in_scope(|| tracing::info_span!("inside").in_scope(|| {}));
            serve.end(&Response::failed(Failure::new(404, "no")));
        });
        let [inside, serve] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!(serve.name, "serve a.*");
        assert!(PARENT.contains(&serve.parent_span_id.to_string()) && serve.parent_span_is_remote);
        assert_eq!(inside.parent_span_id, serve.span_context.span_id());
        assert_eq!(attribute(serve, span::ERROR_TYPE).as_deref(), Some("404"));
        assert_eq!(serve.span_kind, opentelemetry::trace::SpanKind::Server);
    }
}
