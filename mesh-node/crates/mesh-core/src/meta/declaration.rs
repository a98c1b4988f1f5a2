//! What is declared under a name.

use mesh_wire::name::Name;

use super::{Fields, FormatError, GroupId, LaneId, fields::FieldsExt};

/// A register, a queue, a stream, … Any number can be carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(pub u8);

impl Kind {
    /// An append-only register.
    pub const REGISTER: Self = Self(0);
}

/// A name with what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// What it is.
    pub kind: Kind,
    /// Its name; names of different kinds have nothing to do with each other.
    pub name: Name,
    /// Its records; never those of another declaration, also not of a later one under the same name.
    pub lane: LaneId,
    /// The shard that has it.
    pub group: GroupId,
    /// Shard time when it was declared, in milliseconds.
    pub since_ms: u64,
    /// Its options, and what a later version says of it.
    pub rest: Fields,
}

impl Declaration {
    pub(super) fn to_fields(&self) -> Fields {
        Fields::new()
            .number(1, self.kind.0.into())
            .text(2, self.name.as_str())
            .number(3, self.lane.0)
            .number(4, self.group.0.into())
            .number(5, self.since_ms)
            .with_rest(&self.rest)
    }

    pub(super) fn from_fields(mut fields: Fields) -> Result<Self, FormatError> {
        Ok(Self {
            kind: take_kind(&mut fields, 1)?,
            name: fields.take_name(2)?,
            lane: LaneId(fields.take_number(3)?),
            group: GroupId(fields.take_u32(4)?),
            since_ms: fields.take_number(5)?,
            rest: fields,
        })
    }
}

pub(super) fn take_kind(fields: &mut Fields, tag: u32) -> Result<Kind, FormatError> {
    u8::try_from(fields.take_number(tag)?).map(Kind).map_err(|_| FormatError::Unfit { tag })
}
