//! `mesh service`

use clap::Args;

use crate::failure::Failure;
use crate::session::Session;

pub(crate) const EXAMPLES: &str = "";

/// `mesh service …`
#[derive(Debug, Args)]
pub(crate) struct Options {}

/// Being written.
pub(crate) async fn run(_options: &Options, _session: &mut Session<'_>) -> Result<(), Failure> {
    Ok(())
}
