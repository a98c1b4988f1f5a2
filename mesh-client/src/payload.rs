//! What can be a body.

mod plain;

use std::fmt;

use bytes::Bytes;
use mesh_wire::code::Code;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::message::Message;

/// How a body is encoded. It travels with the message, so that the receiver knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Encoding {
    /// Bytes or text, as they are; also a body that nobody marked.
    #[default]
    Raw,
    /// A value in postcard.
    Postcard,
    /// A value in JSON.
    Json,
    /// Something newer than this client.
    Other(u8),
}

impl Encoding {
    pub(crate) fn from_byte(byte: u8) -> Self {
        match byte {
            0 => Self::Raw,
            1 => Self::Postcard,
            2 => Self::Json,
            other => Self::Other(other),
        }
    }

    pub(crate) fn to_byte(self) -> u8 {
        match self {
            Self::Raw => 0,
            Self::Postcard => 1,
            Self::Json => 2,
            Self::Other(other) => other,
        }
    }
}

/// A body, ready to be sent.
#[derive(Debug, Clone)]
pub struct Payload<'a> {
    bytes: PayloadBytes<'a>,
    encoding: Encoding,
}

#[derive(Clone)]
enum PayloadBytes<'a> {
    Borrowed(&'a [u8]),
    Shared(Bytes),
}

impl fmt::Debug for PayloadBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = match self {
            Self::Borrowed(bytes) => bytes.len(),
            Self::Shared(bytes) => bytes.len(),
        };
        write!(f, "{len} bytes")
    }
}

impl<'a> Payload<'a> {
    /// Bytes, sent as they are.
    #[must_use]
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::encoded(bytes, Encoding::Raw)
    }

    /// Bytes that are encoded already.
    #[must_use]
    pub fn encoded(bytes: impl Into<Bytes>, encoding: Encoding) -> Self {
        Self { bytes: PayloadBytes::Shared(bytes.into()), encoding }
    }

    /// A value in postcard, or as it is when it is nothing but text or bytes.
    ///
    /// # Errors
    /// [`Code::EncodeFailed`] for a value that postcard can't hold.
    pub fn value<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        if let Some(bytes) = plain::encode(value) {
            return Ok(Self::raw(bytes));
        }
        let bytes = postcard::to_allocvec(value).map_err(|error| encode_failed::<T>(error))?;
        Ok(Self::encoded(bytes, Encoding::Postcard))
    }

    /// A value in JSON.
    ///
    /// # Errors
    /// [`Code::EncodeFailed`] for a value that JSON can't hold.
    #[cfg(feature = "json")]
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        let bytes = serde_json::to_vec(value).map_err(|error| encode_failed::<T>(error))?;
        Ok(Self::encoded(bytes, Encoding::Json))
    }

    /// A value for who sent a body in `encoding`: in the same where that can be, in JSON for what was not marked,
    /// because that is what people and scripts type.
    #[cfg(feature = "json")]
    pub(crate) fn answering<T: Serialize + ?Sized>(value: &T, encoding: Encoding) -> Result<Self, Error> {
        match encoding {
            Encoding::Json => Self::json(value),
            Encoding::Raw => {
                plain::encode(value).map_or_else(|| Self::json(value), |bytes| Ok(Self::raw(bytes)))
            }
            Encoding::Postcard | Encoding::Other(_) => Self::value(value),
        }
    }

    /// A value for who sent a body in `encoding`: without JSON there is one way only.
    #[cfg(not(feature = "json"))]
    pub(crate) fn answering<T: Serialize + ?Sized>(value: &T, _encoding: Encoding) -> Result<Self, Error> {
        Self::value(value)
    }

    /// The encoded body.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.bytes {
            PayloadBytes::Borrowed(bytes) => bytes,
            PayloadBytes::Shared(bytes) => bytes,
        }
    }

    /// How it is encoded.
    #[must_use]
    #[inline]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The encoded body, owned: shared where it can be, else copied.
    pub(crate) fn to_shared(&self) -> Bytes {
        match &self.bytes {
            PayloadBytes::Borrowed(bytes) => Bytes::copy_from_slice(bytes),
            PayloadBytes::Shared(bytes) => bytes.clone(),
        }
    }
}

/// What can be sent as a body: bytes and text as they are, and a reference to any `Serialize` value in postcard.
///
/// A reference to a value that is nothing but text or bytes (`&String`, `&Vec<u8>`, `b"…"`) is sent as it is, too.
pub trait Encode<'a> {
    /// Makes a body of it.
    ///
    /// # Errors
    /// [`Code::EncodeFailed`] for a value that can't be encoded.
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
        Ok(Payload::raw(self))
    }
}

impl<'a> Encode<'a> for Vec<u8> {
    fn encode(self) -> Result<Payload<'a>, Error> {
        Ok(Payload::raw(self))
    }
}

impl<'a> Encode<'a> for String {
    fn encode(self) -> Result<Payload<'a>, Error> {
        Ok(Payload::raw(self))
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
        Payload::value(self)
    }
}

/// A value that is sent, or expected, in JSON.
///
/// ```
/// # async fn example(mesh: mesh_client::Client) -> Result<(), mesh_client::Error> {
/// use mesh_client::Json;
/// mesh.publish("orders.created", Json([1, 2, 3])).await
/// # }
/// ```
#[cfg(feature = "json")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

#[cfg(feature = "json")]
impl<'a, T: Serialize> Encode<'a> for Json<T> {
    fn encode(self) -> Result<Payload<'a>, Error> {
        Payload::json(&self.0)
    }
}

/// Reads a body that is marked with `encoding`.
pub(crate) fn decode<T: DeserializeOwned>(body: &[u8], encoding: Encoding) -> Result<T, Error> {
    match encoding {
        Encoding::Postcard => match postcard::take_from_bytes(body) {
            Ok((value, [])) => Ok(value),
            Ok((_, rest)) => Err(decode_failed::<T>(format!("{} bytes are left over", rest.len()))),
            Err(error) => Err(decode_failed::<T>(error.to_string()).with_source(error)),
        },
        Encoding::Raw => match plain::decode(body) {
            Ok(value) => Ok(value),
            #[cfg(feature = "json")]
            Err(plain::Unfit::Shape) => from_json(body),
            Err(error) => Err(decode_failed::<T>(error.to_string()).with_source(error)),
        },
        #[cfg(feature = "json")]
        Encoding::Json => from_json(body),
        other => {
            Err(Error::of(Code::EncodingUnsupported).with_cause(format!("the body is marked as {other:?}")))
        }
    }
}

#[cfg(feature = "json")]
fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| decode_failed::<T>(error.to_string()).with_source(error))
}

fn encode_failed<T: ?Sized>(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    let name = std::any::type_name::<T>();
    Error::new(Code::EncodeFailed, format!("a {name} can't be encoded"))
        .with_cause(error.to_string())
        .with_source(error)
}

fn decode_failed<T>(cause: String) -> Error {
    let name = std::any::type_name::<T>();
    Error::new(Code::DecodeFailed, format!("the body can't be decoded as a {name}")).with_cause(cause)
}

#[cfg(test)]
mod tests;
