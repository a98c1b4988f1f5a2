//! A message, as it came.

use bytes::{Buf, Bytes};
use mesh_telemetry::trace_context::TraceContext;
use mesh_wire::code::Code;
use mesh_wire::ext::{Ext, Tag};
use mesh_wire::frame::{Flags, HEADER_BYTES};
use mesh_wire::header::{Headers, HeadersRef, Value};
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::payload::{self, Encoding};

/// A message or a reply, in the bytes in which it came: parts are found when they are asked for, the body is never
/// copied. A clone counts a reference.
///
/// It keeps the read buffer that it came in alive (up to 256 KiB); what is to be held for long is better copied, see
/// [`Message::detach`].
#[derive(Clone)]
pub struct Message {
    /// One whole frame, whose lengths were checked when it came, and perhaps others behind it. Its body is a first part
    /// only where `whole` is there.
    frame: Bytes,
    /// The body, where it came in chunks.
    whole: Option<Box<Bytes>>,
}

impl Message {
    /// From a frame that was decoded once.
    #[inline]
    pub(crate) fn new(frame: Bytes) -> Self {
        debug_assert!(frame.len() >= HEADER_BYTES);
        Self { frame, whole: None }
    }

    /// From the opening frame and the body of a chunked message.
    pub(crate) fn chunked(frame: Bytes, body: Bytes) -> Self {
        Self { frame, whole: Some(Box::new(body)) }
    }

    /// The subject that it was published to; empty for a reply.
    #[must_use]
    pub fn subject(&self) -> &str {
        let start = HEADER_BYTES + self.ext_len();
        std::str::from_utf8(self.part(start, self.subject_len())).unwrap_or_default()
    }

    /// The headers, in their order.
    #[must_use]
    pub fn headers(&self) -> HeadersRef<'_> {
        HeadersRef::parse(self.header_bytes()).unwrap_or_default()
    }

    /// The value of the first header of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<Value<'_>> {
        self.headers().get(name)
    }

    /// The headers, sharing this message's memory.
    #[must_use]
    pub fn to_headers(&self) -> Headers {
        if self.headers_len() == 0 {
            return Headers::new();
        }
        Headers::parse(self.frame.slice_ref(self.header_bytes())).unwrap_or_default()
    }

    /// The body, sharing this message's memory.
    #[must_use]
    pub fn body(&self) -> Bytes {
        match &self.whole {
            Some(whole) => Bytes::clone(whole),
            None => self.frame.slice(self.body_start()..self.frame_len()),
        }
    }

    /// The body, borrowed.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.whole {
            Some(whole) => whole,
            None => self.frame.get(self.body_start()..self.frame_len()).unwrap_or_default(),
        }
    }

    /// The body as text.
    ///
    /// # Errors
    /// [`Code::DecodeFailed`] when it is not UTF-8.
    pub fn text(&self) -> Result<&str, Error> {
        std::str::from_utf8(self.as_bytes()).map_err(|error| {
            Error::new(Code::DecodeFailed, "the body is not text")
                .with_cause(error.to_string())
                .with_source(error)
        })
    }

    /// How the body is encoded, as the sender marked it.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        Encoding::from_byte(self.ext().encoding())
    }

    /// The body as a value: postcard or JSON as it is marked; an unmarked body gives text and bytes as they are, and
    /// anything else from JSON where the feature `json` is on.
    ///
    /// # Errors
    /// [`Code::DecodeFailed`], or [`Code::EncodingUnsupported`].
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        payload::decode(self.as_bytes(), self.encoding())
    }

    /// The key that it was sent with.
    #[must_use]
    pub fn key(&self) -> Option<&[u8]> {
        self.ext().get(Tag::KEY)
    }

    /// The message id that it was sent with.
    #[must_use]
    pub fn message_id(&self) -> Option<&[u8]> {
        self.ext().get(Tag::MESSAGE_ID)
    }

    /// For a reply: the name of the client that gave it, where the node tells.
    #[must_use]
    pub fn member(&self) -> Option<&str> {
        self.ext().get(Tag::MEMBER).and_then(|name| std::str::from_utf8(name).ok())
    }

    /// Who sent it, as the sender's node asserts; `None` where it does not tell.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        self.ext().get(Tag::IDENTITY).and_then(|name| std::str::from_utf8(name).ok())
    }

    /// Where the sender was in a trace: the W3C trace context of its headers.
    #[must_use]
    pub fn trace_context(&self) -> Option<TraceContext> {
        if self.headers_len() == 0 {
            return None;
        }
        let headers = self.headers();
        TraceContext::from_headers(|name| headers.get(name).and_then(|value| value.as_str()))
    }

    /// A copy that keeps nothing else alive.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self {
            frame: Bytes::copy_from_slice(&self.frame[..self.frame_len()]),
            whole: self.whole.as_ref().map(|whole| Box::new(Bytes::copy_from_slice(whole))),
        }
    }

    /// The first of several frames, back to back; the others by [`Message::advance`].
    pub(crate) fn first_of(frames: Bytes) -> Self {
        Self::new(frames)
    }

    /// Goes on to the next frame, without counting a reference. Whether there is one.
    #[inline]
    pub(crate) fn advance(&mut self) -> bool {
        self.frame.advance(self.frame_len());
        !self.frame.is_empty()
    }

    /// The frames from this one on.
    pub(crate) fn into_frames(self) -> Bytes {
        self.frame
    }

    #[inline]
    fn frame_len(&self) -> usize {
        let len = self.frame.first_chunk().map_or(0, |b| u32::from_le_bytes(*b) as usize);
        len.min(self.frame.len())
    }

    pub(crate) fn ext(&self) -> Ext<'_> {
        match self.ext_len() {
            0 => Ext::default(),
            len => Ext::parse(self.part(HEADER_BYTES, len)).unwrap_or_default(),
        }
    }

    pub(crate) fn kind_byte(&self) -> u8 {
        self.frame.get(4).copied().unwrap_or_default()
    }

    pub(crate) fn flags(&self) -> Flags {
        Flags::from_bits(self.frame.get(5).copied().unwrap_or_default())
    }

    pub(crate) fn aux(&self) -> u32 {
        self.frame.get(12..).and_then(|rest| rest.first_chunk()).map_or(0, |b| u32::from_le_bytes(*b))
    }

    pub(crate) fn id(&self) -> u64 {
        self.frame.get(16..).and_then(|rest| rest.first_chunk()).map_or(0, |b| u64::from_le_bytes(*b))
    }

    fn header_bytes(&self) -> &[u8] {
        self.part(HEADER_BYTES + self.ext_len() + self.subject_len(), self.headers_len())
    }

    fn body_start(&self) -> usize {
        HEADER_BYTES + self.ext_len() + self.subject_len() + self.headers_len()
    }

    fn subject_len(&self) -> usize {
        self.len_at(6)
    }

    fn headers_len(&self) -> usize {
        self.len_at(8)
    }

    fn ext_len(&self) -> usize {
        self.len_at(10)
    }

    #[inline]
    fn len_at(&self, at: usize) -> usize {
        self.frame.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |b| u16::from_le_bytes(*b).into())
    }

    fn part(&self, start: usize, len: usize) -> &[u8] {
        self.frame.get(start..start + len).unwrap_or_default()
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("subject", &self.subject())
            .field("headers", &self.headers())
            .field("body_bytes", &self.as_bytes().len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use mesh_wire::ext::ExtBuilder;
    use mesh_wire::frame::{Kind, Parts};
    use mesh_wire::header::HeadersBuilder;

    use super::*;

    fn message(parts: &Parts<'_>) -> Message {
        let mut frame = BytesMut::new();
        parts.encode(&mut frame).unwrap();
        Message::new(frame.freeze())
    }

    #[test]
    fn parts_are_found_where_they_are() {
        let headers = HeadersBuilder::new().with("tenant", "a").unwrap().with("n", 7u32).unwrap().build();
        let mut ext = ExtBuilder::new();
        ext.push(Tag::ENCODING, &[1]).unwrap().push(Tag::KEY, b"k").unwrap().push(Tag::MEMBER, b"m").unwrap();
        let message = message(&Parts {
            subject: b"a.b",
            headers: headers.as_bytes(),
            ext: ext.as_bytes(),
            flags: Flags::MORE,
            aux: 7,
            ..Parts::bare(Kind::Deliver, 1 << 40).body(b"body")
        });
        for message in [message.clone(), message.detach()] {
            assert_eq!(message.subject(), "a.b");
            assert_eq!(message.header("tenant"), Some(Value::Str("a")));
            assert_eq!(message.to_headers(), headers);
            assert_eq!(message.text().unwrap(), "body");
            assert_eq!(message.body(), "body");
            assert_eq!(message.encoding(), Encoding::Postcard);
            assert_eq!((message.key(), message.message_id()), (Some(&b"k"[..]), None));
            assert_eq!((message.member(), message.identity()), (Some("m"), None));
            assert_eq!((message.flags(), message.aux(), message.id()), (Flags::MORE, 7, 1 << 40));
            assert_eq!(message.kind_byte(), Kind::Deliver as u8);
        }
    }

    #[test]
    fn an_empty_message_has_empty_parts() {
        let message = message(&Parts::bare(Kind::Reply, 1));
        assert_eq!((message.subject(), message.as_bytes()), ("", &[][..]));
        assert!(message.headers().is_empty() && message.to_headers().is_empty());
        assert_eq!((message.encoding(), message.trace_context()), (Encoding::Raw, None));
    }

    #[test]
    fn frames_behind_a_message_are_not_its_own() {
        let mut frames = BytesMut::new();
        for body in ["one", "two"] {
            Parts::bare(Kind::Deliver, 1).body(body.as_bytes()).encode(&mut frames).unwrap();
        }
        let mut message = Message::first_of(frames.freeze());
        assert_eq!((message.text().unwrap(), message.body().len()), ("one", 3));
        assert_eq!(message.detach().into_frames().len(), HEADER_BYTES + 3);
        assert!(message.advance());
        assert_eq!(message.text().unwrap(), "two");
        assert!(!message.advance());
    }

    #[test]
    fn a_chunked_body_stands_for_the_first_part() {
        let opening = message(&Parts::bare(Kind::Deliver, 1).body(b"fir"));
        let message = Message::chunked(opening.frame, Bytes::from_static(b"first and rest"));
        assert_eq!((message.as_bytes(), message.body().len()), (&b"first and rest"[..], 14));
        assert_eq!(message.detach().text().unwrap(), "first and rest");
    }

    #[test]
    fn trace_context_comes_from_the_headers() {
        let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let headers = HeadersBuilder::new().with("traceparent", text).unwrap().build();
        let message = message(&Parts { headers: headers.as_bytes(), ..Parts::bare(Kind::Deliver, 1) });
        assert_eq!(message.trace_context().unwrap().to_string(), text);
    }

    #[test]
    fn text_that_is_none_is_an_error() {
        let message = message(&Parts::bare(Kind::Deliver, 1).body(&[0xff]));
        assert_eq!(message.text().unwrap_err().code(), Code::DecodeFailed);
    }
}
