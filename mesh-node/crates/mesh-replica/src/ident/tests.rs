use bytes::Bytes;
use mesh_core::tagged::{Error, Fields};
use mesh_log::directory::{Founders, Uuid};
use proptest::prelude::*;

use super::*;
use crate::id::NodeNumber;

fn ident() -> Ident {
    Ident {
        cluster: Some(Uuid(0x0102)),
        directory: Uuid(0x0304),
        number: Some(NodeNumber(5)),
        level: 6,
        cluster_level: 7,
        founders: None,
    }
}

fn uuid(low: [u8; 2]) -> Vec<u8> {
    [&[0; 14][..], &low].concat()
}

#[test]
fn golden_bytes() {
    let want = [
        &[1 << 2 | 1, 16][..],
        &uuid([1, 2]),
        &[2 << 2 | 1, 16],
        &uuid([3, 4]),
        &[3 << 2, 5, 4 << 2, 6, 5 << 2, 7],
    ]
    .concat();
    assert_eq!(ident().encode(), want);
    let new = Ident { cluster: None, number: None, ..ident() };
    let want = [&[2 << 2 | 1, 16][..], &uuid([3, 4]), &[4 << 2, 6, 5 << 2, 7]].concat();
    assert_eq!(new.encode(), want);
    assert_eq!(Ident::decode(&new.encode()), Ok(new.clone()));
    let founders = Founders { directories: vec![Uuid(0x0304), Uuid(0x0506)], begun: true };
    let founder = Ident { founders: Some(founders), ..new };
    let want = [&want[..], &[6 << 2 | 1, 32], &uuid([3, 4]), &uuid([5, 6]), &[7 << 2, 1]].concat();
    assert_eq!(founder.encode(), want);
    assert_eq!(Ident::decode(&founder.encode()), Ok(founder));

    let ask = Join::Ask { about: Bytes::from_static(b"ab") };
    assert_eq!(ask.encode(), &b"\x05\x02ab"[..]);
    let given = Join::Given { cluster: Uuid(0x0102), number: NodeNumber(5) };
    assert_eq!(given.encode(), [&[2 << 2 | 1, 16][..], &uuid([1, 2]), &[3 << 2, 5]].concat());
    let refused = Join::Refused { code: 7 };
    assert_eq!(refused.encode(), &[4 << 2, 7][..]);
    for join in [ask, given, refused] {
        assert_eq!(Join::decode(&join.encode()), Ok(join));
    }
}

#[test]
fn what_can_not_be_is_refused_and_what_is_new_passed_over() {
    let fields = || Fields::decode(&ident().encode()).unwrap();
    assert_eq!(Ident::decode(&fields().text(90, "new").encode()), Ok(ident()));
    for tag in [2, 4, 5] {
        let mut fields = fields();
        fields.take(tag).unwrap();
        assert_eq!(Ident::decode(&fields.encode()), Err(Error::Missing { tag }));
    }
    let with = |tag: u32, value: Fields| {
        let mut fields = fields();
        fields.take(tag).unwrap();
        Ident::decode(&fields.with_rest(&value).encode())
    };
    assert_eq!(with(2, Fields::new().bytes(2, vec![1; 15])), Err(Error::Unfit { tag: 2 }));
    assert_eq!(with(3, Fields::new().number(3, 0)), Err(Error::Unfit { tag: 3 }));
    for bytes in [0, 15, 17] {
        let founders = fields().bytes(6, vec![1; bytes]).number(7, 0);
        assert_eq!(Ident::decode(&founders.encode()), Err(Error::Unfit { tag: 6 }), "{bytes}");
    }
    assert_eq!(Ident::decode(&fields().bytes(6, vec![1; 16]).encode()), Err(Error::Missing { tag: 7 }));
    assert_eq!(with(4, Fields::new().number(4, 1 << 32)), Err(Error::Unfit { tag: 4 }));
    assert!(with(4, Fields::new().number(4, (1 << 32) - 1)).is_ok());
}

proptest! {
    #[test]
    fn anything_may_come(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let bytes = Bytes::from(bytes);
        drop((Ident::decode(&bytes), Join::decode(&bytes)));
    }
}
