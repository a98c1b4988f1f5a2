//! Message headers.

use bytes::Bytes;
use mesh_wire::header::{Headers, HeadersBuilder, HeadersRef, Value, validate};
use mesh_wire::limits;

/// Reads `data` as encoded headers.
pub fn target(data: &[u8]) {
    let parsed = HeadersRef::parse(data);
    assert_eq!(validate(data), parsed.map(|headers| headers.len()));
    let headers = match parsed {
        Ok(headers) => headers,
        Err(error) => {
            assert!(!error.hint().is_empty() && !error.is_retryable());
            return;
        }
    };
    assert!(headers.len() <= limits::HEADERS && data.len() <= limits::HEADERS_BYTES);
    assert_eq!((headers.iter().count(), headers.is_empty()), (headers.len(), data.is_empty()));
    let mut again = HeadersBuilder::new();
    for (name, value) in headers {
        assert!(!name.is_empty() && name.len() <= 255 && !name.chars().any(char::is_control));
        assert!(headers.get(name).is_some() && headers.get_all(name).count() > 0);
        again.push(name, value).expect("what was read can be written");
    }
    let again = again.build();
    assert_eq!(again.as_bytes(), data);
    let owned = Headers::parse(Bytes::copy_from_slice(data)).expect("borrowed and owned agree");
    assert_eq!((&owned, owned.as_view()), (&again, headers));
    assert_eq!(owned.to_builder().build(), again);
}

/// Every type, a name twice, as many as there may be, and one more.
pub fn seeds() -> Vec<Vec<u8>> {
    let values = [
        ("null", Value::Null),
        ("bytes", Value::Bytes(b"\x00\xff")),
        ("tenant", Value::Str("a")),
        ("tenant", Value::Str("€")),
        ("i", Value::I64(-1)),
        ("u", Value::U64(u64::MAX)),
        ("f", Value::F64(0.5)),
        ("b", Value::Bool(true)),
        ("t", Value::Timestamp(1_700_000_000_000)),
        ("o", Value::Opaque(200, b"xyz")),
        ("größe", Value::Null),
    ];
    let mut all = HeadersBuilder::new();
    let mut seeds = Vec::new();
    for (name, value) in values {
        all.push(name, value).expect("a seed is valid");
        seeds.push(
            HeadersBuilder::new().with(name, value).expect("a seed is valid").build().as_bytes().to_vec(),
        );
    }
    while all.push("n", 1_u64).is_ok() {}
    seeds.push(all.as_view().as_bytes().to_vec());
    seeds.push([all.as_view().as_bytes(), b"\x00\x01\x00\x00n"].concat());
    seeds
}
