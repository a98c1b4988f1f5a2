//! `mesh-nemesis`: breaks a cluster of real processes on purpose, and looks whether anything was lost.
//!
//! ```text
//!   Trial ── kills, stops, cuts, fills, flips ──► Cluster: nodes ═ Network: a UDP proxy each way ═ nodes
//!   Load  ── writers and readers of registers ──►   │
//!     └── History ──► oracle: lost, duplicated, phantom, misplaced, stale ──► one JSON object
//! ```
//! `tests/nemesis` builds what this needs and starts it.

mod arguments;
mod bare;
mod bugs;
mod cluster;
mod load;
mod network;
mod node;
mod oracle;
mod random;
mod register;
mod report;
mod trial;
mod trials;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Parser;

use crate::arguments::Arguments;
use crate::cluster::Programs;
use crate::trial::{Settings, Trial};

/// Two threads: clients and proxies are not to wait for each other.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    match go(&Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            note(&format!("tests/nemesis: {error:#}"));
            ExitCode::from(2)
        }
    }
}

/// Whether all trials passed.
async fn go(arguments: &Arguments) -> anyhow::Result<bool> {
    let chosen = chosen(&arguments.trials)?;
    if arguments.list {
        for trial in chosen {
            say(&format!("{:3}  {:45} {}", trial.number, trial.name, trial.passes))?;
        }
        return Ok(true);
    }
    let programs = programs(arguments)?;
    if arguments.bugs {
        return bugs::look(arguments, &programs).await;
    }
    let mut all_passed = true;
    for trial in chosen {
        let folder =
            tempfile::Builder::new().prefix("mesh-nemesis-").disable_cleanup(arguments.keep).tempdir()?;
        let settings = Settings {
            programs: &programs,
            folder: folder.path(),
            seed: arguments.seed,
            time: arguments.time,
            bug: arguments.bug.as_deref(),
        };
        let outcome = match trial::run(trial, &settings).await {
            Ok(outcome) => outcome,
            Err(error) => {
                let outcome = trial::Outcome::broken_off(format!("{error:#}"));
                note(&format!("trial {}: {error:#}", trial.number));
                outcome
            }
        };
        all_passed &= outcome.passed();
        if arguments.json {
            say(&report::object(trial, arguments.seed, &outcome).to_string())?;
        } else {
            say(&report::line(trial, arguments.seed, &outcome))?;
        }
        if arguments.keep {
            note(&format!("trial {}: kept in {}", trial.number, folder.path().display()));
        }
    }
    Ok(all_passed)
}

fn chosen(numbers: &[u32]) -> anyhow::Result<Vec<&'static Trial>> {
    if numbers.is_empty() {
        return Ok(trials::ALL.iter().collect());
    }
    let find =
        |number: &u32| trials::by_number(*number).with_context(|| format!("no trial {number}; see --list"));
    numbers.iter().map(find).collect()
}

fn programs(arguments: &Arguments) -> anyhow::Result<Programs> {
    let here = std::env::current_exe()?;
    let beside = here.parent().context("a program in no folder")?;
    let node = arguments.node.clone().unwrap_or_else(|| beside.join("mesh-node"));
    let cli = arguments.cli.clone().unwrap_or_else(|| beside.join("mesh"));
    for program in [&node, &cli] {
        if !program.exists() {
            bail!("{} is not there: start this by tests/nemesis, which builds it", program.display());
        }
    }
    Ok(Programs { node, cli })
}

/// Prints results.
fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{line}")
}

/// Tells how it goes on; nobody listening is no reason to stop.
fn note(line: &str) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}
