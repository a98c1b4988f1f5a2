//! Answers to clients, as frames.

use bytes::Bytes;
use mesh_replica::refused::Refused;
use mesh_wire::{
    body,
    code::Code,
    durable::{DeclaredV1, PutOk},
    frame::{Kind, Parts},
};

/// The outcome of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Records are kept.
    Put(PutOk),
    /// There is something to put to.
    Declared(DeclaredV1),
    /// Records, as the body of a `FETCHED`.
    Fetched(Bytes),
    /// It is not done.
    Refused(Refusal),
}

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: Code,
    pub(super) cause: String,
}

impl Refusal {
    pub(super) fn new(code: Code, cause: impl Into<String>) -> Self {
        Self { code, cause: cause.into() }
    }

    /// With the words of the code itself.
    pub(super) fn of(code: Code) -> Self {
        Self::new(code, code.cause())
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let code = match refused {
            Refused::NoGroup | Refused::NotLeader { .. } | Refused::Quarantined => Code::NoLeader,
            Refused::Busy => Code::CommitQueueFull,
            Refused::TooLarge { .. } => Code::BatchTooLarge,
            Refused::DiskFull => Code::StorageFull,
            Refused::NoRecords => Code::LaneUndeclared,
            Refused::Damaged => Code::RecordsDamaged,
            Refused::Lost => Code::NoIntactCopy,
            Refused::Members => Code::PlacementOutdated,
            _ => Code::OutcomeUnknown,
        };
        Self::new(code, refused.to_string())
    }
}

impl Answer {
    /// The frame for a request of `kind` with this id, to be used by `take`.
    pub(super) fn frame<T>(&self, about: Kind, id: u64, take: impl FnOnce(&Parts<'_>) -> T) -> T {
        match self {
            Self::Put(put_ok) => take(&Parts::bare(Kind::PutOk, id).body(&put_ok.encode())),
            Self::Fetched(body) => take(&Parts::bare(Kind::Fetched, id).body(body)),
            Self::Declared(declared) => {
                // Three numbers are within every limit.
                let body = body::encode(declared).unwrap_or_default();
                take(&Parts::bare(Kind::Declared, id).body(&body))
            }
            Self::Refused(Refusal { code, cause }) => {
                let error = body::ErrorV1 { about: about as u8, cause: cause.clone(), retry_after_ms: 0 };
                let body = body::encode(&error).unwrap_or_default();
                take(&Parts::bare(Kind::Error, id).aux(code.number().into()).body(&body))
            }
        }
    }
}
