//! Prints what the routing table costs: bytes per subscription, time per change, per lookup and per cache hit.
//!
//! `cargo run --release -p mesh-core --example routing_figures [SUBSCRIPTIONS]`; Linux only. Figures of the system's
//! allocator. Each part runs in a process of its own, so that none sees the memory of another.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "figures for a person")]

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use mesh_core::cache::MatchCache;
use mesh_core::routing::{LinkId, Mode, SubscriptionId, Table, TableWriter, Target};
use mesh_wire::subject::Pattern;

type Shape = (&'static str, fn(usize) -> String);

const SHAPES: [Shape; 4] = [
    ("bench.N", |number| format!("bench.{number}")),
    ("a.N.b", |number| format!("a.{number}.b")),
    ("a.N.*", |number| format!("a.{number}.*")),
    ("same", |_| "same".into()),
];

fn main() {
    let mut args = std::env::args().skip(1);
    let count = args.next().map_or(1_000_000, |text| text.parse().unwrap());
    match args.next() {
        Some(part) if part == "lookups" => lookups(),
        Some(part) => memory(&part, count),
        None => {
            for part in SHAPES.iter().map(|(name, _)| *name).chain(["lookups"]) {
                let program = std::env::current_exe().unwrap();
                Command::new(program).args([&count.to_string(), part]).status().unwrap();
            }
        }
    }
}

fn memory(part: &str, count: usize) {
    let (_, shape) = SHAPES.iter().find(|(name, _)| *name == part).unwrap();
    let target = |number| Target::new(LinkId(number as u64 / 1000), SubscriptionId(number as u32));
    let mut writer = TableWriter::new(1);
    let before = resident_bytes();
    let start = Instant::now();
    let mut snapshots = 0;
    let mut published = None;
    for number in 0..count {
        let pattern = Pattern::new(shape(number)).unwrap();
        let now = Instant::now();
        writer.insert(now, &pattern, target(number), Mode::Events, None);
        if let Some(table) = writer.take_snapshot(now) {
            snapshots += 1;
            published = Some(table);
        }
    }
    let inserted = start.elapsed();
    drop(published);
    let bytes = (resident_bytes() - before) / count;

    let start = Instant::now();
    // Where all want the same subject, a single look-up finds all of them.
    let step = if part == "same" { count.div_ceil(5) } else { 7 };
    for number in (0..count).step_by(step) {
        black_box(writer.table().lookup(&shape(number).replace('*', "x")));
    }
    let cold = start.elapsed() / count.div_ceil(step) as u32;
    // The worst case of a change: every other one is published, so each copies its path.
    let start = Instant::now();
    for number in (0..count).step_by(97) {
        let snapshot = writer.table().clone();
        let pattern = Pattern::new(shape(number)).unwrap();
        writer.remove(start, &pattern, target(number), Mode::Events, None);
        drop(snapshot);
    }
    let removed = start.elapsed() / (count / 97).max(1) as u32;
    println!(
        "{part:8} {count} subscriptions: {bytes} bytes each; insert {:?} ({snapshots} snapshots), \
         lookup anywhere (text made in the time) {cold:?}, remove with a snapshot between any two {removed:?}",
        inserted / count as u32
    );
}

fn lookups() {
    let mut few = Table::new(1);
    let mut wild = Table::new(1);
    for number in 0..10u32 {
        let exact = format!("orders.eu.created{number}").parse().unwrap();
        let target = Target::new(LinkId(1), SubscriptionId(number));
        few.insert(&exact, target, Mode::Events, None);
        wild.insert(&exact, target, Mode::Events, None);
    }
    for (number, pattern) in ["orders.*.created3", "orders.>", "*.eu.*", "stock.>"].into_iter().enumerate() {
        let target = Target::new(LinkId(2), SubscriptionId(number as u32));
        wild.insert(&pattern.parse().unwrap(), target, Mode::Events, None);
    }
    let subjects: Vec<String> = (0..10).map(|number| format!("orders.eu.created{number}")).collect();
    let time = |name: &str, mut each: Box<dyn FnMut(usize) -> usize + '_>| {
        // A round is short, so that the best of many is one that nothing else disturbed.
        let rounds = 200_000;
        let best = (0..50).map(|_| {
            let start = Instant::now();
            (0..rounds).for_each(|round| {
                black_box(each(round));
            });
            start.elapsed()
        });
        let best: Duration = best.min().unwrap();
        println!("{name:44} {:.1} ns", best.as_nanos() as f64 / rounds as f64);
    };
    let subject = |round: usize| black_box(subjects[round % 10].as_str());
    time("nothing: what the measuring itself costs", Box::new(|round| subject(round).len()));
    time("table, 10 exact patterns", Box::new(|round| few.lookup(subject(round)).events.len()));
    time("table, 10 exact and 4 wildcards", Box::new(|round| wild.lookup(subject(round)).events.len()));
    let mut cache = MatchCache::new(1);
    time("cache hit, same subject", {
        let cache = &mut cache;
        Box::new(|_| cache.lookup(&few, subject(0).as_bytes()).unwrap().events.len())
    });
    time("cache hit, 10 subjects in turn", {
        let cache = &mut cache;
        Box::new(|round| cache.lookup(&few, subject(round).as_bytes()).unwrap().events.len())
    });
    let many: Vec<String> = (0..10_000).map(|number| format!("orders.eu.created{number}")).collect();
    time("cache hit, 10,000 subjects in turn", {
        let cache = &mut cache;
        Box::new(|round| cache.lookup(&few, many[round % 10_000].as_bytes()).unwrap().events.len())
    });
    let many: Vec<String> = (0..200_000).map(|number| format!("orders.eu.created{number}")).collect();
    time("cache miss, 200,000 subjects in turn", {
        let cache = &mut cache;
        Box::new(|round| cache.lookup(&few, many[round % 200_000].as_bytes()).unwrap().events.len())
    });
}

fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
