//! Samples as text for scrapers and as JSON for everybody else.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use mesh_telemetry::metric::Kind;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Registry;
use serde_json::{Map, Value as Json, json};

use super::Metrics;
use super::sample::{Family, Value};

/// Media type of [`Metrics::to_text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Metrics {
    /// Every metric in the OpenMetrics text format, which Prometheus scrapes.
    #[must_use]
    pub fn to_text(self: &Arc<Self>) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Arc::clone(self)));
        let mut written = String::with_capacity(8 * 1024);
        // Writing into a String does not fail.
        text::encode(&mut written, &registry).unwrap_or_default();
        written
    }

    /// Every metric as one JSON object: a number for a metric without a label, an object of numbers for one with.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let families = self.families().into_iter();
        Json::Object(families.map(|family| (family.metric.name.to_owned(), family_json(family))).collect())
    }
}

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for Family { metric, values } in self.families() {
            let kind = match metric.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Histogram => MetricType::Histogram,
                _ => MetricType::Gauge,
            };
            let mut encoder = encoder.encode_descriptor(metric.base_name(), metric.help, None, kind)?;
            for (labels, value) in &values {
                if labels.is_empty() {
                    encode_value(&mut encoder, metric.kind, value)?;
                } else {
                    encode_value(&mut encoder.encode_family(labels)?, metric.kind, value)?;
                }
            }
        }
        Ok(())
    }
}

fn encode_value(encoder: &mut MetricEncoder<'_>, kind: Kind, value: &Value) -> fmt::Result {
    const NO_EXEMPLAR: Option<&Exemplar<NoLabelSet, f64>> = None;
    const NO_EXEMPLARS: Option<&HashMap<usize, Exemplar<NoLabelSet, f64>>> = None;
    match (kind, value) {
        (Kind::Counter, Value::Number(number)) => encoder.encode_counter(number, NO_EXEMPLAR),
        (Kind::Counter, Value::Fraction(number)) => encoder.encode_counter(number, NO_EXEMPLAR),
        (_, Value::Number(number)) => encoder.encode_gauge(&i64::try_from(*number).unwrap_or(i64::MAX)),
        (_, Value::Fraction(number)) => encoder.encode_gauge(number),
        (_, Value::Histogram { sum, count, buckets }) => {
            encoder.encode_histogram(*sum, *count, buckets, NO_EXEMPLARS)
        }
    }
}

fn family_json(Family { values, .. }: Family) -> Json {
    let mut by_label = Map::new();
    for (labels, value) in values {
        let value = value_json(value);
        match labels.into_iter().next() {
            None => return value,
            Some((_, label)) => by_label.insert(label, value),
        };
    }
    Json::Object(by_label)
}

fn value_json(value: Value) -> Json {
    match value {
        Value::Number(number) => number.into(),
        Value::Fraction(number) => number.into(),
        Value::Histogram { sum, count, .. } => json!({ "sum": sum, "count": count }),
    }
}
