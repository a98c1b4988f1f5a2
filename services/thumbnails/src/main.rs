//! `mesh-thumbnails`: serves `thumbnails.resize` until it is told to end.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use mesh_thumbnails::{
    INPUT_BYTES_DEFAULT, Limits, OUTPUT_BYTES_DEFAULT, PIXELS_DEFAULT, SERVICE, SUBJECT, Settings, serve,
};

/// Makes images smaller, on request.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    node: mesh_program::Node,
    /// Images that are worked on at once. By default as many as there are processors.
    #[arg(long)]
    workers: Option<usize>,
    /// Callers that may wait for a worker.
    #[arg(long, default_value_t = 64)]
    waiting: usize,
    /// Largest image read, in bytes.
    #[arg(long, default_value_t = INPUT_BYTES_DEFAULT)]
    max_input_bytes: usize,
    /// Most pixels unpacked.
    #[arg(long, default_value_t = PIXELS_DEFAULT)]
    max_pixels: u64,
    /// Largest thumbnail sent back, in bytes.
    #[arg(long, default_value_t = OUTPUT_BYTES_DEFAULT)]
    max_output_bytes: usize,
    /// How long callers may still be answered after the signal to end.
    #[arg(long, default_value = "20s", value_parser = humantime::parse_duration)]
    drain: Duration,
}

impl Arguments {
    fn settings(&self) -> Settings {
        let processors = || std::thread::available_parallelism().map_or(1, |count| count.get());
        Settings {
            workers: self.workers.unwrap_or_else(processors),
            waiting: self.waiting,
            limits: Limits {
                input_bytes: self.max_input_bytes,
                pixels: self.max_pixels,
                output_bytes: self.max_output_bytes,
            },
        }
    }
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
    let client = arguments.node.client(SERVICE);
    let mesh = client.connect().await?;
    let server = serve(&mesh, arguments.settings()).await?;
    mesh_program::ready(SUBJECT)?;
    tokio::select! {
        () = told_to_end => {}
        () = server.join() => anyhow::bail!("the service ended, because the node refused it or is gone"),
    }
    mesh.drain().deadline(arguments.drain).await?;
    tracing::info!(calls = server.calls(), "drained");
    Ok(())
}
