//! The bodies of the durable plane. The first byte says which one the others are.

use bytes::Bytes;
use mesh_wire::body;
use mesh_wire::durable::{
    DeclareV1, DeclaredV1, FETCHED_BYTES, Fetch, Fetched, FetchedBuilder, PutOk, REGISTER,
};

/// Reads `data` as a body.
pub fn target(data: &[u8]) {
    let Some((which, data)) = data.split_first() else { return };
    match which {
        0 => {
            let Ok(declare) = body::decode::<DeclareV1>(data) else { return };
            let again = body::encode(&declare).expect("what was read can be written");
            assert_eq!(body::decode(&again), Ok(declare));
        }
        1 => {
            let Ok(declared) = body::decode::<DeclaredV1>(data) else { return };
            let again = body::encode(&declared).expect("what was read can be written");
            assert_eq!(body::decode(&again), Ok(declared));
        }
        2 => {
            let (kept, fetch) = (PutOk::decode(data), Fetch::decode(data));
            assert_eq!(kept.is_ok(), fetch.is_ok(), "both have one layout");
            if let (Ok(kept), Ok(fetch)) = (kept, fetch) {
                assert_eq!((&kept.encode()[..], &fetch.encode()[..]), (data, data));
            }
        }
        _ => fetched(data),
    }
}

fn fetched(data: &[u8]) {
    let body = Bytes::copy_from_slice(data);
    let Ok(read) = Fetched::decode(&body) else { return };
    assert!(data.len() <= FETCHED_BYTES);
    // Nothing but what was there, and all of it.
    let held: usize = read.pieces.iter().map(|piece| 16 + piece.batch.len()).sum();
    assert_eq!(16 + held, data.len());
    let mut next = read.pieces.first().map_or(read.next, |piece| piece.first);
    let mut again = FetchedBuilder::new(read.next);
    for piece in &read.pieces {
        assert!(piece.count > 0 && piece.first == next && piece.end() <= read.next);
        next = piece.end();
        assert!(again.push(piece.first, piece.count, &piece.batch), "what was read can be written");
    }
    assert_eq!(again.finish(read.head), body);
}

/// Bodies of each sort.
pub fn seeds() -> Vec<Vec<u8>> {
    let with = |which: u8, body: &[u8]| [&[which], body].concat();
    let declare = DeclareV1 { sort: REGISTER, name: "audit".into(), create: true };
    let declared = DeclaredV1 { lane: 300, group: 2, created: false };
    let kept = PutOk { lane: 7, first: 41, count: 2, duplicate: false };
    let mut fetched = FetchedBuilder::new(42);
    assert!(fetched.push(41, 2, b"a batch") && fetched.push(43, 1, b"another"), "a seed is valid");
    vec![
        with(0, &body::encode(&declare).expect("a seed is valid")),
        with(1, &body::encode(&declared).expect("a seed is valid")),
        with(2, &kept.encode()),
        with(3, &fetched.finish(50)),
        with(3, &FetchedBuilder::new(1).finish(1)),
    ]
}
