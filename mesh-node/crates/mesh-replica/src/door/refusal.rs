//! Why a message is not let in.

use mesh_wire::code::Code;

use crate::{
    id::NodeNumber,
    manifest::ManifestError,
    pull::{GivenUp, Lie},
};

/// Why a message is not let in. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No replica of the group is here.
    #[error("no replica of the group is on this node")]
    NoGroup,
    /// The replica here is in quarantine.
    #[error("the replica of the group is in quarantine")]
    Quarantined,
    /// It is not from the node whose link it came on.
    #[error("a message from node {from} on the link of node {link}")]
    Sender {
        /// The sender that it names.
        from: NodeNumber,
        /// The node on the other side.
        link: NodeNumber,
    },
    /// It is for another node.
    #[error("a message to node {to}")]
    Receiver {
        /// The receiver that it names.
        to: NodeNumber,
    },
    /// An answer from a node that was not asked, or a candidate where nothing is known of the members yet.
    #[error("node {from} is not a member of the group")]
    NotMember {
        /// The sender.
        from: NodeNumber,
    },
    /// Nodes don't send such messages.
    #[error("message type {kind} is not one that nodes send")]
    Kind {
        /// Its number.
        kind: u8,
    },
    /// A term that there can't be.
    #[error("term {term} where {own} is known")]
    Term {
        /// Its term.
        term: u64,
        /// The replica's.
        own: u64,
    },
    /// Its time is over, and nobody waits for an answer.
    #[error("the message is of term {term}, {own} is known")]
    Stale {
        /// Its term.
        term: u64,
        /// The replica's.
        own: u64,
    },
    /// It contradicts itself, or what a replica may say.
    #[error("{what}")]
    Shape {
        /// What is wrong.
        what: &'static str,
    },
    /// Two nodes lead in one term.
    #[error("node {other} leads in term {term}, which node {known} leads")]
    TwoLeaders {
        /// The term.
        term: u64,
        /// Who is known to lead.
        known: NodeNumber,
        /// Who says so too.
        other: NodeNumber,
    },
    /// It contradicts an entry that is committed.
    #[error("entry {index} is committed with term {own}, not {theirs}")]
    Conflict {
        /// The index.
        index: u64,
        /// The term here.
        own: u64,
        /// The term there.
        theirs: u64,
    },
    /// An acknowledgement of what there is not.
    #[error("entry {index} is acknowledged, the last one is {last}")]
    AckBeyondLog {
        /// What is acknowledged.
        index: u64,
        /// The last index here.
        last: u64,
    },
    /// An acknowledgement by a replica that has lost its log since.
    #[error("entry {index} is acknowledged by a replica that has lost it since")]
    Forgotten {
        /// What is acknowledged.
        index: u64,
    },
    /// A snapshot that does not make good what a replica has lost.
    #[error("a snapshot for a replica in quarantine: {what}")]
    NoRemedy {
        /// What is wrong with it.
        what: &'static str,
    },
    /// A grant that was not asked for, or not yet.
    #[error("a vote that nobody asked for")]
    Unasked,
    /// The leader knows what this replica had, and it does not have it: it lost what it acknowledged.
    #[error("entry {commit} is committed here as far as the leader knows, the last one is {last}")]
    LostTail {
        /// What the leader knows to be here.
        commit: u64,
        /// The last index here.
        last: u64,
    },
    /// An entry that nobody here could apply.
    #[error("entry {index} can't be read")]
    Unreadable {
        /// Its index.
        index: u64,
    },
    /// A snapshot is not fetched any more: it lied, or is gone.
    #[error("a snapshot was given up: {0}")]
    GivenUp(#[from] GivenUp),
    /// Records were asked for that nobody offered.
    #[error("records that are not given: {0}")]
    Pull(#[from] Lie),
    /// A snapshot that can't be true.
    #[error("a snapshot that can't be: {0}")]
    Manifest(#[from] ManifestError),
}

impl Refusal {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::NoGroup => Code::GroupUnknown,
            Self::Quarantined | Self::NoRemedy { .. } => Code::GroupQuarantined,
            Self::Sender { .. } | Self::Receiver { .. } | Self::NotMember { .. } => Code::ReplicaSender,
            Self::Kind { .. } | Self::Term { .. } | Self::Shape { .. } | Self::Unasked => {
                Code::ReplicaMalformed
            }
            Self::Stale { .. } | Self::Forgotten { .. } => Code::ReplicaStale,
            Self::TwoLeaders { .. } => Code::TwoLeaders,
            Self::Conflict { .. } => Code::LogConflict,
            Self::AckBeyondLog { .. } => Code::AckBeyondLog,
            Self::LostTail { .. } => Code::LostTail,
            Self::Unreadable { .. } => Code::EntryUnreadable,
            Self::GivenUp(why) => why.code(),
            Self::Pull(lie) => lie.code(),
            Self::Manifest(error) => error.code(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same message can be let in later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }

    /// Whether the message proves that this replica lost what it had acknowledged: it must neither vote nor acknowledge
    /// any more, until it was taken out of the members and filled again.
    #[must_use]
    pub fn proves_loss(&self) -> bool {
        self.owed().is_some()
    }

    /// The last index that this replica is proven to have had, and has not any more.
    pub(crate) fn owed(&self) -> Option<u64> {
        if let Self::LostTail { commit, .. } = self { Some(*commit) } else { None }
    }
}
