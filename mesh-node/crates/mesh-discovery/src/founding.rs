//! How a cluster begins: who its first voters are, and its UUID, decided once.

use mesh_core::meta::{NODES_MAX, Uuid};
use mesh_wire::name::Name;
use serde::{Deserialize, Serialize};

use crate::record::{Record, Role};

/// Most first voters.
pub const VOTERS_MAX: usize = NODES_MAX;

/// How a cluster began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Founding {
    /// Its UUID.
    pub cluster: Uuid,
    /// Its first voters, by rising name: the first is number 1. Empty when it is not known any more.
    pub voters: Vec<Name>,
}

/// What came of asking for a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Founded {
    /// This node wrote it.
    Ours(Founding),
    /// It had been there.
    There(Founding),
    /// Not yet: ask again after the next event about a peer.
    NotYet {
        /// How many nodes there are that could.
        seen: usize,
        /// How many there have to be.
        expected: usize,
    },
}

/// Who would found a cluster of these nodes: the first `expected` cores by name, if `own` is one of them.
///
/// Nobody as long as a node is there that belongs to a cluster already: that one knows the UUID and writes it back, should
/// etcd have lost it.
///
/// # Errors
/// How many there are that could.
pub fn propose<'a>(
    own: &'a Record,
    others: impl IntoIterator<Item = &'a Record>,
    expected: usize,
) -> Result<Vec<Name>, usize> {
    let mut voters = Vec::new();
    for record in others.into_iter().chain([own]).filter(|record| record.role == Role::Core) {
        if record.cluster.is_some() {
            return Err(0);
        }
        voters.push(record.id.clone());
    }
    voters.sort();
    voters.dedup();
    let seen = voters.len();
    if expected == 0 || expected > VOTERS_MAX || seen < expected {
        return Err(seen);
    }
    voters.truncate(expected);
    if voters.contains(&own.id) { Ok(voters) } else { Err(seen) }
}

/// As it is written; a reader takes the fields that it knows.
#[derive(Serialize, Deserialize)]
struct Fields {
    cluster: String,
    #[serde(default)]
    voters: Vec<Name>,
}

impl Founding {
    /// As JSON.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let fields = Fields { cluster: self.cluster.to_string(), voters: self.voters.clone() };
        // Texts under keys that are texts: nothing of it can fail.
        serde_json::to_vec(&fields).unwrap_or_default()
    }

    /// Reads one; nothing where there is none.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let fields: Fields = serde_json::from_slice(bytes).ok()?;
        Some(Self { cluster: fields.cluster.parse().ok()?, voters: fields.voters })
    }
}

#[cfg(test)]
mod tests {
    use mesh_transport::endpoint::Authority;

    use super::*;

    fn node(id: &str) -> Record {
        Record::new(Name::new(id).unwrap(), Uuid([1; 16]), Authority::parse("a:1", 1).unwrap())
    }

    fn names(names: &[&str]) -> Vec<Name> {
        names.iter().map(|name| Name::new(*name).unwrap()).collect()
    }

    #[test]
    fn the_first_by_name_found_it_and_each_of_them_says_the_same() {
        let nodes = ["c", "a", "d", "b"].map(node);
        for own in &nodes {
            let others = nodes.iter().filter(|other| other.id != own.id);
            let expected = if own.id.as_str() == "d" { Err(4) } else { Ok(names(&["a", "b", "c"])) };
            assert_eq!(propose(own, others, 3), expected, "{}", own.id.as_str());
        }
    }

    #[test]
    fn too_few_edges_and_those_who_have_a_cluster_found_none() {
        let edge = Record { role: Role::Edge, ..node("0") };
        let old = Record { cluster: Some(Uuid([7; 16])), ..node("z") };
        let own = node("a");
        assert_eq!(propose(&own, [&node("b"), &edge], 3), Err(2));
        assert_eq!(propose(&own, [&node("b"), &edge], 2), Ok(names(&["a", "b"])));
        assert_eq!(propose(&own, [&node("b"), &old], 2), Err(0));
        assert_eq!(propose(&edge, [&node("b"), &own], 2), Err(2));
        assert_eq!(propose(&own, [], 0), Err(1));
        assert_eq!(propose(&own, [], VOTERS_MAX + 1), Err(1));
    }

    #[test]
    fn its_text_is_this_one() {
        let founding = Founding { cluster: Uuid([1; 16]), voters: names(&["a", "b"]) };
        let text = r#"{"cluster":"01010101-0101-0101-0101-010101010101","voters":["a","b"]}"#;
        assert_eq!(founding.encode(), text.as_bytes());
        assert_eq!(Founding::decode(text.as_bytes()), Some(founding.clone()));
        assert_eq!(Founding::decode(text.replace("{", "{\"x\":1,").as_bytes()), Some(founding));
        for wrong in ["", "{}", "{\"cluster\":\"1\"}"] {
            assert_eq!(Founding::decode(wrong.as_bytes()), None);
        }
    }
}
