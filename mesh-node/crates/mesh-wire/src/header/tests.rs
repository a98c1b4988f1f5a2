use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::code::Code;
use crate::limits;

/// Every type once, byte by byte as a client in another language must write it.
const GOLDEN: &[u8] = b"\x00\x01\x00\x00n\
    \x01\x02\x03\x00by\x00\xff\x80\
    \x02\x01\x03\x00s\xe2\x82\xac\
    \x03\x01\x08\x00i\xfe\xff\xff\xff\xff\xff\xff\xff\
    \x04\x01\x08\x00u\x08\x07\x06\x05\x04\x03\x02\x01\
    \x05\x01\x08\x00f\x00\x00\x00\x00\x00\x00\xf8\x3f\
    \x06\x01\x01\x00b\x01\
    \x07\x01\x08\x00t\x00\x68\xe5\xcf\x8b\x01\x00\x00\
    \x83\x01\x02\x00o\x01\x02\
    \x02\x01\x01\x00s2";

fn golden_values() -> Vec<(&'static str, Value<'static>)> {
    vec![
        ("n", Value::Null),
        ("by", Value::Bytes(b"\x00\xff\x80")),
        ("s", Value::Str("€")),
        ("i", Value::I64(-2)),
        ("u", Value::U64(0x0102_0304_0506_0708)),
        ("f", Value::F64(1.5)),
        ("b", Value::Bool(true)),
        ("t", Value::Timestamp(1_700_000_000_000)),
        ("o", Value::Opaque(0x83, b"\x01\x02")),
        ("s", Value::Str("2")),
    ]
}

fn build(pairs: &[(&str, Value<'_>)]) -> Headers {
    let mut builder = HeadersBuilder::new();
    for (name, value) in pairs {
        builder.push(name, *value).unwrap();
    }
    builder.build()
}

#[test]
fn golden_bytes_both_ways() {
    let built = build(&golden_values());
    assert_eq!(&built.as_bytes()[..], GOLDEN);
    let parsed = Headers::parse(Bytes::from_static(GOLDEN)).unwrap();
    assert_eq!(parsed, built);
    assert_eq!(parsed.iter().collect::<Vec<_>>(), golden_values());
    assert_eq!(parsed.len(), 10);
}

#[test]
fn lookup_is_ordered_multi_valued_and_case_sensitive() {
    let headers = build(&golden_values());
    assert_eq!(headers.get("s"), Some(Value::Str("€")));
    assert_eq!(headers.get_all("s").collect::<Vec<_>>(), [Value::Str("€"), Value::Str("2")]);
    assert_eq!(headers.get("S"), None);
    assert_eq!(headers.get(""), None);
    assert_eq!(headers.get_all("absent").count(), 0);
    assert_eq!(headers.iter().len(), 10);
}

#[test]
fn nothing_is_valid() {
    assert_eq!(validate(b""), Ok(0));
    assert!(Headers::parse(Bytes::new()).unwrap().is_empty());
    assert_eq!(Headers::new(), HeadersBuilder::new().build());
}

#[test]
fn malformed_headers_are_named() {
    let cases: &[(&[u8], HeaderError)] = &[
        (b"\x00", HeaderError::Truncated { at: 0 }),
        (b"\x00\x01\x00", HeaderError::Truncated { at: 0 }),
        (b"\x00\x01\x00\x00", HeaderError::Truncated { at: 0 }),
        (b"\x01\x01\x02\x00na", HeaderError::Truncated { at: 0 }),
        (b"\x00\x01\x00\x00n\x00\x01", HeaderError::Truncated { at: 5 }),
        (b"\x01\x01\xff\xffn", HeaderError::Truncated { at: 0 }),
        (b"\x00\x00\x00\x00", HeaderError::EmptyName),
        (b"\x00\x01\x00\x00\xff", HeaderError::NameNotUtf8),
        (b"\x00\x01\x00\x00\n", HeaderError::NameControl),
        (b"\x00\x01\x00\x00\x7f", HeaderError::NameControl),
        (b"\x00\x02\x00\x00\xc2\x85", HeaderError::NameControl),
        (b"\x02\x01\x01\x00n\xff", HeaderError::ValueNotUtf8),
        (b"\x00\x01\x01\x00n\x00", HeaderError::ValueLength { kind: 0, expected: 0, actual: 1 }),
        (b"\x03\x01\x07\x00n1234567", HeaderError::ValueLength { kind: 3, expected: 8, actual: 7 }),
        (b"\x04\x01\x09\x00n123456789", HeaderError::ValueLength { kind: 4, expected: 8, actual: 9 }),
        (b"\x05\x01\x00\x00n", HeaderError::ValueLength { kind: 5, expected: 8, actual: 0 }),
        (b"\x07\x01\x04\x00n1234", HeaderError::ValueLength { kind: 7, expected: 8, actual: 4 }),
        (b"\x06\x01\x00\x00n", HeaderError::ValueLength { kind: 6, expected: 1, actual: 0 }),
        (b"\x06\x01\x01\x00n\x02", HeaderError::NotBool { value: 2 }),
        (b"\x08\x01\x00\x00n", HeaderError::ReservedType { kind: 8 }),
        (b"\x7f\x01\x00\x00n", HeaderError::ReservedType { kind: 127 }),
    ];
    for (bytes, expected) in cases {
        assert_eq!(validate(bytes), Err(*expected), "{bytes:x?}");
        assert_eq!(HeadersRef::parse(bytes), Err(*expected), "{bytes:x?}");
        assert_eq!(expected.code(), Code::HeaderMalformed);
        assert!(!expected.is_retryable());
    }
}

#[test]
fn first_opaque_type_is_carried() {
    assert_eq!(validate(b"\x80\x01\x00\x00n"), Ok(1));
    let mut builder = HeadersBuilder::new();
    builder.push("n", Value::Opaque(128, b"")).unwrap();
    assert_eq!(builder.push("n", Value::Opaque(127, b"")), Err(HeaderError::ReservedType { kind: 127 }));
    assert_eq!(builder.len(), 1);
}

#[test]
fn count_limit() {
    let mut builder = HeadersBuilder::new();
    for _ in 0..limits::HEADERS {
        builder.push("n", ()).unwrap();
    }
    assert_eq!(builder.push("n", ()), Err(HeaderError::TooMany));
    assert_eq!(HeaderError::TooMany.code(), Code::TooManyHeaders);
    let mut bytes = builder.build().into_bytes().to_vec();
    assert_eq!(validate(&bytes), Ok(limits::HEADERS));
    bytes.extend_from_slice(b"\x00\x01\x00\x00n");
    assert_eq!(validate(&bytes), Err(HeaderError::TooMany));
}

#[test]
fn size_limit() {
    let room = limits::HEADERS_BYTES - HEADER_PREFIX_BYTES - 1;
    let full = vec![7; room + 1];
    let mut builder = HeadersBuilder::new();
    assert_eq!(builder.push("n", &full), Err(HeaderError::TooLarge { bytes: limits::HEADERS_BYTES + 1 }));
    assert!(builder.is_empty());
    builder.push("n", &full[..room]).unwrap();
    assert_eq!(builder.push("n", ()).unwrap_err().code(), Code::HeadersTooLarge);
    let mut bytes = builder.build().into_bytes().to_vec();
    assert_eq!(validate(&bytes), Ok(1));
    bytes[2..4].copy_from_slice(&u16::try_from(room + 1).unwrap().to_le_bytes());
    bytes.push(7);
    assert_eq!(validate(&bytes), Err(HeaderError::TooLarge { bytes: limits::HEADERS_BYTES + 1 }));
    let beyond_u16 = vec![0; usize::from(u16::MAX) + 1];
    assert!(matches!(HeadersBuilder::new().push("n", &beyond_u16), Err(HeaderError::TooLarge { .. })));
}

#[test]
fn name_limit() {
    let longest = "x".repeat(HEADER_NAME_BYTES);
    let mut builder = HeadersBuilder::new();
    builder.push(&longest, true).unwrap();
    assert_eq!(builder.push(&format!("{longest}x"), true), Err(HeaderError::NameTooLong { bytes: 256 }));
    assert_eq!(builder.push("", true), Err(HeaderError::EmptyName));
    assert_eq!(builder.push("a\tb", true), Err(HeaderError::NameControl));
    assert_eq!(builder.build().get(&longest), Some(Value::Bool(true)));
}

#[test]
fn extend_takes_all_or_none() {
    let many = build(&[("n", Value::Null); 40]);
    let mut builder = many.to_builder();
    assert_eq!(builder.extend(many.as_view()), Err(HeaderError::TooMany));
    assert_eq!(builder.len(), 40);
    builder.extend(build(&[("last", Value::U64(1))]).as_view()).unwrap();
    let headers = builder.build();
    assert_eq!((headers.len(), validate(headers.as_bytes())), (41, Ok(41)));
    assert_eq!(headers.get("last"), Some(Value::U64(1)));
}

#[test]
fn values_convert_where_they_fit() {
    assert_eq!(Value::from(7_i64).as_u64(), Some(7));
    assert_eq!(Value::from(-7_i64).as_u64(), None);
    assert_eq!(Value::from(u64::MAX).as_i64(), None);
    assert_eq!(Value::from("x").as_bytes(), Some(&b"x"[..]));
    assert_eq!(Value::from("x").as_i64(), None);
    assert_eq!(Value::Timestamp(5).as_timestamp_ms(), Some(5));
    assert_eq!(Value::from(b"\x00\xab").to_string(), "0x00ab");
    assert_eq!(format!("{:?}", build(&[("a", Value::Bool(true))])), r#"{"a": Bool(true)}"#);
}

/// An owned value, so that a strategy can make it.
#[derive(Debug, Clone)]
enum Owned {
    Null,
    Bytes(Vec<u8>),
    Str(String),
    I64(i64),
    U64(u64),
    F64(u64),
    Bool(bool),
    Timestamp(i64),
    Opaque(u8, Vec<u8>),
}

impl Owned {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::Str(text) => Value::Str(text),
            Self::I64(number) => Value::I64(*number),
            Self::U64(number) => Value::U64(*number),
            Self::F64(bits) => Value::F64(f64::from_bits(*bits)),
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Timestamp(ms) => Value::Timestamp(*ms),
            Self::Opaque(kind, bytes) => Value::Opaque(*kind, bytes),
        }
    }
}

fn owned() -> impl Strategy<Value = Owned> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    prop_oneof![
        Just(Owned::Null),
        bytes().prop_map(Owned::Bytes),
        ".{0,60}".prop_map(Owned::Str),
        any::<i64>().prop_map(Owned::I64),
        any::<u64>().prop_map(Owned::U64),
        any::<u64>().prop_map(Owned::F64),
        any::<bool>().prop_map(Owned::Bool),
        any::<i64>().prop_map(Owned::Timestamp),
        (128..=255_u8, bytes()).prop_map(|(kind, bytes)| Owned::Opaque(kind, bytes)),
    ]
}

/// NaN differs from itself, so floating-point numbers are compared by their bits.
fn same(a: &Value<'_>, b: &Value<'_>) -> bool {
    match (a, b) {
        (Value::F64(a), Value::F64(b)) => a.to_bits() == b.to_bits(),
        (a, b) => a == b,
    }
}

proptest! {
    #[test]
    fn round_trip(pairs in prop::collection::vec(("[^\\p{Cc}]{1,20}", owned()), 0..=limits::HEADERS)) {
        let mut builder = HeadersBuilder::new();
        let mut kept = Vec::new();
        for (name, value) in &pairs {
            if builder.push(name, value.value()).is_ok() {
                kept.push((name.as_str(), value.value()));
            }
        }
        let headers = builder.build();
        let parsed = Headers::parse(headers.as_bytes().clone()).unwrap();
        prop_assert_eq!(parsed.len(), kept.len());
        for ((name, value), (kept_name, kept_value)) in parsed.iter().zip(&kept) {
            prop_assert_eq!(name, *kept_name);
            prop_assert!(same(&value, kept_value), "{:?} {:?}", value, kept_value);
        }
        for (name, _) in &kept {
            prop_assert_eq!(parsed.get_all(name).count(), kept.iter().filter(|(other, _)| other == name).count());
        }
    }

    #[test]
    fn whatever_validates_reads_and_encodes_the_same(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(headers) = HeadersRef::parse(&bytes) {
            let mut builder = HeadersBuilder::new();
            for (name, value) in headers {
                builder.push(name, value).unwrap();
            }
            prop_assert_eq!(builder.as_view().as_bytes(), &bytes[..]);
        }
    }

    #[test]
    fn a_damaged_byte_never_panics(at in 0..GOLDEN.len(), byte: u8) {
        let mut bytes = GOLDEN.to_vec();
        bytes[at] = byte;
        if let Ok(headers) = HeadersRef::parse(&bytes) {
            prop_assert_eq!(headers.iter().count(), headers.len());
        }
    }
}
