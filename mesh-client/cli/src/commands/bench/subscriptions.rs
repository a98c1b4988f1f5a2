//! `mesh bench subscriptions`

use clap::Args;
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use crate::failure::Failure;
use crate::input;
use crate::output::Ready;
use crate::quantity;
use crate::session::{Lost, Session};

/// Subscriptions that wait for the node's confirmation at once.
const AT_ONCE: usize = 16_384;

/// `mesh bench subscriptions`
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many, each to a subject of its own
    #[arg(long, value_name = "N", default_value = "1k", value_parser = quantity::count)]
    count: u64,
}

/// Makes the subscriptions, says so, and holds them until standard input ends.
pub(super) async fn run(options: &Options, session: &mut Session<'_>) -> Result<(), Failure> {
    let client = session.connect(Lost::Ends).await?;
    let mut stop = session.stop.clone();
    let mut held = Vec::new();
    {
        let mut making =
            stream::iter(0..options.count)
                .map(|at| {
                    let client = &client;
                    async move {
                        client.subscribe(&format!("bench.{at}")).capacity(1).await.map_err(Failure::from)
                    }
                })
                .buffer_unordered(AT_ONCE);
        while let Some(one) = stop.or(making.try_next()).await?? {
            held.push(one);
        }
    }
    session.output.ready(&Ready { count: Some(held.len()), ..Ready::default() })?;
    stop.or(input::ended()).await
}
