//! What can be a body.

use bytes::Bytes;
use serde::Serialize;

use crate::error::Error;
use crate::message::Message;
use crate::unfinished::unfinished;

/// How a body is encoded. It travels with the message, so that the receiver knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// Bytes or text, as they are.
    Raw,
    /// A value in postcard.
    Postcard,
    /// A value in JSON.
    Json,
    /// Something newer than this client.
    Other(u8),
}

/// A body, ready to be sent.
#[derive(Debug, Clone)]
pub struct Payload<'a> {
    pub(crate) bytes: PayloadBytes<'a>,
    pub(crate) encoding: Encoding,
}

#[derive(Debug, Clone)]
pub(crate) enum PayloadBytes<'a> {
    Borrowed(&'a [u8]),
    Shared(Bytes),
}

impl<'a> Payload<'a> {
    /// Bytes, sent as they are.
    #[must_use]
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: PayloadBytes::Shared(bytes.into()), encoding: Encoding::Raw }
    }

    /// Bytes that are encoded already.
    #[must_use]
    pub fn encoded(bytes: impl Into<Bytes>, encoding: Encoding) -> Self {
        Self { bytes: PayloadBytes::Shared(bytes.into()), encoding }
    }
}

/// What can be sent as a body: bytes and text as they are, and a reference to any `Serialize` value in postcard.
///
/// A reference to a value that is nothing but text or bytes (`&String`, `&Vec<u8>`, `b"…"`) is sent as it is, too.
pub trait Encode<'a> {
    /// Makes a body of it.
    ///
    /// # Errors
    /// [`Code::EncodeFailed`](crate::Code::EncodeFailed) for a value that can't be encoded.
    fn encode(self) -> Result<Payload<'a>, Error>;
}

impl<'a> Encode<'a> for &'a [u8] {
    #[inline]
    fn encode(self) -> Result<Payload<'a>, Error> {
        Ok(Payload { bytes: PayloadBytes::Borrowed(self), encoding: Encoding::Raw })
    }
}

impl<'a> Encode<'a> for &'a str {
    #[inline]
    fn encode(self) -> Result<Payload<'a>, Error> {
        self.as_bytes().encode()
    }
}

impl<'a> Encode<'a> for Bytes {
    #[inline]
    fn encode(self) -> Result<Payload<'a>, Error> {
        Ok(Payload { bytes: PayloadBytes::Shared(self), encoding: Encoding::Raw })
    }
}

impl<'a> Encode<'a> for Vec<u8> {
    fn encode(self) -> Result<Payload<'a>, Error> {
        Bytes::from(self).encode()
    }
}

impl<'a> Encode<'a> for String {
    fn encode(self) -> Result<Payload<'a>, Error> {
        Bytes::from(self).encode()
    }
}

impl<'a> Encode<'a> for Payload<'a> {
    fn encode(self) -> Result<Payload<'a>, Error> {
        Ok(self)
    }
}

/// The body of a message that came, with its encoding; headers are not taken along.
impl<'a> Encode<'a> for &Message {
    fn encode(self) -> Result<Payload<'a>, Error> {
        Ok(Payload::encoded(self.body(), self.encoding()))
    }
}

impl<'a, T: Serialize> Encode<'a> for &T {
    fn encode(self) -> Result<Payload<'a>, Error> {
        unfinished()
    }
}

/// A value that is sent, or expected, in JSON.
#[cfg(feature = "json")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

#[cfg(feature = "json")]
impl<'a, T: Serialize> Encode<'a> for Json<T> {
    fn encode(self) -> Result<Payload<'a>, Error> {
        unfinished()
    }
}
