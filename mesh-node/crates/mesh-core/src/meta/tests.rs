mod encoding;
mod nodes;
mod placement;
mod steps;

use std::collections::BTreeSet;

use super::*;

pub(super) const CLUSTER: Uuid = Uuid(*b"cluster-cluster-");

pub(super) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(super) fn uuid(number: u8) -> Uuid {
    Uuid([number; 16])
}

pub(super) fn numbers(numbers: impl IntoIterator<Item = u64>) -> BTreeSet<NodeNumber> {
    numbers.into_iter().map(NodeNumber).collect()
}

pub(super) fn found(nodes: u64, replicas: u32, shards: u32) -> Found {
    let numbered: Vec<_> = (1..=nodes).map(|number| (NodeNumber(number), None)).collect();
    Found {
        cluster: CLUSTER,
        nodes: (1..=nodes).map(|number| name(&format!("n{number}"))).collect(),
        directories: Vec::new(),
        replicas,
        level: 1,
        groups: place::begin(&numbered, shards + 1, replicas),
    }
}

/// Nodes 1.. of a cluster with four shards, none of which has told anything.
pub(super) fn founded(nodes: u64, replicas: u32) -> Meta {
    let mut meta = Meta::new();
    assert_eq!(meta.apply(1, Command::Found(found(nodes, replicas, 4))), Reply::Done);
    meta
}

pub(super) fn about(node: &str, directory: u8) -> Join {
    Join {
        name: name(node),
        directory: uuid(directory),
        incarnation: 10,
        role: Role::CORE,
        zone: None,
        level: 1,
        rest: Fields::new(),
    }
}

/// Nodes of which each has told its directory, which has its number.
pub(super) fn told(nodes: u64, replicas: u32) -> Meta {
    let mut meta = founded(nodes, replicas);
    for number in 1..=nodes {
        let about = about(&format!("n{number}"), number as u8);
        let report = Report { number: NodeNumber(number), about };
        assert_eq!(meta.apply(1, Command::Report(report)), Reply::Done);
    }
    meta
}

pub(super) fn refused(reply: &Reply) -> mesh_wire::code::Code {
    reply.code().unwrap_or_else(|| panic!("{reply:?} is no refusal"))
}
