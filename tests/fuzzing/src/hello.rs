//! The opening of a link: preface, HELLO, and what is agreed.

use bytes::BytesMut;
use mesh_wire::body;
use mesh_wire::frame::{Frame, Kind, PREFACE, Parts};
use mesh_wire::hello::{Features, Version, Versions};

/// Reads `data` as the first bytes of a client.
pub fn target(data: &[u8]) {
    let Some(rest) = data.strip_prefix(&PREFACE) else { return };
    let Ok(Some(frame)) = Frame::decode(rest) else { return };
    let offered = Versions::from_aux(frame.aux());
    assert_eq!(offered.to_aux(), frame.aux());
    check_versions(Versions::OURS, offered);
    // Our own span is short so far; any other one has to be right as well.
    check_versions(Versions::from_aux(frame.id() as u32), offered);
    let features = Features::from_bits(frame.id());
    let both = Features::OURS.agree(features);
    assert_eq!(both, features.agree(Features::OURS));
    assert!(Features::OURS.contains(both) && features.contains(both));
    if frame.kind() == Kind::Hello
        && let Ok(hello) = body::decode::<body::HelloV1>(frame.body())
    {
        assert!(body::encode(&hello).is_ok());
    }
}

fn check_versions(ours: Versions, theirs: Versions) {
    let spoken = |version: u16| {
        (ours.oldest.0..=ours.newest.0).contains(&version)
            && (theirs.oldest.0..=theirs.newest.0).contains(&version)
    };
    // Where two spans meet, their newest common version is the newest of one of them.
    let newest = [ours.newest, theirs.newest].into_iter().filter(|version| spoken(version.0)).max();
    assert_eq!(ours.negotiate(theirs), newest);
    assert_eq!(theirs.negotiate(ours), newest, "both sides come to the same");
}

/// Openings that are agreed and refused.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (oldest, newest) in [(1, 1), (1, 3), (2, 2), (3, 1)] {
        for hello in crate::bodies::hello_seeds() {
            let versions = Versions { oldest: Version(oldest), newest: Version(newest) };
            let parts = Parts::bare(Kind::Hello, Features::OURS.bits()).aux(versions.to_aux()).body(&hello);
            let mut frame = BytesMut::new();
            parts.encode(&mut frame).expect("a seed is valid");
            seeds.push([&PREFACE[..], &frame].concat());
        }
    }
    seeds
}
