//! Fields of the kinds that meta has.

use std::collections::BTreeSet;

use bytes::Bytes;
use mesh_wire::name::Name;

use super::{Fields, FormatError, NodeNumber, Uuid};

pub(super) trait FieldsExt: Sized {
    fn uuid(self, tag: u32, uuid: Option<Uuid>) -> Self;
    fn name(self, tag: u32, name: Option<&Name>) -> Self;
    fn set(self, tag: u32, nodes: &BTreeSet<NodeNumber>) -> Self;
    fn take_u32(&mut self, tag: u32) -> Result<u32, FormatError>;
    fn take_name(&mut self, tag: u32) -> Result<Name, FormatError>;
    fn find_name(&mut self, tag: u32) -> Result<Option<Name>, FormatError>;
    fn find_uuid(&mut self, tag: u32) -> Result<Option<Uuid>, FormatError>;
    fn take_uuid(&mut self, tag: u32) -> Result<Uuid, FormatError>;
    fn take_set(&mut self, tag: u32) -> Result<BTreeSet<NodeNumber>, FormatError>;
}

impl FieldsExt for Fields {
    fn uuid(self, tag: u32, uuid: Option<Uuid>) -> Self {
        match uuid {
            Some(uuid) => self.bytes(tag, Bytes::copy_from_slice(&uuid.0)),
            None => self,
        }
    }

    fn name(self, tag: u32, name: Option<&Name>) -> Self {
        match name {
            Some(name) => self.text(tag, name.as_str()),
            None => self,
        }
    }

    fn set(self, tag: u32, nodes: &BTreeSet<NodeNumber>) -> Self {
        self.numbers(tag, nodes.iter().map(|node| node.0))
    }

    fn take_u32(&mut self, tag: u32) -> Result<u32, FormatError> {
        u32::try_from(self.take_number(tag)?).map_err(|_| FormatError::Unfit { tag })
    }

    fn take_name(&mut self, tag: u32) -> Result<Name, FormatError> {
        self.find_name(tag)?.ok_or(FormatError::Missing { tag })
    }

    fn find_name(&mut self, tag: u32) -> Result<Option<Name>, FormatError> {
        let text = self.find_text(tag)?;
        text.map(Name::new).transpose().map_err(|_| FormatError::Unfit { tag })
    }

    fn find_uuid(&mut self, tag: u32) -> Result<Option<Uuid>, FormatError> {
        let Some(bytes) = self.find_bytes(tag)? else { return Ok(None) };
        let bytes = bytes[..].try_into().map_err(|_| FormatError::Unfit { tag })?;
        Ok(Some(Uuid(bytes)))
    }

    fn take_uuid(&mut self, tag: u32) -> Result<Uuid, FormatError> {
        self.find_uuid(tag)?.ok_or(FormatError::Missing { tag })
    }

    fn take_set(&mut self, tag: u32) -> Result<BTreeSet<NodeNumber>, FormatError> {
        let numbers = self.take_numbers(tag)?;
        let rising = numbers.is_sorted_by(|one, next| one < next);
        if rising {
            Ok(numbers.into_iter().map(NodeNumber).collect())
        } else {
            Err(FormatError::Unfit { tag })
        }
    }
}
