use mesh_core::peering::Own;
use mesh_wire::limits;

use super::*;

fn identity() -> Identity {
    let own = Own { node: "n1".parse().unwrap(), cluster: "c".parse().unwrap(), incarnation: 7 };
    Identity { own, advertise: "h:1".to_owned() }
}

fn read(bytes: &[u8], wanted: Kind) -> Result<Option<Opening>, Fault> {
    parse(&mut BytesMut::from(bytes), wanted)
}

fn code_of(bytes: &[u8], wanted: Kind) -> Code {
    read(bytes, wanted).unwrap_err().code
}

fn frame(parts: Parts<'_>) -> BytesMut {
    let mut bytes = BytesMut::new();
    parts.encode(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_hello_is_read_as_it_is_written_and_leaves_what_follows() {
    let bytes = [&hello(&identity(), LinkNumber(3)).unwrap()[..], b"next"].concat();
    let opening = read(&bytes, Kind::PeerHello).unwrap().unwrap();
    assert_eq!((opening.version, opening.features), (Version(1), Features::OURS_BETWEEN_NODES));
    assert_eq!(&opening.rest[..], b"next");
    let greeting = opening.greeting(&"n1".parse().unwrap()).unwrap();
    assert_eq!((greeting.node.as_str(), greeting.incarnation, greeting.dial), ("n1", 7, 3));
    assert_eq!(opening.hello.address, "h:1");
    // Any part of it is not enough.
    for n in 0..bytes.len() - b"next".len() {
        assert!(read(&bytes[..n], Kind::PeerHello).unwrap().is_none(), "{n} bytes");
    }
}

#[test]
fn a_welcome_repeats_the_dial_and_names_what_was_agreed() {
    let bytes = hello(&identity(), LinkNumber(3)).unwrap();
    let opening = read(&bytes, Kind::PeerHello).unwrap().unwrap();
    let bytes = welcome(&identity(), &opening).unwrap();
    let answer = read(&bytes, Kind::PeerWelcome).unwrap().unwrap();
    assert_eq!((answer.hello.dial, answer.version), (3, Version(1)));
    assert_eq!(answer.features, Features::OURS_BETWEEN_NODES);
}

#[test]
fn versions_and_features_are_agreed() {
    let body = own_body(&identity(), 1).unwrap();
    let with = |kind, features: u64, aux: u32| {
        let bytes = frame(Parts::bare(kind, features).aux(aux).body(&body));
        if kind == Kind::PeerHello { [&PREFACE[..], &bytes].concat() } else { bytes.to_vec() }
    };
    // A span that reaches beyond ours; an unknown feature; none.
    let opening = read(&with(Kind::PeerHello, 1 << 40, 9 << 16 | 1), Kind::PeerHello).unwrap().unwrap();
    assert_eq!((opening.version, opening.features), (Version(1), Features::default()));
    for (kind, aux) in [(Kind::PeerHello, 9 << 16 | 2), (Kind::PeerWelcome, 2), (Kind::PeerWelcome, 1 << 16)]
    {
        assert_eq!(code_of(&with(kind, 0, aux), kind), Code::VersionUnsupported, "{kind:?} {aux:#x}");
    }
}

#[test]
fn whatever_else_comes_first_is_refused() {
    let body = own_body(&identity(), 1).unwrap();
    let hello = |parts: Parts<'_>| [&PREFACE[..], &frame(parts)].concat();
    let bare = Parts::bare(Kind::PeerHello, 0).aux(Versions::OURS.to_aux());
    let table = [
        (b"GET / HTTP/1.1\r\n".to_vec(), Code::PrefaceBad),
        (hello(Parts { kind: Kind::Hello, ..bare }), Code::HelloExpected),
        (hello(Parts::bare(Kind::Ping, 0)), Code::HelloExpected),
        (hello(Parts::bare(Kind::PeerWelcome, 0).aux(1).body(&body)), Code::HelloExpected),
        (hello(bare), Code::BodyMalformed),
        (hello(bare.body(&[&body[..], &[0]].concat())), Code::BodyMalformed),
        ([&PREFACE[..], &[24, 0, 0, 0, 0xff]].concat(), Code::UnknownKind),
        ([&PREFACE[..], &(limits::FRAME_BYTES as u32 + 1).to_le_bytes()].concat(), Code::FrameOversize),
    ];
    for (bytes, code) in table {
        assert_eq!(code_of(&bytes, Kind::PeerHello), code, "{bytes:x?}");
    }
    assert_eq!(code_of(&frame(Parts::bare(Kind::Ok, 0)), Kind::PeerWelcome), Code::HelloExpected);
}

#[test]
fn names_are_checked() {
    let mut opening = read(&hello(&identity(), LinkNumber(3)).unwrap(), Kind::PeerHello).unwrap().unwrap();
    opening.hello.node = "No".to_owned();
    assert_eq!(opening.greeting(&"n1".parse().unwrap()).unwrap_err().code, Code::NameMalformed);
    opening.hello.node = "x".repeat(limits::NAME_BYTES + 1);
    assert_eq!(opening.greeting(&"n1".parse().unwrap()).unwrap_err().code, Code::NameTooLong);
}

#[test]
fn a_refusal_is_told_with_its_code_and_cause() {
    let fault = read(&refusal(Code::PeerIdTaken, "both are n1"), Kind::PeerWelcome).unwrap_err();
    assert_eq!((fault.code, fault.cause.as_str(), fault.is_theirs), (Code::PeerIdTaken, "both are n1", true));
    // A code of a later version is not known here.
    let unknown = frame(Parts { flags: Flags::FATAL, ..Parts::bare(Kind::Error, 0).aux(65_000) });
    assert_eq!(code_of(&unknown, Kind::PeerWelcome), Code::PeerNotMesh);
    // It has no place before a hello.
    let refusal = [&PREFACE[..], &refusal(Code::PeerIdTaken, "x")].concat();
    assert_eq!(code_of(&refusal, Kind::PeerHello), Code::HelloExpected);
}
