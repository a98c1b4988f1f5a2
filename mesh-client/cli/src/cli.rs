//! The command line as a whole: options that every command takes, and the commands.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    bench, check, completions, context, demo, explain, node, publish, reply, request, service, subscribe,
};
use crate::quantity;
use crate::style;

/// Talk to a Mesh node: publish, subscribe, ask, answer, look and measure.
#[derive(Debug, Parser)]
#[command(
    name = "mesh",
    version,
    max_term_width = 100,
    styles = style::HELP,
    arg_required_else_help = true,
    after_help = AFTER_HELP,
)]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER_HELP: &str = "\
Start here:
  mesh-node                              starts a node on this machine
  mesh demo                              shows what it does
  mesh sub 'orders.>'                    prints messages as they come
  mesh pub orders.created '{\"id\": 7}'    publishes one
  mesh reply time.now --command date     answers requests
  mesh request time.now                  asks

Where the node is: --url, else --context, else MESH_URL, else MESH_CONTEXT, else the context
that `mesh context use` chose, else the usual sockets of this machine. MESH_TOKEN is the token
that it asks for.

Exit status: 0 done, 1 other error, 2 usage, 3 no responders, 4 deadline, 5 not connected,
6 refused, 7 error of the responder, 130 Ctrl-C, 143 SIGTERM.
Every error has a code: mesh explain MESH-1042.";

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// The node's address, such as unix:///run/mesh/mesh.sock [env: MESH_URL]
    #[arg(long, global = true, value_name = "URL", conflicts_with = "context")]
    pub(crate) url: Option<String>,
    /// The node of this name, see `mesh context` [env: MESH_CONTEXT]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// Longest wait for the connection and for an answer
    #[arg(long, global = true, value_name = "TIME", default_value = "5s", value_parser = quantity::timeout)]
    pub(crate) timeout: Duration,
    /// Print JSON, errors too
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Publish a message
    #[command(name = "pub", visible_alias = "publish", after_help = publish::EXAMPLES)]
    Publish(publish::Options),
    /// Print messages as they come
    #[command(name = "sub", visible_alias = "subscribe", after_help = subscribe::EXAMPLES)]
    Subscribe(subscribe::Options),
    /// Ask, and print the answer
    #[command(after_help = request::EXAMPLES)]
    Request(request::Options),
    /// Answer requests
    #[command(after_help = reply::EXAMPLES)]
    Reply(reply::Options),
    /// Look at services
    #[command(after_help = service::EXAMPLES)]
    Service(service::Options),
    /// Look at nodes, and drain one
    #[command(after_help = node::EXAMPLES)]
    Node(node::Options),
    /// Keep the addresses of nodes by name
    #[command(after_help = context::EXAMPLES)]
    Context(context::Options),
    /// Find out what is wrong between here and the node
    #[command(after_help = check::EXAMPLES)]
    Check(check::Options),
    /// Measure
    #[command(after_help = bench::EXAMPLES)]
    Bench(bench::Options),
    /// Show what a mesh does, in this terminal
    #[command(after_help = demo::EXAMPLES)]
    Demo(demo::Options),
    /// Print the completions of a shell
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::Options),
    /// Explain an error code
    #[command(after_help = explain::EXAMPLES)]
    Explain(explain::Options),
}
