//! A record as JSON.

use mesh_core::meta::Uuid;
use mesh_transport::endpoint::Authority;
use mesh_wire::name::Name;
use serde::{Deserialize, Serialize};

use super::{Error, Record, Role, Versions};

/// The fields as they are written. Names are for good; a new one needs a default.
#[derive(Serialize, Deserialize)]
struct Fields {
    id: Name,
    instance: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    directory: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cluster: Option<String>,
    addresses: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zone: Option<Name>,
    #[serde(default)]
    role: String,
    #[serde(default)]
    versions: VersionFields,
    #[serde(default)]
    started_ms: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    leaving: bool,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct VersionFields {
    build: String,
    wire: [u8; 2],
    level: u32,
}

pub(super) fn encode(record: &Record) -> Vec<u8> {
    let fields = Fields {
        id: record.id.clone(),
        instance: record.instance.to_string(),
        directory: record.directory.map(|uuid| uuid.to_string()),
        cluster: record.cluster.map(|uuid| uuid.to_string()),
        addresses: record.addresses.iter().map(Authority::to_string).collect(),
        zone: record.zone.clone(),
        role: match record.role {
            Role::Core => "core",
            Role::Edge => "edge",
            Role::Other => "other",
        }
        .to_owned(),
        versions: VersionFields {
            build: record.versions.build.clone(),
            wire: [record.versions.wire_major, record.versions.wire_minor],
            level: record.versions.level,
        },
        started_ms: record.started_ms,
        leaving: record.leaving,
    };
    // Texts and numbers under keys that are texts: nothing of it can fail.
    serde_json::to_vec(&fields).unwrap_or_default()
}

pub(super) fn decode(bytes: &[u8]) -> Result<Record, Error> {
    let malformed = |error: &dyn std::fmt::Display| Error::Malformed(error.to_string());
    let fields: Fields = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
    let uuid = |text: &String| text.parse::<Uuid>().map_err(|error| malformed(&error));
    let address = |text: &String| {
        // A port is always written; 0 is none that there could be.
        Authority::parse(text, 0).map_err(|error| Error::Malformed(format!("the address {text:?}: {error}")))
    };
    Ok(Record {
        id: fields.id,
        instance: uuid(&fields.instance)?,
        directory: fields.directory.as_ref().map(uuid).transpose()?,
        cluster: fields.cluster.as_ref().map(uuid).transpose()?,
        addresses: fields.addresses.iter().map(address).collect::<Result<_, _>>()?,
        zone: fields.zone,
        role: match fields.role.as_str() {
            "core" => Role::Core,
            "edge" => Role::Edge,
            _ => Role::Other,
        },
        versions: Versions {
            build: fields.versions.build,
            wire_major: fields.versions.wire[0],
            wire_minor: fields.versions.wire[1],
            level: fields.versions.level,
        },
        started_ms: fields.started_ms,
        leaving: fields.leaving,
    })
}
