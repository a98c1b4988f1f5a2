//! Names of spans and attributes, after the OpenTelemetry semantic conventions.
//!
//! Request and reply follow the RPC conventions, everything else the messaging ones. Both still change: what this
//! project emits is defined here and marked with [`SCHEMA_URL`].

/// Version of the conventions that these names are taken from.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.39.0";

/// Value of [`MESSAGING_SYSTEM`] and [`RPC_SYSTEM_NAME`].
pub const SYSTEM: &str = "mesh";

/// Which RPC system: always [`SYSTEM`].
pub const RPC_SYSTEM_NAME: &str = "rpc.system.name";
/// The subject that a request was sent to, or the pattern that serves it.
pub const RPC_METHOD: &str = "rpc.method";
/// The error code of a failed request, as text.
pub const RPC_RESPONSE_STATUS_CODE: &str = "rpc.response.status_code";

/// Which messaging system: always [`SYSTEM`].
pub const MESSAGING_SYSTEM: &str = "messaging.system";
/// What is done, as the API calls it: see [`Operation::name`].
pub const MESSAGING_OPERATION_NAME: &str = "messaging.operation.name";
/// What kind of thing is done: see [`Operation::kind`].
pub const MESSAGING_OPERATION_TYPE: &str = "messaging.operation.type";
/// The subject of a message.
pub const MESSAGING_DESTINATION_NAME: &str = "messaging.destination.name";
/// The pattern that a message was received by.
pub const MESSAGING_DESTINATION_TEMPLATE: &str = "messaging.destination.template";
/// The group that a message was received in.
pub const MESSAGING_CONSUMER_GROUP_NAME: &str = "messaging.consumer.group.name";
/// Number of messages in a batch.
pub const MESSAGING_BATCH_MESSAGE_COUNT: &str = "messaging.batch.message_count";
/// Size of a message's body in bytes.
pub const MESSAGING_MESSAGE_BODY_SIZE: &str = "messaging.message.body.size";
/// An explicit message id.
pub const MESSAGING_MESSAGE_ID: &str = "messaging.message.id";
/// Name of the connected client.
pub const MESSAGING_CLIENT_ID: &str = "messaging.client.id";

/// Why an operation failed: the error code, such as `MESH-1042`.
pub const ERROR_TYPE: &str = "error.type";
/// Name of the service that a process serves.
pub const SERVICE_NAME: &str = "service.name";
/// Name of the node.
pub const NODE_NAME: &str = "mesh.node.name";
/// Name of the cluster.
pub const CLUSTER_NAME: &str = "mesh.cluster.name";

/// An operation that gets a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// A message is published.
    Publish,
    /// A message is taken from a subscription.
    Receive,
    /// A message is worked on.
    Process,
    /// A delivered job is acknowledged, returned or rejected.
    Settle,
    /// A request is sent and its reply awaited.
    Request,
    /// A request is served.
    Serve,
}

impl Operation {
    /// The word for it: first in the span's name, and value of [`MESSAGING_OPERATION_NAME`].
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Receive => "receive",
            Self::Process => "process",
            Self::Settle => "settle",
            Self::Request => "request",
            Self::Serve => "serve",
        }
    }

    /// Value of [`MESSAGING_OPERATION_TYPE`]; `None` for what follows the RPC conventions.
    #[must_use]
    pub const fn kind(self) -> Option<&'static str> {
        match self {
            Self::Publish => Some("send"),
            Self::Receive => Some("receive"),
            Self::Process => Some("process"),
            Self::Settle => Some("settle"),
            Self::Request | Self::Serve => None,
        }
    }

    /// Value of `otel.kind`, which `tracing-opentelemetry` makes the span's kind of.
    #[must_use]
    pub const fn span_kind(self) -> &'static str {
        match self {
            Self::Publish => "producer",
            Self::Process => "consumer",
            Self::Receive | Self::Settle | Self::Request => "client",
            Self::Serve => "server",
        }
    }

    /// The span's name: `{operation} {destination}`. For a subscription the destination is its pattern, so that the
    /// number of names stays small.
    #[must_use]
    pub fn span_name(self, destination: &str) -> String {
        format!("{} {destination}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_follow_the_conventions() {
        let table = [
            (Operation::Publish, "publish a.b", Some("send"), "producer"),
            (Operation::Receive, "receive a.b", Some("receive"), "client"),
            (Operation::Process, "process a.b", Some("process"), "consumer"),
            (Operation::Settle, "settle a.b", Some("settle"), "client"),
            (Operation::Request, "request a.b", None, "client"),
            (Operation::Serve, "serve a.b", None, "server"),
        ];
        for (operation, name, kind, span_kind) in table {
            assert_eq!(operation.span_name("a.b"), name);
            assert_eq!((operation.kind(), operation.span_kind()), (kind, span_kind), "{name}");
        }
    }
}
