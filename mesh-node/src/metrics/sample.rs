//! What a scrape sees: one value per metric and label.

use std::collections::BTreeMap;

use mesh_telemetry::metric::{self, Metric};
use mesh_wire::class::Class;
use mesh_wire::code::Code;

use super::counters::Totals;
use super::{Counter, Gauges, Metrics, process};
use crate::durable::Groups;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// A whole number.
    Number(u64),
    /// A number with a fraction.
    Fraction(f64),
    /// Number of observations and their sum in each bucket: upper bound and count, not cumulative.
    Histogram { sum: f64, count: u64, buckets: Vec<(f64, u64)> },
}

/// Names and values of labels.
pub(super) type Labels = Vec<(&'static str, String)>;

/// One metric with all its values, each under the values of its labels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Family {
    pub(super) metric: &'static Metric,
    pub(super) values: Vec<(Labels, Value)>,
}

/// Codes that end a request.
const REFUSALS: [Code; 8] = [
    Code::RequestRefused,
    Code::RequestIdInUse,
    Code::TooManyRequests,
    Code::TimeoutOutOfRange,
    Code::ReplyCreditOutOfRange,
    Code::NodeRequestUnknown,
    Code::NodeRequestInvalid,
    Code::NodeDraining,
];

impl Metrics {
    /// Every metric of [`metric::ALL`], in its order.
    pub(super) fn families(&self) -> Vec<Family> {
        let (totals, gauges) = (self.totals(), self.gauges());
        metric::ALL
            .iter()
            .map(|metric| Family { metric, values: self.values(metric, &totals, &gauges) })
            .collect()
    }

    fn values(&self, metric: &'static Metric, totals: &Totals, gauges: &Gauges) -> Vec<(Labels, Value)> {
        let one = |value| vec![(Vec::new(), value)];
        match metric.name {
            name if name == metric::BUILD_INFO.name => vec![(build_labels(), Value::Number(1))],
            name if name == metric::LINKS.name => one(Value::Number(gauges.links)),
            name if name == metric::CARRIER_LINKS.name => {
                let carriers =
                    [("unix", gauges.unix_links), ("quic", gauges.quic_links), ("tls", gauges.tls_links)];
                labelled(metric, carriers.into_iter().map(|(carrier, n)| (carrier.to_owned(), n)))
            }
            name if name == metric::SUBSCRIPTIONS.name => one(Value::Number(gauges.subscriptions)),
            name if name == metric::REQUESTS_IN_FLIGHT.name => one(Value::Number(gauges.requests_in_flight)),
            name if name == metric::QUEUED_BYTES.name => one(Value::Number(gauges.queued_bytes)),
            name if name == metric::PROCESS_MEMORY.name => one(Value::Number(process::resident_bytes())),
            name if name == metric::PROCESS_CPU.name => one(Value::Fraction(process::cpu_seconds())),
            name if name == metric::PROCESS_FDS.name => one(Value::Number(process::open_fds())),
            name if name == metric::PROCESS_FDS_MAX.name => one(Value::Number(process::max_fds())),
            name if name == metric::PROCESS_START.name => one(Value::Fraction(self.process.start_seconds())),
            name if name == metric::REQUEST_DURATION.name => one(Value::Histogram {
                sum: totals.took_seconds(),
                count: totals.answered(),
                buckets: totals.buckets(),
            }),
            name if name == metric::ERRORS.name => {
                labelled(metric, totals.codes().map(|(c, n)| (c.to_string(), n)))
            }
            name if name == metric::GROUP_MESSAGES_REFUSED.name => {
                labelled(metric, totals.not_taken().map(|(c, n)| (c.to_string(), n)))
            }
            name if name == metric::REQUESTS.name => {
                labelled(metric, outcomes(totals).into_iter().map(|(outcome, n)| (outcome.to_owned(), n)))
            }
            name if name == metric::LOG_SCRUBBED.name => one(Value::Number(self.scrubbed().bytes)),
            name if name == metric::LOG_SCRUB_LAST_PASS.name => one(Value::Number(self.scrubbed().last_pass)),
            name => network(name, metric, gauges)
                .or_else(|| groups(name, metric, self.groups()))
                .unwrap_or_else(|| counted(name, metric, totals)),
        }
    }
}

/// The values of what belongs to a network.
fn network(name: &str, metric: &'static Metric, gauges: &Gauges) -> Option<Vec<(Labels, Value)>> {
    let one = |value| Some(vec![(Vec::new(), Value::Number(value))]);
    let by_code = |counts: &BTreeMap<Code, u64>| {
        Some(labelled(metric, counts.iter().map(|(code, n)| (code.to_string(), *n))))
    };
    let Gauges { certificates, token_keys, peers, .. } = gauges;
    match name {
        name if name == metric::CERTIFICATES_RELOADS.name => one(certificates.taken),
        name if name == metric::CERTIFICATES_FAILURES.name => one(certificates.failed),
        name if name == metric::CERTIFICATES_NOT_AFTER.name => one(gauges.certificate_not_after),
        name if name == metric::TOKEN_KEYS_RELOADS.name => one(token_keys.taken),
        name if name == metric::TOKEN_KEYS_FAILURES.name => one(token_keys.failed),
        name if name == metric::PEER_LINKS.name => one(peers.links),
        name if name == metric::PEER_LINKS_OPENED.name => one(peers.opened),
        name if name == metric::PEER_LINKS_CLOSED.name => {
            let code = |code: &Option<Code>| code.map_or_else(|| "none".to_owned(), |code| code.to_string());
            Some(labelled(metric, peers.closed.iter().map(|(why, n)| (code(why), *n))))
        }
        name if name == metric::PEER_LINKS_REFUSED.name => by_code(&peers.refused),
        name if name == metric::PEER_DIALS.name => one(peers.dials),
        name if name == metric::PEER_DIALS_FAILED.name => by_code(&peers.dials_failed),
        name if name == metric::PEER_RTT.name => {
            let label = metric.label.map_or("", |label| label.name);
            let seconds = |class: Class| Value::Fraction(peers.rtt_us[class.index()] as f64 / 1e6);
            let of = |class: Class| (vec![(label, class.as_str().to_owned())], seconds(class));
            Some(Class::ALL.into_iter().map(of).collect())
        }
        _ => None,
    }
}

/// The values of what belongs to replicated groups.
fn groups(name: &str, metric: &'static Metric, groups: Groups) -> Option<Vec<(Labels, Value)>> {
    let one = |value| Some(vec![(Vec::new(), Value::Number(value))]);
    let several = |values: &[(&str, u64)]| {
        Some(labelled(metric, values.iter().map(|(value, n)| ((*value).to_owned(), *n))))
    };
    let Groups { leaders, followers, learners, leaderless, resting, quarantined, .. } = groups;
    match name {
        name if name == metric::GROUPS.name => {
            several(&[("leader", leaders), ("follower", followers), ("learner", learners)])
        }
        name if name == metric::GROUP_STATES.name => {
            several(&[("leaderless", leaderless), ("resting", resting), ("quarantined", quarantined)])
        }
        name if name == metric::GROUP_LAG.name => one(groups.lag),
        name if name == metric::GROUP_LOG_BYTES.name => one(groups.log_bytes),
        name if name == metric::GROUP_WAITING.name => one(groups.waiting),
        _ => None,
    }
}

/// The values of a metric that is made of counters alone.
fn counted(name: &str, metric: &'static Metric, totals: &Totals) -> Vec<(Labels, Value)> {
    let counters = Counter::ALL.into_iter().filter(|counter| counter.metric().0.name == name);
    counters
        .map(|counter| {
            let labels = metric.label.zip(counter.metric().1);
            let labels = labels.map(|(label, value)| (label.name, value.to_owned())).into_iter().collect();
            (labels, Value::Number(totals.count(counter)))
        })
        .collect()
}

fn labelled(metric: &'static Metric, values: impl Iterator<Item = (String, u64)>) -> Vec<(Labels, Value)> {
    let label = metric.label.map_or("", |label| label.name);
    values.map(|(value, n)| (vec![(label, value)], Value::Number(n))).collect()
}

fn outcomes(totals: &Totals) -> [(&'static str, u64); 6] {
    [
        ("reply", totals.answered()),
        ("no_responders", totals.code(Code::NoResponders)),
        ("deadline", totals.code(Code::RequestDeadline)),
        ("cancelled", totals.count(Counter::RequestsCancelled)),
        ("refused", REFUSALS.iter().map(|&code| totals.code(code)).sum()),
        ("disconnected", totals.code(Code::ResponderGone)),
    ]
}

fn build_labels() -> Labels {
    let protocol = mesh_wire::hello::Version::NEWEST;
    vec![("version", env!("CARGO_PKG_VERSION").to_owned()), ("protocol", protocol.0.to_string())]
}
