//! The command line as a whole: options that every command takes, and the commands.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    bench, cert, check, completions, context, demo, explain, group, node, publish, register, reply, request,
    service, subscribe,
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
that `mesh context use` chose, else the usual sockets of this machine.

Who you are, over quic:// and tls://: --certs, or --ca with --cert and --cert-key, else what the
context keeps, else MESH_CERTS with MESH_IDENTITY, or MESH_CA with MESH_CERT and MESH_KEY.
`mesh cert` makes them. MESH_TOKEN is the token for nodes that ask for one. A node with
--insecure-loopback needs none of it.

Exit status: 0 done, 1 other error, 2 usage, 3 no responders, 4 deadline, 5 not connected,
6 refused, 7 error of the responder, 130 Ctrl-C, 143 SIGTERM.
Every error has a code: mesh explain MESH-1042.";

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// The node's address: unix:///run/mesh/mesh.sock, quic://host:7400, tls://host:7400; several
    /// with commas, tried in turn [env: MESH_URL]
    #[arg(long, global = true, value_name = "URL", conflicts_with = "context")]
    pub(crate) url: Option<String>,
    /// The node of this name, see `mesh context` [env: MESH_CONTEXT]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// Directory with certificates, as `mesh cert` writes it, for quic:// and tls:// [env: MESH_CERTS]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) certs: Option<PathBuf>,
    /// Which service certificate of --certs to show, if it has several [env: MESH_IDENTITY]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) identity: Option<String>,
    /// Certificates of the authorities that nodes are trusted by [env: MESH_CA]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// The certificate to show, with --cert-key [env: MESH_CERT]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) cert: Option<PathBuf>,
    /// The key of --cert [env: MESH_KEY]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) cert_key: Option<PathBuf>,
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
    /// Look at the replicated groups that keep what is stored
    #[command(after_help = group::EXAMPLES)]
    Group(group::Options),
    /// Append records that a cluster keeps on disk, and read them: for tests
    #[command(after_help = register::EXAMPLES)]
    Register(register::Options),
    /// Keep the addresses of nodes by name
    #[command(after_help = context::EXAMPLES)]
    Context(context::Options),
    /// Make certificates for nodes and services, and look at them
    #[command(after_help = cert::EXAMPLES)]
    Cert(cert::Options),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use clap::CommandFactory as _;

    const GUIDE: &str = include_str!("../../../docs/guide/cli.md");

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// The section of the guide about a command: `## mesh pub` to the next heading of its rank.
    fn section(command: &str) -> &'static str {
        let heading = format!("\n## mesh {command}\n");
        let start = GUIDE.find(&heading).unwrap_or_else(|| panic!("the guide has no section {heading:?}"));
        let rest = &GUIDE[start + heading.len()..];
        rest.split("\n## ").next().unwrap()
    }

    #[test]
    fn the_guide_names_every_command_and_every_option() {
        let mut root = Cli::command();
        root.build();
        let everywhere: Vec<_> = root.get_arguments().map(|argument| argument.get_id().clone()).collect();
        for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
            let name = command.get_name();
            let text = section(name);
            assert!(
                GUIDE.contains(&format!("| [`mesh {name}`](#mesh-{name}) |")),
                "{name} is not in the list"
            );
            for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
                assert!(
                    text.contains(&format!("mesh {name} {}", inner.get_name())),
                    "{name} {}",
                    inner.get_name()
                );
            }
            for owner in std::iter::once(command).chain(command.get_subcommands()) {
                let own = owner.get_arguments().filter(|own| !everywhere.contains(own.get_id()));
                for long in
                    own.filter_map(|own| own.get_long()).filter(|long| !["help", "version"].contains(long))
                {
                    assert!(text.contains(&format!("--{long}")), "--{long} of mesh {name}");
                }
            }
        }
        for argument in root.get_arguments().filter_map(|argument| argument.get_long()) {
            assert!(
                ["help", "version"].contains(&argument) || GUIDE.contains(&format!("`--{argument}")),
                "{argument}"
            );
        }
    }

    #[test]
    fn the_guide_and_the_help_have_every_exit_status() {
        let help = Cli::command().render_help().to_string();
        let help = help.split_once("Exit status:").unwrap().1;
        for (exit, meaning) in Exit::ALL {
            let status = exit as u8;
            assert!(GUIDE.contains(&format!("| {status} | {meaning} |")), "{status} in the guide");
            let listed = help.split([' ', '\n']).any(|word| word == status.to_string());
            assert!(listed, "{status} in --help");
        }
    }

    #[test]
    fn the_exact_commands_parse() {
        let lines = [
            "mesh --url unix:///x sub a.> --count 3 --json",
            "mesh --url unix:///x pub a.b text -H key:value",
            "mesh --url unix:///x pub a.b - --lines",
            "mesh --url unix:///x pub a.b -5 --count 10k --key k",
            "mesh --url unix:///x reply echo.it --echo --count 2",
            "mesh --url unix:///x reply echo.it text --group g",
            "mesh --url unix:///x request echo.it text --timeout 2s",
            "mesh --url unix:///x request echo.it --many --max 3",
            "mesh --url unix:///x bench pub a --size 128 --count 1000 --window 4 --json",
            "mesh --url unix:///x bench sub a --size 128 --count 1000 --window 4 --json",
            "mesh --url unix:///x bench request a --size 128 --count 1000 --window 4 --json",
            "mesh --url unix:///x bench reply a --size 128 --count 1000 --window 4 --json",
            "mesh --url unix:///x bench connections --count 1000",
            "mesh --url unix:///x bench subscriptions --count 1M",
            "mesh group ls --json",
            "mesh register create r",
            "mesh register append r -5",
            "mesh register append r --lines --json",
            "mesh register read r --from 7 --count 10 --local",
            "mesh explain MESH-1042",
            "mesh explain --list",
        ];
        for line in lines {
            if let Err(error) = Cli::try_parse_from(line.split(' ')) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn combinations_that_make_no_sense_are_refused() {
        let lines = [
            "mesh reply a",
            "mesh reply a body --echo",
            "mesh reply a --echo --command cat",
            "mesh request a --max 3",
            "mesh request a --many --stream",
            "mesh sub a --raw --json",
            "mesh sub a --count 0",
            "mesh bench request a --window 0",
            "mesh bench request a --window 65537",
            "mesh bench request a --csv --json",
            "mesh register read r --from 0",
            "mesh register read r --raw --json",
            "mesh explain",
            "mesh explain 1042 --list",
        ];
        for line in lines {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }
}
