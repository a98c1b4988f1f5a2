//! Writing text and bytes as they are.

use serde::ser::{Impossible, Serialize, SerializeSeq, SerializeTuple, Serializer};

use super::Unfit;

/// Takes a value that is text or bytes, or, for an element of a sequence, one that is a byte.
pub(super) struct Plain<'a> {
    out: &'a mut Vec<u8>,
    element: bool,
}

impl<'a> Plain<'a> {
    /// Appends to `out`; what an unfit value appended before it showed is left there.
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, element: false }
    }

    fn whole(self, bytes: &[u8]) -> Result<(), Unfit> {
        if self.element {
            return Err(Unfit::Shape);
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn sequence(self, len: usize) -> Result<Each<'a>, Unfit> {
        if self.element {
            return Err(Unfit::Shape);
        }
        self.out.reserve(len);
        Ok(Each(self.out))
    }
}

/// Takes bytes one by one.
pub(super) struct Each<'a>(&'a mut Vec<u8>);

impl<'a> Serializer for Plain<'a> {
    type Ok = ();
    type Error = Unfit;
    type SerializeSeq = Each<'a>;
    type SerializeTuple = Each<'a>;
    type SerializeTupleStruct = Impossible<(), Unfit>;
    type SerializeTupleVariant = Impossible<(), Unfit>;
    type SerializeMap = Impossible<(), Unfit>;
    type SerializeStruct = Impossible<(), Unfit>;
    type SerializeStructVariant = Impossible<(), Unfit>;

    fn serialize_str(self, text: &str) -> Result<(), Unfit> {
        self.whole(text.as_bytes())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Unfit> {
        self.whole(bytes)
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Each<'a>, Unfit> {
        self.sequence(len.unwrap_or(0))
    }

    fn serialize_tuple(self, len: usize) -> Result<Each<'a>, Unfit> {
        self.sequence(len)
    }

    fn serialize_bool(self, _: bool) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_i8(self, _: i8) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_i16(self, _: i16) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_i32(self, _: i32) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_i64(self, _: i64) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_u8(self, byte: u8) -> Result<(), Unfit> {
        if !self.element {
            return Err(Unfit::Shape);
        }
        self.out.push(byte);
        Ok(())
    }
    fn serialize_u16(self, _: u16) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_u32(self, _: u32) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_u64(self, _: u64) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_f32(self, _: f32) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_f64(self, _: f64) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_char(self, _: char) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_none(self) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_unit(self) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, _: &T) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Unfit> {
        Err(Unfit::Shape)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unfit> {
        Err(Unfit::Shape)
    }
}

impl SerializeSeq for Each<'_> {
    type Ok = ();
    type Error = Unfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        value.serialize(Plain { out: self.0, element: true })
    }

    fn end(self) -> Result<(), Unfit> {
        Ok(())
    }
}

impl SerializeTuple for Each<'_> {
    type Ok = ();
    type Error = Unfit;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<(), Unfit> {
        Ok(())
    }
}
