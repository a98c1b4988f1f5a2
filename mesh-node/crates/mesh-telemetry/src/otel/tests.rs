use super::*;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider};
use tracing::{info_span, subscriber};
use tracing_subscriber::layer::SubscriberExt;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Runs `test` with traces followed and gives what was recorded.
fn traced(sampler: Sampler, test: impl FnOnce()) -> Vec<opentelemetry_sdk::trace::SpanData> {
    let exporter = InMemorySpanExporter::default();
    let provider =
        SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).with_sampler(sampler).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    subscriber::with_default(tracing_subscriber::registry().with(layer), test);
    exporter.get_finished_spans().unwrap()
}

#[test]
fn there_is_no_context_without_a_span_or_without_a_layer() {
    assert_eq!(current(), None);
    let span = info_span!("nobody listens");
    assert_eq!(span.in_scope(current), None);
    assert!(!set_parent(&span, &TraceContext::parse(PARENT).unwrap()));
    subscriber::with_default(tracing_subscriber::registry(), || {
        let span = info_span!("nobody follows traces");
        assert_eq!(span.in_scope(current), None);
        assert!(!set_parent(&span, &TraceContext::parse(PARENT).unwrap()));
    });
    traced(Sampler::AlwaysOn, || assert_eq!(current(), None));
}

#[test]
fn a_received_context_is_the_parent_and_what_is_sent_next_belongs_to_the_trace() {
    let received = TraceContext::parse(PARENT)
        .and_then(|context| context.with_tracestate("vendor=x"))
        .and_then(|context| context.with_baggage("user=al%20ice;p=1"))
        .unwrap();
    let spans = traced(Sampler::AlwaysOn, || {
        let span = info_span!("serve");
        assert!(set_parent(&span, &received));
        span.in_scope(|| {
            let sent = info_span!("request").in_scope(current).unwrap();
            assert_eq!(sent.trace_id(), received.trace_id());
            assert_ne!(sent.span_id(), received.span_id());
            assert!(sent.is_sampled());
            assert_eq!(sent.tracestate(), Some("vendor=x"));
            assert_eq!(sent.baggage(), Some("user=al%20ice;p=1"));
        });
    });
    let serve = spans.iter().find(|span| span.name == "serve").unwrap();
    assert_eq!(serve.parent_span_id.to_string(), received.span_id().to_string());
    assert!(serve.parent_span_is_remote);
}

#[test]
fn a_span_that_is_not_sampled_says_so_to_the_receiver() {
    let spans = traced(Sampler::AlwaysOff, || {
        let sent = info_span!("publish").in_scope(current).unwrap();
        assert!(!sent.is_sampled());
    });
    assert!(spans.is_empty());
}

#[test]
fn a_started_span_keeps_its_parent() {
    traced(Sampler::AlwaysOn, || {
        let span = info_span!("started");
        let before = of(&span).unwrap();
        assert!(!set_parent(&span, &TraceContext::parse(PARENT).unwrap()));
        assert_eq!(of(&span), Some(before));
    });
}

#[test]
fn a_batch_is_linked_to_each_message() {
    let spans = traced(Sampler::AlwaysOn, || {
        let span = info_span!("process");
        add_link(&span, &TraceContext::parse(PARENT).unwrap());
        drop(span);
    });
    let link = spans[0].links.iter().next().unwrap();
    assert_eq!(link.span_context.trace_id().to_string(), &PARENT[3..35]);
}

#[test]
fn baggage_as_text_and_back() {
    let table = [("plain", "plain"), ("a b", "a%20b"), ("1%", "1%25"), ("é,;", "%C3%A9%2C%3B"), ("", "")];
    for (value, text) in table {
        let baggage: opentelemetry::baggage::Baggage =
            [KeyValue::new("k", value.to_owned())].into_iter().collect();
        let encoded = baggage::encode(&baggage).unwrap();
        assert_eq!(encoded, format!("k={text}"));
        TraceContext::parse(PARENT).unwrap().with_baggage(&encoded).unwrap();
        assert_eq!(baggage::decode(&encoded).get("k").unwrap().as_str(), value);
    }
    assert_eq!(baggage::encode(&baggage::decode("")), None);
    assert!(baggage::decode("k=%FF").is_empty(), "no text once decoded");
    assert_eq!(baggage::decode("k=100%").get("k").unwrap().as_str(), "100%");
}
