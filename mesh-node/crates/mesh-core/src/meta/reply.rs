//! What a command came to.

use bytes::Bytes;
use mesh_wire::code::Code;

use super::{Fields, FormatError, GroupId, LaneId, NodeNumber, Refusal, Uuid, fields::FieldsExt};

/// What a command came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It is done, or was so already.
    Done,
    /// The directory's number.
    Joined {
        /// It.
        number: NodeNumber,
        /// The cluster.
        cluster: Uuid,
    },
    /// What the name stands for.
    Declared {
        /// The records.
        lane: LaneId,
        /// The shard.
        group: GroupId,
        /// Whether it did not before.
        new: bool,
    },
    /// Nothing has changed.
    Refused {
        /// The number of the code, see [`Reply::code`].
        code: u16,
        /// Why, in words.
        cause: Box<str>,
    },
}

impl Reply {
    /// The code of a refusal; a general one when this version doesn't know it.
    #[must_use]
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Refused { code, .. } => {
                Some(Code::from_number((*code).into()).unwrap_or(Code::MetaCommandInvalid))
            }
            _ => None,
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let of = |kind: u64| Fields::new().number(0, kind);
        let fields = match self {
            Self::Done => of(0),
            Self::Joined { number, cluster } => of(1).number(1, number.0).uuid(2, Some(*cluster)),
            Self::Declared { lane, group, new } => {
                of(2).number(1, lane.0).number(2, group.0.into()).number(3, u64::from(*new))
            }
            Self::Refused { code, cause } => of(3).number(1, (*code).into()).text(2, cause.clone()),
        };
        fields.encode()
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it is no reply, or one that this version doesn't know.
    pub fn decode(bytes: &Bytes) -> Result<Self, FormatError> {
        let mut fields = Fields::decode(bytes)?;
        Ok(match fields.take_number(0)? {
            0 => Self::Done,
            1 => Self::Joined { number: NodeNumber(fields.take_number(1)?), cluster: fields.take_uuid(2)? },
            2 => Self::Declared {
                lane: LaneId(fields.take_number(1)?),
                group: GroupId(fields.take_u32(2)?),
                new: fields.take_number(3)? != 0,
            },
            3 => Self::Refused {
                code: u16::try_from(fields.take_number(1)?).map_err(|_| FormatError::Unfit { tag: 1 })?,
                cause: fields.take_text(2)?,
            },
            _ => return Err(FormatError::Unfit { tag: 0 }),
        })
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { code: refusal.code().number(), cause: refusal.to_string().into() }
    }
}
