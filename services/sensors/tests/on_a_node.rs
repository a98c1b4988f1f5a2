//! Publisher and aggregator on a node.

use std::collections::BTreeMap;
use std::time::Duration;

use mesh_client::Json;
use mesh_client::test_util::TestNode;
use mesh_sensors::{
    Aggregate, Aggregator, INTERVAL_MIN, Options, Reading, STATS, Series, Stats, Unit, publish,
};

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn readings_of_this_machine_become_aggregates() {
    let node = TestNode::start().await.unwrap();
    let (publishing, aggregating, watching) =
        (node.client().await.unwrap(), node.client().await.unwrap(), node.client().await.unwrap());
    let mut readings = watching.subscribe("sensors.box.>").await.unwrap();
    let mut aggregates = watching.subscribe("aggregates.box.>").await.unwrap();
    let options = Options { window_ms: 500, grace_ms: 100, ..Options::default() };
    let mut aggregator = Aggregator::start(&aggregating, options).await.unwrap();

    let seen = async {
        let mut seen = BTreeMap::<Series, Vec<Reading>>::new();
        // The window of the first aggregate may have begun before we looked; the second one's has not.
        let mut first = None;
        loop {
            tokio::select! {
                biased;
                Some(message) = readings.next() => {
                    let series = Series::of_reading(message.subject()).expect("the subject of a reading");
                    seen.entry(series).or_default().push(message.decode().expect("a reading"));
                }
                Some(message) = aggregates.next() => {
                    let aggregate: Aggregate = message.decode().expect("an aggregate");
                    let series = Series::of_aggregate(message.subject()).expect("the subject of an aggregate");
                    if *first.get_or_insert(aggregate.start_ms) != aggregate.start_ms {
                        return (series, aggregate, seen);
                    }
                }
            }
        }
    };
    let (series, aggregate, seen) = tokio::select! {
        seen = tokio::time::timeout(SOON, seen) => seen.expect("aggregates come"),
        () = publish(&publishing, "box", INTERVAL_MIN) => panic!("the publisher ended"),
        () = aggregator.run() => panic!("the aggregator ended"),
    };
    let in_window: Vec<f64> = seen[&series]
        .iter()
        .filter(|reading| (aggregate.start_ms..aggregate.end_ms).contains(&reading.taken_ms()))
        .map(|reading| reading.value)
        .collect();
    assert_eq!(aggregate.count, in_window.len() as u64, "{series}");
    assert_eq!(aggregate.min, in_window.iter().copied().fold(f64::INFINITY, f64::min));
    assert_eq!(aggregate.max, in_window.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    let kinds: Vec<&str> = seen.keys().map(Series::kind).collect();
    for kind in ["cpu.total", "memory.used", "load.1m"] {
        assert!(kinds.contains(&kind), "{kind} is missing in {kinds:?}");
    }
}

#[tokio::test]
async fn the_aggregator_counts_what_it_can_not_use() {
    let node = TestNode::start().await.unwrap();
    let mesh = node.client().await.unwrap();
    let mut aggregator = Aggregator::start(&node.client().await.unwrap(), Options::default()).await.unwrap();
    let running = tokio::spawn(async move { aggregator.run().await });
    let old = Reading { value: 1.0, unit: Unit::Load, taken_us: 1 };
    mesh.publish("sensors.box.load", Json(old)).await.unwrap();
    mesh.publish("sensors.box.load", "no reading").await.unwrap();
    mesh.publish("sensors.box", Json(old)).await.unwrap();
    let counted = async {
        loop {
            let stats: Stats = mesh.call(STATS, "").await.expect("the aggregator answers");
            if stats.readings.late + stats.readings.invalid == 3 {
                return stats;
            }
        }
    };
    let stats = tokio::time::timeout(SOON, counted).await.expect("all three are counted");
    assert_eq!((stats.readings.late, stats.readings.invalid, stats.readings.accepted), (1, 2, 0));
    running.abort();
}
