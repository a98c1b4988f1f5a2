//! The command line, and the commands on standard input.

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::time::Duration;

use clap::{Args, Parser, ValueEnum};
use mesh_netproxy::{Delay, Direction, Faults, Probability, QUEUE_DATAGRAMS};

/// A UDP proxy that loses, delays, reorders, duplicates, corrupts and cuts, as a seed says.
///
/// Prints one JSON line when it listens and one with its counters at the end: when standard input ends, on `quit`, SIGINT or
/// SIGTERM. Commands on standard input, one per line, each answered by a line of JSON:
///
///   cut up|down|both     heal     faults up|down|both [--loss 5% …]     counters     quit
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Where clients send to; port 0 for one that the system chooses
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Where their datagrams go
    #[arg(long, value_name = "ADDR")]
    pub(crate) target: SocketAddr,
    /// What every decision comes from
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) faults: FaultArguments,
}

/// Faults, as flags.
#[derive(Debug, Clone, Args)]
pub(crate) struct FaultArguments {
    /// How many never arrive, such as 5% or 0.05
    #[arg(long, value_name = "PART", default_value_t = Probability::NEVER)]
    loss: Probability,
    /// How long each takes, such as 5ms or 2ms..10ms
    #[arg(long, value_name = "TIME", default_value = "0ms")]
    delay: Delay,
    /// How many are held back so that others overtake them
    #[arg(long, value_name = "PART", default_value_t = Probability::NEVER)]
    reorder: Probability,
    /// How much longer these are held back
    #[arg(long, value_name = "TIME", default_value = "5ms", value_parser = humantime::parse_duration)]
    reorder_delay: Duration,
    /// How many arrive twice
    #[arg(long, value_name = "PART", default_value_t = Probability::NEVER)]
    duplicate: Probability,
    /// How many arrive with flipped bits
    #[arg(long, value_name = "PART", default_value_t = Probability::NEVER)]
    corrupt: Probability,
    /// Most bytes per second
    #[arg(long, value_name = "BYTES")]
    rate: Option<NonZeroU64>,
    /// Most datagrams that wait
    #[arg(long, value_name = "DATAGRAMS", default_value_t = QUEUE_DATAGRAMS)]
    queue: usize,
}

impl FaultArguments {
    pub(crate) fn faults(&self) -> Faults {
        let faults = Faults::NONE
            .loss(self.loss)
            .delay(self.delay.min, self.delay.max)
            .reorder(self.reorder)
            .reorder_delay(self.reorder_delay)
            .duplicate(self.duplicate)
            .corrupt(self.corrupt)
            .queue_datagrams(self.queue);
        self.rate.map_or(faults, |rate| faults.rate(rate))
    }
}

/// What standard input may say.
#[derive(Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
pub(crate) enum Command {
    /// Makes a direction a black hole
    Cut { which: Which },
    /// Undoes every cut
    Heal,
    /// Gives a direction other faults
    Faults {
        which: Which,
        #[command(flatten)]
        faults: FaultArguments,
    },
    /// Prints the counters
    Counters,
    /// Ends the proxy
    Quit,
}

/// One direction or both.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Which {
    Up,
    Down,
    Both,
}

impl Which {
    pub(crate) const fn directions(self) -> &'static [Direction] {
        match self {
            Self::Up => &[Direction::Up],
            Self::Down => &[Direction::Down],
            Self::Both => &Direction::ALL,
        }
    }
}
