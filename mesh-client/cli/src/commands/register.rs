//! `mesh register`

mod append;
mod read;

use std::ffi::OsString;

use clap::{Args, Subcommand};
use mesh_wire::name::Name;
use serde_json::json;

use crate::failure::Failure;
use crate::quantity;
use crate::session::{Lost, Session};

/// Examples in `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mesh register create audit
  mesh register append audit 'order 7 was paid'
  seq 10000 | mesh register append audit --lines    one record per line
  mesh register read audit --from 1 --count 10
  mesh register read audit --json

A register is a list of records that only grows, the plainest thing that a cluster keeps on disk. What
was appended is on the disks of most of its nodes. Nodes take registers only if storage.registers says so:
they are for tests and measurements.";

/// `mesh register …`
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make sure that there is a register of this name
    Create {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Append records; the register is made if there is none
    Append(AppendOptions),
    /// Print records
    Read(ReadOptions),
}

#[derive(Debug, Args)]
struct AppendOptions {
    /// The register
    #[arg(value_name = "NAME")]
    name: String,
    /// The record; `-` reads it from standard input, nothing is an empty one
    #[arg(value_name = "BODY", allow_negative_numbers = true)]
    body: Option<OsString>,
    /// One record for each line of standard input
    #[arg(long)]
    lines: bool,
}

#[derive(Debug, Args)]
struct ReadOptions {
    /// The register
    #[arg(value_name = "NAME")]
    name: String,
    /// The number of the first record
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u64).range(1..))]
    from: u64,
    /// The most records
    #[arg(long, value_name = "N", value_parser = quantity::count)]
    count: Option<u64>,
    /// As this node knows it, which may lack what was appended last
    #[arg(long)]
    local: bool,
    /// Print each record as it is, without a line break behind it
    #[arg(long, conflicts_with = "json")]
    raw: bool,
}

/// Does what was asked.
pub(crate) async fn run(options: &Options, session: &mut Session<'_>) -> Result<(), Failure> {
    match &options.action {
        Action::Create { name } => create(checked(name)?, session).await,
        Action::Append(options) => append::run(checked(&options.name)?, options, session).await,
        Action::Read(options) => read::run(checked(&options.name)?, options, session).await,
    }
}

/// Before anything is connected.
fn checked(name: &str) -> Result<&str, Failure> {
    Name::check(name.as_bytes()).map_err(|error| {
        Failure::new(error.code(), format!("{name:?} is no name for a register")).cause(error)
    })
}

async fn create(name: &str, session: &mut Session<'_>) -> Result<(), Failure> {
    let client = session.connect(Lost::Waits).await?;
    let mut stop = session.stop.clone();
    let register = stop.or(client.register(name)).await??;
    if session.output.json() {
        session.output.json_line(&json!({
            "register": name, "lane": register.lane(), "group": register.group(),
            "created": register.was_created(),
        }))?;
        session.output.flush()?;
    } else {
        let what = if register.was_created() { "created" } else { "there is already a register" };
        session.output.note(format_args!("{what} {name} (group {})", register.group()));
    }
    client.close().await;
    Ok(())
}
