use super::*;

const TEXT: &str = r#"{"id":"n1","instance":"01010101-0101-0101-0101-010101010101","directory":"02020202-0202-0202-0202-020202020202","addresses":["node-1.example:7401","[2001:db8::7]:7401"],"zone":"eu-1","role":"core","versions":{"build":"0.1.0","wire":[1,3],"level":2},"started_ms":7}"#;

fn record() -> Record {
    Record {
        directory: Some(Uuid([2; 16])),
        addresses: vec![authority("node-1.example:7401"), authority("[2001:db8::7]:7401")],
        zone: Some(Name::new("eu-1").unwrap()),
        versions: Versions { build: "0.1.0".into(), wire_major: 1, wire_minor: 3, level: 2 },
        started_ms: 7,
        ..Record::new(Name::new("n1").unwrap(), Uuid([1; 16]), authority("a:1"))
    }
}

fn authority(text: &str) -> Authority {
    Authority::parse(text, 0).unwrap()
}

#[test]
fn its_text_is_this_one() {
    assert_eq!(String::from_utf8(record().encode().unwrap()).unwrap(), TEXT);
    assert_eq!(Record::decode(TEXT.as_bytes()), Ok(record()));
    let leaving = Record { leaving: true, cluster: Some(Uuid([3; 16])), role: Role::Edge, ..record() };
    assert_eq!(Record::decode(&leaving.encode().unwrap()), Ok(leaving));
}

#[test]
fn what_a_later_version_adds_is_no_error_and_what_is_missing_has_its_default() {
    let later = TEXT.replace("\"role\":\"core\"", "\"role\":\"witness\",\"weight\":{\"a\":[1]}");
    assert_eq!(Record::decode(later.as_bytes()), Ok(Record { role: Role::Other, ..record() }));
    let least = r#"{"id":"n1","instance":"01010101-0101-0101-0101-010101010101","addresses":["a:1"]}"#;
    let least = Record::decode(least.as_bytes()).unwrap();
    assert_eq!((least.role, least.zone, least.started_ms), (Role::Other, None, 0));
}

#[test]
fn what_is_no_record_is_refused_with_its_code() {
    for wrong in [
        "",
        "{}",
        "[]",
        "null",
        "\u{feff}{}",
        &TEXT[..TEXT.len() - 1],
        &TEXT.replace("n1", "N 1"),
        &TEXT.replace("0101-0101-", ""),
        &TEXT.replace("node-1.example:7401", "node-1.example"),
        &TEXT.replace("node-1.example:7401", "http://x"),
        &TEXT.replace("\"started_ms\":7", "\"started_ms\":-7"),
    ] {
        let error = Record::decode(wrong.as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::DiscoveryRecordInvalid, "{wrong}");
    }
}

#[test]
fn limits_hold_at_one_more_and_one_less() {
    let addresses = |count| Record { addresses: vec![authority("a:1"); count], ..record() }.encode();
    assert_eq!(addresses(0), Err(Error::Addresses(0)));
    assert!(addresses(ADDRESSES_MAX).is_ok());
    assert_eq!(addresses(ADDRESSES_MAX + 1), Err(Error::Addresses(ADDRESSES_MAX + 1)));
    let version = |length| {
        let versions = Versions { build: "v".repeat(length), ..Versions::default() };
        Record { versions, ..record() }.encode()
    };
    assert!(version(VERSION_BYTES).is_ok());
    assert_eq!(version(VERSION_BYTES + 1), Err(Error::Version(VERSION_BYTES + 1)));
    let padded = |length: usize| Record::decode(format!("{TEXT:length$}").as_bytes());
    assert_eq!(padded(RECORD_BYTES), Ok(record()));
    assert_eq!(padded(RECORD_BYTES + 1), Err(Error::TooLong { bytes: RECORD_BYTES + 1 }));
}

#[test]
fn the_same_run_or_the_same_directory_is_the_same_node() {
    let other_run = Record { instance: Uuid([9; 16]), ..record() };
    assert!(record().is_same_node(&record()) && record().is_same_node(&other_run));
    let elsewhere = Record { directory: Some(Uuid([8; 16])), ..other_run.clone() };
    assert!(!record().is_same_node(&elsewhere));
    let edges = [record(), other_run].map(|node| Record { directory: None, ..node });
    assert!(!edges[0].is_same_node(&edges[1]), "no directory is not the same directory");
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_a_record_or_an_error(bytes in proptest::collection::vec(0_u8..255, 0..300)) {
        if let Ok(record) = Record::decode(&bytes) {
            proptest::prop_assert_eq!(Record::decode(&record.encode().unwrap()), Ok(record));
        }
    }
}
