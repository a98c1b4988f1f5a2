//! `mesh-demo`: feeds the example services with real input, checks what they make of it and shows how they do.

mod audit;
mod board;
mod feed_orders;
mod feed_thumbnails;
mod ledger;
mod orders_file;
mod pace;
mod pictures;
mod run;
mod screen;
mod summary;
mod table;
mod watch;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;

use crate::orders_file::{ORDERS_DEFAULT, parse};
use crate::run::{Settings, run};

/// Feeds the example services with pictures, readings and orders, and checks what they make of them.
///
/// Ends with 0 when everything was as expected, and with 1 otherwise. The table goes to standard error, the summary to
/// standard output.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    node: mesh_program::Node,
    /// How long to go on.
    #[arg(long = "for", default_value = "20s", value_parser = humantime::parse_duration, value_name = "TIME")]
    length: Duration,
    /// Print the summary as one JSON object.
    #[arg(long)]
    json: bool,
    /// Pictures a second.
    #[arg(long, default_value_t = 8.0, value_parser = rate)]
    pictures_rate: f64,
    /// Orders a second.
    #[arg(long, default_value_t = 50.0, value_parser = rate)]
    orders_rate: f64,
    /// Orders to place, over and over: lines of id,card,sku:pieces …,expected.
    #[arg(long, value_name = "FILE")]
    orders: Option<PathBuf>,
    /// Others use the services, too: their counts are not compared with ours.
    #[arg(long)]
    shared: bool,
    /// Keep pictures and thumbnails in this folder. Without it they go when the demo ends.
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.1..=10_000.0).contains(&rate) => Ok(rate),
        _ => Err("a rate is 0.1 to 10000 a second".to_owned()),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    mesh_program::log();
    match demo(arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => mesh_program::failed(error.as_ref()),
    }
}

/// Gives whether everything was as expected.
async fn demo(arguments: Arguments) -> anyhow::Result<bool> {
    let told_to_end = mesh_program::told_to_end()?;
    let orders = match &arguments.orders {
        Some(path) => std::fs::read_to_string(path).with_context(|| path.display().to_string())?,
        None => ORDERS_DEFAULT.to_owned(),
    };
    let wishes = parse(&orders).context("the orders can't be read")?;
    anyhow::ensure!(!wishes.is_empty(), "the file of orders has none");
    let settings = Settings {
        length: arguments.length,
        pictures_rate: arguments.pictures_rate,
        orders_rate: arguments.orders_rate,
        wishes,
        shared: arguments.shared,
    };
    let passing = tempfile::tempdir()?;
    let folder = arguments.keep.as_deref().unwrap_or(passing.path());

    let client = arguments.node.client("demo");
    let mesh = client.connect().await?;
    let (summary, board) = run(&mesh, settings, folder, told_to_end).await?;
    mesh.drain().await?;
    let text = if arguments.json { serde_json::to_string(&summary)? + "\n" } else { summary.text(&board) };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(summary.ok)
}
