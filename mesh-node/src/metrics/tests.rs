use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use mesh_telemetry::metric::{self, ALL, Kind};
use mesh_wire::code::Code;

use super::*;

fn metrics() -> Arc<Metrics> {
    Arc::new(Metrics::new(2))
}

fn line<'a>(text: &'a str, start: &str) -> &'a str {
    text.lines()
        .find_map(|line| line.strip_prefix(start))
        .unwrap_or_else(|| panic!("no {start:?} in {text}"))
        .trim()
}

#[test]
fn threads_are_summed() {
    let metrics = metrics();
    metrics.thread(0).add(Counter::Published, 2);
    metrics.thread(1).add(Counter::Published, 3);
    metrics.control().add(Counter::Published, 4);
    assert_eq!(metrics.total(Counter::Published), 9);
    assert_eq!(line(&metrics.to_text(), "mesh_receive_messages_total{kind=\"publish\"}"), "9");
}

#[test]
fn every_metric_is_scraped_under_its_name_and_nothing_else_is() {
    let metrics = metrics();
    metrics.thread(0).refused(Code::NoResponders);
    metrics.thread(0).not_taken(Code::GroupUnknown, 2);
    // What is counted by code has no values before the first one.
    metrics.set_gauges(|| {
        let once = BTreeMap::from([(Code::LinkDead, 1)]);
        let closed = BTreeMap::from([(None, 1), (Some(Code::LinkDead), 2)]);
        let peers = Peers { closed, dials_failed: once.clone(), refused: once, ..Peers::default() };
        Gauges { peers, ..Gauges::default() }
    });
    let text = metrics.to_text();
    assert_eq!(line(&text, "mesh_peer_links_closed_total{code=\"none\"} "), "1");
    assert_eq!(line(&text, "mesh_group_messages_refused_total{code=\"MESH-7049\"} "), "2");
    for metric in ALL {
        assert_eq!(
            line(&text, &format!("# TYPE {} ", metric.base_name())),
            metric.kind.as_str(),
            "{}",
            metric.name
        );
        let sample = match metric.kind {
            Kind::Histogram => format!("{}_count", metric.name),
            _ => metric.name.to_owned(),
        };
        assert!(text.lines().any(|line| line.starts_with(&sample)), "{sample}");
    }
    let types = text.lines().filter(|line| line.starts_with("# TYPE")).count();
    assert_eq!(types, ALL.len());
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn every_counter_is_part_of_a_metric_with_a_value_that_is_documented() {
    let mut seen = HashSet::new();
    for (index, counter) in Counter::ALL.into_iter().enumerate() {
        assert_eq!(counter as usize, index);
        let (metric, value) = counter.metric();
        assert!(ALL.contains(&metric), "{counter:?}");
        assert_eq!(metric.label.is_some(), value.is_some(), "{counter:?}");
        if let Some((label, value)) = metric.label.zip(value) {
            assert!(label.values.contains(&format!("`{value}`")), "{counter:?}: {value} is not documented");
        }
        assert!(seen.insert((metric.name, value)), "{counter:?} is counted twice");
    }
}

#[test]
fn errors_are_counted_by_code_and_requests_by_outcome() {
    let metrics = metrics();
    let thread = metrics.thread(0);
    for code in [
        Code::NoResponders,
        Code::NoResponders,
        Code::RequestDeadline,
        Code::ResponderGone,
        Code::NodeDraining,
    ] {
        thread.refused(code);
    }
    thread.add(Counter::RequestsCancelled, 1);
    thread.answered(Duration::from_micros(70));
    let text = metrics.to_text();
    assert_eq!(line(&text, "mesh_errors_total{code=\"MESH-1042\"}"), "2");
    assert!(!text.contains("MESH-1001"), "a code that nobody was told is not scraped");
    let outcomes = [
        ("reply", 1),
        ("no_responders", 2),
        ("deadline", 1),
        ("cancelled", 1),
        ("refused", 1),
        ("disconnected", 1),
    ];
    for (outcome, count) in outcomes {
        let start = format!("mesh_requests_total{{outcome=\"{outcome}\"}}");
        assert_eq!(line(&text, &start), count.to_string());
        assert!(metric::REQUESTS.label.unwrap().values.contains(outcome));
    }
}

#[test]
fn durations_fall_into_the_bucket_whose_bound_they_do_not_pass() {
    let metrics = metrics();
    for us in [0, 50, 51, 100, 30_000_000, 30_000_001] {
        metrics.thread(0).answered(Duration::from_micros(us));
    }
    metrics.thread(0).answered(Duration::MAX);
    let text = metrics.to_text();
    let bucket =
        |bound: &str| line(&text, &format!("mesh_request_duration_seconds_bucket{{le=\"{bound}\"}}"));
    assert_eq!((bucket("0.00005"), bucket("0.0001"), bucket("30.0"), bucket("+Inf")), ("2", "4", "5", "7"));
    assert_eq!(line(&text, "mesh_request_duration_seconds_count"), "7");
}

#[test]
fn gauges_are_looked_at_when_they_are_scraped() {
    let metrics = metrics();
    assert_eq!(line(&metrics.to_text(), "mesh_links "), "0");
    metrics.set_gauges(|| Gauges {
        links: 1,
        subscriptions: 2,
        requests_in_flight: 3,
        queued_bytes: 4,
        ..Gauges::default()
    });
    metrics.set_gauges(Gauges::default);
    let text = metrics.to_text();
    for (name, value) in [("links", 1), ("subscriptions", 2), ("requests_in_flight", 3), ("queued_bytes", 4)]
    {
        assert_eq!(line(&text, &format!("mesh_{name} ")), value.to_string());
    }
}

#[test]
fn the_process_is_real() {
    let json = metrics().to_json();
    assert!(json["mesh_process_resident_memory_bytes"].as_u64().unwrap() > 100_000);
    assert!(json["mesh_process_cpu_seconds_total"].as_f64().unwrap() > 0.0);
    assert!(json["mesh_process_start_time_seconds"].as_f64().unwrap() > 1.7e9);
    let open = json["mesh_process_open_fds"].as_u64().unwrap();
    assert!(open > 2 && open < json["mesh_process_max_fds"].as_u64().unwrap());
}

#[test]
fn json_has_every_metric() {
    let metrics = metrics();
    metrics.thread(1).add(Counter::LinksOpened, 5);
    let json = metrics.to_json();
    assert_eq!(json.as_object().unwrap().len(), ALL.len());
    assert_eq!(json["mesh_links_opened_total"], 5);
    assert_eq!(json["mesh_match_cache_lookups_total"]["hit"], 0);
    assert_eq!(json["mesh_build_info"][env!("CARGO_PKG_VERSION")], 1);
    assert_eq!(json["mesh_request_duration_seconds"]["count"], 0);
}

#[test]
fn counts_of_another_thread_are_seen() {
    let metrics = metrics();
    let counters = metrics.thread(0);
    std::thread::spawn(move || (0..1000).for_each(|_| counters.add(Counter::Delivered, 2))).join().unwrap();
    assert_eq!(metrics.total(Counter::Delivered), 2000);
}

#[test]
fn counters_of_two_threads_share_no_cache_line() {
    assert!(std::mem::align_of::<Counters>() >= 128);
}
