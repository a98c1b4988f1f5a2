//! A message, as it came.

use bytes::Bytes;
use mesh_wire::header::{HeadersRef, Value};
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::payload::Encoding;
use crate::unfinished::unfinished;

/// A message or a reply, in the bytes in which it came: parts are found when they are asked for, the body is never
/// copied. A clone counts a reference.
///
/// It keeps the read buffer that it came in alive (up to 256 KiB); what is to be held for long is better copied, see
/// [`Message::detach`].
#[derive(Clone)]
pub struct Message {
    _frame: Bytes,
}

impl Message {
    /// The subject that it was published to; empty for a reply.
    #[must_use]
    pub fn subject(&self) -> &str {
        unfinished()
    }

    /// The headers, in their order.
    #[must_use]
    pub fn headers(&self) -> HeadersRef<'_> {
        unfinished()
    }

    /// The value of the first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<Value<'_>> {
        self.headers().get(name)
    }

    /// The body, sharing this message's memory.
    #[must_use]
    pub fn body(&self) -> Bytes {
        unfinished()
    }

    /// The body, borrowed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        unfinished()
    }

    /// The body as text.
    ///
    /// # Errors
    /// [`Code::DecodeFailed`](crate::Code::DecodeFailed) when it is not UTF-8.
    pub fn text(&self) -> Result<&str, Error> {
        unfinished()
    }

    /// How the body is encoded, as the sender marked it.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        unfinished()
    }

    /// The body as a value: postcard or JSON as it is marked; an unmarked body gives text and bytes as they are, and
    /// anything else from JSON where the feature `json` is on.
    ///
    /// # Errors
    /// [`Code::DecodeFailed`](crate::Code::DecodeFailed), or
    /// [`Code::EncodingUnsupported`](crate::Code::EncodingUnsupported).
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        unfinished()
    }

    /// The key that it was sent with.
    #[must_use]
    pub fn key(&self) -> Option<&[u8]> {
        unfinished()
    }

    /// The message id that it was sent with.
    #[must_use]
    pub fn message_id(&self) -> Option<&[u8]> {
        unfinished()
    }

    /// For a reply: the name of the client that gave it, where the node tells.
    #[must_use]
    pub fn member(&self) -> Option<&str> {
        unfinished()
    }

    /// A copy that keeps nothing else alive.
    #[must_use]
    pub fn detach(&self) -> Self {
        unfinished()
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").finish_non_exhaustive()
    }
}
