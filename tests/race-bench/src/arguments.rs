//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// What was asked on the command line.
#[derive(Debug, Parser)]
#[command(
    name = "tests/race",
    about = "Races Mesh against its peers on this machine, with equal work, one after the other"
)]
pub(crate) struct Arguments {
    /// List the rows and end
    #[arg(long)]
    pub(crate) list: bool,

    /// Only these rows
    #[arg(long, value_name = "ROW", value_delimiter = ',')]
    pub(crate) only: Vec<String>,

    /// How often each side does each row
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) runs: u16,

    /// Print one JSON object per row instead of a table
    #[arg(long)]
    pub(crate) json: bool,

    /// Also write the table as Markdown, with the command that made it: `-` to stdout, else between the lines
    /// `<!-- race -->` and `<!-- /race -->` of FILE, or to a new file
    #[arg(long, value_name = "FILE")]
    pub(crate) markdown: Option<PathBuf>,

    /// With `--markdown`: between the lines of this name instead of `race`
    #[arg(long, value_name = "NAME", default_value = "race")]
    pub(crate) set: String,

    /// Do very little of everything, once, to see that it works; the figures mean nothing
    #[arg(long)]
    pub(crate) smoke: bool,

    /// Only these sides
    #[arg(long, value_name = "SIDE", value_delimiter = ',', value_parser = ["ours", "nats", "nats-tls", "tonic", "floor"])]
    pub(crate) sides: Vec<String>,

    /// The mesh-node program
    #[arg(long, env = "MESH_RACE_NODE", hide = true)]
    pub(crate) node: Option<PathBuf>,

    /// The mesh program
    #[arg(long, env = "MESH_RACE_CLI", hide = true)]
    pub(crate) cli: Option<PathBuf>,

    /// The nats-server program
    #[arg(long, env = "MESH_RACE_NATS_SERVER", hide = true)]
    pub(crate) nats_server: Option<PathBuf>,

    /// The NATS driver, built from tests/race-bench/nats
    #[arg(long, env = "MESH_RACE_NATS_DRIVER", hide = true)]
    pub(crate) nats_driver: Option<PathBuf>,
}

impl Arguments {
    /// Whether `side` was asked for.
    pub(crate) fn wants(&self, side: &str) -> bool {
        self.sides.is_empty() || self.sides.iter().any(|wanted| wanted == side)
    }

    /// The command that a reader types for the same.
    pub(crate) fn command(&self) -> String {
        let mut command = "tests/race".to_owned();
        if !self.only.is_empty() {
            command += &format!(" --only {}", self.only.join(","));
        }
        if !self.sides.is_empty() {
            command += &format!(" --sides {}", self.sides.join(","));
        }
        if self.smoke {
            return command + " --smoke";
        }
        command + &format!(" --runs {}", self.runs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        <Arguments as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn the_command_says_what_was_asked() {
        let arguments = Arguments::parse_from(["race", "--only", "a,b", "--runs", "3", "--json"]);
        assert_eq!(arguments.command(), "tests/race --only a,b --runs 3");
        assert!(arguments.wants("nats"));
        let arguments = Arguments::parse_from(["race", "--smoke", "--sides", "ours,floor"]);
        assert_eq!(arguments.command(), "tests/race --sides ours,floor --smoke");
        assert!(!arguments.wants("nats"));
    }

    #[test]
    fn no_runs_and_unknown_sides_are_refused() {
        assert!(Arguments::try_parse_from(["race", "--runs", "0"]).is_err());
        assert!(Arguments::try_parse_from(["race", "--sides", "kafka"]).is_err());
    }
}
