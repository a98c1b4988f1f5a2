//! `mesh-sensors`: publishes this machine's readings, or aggregates everybody's, until it is told to end.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use mesh_sensors::{AGGREGATES, Aggregator, INTERVAL_MIN, Machine, Options, READINGS, publish, token};

/// Publishes this machine's readings, or says what everybody's come to.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    node: mesh_program::Node,
    /// How long the end may take after the signal to end.
    #[arg(long, default_value = "20s", value_parser = humantime::parse_duration, global = true)]
    drain: Duration,
    #[command(subcommand)]
    role: Role,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Publish this machine's readings as sensors.HOST.KIND.
    Publish {
        /// Time between two rounds of readings, 200ms or more.
        #[arg(long, default_value = "1s", value_parser = interval)]
        interval: Duration,
        /// The host's name in subjects. By default the name of this host.
        #[arg(long)]
        host: Option<String>,
    },
    /// Follow sensors.> and publish aggregates.HOST.KIND for each window.
    Aggregate {
        /// Length of a window.
        #[arg(long, default_value = "5s", value_parser = window)]
        window: Duration,
        /// How long a window waits for late readings after its end.
        #[arg(long, default_value = "1s", value_parser = humantime::parse_duration)]
        grace: Duration,
        /// Most series in one window.
        #[arg(long, default_value_t = Options::default().series)]
        max_series: usize,
    },
}

impl Role {
    fn name(&self) -> &'static str {
        match self {
            Self::Publish { .. } => "sensors",
            Self::Aggregate { .. } => "aggregator",
        }
    }
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if interval < INTERVAL_MIN {
        Err(format!("the shortest interval is {INTERVAL_MIN:?}"))
    } else {
        Ok(interval)
    }
}

fn window(text: &str) -> Result<Duration, String> {
    let window = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if window < Duration::from_millis(1) { Err("the shortest window is 1ms".to_owned()) } else { Ok(window) }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    mesh_program::log();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => mesh_program::failed(error.as_ref()),
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let told_to_end = mesh_program::told_to_end()?;
    let client = arguments.node.client(arguments.role.name());
    let mesh = client.connect().await?;
    match arguments.role {
        Role::Publish { interval, host } => {
            let host = host.map_or_else(Machine::host, |host| token(&host, "localhost"));
            mesh_program::ready(&format!("{READINGS}.{host}.>"))?;
            tokio::select! {
                () = told_to_end => {}
                () = publish(&mesh, &host, interval) => {}
            }
            mesh.drain().deadline(arguments.drain).await?;
        }
        Role::Aggregate { window, grace, max_series } => {
            let options = Options {
                window_ms: milliseconds(window),
                grace_ms: milliseconds(grace),
                series: max_series,
                ..Options::default()
            };
            let mut aggregator = Aggregator::start(&mesh, options).await?;
            mesh_program::ready(&format!("{AGGREGATES}.>"))?;
            tokio::select! {
                () = told_to_end => {}
                () = aggregator.run() => anyhow::bail!("the readings ended, because the node refused them or is gone"),
            }
            // The aggregator stays until then, so that who asks it still gets an answer.
            mesh.drain().deadline(arguments.drain).await?;
        }
    }
    tracing::info!("drained");
    Ok(())
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
