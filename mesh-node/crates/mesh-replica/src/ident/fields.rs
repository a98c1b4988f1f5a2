//! What IDENT and JOIN carry: tagged fields, so that later versions can add some.

use bytes::Bytes;
use mesh_core::tagged::{Error, Fields};
use mesh_log::directory::{Founders, Uuid};

use crate::id::NodeNumber;

/// Who a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ident {
    /// Its cluster, once it knows it.
    pub cluster: Option<Uuid>,
    /// Its data directory.
    pub directory: Uuid,
    /// Its number, once it has one.
    pub number: Option<NodeNumber>,
    /// The highest feature level that it can read.
    pub level: u32,
    /// The feature level that its cluster has, as far as it knows: it refuses nodes that can't read it.
    pub cluster_level: u32,
    /// Whose directories found the cluster, as one of the founders has written it down.
    pub founders: Option<Founders>,
}

/// A node without a number, and the answer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Join {
    /// It wants one. What it tells of itself is for the meta group.
    Ask {
        /// As the meta group reads it.
        about: Bytes,
    },
    /// It has one.
    Given {
        /// The cluster.
        cluster: Uuid,
        /// The number.
        number: NodeNumber,
    },
    /// It gets none, or not yet.
    Refused {
        /// The number of the code that says why.
        code: u32,
    },
}

const CLUSTER: u32 = 1;
const DIRECTORY: u32 = 2;
const NUMBER: u32 = 3;
const LEVEL: u32 = 4;
const CLUSTER_LEVEL: u32 = 5;
const FOUNDERS: u32 = 6;
const BEGUN: u32 = 7;

const JOIN_ABOUT: u32 = 1;
const JOIN_CLUSTER: u32 = 2;
const JOIN_NUMBER: u32 = 3;
const JOIN_CODE: u32 = 4;

impl Ident {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let mut fields =
            Fields::new().bytes(DIRECTORY, uuid_bytes(self.directory)).number(LEVEL, self.level.into());
        if let Some(cluster) = self.cluster {
            fields = fields.bytes(CLUSTER, uuid_bytes(cluster));
        }
        if let Some(number) = self.number {
            fields = fields.number(NUMBER, number.0);
        }
        fields = fields.number(CLUSTER_LEVEL, self.cluster_level.into());
        if let Some(founders) = &self.founders {
            let directories: Vec<u8> =
                founders.directories.iter().flat_map(|uuid| uuid.0.to_be_bytes()).collect();
            fields = fields.bytes(FOUNDERS, directories).number(BEGUN, founders.begun.into());
        }
        fields.encode()
    }

    /// Reads it back; fields that are not known are passed over.
    ///
    /// # Errors
    /// When a field is missing or holds something else.
    pub fn decode(bytes: &Bytes) -> Result<Self, Error> {
        let mut fields = Fields::decode(bytes)?;
        Ok(Self {
            cluster: find_uuid(&mut fields, CLUSTER)?,
            directory: find_uuid(&mut fields, DIRECTORY)?.ok_or(Error::Missing { tag: DIRECTORY })?,
            number: find_node(&mut fields, NUMBER)?,
            level: small(&mut fields, LEVEL)?,
            cluster_level: small(&mut fields, CLUSTER_LEVEL)?,
            founders: find_founders(&mut fields)?,
        })
    }
}

impl Join {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let fields = Fields::new();
        match self {
            Self::Ask { about } => fields.bytes(JOIN_ABOUT, about.clone()),
            Self::Given { cluster, number } => {
                fields.bytes(JOIN_CLUSTER, uuid_bytes(*cluster)).number(JOIN_NUMBER, number.0)
            }
            Self::Refused { code } => fields.number(JOIN_CODE, (*code).into()),
        }
        .encode()
    }

    /// Reads it back; fields that are not known are passed over.
    ///
    /// # Errors
    /// When a field is missing or holds something else.
    pub fn decode(bytes: &Bytes) -> Result<Self, Error> {
        let mut fields = Fields::decode(bytes)?;
        if let Some(about) = fields.find_bytes(JOIN_ABOUT)? {
            return Ok(Self::Ask { about });
        }
        if let Some(number) = find_node(&mut fields, JOIN_NUMBER)? {
            let cluster = find_uuid(&mut fields, JOIN_CLUSTER)?;
            return Ok(Self::Given { cluster: cluster.ok_or(Error::Missing { tag: JOIN_CLUSTER })?, number });
        }
        Ok(Self::Refused { code: small(&mut fields, JOIN_CODE)? })
    }
}

fn uuid_bytes(uuid: Uuid) -> Bytes {
    Bytes::copy_from_slice(&uuid.0.to_be_bytes())
}

fn find_uuid(fields: &mut Fields, tag: u32) -> Result<Option<Uuid>, Error> {
    let Some(bytes) = fields.find_bytes(tag)? else { return Ok(None) };
    let bytes = <[u8; 16]>::try_from(&bytes[..]).map_err(|_| Error::Unfit { tag })?;
    Ok(Some(Uuid(u128::from_be_bytes(bytes))))
}

fn find_founders(fields: &mut Fields) -> Result<Option<Founders>, Error> {
    let Some(bytes) = fields.find_bytes(FOUNDERS)? else { return Ok(None) };
    let (directories, rest) = bytes.as_chunks::<16>();
    if directories.is_empty() || !rest.is_empty() {
        return Err(Error::Unfit { tag: FOUNDERS });
    }
    let directories = directories.iter().map(|bytes| Uuid(u128::from_be_bytes(*bytes))).collect();
    Ok(Some(Founders { directories, begun: fields.take_number(BEGUN)? != 0 }))
}

fn find_node(fields: &mut Fields, tag: u32) -> Result<Option<NodeNumber>, Error> {
    match fields.find_number(tag)? {
        Some(0) => Err(Error::Unfit { tag }),
        number => Ok(number.map(NodeNumber)),
    }
}

fn small(fields: &mut Fields, tag: u32) -> Result<u32, Error> {
    u32::try_from(fields.take_number(tag)?).map_err(|_| Error::Unfit { tag })
}
