//! Appends to registers of a node, and what the disk below it can do at best.

mod append;
mod disk;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Drives the durable plane, and measures the disk, for tests/race")]
struct Arguments {
    #[command(subcommand)]
    part: Part,
}

#[derive(Subcommand)]
enum Part {
    /// Write a file from the beginning to the end, with an fdatasync after each write
    Sequential {
        /// The file, made for it
        file: PathBuf,
        /// Bytes in all
        #[arg(long, default_value_t = 1 << 30)]
        bytes: usize,
        /// Bytes of a write
        #[arg(long, default_value_t = 1 << 20)]
        write: usize,
    },
    /// Append blocks of 4 KiB one after the other, with an fdatasync after each
    OneByOne {
        /// The file, made for it
        file: PathBuf,
        /// Blocks
        #[arg(long, default_value_t = 5_000)]
        count: usize,
    },
    /// Append records to registers of a node, and wait for every acknowledgement
    Append {
        /// The node
        url: String,
        #[command(flatten)]
        work: append::Work,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().part {
        Part::Sequential { file, bytes, write } => disk::sequential(&file, bytes, write),
        Part::OneByOne { file, count } => disk::one_by_one(&file, count),
        Part::Append { url, work } => append::append(&url, work).await,
    }
}
