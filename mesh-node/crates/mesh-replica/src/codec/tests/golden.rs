//! The bytes of each body, which other versions read.

use super::*;
use crate::ident::{Ident, Join};
use mesh_log::directory::Uuid;

/// The body of the only frame.
fn body(messages: &[Message]) -> Vec<u8> {
    let frames = encode(messages).unwrap();
    assert_eq!(frames.len(), 1);
    frames[0].frame[HEADER_BYTES..].to_vec()
}

/// Cut anywhere it can't be read; with a byte more neither, or as something else.
fn cut_anywhere(kind: Kind, want: &[u8]) {
    for n in 1..want.len() {
        let short = Decoder::new().decode(&frame(kind, Flags::NONE, 0, 0, &want[..n]));
        assert!(short.is_err(), "{n} bytes of {kind:?}");
    }
}

#[test]
fn head() {
    let frames = encode(&[Message::Alive]).unwrap();
    let mut want = vec![24, 0, 0, 0, 0x45];
    want.resize(24, 0);
    assert_eq!(frames[0].frame, want);
}

#[test]
fn raft_messages() {
    let message = Raft {
        group: GroupId(0x0102),
        from: NodeNumber(3),
        to: NodeNumber(4),
        kind: 3,
        term: 5,
        log_term: 6,
        index: 7,
        commit: 8,
        commit_term: 9,
        reject: true,
        reject_hint: 10,
        context: Bytes::from_static(b"ctx"),
        entries: vec![Entry {
            term: 11,
            index: 12,
            kind: EntryKind::Members,
            payload: Payload::new(Bytes::from_static(b"123456789")),
        }],
        priority: -1,
        request_snapshot: 14,
    };
    let want = [
        &[2, 1, 0, 0, 0, 0, 0, 0][..],
        &[3, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0],
        &[3, 1, 3, 0, 1, 0, 0, 0],
        &[5, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0],
        &[8, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0],
        &[255, 255, 255, 255, 255, 255, 255, 255, 14, 0, 0, 0, 0, 0, 0, 0],
        b"ctx",
        &[12, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0],
        // The CRC32C of "123456789" is the check value of its definition: 0xe3069283.
        &[9, 0, 0, 0, 0x83, 0x92, 0x06, 0xe3, 1, 0, 0, 0],
        b"123456789",
    ]
    .concat();
    assert_eq!(body(&[Message::Raft(message.clone())]), want);
    assert_eq!(
        decode_all(&encode(&[Message::Raft(message.clone())]).unwrap()).unwrap(),
        [Message::Raft(message)]
    );
    cut_anywhere(Kind::Raft, &want);
    // What has no meaning yet has to be 0, and what has some meanings one of them.
    for (at, value) in [(4, 1), (25, 2), (126, 1), (123, 2)] {
        let mut other = want.clone();
        other[at] = value;
        assert!(Decoder::new().decode(&frame(Kind::Raft, Flags::NONE, 0, 0, &other)).is_err(), "{at}");
    }
}

#[test]
fn beats() {
    let beat = Beat { group: GroupId(1), term: 2, commit: 3, rests: true, lost: false, read: 4 };
    let mut want = vec![0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0];
    for number in [2u64, 3, 4] {
        want.extend(number.to_le_bytes());
    }
    assert_eq!(body(&[Message::Beat(vec![beat])]), want);
    cut_anywhere(Kind::Beat, &want);
    want[0] = 1;
    assert_eq!(body(&[Message::BeatReply(vec![beat])]), want);
    want[12] = 2;
    let lost = Beat { rests: false, lost: true, ..beat };
    assert_eq!(body(&[Message::BeatReply(vec![lost])]), want);
    want[12] = 4;
    assert!(Decoder::new().decode(&frame(Kind::Beat, Flags::NONE, 0, 0, &want)).is_err());
    want[12] = 1;
    want[0] = 2;
    assert!(Decoder::new().decode(&frame(Kind::Beat, Flags::NONE, 0, 0, &want)).is_err());
}

#[test]
fn pulls_and_parts() {
    let pull = Pull {
        group: GroupId(1),
        from: NodeNumber(2),
        snapshot: 3,
        lane: LaneId(4),
        first: 5,
        last: 6,
        max_bytes: 7,
    };
    let mut want = vec![1, 0, 0, 0, 7, 0, 0, 0];
    for number in [2u64, 3, 4, 5, 6] {
        want.extend(number.to_le_bytes());
    }
    assert_eq!(body(&[Message::Pull(pull)]), want);
    cut_anywhere(Kind::Pull, &want);

    let part = Part {
        group: GroupId(1),
        from: NodeNumber(2),
        snapshot: 3,
        lane: LaneId(4),
        pieces: vec![(5, 6, Payload::new(Bytes::from_static(b"123456789")))],
        gone: true,
    };
    let mut want = vec![1, 0, 0, 0, 1, 0, 0, 0];
    for number in [2u64, 3, 4] {
        want.extend(number.to_le_bytes());
    }
    want.extend([1, 0, 0, 0, 0, 0, 0, 0]);
    want.extend([5, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 9, 0, 0, 0, 0x83, 0x92, 0x06, 0xe3]);
    want.extend(b"123456789");
    assert_eq!(body(&[Message::Part(part)]), want);
    cut_anywhere(Kind::Part, &want);
}

#[test]
fn offers() {
    let frames = encode(&[Message::Offer(offer(3))]).unwrap();
    let want = &frames[0].frame[HEADER_BYTES..];
    let mut head = vec![7, 0, 0, 0, 0, 0, 0, 0];
    for number in [1u64, 2, 5, 6] {
        head.extend(number.to_le_bytes());
    }
    assert_eq!(&want[..40], head);
    assert_eq!(&want[40..], crate::manifest::encode(&manifest(3)));
    cut_anywhere(Kind::Offer, want);
}

#[test]
fn requests() {
    let mut encoder = Encoder::new();
    encoder
        .push_forward(&Forward {
            id: 1,
            group: GroupId(2),
            timeout_ms: 3,
            kind: 0x52,
            body: Bytes::from_static(b"ab"),
        })
        .unwrap();
    encoder
        .push_forwarded(&Forwarded {
            id: 1,
            leader: Some(NodeNumber(2)),
            code: 3,
            kind: 4,
            body: Bytes::from_static(b"ab"),
        })
        .unwrap();
    let frames = encoder.finish();
    let want = [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0x52, 0, 0, 0, 0, 0, 0, 0, b'a', b'b'];
    assert_eq!(frames[0].frame[HEADER_BYTES..], want);
    let want = [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, b'a', b'b'];
    assert_eq!(frames[1].frame[HEADER_BYTES..], want);
}

#[test]
fn who_a_node_is() {
    let ident = Ident {
        cluster: Some(Uuid(1)),
        directory: Uuid(2),
        number: Some(NodeNumber(3)),
        level: 4,
        cluster_level: 5,
        founders: None,
    };
    let join = Join::Given { cluster: Uuid(1), number: NodeNumber(2) };
    let mut encoder = Encoder::new();
    encoder.push_ident(&ident);
    encoder.push_join(&join);
    let frames = encoder.finish();
    assert!(frames.iter().all(|outgoing| outgoing.class == Class::Control));
    let mut decoder = Decoder::new();
    assert_eq!(decoder.decode(&frames[0].frame).unwrap(), Received::Ident(ident));
    assert_eq!(decoder.decode(&frames[1].frame).unwrap(), Received::Join(join));
    let error = decoder.decode(&frame(Kind::Ident, Flags::NONE, 0, 0, b"\x07")).unwrap_err();
    assert_eq!(error.code(), Code::PeerFrameMalformed);
}
