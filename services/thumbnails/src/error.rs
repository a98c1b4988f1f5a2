//! Why no thumbnail came out.

use crate::options::{QUALITY_MAX, SIDE_MAX};

/// A refusal of the service. It travels as the number of [`Error::code`] and the text of the error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option of the request can't be used.
    #[error("option {option}: {reason}")]
    InvalidOption {
        /// The header that carried it.
        option: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The bytes are neither PNG nor JPEG.
    #[error("the body is neither a PNG nor a JPEG image")]
    UnknownFormat,
    /// The request body is larger than the service reads.
    #[error("the image has {bytes} bytes, more than {limit}")]
    TooLarge {
        /// Size of the body.
        bytes: usize,
        /// Largest size that is read.
        limit: usize,
    },
    /// The image says it unpacks to more pixels than the service holds in memory. Seen before anything is unpacked.
    #[error("the image has {width}x{height} pixels, more than {limit} together")]
    TooManyPixels {
        /// Width in the image's header.
        width: u32,
        /// Height in the image's header.
        height: u32,
        /// Most pixels that are unpacked.
        limit: u64,
    },
    /// The bytes begin as an image and can't be decoded to the end.
    #[error("the image can't be decoded: {reason}")]
    Corrupt {
        /// What the decoder stumbled over.
        reason: String,
    },
    /// The thumbnail would not fit into a reply.
    #[error("the thumbnail has {bytes} bytes, more than {limit}")]
    ResultTooLarge {
        /// Size of the thumbnail.
        bytes: usize,
        /// Largest reply.
        limit: usize,
    },
    /// The thumbnail could not be encoded.
    #[error("the thumbnail can't be encoded: {reason}")]
    Encode {
        /// What the encoder said.
        reason: String,
    },
    /// All workers are at work and enough callers wait already.
    #[error("all workers are busy and {waiting} callers wait")]
    Busy {
        /// Most callers that may wait.
        waiting: usize,
    },
}

impl Error {
    /// The number that goes with the reply. Stable, never reused.
    pub fn code(&self) -> u32 {
        match self {
            Self::InvalidOption { .. } => 101,
            Self::UnknownFormat => 102,
            Self::TooLarge { .. } => 103,
            Self::TooManyPixels { .. } => 104,
            Self::Corrupt { .. } => 105,
            Self::ResultTooLarge { .. } => 106,
            Self::Encode { .. } => 107,
            Self::Busy { .. } => 108,
        }
    }

    /// What the caller can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::InvalidOption { .. } => format!(
                "max-width and max-height are 1 to {SIDE_MAX}, quality is 1 to {QUALITY_MAX}, format is png or jpeg"
            ),
            Self::UnknownFormat => "send the bytes of a .png or .jpg file as they are".to_owned(),
            Self::TooLarge { .. } | Self::TooManyPixels { .. } => {
                "send a smaller image, or start the service with a higher limit".to_owned()
            }
            Self::Corrupt { .. } => "check that the whole file was sent".to_owned(),
            Self::ResultTooLarge { .. } => "ask for jpeg, a lower quality or a smaller box".to_owned(),
            Self::Encode { .. } => "try the other format".to_owned(),
            Self::Busy { .. } => "try again later, or start another member of the service".to_owned(),
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }
}
