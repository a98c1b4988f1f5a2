//! `mesh-sensors`: publishes this machine's readings, or aggregates everybody's, until it is told to end.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use mesh_client::Client;
use mesh_sensors::{AGGREGATES, Aggregator, INTERVAL_MIN, Machine, Options, READINGS, publish, token};
use tokio::signal::unix::{SignalKind, signal};

/// Publishes this machine's readings, or says what everybody's come to.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where the node listens, for instance unix:///run/mesh/mesh.sock. Without it: the default places.
    #[arg(long, env = "MESH_URL", global = true)]
    url: Option<String>,
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
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let text = match error.downcast_ref::<mesh_client::Error>() {
                Some(error) => format!("{error:#}"),
                None => format!("error: {error:#}"),
            };
            // Nobody is left to tell when standard error is gone, too.
            writeln!(std::io::stderr(), "{text}").ok();
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let told_to_end = told_to_end()?;
    let mut client = Client::builder().name(arguments.role.name());
    if let Some(url) = &arguments.url {
        client = client.endpoint(url);
    }
    let mesh = client.connect().await?;
    match arguments.role {
        Role::Publish { interval, host } => {
            let host = host.map_or_else(Machine::host, |host| token(&host, "localhost"));
            ready(&format!("{READINGS}.{host}.>"))?;
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
            ready(&format!("{AGGREGATES}.>"))?;
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

/// Whoever started this process may wait for the line.
fn ready(what: &str) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "ready: {what}")
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Listens for SIGTERM and SIGINT from now on; the future is ready at the first.
fn told_to_end() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
