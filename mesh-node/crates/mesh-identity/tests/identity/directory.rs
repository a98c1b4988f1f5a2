//! What a directory may hold, and what not: a set is checked as a whole before it is taken.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::SystemTime;

use mesh_identity::authority::Issue;
use mesh_identity::set::{CertSet, DIR_ENTRIES_MAX, Error, FILE_BYTES_MAX, SECTIONS_MAX, Source, Who};
use mesh_identity::store::Store;
use mesh_wire::code::Code;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, SerialNumber, date_time_ymd,
};

use crate::place::{HOUR, Place, expired, name, not_yet_valid};

fn load(source: &Source) -> CertSet {
    CertSet::load(source, SystemTime::now()).unwrap()
}

fn error(source: &Source) -> Error {
    CertSet::load(source, SystemTime::now()).unwrap_err()
}

fn identity(source: &Source) -> Option<String> {
    load(source).identity().map(ToString::to_string)
}

#[test]
fn a_node_takes_its_own() {
    let place = Place::demo();
    place.issue(&Issue::node(name("b")));
    let set = load(&place.of_node("b"));
    assert_eq!(set.identity().unwrap().to_string(), "spiffe://demo/node/b");
    assert!(set.has_ca() && set.warnings().is_empty());
    assert!(set.not_after().unwrap() > SystemTime::now());
    assert_eq!(set.own_chain().len(), 1);
    assert_eq!(place.error_of_node("c").code(), Code::CertsMissing);
}

#[test]
fn a_node_takes_what_kubernetes_mounts() {
    let place = Place::demo();
    for (from, to) in [("ca.pem", "ca.crt"), ("node-a.pem", "tls.crt"), ("node-a.key", "tls.key")] {
        fs::rename(place.file(from), place.file(to)).unwrap();
    }
    assert_eq!(identity(&place.of_node("a")).unwrap(), "spiffe://demo/node/a");
    // It must be the node's own all the same.
    assert_eq!(place.error_of_node("b").code(), Code::IdentityWrongNode);
    let who = Who::Node { cluster: name("other"), id: name("a") };
    let other = Source::Directory { path: place.path().to_owned(), who };
    assert_eq!(error(&other).code(), Code::IdentityWrongCluster);
    place.remove("tls.key");
    assert_eq!(place.error_of_node("a").code(), Code::CertsMissing);
}

#[test]
fn a_service_takes_the_one_that_was_named_or_the_only_one() {
    let place = Place::demo();
    let mail = Some("spiffe://demo/service/mail".to_owned());
    assert_eq!(identity(&place.of_service(Some("mail"))), mail);
    assert_eq!(identity(&place.of_service(None)), mail);
    place.issue(&Issue::service(name("shop")));
    assert_eq!(identity(&place.of_service(Some("mail"))), mail);
    let error = place.error_of_service(None);
    assert_eq!(error.code(), Code::CertsAmbiguous);
    assert!(error.to_string().contains("mail, shop"), "{error}");
    assert_eq!(place.error_of_service(Some("news")).code(), Code::CertsMissing);
}

#[test]
fn a_service_takes_what_kubernetes_mounts_or_none() {
    let place = Place::demo();
    place.remove("service-mail.key");
    assert_eq!(place.error_of_service(None).code(), Code::CertsMissing);
    place.remove("service-mail.pem");
    assert_eq!(identity(&place.of_service(None)), None);
    place.issue(&Issue::service(name("mail")));
    fs::rename(place.file("service-mail.pem"), place.file("tls.crt")).unwrap();
    fs::rename(place.file("service-mail.key"), place.file("tls.key")).unwrap();
    let mail = Some("spiffe://demo/service/mail".to_owned());
    assert_eq!(identity(&place.of_service(None)), mail);
    assert_eq!(identity(&place.of_service(Some("mail"))), mail);
    assert_eq!(place.error_of_service(Some("shop")).code(), Code::IdentityWrongNode);
}

#[test]
fn the_bundle_goes_before_that_of_kubernetes_and_must_be_there() {
    let place = Place::demo();
    place.write("ca.crt", "not looked at");
    load(&place.of_node("a"));
    fs::rename(place.file("ca.pem"), place.file("ca.crt")).unwrap();
    load(&place.of_node("a"));
    place.remove("ca.crt");
    assert_eq!(place.error_of_node("a").code(), Code::CertsMissing);
    let nowhere = Source::Directory { path: place.file("nowhere"), who: place.of_node("a").who().clone() };
    assert_eq!(error(&nowhere).code(), Code::CertsUnreadable);
}

#[test]
fn files_by_path() {
    let place = Place::demo();
    let files = |cert: Option<&str>, key: Option<&str>| Source::Files {
        ca: place.file("ca.pem"),
        cert: cert.map(|file| place.file(file)),
        key: key.map(|file| place.file(file)),
        crl: None,
        who: Who::Service { name: None },
    };
    let mail = Some("spiffe://demo/service/mail".to_owned());
    assert_eq!(identity(&files(Some("service-mail.pem"), Some("service-mail.key"))), mail);
    assert_eq!(identity(&files(None, None)), None);
    assert_eq!(error(&files(Some("service-mail.pem"), None)).code(), Code::CertsMissing);
    assert_eq!(error(&files(None, Some("service-mail.key"))).code(), Code::CertsMissing);
    assert_eq!(error(&files(Some("a.pem"), Some("service-mail.key"))).code(), Code::CertsUnreadable);
    // A node's is not a service's, and one's own key is not another's.
    assert_eq!(error(&files(Some("node-a.pem"), Some("node-a.key"))).code(), Code::IdentityWrongKind);
    assert_eq!(error(&files(Some("service-mail.pem"), Some("node-a.key"))).code(), Code::CertsKeyMismatch);
    let who = Who::Node { cluster: name("demo"), id: name("a") };
    let node = Source::Files { ca: place.file("ca.pem"), cert: None, key: None, crl: None, who };
    assert_eq!(error(&node).code(), Code::CertsMissing);
}

#[test]
fn swapped_files() {
    let swaps = [
        ("node-a.pem", "node-a.key", Code::CertsMalformed),
        ("node-a.key", "ca.pem", Code::CertsMalformed),
        ("ca.pem", "node-a.key", Code::CertsMalformed),
        ("node-a.key", "ca.key", Code::CertsKeyMismatch),
        ("node-a.pem", "ca.pem", Code::CertsKeyMismatch),
        ("node-a.key", "service-mail.key", Code::CertsKeyMismatch),
        // A leaf is no CA.
        ("ca.pem", "node-a.pem", Code::CertsMalformed),
    ];
    for (to, from, code) in swaps {
        let place = Place::demo();
        place.write(to, place.read(from));
        assert_eq!(place.error_of_node("a").code(), code, "{from} as {to}");
    }
    let place = Place::demo();
    place.write("node-a.pem", place.read("service-mail.pem"));
    place.write("node-a.key", place.read("service-mail.key"));
    // The use is found before the identity is looked at.
    assert_eq!(place.error_of_node("a").code(), Code::CertificateWrongUse);
    place.issue(&Issue::node(name("b")));
    place.write("node-a.pem", place.read("node-b.pem"));
    place.write("node-a.key", place.read("node-b.key"));
    assert_eq!(place.error_of_node("a").code(), Code::IdentityWrongNode);
    place.write("service-mail.pem", place.read("node-b.pem"));
    place.write("service-mail.key", place.read("node-b.key"));
    assert_eq!(place.error_of_service(Some("mail")).code(), Code::IdentityWrongKind);
}

#[test]
fn files_cut_off_at_every_length() {
    for file in ["ca.pem", "node-a.pem", "node-a.key"] {
        let place = Place::demo();
        let whole = place.read(file);
        // The end mark needs no line break behind it.
        let end = whole.trim_end().len();
        for length in 0..end {
            place.write(file, &whole[..length]);
            assert_eq!(place.error_of_node("a").code(), Code::CertsMalformed, "{file} at {length}");
        }
        place.write(file, &whole[..end]);
        load(&place.of_node("a"));
    }
}

#[test]
fn damage_inside_a_file() {
    for file in ["ca.pem", "node-a.pem", "node-a.key"] {
        let place = Place::demo();
        let whole = place.read(file);
        let mut lines: Vec<&str> = whole.lines().collect();
        lines.remove(1);
        place.write(file, lines.join("\n"));
        assert_eq!(place.error_of_node("a").code(), Code::CertsMalformed, "{file}");
        place.write(file, whole.replacen("\nMI", "\nM!", 1));
        assert_eq!(place.error_of_node("a").code(), Code::CertsMalformed, "{file}");
    }
}

#[test]
fn a_certificate_that_nobody_would_take() {
    for (validity, code) in
        [(expired(), Code::CertificateExpired), (not_yet_valid(), Code::CertificateNotYetValid)]
    {
        let place = Place::demo();
        place.issue(&Issue { validity, force: true, ..Issue::node(name("a")) });
        assert_eq!(place.error_of_node("a").code(), code);
        Store::open_at(place.of_node("a"), validity.unwrap().not_before + HOUR).unwrap();
    }
    let (place, other) = (Place::demo(), Place::demo());
    place.write("ca.pem", other.read("ca.pem"));
    assert_eq!(place.error_of_node("a").code(), Code::CertificateUntrusted);
}

#[test]
fn bytes_and_counts_at_their_limits() {
    let place = Place::demo();
    let ca = place.read("ca.pem");
    let comment =
        |bytes: u64| format!("{}\n{ca}", "#".repeat(usize::try_from(bytes).unwrap() - ca.len() - 1));
    place.write("ca.pem", comment(FILE_BYTES_MAX));
    load(&place.of_node("a"));
    place.write("ca.pem", comment(FILE_BYTES_MAX + 1));
    assert_eq!(place.error_of_node("a").code(), Code::CertsUnreadable);
    place.write("ca.pem", ca.repeat(SECTIONS_MAX));
    load(&place.of_node("a"));
    place.write("ca.pem", ca.repeat(SECTIONS_MAX + 1));
    assert_eq!(place.error_of_node("a").code(), Code::CertsMalformed);
    place.write("ca.pem", &ca);
    let chain = |count| place.read("node-a.pem") + &ca.repeat(count - 1);
    let (longest, longer) = (chain(mesh_identity::set::CHAIN_MAX), chain(mesh_identity::set::CHAIN_MAX + 1));
    place.write("node-a.pem", longest);
    load(&place.of_node("a"));
    place.write("node-a.pem", longer);
    assert_eq!(place.error_of_node("a").code(), Code::CertsMalformed);
}

#[test]
fn entries_of_a_directory_at_the_limit() {
    let place = Place::demo();
    let there = fs::read_dir(place.path()).unwrap().count();
    for more in there..DIR_ENTRIES_MAX {
        place.write(&format!("other-{more}"), "");
    }
    load(&place.of_node("a"));
    place.write("one-more", "");
    assert_eq!(place.error_of_node("a").code(), Code::CertsMalformed);
}

#[test]
fn things_that_are_no_files() {
    let place = Place::demo();
    place.remove("node-a.key");
    fs::create_dir(place.file("node-a.key")).unwrap();
    assert_eq!(place.error_of_node("a").code(), Code::CertsUnreadable);
    fs::remove_dir(place.file("node-a.key")).unwrap();
    std::os::unix::fs::symlink("nowhere", place.file("node-a.key")).unwrap();
    assert_eq!(place.error_of_node("a").code(), Code::CertsUnreadable);
}

#[test]
fn a_key_that_others_can_read_is_warned_of() {
    let place = Place::demo();
    for (mode, warnings) in [(0o600, 0), (0o640, 0), (0o644, 1), (0o604, 1)] {
        fs::set_permissions(place.file("node-a.key"), fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(load(&place.of_node("a")).warnings().len(), warnings, "{mode:o}");
    }
}

#[test]
fn revocation_lists() {
    let place = Place::demo();
    let other = Place::demo();
    other.revoke("service-mail.pem");
    assert_eq!(load(&place.of_node("a")).revocations().count(), 0);
    place.write("crl.pem", other.read("crl.pem"));
    let error = place.error_of_node("a");
    assert_eq!(error.code(), Code::CrlUnusable, "of another CA: {error}");
    for text in ["", "nothing", &place.read("ca.pem")] {
        place.write("crl.pem", text);
        assert_eq!(place.error_of_node("a").code(), Code::CrlUnusable);
    }
    place.remove("crl.pem");
    place.revoke("service-mail.pem");
    let whole = place.read("crl.pem");
    assert_eq!(load(&place.of_node("a")).revocations().count(), 1);
    for length in 0..whole.trim_end().len() {
        place.write("crl.pem", &whole[..length]);
        assert_eq!(place.error_of_node("a").code(), Code::CrlUnusable, "cut off at {length}");
    }
    // Both CAs are trusted, so both lists count.
    place.write("ca.pem", place.read("ca.pem") + &other.read("ca.pem"));
    place.write("crl.pem", whole + &other.read("crl.pem"));
    assert_eq!(load(&place.of_node("a")).revocations().count(), 2);
}

#[test]
fn a_forged_revocation_list() {
    let place = Place::demo();
    let list = |authority: &str, key: &KeyPair| {
        let issuer = Issuer::from_ca_cert_pem(authority, key).unwrap();
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2126, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: Vec::new(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&issuer).unwrap().pem().unwrap()
    };
    let ca = place.read("ca.pem");
    place.write("crl.pem", list(&ca, &KeyPair::from_pem(&place.read("ca.key")).unwrap()));
    load(&place.of_node("a"));
    // The name of the CA under another key.
    place.write("crl.pem", list(&ca, &KeyPair::generate().unwrap()));
    assert_eq!(place.error_of_node("a").code(), Code::CrlUnusable);
    // A CA that may not sign lists.
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    for (usages, usable) in [
        (vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign], true),
        (vec![KeyUsagePurpose::KeyCertSign], false),
    ] {
        // rcgen refuses to sign by such a CA, so that the list is signed before the usage is taken away.
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let signed = list(&params.self_signed(&key).unwrap().pem(), &key);
        params.key_usages = usages;
        place.write("ca.pem", params.self_signed(&key).unwrap().pem() + &ca);
        place.write("crl.pem", signed);
        let loaded = CertSet::load(&place.of_node("a"), SystemTime::now()).map(drop);
        let expected = if usable { Ok(()) } else { Err(Code::CrlUnusable) };
        assert_eq!(loaded.map_err(|error| error.code()), expected);
    }
}

#[test]
fn an_overdue_list_still_counts() {
    let place = Place::demo();
    let source = place.of_node("a");
    let then = SystemTime::now() - HOUR * 24 * 400;
    let file = place.file("service-mail.pem");
    mesh_identity::authority::revoke(place.path(), &file, then).unwrap();
    let set = load(&source);
    assert_eq!(set.revocations().count(), 1);
    assert!(set.warnings()[0].contains("replaced by"), "{:?}", set.warnings());
    let mail = &load(&place.of_service(Some("mail")));
    assert_eq!(set.revocations().check(&mail.own_chain()[0]).unwrap_err().code(), Code::CertificateRevoked);
    assert!(
        mail.warnings().iter().any(|warning| warning.contains("own certificate")),
        "{:?}",
        mail.warnings()
    );
}
