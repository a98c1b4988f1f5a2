//! Names, and the texts by which people name error codes.

use mesh_wire::code::Code;
use mesh_wire::limits;
use mesh_wire::name::Name;

/// Reads `data` as a name and as an error code.
pub fn target(data: &[u8]) {
    let allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(byte);
    let good = (1..=limits::NAME_BYTES).contains(&data.len()) && data.iter().all(allowed);
    let name = Name::check(data);
    assert_eq!(name.is_ok(), good, "{name:?}");
    assert!(name.is_err() || name.is_ok_and(|name| name.as_bytes() == data));

    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(code) = text.parse::<Code>() {
        let number = text.to_ascii_uppercase();
        let number = number.strip_prefix("MESH-").unwrap_or(&number).trim_start_matches('0');
        assert!(number == code.number().to_string() || number.eq_ignore_ascii_case(code.name()));
    }
}

/// Names, and codes as people write them.
pub fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> =
        ["orders", "a.b_c-9", "Orders", "a b", "MESH-1042", "mesh-3001", "1042", "no_responders"]
            .iter()
            .map(|text| text.as_bytes().to_vec())
            .collect();
    seeds.push(vec![b'a'; limits::NAME_BYTES]);
    seeds.push(vec![b'a'; limits::NAME_BYTES + 1]);
    seeds
}
