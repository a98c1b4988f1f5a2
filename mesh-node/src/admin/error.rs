//! Why a question to the node is not answered.

use mesh_wire::code::Code;
use serde_json::{Value, json};

/// Why a question to the node is not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum Error {
    /// There is no such question.
    #[error("the node has no request {name:?}")]
    Unknown {
        /// What was asked, shortened.
        name: String,
    },
    /// The question's parameters can't be read.
    #[error("the parameters of {name} can't be read: {why}")]
    Invalid {
        /// What was asked.
        name: &'static str,
        /// What is wrong.
        why: String,
    },
    /// There is no such peer.
    #[error("the node has no peer {name:?}")]
    PeerUnknown {
        /// Its name, shortened.
        name: String,
    },
    /// Only operators may ask this.
    #[error("{name} is for root, the node's own user and the services in listen.operators")]
    Forbidden {
        /// What was asked.
        name: &'static str,
    },
    /// What was to be changed is not.
    #[error("{cause}")]
    Refused {
        /// Why.
        code: Code,
        /// Why, in words.
        cause: String,
    },
    /// The node has ended.
    #[error("the node has stopped")]
    Stopped,
    /// The node's threads did not answer in time.
    #[error("the node's threads did not answer within {seconds} s")]
    Late {
        /// How long that was.
        seconds: u64,
    },
    /// The node is not ready.
    #[error("the node is {state}")]
    NotReady {
        /// What it is instead.
        state: &'static str,
    },
    /// The request carries the name of a host that this node does not answer for.
    #[error("this server does not answer for the host {host:?}")]
    HostRefused {
        /// The host, shortened.
        host: String,
    },
}

impl Error {
    /// The stable code of this error.
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::Unknown { .. } => Code::NodeRequestUnknown,
            Self::Invalid { .. } => Code::NodeRequestInvalid,
            Self::PeerUnknown { .. } => Code::PeerUnknown,
            Self::Forbidden { .. } => Code::PermissionDenied,
            Self::Refused { code, .. } => *code,
            Self::Stopped => Code::NodeStopped,
            Self::Late { .. } => Code::RequestDeadline,
            Self::NotReady { .. } => Code::NodeUnhealthy,
            Self::HostRefused { .. } => Code::HttpHostRefused,
        }
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// The error as a JSON object: `code`, `title`, `cause`, `hint`.
    pub(crate) fn to_json(&self) -> Value {
        let code = self.code();
        json!({
            "code": code.to_string(),
            "title": code.title(),
            "cause": self.to_string(),
            "hint": self.hint(),
        })
    }
}

/// The beginning of something that somebody else wrote, for showing it.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}
