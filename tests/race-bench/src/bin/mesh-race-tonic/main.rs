//! A unary gRPC echo with tonic: one server, one client, one HTTP/2 connection over loopback TCP, no broker between.

mod client;
mod echo;
mod server;

use clap::{Parser, Subcommand};
use mesh_race::line;
use serde_json::json;

#[derive(Parser)]
#[command(about = "Drives tonic for tests/race")]
struct Arguments {
    /// Threads of the runtime; 1 is a `current_thread` runtime, which is the faster one here
    #[arg(long, default_value_t = 1, global = true)]
    threads: usize,
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand)]
enum Part {
    /// Answer with what was asked
    Server,
    /// Ask
    Client {
        /// host:port of the server
        address: String,
        /// Bytes of a body
        #[arg(long, default_value_t = 128)]
        size: usize,
        /// Requests
        #[arg(long, default_value_t = 20_000)]
        count: usize,
        /// Requests outstanding
        #[arg(long, default_value_t = 1)]
        window: usize,
    },
    /// Tell the version of tonic
    Version,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let mut runtime = match arguments.threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        n => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(n);
            builder
        }
    };
    runtime.enable_all().build()?.block_on(async {
        match arguments.part {
            Part::Server => server::serve().await,
            Part::Client { address, size, count, window } => client::ask(address, size, count, window).await,
            Part::Version => Ok(line::emit(&json!({ "tonic": version() }))?),
        }
    })
}

/// tonic's version from the lock file that this program was built with.
fn version() -> &'static str {
    let lock = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock"));
    let entry = lock.split("[[package]]").find(|entry| entry.contains("name = \"tonic\"\n"));
    entry
        .and_then(|entry| entry.lines().find_map(|line| line.strip_prefix("version = ")))
        .map_or("unknown", |version| version.trim_matches('"'))
}
