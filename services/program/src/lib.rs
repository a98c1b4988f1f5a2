//! What the programs of the example services share: how they are told where the node is, how they say that they are
//! ready, when they end, and how they say what went wrong.
//!
//! ```text
//!  --url, MESH_URL ─► Node::client ─► connect ─► ready ─► … told_to_end … ─► drain ─► exit status
//! ```
//! Certificates for links over a network are no business of theirs: the client library takes them from `MESH_CERTS`,
//! `MESH_IDENTITY` and the like.

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Args;
use mesh_client::{Client, ClientBuilder};
use tokio::signal::unix::{SignalKind, signal};

/// Where the node is: `--url`, else `MESH_URL`, else the default places.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct Node {
    /// Where the node listens: unix:///run/mesh/mesh.sock, quic://host:7400, tls://host:7400; several with commas
    /// between them. Without it: the default places.
    #[arg(long, env = "MESH_URL", global = true, value_delimiter = ',')]
    url: Vec<String>,
}

impl Node {
    /// A client of this name that connects to it.
    pub fn client(&self, name: &str) -> ClientBuilder {
        let addresses = self.url.iter().map(|url| url.trim()).filter(|url| !url.is_empty());
        addresses.fold(Client::builder().name(name), ClientBuilder::endpoint)
    }
}

/// Sends logs to standard error.
pub fn log() {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
}

/// Says that requests, or messages, on `subject` are taken from now on: whoever started this process may wait for the
/// line.
///
/// # Errors
/// When standard output can't be written.
pub fn ready(subject: &str) -> io::Result<()> {
    writeln!(io::stdout(), "ready: {subject}")
}

/// Listens for SIGTERM and SIGINT from now on; the future is ready at the first.
///
/// # Errors
/// When the system refuses.
///
/// # Panics
/// Outside a Tokio runtime.
pub fn told_to_end() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Says on standard error what went wrong, and gives the exit status for it.
pub fn failed(error: &(dyn Error + 'static)) -> ExitCode {
    // Nobody is left to tell when standard error is gone, too.
    writeln!(io::stderr(), "{}", told(error)).ok();
    ExitCode::FAILURE
}

/// An error with a code in its three lines, and behind it what was being done; any other one with its causes.
fn told(error: &(dyn Error + 'static)) -> String {
    let chain = || std::iter::successors(Some(error), |error| (*error).source());
    if let Some(known) = error.downcast_ref::<mesh_client::Error>() {
        return format!("{known:#}");
    }
    match chain().find_map(|error| error.downcast_ref::<mesh_client::Error>()) {
        Some(known) => format!("{known:#}\n({error})"),
        None => format!("error: {}", chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;
    use clap::Parser;
    use mesh_client::Code;

    use super::*;

    #[derive(Debug, Parser)]
    struct Arguments {
        #[command(flatten)]
        node: Node,
    }

    #[test]
    fn addresses() {
        let read = |line: &[&str]| Arguments::try_parse_from(line).unwrap().node;
        let several = read(&["x", "--url", "quic://a, tls://b"]).client("x");
        let shown = format!("{several:?}");
        assert!(shown.contains(r#"["quic://a", "tls://b"]"#), "{shown}");
        let none = format!("{:?}", Node::default().client("x"));
        assert!(none.contains("endpoints: []"), "{none}");
    }

    #[tokio::test]
    async fn what_went_wrong() {
        let refused = || async { Client::builder().endpoint("nonsense").connect().await.map(drop) };
        let known = refused().await.unwrap_err();
        assert_eq!(known.code(), Code::EndpointInvalid);
        let plain = told(&known);
        assert!(plain.starts_with("error[MESH-5040]: ") && plain.contains("\nhint: "), "{plain}");
        let wrapped: anyhow::Error = refused().await.context("at the start").unwrap_err();
        assert_eq!(told(wrapped.as_ref()), format!("{plain}\n(at the start)"));
        let other = Err::<(), _>(io::Error::other("full")).context("the file").unwrap_err();
        assert_eq!(told(other.as_ref()), "error: the file: full");
    }
}
