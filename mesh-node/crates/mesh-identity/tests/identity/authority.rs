//! What the development CA writes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, SystemTime};

use mesh_identity::authority::{self, Error, Init, Issue, NAMES_MAX, Validity};
use mesh_identity::describe::{self, Description, State};
use mesh_identity::set::{CertSet, Source, Who};
use mesh_wire::code::Code;
use tempfile::TempDir;

use crate::place::{HOUR, Place, name};

fn describe(place: &Place, file: &str) -> Description {
    describe::file(&place.file(file), SystemTime::now()).unwrap().remove(0)
}

fn init(cluster: &str, force: bool) -> Init {
    Init { cluster: name(cluster), validity: None, force }
}

#[test]
fn certificates_are_as_documented() {
    let place = Place::demo();
    let (day, names) = (86_400, ["localhost", "127.0.0.1", "::1"]);
    let node = describe(&place, "node-a.pem");
    assert_eq!(node.identity.unwrap().to_string(), "spiffe://demo/node/a");
    let found: Vec<String> =
        node.dns_names.into_iter().chain(node.ip_addresses.iter().map(ToString::to_string)).collect();
    assert_eq!(found, names);
    assert_eq!(node.extended_key_usages, ["serverAuth", "clientAuth"]);
    assert_eq!(node.key_usages, ["digitalSignature"]);
    assert!((89 * day..=90 * day).contains(&node.seconds_left), "{}", node.seconds_left);
    assert!(!node.is_ca);
    let service = describe(&place, "service-mail.pem");
    assert_eq!(service.identity.unwrap().to_string(), "spiffe://demo/service/mail");
    assert_eq!((service.dns_names.len(), service.ip_addresses.len()), (0, 0));
    assert_eq!(service.extended_key_usages, ["clientAuth"]);
    let ca = describe(&place, "ca.pem");
    assert!(ca.is_ca && ca.identity.is_none());
    assert_eq!(ca.key_usages, ["keyCertSign", "cRLSign"]);
    assert!((3649 * day..=3650 * day).contains(&ca.seconds_left));
    assert_eq!((&service.issuer, &node.issuer), (&ca.subject, &ca.subject));
    // Dated back by a day.
    let yesterday = SystemTime::now() - Duration::from_secs(86_400 - 60);
    let before = SystemTime::now() - Duration::from_secs(86_400 + 60);
    for file in ["ca.pem", "node-a.pem", "service-mail.pem"] {
        let state = |now| describe::file(&place.file(file), now).unwrap()[0].state;
        assert_eq!((state(yesterday), state(before)), (State::Valid, State::NotYetValid), "{file}");
    }
}

#[test]
fn keys_are_for_their_owner_and_nothing_is_left_over() {
    let place = Place::demo();
    place.revoke("service-mail.pem");
    authority::rotate(place.path(), None).unwrap();
    let mut found: Vec<(String, u32)> = fs::read_dir(place.path())
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            (entry.file_name().into_string().unwrap(), mode)
        })
        .collect();
    found.sort();
    let expected = [
        ("ca.key", 0o600),
        ("ca.pem", 0o644),
        ("crl.pem", 0o644),
        ("node-a.key", 0o600),
        ("node-a.pem", 0o644),
        ("service-mail.key", 0o600),
        ("service-mail.pem", 0o644),
    ];
    assert_eq!(found, expected.map(|(name, mode)| (name.to_owned(), mode)));
}

#[test]
fn nothing_is_overwritten_without_force() {
    let place = Place::demo();
    let before =
        [place.read("ca.pem"), place.read("ca.key"), place.read("node-a.pem"), place.read("node-a.key")];
    let now =
        || [place.read("ca.pem"), place.read("ca.key"), place.read("node-a.pem"), place.read("node-a.key")];
    let error = authority::init(place.path(), &init("demo", false)).unwrap_err();
    assert_eq!(error.code(), Code::CertsExist);
    let error = authority::issue(place.path(), &Issue::node(name("a"))).unwrap_err();
    assert_eq!(error.code(), Code::CertsExist);
    // One half is enough.
    for (file, other) in [("node-a.pem", "node-a.key"), ("node-a.key", "node-a.pem")] {
        let text = place.read(file);
        place.remove(file);
        let error = authority::issue(place.path(), &Issue::node(name("a"))).unwrap_err();
        assert!(matches!(&error, Error::Exists { path } if *path == place.file(other)), "{error}");
        place.write(file, text);
    }
    assert_eq!(now(), before);
    place.issue(&Issue { force: true, ..Issue::node(name("a")) });
    authority::init(place.path(), &init("demo", true)).unwrap();
    for (now, before) in now().iter().zip(&before) {
        assert_ne!(now, before);
    }
}

#[test]
fn what_can_not_be_issued() {
    let place = Place::demo();
    let code = |issue: &Issue| authority::issue(place.path(), issue).unwrap_err().code();
    for bad in ["", "a b", "*", "300.1.1.1", "a..b", "https://a", "[::1]", "a:80", "-"] {
        let issue = Issue { names: vec![bad.to_owned()], ..Issue::node(name("x")) };
        assert_eq!(code(&issue), Code::CertsIssueFailed, "{bad}");
    }
    assert_eq!(code(&Issue::node(name(".."))), Code::CertsIssueFailed);
    let names = |count: usize| (0..count).map(|at| format!("n{at}.example.com")).collect();
    place.issue(&Issue { names: names(NAMES_MAX), ..Issue::node(name("many")) });
    let more = Issue { names: names(NAMES_MAX + 1), ..Issue::node(name("more")) };
    assert_eq!(code(&more), Code::CertsIssueFailed);
    assert!(!place.file("node-more.pem").exists() && !place.file("node-more.key").exists());
    place.write("ca.key", place.read("node-a.key"));
    assert_eq!(code(&Issue::node(name("x"))), Code::CertsKeyMismatch);
    place.write("ca.key", "");
    assert_eq!(code(&Issue::node(name("x"))), Code::CertsMalformed);
    place.remove("ca.key");
    assert_eq!(code(&Issue::node(name("x"))), Code::CertsMissing);
    assert_eq!(authority::rotate(place.path(), None).unwrap_err().code(), Code::CertsMissing);
    let file = TempDir::new().unwrap();
    fs::write(file.path().join("file"), "").unwrap();
    let error = authority::init(&file.path().join("file"), &init("demo", false)).unwrap_err();
    assert_eq!(error.code(), Code::CertsIssueFailed);
}

#[test]
fn the_longest_names_fit() {
    let dir = TempDir::new().unwrap();
    let longest = "x".repeat(128);
    authority::init(dir.path(), &init(&longest, false)).unwrap();
    let issued = authority::issue(dir.path(), &Issue::node(name(&longest))).unwrap();
    let who = Who::Node { cluster: name(&longest), id: name(&longest) };
    let source = Source::Directory { path: dir.path().to_owned(), who };
    let set = CertSet::load(&source, SystemTime::now()).unwrap();
    assert_eq!(set.identity(), Some(&issued.id));
}

#[test]
fn a_rotated_authority_still_trusts_what_it_signed_before() {
    let place = Place::demo();
    let old = describe(&place, "ca.pem");
    authority::rotate(place.path(), None).unwrap();
    let bundle = describe::file(&place.file("ca.pem"), SystemTime::now()).unwrap();
    assert_eq!(bundle.len(), 2);
    assert_eq!(bundle[1].fingerprint_sha256, old.fingerprint_sha256);
    assert_ne!(bundle[0].subject, old.subject, "lists and certificates of the two must not be mixed up");
    place.node("a");
    place.issue(&Issue::node(name("b")));
    assert_eq!(describe(&place, "node-b.pem").issuer, bundle[0].subject);
    place.node("b");
}

#[test]
fn revoking_extends_the_list_and_leaves_those_of_others() {
    let place = Place::demo();
    place.issue(&Issue::node(name("b")));
    let file = |name| place.file(name);
    let now = SystemTime::now();
    let revoke = |name| authority::revoke(place.path(), &file(name), now);
    let first = revoke("service-mail.pem").unwrap();
    assert_eq!(first.id.unwrap().to_string(), "spiffe://demo/service/mail");
    assert_eq!(first.serial, describe(&place, "service-mail.pem").serial);
    assert_eq!(first.count, 1);
    assert_eq!(revoke("service-mail.pem").unwrap().count, 1, "twice is once");
    assert_eq!(revoke("node-b.pem").unwrap().count, 2);
    authority::rotate(place.path(), None).unwrap();
    // What the old key signed, the new one can't take back.
    assert_eq!(revoke("node-a.pem").unwrap_err().code(), Code::CertsMissing);
    place.issue(&Issue::service(name("shop")));
    assert_eq!(revoke("service-shop.pem").unwrap().count, 1);
    assert_eq!(place.node("a").current().revocations().count(), 3);
    assert_eq!(place.read("crl.pem").matches("BEGIN X509 CRL").count(), 2);
    place.write("crl.pem", "nothing");
    assert_eq!(revoke("service-shop.pem").unwrap_err().code(), Code::CertsMalformed);
}

#[test]
fn validity_is_taken_to_the_second() {
    let place = Place::demo();
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let validity = Validity { not_before: at(2_000_000_000), not_after: at(2_000_003_600) };
    place.issue(&Issue { validity: Some(validity), ..Issue::node(name("b")) });
    let node = describe(&place, "node-b.pem");
    assert_eq!(node.not_before, "2033-05-18T03:33:20Z");
    assert_eq!(node.not_after, "2033-05-18T04:33:20Z");
    let code = |now| CertSet::load(&place.of_node("b"), now).map(drop).map_err(|error| error.code());
    assert_eq!(code(at(1_999_999_999)), Err(Code::CertificateNotYetValid));
    assert_eq!(code(at(2_000_000_000)), Ok(()));
    assert_eq!(code(at(2_000_003_600)), Ok(()));
    assert_eq!(code(at(2_000_003_601)), Err(Code::CertificateExpired));
}

#[test]
fn an_authority_that_is_over_is_warned_of() {
    let dir = TempDir::new().unwrap();
    let now = SystemTime::now();
    let over = Some(Validity { not_before: now - 2 * HOUR, not_after: now - HOUR });
    authority::init(dir.path(), &Init { validity: over, ..init("demo", false) }).unwrap();
    authority::issue(dir.path(), &Issue::node(name("a"))).unwrap();
    let who = Who::Node { cluster: name("demo"), id: name("a") };
    let set = CertSet::load(&Source::Directory { path: dir.path().to_owned(), who }, now).unwrap();
    assert_eq!(set.warnings().len(), 1, "{:?}", set.warnings());
}
