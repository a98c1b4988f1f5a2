//! Examples of links between nodes.

use mesh_wire::body;
use mesh_wire::frame::{Kind, PREFACE, Parts};
use mesh_wire::hello::{Features, Versions};
use mesh_wire::peer::PeerHelloV1;

use super::{Dump, Example};

pub(super) fn examples() -> Vec<Example> {
    vec![Example { name: "peer-hello", text: hello() }]
}

fn hello() -> String {
    let body = body::encode(&PeerHelloV1 {
        node: "n1".to_owned(),
        cluster: "mesh".to_owned(),
        incarnation: 1_767_225_600_000_000,
        dial: 1,
        address: "10.0.0.1:7401".to_owned(),
        version: "0.1.0".to_owned(),
    })
    .expect("a small body");
    let features = Features::OURS_BETWEEN_NODES.bits();
    let frame = Parts::bare(Kind::PeerHello, features).aux(Versions::OURS.to_aux()).body(&body);
    Dump::new()
        .part(PREFACE, "preface")
        .head(&frame, "lowest version 1, highest 1", "feature LANE_PINGS")
        .part(b"\x02n1", "node: 2 bytes, \"n1\"")
        .part(b"\x04mesh", "cluster: 4 bytes, \"mesh\"")
        .part([0x80, 0x80, 0x81, 0xb1, 0x84, 0xe9, 0x91, 3], "incarnation: 1767225600000000")
        .part([1], "dial: 1")
        .part(b"\x0d10.0.0.1:7401", "address: 13 bytes, \"10.0.0.1:7401\"")
        .part(b"\x050.1.0", "version: 5 bytes, \"0.1.0\"")
        .checked(&PREFACE, &[frame])
}
