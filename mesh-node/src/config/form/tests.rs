use std::fmt::Debug;
use std::time::Duration;

use super::*;

pub(super) fn text(text: &str) -> Raw {
    Raw::Text(text.to_owned())
}

pub(super) fn reads<F: Form>(form: &F, table: &[(Raw, Option<F::Value>)])
where
    F::Value: Debug + PartialEq,
{
    for (raw, value) in table {
        assert_eq!(form.read(raw).as_ref(), value.as_ref(), "{raw}; takes {}", form.describe());
        if let Some(value) = value {
            let document: toml::Table = format!("v = {}", form.write(value)).parse().unwrap();
            let again = match &document["v"] {
                toml::Value::Integer(number) => Raw::Integer(*number),
                toml::Value::Boolean(on) => Raw::Boolean(*on),
                toml::Value::String(text) => Raw::Text(text.clone()),
                toml::Value::Array(values) => Raw::List(
                    values
                        .iter()
                        .map(|value| match value {
                            toml::Value::Integer(number) => Raw::Integer(*number),
                            value => Raw::Text(value.as_str().unwrap().to_owned()),
                        })
                        .collect(),
                ),
                other => panic!("unexpected form {other}"),
            };
            assert_eq!(form.read(&again).as_ref(), Some(value), "written and read again");
        }
    }
}

#[test]
fn counts() {
    reads(
        &Count { min: 1, max: 64 },
        &[
            (Raw::Integer(0), None),
            (Raw::Integer(1), Some(1)),
            (text("64"), Some(64)),
            (text("65"), None),
            (Raw::Integer(-1), None),
            (text("many"), None),
            (text(""), None),
            (text("99999999999999999999"), None),
            (Raw::Boolean(true), None),
            (Raw::List(vec![Raw::Integer(1)]), None),
        ],
    );
}

#[test]
fn sizes() {
    reads(
        &Bytes { min: 1024, max: 64 << 20 },
        &[
            (Raw::Integer(1023), None),
            (Raw::Integer(1024), Some(1024)),
            (text("8MiB"), Some(8 << 20)),
            (text("8 MiB"), Some(8 << 20)),
            (text("64MiB"), Some(64 << 20)),
            (text("67108865"), None),
            (text("2kB"), Some(2000)),
            (text("2KB"), Some(2000)),
            (text("1500B"), Some(1500)),
            (text("1GB"), None),
            (text("8MB"), Some(8_000_000)),
            (text("8Mib"), None),
            (text("-1KiB"), None),
            (text("1.5MiB"), None),
            (text("99999999999GiB"), None),
            (text("KiB"), None),
        ],
    );
}

#[test]
fn times() {
    reads(
        &Time { min: Duration::ZERO, max: Duration::from_secs(60) },
        &[
            (text("off"), Some(Duration::ZERO)),
            (text("0"), Some(Duration::ZERO)),
            (Raw::Integer(0), Some(Duration::ZERO)),
            (text("50us"), Some(Duration::from_micros(50))),
            (text("1m"), Some(Duration::from_secs(60))),
            (text("60s 1ns"), None),
            (Raw::Integer(20), None),
            (text("20"), None),
            (text("soon"), None),
        ],
    );
    let bounded = Time { min: Duration::from_millis(10), max: Duration::from_secs(1) };
    reads(
        &bounded,
        &[
            (text("off"), None),
            (text("9ms 999us"), None),
            (text("10ms"), Some(bounded.min)),
            (text("1s"), Some(bounded.max)),
            (text("1s 1ms"), None),
        ],
    );
}

#[test]
fn modes() {
    reads(
        &Mode,
        &[
            (text("0600"), Some(0o600)),
            (text("660"), Some(0o660)),
            (text("0o666"), Some(0o666)),
            (Raw::Integer(0o660), Some(0o660)),
            (Raw::Integer(600), None),
            (Raw::Integer(660), None),
            (text("0777"), Some(0o777)),
            (text("1000"), None),
            (text("0400"), None),
            (text("0060"), None),
            (text("rw"), None),
        ],
    );
}

#[test]
fn lists() {
    let numbers = |numbers: &[i64]| Raw::List(numbers.iter().copied().map(Raw::Integer).collect());
    reads(
        &Ids { most: 2 },
        &[
            (text(""), Some(vec![])),
            (text("1000"), Some(vec![1000])),
            (text("1, 2"), Some(vec![1, 2])),
            (text("1,2,3"), None),
            (numbers(&[1, 2]), Some(vec![1, 2])),
            (numbers(&[1, 2, 3]), None),
            (numbers(&[-1]), None),
            (numbers(&[4_294_967_295]), Some(vec![u32::MAX])),
            (numbers(&[4_294_967_296]), None),
            (text("alice"), None),
            (Raw::Integer(1), None),
        ],
    );
    reads(
        &HostNames { most: 2 },
        &[
            (text("Node.Local"), Some(vec!["node.local".to_owned()])),
            (text("a,b"), Some(vec!["a".to_owned(), "b".to_owned()])),
            (text("a,b,c"), None),
            (text("a:80"), None),
            (text("a,,b"), None),
        ],
    );
}

#[test]
fn texts() {
    reads(
        &Directory { most: 4 },
        &[(text(""), None), (text("/a b"), Some("/a b".into())), (text("/a/bc"), None)],
    );
    reads(
        &Directory { most: 40 },
        &[(text("/\"quoted\"\\"), Some("/\"quoted\"\\".into())), (text("/a\0b"), None)],
    );
    let address = "127.0.0.1:7480".parse().unwrap();
    reads(
        &Address,
        &[
            (text("off"), Some(None)),
            (text("127.0.0.1:7480"), Some(Some(address))),
            (text("[::1]:0"), Some(Some("[::1]:0".parse().unwrap()))),
            (text("localhost:7480"), None),
            (text("7480"), None),
            (text("127.0.0.1:65536"), None),
            (Raw::Integer(7480), None),
        ],
    );
    assert!(Label.read(&text("edge-1")).is_some());
    assert!(Label.read(&text("Edge 1")).is_none());
    assert!(Filter.read(&text("info,mesh_node=debug")).is_some());
    assert!(Filter.read(&text("loud")).is_none());
    let format = Choice { of: &[mesh_telemetry::logging::Format::Json] };
    reads(&format, &[(text("json"), Some(format.of[0])), (text("xml"), None)]);
}

#[test]
fn names_that_need_not_be() {
    let name = |text: &str| mesh_wire::name::Name::new(text).unwrap();
    reads(
        &OptionalLabel,
        &[
            (text(""), Some(None)),
            (text("rack-1"), Some(Some(name("rack-1")))),
            (text("Rack 1"), None),
            (text(&"r".repeat(128)), Some(Some(name(&"r".repeat(128))))),
            (text(&"r".repeat(129)), None),
            (Raw::Integer(1), None),
        ],
    );
}
