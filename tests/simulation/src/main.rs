//! `mesh-sim`: runs seeds, and says which of them fail.

use std::{ops::RangeInclusive, process::ExitCode, time::Instant};

use anyhow::{Context as _, bail};
use clap::Parser;
use mesh_log::bug::{Bug, Bugs};
use mesh_sim::{
    plan::{Fault, Plan},
    report::Summary,
    run_many, seconds,
    trace::Trace,
    world::World,
};

/// Runs the cores of Mesh on a simulated clock, network and disk.
#[derive(Debug, Parser)]
#[command(name = "tests/sim")]
struct Arguments {
    /// The seeds to run, both ends included.
    #[arg(long, value_name = "A..B", value_parser = seeds, default_value = "1..300")]
    seeds: RangeInclusive<u64>,
    /// One seed instead, with a trace on standard error.
    #[arg(long, value_name = "S", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// With --seed: the trace as well when nothing is wrong; without it only when something is.
    #[arg(long, requires = "seed")]
    trace: bool,
    /// One JSON object on standard output.
    #[arg(long)]
    json: bool,
    /// Goes on after a seed that failed, and names all that do.
    #[arg(long)]
    all: bool,
    /// Threads; each runs seeds of its own. By default as many as there are cores.
    #[arg(long)]
    threads: Option<usize>,
    /// Brings a known bug back, which has to be found then: ack-before-fsync, ack-before-quorum, forget-vote,
    /// truncate-on-damage, stale-read, apply-twice.
    #[arg(long, value_name = "NAME", value_parser = bug)]
    bug: Vec<Bug>,
    /// Who says which node has which group, whatever the seeds say.
    #[arg(long, value_enum)]
    placement: Option<Placement>,
    /// With --seed: these kinds of faults only, and three nodes at least, as tests of known bugs have it.
    #[arg(long, value_name = "NAME", value_parser = fault, requires = "seed")]
    fault: Vec<Fault>,
}

/// Who says which node has which group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Placement {
    /// The simulator, from outside.
    Given,
    /// The meta group, by the reconcilers of the nodes.
    Cluster,
}

impl Arguments {
    fn plan(&self, seed: u64) -> Plan {
        let bugs = self.bug.iter().fold(Bugs::default(), |bugs, bug| bugs.with(*bug));
        let plan = match self.placement {
            None => Plan::of(seed),
            Some(Placement::Given) => Plan::given(seed),
            Some(Placement::Cluster) => Plan::given(seed).with_cluster(),
        };
        plan.with_bugs(bugs)
    }
}

fn fault(text: &str) -> anyhow::Result<Fault> {
    let found = Fault::ALL.into_iter().find(|(fault, _)| format!("{fault:?}").eq_ignore_ascii_case(text));
    found.map(|(fault, _)| fault).with_context(|| format!("no fault `{text}`"))
}

fn seeds(text: &str) -> anyhow::Result<RangeInclusive<u64>> {
    let (first, last) = text.split_once("..").context("seeds are given as A..B")?;
    let (first, last) = (first.parse()?, last.trim_start_matches('=').parse()?);
    if first > last {
        bail!("the first seed comes after the last one");
    }
    Ok(first..=last)
}

fn bug(text: &str) -> anyhow::Result<Bug> {
    Bug::ALL.into_iter().find(|bug| bug.as_str() == text).with_context(|| format!("no bug `{text}`"))
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]
fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    // A panic is a finding, with its seed.
    std::panic::set_hook(Box::new(|_| ()));
    let started = Instant::now();
    let reports = match arguments.seed {
        Some(seed) => {
            let mut plan = arguments.plan(seed);
            if !arguments.fault.is_empty() {
                plan = plan.with_faults(&arguments.fault);
            }
            if !arguments.json {
                eprintln!("{plan:#?}");
            }
            let trace = if arguments.trace { Trace::printing() } else { Trace::keeping() };
            let (report, trace) = World::new(plan, trace).run();
            if report.violation.is_some() {
                trace.lines().iter().for_each(|line| eprintln!("{line}"));
            }
            vec![report]
        }
        None => {
            let threads =
                arguments.threads.or_else(|| std::thread::available_parallelism().ok().map(Into::into));
            run_many(
                arguments.seeds.clone(),
                |seed| arguments.plan(seed),
                threads.unwrap_or(1),
                arguments.all,
            )
        }
    };
    if arguments.all && !arguments.json {
        for report in &reports {
            if let Some(violation) = &report.violation {
                println!("seed {}: {violation}", report.seed);
            }
        }
    }
    let summary = Summary::of(&reports, seconds(started));
    if arguments.json {
        println!("{}", serde_json::to_string(&summary)?);
    } else {
        print(&summary);
    }
    Ok(if summary.passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[expect(clippy::print_stdout, reason = "a program for the command line")]
fn print(summary: &Summary) {
    let counts = &summary.counts;
    println!(
        "{} seeds in {:.1} s: {} commits, {} records, {} reads, {} elections, {} power losses, {} ends, {} cuts, {} \
         snapshots, {} events",
        summary.seeds,
        summary.seconds,
        counts.commits,
        counts.records,
        counts.reads,
        counts.elections,
        counts.crashes,
        counts.ends,
        counts.cuts,
        counts.snapshots,
        counts.events,
    );
    match (&summary.first_failing_seed, &summary.first_failure) {
        (Some(seed), Some(failure)) => {
            println!("{} failed, first seed {seed}: {failure}", summary.failed);
            println!("tests/sim --seed {seed} shows how it came to that");
        }
        _ => println!("all of them are clean; trace {}", summary.hash),
    }
}
