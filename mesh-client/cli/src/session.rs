//! What every command that talks to a node has: its options, its output, the signals, and the way to the node.

use mesh_client::{Client, ConnectionEvent, Error, Events, ReconnectPolicy};
use mesh_wire::code::Code;

use crate::cli::Global;
use crate::failure::{Described, Failure};
use crate::output::Output;
use crate::stop::Stop;
use crate::target::{Source, Target};

/// Whether a command outlives its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// It ends with it.
    Ends,
    /// It waits until the node is back.
    Waits,
}

/// The surroundings of a command.
pub(crate) struct Session<'a> {
    /// Options of every command.
    pub(crate) global: &'a Global,
    /// Where things are written.
    pub(crate) output: &'a mut Output,
    /// Tells of signals.
    pub(crate) stop: Stop,
}

impl Session<'_> {
    /// Connects to the node that is meant.
    pub(crate) async fn connect(&mut self, lost: Lost) -> Result<Client, Failure> {
        let target = Target::resolve(self.global)?;
        self.connect_to(&target, lost).await
    }

    /// Connects to this node.
    pub(crate) async fn connect_to(&mut self, target: &Target, lost: Lost) -> Result<Client, Failure> {
        let mut stop = self.stop.clone();
        stop.or(self.connect_quietly(target, lost)).await?
    }

    /// Connects to this node, whatever signals come.
    pub(crate) async fn connect_quietly(&self, target: &Target, lost: Lost) -> Result<Client, Failure> {
        let mut builder = Client::builder()
            .connect_timeout(self.global.timeout)
            .request_timeout(self.global.timeout)
            .reconnect(match lost {
                Lost::Ends => ReconnectPolicy::never(),
                Lost::Waits => ReconnectPolicy::DEFAULT,
            });
        for endpoint in present(target) {
            builder = builder.endpoint(endpoint);
        }
        builder = target.credentials.apply(builder);
        if let Some(token) = &target.token {
            builder = builder.token(token);
        }
        builder.connect().await.map_err(|error| explained(error, target))
    }
}

/// The addresses that are worth a try: of the usual sockets those that are there.
fn present(target: &Target) -> Vec<String> {
    let all = || target.endpoints.iter().map(ToString::to_string);
    if target.source != Source::Usual {
        return all().collect();
    }
    let there: Vec<String> = target
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.socket_path().is_none_or(std::path::Path::exists))
        .map(ToString::to_string)
        .collect();
    // With none there, the error of the first is the one to tell.
    if there.is_empty() { all().take(1).collect() } else { there }
}

fn explained(error: Error, target: &Target) -> Failure {
    if target.source != Source::Usual || error.code() != Code::ConnectNoSuchSocket {
        return error.into();
    }
    let places: Vec<String> = target.endpoints.iter().map(ToString::to_string).collect();
    Failure::new(error.code(), "no node was found on this machine")
        .cause(format!("there is no socket at {}", places.join(", ")))
        .hint("start one with mesh-node, or name one with --url, MESH_URL or mesh context use")
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(Described {
            code: error.code(),
            message: error.message().to_owned(),
            cause: Some(error.cause().to_owned()),
            hint: Some(error.hint().to_owned()),
        }))
    }
}

/// What a person should know of an event of the connection.
pub(crate) fn told(event: &ConnectionEvent) -> Option<String> {
    match event {
        ConnectionEvent::Connected { node } => Some(format!("connected to node {} again", node.node)),
        ConnectionEvent::Disconnected { reason } => Some(format!("the connection was lost: {reason}")),
        ConnectionEvent::Draining => Some("the node is leaving".to_owned()),
        ConnectionEvent::SlowConsumer { pattern, dropped, .. } => {
            Some(format!("{dropped} messages of {pattern} were dropped: this reader is too slow"))
        }
        ConnectionEvent::Error { error } => Some(error.to_string()),
        _ => None,
    }
}

/// What the node refused of the things that nobody waited for; to be asked after a flush.
pub(crate) fn refused(events: &mut Events) -> Option<Failure> {
    use futures_util::FutureExt as _;
    while let Some(Some(event)) = events.next().now_or_never() {
        if let ConnectionEvent::Error { error } = event {
            return Some(Failure::Error(Box::new(Described {
                code: error.code(),
                message: error.message().to_owned(),
                cause: Some(error.cause().to_owned()),
                hint: Some(error.hint().to_owned()),
            })));
        }
    }
    None
}
