//! New files: they count at the next handshake, on both sides, or not at all.

use std::cell::RefCell;
use std::fs;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use mesh_identity::authority::{self, Issue};
use mesh_identity::peer::PeerCertificate;
use mesh_identity::store::{Event, Reload, Store, watch};
use mesh_identity::verify::Error;
use mesh_wire::code::Code;

use crate::meet::{dialling, listening, meet};
use crate::place::{HOUR, Place, a_host, a_node, a_service, name, not_yet_valid};

fn changed(store: &Store) -> bool {
    matches!(store.reload().unwrap(), Reload::Changed(_))
}

fn serial(store: &Store) -> String {
    PeerCertificate::from_chain(store.current().own_chain()).unwrap().serial().to_owned()
}

#[test]
fn the_same_files_are_the_same_set() {
    let place = Place::demo();
    let store = place.node("a");
    let before = store.current();
    assert!(!changed(&store));
    // Touched, and replaced by what it was.
    place.write("ca.pem", place.read("ca.pem"));
    assert!(!changed(&store));
    assert!(std::sync::Arc::ptr_eq(&before, &store.current()));
    assert!(!changed(&Store::without_ca()));
}

#[test]
fn a_bad_set_keeps_the_old_one() {
    let place = Place::demo();
    let store = place.node("a");
    let before = serial(&store);
    let good = place.read("node-a.pem");
    for (text, code) in [
        ("", Code::CertsMalformed),
        (&good[..good.len() / 2], Code::CertsMalformed),
        (&place.read("service-mail.pem"), Code::CertsKeyMismatch),
    ] {
        place.write("node-a.pem", text);
        assert_eq!(store.reload().unwrap_err().code(), code);
        assert_eq!(serial(&store), before);
    }
    place.remove("node-a.pem");
    assert_eq!(store.reload().unwrap_err().code(), Code::CertsMissing);
    assert_eq!(serial(&store), before);
    place.write("node-a.pem", good);
    assert!(!changed(&store), "what was loaded all the time");
}

#[test]
fn who_starts_between_the_two_files_of_a_swap_waits_for_the_second() {
    let place = Place::demo();
    let good = place.read("node-a.pem");
    place.write("node-a.pem", place.read("service-mail.pem"));
    let source = place.of_node("a");
    assert_eq!(Store::open(source.clone()).unwrap_err().code(), Code::CertsKeyMismatch, "not for ever");
    place.write("second.new", good);
    let opening = std::thread::spawn(move || Store::open(source));
    fs::rename(place.path().join("second.new"), place.path().join("node-a.pem")).unwrap();
    opening.join().unwrap().unwrap();
}

#[test]
fn one_that_is_not_valid_yet_is_taken_once_it_is() {
    let place = Place::demo();
    let store = place.node("a");
    let before = serial(&store);
    place.issue(&Issue { validity: not_yet_valid(), force: true, ..Issue::node(name("a")) });
    assert_eq!(store.reload().unwrap_err().code(), Code::CertificateNotYetValid);
    assert!(matches!(store.reload_at(SystemTime::now() + 2 * HOUR), Ok(Reload::Changed(_))));
    assert_ne!(serial(&store), before);
}

#[test]
fn links_that_were_swapped_are_followed() {
    let (old, new) = (Place::demo(), Place::demo());
    let mount = tempfile::TempDir::new().unwrap();
    let data = mount.path().join("..data");
    std::os::unix::fs::symlink(old.path(), &data).unwrap();
    for file in ["ca.pem", "node-a.pem", "node-a.key"] {
        std::os::unix::fs::symlink(data.join(file), mount.path().join(file)).unwrap();
    }
    let who = old.of_node("a").who().clone();
    let source = mesh_identity::set::Source::Directory { path: mount.path().to_owned(), who };
    let store = Store::open(source).unwrap();
    assert_eq!(serial(&store), serial(&old.node("a")));
    std::os::unix::fs::symlink(new.path(), mount.path().join("..new")).unwrap();
    fs::rename(mount.path().join("..new"), &data).unwrap();
    assert!(changed(&store));
    assert_eq!(serial(&store), serial(&new.node("a")));
}

/// Both sides keep the configurations that they began with.
#[test]
fn a_leaf_is_rotated_on_both_sides() {
    let place = Place::demo();
    place.issue(&Issue::node(name("b")));
    let (a, b) = (place.node("a"), place.node("b"));
    let (server, client) = (listening(&a, a_node()), dialling(&b, a_node()));
    let mut seen = Vec::new();
    for _ in 0..3 {
        let met = meet(server.clone(), client.clone(), "b");
        assert!(met.is_open());
        for chain in [met.server.peer_certificates(), met.client.peer_certificates()] {
            seen.push(PeerCertificate::from_chain(chain.unwrap()).unwrap().serial().to_owned());
        }
        for id in ["a", "b"] {
            place.issue(&Issue { force: true, ..Issue::node(name(id)) });
        }
        assert!(changed(&a) && changed(&b));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 6, "a new certificate on each side each time");
}

/// As it is done by hand: the bundle first, then the leaves, then the old CA goes. Nobody is refused on the way.
#[test]
fn a_ca_is_rotated_on_both_sides() {
    let place = Place::demo();
    let (node, service) = (place.node("a"), place.service("mail"));
    let (server, client) = (listening(&node, a_service()), dialling(&service, a_host()));
    let met = || assert!(meet(server.clone(), client.clone(), "localhost").is_open());
    met();
    let old = place.read("ca.pem");
    authority::rotate(place.path(), None).unwrap();
    for step in [&node, &service] {
        assert!(changed(step));
        met();
    }
    // The service first: the node already trusts the new CA.
    place.issue(&Issue { force: true, ..Issue::service(name("mail")) });
    assert!(changed(&service));
    met();
    place.issue(&Issue { force: true, ..Issue::node(name("a")) });
    assert!(changed(&node));
    met();
    let bundle = place.read("ca.pem");
    place.write("ca.pem", bundle.replace(&old, ""));
    for step in [&node, &service] {
        assert!(changed(step));
        met();
    }
    // Who only has the old CA is out.
    let late = Place::demo();
    late.write("ca.pem", old);
    let late = late.ca();
    let met = meet(server, dialling(&late, a_host()), "localhost");
    met.client_refused(Code::CertificateUntrusted, &node.current(), &a_service());
}

#[test]
fn live_links_are_cut_when_revoked_or_expired_and_not_when_the_ca_goes() {
    let place = Place::demo();
    let (node, now) = (place.node("a"), SystemTime::now());
    let peer = |store: &Store| PeerCertificate::from_chain(store.current().own_chain()).unwrap();
    let mail = peer(&place.service("mail"));
    place.issue(&Issue::service(name("shop")));
    let shop = peer(&place.service("shop"));
    assert_eq!(node.recheck(&mail, now), Ok(()));
    let end = mail.not_after();
    assert_eq!(node.recheck(&mail, end), Ok(()), "its last second");
    let after = node.recheck(&mail, end + Duration::from_secs(1));
    assert_eq!(after, Err(Error::Expired { not_after: end }));

    place.revoke("service-mail.pem");
    assert_eq!(node.recheck(&mail, now), Ok(()), "the list is not loaded yet");
    assert!(changed(&node));
    assert_eq!(node.recheck(&mail, now), Err(Error::Revoked { serial: mail.serial().to_owned() }));
    assert_eq!(node.recheck(&shop, now), Ok(()));

    let other = Place::demo();
    for file in ["ca.pem", "node-a.pem", "node-a.key"] {
        place.write(file, other.read(file));
    }
    place.remove("crl.pem");
    assert!(changed(&node));
    assert_eq!(node.recheck(&shop, now), Ok(()), "its CA is gone, it was let in before");
}

#[test]
fn serial_numbers_count_for_their_own_ca_only() {
    let place = Place::demo();
    let mail = place.service("mail").current();
    let leaf = &mail.own_chain()[0];
    place.revoke("service-mail.pem");
    let set = place.node("a").current();
    assert!(set.revocations().check(leaf).is_err());
    // The same serial number and the same name of the CA under another key.
    let key = rcgen::KeyPair::generate().unwrap();
    let ca = rcgen::Issuer::from_ca_cert_pem(&place.read("ca.pem"), key).unwrap();
    let mut params = rcgen::CertificateParams::default();
    let serial = PeerCertificate::from_chain(mail.own_chain()).unwrap().serial().to_owned();
    let bytes: Vec<u8> =
        (0..serial.len()).step_by(2).map(|at| u8::from_str_radix(&serial[at..at + 2], 16).unwrap()).collect();
    params.serial_number = Some(rcgen::SerialNumber::from_slice(&bytes));
    let twin = params.signed_by(&rcgen::KeyPair::generate().unwrap(), &ca).unwrap();
    assert_eq!(set.revocations().check(twin.der()), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn watching_tells_each_change_once() {
    let place = Place::demo();
    let store = place.node("a");
    let told = Rc::new(RefCell::new(Vec::new()));
    let tell = {
        let told = Rc::clone(&told);
        move |event| {
            told.borrow_mut().push(match event {
                Event::Changed(_) => "changed".to_owned(),
                Event::Failed(error) => error.code().to_string(),
                Event::Restored => "restored".to_owned(),
            });
        }
    };
    let good = place.read("node-a.pem");
    let mut watching = Box::pin(watch(store.clone(), tell));
    let mut seconds = async |count: u64| {
        let length = Duration::from_millis(count * 1000 + 100);
        assert!(tokio::time::timeout(length, &mut watching).await.is_err(), "it never ends");
        told.take()
    };
    assert_eq!(seconds(3).await, [""; 0]);
    place.issue(&Issue { force: true, ..Issue::node(name("a")) });
    assert_eq!(seconds(3).await, ["changed"]);
    place.write("node-a.pem", "");
    assert_eq!(seconds(3).await, ["MESH-6021"]);
    place.write("node-a.pem", good);
    assert_eq!(seconds(3).await, ["MESH-6022"], "another failure");
    place.issue(&Issue { force: true, ..Issue::node(name("a")) });
    assert_eq!(seconds(3).await, ["changed"]);
    let now = place.read("node-a.pem");
    place.remove("node-a.pem");
    assert_eq!(seconds(2).await, ["MESH-6023"]);
    place.write("node-a.pem", now);
    assert_eq!(seconds(2).await, ["restored"]);
}
