//! Frames of the durable plane between nodes, and manifests.

use bytes::{Bytes, BytesMut};
use mesh_log::{
    id::{GroupId, LaneId},
    payload::Payload,
    record::{Entry, EntryKind},
};
use mesh_replica::{
    codec::{Decoder, Encoder, Received},
    id::NodeNumber,
    ident::{Ident, Join},
    manifest,
    members::Members,
    message::{Beat, Extent, Manifest, Message, Offer, Part, Pull, Raft},
};
use mesh_wire::frame::{Flags, FrameHeader, HEADER_BYTES, Kind};

/// Reads `data` as frames, one behind the other, and as the body of a frame of each kind; what is read is written and
/// read again.
pub fn target(data: &[u8]) {
    let mut decoder = Decoder::new();
    let mut rest = Bytes::copy_from_slice(data);
    while let Ok(Some(header)) = FrameHeader::decode(&rest) {
        let len = header.len as usize;
        if len > rest.len() {
            break;
        }
        let Ok(received) = decoder.decode(&rest.split_to(len)) else { break };
        again(received);
        assert!(decoder.held_bytes() <= data.len(), "nothing is held that did not come");
    }
    let Some((&kind, body)) = data.split_first() else { return };
    let kinds: Vec<Kind> =
        Kind::ALL.iter().copied().filter(|kind| (0x42..0x50).contains(&(*kind as u8))).collect();
    let kind = kinds[usize::from(kind) % kinds.len()];
    if let Ok(received) = Decoder::new().decode(&frame(kind, body)) {
        again(received);
    }
    manifests(body);
}

fn frame(kind: Kind, body: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    let len = (HEADER_BYTES + body.len()) as u32;
    let flags = Flags::NONE;
    FrameHeader { len, kind, flags, subject_len: 0, headers_len: 0, ext_len: 0, aux: 0, id: 0 }
        .write(&mut frame);
    frame.extend_from_slice(body);
    frame.freeze()
}

fn again(received: Received) {
    let mut encoder = Encoder::new();
    match &received {
        Received::Messages(messages) => {
            for message in messages {
                encoder.push(message).expect("what was read is not too large");
            }
        }
        Received::Forward(forward) => encoder.push_forward(forward).expect("what was read is not too large"),
        Received::Forwarded(answer) => {
            encoder.push_forwarded(answer).expect("what was read is not too large")
        }
        Received::Ident(ident) => encoder.push_ident(ident),
        Received::Join(join) => encoder.push_join(join),
        _ => return,
    }
    let mut decoder = Decoder::new();
    let mut found = Vec::new();
    for outgoing in encoder.finish() {
        match (decoder.decode(&outgoing.frame).expect("what was written can be read"), &received) {
            (Received::Messages(messages), _) => found.extend(messages),
            (other, received) => assert_eq!(other, *received),
        }
    }
    if let Received::Messages(messages) = received {
        // A run of no heartbeats is not sent.
        let empty = |message: &Message| matches!(message, Message::Beat(beats) | Message::BeatReply(beats) if beats.is_empty());
        assert_eq!(found, messages.into_iter().filter(|message| !empty(message)).collect::<Vec<_>>());
    }
}

/// As a manifest: as it is, and with the checksum that it needs, so that changes get past it.
fn manifests(data: &[u8]) {
    let mut sealed = data.to_vec();
    if sealed.len() >= 12 {
        let crc = crc32c::crc32c(&sealed[12..]);
        sealed[8..12].copy_from_slice(&crc.to_le_bytes());
    }
    for bytes in [data.to_vec(), sealed] {
        if let Ok(read) = manifest::decode(&bytes.into()) {
            assert_eq!(manifest::check(&read), Ok(()));
            assert_eq!(manifest::decode(&manifest::encode(&read)), Ok(read));
        }
    }
}

/// One of each message, alone and together, a body in parts, and a manifest.
pub fn seeds() -> Vec<Vec<u8>> {
    let payload = |len: usize| Payload::new(vec![7; len].into());
    let entry = |index, len| Entry { term: 5, index, kind: EntryKind::Commands, payload: payload(len) };
    let raft = |entries| Raft {
        group: GroupId(7),
        from: NodeNumber(1),
        to: NodeNumber(2),
        kind: 3,
        term: 5,
        log_term: 4,
        index: 9,
        commit: 8,
        commit_term: 0,
        reject: false,
        reject_hint: 0,
        context: Bytes::from_static(b"12345678"),
        entries,
        priority: 0,
        request_snapshot: 0,
    };
    let beat = Beat { group: GroupId(7), term: 5, commit: 8, rests: true, lost: false, read: 9 };
    let lost = Beat { commit: 0, rests: false, lost: true, ..beat };
    let (group, from, to, lane) = (GroupId(7), NodeNumber(1), NodeNumber(2), LaneId(3));
    let members = Members::of_voters([from, to]);
    let extents = vec![Extent { lane, first: 1, last: 9, bytes: 100, digest: 5 }];
    let manifest = Manifest { index: 40, term: 5, time_ms: 3, members, state: payload(9), extents };
    let messages = [
        Message::Raft(raft(vec![entry(10, 20), entry(11, 0)])),
        Message::Raft(raft(Vec::new())),
        Message::Beat(vec![beat, beat]),
        Message::BeatReply(vec![beat, lost]),
        Message::Alive,
        Message::Offer(Offer { group, from, to, term: 5, loss: 6, manifest: manifest.clone() }),
        Message::Pull(Pull { group, from, snapshot: 40, lane, first: 1, last: 9, max_bytes: 100 }),
        Message::Part(Part {
            group,
            from,
            snapshot: 40,
            lane,
            pieces: vec![(1, 3, payload(30))],
            gone: false,
        }),
    ];
    let mut encoder = Encoder::new();
    for message in &messages {
        encoder.push(message).expect("a seed is valid");
    }
    let directory = mesh_log::directory::Uuid(2);
    encoder.push_ident(&Ident {
        cluster: Some(directory),
        directory,
        number: Some(from),
        level: 1,
        cluster_level: 1,
        founders: None,
    });
    encoder.push_join(&Join::Ask { about: Bytes::from_static(b"about") });
    let frames: Vec<Vec<u8>> = encoder.finish().into_iter().map(|outgoing| outgoing.frame.to_vec()).collect();
    let mut seeds = vec![frames.concat(), [&[0; 1][..], &manifest::encode(&manifest)].concat()];
    seeds.extend(frames);
    seeds
}
