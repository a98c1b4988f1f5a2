//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// What was asked on the command line.
#[derive(Debug, Parser)]
#[command(
    name = "tests/nemesis",
    about = "Breaks a cluster of real nodes in every way that it has to survive, and looks whether anything was lost"
)]
pub(crate) struct Arguments {
    /// List the trials and end
    #[arg(long)]
    pub(crate) list: bool,

    /// These trials, by number; all when none is named
    #[arg(long = "trial", value_name = "N", value_delimiter = ',')]
    pub(crate) trials: Vec<u32>,

    /// What random choices are made by
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,

    /// How long things break in each trial
    #[arg(long = "for", value_name = "TIME", default_value = "60s", value_parser = parse_time)]
    pub(crate) time: Duration,

    /// Print one JSON object per trial
    #[arg(long)]
    pub(crate) json: bool,

    /// Bring a known bug back, to see that it is found; needs nodes that were built with the feature `faults`
    #[arg(long, value_name = "NAME")]
    pub(crate) bug: Option<String>,

    /// Bring each known bug back in a trial of its own: it has to be found, and the same trial without it has to pass
    #[arg(long, conflicts_with_all = ["bug", "trials", "list"])]
    pub(crate) bugs: bool,

    /// Keep the folders of trials: data, logs, sockets
    #[arg(long)]
    pub(crate) keep: bool,

    /// The mesh-node program
    #[arg(long, env = "MESH_NEMESIS_NODE", hide = true)]
    pub(crate) node: Option<PathBuf>,

    /// The mesh program
    #[arg(long, env = "MESH_NEMESIS_CLI", hide = true)]
    pub(crate) cli: Option<PathBuf>,
}

/// Seconds, with or without their unit, or minutes.
fn parse_time(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = number.parse().map_err(|_| format!("{text:?} is no time: say 60s or 5m"))?;
    match unit {
        "" | "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(60 * number)),
        "h" => Ok(Duration::from_secs(3_600 * number)),
        _ => Err(format!("{unit:?} is no unit: say s, m or h")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(parse_time("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(parse_time("5"), Ok(Duration::from_secs(5)));
        assert_eq!(parse_time("2m"), Ok(Duration::from_secs(120)));
        assert!(parse_time("s").is_err() && parse_time("5x").is_err());
    }
}
