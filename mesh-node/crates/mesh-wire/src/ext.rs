//! The extension area of a frame: tagged entries that a reader may skip.
//!
//! An entry is `tag u8 | len u8 | value`. Unknown tags are carried and ignored, so that a later version can say more
//! without breaking an older one. A tag appears at most once.

use bytes::{BufMut, BytesMut};

use crate::limits;

/// What an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag(pub u8);

impl Tag {
    /// Who the client is, as asserted by the node that it is linked to. Never accepted from a client.
    pub const IDENTITY: Self = Self(1);
    /// Where a routed request came from (node, link, request). Never accepted from a client.
    pub const ORIGIN: Self = Self(2);
    /// The group choice made at the origin node. Never accepted from a client.
    pub const GROUP: Self = Self(3);
    /// The frame opens a chunked message: series `u32`, total body length `u64`.
    pub const CHUNK: Self = Self(4);
    /// How the body is encoded, `u8`: 0 raw, 1 postcard, 2 JSON.
    pub const ENCODING: Self = Self(5);
    /// Message or group key, at most [`limits::KEY_BYTES`].
    pub const KEY: Self = Self(6);
    /// Replies that the requester has room for, `u32`.
    pub const REPLY_CREDIT: Self = Self(7);
    /// Most replies that a gather wants, `u32`.
    pub const MAX_REPLIES: Self = Self(8);
    /// Name of the client that replied. Never accepted from a client.
    pub const MEMBER: Self = Self(9);
    /// Explicit message id, at most [`limits::MESSAGE_ID_BYTES`].
    pub const MESSAGE_ID: Self = Self(10);
    /// Calls in flight at the replying link, `u32`. Never accepted from a client.
    pub const LOAD: Self = Self(11);
    /// What the records of a `PUT` are put to, `u64`: the lane of [`crate::durable::DeclaredV1`].
    pub const LANE: Self = Self(12);

    /// Whether only a node may set this tag.
    pub const fn is_node_only(self) -> bool {
        matches!(self, Self::IDENTITY | Self::ORIGIN | Self::GROUP | Self::MEMBER | Self::LOAD)
    }
}

/// Why an extension area can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtError {
    /// An entry reaches beyond the area.
    #[error("extension entry {tag} reaches beyond the extension area")]
    Truncated {
        /// The entry's tag (0 when even that is missing).
        tag: u8,
    },
    /// A tag appears twice.
    #[error("extension tag {tag} appears twice")]
    Repeated {
        /// The tag.
        tag: u8,
    },
    /// A known tag has a value of the wrong size.
    #[error("extension tag {tag} can't have a value of {len} bytes")]
    BadValue {
        /// The tag.
        tag: u8,
        /// The value's size, in bytes.
        len: usize,
    },
    /// A client set a tag that only nodes may set.
    #[error("extension tag {tag} is the node's to set")]
    NodeOnly {
        /// The tag.
        tag: u8,
    },
}

impl ExtError {
    /// The stable code of this error.
    pub fn code(&self) -> crate::code::Code {
        crate::code::Code::ExtMalformed
    }
}

/// A checked extension area, borrowed from a frame.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ext<'a>(&'a [u8]);

impl<'a> Ext<'a> {
    /// Checks the area once; afterwards entries are read without further checks.
    ///
    /// # Errors
    /// See [`ExtError`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ExtError> {
        let mut seen = [0u64; 4];
        let mut rest = bytes;
        while let [tag, tail @ ..] = rest {
            let [len, tail @ ..] = tail else { return Err(ExtError::Truncated { tag: *tag }) };
            let Some((value, tail)) = tail.split_at_checked(*len as usize) else {
                return Err(ExtError::Truncated { tag: *tag });
            };
            let (word, bit) = (*tag as usize / 64, 1u64 << (*tag % 64));
            if seen[word] & bit != 0 {
                return Err(ExtError::Repeated { tag: *tag });
            }
            seen[word] |= bit;
            if !fits(Tag(*tag), value.len()) {
                return Err(ExtError::BadValue { tag: *tag, len: value.len() });
            }
            rest = tail;
        }
        Ok(Self(bytes))
    }

    /// As [`Self::parse`], for a frame from a client: tags that only nodes may set are refused.
    ///
    /// # Errors
    /// See [`ExtError`].
    pub fn parse_from_client(bytes: &'a [u8]) -> Result<Self, ExtError> {
        let ext = Self::parse(bytes)?;
        match ext.iter().find(|(tag, _)| tag.is_node_only()) {
            Some((tag, _)) => Err(ExtError::NodeOnly { tag: tag.0 }),
            None => Ok(ext),
        }
    }

    /// The entries in their order.
    pub fn iter(&self) -> impl Iterator<Item = (Tag, &'a [u8])> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let [tag, len, tail @ ..] = rest else { return None };
            let (value, tail) = tail.split_at(*len as usize);
            rest = tail;
            Some((Tag(*tag), value))
        })
    }

    /// The value under `tag`.
    pub fn get(&self, tag: Tag) -> Option<&'a [u8]> {
        self.iter().find(|(t, _)| *t == tag).map(|(_, value)| value)
    }

    /// The value under `tag` as a number.
    pub fn get_u32(&self, tag: Tag) -> Option<u32> {
        self.get(tag)?.first_chunk().map(|b| u32::from_le_bytes(*b))
    }

    /// The value under [`Tag::ENCODING`]; raw when there is none.
    pub fn encoding(&self) -> u8 {
        self.get(Tag::ENCODING).and_then(|v| v.first().copied()).unwrap_or(0)
    }

    /// The value under [`Tag::CHUNK`]: series and total body length in bytes.
    pub fn chunk(&self) -> Option<(u32, u64)> {
        let value = self.get(Tag::CHUNK)?;
        let series = value.first_chunk().map(|b| u32::from_le_bytes(*b))?;
        let total = value.last_chunk().map(|b| u64::from_le_bytes(*b))?;
        Some((series, total))
    }

    /// The value under [`Tag::LANE`].
    pub fn lane(&self) -> Option<u64> {
        self.get(Tag::LANE)?.first_chunk().map(|b| u64::from_le_bytes(*b))
    }

    /// The encoded area.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

fn fits(tag: Tag, len: usize) -> bool {
    match tag {
        Tag::CHUNK => len == 12,
        Tag::LANE => len == 8,
        Tag::ENCODING => len == 1,
        Tag::REPLY_CREDIT | Tag::MAX_REPLIES | Tag::LOAD => len == 4,
        Tag::KEY => len <= limits::KEY_BYTES,
        Tag::MESSAGE_ID => len <= limits::MESSAGE_ID_BYTES,
        _ => true,
    }
}

/// Writes an extension area, entry by entry.
#[derive(Debug, Clone, Default)]
pub struct ExtBuilder(BytesMut);

impl ExtBuilder {
    /// An empty area; it allocates with its first entry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// [`ExtError::BadValue`] when the value does not fit the tag or the area is full.
    pub fn push(&mut self, tag: Tag, value: &[u8]) -> Result<&mut Self, ExtError> {
        let bad = ExtError::BadValue { tag: tag.0, len: value.len() };
        let len = u8::try_from(value.len()).map_err(|_| bad)?;
        if !fits(tag, value.len()) || self.0.len() + 2 + value.len() > limits::EXT_BYTES {
            return Err(bad);
        }
        if Ext(&self.0).get(tag).is_some() {
            return Err(ExtError::Repeated { tag: tag.0 });
        }
        self.0.put_u8(tag.0);
        self.0.put_u8(len);
        self.0.put_slice(value);
        Ok(self)
    }

    /// Adds a number.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn push_u32(&mut self, tag: Tag, value: u32) -> Result<&mut Self, ExtError> {
        self.push(tag, &value.to_le_bytes())
    }

    /// Adds [`Tag::CHUNK`].
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn push_chunk(&mut self, series: u32, total: u64) -> Result<&mut Self, ExtError> {
        let mut value = [0u8; 12];
        value[..4].copy_from_slice(&series.to_le_bytes());
        value[4..].copy_from_slice(&total.to_le_bytes());
        self.push(Tag::CHUNK, &value)
    }

    /// The encoded area.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_bytes_and_round_trip() {
        let mut b = ExtBuilder::new();
        b.push(Tag::ENCODING, &[1])
            .unwrap()
            .push_chunk(7, 1 << 33)
            .unwrap()
            .push(Tag(200), b"later")
            .unwrap();
        assert_eq!(
            b.as_bytes(),
            [5, 1, 1, 4, 12, 7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 200, 5, b'l', b'a', b't', b'e', b'r']
        );
        let ext = Ext::parse(b.as_bytes()).unwrap();
        assert_eq!(ext.encoding(), 1);
        assert_eq!(ext.chunk(), Some((7, 1 << 33)));
        assert_eq!(ext.get(Tag(200)), Some(&b"later"[..]));
        assert_eq!(ext.get(Tag::KEY), None);
    }

    #[test]
    fn what_is_cut_doubled_or_missized_is_refused() {
        assert_eq!(Ext::parse(&[5]).unwrap_err(), ExtError::Truncated { tag: 5 });
        assert_eq!(Ext::parse(&[5, 1]).unwrap_err(), ExtError::Truncated { tag: 5 });
        assert_eq!(Ext::parse(&[5, 1, 0, 5, 1, 0]).unwrap_err(), ExtError::Repeated { tag: 5 });
        assert_eq!(Ext::parse(&[5, 2, 0, 0]).unwrap_err(), ExtError::BadValue { tag: 5, len: 2 });
        assert_eq!(Ext::parse(&[255, 0, 191, 0]).map(|e| e.iter().count()), Ok(2));
    }

    #[test]
    fn keys_and_ids_hold_their_limits() {
        let long = [b'k'; limits::KEY_BYTES + 1];
        for tag in [Tag::KEY, Tag::MESSAGE_ID] {
            assert!(ExtBuilder::new().push(tag, &long[..limits::KEY_BYTES]).is_ok());
            assert_eq!(
                ExtBuilder::new().push(tag, &long).unwrap_err(),
                ExtError::BadValue { tag: tag.0, len: limits::KEY_BYTES + 1 }
            );
        }
    }

    #[test]
    fn the_area_is_bounded() {
        let mut b = ExtBuilder::new();
        for tag in 100..103 {
            b.push(Tag(tag), &[0; 255]).unwrap();
        }
        b.push(Tag(103), &[0; limits::EXT_BYTES - 3 * 257 - 2]).unwrap();
        assert_eq!(b.as_bytes().len(), limits::EXT_BYTES);
        assert!(b.push(Tag(104), &[]).is_err());
    }

    #[test]
    fn a_client_may_not_speak_for_a_node() {
        for tag in [Tag::IDENTITY, Tag::ORIGIN, Tag::GROUP, Tag::MEMBER] {
            let bytes = [tag.0, 1, b'x'];
            assert!(Ext::parse(&bytes).is_ok());
            assert_eq!(Ext::parse_from_client(&bytes).unwrap_err(), ExtError::NodeOnly { tag: tag.0 });
        }
        assert!(Ext::parse_from_client(&[6, 1, b'k']).is_ok());
    }
}
