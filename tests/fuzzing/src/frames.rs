//! The stream of frames on a link.

use bytes::BytesMut;
use mesh_wire::ext::ExtBuilder;
use mesh_wire::frame::{Flags, Frame, FrameError, HEADER_BYTES, Kind, Parts};
use mesh_wire::limits;

/// Reads frames from the front of `data` as a link does, until one is refused or not whole.
pub fn target(data: &[u8]) {
    let mut rest = data;
    loop {
        match Frame::decode(rest) {
            Ok(Some(frame)) => {
                check_frame(&frame, &rest[..frame.len()]);
                rest = &rest[frame.len()..];
            }
            Ok(None) => return check_incomplete(rest),
            Err(error) => return check_refused(rest, error),
        }
    }
}

fn check_frame(frame: &Frame<'_>, bytes: &[u8]) {
    assert!((HEADER_BYTES..=limits::FRAME_BYTES).contains(&frame.len()));
    assert!(frame.subject().len() <= limits::SUBJECT_BYTES);
    assert!(frame.headers().len() <= limits::HEADERS_BYTES);
    assert!(frame.ext().len() <= limits::EXT_BYTES);
    let parts = [frame.ext(), frame.subject(), frame.headers(), frame.body()].concat();
    assert_eq!(parts, &bytes[HEADER_BYTES..]);
    assert_eq!(frame.body(), &bytes[frame.body_offset()..]);

    let mut again = BytesMut::new();
    frame.parts().encode(&mut again).expect("what was decoded can be encoded");
    assert_eq!(again, bytes);
    again.clear();
    frame.append_as(&mut again, frame.kind(), frame.flags(), frame.aux(), frame.id());
    assert_eq!(again, bytes);
    for cut in [0, 4, 5, HEADER_BYTES - 1, HEADER_BYTES, bytes.len() - 1] {
        if cut < bytes.len() {
            assert!(matches!(Frame::decode(&bytes[..cut]), Ok(None)), "{cut} bytes of a good frame");
        }
    }
}

/// What is not whole becomes a frame when the rest comes, or its header is refused by then at the latest.
fn check_incomplete(bytes: &[u8]) {
    assert!(bytes.len() < limits::FRAME_BYTES, "no frame makes a reader wait for more");
    if bytes.len() < HEADER_BYTES {
        return;
    }
    let len = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
    let mut whole = bytes.to_vec();
    whole.resize(len, 0);
    assert!(matches!(Frame::decode(&whole), Ok(Some(frame)) if frame.len() == len));
}

/// A refusal is final: no bytes that follow can make it good.
fn check_refused(bytes: &[u8], error: FrameError) {
    assert!(!error.code().hint().is_empty());
    let more = [bytes, &[0; HEADER_BYTES]].concat();
    assert!(Frame::decode(&more).is_err());
}

/// One frame of each kind, a whole conversation, and the largest parts.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut ext = ExtBuilder::new();
    ext.push_chunk(1, 70_000)
        .and_then(|ext| ext.push_u32(mesh_wire::ext::Tag::REPLY_CREDIT, 8))
        .expect("fits");
    let encode = |parts: Parts<'_>| {
        let mut out = BytesMut::new();
        parts.encode(&mut out).expect("a seed is valid");
        out.to_vec()
    };
    let full = Parts {
        kind: Kind::Request,
        flags: Flags::IDEMPOTENT.with(Flags::MORE),
        aux: 2_000,
        id: 7 << 32 | 9,
        ext: ext.as_bytes(),
        subject: b"orders.eu.get",
        headers: b"\x02\x01\x01\x00ab",
        body: b"body",
    };
    let mut seeds: Vec<Vec<u8>> =
        Kind::ALL.iter().map(|kind| encode(Parts { kind: *kind, ..Parts::bare(*kind, 3) })).collect();
    seeds.push(encode(full));
    seeds.push(seeds.concat());
    seeds.push(encode(Parts { subject: &[b'a'; limits::SUBJECT_BYTES], ..full }));
    seeds.push(encode(Parts { ext: &[0; limits::EXT_BYTES], ..full }));
    seeds
}
