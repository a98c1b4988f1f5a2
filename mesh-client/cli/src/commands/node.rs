//! `mesh node`

mod links;
mod list;

use std::time::Duration;

use clap::{Args, Subcommand};
use mesh_client::{Client, Code, ConnectionEvent};
use mesh_wire::name::Name;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::failure::Failure;
use crate::inquiry::{self, NodeInfo};
use crate::output::Output;
use crate::quantity;
use crate::session::{Lost, Session};
use crate::table;

/// Examples in `--help`.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mesh node info
  mesh node ls --json
  mesh node links
  mesh node drain --wait 20s";

/// `mesh node …`
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the node: who it is, how it is, what it does
    Info,
    /// List the nodes of the cluster: this one, and those that it has links with or looks for
    #[command(visible_alias = "list")]
    Ls,
    /// List who is connected to the node: who they are, over what, how they do
    Links {
        /// The most that are listed
        #[arg(long, value_name = "N", default_value = "1000", value_parser = quantity::count)]
        limit: u64,
    },
    /// Give a node's copies of groups to others and forget the node
    Rm {
        /// Its name
        node: Name,
    },
    /// Have the node finish what it began and stop
    Drain {
        /// How long to wait until it is gone
        #[arg(long, value_name = "TIME", default_value = "30s", value_parser = quantity::timeout)]
        wait: Duration,
    },
}

/// Does what was asked.
pub(crate) async fn run(options: &Options, session: &mut Session<'_>) -> Result<(), Failure> {
    let client = session.connect(Lost::Ends).await?;
    let mut stop = session.stop.clone();
    stop.or(async {
        match &options.action {
            Action::Info => info(&client, session.output).await,
            Action::Ls => list::run(&client, session.output).await,
            Action::Links { limit } => links::run(&client, *limit, session.output).await,
            Action::Rm { node } => {
                let asked = json!({ "node": node.as_str() });
                inquiry::change(&client, "$mesh.node.remove", &asked, session.output).await
            }
            Action::Drain { wait } => drain(&client, *wait, session.output).await,
        }
    })
    .await??;
    session.output.flush()?;
    client.close().await;
    Ok(())
}

async fn info(client: &Client, output: &mut Output) -> Result<(), Failure> {
    let answer: Value = inquiry::ask(client, inquiry::NODE).await?;
    if output.json() {
        return output.json_value(&answer);
    }
    let node: NodeInfo = inquiry::read(inquiry::NODE, answer)?;
    let (totals, rates) = (&node.totals, &node.rates);
    let count = |total: u64, rate: f64| {
        format!("{} ({}/s)", quantity::grouped(total), quantity::grouped(rate as u64))
    };
    let bytes =
        |total: u64, rate: f64| format!("{} ({}/s)", quantity::bytes(total), quantity::bytes(rate as u64));
    output.line(table::pairs([
        ("name", node.name.clone()),
        ("cluster", node.cluster.clone()),
        ("state", node.state.clone()),
        ("version", format!("{} (protocol {})", node.version, node.protocol)),
        ("up for", quantity::rough(Duration::try_from_secs_f64(node.uptime_seconds).unwrap_or_default())),
        (
            "process",
            format!(
                "{}, {} of memory, {} data threads",
                node.pid,
                quantity::bytes(node.memory_bytes),
                node.threads
            ),
        ),
        ("socket", node.socket.clone()),
        ("network", node.listen.clone().unwrap_or_else(|| "off".to_owned())),
        ("http", node.http.clone().unwrap_or_else(|| "off".to_owned())),
        ("links", quantity::grouped(node.links)),
        ("subscriptions", quantity::grouped(node.subscriptions)),
        ("requests under way", quantity::grouped(node.requests_in_flight)),
        ("waiting for clients", quantity::bytes(node.queued_bytes)),
        ("messages in", count(totals.messages_in, rates.messages_in)),
        ("messages out", count(totals.messages_out, rates.messages_out)),
        ("bytes in", bytes(totals.bytes_in, rates.bytes_in)),
        ("bytes out", bytes(totals.bytes_out, rates.bytes_out)),
        ("requests", count(totals.requests, rates.requests)),
        ("dropped", count(totals.dropped, rates.dropped)),
    ]))
}

async fn drain(client: &Client, wait: Duration, output: &mut Output) -> Result<(), Failure> {
    let mut events = client.events();
    let answer: Value = inquiry::ask(client, "$mesh.node.drain").await?;
    output.note("the node is draining");
    // It closes its links when it is done.
    let gone = async {
        while client.is_connected() {
            match events.next().await {
                None | Some(ConnectionEvent::Disconnected { .. } | ConnectionEvent::Closed) => return,
                Some(_) => {}
            }
        }
    };
    if timeout(wait, gone).await.is_err() {
        return Err(Failure::new(Code::DrainTimeout, format!("the node is still draining after {wait:?}")));
    }
    output.note("the node has stopped");
    if output.json() { output.json_value(&answer) } else { Ok(()) }
}
