//! A message on its way out, before it is a frame.

use bytes::Bytes;
use mesh_wire::chunk;
use mesh_wire::code::Code;
use mesh_wire::ext::{ExtBuilder, Tag};
use mesh_wire::frame::{Kind, Parts};
use mesh_wire::header::{HeadersBuilder, Value};
use mesh_wire::limits;

use crate::error::Error;
use crate::payload::{Encoding, Payload};

/// Subject, body, and what few messages have: headers, key, id.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) subject: &'a str,
    payload: Result<Payload<'a>, Error>,
    extras: Option<Box<Extras>>,
}

#[derive(Debug, Default)]
struct Extras {
    headers: HeadersBuilder,
    ext: ExtBuilder,
    /// The first thing that was wrong; told when the message is to be sent.
    error: Option<Error>,
}

/// The extension entry of each encoding that values are sent in.
const POSTCARD_ENTRY: [u8; 3] = [Tag::ENCODING.0, 1, 1];
const JSON_ENTRY: [u8; 3] = [Tag::ENCODING.0, 1, 2];

impl<'a> Outgoing<'a> {
    #[inline]
    pub(crate) fn new(subject: &'a str, payload: Result<Payload<'a>, Error>) -> Self {
        Self { subject, payload, extras: None }
    }

    fn extras(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    pub(crate) fn header(&mut self, name: &str, value: Value<'_>) {
        let extras = self.extras();
        if let Err(error) = extras.headers.push(name, value) {
            extras.error.get_or_insert_with(|| {
                Error::new(error.code(), format!("the header {name:?} can't be sent"))
                    .with_cause(error.to_string())
            });
        }
    }

    /// Whether it has a header of this name.
    #[cfg_attr(not(feature = "otel"), expect(dead_code, reason = "only traces ask"))]
    pub(crate) fn has_header(&self, name: &str) -> bool {
        self.extras.as_ref().is_some_and(|extras| extras.headers.as_view().get(name).is_some())
    }

    pub(crate) fn key(&mut self, key: &[u8]) {
        self.entry(Tag::KEY, key, Code::KeyTooLong, limits::KEY_BYTES);
    }

    pub(crate) fn message_id(&mut self, id: &[u8]) {
        self.entry(Tag::MESSAGE_ID, id, Code::MessageIdTooLong, limits::MESSAGE_ID_BYTES);
    }

    pub(crate) fn number(&mut self, tag: Tag, number: u32) {
        self.entry(tag, &number.to_le_bytes(), Code::ExtMalformed, size_of::<u32>());
    }

    fn entry(&mut self, tag: Tag, value: &[u8], code: Code, max: usize) {
        let extras = self.extras();
        if value.len() > max {
            extras.error.get_or_insert_with(|| {
                Error::of(code).with_cause(format!("it has {} bytes, {max} are allowed", value.len()))
            });
        } else if let Err(error) = extras.ext.push(tag, value) {
            extras.error.get_or_insert_with(|| Error::of(error.code()).with_cause(error.to_string()));
        }
    }

    /// Whether it can be sent without [`Outgoing::prepare`].
    #[inline]
    pub(crate) fn is_plain(&self, body_bytes_max: u64) -> bool {
        let fits = |len| len <= limits::CHUNK_BYTES && len as u64 <= body_bytes_max;
        self.extras.is_none() && self.payload.as_ref().is_ok_and(|payload| fits(payload.as_bytes().len()))
    }

    /// Checks everything but the subject, once.
    pub(crate) fn prepare(&mut self, body_bytes_max: u64) -> Result<(), Error> {
        let (encoding, len) = match &self.payload {
            Ok(payload) => (payload.encoding(), payload.as_bytes().len()),
            Err(error) => return Err(error.clone()),
        };
        if len as u64 > body_bytes_max {
            let cause = format!("it has {len} bytes, the node takes {body_bytes_max}");
            return Err(Error::of(Code::BodyTooLarge).with_cause(cause));
        }
        if encoding != Encoding::Raw && (self.extras.is_some() || matches!(encoding, Encoding::Other(_))) {
            self.entry(Tag::ENCODING, &[encoding.to_byte()], Code::ExtMalformed, 1);
        }
        self.extras.as_ref().and_then(|extras| extras.error.clone()).map_or(Ok(()), Err)
    }

    /// The frame's parts; the body is left out when it needs chunks.
    #[inline]
    pub(crate) fn parts(&self, kind: Kind, id: u64) -> Parts<'_> {
        let (body, encoding) = match &self.payload {
            Ok(payload) => (payload.as_bytes(), payload.encoding()),
            Err(_) => (&[][..], Encoding::Raw),
        };
        let body = if chunk::needs_chunks(body.len()) { &[] } else { body };
        let mut parts = Parts { subject: self.subject.as_bytes(), ..Parts::bare(kind, id).body(body) };
        match &self.extras {
            Some(extras) => {
                parts.headers = extras.headers.as_view().as_bytes();
                parts.ext = extras.ext.as_bytes();
            }
            None => {
                parts.ext = match encoding {
                    Encoding::Postcard => &POSTCARD_ENTRY,
                    Encoding::Json => &JSON_ENTRY,
                    Encoding::Raw | Encoding::Other(_) => &[],
                };
            }
        }
        parts
    }

    /// The body, where it needs chunks.
    pub(crate) fn large_body(&self) -> Option<Bytes> {
        let payload = self.payload.as_ref().ok()?;
        chunk::needs_chunks(payload.as_bytes().len()).then(|| payload.to_shared())
    }
}

#[cfg(test)]
mod tests {
    use mesh_wire::ext::Ext;

    use super::*;
    use crate::payload::Encode;

    fn outgoing<'a>(body: impl Encode<'a>) -> Outgoing<'a> {
        Outgoing::new("a.b", body.encode())
    }

    #[test]
    fn a_plain_message_has_nothing_but_subject_and_body() {
        let message = outgoing("text");
        let parts = message.parts(Kind::Publish, 0);
        assert!(message.is_plain(u64::MAX));
        assert_eq!(
            (parts.subject, parts.body, parts.ext, parts.headers),
            (&b"a.b"[..], &b"text"[..], &[][..], &[][..])
        );
    }

    #[test]
    fn the_encoding_is_told_with_and_without_other_entries() {
        let values = [outgoing(&7u64), outgoing(Payload::encoded("7", Encoding::Json)), {
            let mut keyed = outgoing(&7u64);
            keyed.key(b"k");
            keyed
        }];
        for (mut message, byte) in values.into_iter().zip([1, 2, 1]) {
            message.prepare(u64::MAX).unwrap();
            assert_eq!(Ext::parse(message.parts(Kind::Publish, 0).ext).unwrap().encoding(), byte);
        }
        let mut newer = outgoing(Payload::encoded("7", Encoding::Other(9)));
        newer.prepare(u64::MAX).unwrap();
        assert_eq!(Ext::parse(newer.parts(Kind::Publish, 0).ext).unwrap().encoding(), 9);
    }

    #[test]
    fn limits_hold_at_one_more_and_one_less() {
        let judge = |build: &dyn Fn(&mut Outgoing<'_>)| {
            let mut message = outgoing("x");
            build(&mut message);
            message.prepare(1).map_err(|error| error.code())
        };
        let long = vec![b'k'; limits::KEY_BYTES + 1];
        assert_eq!(judge(&|m| m.key(&long[1..])), Ok(()));
        assert_eq!(judge(&|m| m.key(&long)), Err(Code::KeyTooLong));
        assert_eq!(judge(&|m| m.message_id(&long[1..])), Ok(()));
        assert_eq!(judge(&|m| m.message_id(&long)), Err(Code::MessageIdTooLong));
        let headers = |n| move |m: &mut Outgoing<'_>| (0..n).for_each(|_| m.header("a", "b".into()));
        assert_eq!(judge(&headers(limits::HEADERS)), Ok(()));
        assert_eq!(judge(&headers(limits::HEADERS + 1)), Err(Code::TooManyHeaders));
        assert_eq!(outgoing("xy").prepare(2).map_err(|e| e.code()), Ok(()));
        assert_eq!(outgoing("xyz").prepare(2).map_err(|e| e.code()), Err(Code::BodyTooLarge));
    }

    #[test]
    fn a_body_over_one_frame_stands_apart() {
        let at = vec![0u8; limits::CHUNK_BYTES];
        let over = vec![0u8; limits::CHUNK_BYTES + 1];
        assert!(outgoing(at.as_slice()).is_plain(u64::MAX) && outgoing(at.as_slice()).large_body().is_none());
        let message = outgoing(over.as_slice());
        assert!(!message.is_plain(u64::MAX) && message.parts(Kind::Publish, 0).body.is_empty());
        assert_eq!(message.large_body().map(|body| body.len()), Some(over.len()));
    }
}
