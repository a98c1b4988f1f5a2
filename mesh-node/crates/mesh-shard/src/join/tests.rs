use bytes::Bytes;
use mesh_core::meta::{self, Command, Fields, Meta, Reply, Report, Role};
use mesh_replica::ident::{Ident, Join, Verdict, judge};
use mesh_wire::{code::Code, name::Name};

use super::*;
use crate::{bootstrap, convert};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn plan() -> Plan {
    bootstrap::static_(&name("b"), ["a", "b", "c"].map(name).to_vec(), bootstrap::Options::default()).unwrap()
}

fn about(node: &str, directory: u8) -> meta::Join {
    meta::Join {
        name: name(node),
        directory: meta::Uuid([directory; 16]),
        incarnation: 1,
        role: Role::CORE,
        zone: None,
        level: 1,
        rest: Fields::new(),
    }
}

fn founded() -> Meta {
    let mut meta = Meta::new();
    meta.apply(1, plan().found(meta::Uuid([0xcc; 16]), Vec::new()));
    for (number, node) in (1..).zip(["a", "b", "c"]) {
        let report = Report { number: meta::NodeNumber(number), about: about(node, number as u8) };
        assert_eq!(meta.apply(1, Command::Report(report)), Reply::Done);
    }
    meta
}

fn ident(number: Option<u64>, directory: u8, cluster: Option<u8>) -> Ident {
    Ident {
        cluster: cluster.map(|cluster| convert::uuid(meta::Uuid([cluster; 16]))),
        directory: convert::uuid(meta::Uuid([directory; 16])),
        number: number.map(NodeNumber),
        level: 1,
        cluster_level: 1,
        founders: None,
    }
}

#[test]
fn how_a_node_begins() {
    let cluster = Some(Uuid(7));
    let start = |cluster, number: Option<u64>, plan| {
        super::start(&Directory { cluster, number: number.map(NodeNumber), agreed: false }, plan)
    };
    assert_eq!(start(None, None, Some(plan())), Start::Begin(plan()));
    assert_eq!(start(None, None, None), Start::Join);
    assert_eq!(
        start(cluster, None, Some(plan())),
        Start::Join,
        "a directory of a cluster never begins another one"
    );
    assert_eq!(start(cluster, Some(2), Some(plan())), Start::Resume(NodeNumber(2), None));
    assert_eq!(start(None, Some(2), Some(plan())), Start::Resume(NodeNumber(2), Some(plan())));
    assert_eq!(
        start(None, Some(3), Some(plan())),
        Start::Resume(NodeNumber(3), None),
        "another list than before"
    );
}

#[test]
fn who_the_other_side_is() {
    let meta = founded();
    let nodes = Nodes { meta: &meta, plan: None, founders: &[] };
    let own = ident(Some(1), 1, Some(0xcc));
    let judged = |name, theirs: Ident| match judge(&own, name, &theirs, &nodes) {
        Verdict::Accept(number) => Ok(number.0),
        Verdict::Join => Ok(0),
        Verdict::Refuse(unfit) => Err(unfit.code()),
    };
    assert_eq!(judged("b", ident(Some(2), 2, Some(0xcc))), Ok(2));
    assert_eq!(judged("b", ident(Some(2), 2, None)), Ok(2), "one that has not heard of the cluster yet");
    assert_eq!(judged("d", ident(None, 9, None)), Ok(0));
    assert_eq!(judged("d", ident(Some(4), 9, Some(0xcc))), Ok(4), "later than what is known here");
    // Wiped, and begun anew from the same list.
    assert_eq!(judged("b", ident(Some(2), 9, None)), Err(Code::NodeNumberTaken));
    assert_eq!(judged("b", ident(Some(2), 2, Some(0xdd))), Err(Code::DataDirOtherCluster));
}

#[test]
fn a_wiped_node_is_refused_joins_and_has_another_number() {
    let mut meta = founded();
    let own = ident(Some(1), 1, Some(0xcc));
    let empty = Directory { cluster: None, number: Some(NodeNumber(2)), agreed: false };
    assert_eq!(refused(&empty, Code::NodeNumberTaken), Some(Refused::BeginAnew));
    let promised = Directory { cluster: Some(Uuid(7)), ..empty };
    assert_eq!(refused(&promised, Code::NodeNumberTaken), Some(Refused::Stop));
    let agreed = Directory { agreed: true, ..empty };
    assert_eq!(refused(&agreed, Code::NodeNumberTaken), Some(Refused::Stop), "it may have voted");
    assert_eq!(refused(&empty, Code::LinkDead), None);
    let Join::Ask { about } = ask(about("b", 22)) else { panic!("it asks") };
    let command = admit("b", &about).unwrap();
    let reply = meta.apply_bytes(2, &command);
    assert_eq!(
        answer(&reply),
        Join::Given { cluster: convert::uuid(meta::Uuid([0xcc; 16])), number: NodeNumber(4) }
    );
    let nodes = Nodes { meta: &meta, plan: None, founders: &[] };
    let new = judge(&own, "b", &ident(Some(4), 22, Some(0xcc)), &nodes);
    assert_eq!(new, Verdict::Accept(NodeNumber(4)));
    let Verdict::Refuse(old) = judge(&own, "b", &ident(Some(2), 2, Some(0xcc)), &nodes) else {
        panic!("it is lost")
    };
    assert_eq!(old.code(), Code::NodeNumberUnknown);
}

#[test]
fn who_asks_for_something_else_is_refused() {
    let leave = Command::Leave { node: meta::NodeNumber(1) }.encode();
    assert_eq!(admit("a", &leave), Err(Code::MetaCommandInvalid));
    assert_eq!(admit("a", &Bytes::from_static(b"?")), Err(Code::MetaCommandInvalid));
    let Join::Ask { about } = ask(about("b", 22)) else { panic!("it asks") };
    assert_eq!(admit("a", &about), Err(Code::NodeNumberTaken));
    let not_yet = answer(&Meta::new().apply_bytes(1, &about));
    assert_eq!(not_yet, Join::Refused { code: Code::ClusterNotFounded.number().into() });
}

#[test]
fn before_there_is_a_cluster_the_first_nodes_are_known_by_the_list() {
    let (meta, plan) = (Meta::new(), plan());
    let nodes = Nodes { meta: &meta, plan: Some(&plan), founders: &[] };
    let own = ident(Some(2), 2, None);
    assert_eq!(judge(&own, "a", &ident(Some(1), 1, None), &nodes), Verdict::Accept(NodeNumber(1)));
    assert_eq!(judge(&own, "d", &ident(None, 9, None), &nodes), Verdict::Join);
    // Once they have agreed, each is known by its directory too.
    let agreed = [1, 2, 3].map(|directory| convert::uuid(meta::Uuid([directory; 16])));
    for plan in [Some(&plan), None] {
        let nodes = Nodes { meta: &meta, plan, founders: &agreed };
        assert_eq!(judge(&own, "a", &ident(Some(1), 1, None), &nodes), Verdict::Accept(NodeNumber(1)));
        let Verdict::Refuse(wiped) = judge(&own, "a", &ident(Some(1), 9, None), &nodes) else {
            panic!("it is another directory")
        };
        assert_eq!(wiped.code(), Code::NodeNumberTaken);
    }
    let nodes = Nodes { meta: &meta, plan: Some(&plan), founders: &agreed };
    assert_eq!(judge(&own, "a", &ident(None, 9, None), &nodes), Verdict::Join, "it asks for another number");
}
