//! What can be wrong with a batch.

use crate::code::Code;
use crate::header::HeaderError;
use crate::limits;
use crate::subject::SubjectError;

/// Why a batch was refused, when it was built or when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// More bytes than a batch may have. When building: build, and push the record into the next batch.
    #[error("batch of {bytes} bytes exceeds {}", limits::BATCH_BYTES)]
    TooLarge {
        /// Bytes of the whole batch.
        bytes: usize,
    },
    /// More records than a batch may have. When building: build, and push the record into the next batch.
    #[error("more than {} records", limits::BATCH_RECORDS)]
    TooManyRecords,
    /// A record that no batch has room for.
    #[error("record of {bytes} bytes, with the header of its batch, exceeds {}", limits::BATCH_BYTES)]
    RecordTooLarge {
        /// Bytes of a batch of this record alone.
        bytes: usize,
    },
    /// A batch was built without a record.
    #[error("batch without records")]
    Empty,
    /// The bytes don't start as a batch does.
    #[error("not a record batch")]
    NotABatch,
    /// A form that this reader does not know.
    #[error("batch has version {version}, which is unknown here")]
    UnknownVersion {
        /// The version found.
        version: u8,
    },
    /// The length in the header is not that of the bytes.
    #[error("batch announces {announced} bytes and has {actual}")]
    WrongLength {
        /// Length in the header.
        announced: u32,
        /// Bytes there are.
        actual: usize,
    },
    /// The parts of the batch don't add up to its length.
    #[error("the parts of the batch do not add up to its length")]
    WrongParts,
    /// A field that is reserved, or a number that has no meaning.
    #[error("{field} has a value without a meaning")]
    ReservedValue {
        /// The field.
        field: &'static str,
    },
    /// The index does not match its checksum.
    #[error("the index of the batch does not match its checksum")]
    IndexDamaged,
    /// The payload as a whole does not match its checksum.
    #[error("the payload of the batch does not match its checksum")]
    PayloadDamaged,
    /// The entry of a record contradicts the rest of the batch.
    #[error("the entry of record {record} contradicts the batch")]
    WrongEntry {
        /// Position of the record.
        record: usize,
    },
    /// The payload of a record does not match its checksum.
    #[error("the payload of the record at offset {offset_delta} of the batch does not match its checksum")]
    RecordDamaged {
        /// Offset of the record from the first.
        offset_delta: u32,
    },
    /// A record's subject is malformed.
    #[error("subject of a record: {0}")]
    Subject(#[from] SubjectError),
    /// A record's headers, or those to filter by, are malformed.
    #[error("headers of a record: {0}")]
    Headers(#[from] HeaderError),
    /// A record's key is too long.
    #[error("key of {bytes} bytes exceeds {}", limits::KEY_BYTES)]
    KeyTooLong {
        /// Bytes of the key.
        bytes: usize,
    },
    /// A record's message id is empty or too long.
    #[error("message id of {bytes} bytes is not of 1 to {}", limits::MESSAGE_ID_BYTES)]
    MessageIdLength {
        /// Bytes of the message id.
        bytes: usize,
    },
    /// A record's priority is above the highest.
    #[error("priority {priority} exceeds {}", limits::PRIORITY_MAX)]
    Priority {
        /// The priority.
        priority: u8,
    },
    /// A record's delay is too long.
    #[error("delay of {ms} ms exceeds {}", limits::DELAY_MS_MAX)]
    Delay {
        /// The delay.
        ms: u64,
    },
    /// A record's time to live is too long.
    #[error("time to live of {ms} ms exceeds {}", limits::DELAY_MS_MAX)]
    TimeToLive {
        /// The time to live.
        ms: u64,
    },
    /// A record's attributes are cut off, repeated, of a wrong length, or too many.
    #[error("attributes of a record are malformed")]
    Attributes,
    /// A time, an offset or a sequence does not fit into its field.
    #[error("{field} does not fit")]
    OutOfRange {
        /// The field.
        field: &'static str,
    },
    /// Single records can't be read from this payload here.
    #[error("payload with encoding {encoding} and compression {compression} can't be taken apart here")]
    Opaque {
        /// Number of the encoding.
        encoding: u8,
        /// Number of the compression.
        compression: u8,
    },
}

impl BatchError {
    /// Whether the record fits into an empty batch: build what there is, and push it into the next one.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::TooLarge { .. } | Self::TooManyRecords)
    }

    /// The stable code of this error.
    pub fn code(&self) -> Code {
        match self {
            Self::TooLarge { .. } | Self::RecordTooLarge { .. } => Code::BatchTooLarge,
            Self::TooManyRecords => Code::TooManyRecords,
            Self::UnknownVersion { .. } => Code::BatchVersionUnsupported,
            Self::IndexDamaged => Code::BatchIndexCorrupt,
            Self::PayloadDamaged | Self::RecordDamaged { .. } => Code::RecordCorrupt,
            Self::Headers(error) => error.code(),
            Self::Subject(error) => error.code(),
            Self::KeyTooLong { .. } => Code::KeyTooLong,
            Self::MessageIdLength { bytes } if *bytes > limits::MESSAGE_ID_BYTES => Code::MessageIdTooLong,
            Self::Opaque { .. } => Code::BatchEncodingUnsupported,
            Self::MessageIdLength { .. }
            | Self::Priority { .. }
            | Self::Delay { .. }
            | Self::TimeToLive { .. }
            | Self::Attributes
            | Self::OutOfRange { .. } => Code::RecordInvalid,
            Self::Empty
            | Self::NotABatch
            | Self::WrongLength { .. }
            | Self::WrongParts
            | Self::ReservedValue { .. }
            | Self::WrongEntry { .. } => Code::BatchMalformed,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same call can succeed later: never, the bytes stay wrong.
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}
