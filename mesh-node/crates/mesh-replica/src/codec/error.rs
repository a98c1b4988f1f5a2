//! Why bytes are not messages, or messages can't be bytes.

use mesh_wire::{code::Code, frame::Kind};

/// Each of these ends the link whose bytes were read: what comes behind can't be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The frame is of another plane.
    #[error("{0:?} is no frame of the durable plane between nodes")]
    Kind(Kind),
    /// The bytes are not a frame.
    #[error("no frame: {0}")]
    Frame(#[from] mesh_wire::frame::FrameError),
    /// The body ends in the middle of something, or a length in it is wrong.
    #[error("the body of a {kind:?} is cut off or has a wrong length in it")]
    Length {
        /// What it is.
        kind: Kind,
    },
    /// A byte that has few meanings has another one.
    #[error("{what} {value} of a {kind:?} is not known")]
    Unknown {
        /// What it is.
        kind: Kind,
        /// Which byte.
        what: &'static str,
        /// Its value.
        value: u64,
    },
    /// It is larger than it may be.
    #[error("{what} of {size} bytes, more than {max}")]
    TooLarge {
        /// What.
        what: &'static str,
        /// Its size.
        size: u64,
        /// The most that there may be.
        max: usize,
    },
    /// There can't be such a part of a body.
    #[error("a part of a {kind:?}: {len} bytes at {offset} of {total}")]
    Part {
        /// What it is.
        kind: Kind,
        /// Where it says that it begins.
        offset: u64,
        /// Its bytes.
        len: u64,
        /// How long it says that the whole is.
        total: u64,
    },
    /// The checksum is not that of the bytes.
    #[error("the payload of {what} {number} does not have its checksum")]
    Checksum {
        /// Of what.
        what: &'static str,
        /// Its index or number.
        number: u64,
    },
    /// A manifest can't be read.
    #[error("manifest: {0}")]
    Manifest(#[from] crate::manifest::ManifestError),
    /// Who a node is can't be read.
    #[error("{kind:?}: {why}")]
    Tagged {
        /// What it is.
        kind: Kind,
        /// What is wrong.
        why: mesh_core::tagged::Error,
    },
}

impl CodecError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Frame(error) => error.code(),
            Self::TooLarge { .. } => Code::PeerFrameTooLarge,
            Self::Checksum { .. } => Code::PayloadDamaged,
            Self::Manifest(error) => error.code(),
            Self::Kind(_)
            | Self::Length { .. }
            | Self::Unknown { .. }
            | Self::Part { .. }
            | Self::Tagged { .. } => Code::PeerFrameMalformed,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same bytes can be right later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}
