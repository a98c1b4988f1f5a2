use bytes::{Bytes, BytesMut};
use mesh_log::{
    id::{GroupId, LaneId},
    payload::Payload,
    record::{Entry, EntryKind},
};
use mesh_wire::{
    class::Class,
    code::Code,
    frame::{Flags, FrameHeader, HEADER_BYTES, Kind},
    limits,
};

use super::*;
use crate::{
    id::NodeNumber,
    members::Members,
    message::{Beat, Extent, Manifest, Message, Offer, Part, Pull, Raft},
};

mod golden;
mod page;
mod properties;

pub(super) fn payload(len: usize, fill: u8) -> Payload {
    Payload::new(Bytes::from(vec![fill; len]))
}

pub(super) fn entry(index: u64, term: u64, len: usize) -> Entry {
    Entry { term, index, kind: EntryKind::Commands, payload: payload(len, index as u8) }
}

pub(super) fn append(entries: Vec<Entry>) -> Raft {
    Raft {
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
        context: Bytes::new(),
        entries,
        priority: 0,
        request_snapshot: 0,
    }
}

pub(super) fn part(pieces: Vec<(u64, u32, Payload)>) -> Part {
    Part { group: GroupId(7), from: NodeNumber(1), snapshot: 40, lane: LaneId(3), pieces, gone: false }
}

pub(super) fn manifest(state: usize) -> Manifest {
    Manifest {
        index: 40,
        term: 5,
        time_ms: 1_000,
        members: Members::of_voters([1, 2, 3].map(NodeNumber)),
        state: payload(state, 1),
        extents: vec![Extent { lane: LaneId(3), first: 1, last: 9, bytes: 100, digest: 0xabcd }],
    }
}

pub(super) fn offer(state: usize) -> Offer {
    Offer {
        group: GroupId(7),
        from: NodeNumber(1),
        to: NodeNumber(2),
        term: 5,
        loss: 6,
        manifest: manifest(state),
    }
}

/// All messages of some frames, each of which is one.
pub(super) fn decode_all(frames: &[Outgoing]) -> Result<Vec<Message>, CodecError> {
    let mut decoder = Decoder::new();
    let mut all = Vec::new();
    for outgoing in frames {
        assert!(outgoing.frame.len() <= limits::FRAME_BYTES);
        match decoder.decode(&outgoing.frame)? {
            Received::Messages(messages) => all.extend(messages),
            Received::Nothing => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(decoder.held_bytes(), 0);
    Ok(all)
}

fn frame(kind: Kind, flags: Flags, aux: u32, id: u64, body: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    let len = (HEADER_BYTES + body.len()) as u32;
    FrameHeader { len, kind, flags, subject_len: 0, headers_len: 0, ext_len: 0, aux, id }.write(&mut out);
    out.extend_from_slice(body);
    out.freeze()
}

#[test]
fn messages_of_one_kind_share_a_frame() {
    let mut messages = Vec::new();
    for index in 1..=100 {
        messages.push(Message::Raft(append(vec![entry(index, 5, 100)])));
    }
    messages.push(Message::Pull(Pull {
        group: GroupId(1),
        from: NodeNumber(2),
        snapshot: 3,
        lane: LaneId(4),
        first: 5,
        last: 6,
        max_bytes: 7,
    }));
    messages.push(Message::Alive);
    let frames = encode(&messages).unwrap();
    let classes: Vec<Class> = frames.iter().map(|outgoing| outgoing.class).collect();
    assert_eq!(classes, [Class::Raft, Class::Raft, Class::Snapshot]);
    let decoded = decode_all(&frames).unwrap();
    assert_eq!(decoded.len(), messages.len());
    for message in messages {
        assert!(decoded.contains(&message));
    }
}

#[test]
fn a_frame_is_full_and_not_more() {
    // One message and a half of the room each.
    let per = ROOM / 2 - raft::HEAD_BYTES - raft::ENTRY_HEAD_BYTES;
    for (len, frames) in [(per, 1), (per + 1, 2)] {
        let messages = [append(vec![entry(10, 5, len)]), append(vec![entry(10, 5, len)])].map(Message::Raft);
        let encoded = encode(&messages).unwrap();
        assert_eq!(encoded.len(), frames, "{len}");
        assert_eq!(decode_all(&encoded).unwrap(), messages);
    }
}

#[test]
fn the_entries_of_an_append_are_cut_where_a_frame_is_full() {
    let entries: Vec<Entry> = (10..30).map(|index| entry(index, 5, 200_000)).collect();
    let whole = append(entries.clone());
    let frames = encode(&[Message::Raft(whole.clone())]).unwrap();
    assert_eq!(frames.len(), 4);
    let mut next = (whole.index, whole.log_term);
    let mut got = Vec::new();
    for message in decode_all(&frames).unwrap() {
        let Message::Raft(message) = message else { panic!() };
        assert_eq!((message.index, message.log_term), next);
        assert_eq!((message.term, message.commit), (whole.term, whole.commit));
        next = (message.entries.last().unwrap().index, 5);
        got.extend(message.entries);
    }
    assert_eq!(got, entries);
}

#[test]
fn a_message_that_is_no_append_is_never_cut() {
    let entries: Vec<Entry> = (10..30).map(|index| entry(index, 5, 200_000)).collect();
    let error = encode(&[Message::Raft(Raft { kind: 4, ..append(entries) })]).unwrap_err();
    assert_eq!(error.code(), Code::PeerFrameTooLarge);
}

#[test]
fn one_entry_that_no_frame_holds_goes_in_parts() {
    let fits = ROOM - raft::HEAD_BYTES - raft::ENTRY_HEAD_BYTES;
    for (len, frames) in [(fits, 1), (fits + 1, 2), (PAYLOAD_BYTES_MAX, 2)] {
        let message = Message::Raft(append(vec![entry(10, 5, len)]));
        let encoded = encode(std::slice::from_ref(&message)).unwrap();
        assert_eq!(encoded.len(), frames, "{len}");
        assert_eq!(decode_all(&encoded).unwrap(), [message]);
    }
    let error = encode(&[Message::Raft(append(vec![entry(10, 5, PAYLOAD_BYTES_MAX + 1)]))]).unwrap_err();
    assert_eq!(error.code(), Code::PeerFrameTooLarge);
}

#[test]
fn what_is_pushed_keeps_its_order_around_what_goes_in_parts() {
    let messages: Vec<Message> = [100, ROOM, 100, ROOM, 5]
        .into_iter()
        .enumerate()
        .map(|(at, len)| Message::Raft(append(vec![entry(10 + at as u64, 5, len)])))
        .collect();
    assert_eq!(decode_all(&encode(&messages).unwrap()).unwrap(), messages);
}

#[test]
fn manifests_and_parts_are_as_large_as_they_may_be() {
    for state in [0, 100, ROOM, 5 * ROOM] {
        let message = Message::Offer(offer(state));
        assert_eq!(decode_all(&encode(std::slice::from_ref(&message)).unwrap()).unwrap(), [message]);
    }
    let error = encode(&[Message::Offer(offer(MANIFEST_BYTES_MAX))]).unwrap_err();
    assert_eq!(error.code(), Code::PeerFrameTooLarge);

    let pieces =
        |count: usize, len: usize| (0..count).map(|at| (at as u64 + 1, 1, payload(len, 1))).collect();
    for (count, len) in [(0, 0), (3, 10), (2, 600_000), (1, PAYLOAD_BYTES_MAX), (2, PAYLOAD_BYTES_MAX)] {
        let message = Message::Part(part(pieces(count, len)));
        assert_eq!(decode_all(&encode(std::slice::from_ref(&message)).unwrap()).unwrap(), [message]);
    }
    for (count, len) in [(1, PAYLOAD_BYTES_MAX + 1), (4, PAYLOAD_BYTES_MAX)] {
        let error = encode(&[Message::Part(part(pieces(count, len)))]).unwrap_err();
        assert_eq!(error.code(), Code::PeerFrameTooLarge, "{count} {len}");
    }
}

#[test]
fn beats_beyond_a_frame_come_in_several() {
    let beat = |group| Beat {
        group: GroupId(group),
        term: 1,
        commit: 2,
        rests: group % 2 == 0,
        lost: false,
        read: 3,
    };
    for (count, frames) in [(0, 0), (1, 1), (beat::BEATS_MAX, 1), (beat::BEATS_MAX + 1, 2)] {
        let beats: Vec<Beat> = (0..count as u32).map(beat).collect();
        let encoded = encode(&[Message::Beat(beats.clone())]).unwrap();
        assert_eq!(encoded.len(), frames, "{count}");
        let mut got = Vec::new();
        for message in decode_all(&encoded).unwrap() {
            let Message::Beat(some) = message else { panic!() };
            got.extend(some);
        }
        assert_eq!(got, beats);
    }
}

#[test]
fn requests_between_nodes_come_back_whole() {
    for len in [0, 10, ROOM, FORWARD_BYTES_MAX] {
        let body = Bytes::from(vec![3; len]);
        let forward = Forward { id: 1, group: GroupId(2), timeout_ms: 3, kind: 0x52, body: body.clone() };
        let answer = Forwarded { id: 1, leader: Some(NodeNumber(3)), code: 7095, kind: 0x53, body };
        let mut encoder = Encoder::new();
        encoder.push_forward(&forward).unwrap();
        encoder.push_forwarded(&answer).unwrap();
        let mut decoder = Decoder::new();
        let mut got = Vec::new();
        for outgoing in encoder.finish() {
            assert_eq!(outgoing.class, Class::Request);
            match decoder.decode(&outgoing.frame).unwrap() {
                Received::Nothing => {}
                received => got.push(received),
            }
        }
        assert_eq!(got, [Received::Forward(forward), Received::Forwarded(answer)]);
    }
    let body = Bytes::from(vec![3; FORWARD_BYTES_MAX + 1]);
    let forward = Forward { id: 1, group: GroupId(2), timeout_ms: 3, kind: 0x52, body };
    assert_eq!(Encoder::new().push_forward(&forward).unwrap_err().code(), Code::PeerFrameTooLarge);
}

#[test]
fn large_payloads_are_slices_of_the_frame_and_small_ones_are_not() {
    for (len, is_slice) in [(SLICE_BYTES, true), (SLICE_BYTES - 1, false)] {
        let frames = encode(&[Message::Raft(append(vec![entry(10, 5, len)]))]).unwrap();
        let frame = &frames[0].frame;
        let Received::Messages(messages) = Decoder::new().decode(frame).unwrap() else { panic!() };
        let Message::Raft(message) = &messages[0] else { panic!() };
        let (start, at) = (frame.as_ptr() as usize, message.entries[0].payload.bytes().as_ptr() as usize);
        assert_eq!((start..start + frame.len()).contains(&at), is_slice, "{len}");
    }
}

fn a_part(offset: u32, total: u64, more: bool, bytes: &[u8]) -> Bytes {
    frame(Kind::Forward, if more { Flags::MORE } else { Flags::NONE }, offset, total, bytes)
}

#[test]
fn parts_that_can_not_be_end_the_link() {
    let max = body_bytes_max(Kind::Forward).unwrap() as u64;
    for (name, part, code) in [
        ("ends before it began", a_part(1, 1, false, b"a"), Code::PeerFrameMalformed),
        ("says it is whole and has a length", a_part(0, 1, false, b"a"), Code::PeerFrameMalformed),
        ("has nothing in it", a_part(0, 10, true, b""), Code::PeerFrameMalformed),
        ("is longer than the whole", a_part(0, 1, true, b"ab"), Code::PeerFrameMalformed),
        ("is the whole and goes on", a_part(0, 1, true, b"a"), Code::PeerFrameMalformed),
        ("goes beyond", a_part(2, 3, true, b"cd"), Code::PeerFrameMalformed),
        ("ends too soon", a_part(1, 3, false, b"b"), Code::PeerFrameMalformed),
        ("is of more than there may be", a_part(0, max + 1, true, b"a"), Code::PeerFrameTooLarge),
    ] {
        assert_eq!(Decoder::new().decode(&part).unwrap_err().code(), code, "{name}");
    }
    // The announcement alone reserves nothing.
    let mut decoder = Decoder::new();
    decoder.decode(&a_part(0, max, true, b"a")).unwrap();
    assert_eq!(decoder.held_bytes(), 1);
}

/// The frames of a request whose body needs three.
fn three_parts(fill: u8) -> (Received, Vec<Bytes>) {
    let body = Bytes::from(vec![fill; 2 * ROOM + 5]);
    let forward = Forward { id: 1, group: GroupId(2), timeout_ms: 3, kind: 0x52, body };
    let mut encoder = Encoder::new();
    encoder.push_forward(&forward).unwrap();
    let frames: Vec<Bytes> = encoder.finish().into_iter().map(|outgoing| outgoing.frame).collect();
    assert_eq!(frames.len(), 3);
    (Received::Forward(forward), frames)
}

#[test]
fn a_part_that_was_dropped_costs_its_body_and_nothing_else() {
    let (first, a) = three_parts(1);
    let (second, b) = three_parts(2);
    let whole = frame(Kind::Forward, Flags::NONE, 0, 0, &[0; 24]);
    // Which frames come, and what is read.
    for (frames, read) in [
        (vec![&a[0], &a[1], &a[2]], vec![&first]),
        (vec![&a[0], &a[2], &b[0], &b[1], &b[2]], vec![&second]),
        (vec![&a[1], &a[2], &b[0], &b[1], &b[2]], vec![&second]),
        (vec![&a[0], &b[0], &b[1], &b[2]], vec![&second]),
        (vec![&a[0], &a[0], &a[1], &a[2]], vec![&first]),
        (vec![&a[0], &a[1], &a[1], &a[2]], vec![]),
        // As long as the first one, and not taken for its rest.
        (vec![&a[0], &a[1], &b[2]], vec![]),
        (vec![&a[0], &a[1], &b[1], &b[2]], vec![]),
    ] {
        let mut decoder = Decoder::new();
        let mut found = Vec::new();
        for frame in frames.into_iter().chain([&whole]) {
            match decoder.decode(frame).unwrap() {
                Received::Nothing => {}
                received => found.push(received),
            }
        }
        found.pop().unwrap();
        assert_eq!(found.iter().collect::<Vec<_>>(), read);
        assert_eq!(decoder.held_bytes(), 0);
    }
}

#[test]
fn a_body_in_parts_has_its_checksum() {
    let (_, mut frames) = three_parts(1);
    let mut last = frames[2].to_vec();
    *last.last_mut().unwrap() ^= 1;
    frames[2] = Bytes::from(last);
    let mut decoder = Decoder::new();
    let read: Vec<_> = frames.iter().map(|frame| decoder.decode(frame)).collect();
    assert_eq!(read[2].as_ref().unwrap_err().code(), Code::PayloadDamaged);
}

#[test]
fn frames_of_other_planes_and_with_other_parts_are_refused() {
    for kind in Kind::ALL.iter().copied().filter(|kind| body_bytes_max(*kind).is_none()) {
        let error = Decoder::new().decode(&frame(kind, Flags::NONE, 0, 0, b"")).unwrap_err();
        assert_eq!(error, CodecError::Kind(kind));
    }
    let whole = frame(Kind::Alive, Flags::NONE, 0, 0, b"");
    for bytes in [whole.slice(..whole.len() - 1), Bytes::from([&whole[..], b"x"].concat())] {
        assert_eq!(Decoder::new().decode(&bytes).unwrap_err().code(), Code::PeerFrameMalformed);
    }
    let error = Decoder::new().decode(&frame(Kind::Alive, Flags::NONE, 0, 0, b"x")).unwrap_err();
    assert_eq!(error.code(), Code::PeerFrameMalformed);
    let with_subject = {
        let mut out = BytesMut::new();
        let len = HEADER_BYTES as u32 + 1;
        let header = FrameHeader {
            len,
            kind: Kind::Alive,
            flags: Flags::NONE,
            subject_len: 1,
            headers_len: 0,
            ext_len: 0,
            aux: 0,
            id: 0,
        };
        header.write(&mut out);
        out.extend_from_slice(b"s");
        out.freeze()
    };
    assert_eq!(Decoder::new().decode(&with_subject).unwrap_err().code(), Code::PeerFrameMalformed);
}

#[test]
fn a_flipped_bit_in_a_payload_is_found() {
    let frames = encode(&[
        Message::Raft(append(vec![entry(10, 5, 100)])),
        Message::Part(part(vec![(1, 1, payload(50, 2))])),
    ])
    .unwrap();
    for outgoing in frames {
        let mut bytes = outgoing.frame.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        let error = Decoder::new().decode(&Bytes::from(bytes)).unwrap_err();
        assert_eq!(error.code(), Code::PayloadDamaged);
        assert!(!error.hint().is_empty() && !error.is_retryable());
    }
}

#[test]
fn contexts_are_bounded() {
    for (len, fits) in [(CONTEXT_BYTES_MAX, true), (CONTEXT_BYTES_MAX + 1, false)] {
        let message = Message::Raft(Raft { context: Bytes::from(vec![1; len]), ..append(vec![]) });
        match encode(std::slice::from_ref(&message)) {
            Ok(frames) => assert_eq!(decode_all(&frames).unwrap(), [message]),
            Err(error) => assert_eq!(error.code(), Code::PeerFrameTooLarge),
        }
        assert_eq!(
            encode(&[Message::Raft(Raft { context: Bytes::from(vec![1; len]), ..append(vec![]) })]).is_ok(),
            fits
        );
    }
}
