//! `mesh demo`

mod act;
mod stage;

use clap::Args;
use mesh_client::Client;

use self::stage::Stage;
use crate::failure::Failure;
use crate::session::{Lost, Session};

/// Examples in `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mesh demo
  mesh --url unix:///tmp/dev.sock demo

Needs a node and nothing else: what publishes, subscribes, asks and answers is this command. Its
subjects begin with demo. and nothing of it stays behind.";

/// `mesh demo`
#[derive(Debug, Args)]
pub(crate) struct Options {}

/// Shows each thing that a mesh does, and the command that does it.
pub(crate) async fn run(_options: &Options, session: &mut Session<'_>) -> Result<(), Failure> {
    let client = session.connect(Lost::Ends).await?;
    let mut stop = session.stop.clone();
    let time = session.global.timeout;
    let mut stage = Stage::new(session.output);
    stop.or(play(&client, time, &mut stage)).await??;
    stage.end()?;
    client.close().await;
    Ok(())
}

async fn play(client: &Client, time: std::time::Duration, stage: &mut Stage<'_>) -> Result<(), Failure> {
    act::node(client, stage).await?;
    act::publish(client, time, stage).await?;
    act::group(client, time, stage).await?;
    act::request(client, time, stage).await?;
    act::nobody(client, time, stage).await?;
    act::many(client, time, stage).await
}
