//! Certificates in words.

use std::time::{Duration, SystemTime};

use mesh_identity::authority::{Issue, Validity};
use mesh_identity::describe::{self, State};
use mesh_wire::code::Code;

use crate::place::{Place, name};

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[test]
fn as_a_script_reads_it() {
    let place = Place::demo();
    let validity = Some(Validity { not_before: at(2_000_000_000), not_after: at(2_000_086_400) });
    let names = vec!["a.example.com".to_owned(), "192.0.2.1".to_owned(), "2001:db8::1".to_owned()];
    place.issue(&Issue { validity, names, ..Issue::node(name("b")) });
    let all = describe::file(&place.file("node-b.pem"), at(2_000_000_400)).unwrap();
    let mut json = serde_json::to_value(&all).unwrap();
    let one = json[0].as_object_mut().unwrap();
    let serial = one.remove("serial").unwrap();
    assert_eq!(serial.as_str().unwrap().len(), 32);
    let fingerprint = one.remove("fingerprint_sha256").unwrap();
    assert_eq!(fingerprint.as_str().unwrap().split(':').count(), 32);
    assert!(one.remove("issuer").unwrap().as_str().unwrap().starts_with("O=demo, CN=Mesh CA "));
    assert_eq!(
        json,
        serde_json::json!([{
            "subject": "O=demo, CN=b",
            "identity": "spiffe://demo/node/b",
            "dns_names": ["a.example.com", "localhost"],
            "ip_addresses": ["192.0.2.1", "2001:db8::1", "127.0.0.1", "::1"],
            "uris": ["spiffe://demo/node/b"],
            "not_before": "2033-05-18T03:33:20Z",
            "not_after": "2033-05-19T03:33:20Z",
            "state": "valid",
            "seconds_left": 86_000,
            "is_ca": false,
            "key_usages": ["digitalSignature"],
            "extended_key_usages": ["serverAuth", "clientAuth"],
        }])
    );
}

#[test]
fn what_is_left_at_the_edges() {
    let place = Place::demo();
    let validity = Some(Validity { not_before: at(2_000_000_000), not_after: at(2_000_000_100) });
    place.issue(&Issue { validity, ..Issue::service(name("b")) });
    let state = |now| {
        let one = describe::file(&place.file("service-b.pem"), at(now)).unwrap().remove(0);
        (one.state, one.seconds_left)
    };
    assert_eq!(state(1_999_999_999), (State::NotYetValid, 101));
    assert_eq!(state(2_000_000_000), (State::Valid, 100));
    assert_eq!(state(2_000_000_100), (State::Valid, 0));
    assert_eq!(state(2_000_000_101), (State::Expired, -1));
}

#[test]
fn every_certificate_of_a_file_and_nothing_else() {
    let place = Place::demo();
    let now = SystemTime::now();
    place.write("all.pem", place.read("node-a.pem") + &place.read("ca.pem"));
    let all = describe::file(&place.file("all.pem"), now).unwrap();
    assert_eq!(all.iter().map(|one| one.is_ca).collect::<Vec<_>>(), [false, true]);
    let code = |file: &str| describe::file(&place.file(file), now).unwrap_err().code();
    assert_eq!(code("node-a.key"), Code::CertsMalformed);
    assert_eq!(code("nothing"), Code::CertsUnreadable);
    place.write("garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert_eq!(code("garbage"), Code::CertsMalformed);
}

#[test]
fn names_can_not_move_a_cursor() {
    let place = Place::demo();
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, "a\u{1b}[2Jb\nc");
    let key = rcgen::KeyPair::generate().unwrap();
    let der = params.self_signed(&key).unwrap();
    let one = describe::certificate(der.der(), SystemTime::now()).unwrap();
    assert!(one.subject.ends_with("CN=a\\u{1b}[2Jb\\nc"), "{}", one.subject);
    drop(place);
}
