use bytes::BytesMut;
use proptest::prelude::*;

use super::*;

fn encode(parts: &Parts<'_>) -> BytesMut {
    let mut out = BytesMut::new();
    parts.encode(&mut out).unwrap();
    out
}

fn sample() -> Parts<'static> {
    Parts {
        kind: Kind::Request,
        flags: Flags::IDEMPOTENT,
        aux: 2000,
        id: 0x0102_0304_0506_0708,
        ext: &[5, 1, 2],
        subject: b"a.b",
        headers: &[],
        body: b"hi",
    }
}

#[test]
fn golden_bytes() {
    let bytes = encode(&sample());
    assert_eq!(
        &bytes[..],
        [
            32, 0, 0, 0, 0x30, 0x40, 3, 0, 0, 0, 3, 0, 0xd0, 0x07, 0, 0, 8, 7, 6, 5, 4, 3, 2,
            1, // header
            5, 1, 2, b'a', b'.', b'b', b'h', b'i'
        ]
    );
}

#[test]
fn every_strict_prefix_is_incomplete() {
    let bytes = encode(&sample());
    for n in 0..bytes.len() {
        assert!(Frame::decode(&bytes[..n]).unwrap().is_none(), "{n} bytes");
    }
    let frame = Frame::decode(&bytes).unwrap().unwrap();
    assert_eq!(frame.subject(), b"a.b");
    assert_eq!(frame.body(), b"hi");
}

#[test]
fn lengths_are_judged_before_the_frame_is_there() {
    let with_len = |len: u32| Frame::decode(&len.to_le_bytes()).map(|f| f.is_some());
    assert_eq!(with_len(23), Err(FrameError::Undersize(23)));
    assert_eq!(with_len(24), Ok(false));
    assert_eq!(with_len(limits::FRAME_BYTES as u32), Ok(false));
    assert_eq!(
        with_len(limits::FRAME_BYTES as u32 + 1),
        Err(FrameError::Oversize(limits::FRAME_BYTES as u32 + 1))
    );
    assert_eq!(with_len(u32::MAX), Err(FrameError::Oversize(u32::MAX)));
    assert_eq!(Frame::decode(&[24, 0, 0, 0, 0xff]).map(|_| ()), Err(FrameError::UnknownKind(0xff)));
}

#[test]
fn part_limits_hold_at_one_more_and_one_less() {
    let big = vec![b'x'; limits::FRAME_BYTES];
    let base = Parts::bare(Kind::Publish, 0);
    let mut out = BytesMut::new();
    for (ok, over) in [
        (
            Parts { subject: &big[..limits::SUBJECT_BYTES], ..base },
            Parts { subject: &big[..=limits::SUBJECT_BYTES], ..base },
        ),
        (
            Parts { headers: &big[..limits::HEADERS_BYTES], ..base },
            Parts { headers: &big[..=limits::HEADERS_BYTES], ..base },
        ),
        (Parts { ext: &big[..limits::EXT_BYTES], ..base }, Parts { ext: &big[..=limits::EXT_BYTES], ..base }),
        (Parts { body: &big[HEADER_BYTES..], ..base }, Parts { body: &big[HEADER_BYTES - 1..], ..base }),
    ] {
        out.clear();
        ok.encode(&mut out).unwrap();
        assert!(Frame::decode(&out).unwrap().is_some());
        let before = out.clone();
        assert!(over.encode(&mut out).is_err());
        assert_eq!(out, before, "a refused frame leaves nothing behind");
    }
}

#[test]
fn a_decoder_refuses_what_the_encoder_would_not_write() {
    let mut bytes = encode(&Parts { body: &[0; 600], ..sample() });
    let mut with_u16 = |at: usize, value: u16| {
        let was = [bytes[at], bytes[at + 1]];
        bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
        let result = Frame::decode(&bytes).map(|_| ());
        bytes[at..at + 2].copy_from_slice(&was);
        result
    };
    assert_eq!(with_u16(6, 256), Ok(()));
    assert_eq!(with_u16(6, 257), Err(FrameError::SubjectTooLong(257)));
    assert_eq!(with_u16(8, 16 * 1024 + 1), Err(FrameError::HeadersTooLarge(16 * 1024 + 1)));
    assert_eq!(with_u16(10, 1025), Err(FrameError::ExtTooLarge(1025)));
    assert!(matches!(with_u16(8, 603), Err(FrameError::PartsOverflow { parts: 609, room: 606 })));
}

#[test]
fn kinds_round_trip_and_unknown_ones_do_not() {
    for &kind in Kind::ALL {
        assert_eq!(Kind::from_byte(kind as u8), Some(kind));
    }
    let known = (0..=255u8).filter(|&b| Kind::from_byte(b).is_some()).count();
    assert_eq!(known, Kind::ALL.len());
}

#[test]
fn forwarding_changes_the_head_only() {
    let bytes = encode(&sample());
    let frame = Frame::decode(&bytes).unwrap().unwrap();
    let mut out = BytesMut::new();
    frame.append_as(&mut out, Kind::Call, Flags::NONE, 7, 9);
    let sent = Frame::decode(&out).unwrap().unwrap();
    assert_eq!((sent.kind(), sent.flags(), sent.aux(), sent.id()), (Kind::Call, Flags::NONE, 7, 9));
    assert_eq!(out[HEADER_BYTES..], bytes[HEADER_BYTES..]);
}

proptest! {
    #[test]
    fn round_trip(
        kind in 0..Kind::ALL.len(), flags: u8, aux: u32, id: u64,
        ext in proptest::collection::vec(any::<u8>(), 0..64),
        subject in proptest::collection::vec(any::<u8>(), 0..256),
        headers in proptest::collection::vec(any::<u8>(), 0..512),
        body in proptest::collection::vec(any::<u8>(), 0..2048),
    ) {
        let parts = Parts {
            kind: Kind::ALL[kind], flags: Flags::from_bits(flags), aux, id,
            ext: &ext, subject: &subject, headers: &headers, body: &body,
        };
        let bytes = encode(&parts);
        prop_assert_eq!(bytes.len(), parts.encoded_len());
        let frame = Frame::decode(&bytes).unwrap().unwrap();
        let got = frame.parts();
        prop_assert_eq!(encode(&got), bytes.clone());
        prop_assert_eq!(frame.subject(), &subject[..]);
        prop_assert_eq!(frame.headers(), &headers[..]);
        prop_assert_eq!(frame.ext(), &ext[..]);
        prop_assert_eq!(frame.body(), &body[..]);
    }

    #[test]
    fn any_bytes_are_judged_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
        if let Ok(Some(frame)) = Frame::decode(&bytes) {
            prop_assert!(frame.len() <= bytes.len());
            prop_assert_eq!(HEADER_BYTES + frame.ext().len() + frame.subject().len()
                + frame.headers().len() + frame.body().len(), frame.len());
        }
    }
}
