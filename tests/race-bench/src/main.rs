//! `mesh-race`: starts a peer and ours in turn on this machine, drives both with equal work, and compares.
//!
//! ```text
//!            rows x runs x sides
//!                    |
//!   side: ours, NATS, NATS over TLS (broker: server + drivers) | tonic (direct) | floor
//!                    |
//!   processes on loopback, JSON lines ──► measurements ──► medians, spread, ratios ──► table or JSON
//! ```
//! `tests/race` builds what this needs and starts it.

mod arguments;
mod broker;
mod cluster;
mod direct;
mod floor;
mod machine;
mod measurement;
mod mesh;
mod nats;
mod process;
mod procfs;
mod race;
mod report;
mod row;
mod side;
mod summary;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use crate::arguments::Arguments;
use crate::direct::Tonic;
use crate::floor::{DiskFloor, Floor, QuicFloor, UnixFloor};
use crate::mesh::Mesh;
use crate::nats::Nats;
use crate::report::{json, page, table};
use crate::side::Side;
use crate::summary::Summary;

/// Exit status when stopped by a signal.
const STOPPED: u8 = 130;

/// Above this load, something else runs that the figures will show.
const LOAD_MAX: f64 = 0.5;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = tokio::select! {
        done = go(&arguments) => done,
        // Whatever runs is dropped with the future of the race, and so killed.
        stopped = stop() => stopped.map(|()| ExitCode::from(STOPPED)),
    };
    outcome.unwrap_or_else(|error| {
        note(format!("tests/race: {error:#}"));
        ExitCode::FAILURE
    })
}

/// Waits for a signal to stop.
async fn stop() -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

async fn go(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let rows = row::select(&arguments.only)?;
    if arguments.list {
        for row in rows {
            say(&format!("{:24} {:11} {}", row.name, row.work.unit().to_string(), row.work.describe()))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let sides = sides(arguments)?;
    let mut versions = BTreeMap::new();
    for side in &sides {
        if let Some(version) = side.version().await.with_context(|| format!("version of {}", side.name()))? {
            versions.insert(side.name(), version);
        }
    }
    let machine = machine::describe();
    prepare(arguments);
    let runs = if arguments.smoke { 1 } else { usize::from(arguments.runs) };
    let mut summaries = Vec::new();
    for row in rows {
        let outcome = race::run(row, &sides, runs, arguments.smoke, note).await?;
        let summary = Summary::of(outcome, runs);
        if arguments.json {
            say(&json::object(&summary, &versions, &machine).to_string())?;
        }
        summaries.push(summary);
    }
    let failed = summaries.iter().filter(|summary| !summary.failures.is_empty()).count();
    if arguments.smoke && !arguments.json {
        say(&format!("{} of {} rows work", summaries.len() - failed, summaries.len()))?;
    } else if !arguments.json {
        say(&table::text(&summaries, &versions, &machine))?;
    }
    if let Some(file) = &arguments.markdown {
        let part = table::markdown(&summaries, &arguments.command(), &versions, &machine);
        match file.as_os_str() == "-" {
            true => say(&part)?,
            false => page::put(file, &arguments.set, &part)?,
        }
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The sides that were asked for and whose programs are there.
fn sides(arguments: &Arguments) -> anyhow::Result<Vec<Side>> {
    let here = std::env::current_exe()?;
    let beside = here.parent().context("a program in no folder")?;
    let or_beside = |given: &Option<_>, name| given.clone().unwrap_or_else(|| beside.join(name));
    let mut sides = Vec::new();
    if arguments.wants("ours") {
        let node = or_beside(&arguments.node, "mesh-node");
        sides.push(Side::Ours(Mesh {
            node,
            cli: or_beside(&arguments.cli, "mesh"),
            log: beside.join("mesh-race-log"),
        }));
    }
    for (name, tls) in [("nats", false), ("nats-tls", true)] {
        if !arguments.wants(name) {
            continue;
        }
        match (&arguments.nats_server, &arguments.nats_driver) {
            (Some(server), Some(driver)) => {
                sides.push(Side::Nats(Nats { server: server.clone(), driver: driver.clone(), tls }));
            }
            _ => note(format!("NATS is not here, so {name} is left out")),
        }
    }
    if arguments.wants("tonic") {
        sides.push(Side::Tonic(Tonic { program: beside.join("mesh-race-tonic") }));
    }
    if arguments.wants("floor") {
        sides.push(Side::Floor(Floor {
            unix: UnixFloor { program: beside.join("mesh-race-floor") },
            quic: QuicFloor { program: beside.join("mesh-race-quic") },
            disk: DiskFloor { program: beside.join("mesh-race-log") },
        }));
    }
    Ok(sides)
}

/// Lifts the limit on open files as far as is allowed, and tells when the machine is busy.
fn prepare(arguments: &Arguments) {
    let files = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files }) {
        note(format!("the limit on open files stays at {:?}: {error}", files.current));
    }
    if let Some(load) = machine::load().filter(|load| !arguments.smoke && *load > LOAD_MAX) {
        note(format!("the load is {load}: something else runs here, and the figures will show it"));
    }
}

/// Prints results.
fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

/// Tells how it goes on; nobody listening is no reason to stop.
fn note(line: String) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}
