//! What this machine can do at best: Unix-socket ping-pong, the same through a middle process, and a stream copy.
//!
//! Every process here is a tokio `current_thread` runtime and does nothing but move bytes. A broker does more on the
//! same sockets, so it can come near these figures and not beat them (unless it spins instead of sleeping).

mod ping;
mod stream;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Measures a machine's floors for tests/race")]
struct Arguments {
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand)]
enum Part {
    /// Send back whatever comes
    Pong {
        /// Where to listen
        socket: PathBuf,
    },
    /// Pass on, both ways, between one client and `--to`
    Middle {
        /// Where to listen
        socket: PathBuf,
        /// Where to pass on to
        #[arg(long)]
        to: PathBuf,
    },
    /// Send messages and wait for each to come back
    Ping {
        /// Where to connect to
        socket: PathBuf,
        /// Bytes of a message
        #[arg(long, default_value_t = 128)]
        size: usize,
        /// Messages
        #[arg(long, default_value_t = 20_000)]
        count: usize,
        /// Messages under way at once
        #[arg(long, default_value_t = 1)]
        window: usize,
    },
    /// Read a stream until it ends
    Sink {
        /// Where to listen
        socket: PathBuf,
    },
    /// Write a stream
    Source {
        /// Where to connect to
        socket: PathBuf,
        /// Bytes in all
        #[arg(long, default_value_t = 4 << 30)]
        bytes: u64,
        /// Bytes of a write
        #[arg(long, default_value_t = 128 << 10)]
        write: usize,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().part {
        Part::Pong { socket } => ping::pong(&socket).await,
        Part::Middle { socket, to } => ping::middle(&socket, &to).await,
        Part::Ping { socket, size, count, window } => ping::ping(&socket, size, count, window).await,
        Part::Sink { socket } => stream::sink(&socket).await,
        Part::Source { socket, bytes, write } => stream::source(&socket, bytes, write).await,
    }
}
