//! The work that a measurement does: options that its kinds share.

use clap::Args;
use mesh_wire::limits::REQUESTS_PER_LINK;

use super::report::Form;
use crate::output::Output;
use crate::quantity;

/// Most connections of one measurement.
pub(super) const CLIENTS_MAX: u32 = 1_024;

/// What is sent, how much of it, and how.
#[derive(Debug, Args)]
pub(crate) struct Load {
    /// Where to
    #[arg(value_name = "SUBJECT")]
    pub(super) subject: String,
    /// Bytes of each body
    #[arg(long, value_name = "BYTES", default_value = "128", value_parser = quantity::size)]
    pub(super) size: usize,
    /// How many, all connections together
    #[arg(long, value_name = "N", default_value = "100k", value_parser = quantity::count)]
    pub(super) count: u64,
    /// Requests under way at once on each connection; with --rate the most there may be [default: 1, with --rate 4096]
    #[arg(long, value_name = "W", value_parser = clap::value_parser!(u32).range(1..=REQUESTS_PER_LINK as i64))]
    pub(super) window: Option<u32>,
    /// A fixed number in a second, all connections together
    #[arg(long, value_name = "R", value_parser = quantity::rate)]
    pub(super) rate: Option<u64>,
    #[command(flatten)]
    pub(super) shared: Shared,
}

/// What every measurement takes.
#[derive(Debug, Args)]
pub(crate) struct Shared {
    /// Connections that share the work
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..=CLIENTS_MAX as i64))]
    pub(super) clients: u32,
    /// Print the figures as a heading and a line of comma-separated values
    #[arg(long, conflicts_with = "json")]
    pub(super) csv: bool,
}

impl Shared {
    /// The form in which the figures are wanted.
    pub(super) fn form(&self, output: &Output) -> Form {
        match (output.json(), self.csv) {
            (true, _) => Form::Json,
            (false, true) => Form::Csv,
            (false, false) => Form::People,
        }
    }
}

/// `count` in as many parts as there are clients, as equal as can be.
pub(super) fn shares(count: u64, clients: u32) -> Vec<u64> {
    let clients = u64::from(clients);
    (0..clients).map(|at| count / clients + u64::from(at < count % clients)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_equal_and_whole() {
        assert_eq!(shares(10, 1), [10]);
        assert_eq!(shares(10, 3), [4, 3, 3]);
        assert_eq!(shares(2, 3), [1, 1, 0]);
    }
}
