//! The command line of `mesh-node`.

pub mod log;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::config::{Flag, Layers};

const EXAMPLES: &str = "\
Examples:
  mesh-node                                    a node for this user, with the defaults
  mesh-node --data ./data --socket ./m.sock    everything in this directory
  mesh-node --http off                         no admin HTTP server
  mesh-node --busy-poll 50us                   half the latency of a lone request, for CPU time
  mesh-node --listen 127.0.0.1:7400 --insecure-loopback
                                               clients on this machine, over QUIC and TLS too
  mesh-node --listen 0.0.0.0:7400 --certs DIR  clients on other machines; `mesh cert` fills DIR
  mesh-node --node a --cluster prod --certs DIR --peer-listen 0.0.0.0:7401 --advertise a.example:7401
            --discovery static:b.example:7401,c.example:7401 --bootstrap a,b,c
                                               one of the three nodes of a new cluster
  mesh-node --print-config > node.toml         a configuration file to start from
  mesh-node --config node.toml
  mesh-node health                             is the node up? exit status 0 when it is
  mesh-node drain --timeout 20s                stop it in good order

Every flag is also a key of the configuration file and an environment variable:
--threads 2, `threads = 2` and MESH_NODE_THREADS=2 say the same. The flag wins.";

/// One node of a Mesh: takes the connections of the services on this machine and carries messages between them.
///
/// Runs in the foreground until SIGTERM or SIGINT, then drains: finishes what was begun, delivers what is owed, closes.
#[derive(Debug, Parser)]
#[command(name = "mesh-node", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// How to run a node.
    #[command(flatten)]
    pub run: Run,
    /// What to do instead.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// How to run a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Run {
    /// Directory for everything that the node keeps on disk [default: ~/.local/share/mesh, for root /var/lib/mesh]
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// Unix socket for clients [default: $XDG_RUNTIME_DIR/mesh/mesh.sock, else /run/mesh/mesh.sock, else DIR/mesh.sock]
    #[arg(long, value_name = "PATH")]
    pub socket: Option<String>,
    /// Address of the admin HTTP server, or "off" [default: 127.0.0.1:7480]
    #[arg(long, value_name = "ADDR")]
    pub http: Option<String>,
    /// Address for clients on other machines: QUIC over UDP, TLS over TCP [default: off; usual port: 7400]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Take clients without certificate or token; only with a loopback address
    #[arg(long)]
    pub insecure_loopback: bool,
    /// Directory of certificates, as `mesh cert` fills it; new files count without a restart
    #[arg(long, value_name = "DIR")]
    pub certs: Option<String>,
    /// Take tokens (JWT) of clients instead of certificates; the file has their keys (JWKS)
    #[arg(long, value_name = "JWKS")]
    pub client_tokens: Option<String>,
    /// Address for the other nodes of the cluster, over UDP [default: off; usual port: 7401]
    #[arg(long, value_name = "ADDR")]
    pub peer_listen: Option<String>,
    /// Where the other nodes reach this one [default: what --peer-listen says]
    #[arg(long, value_name = "HOST:PORT")]
    pub advertise: Option<String>,
    /// How to find them: "standalone", or "static:HOST:PORT,HOST:PORT" [default: standalone]
    #[arg(long, value_name = "HOW")]
    pub discovery: Option<String>,
    /// The nodes that a new cluster begins with, this one among them; the same list on all of them
    #[arg(long, value_name = "ID,ID,…")]
    pub bootstrap: Option<String>,
    /// Configuration file, TOML [env: MESH_NODE_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print the effective configuration, each value with its source, and exit
    #[arg(long)]
    pub print_config: bool,
    /// How long to poll for more after the last activity before sleeping, such as 50us [default: off]
    #[arg(long, value_name = "TIME")]
    pub busy_poll: Option<String>,
    /// Number of data threads [default: 1]
    #[arg(long, value_name = "N")]
    pub threads: Option<String>,
    /// Name of this node, unique in its cluster [default: the host's name]
    #[arg(long, value_name = "ID")]
    pub node: Option<String>,
    /// Name of the cluster [default: mesh]
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// Where this node stands, as a rack or a zone of a data centre: copies go to different ones [default: nowhere]
    #[arg(long, value_name = "NAME")]
    pub zone: Option<String>,
    /// What to log: a level, or levels per module: info,mesh_node=debug [env: MESH_LOG] [default: info]
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
}

impl Run {
    /// The layers of configuration that this command line makes, with the environment of this process.
    #[must_use]
    pub fn into_layers(self) -> Layers {
        let flags = self.flags();
        Layers::of_process(self.config, flags)
    }

    fn flags(&self) -> Vec<Flag> {
        let insecure = self.insecure_loopback.then(|| "on".to_owned());
        let given = [
            ("data", "--data", &self.data),
            ("socket.path", "--socket", &self.socket),
            ("http.address", "--http", &self.http),
            ("listen.address", "--listen", &self.listen),
            ("listen.insecure_loopback", "--insecure-loopback", &insecure),
            ("certs.dir", "--certs", &self.certs),
            ("tokens.jwks", "--client-tokens", &self.client_tokens),
            ("peer.listen", "--peer-listen", &self.peer_listen),
            ("peer.advertise", "--advertise", &self.advertise),
            ("discovery", "--discovery", &self.discovery),
            ("storage.bootstrap", "--bootstrap", &self.bootstrap),
            ("busy_poll", "--busy-poll", &self.busy_poll),
            ("threads", "--threads", &self.threads),
            ("name", "--node", &self.node),
            ("cluster", "--cluster", &self.cluster),
            ("zone", "--zone", &self.zone),
            ("log.filter", "--log", &self.log),
        ];
        let set = given.into_iter().filter_map(|(key, flag, value)| Some((key, flag, value.clone()?)));
        set.map(|(key, flag, value)| Flag { key, flag, value }).collect()
    }
}

/// What to do instead of running a node.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Ask a running node whether it is ready; exit status 0 when it is
    Health(Ask),
    /// Tell a running node to stop in good order, and wait until it has
    Drain(Ask),
    /// Look into the data directory of a node that does not run, or repair it
    #[command(subcommand)]
    Log(log::Log),
}

/// Which node to ask, and how.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Ask {
    /// Socket of the node [default: where a node of this user listens]
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Print one JSON object instead of words
    #[arg(long)]
    pub json: bool,
    /// How long to wait for the answer, such as 500ms or 20s [default: 5s for health, 30s for drain]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub timeout: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::config::Config;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_command_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_flag_sets_the_key_that_names_it() {
        let line = "mesh-node --data /d --socket /s --http off --busy-poll 50us --threads 3 --node n --cluster c --zone z --log warn --listen 127.0.0.1:0 --insecure-loopback --certs /c --client-tokens /j --peer-listen \
                    127.0.0.1:1 --advertise a:2 --discovery static:b:3 --bootstrap n,b";
        let flags = parse(line).unwrap().run.flags();
        let config =
            Config::load(Layers { environment: Vec::new(), ..Layers::of_process(None, flags) }).unwrap();
        for entry in config.entries() {
            let source = entry.flag.map_or("default".to_owned(), |flag| format!("flag {flag}"));
            assert_eq!(entry.source.to_string(), source, "{}", entry.key);
        }
        assert_eq!(config.data, PathBuf::from("/d"));
        assert_eq!(config.socket.path, PathBuf::from("/s"));
        assert_eq!(config.http.address, None);
        assert_eq!(config.busy_poll, Duration::from_micros(50));
        assert_eq!((config.threads, config.name.as_str(), config.cluster.as_str()), (3, "n", "c"));
        assert_eq!(config.log.filter.as_str(), "warn");
        assert_eq!(config.listen.address, Some("127.0.0.1:0".parse().unwrap()));
        assert!(config.listen.insecure_loopback && config.certs.are_named() && config.tokens.jwks.is_some());
        assert_eq!(config.peer.listen, Some("127.0.0.1:1".parse().unwrap()));
        assert_eq!(config.peer.advertise.map(|a| a.to_string()), Some("a:2".to_owned()));
        assert_eq!(config.discovery.to_string(), "static:b:3");
        assert_eq!(config.storage.bootstrap.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["n", "b"]);
    }

    #[test]
    fn nothing_given_sets_nothing() {
        let run = parse("mesh-node").unwrap().run;
        assert_eq!(run, Run::default());
        assert!(run.flags().is_empty());
    }

    #[test]
    fn subcommands() {
        let Some(Command::Health(ask)) =
            parse("mesh-node health --socket /s --json --timeout 1s").unwrap().command
        else {
            panic!("not health")
        };
        assert_eq!(ask, Ask { socket: Some("/s".into()), json: true, timeout: Some(Duration::from_secs(1)) });
        let Some(Command::Drain(ask)) = parse("mesh-node drain").unwrap().command else {
            panic!("not drain")
        };
        assert_eq!(ask, Ask { socket: None, json: false, timeout: None });
    }

    #[test]
    fn lines_that_are_refused() {
        for line in [
            "mesh-node --treads 2",
            "mesh-node start",
            "mesh-node --threads",
            "mesh-node health --timeout soon",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
        assert!(parse("mesh-node --data /d health").is_err(), "flags of a run have no meaning for health");
    }

    #[test]
    fn the_help_teaches() {
        let help = Arguments::command().render_long_help().to_string();
        for words in ["Examples:", "mesh-node drain", "--print-config", "MESH_NODE_THREADS"] {
            assert!(help.contains(words), "{words}");
        }
    }
}
