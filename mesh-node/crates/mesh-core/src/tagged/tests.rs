use proptest::prelude::*;

use super::*;

fn sample() -> Fields {
    Fields::new()
        .number(1, 300)
        .bytes(2, &b"\x00\xff"[..])
        .text(3, "née")
        .record(4, Fields::new().number(1, 0))
        .numbers(9, [1, u64::MAX])
}

#[test]
fn golden() {
    let bytes = sample().encode();
    let golden: &[u8] = &[
        4, 0xac, 2, // number 300
        9, 2, 0, 0xff, // bytes
        14, 4, b'n', 0xc3, 0xa9, b'e', // text
        19, 2, 4, 0, // record
        36, 1, // list of numbers
        36, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
    ];
    assert_eq!(&bytes[..], golden);
    assert_eq!(Fields::decode(&bytes), Ok(sample()));
}

#[test]
fn what_is_not_taken_is_left() {
    let mut fields = sample();
    assert_eq!(fields.take_number(1), Ok(300));
    assert_eq!(fields.take_numbers(9), Ok(vec![1, u64::MAX]));
    assert_eq!(fields.take_number(3), Err(Error::Unfit { tag: 3 }));
    assert_eq!(fields.find_number(1), Ok(None));
    assert_eq!(fields.take_number(1), Err(Error::Missing { tag: 1 }));
    let written = Fields::new().number(5, 5).number(1, 1).with_rest(&fields);
    assert_eq!(
        written,
        Fields::new()
            .number(1, 1)
            .bytes(2, &b"\x00\xff"[..])
            .record(4, Fields::new().number(1, 0))
            .number(5, 5)
    );
}

#[test]
fn one_form_only() {
    let cases: &[(&[u8], Error)] = &[
        (&[4], Error::Truncated),
        (&[9, 3, 0, 0], Error::Truncated),
        (&[9, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], Error::Truncated),
        (&[4, 0x80, 0], Error::Number),
        (&[4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], Error::Number),
        (&[4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], Error::Number),
        (&[10, 1, 0xff], Error::Text),
        (&[8, 1, 4, 1], Error::Tag { tag: 1 }),
    ];
    for (bytes, expected) in cases {
        assert_eq!(Fields::decode(&Bytes::copy_from_slice(bytes)), Err(*expected), "{bytes:?}");
    }
}

#[test]
fn the_highest_tag() {
    let at = |tag: u64| {
        let mut bytes = Vec::new();
        varint(tag << 2, &mut bytes);
        bytes.push(7);
        Fields::decode(&bytes.into())
    };
    assert_eq!(at(TAG_MAX.into()), Ok(Fields::new().number(TAG_MAX, 7)));
    assert_eq!(at(u64::from(TAG_MAX) + 1), Err(Error::Tag { tag: u64::from(TAG_MAX) + 1 }));
}

#[test]
fn the_deepest_record() {
    let nested = |depth: usize| (0..depth).fold(Fields::new(), |inner, _| Fields::new().record(1, inner));
    assert!(Fields::decode(&nested(DEPTH_MAX).encode()).is_ok());
    assert_eq!(Fields::decode(&nested(DEPTH_MAX + 1).encode()), Err(Error::Depth));
}

pub(crate) fn any_fields() -> impl Strategy<Value = Fields> {
    let leaf = prop_oneof![
        any::<u64>().prop_map(Value::Number),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| Value::Bytes(bytes.into())),
        "\\PC{0,8}".prop_map(|text| Value::Text(text.into())),
    ];
    let value = leaf.prop_recursive(4, 32, 6, |inner| {
        prop::collection::vec((0..=TAG_MAX, inner), 0..6).prop_map(|fields| Value::Record(collect(fields)))
    });
    prop::collection::vec((0..200_u32, value), 0..12).prop_map(collect)
}

fn collect(fields: Vec<(u32, Value)>) -> Fields {
    let mut all = Fields::new();
    for (tag, value) in fields {
        all.put(tag, value);
    }
    all
}

proptest! {
    #[test]
    fn roundtrip(fields in any_fields()) {
        prop_assert_eq!(Fields::decode(&fields.encode()), Ok(fields));
    }

    #[test]
    fn arbitrary_bytes_have_one_form(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let bytes = Bytes::from(bytes);
        if let Ok(fields) = Fields::decode(&bytes) {
            prop_assert_eq!(fields.encode(), bytes);
        }
    }

    #[test]
    fn a_flipped_byte_never_panics(fields in any_fields(), at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let mut bytes = fields.encode().to_vec();
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            _ = Fields::decode(&bytes.into());
        }
    }
}
