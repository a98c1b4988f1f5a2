use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::{
    body::{BodyError, decode, encode},
    ext::{Ext, Tag},
    limits,
};

#[test]
fn golden_bytes_of_version_1() {
    let declare = DeclareV1 { sort: REGISTER, name: "r".into(), create: true };
    assert_eq!(encode(&declare).unwrap(), b"\x00\x01r\x01");
    assert_eq!(decode::<DeclareV1>(b"\x00\x01r\x01").unwrap(), declare);
    let declared = DeclaredV1 { lane: 300, group: 2, created: false };
    assert_eq!(encode(&declared).unwrap(), b"\xac\x02\x02\x00");
    assert_eq!(decode::<DeclaredV1>(b"\xac\x02\x02\x00").unwrap(), declared);

    let put_ok = PutOk { lane: 300, first: 1, count: 4096, duplicate: true };
    let want = *b"\x2c\x01\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\x10\0\0\x01";
    assert_eq!(put_ok.encode(), want);
    let fetch = Fetch { lane: 300, from: 1, max_bytes: 4096, linearizable: true };
    assert_eq!(fetch.encode(), want, "both have one layout");

    let mut fetched = FetchedBuilder::new(6);
    assert!(fetched.push(5, 2, b"ab") && fetched.push(7, 1, b"c"));
    let body = fetched.finish(9);
    assert_eq!(
        &body[..],
        b"\x08\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\
          \x05\0\0\0\0\0\0\0\x02\0\0\0\x02\0\0\0ab\
          \x07\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0c"
    );
    let fetched = Fetched::decode(&body).unwrap();
    assert_eq!((fetched.next, fetched.head, fetched.is_end(), fetched.pieces.len()), (8, 9, false, 2));
    assert_eq!(fetched.pieces[0], Piece { first: 5, count: 2, batch: Bytes::from_static(b"ab") });
}

#[test]
fn fixed_bodies_have_one_length_and_no_bytes_without_meaning() {
    let body = PutOk { lane: 1, first: 2, count: 3, duplicate: false }.encode();
    for n in 0..body.len() {
        assert_eq!(PutOk::decode(&body[..n]), Err(BodyError::Malformed), "{n} bytes");
        assert_eq!(Fetch::decode(&body[..n]), Err(BodyError::Malformed), "{n} bytes");
    }
    assert_eq!(PutOk::decode(&[&body[..], &[0]].concat()), Err(BodyError::Trailing(1)));
    let mut strange = body;
    strange[20] = 2;
    assert_eq!(Fetch::decode(&strange), Err(BodyError::Malformed));
}

#[test]
fn the_lane_of_a_put_is_an_entry_of_the_extension_area() {
    let ext = put_ext(0x0102);
    assert_eq!(ext, [12, 8, 2, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(Ext::parse_from_client(&ext).unwrap().lane(), Some(0x0102));
    assert_eq!(
        Ext::parse(&[Tag::LANE.0, 1, 0]).map(|_| ()).unwrap_err().code(),
        crate::code::Code::ExtMalformed
    );
    assert_eq!(Ext::default().lane(), None);
}

/// First number, count, length as it is said, bytes.
type Said<'a> = (u64, u32, u32, &'a [u8]);

#[test]
fn pieces_that_do_not_fit_are_refused() {
    let encode = |next: u64, pieces: &[Said<'_>]| {
        let mut body = [next.to_le_bytes(), 100_u64.to_le_bytes()].concat();
        for (first, count, len, bytes) in pieces {
            body.extend_from_slice(&first.to_le_bytes());
            body.extend_from_slice(&count.to_le_bytes());
            body.extend_from_slice(&len.to_le_bytes());
            body.extend_from_slice(bytes);
        }
        Fetched::decode(&body.into()).map(|fetched| fetched.pieces.len())
    };
    assert_eq!(encode(1, &[]), Ok(0));
    assert_eq!(encode(3, &[(1, 2, 1, b"a")]), Ok(1));
    let wrong: [(u64, &[Said<'_>], &str); 7] = [
        (2, &[(1, 2, 1, b"a")], "more than is said"),
        (9, &[(1, 0, 1, b"a")], "no records"),
        (9, &[(1, 2, 0, b"")], "no bytes"),
        (9, &[(1, 2, 2, b"a")], "fewer bytes than announced"),
        (9, &[(1, 2, u32::MAX, b"a")], "more than there can be"),
        (9, &[(1, 2, 1, b"a"), (4, 1, 1, b"b")], "a gap"),
        (9, &[(u64::MAX, 2, 1, b"a")], "numbers that end"),
    ];
    for (next, pieces, what) in wrong {
        assert_eq!(encode(next, pieces), Err(BodyError::Malformed), "{what}");
    }
}

#[test]
fn the_body_is_bounded() {
    let mut fetched = FetchedBuilder::new(1);
    let batch = vec![7; limits::BATCH_BYTES];
    assert!(!fetched.push(1, 1, &[&batch[..], &[0]].concat()), "no batch is so large");
    assert!(fetched.push(1, 1, &batch));
    assert!(!fetched.push(2, 1, &batch));
    let room = FETCHED_BYTES - 16 - 16 - limits::BATCH_BYTES - 16;
    assert!(!fetched.clone().push(2, 1, &batch[..room + 1]));
    assert!(fetched.push(2, 1, &batch[..room]));
    let body = fetched.finish(3);
    assert_eq!(body.len(), FETCHED_BYTES);
    let read = Fetched::decode(&body).unwrap();
    assert!(read.is_end() && read.pieces.len() == 2);
    let over =
        [&1_u64.to_le_bytes()[..], &2_u64.to_le_bytes(), &1_u64.to_le_bytes(), &1_u32.to_le_bytes()].concat();
    let over = [&over[..], &(limits::BATCH_BYTES as u32 + 1).to_le_bytes(), &batch, &[0]].concat();
    assert_eq!(Fetched::decode(&over.into()), Err(BodyError::Malformed), "no batch is so large");
    let longer = Bytes::from([&body[..], &[0]].concat());
    assert_eq!(Fetched::decode(&longer), Err(BodyError::TooLarge(FETCHED_BYTES + 1)));
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        from in 1_u64..1_000_000,
        batches in proptest::collection::vec((1_u32..100, proptest::collection::vec(any::<u8>(), 1..200)), 0..20),
    ) {
        let mut builder = FetchedBuilder::new(from);
        let (mut pieces, mut first) = (Vec::new(), from);
        for (count, batch) in batches {
            prop_assert!(builder.push(first, count, &batch));
            pieces.push(Piece { first, count, batch: batch.into() });
            first += u64::from(count);
        }
        let read = Fetched::decode(&builder.finish(first)).unwrap();
        prop_assert_eq!(read, Fetched { next: first, head: first, pieces });
    }

    #[test]
    fn any_bytes_are_judged_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
        let bytes = Bytes::from(bytes);
        if let Ok(fetched) = Fetched::decode(&bytes) {
            let held: usize = fetched.pieces.iter().map(|piece| piece.batch.len() + 16).sum();
            prop_assert_eq!(held + 16, bytes.len());
        }
        if let Ok(put_ok) = PutOk::decode(&bytes) {
            prop_assert_eq!(&put_ok.encode()[..], &bytes[..]);
        }
    }

    #[test]
    fn fixed_bodies_round_trip(a: u64, b: u64, c: u32, d: bool) {
        let put_ok = PutOk { lane: a, first: b, count: c, duplicate: d };
        prop_assert_eq!(PutOk::decode(&put_ok.encode()), Ok(put_ok));
        let fetch = Fetch { lane: a, from: b, max_bytes: c, linearizable: d };
        prop_assert_eq!(Fetch::decode(&fetch.encode()), Ok(fetch));
    }
}
