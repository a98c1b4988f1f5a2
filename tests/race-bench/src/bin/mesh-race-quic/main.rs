//! What quinn can do at best on this machine: ping-pong, the same through a middle process, a stream, idle connections.
//!
//! As with the floors over Unix sockets, every process is a tokio `current_thread` runtime that does nothing but move
//! bytes. Both sides show certificates, and what quinn lets one choose is chosen as `settings.rs` says.

mod hold;
mod middle;
mod ping;
mod settings;
mod side;
mod stream;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use mesh_race::certificates::Certificates;

use crate::settings::Settings;
use crate::side::{Connector, Listener};

#[derive(Parser)]
#[command(about = "Measures the floors of QUIC for tests/race")]
struct Arguments {
    /// The folder with the certificates
    #[arg(long)]
    certs: PathBuf,

    #[command(flatten)]
    settings: Settings,

    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand)]
enum Part {
    /// Make certificates in the folder
    Certify,
    /// Send back whatever comes
    Pong,
    /// Pass on, both ways, between one client and another listener
    Middle {
        /// Whom to pass on to
        to: SocketAddr,
    },
    /// Send messages and wait for each to come back
    Ping {
        /// Whom to connect to
        to: SocketAddr,
        /// Bytes of a message
        #[arg(long, default_value_t = 128)]
        size: usize,
        /// Messages
        #[arg(long, default_value_t = 20_000)]
        count: usize,
    },
    /// Read a stream until it ends
    Sink,
    /// Write a stream
    Source {
        /// Whom to connect to
        to: SocketAddr,
        /// Bytes in all
        #[arg(long, default_value_t = 1 << 30)]
        bytes: u64,
        /// Bytes of a write
        #[arg(long, default_value_t = 64 << 10)]
        write: usize,
    },
    /// Accept connections and keep them
    Keep,
    /// Open connections and keep them
    Hold {
        /// Whom to connect to
        to: SocketAddr,
        /// Connections
        #[arg(long, default_value_t = 2_000)]
        count: usize,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    // A task among quinn's: to be woken by them, the runtime's own future costs a system call.
    tokio::spawn(play(Arguments::parse())).await?
}

async fn play(Arguments { certs, settings, part }: Arguments) -> anyhow::Result<()> {
    if matches!(part, Part::Certify) {
        return Certificates::make(&certs).map(drop);
    }
    let certs = Certificates::in_folder(&certs);
    let listener = || Listener::bind(&certs, &settings);
    let connector = || Connector::new(&certs, &settings);
    match part {
        Part::Certify => Ok(()),
        Part::Pong => ping::pong(&listener()?).await,
        Part::Middle { to } => middle::middle(&listener()?, &connector()?, to).await,
        Part::Ping { to, size, count } => ping::ping(&connector()?, to, size, count).await,
        Part::Sink => stream::sink(&listener()?).await,
        Part::Source { to, bytes, write } => stream::source(&connector()?, to, bytes, write).await,
        Part::Keep => hold::keep(&listener()?).await,
        Part::Hold { to, count } => hold::hold(&connector()?, to, count).await,
    }
}
