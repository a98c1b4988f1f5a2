//! The image formats that are read and written.

use std::fmt;
use std::str::FromStr;

/// An image format of the service, in and out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Lossless, keeps transparency.
    Png,
    /// Lossy, smaller; transparency is laid onto white.
    Jpeg,
}

impl Format {
    /// The name that options and replies use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpeg",
        }
    }

    /// The media type of the bytes.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no format that the service knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is neither \"png\" nor \"jpeg\"")]
pub struct UnknownFormat;

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "png" => Ok(Self::Png),
            "jpeg" | "jpg" => Ok(Self::Jpeg),
            _ => Err(UnknownFormat),
        }
    }
}
