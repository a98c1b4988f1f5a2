//! What changes the state.

use std::collections::BTreeSet;

use bytes::Bytes;
use mesh_wire::name::Name;

use super::{
    Actual, Fields, FormatError, GroupId, Kind, NodeNumber, Role, Uuid, declaration::take_kind,
    fields::FieldsExt,
};

/// What changes the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// The first command, by the first leader. One that comes later changes nothing.
    Found(Found),
    /// A node tells of itself, at each start: of the number that its directory has.
    Report(Report),
    /// A directory asks for a number.
    Join(Join),
    /// A node is to lead nothing, or may again.
    Drain {
        /// The node.
        node: NodeNumber,
        /// Whether it drains from now on.
        on: bool,
    },
    /// A node's replicas are to go to others, and then it is to be forgotten.
    Leave {
        /// The node.
        node: NodeNumber,
    },
    /// A node that left or was lost has no replica any more.
    Forget {
        /// The node.
        node: NodeNumber,
    },
    /// How many replicas each group is to have from now on.
    SetReplicas {
        /// One of [`super::REPLICAS`].
        replicas: u32,
    },
    /// Who is to have a group: what the leader planned.
    Place(Wanted),
    /// Who has a group: what its leader saw.
    Settled(Settled),
    /// From now on this may be written.
    RaiseLevel {
        /// The level.
        level: u32,
    },
    /// A name is to stand for something.
    Declare {
        /// For what.
        kind: Kind,
        /// The name.
        name: Name,
        /// Its options.
        options: Fields,
    },
    /// A name stands for nothing any more.
    Undeclare {
        /// What it stood for.
        kind: Kind,
        /// The name.
        name: Name,
    },
}

/// How a cluster begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its UUID.
    pub cluster: Uuid,
    /// The names of nodes 1, 2, …
    pub nodes: Vec<Name>,
    /// Their directories, or none when they are not known yet.
    pub directories: Vec<Uuid>,
    /// How many replicas each group is to have.
    pub replicas: u32,
    /// The feature level to begin with.
    pub level: u32,
    /// The voters of each group, the meta group's first.
    pub groups: Vec<BTreeSet<NodeNumber>>,
}

/// What a node tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its number.
    pub number: NodeNumber,
    /// What any directory tells.
    pub about: Join,
}

/// What a directory tells of its node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Join {
    /// The node's name.
    pub name: Name,
    /// The directory.
    pub directory: Uuid,
    /// When the process was started, in milliseconds since 1970: of two, the later one counts.
    pub incarnation: u64,
    /// What the node does.
    pub role: Role,
    /// Where it is.
    pub zone: Option<Name>,
    /// The highest feature level that it can read.
    pub level: u32,
    /// What a later version says of it.
    pub rest: Fields,
}

/// Who is to have a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The group.
    pub group: GroupId,
    /// The version that this follows: another plan may have been first.
    pub version: u64,
    /// The voters.
    pub voters: BTreeSet<NodeNumber>,
}

/// Who has a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The group.
    pub group: GroupId,
    /// Its members.
    pub actual: Actual,
}

const KIND: u32 = 0;

impl Command {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let of = |kind: u64| Fields::new().number(KIND, kind);
        let fields = match self {
            Self::Found(found) => of(1)
                .uuid(1, Some(found.cluster))
                .records(2, found.nodes.iter().map(|name| Fields::new().text(1, name.as_str())))
                .number(3, found.replicas.into())
                .number(4, found.level.into())
                .records(5, found.groups.iter().map(|voters| Fields::new().set(1, voters)))
                .records(6, found.directories.iter().map(|uuid| Fields::new().uuid(1, Some(*uuid)))),
            Self::Report(report) => of(2).number(1, report.number.0).record(2, report.about.to_fields()),
            Self::Join(join) => of(3).record(2, join.to_fields()),
            Self::Drain { node, on } => of(4).number(1, node.0).number(2, u64::from(*on)),
            Self::Leave { node } => of(5).number(1, node.0),
            Self::Forget { node } => of(6).number(1, node.0),
            Self::SetReplicas { replicas } => of(7).number(1, (*replicas).into()),
            Self::Place(wanted) => {
                of(8).number(1, wanted.group.0.into()).number(2, wanted.version).set(3, &wanted.voters)
            }
            Self::Settled(settled) => {
                of(9).number(1, settled.group.0.into()).record(2, settled.actual.to_fields())
            }
            Self::RaiseLevel { level } => of(10).number(1, (*level).into()),
            Self::Declare { kind, name, options } => {
                of(11).number(1, kind.0.into()).text(2, name.as_str()).record(3, options.clone())
            }
            Self::Undeclare { kind, name } => of(12).number(1, kind.0.into()).text(2, name.as_str()),
        };
        fields.encode()
    }

    /// Reads it. Fields that are not known are passed over, but for those of nodes and options, which are kept.
    ///
    /// # Errors
    /// When it is no command, or one that this version doesn't know.
    pub fn decode(bytes: &Bytes) -> Result<Self, FormatError> {
        let mut fields = Fields::decode(bytes)?;
        let fields = &mut fields;
        Ok(match fields.take_number(KIND)? {
            1 => Self::Found(Found::from_fields(fields)?),
            2 => Self::Report(Report {
                number: NodeNumber(fields.take_number(1)?),
                about: Join::from_fields(fields.take_record(2)?)?,
            }),
            3 => Self::Join(Join::from_fields(fields.take_record(2)?)?),
            4 => Self::Drain { node: take_node(fields)?, on: fields.take_number(2)? != 0 },
            5 => Self::Leave { node: take_node(fields)? },
            6 => Self::Forget { node: take_node(fields)? },
            7 => Self::SetReplicas { replicas: fields.take_u32(1)? },
            8 => Self::Place(Wanted {
                group: GroupId(fields.take_u32(1)?),
                version: fields.take_number(2)?,
                voters: fields.take_set(3)?,
            }),
            9 => Self::Settled(Settled {
                group: GroupId(fields.take_u32(1)?),
                actual: Actual::from_fields(fields.take_record(2)?)?,
            }),
            10 => Self::RaiseLevel { level: fields.take_u32(1)? },
            11 => Self::Declare {
                kind: take_kind(fields, 1)?,
                name: fields.take_name(2)?,
                options: fields.take_record(3)?,
            },
            12 => Self::Undeclare { kind: take_kind(fields, 1)?, name: fields.take_name(2)? },
            _ => return Err(FormatError::Unfit { tag: KIND }),
        })
    }
}

impl Found {
    fn from_fields(fields: &mut Fields) -> Result<Self, FormatError> {
        Ok(Self {
            cluster: fields.take_uuid(1)?,
            nodes: fields
                .take_records(2)?
                .iter_mut()
                .map(|node| node.take_name(1))
                .collect::<Result<_, _>>()?,
            directories: fields
                .take_records(6)?
                .iter_mut()
                .map(|directory| directory.take_uuid(1))
                .collect::<Result<_, _>>()?,
            replicas: fields.take_u32(3)?,
            level: fields.take_u32(4)?,
            groups: fields
                .take_records(5)?
                .iter_mut()
                .map(|group| group.take_set(1))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Join {
    fn to_fields(&self) -> Fields {
        // The tags of a node.
        Fields::new()
            .text(2, self.name.as_str())
            .uuid(3, Some(self.directory))
            .number(4, self.incarnation)
            .number(5, self.role.0)
            .name(6, self.zone.as_ref())
            .number(7, self.level.into())
            .with_rest(&self.rest)
    }

    fn from_fields(mut fields: Fields) -> Result<Self, FormatError> {
        Ok(Self {
            name: fields.take_name(2)?,
            directory: fields.take_uuid(3)?,
            incarnation: fields.take_number(4)?,
            role: Role(fields.take_number(5)?),
            zone: fields.find_name(6)?,
            level: fields.take_u32(7)?,
            rest: fields,
        })
    }
}

fn take_node(fields: &mut Fields) -> Result<NodeNumber, FormatError> {
    fields.take_number(1).map(NodeNumber)
}
