//! What is known of a node.

use mesh_wire::name::Name;

use super::{Fields, FormatError, NodeNumber, Uuid, fields::FieldsExt};

/// A node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its number.
    pub number: NodeNumber,
    /// Its name. An older node that was wiped may have the same one until it is gone.
    pub name: Name,
    /// Its data directory, once it has told.
    pub directory: Option<Uuid>,
    /// When its process was started, in milliseconds since 1970: of two, the later one counts.
    pub incarnation: u64,
    /// What it does.
    pub role: Role,
    /// Where it is: nodes of one zone may fail together.
    pub zone: Option<Name>,
    /// The highest feature level that it can read.
    pub level: u32,
    /// Whether it stays.
    pub state: NodeState,
    /// The node of the same name whose place it takes.
    pub replaces: Option<NodeNumber>,
    /// What a later version says of it.
    pub rest: Fields,
}

/// What a node does. Any number can be carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Role(pub u64);

impl Role {
    /// It has replicas.
    pub const CORE: Self = Self(0);
    /// It has none.
    pub const EDGE: Self = Self(1);
}

/// Whether a node stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum NodeState {
    /// It takes replicas and leads.
    Active = 0,
    /// It keeps its replicas, takes no more, and is to lead none.
    Draining = 1,
    /// Its replicas go to others; then it is forgotten.
    Leaving = 2,
    /// It lost its directory, and another number has its name: it counts no more.
    Lost = 3,
}

impl Node {
    /// One that has told nothing yet.
    #[must_use]
    pub fn named(number: NodeNumber, name: Name, level: u32) -> Self {
        Self {
            number,
            name,
            directory: None,
            incarnation: 0,
            role: Role::CORE,
            zone: None,
            level,
            state: NodeState::Active,
            replaces: None,
            rest: Fields::new(),
        }
    }

    /// Whether it may be given replicas.
    #[must_use]
    pub fn takes_replicas(&self) -> bool {
        self.state == NodeState::Active && self.role == Role::CORE
    }

    /// Whether the replicas that it has are to stay.
    #[must_use]
    pub fn keeps_replicas(&self) -> bool {
        matches!(self.state, NodeState::Active | NodeState::Draining) && self.role == Role::CORE
    }

    pub(super) fn to_fields(&self) -> Fields {
        Fields::new()
            .number(1, self.number.0)
            .text(2, self.name.as_str())
            .uuid(3, self.directory)
            .number(4, self.incarnation)
            .number(5, self.role.0)
            .name(6, self.zone.as_ref())
            .number(7, self.level.into())
            .number(8, self.state as u64)
            .numbers(9, self.replaces.map(|number| number.0))
            .with_rest(&self.rest)
    }

    pub(super) fn from_fields(mut fields: Fields) -> Result<Self, FormatError> {
        Ok(Self {
            number: NodeNumber(fields.take_number(1)?),
            name: fields.take_name(2)?,
            directory: fields.find_uuid(3)?,
            incarnation: fields.take_number(4)?,
            role: Role(fields.take_number(5)?),
            zone: fields.find_name(6)?,
            level: fields.take_u32(7)?,
            state: match fields.take_number(8)? {
                0 => NodeState::Active,
                1 => NodeState::Draining,
                2 => NodeState::Leaving,
                3 => NodeState::Lost,
                _ => return Err(FormatError::Unfit { tag: 8 }),
            },
            replaces: fields.find_number(9)?.map(NodeNumber),
            rest: fields,
        })
    }
}
