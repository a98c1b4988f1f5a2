//! Reading text and bytes as they are.

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::Unfit;

/// Gives a body as text, bytes or a sequence of bytes, as it is asked for.
pub(super) struct Plain<'a>(pub(super) &'a [u8]);

impl<'a> Plain<'a> {
    fn text(&self) -> Result<&'a str, Unfit> {
        std::str::from_utf8(self.0).map_err(|error| Unfit::Content(format!("the body is not text: {error}")))
    }

    fn bytes<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        let mut bytes = Bytes(self.0);
        let value = visitor.visit_seq(&mut bytes)?;
        match bytes.0.len() {
            0 => Ok(value),
            left => Err(Unfit::Content(format!("{left} bytes are left over"))),
        }
    }
}

impl<'de> Deserializer<'de> for Plain<'_> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Unfit> {
        Err(Unfit::Shape)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_str(self.text()?)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_bytes(self.0)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_bytes(self.0)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.bytes(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, Unfit> {
        self.bytes(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char option unit unit_struct newtype_struct
        tuple_struct map struct enum identifier ignored_any
    }
}

/// Gives bytes one by one.
struct Bytes<'a>(&'a [u8]);

impl<'de> SeqAccess<'de> for Bytes<'_> {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        let [byte, rest @ ..] = self.0 else { return Ok(None) };
        self.0 = rest;
        seed.deserialize(Byte(*byte)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.0.len())
    }
}

/// One byte, for who asks for just that: a body of text must not pass for a list of numbers.
struct Byte(u8);

impl<'de> Deserializer<'de> for Byte {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Unfit> {
        Err(Unfit::Shape)
    }

    fn deserialize_u8<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_u8(self.0)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
