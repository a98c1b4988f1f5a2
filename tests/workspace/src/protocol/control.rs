//! Examples of control frames and of what they are made of.

use mesh_wire::body::{self, ErrorV1, HelloV1, ModeV1, OverflowV1, SubscribeV1, WelcomeV1};
use mesh_wire::code::Code;
use mesh_wire::ext::{ExtBuilder, Tag};
use mesh_wire::frame::{Kind, PREFACE, Parts};
use mesh_wire::header::HeadersBuilder;
use mesh_wire::hello::{Features, Versions};

use super::dump::with_subject;
use super::{Dump, Example};

pub(super) fn examples() -> Vec<Example> {
    [
        ("ext", ext()),
        ("varints", varints()),
        ("hello", hello()),
        ("welcome", welcome()),
        ("headers", headers()),
        ("subscribe", subscribe()),
        ("ok", bare(Parts::bare(Kind::Ok, 1).aux(Kind::Subscribe as u32), "the kind, 0x10", "1")),
        ("credit", bare(Parts::bare(Kind::Credit, 1).aux(500), "500 more", "1")),
        ("dropped", bare(Parts::bare(Kind::Dropped, 1).aux(3), "3 messages", "1")),
        ("error", error()),
    ]
    .into_iter()
    .map(|(name, text)| Example { name, text })
    .collect()
}

fn bare(frame: Parts<'_>, aux: &str, id: &str) -> String {
    Dump::new().head(&frame, aux, id).checked(b"", &[frame])
}

fn ext() -> String {
    let mut builder = ExtBuilder::new();
    builder.push(Tag::ENCODING, &[2]).and_then(|ext| ext.push(Tag::KEY, b"o-7")).expect("two small entries");
    Dump::new()
        .part([5, 1, 2], "tag 5 ENCODING, 1 byte: 2, JSON")
        .part(b"\x06\x03o-7", "tag 6 KEY, 3 bytes: \"o-7\"")
        .same_as(builder.as_bytes())
}

fn varints() -> String {
    let numbers: [(u64, &[u8]); 7] = [
        (0, &[0]),
        (127, &[0x7f]),
        (128, &[0x80, 1]),
        (300, &[0xac, 2]),
        (4242, &[0x92, 0x21]),
        (65_535, &[0xff, 0xff, 3]),
        (1_767_225_600_000_000, &[0x80, 0x80, 0x81, 0xb1, 0x84, 0xe9, 0x91, 3]),
    ];
    let mut dump = Dump::new();
    let mut wanted = Vec::new();
    for (number, bytes) in numbers {
        dump = dump.part(bytes, &number.to_string());
        wanted.extend(body::encode(&number).expect("a number fits"));
    }
    dump.same_as(&wanted)
}

fn hello() -> String {
    let body = body::encode(&HelloV1 {
        name: "demo".to_owned(),
        library: "mini 0.1".to_owned(),
        language: "python".to_owned(),
        token: None,
        pid: 4242,
    })
    .expect("a small body");
    let frame = Parts::bare(Kind::Hello, Features::OURS.bits()).aux(Versions::OURS.to_aux()).body(&body);
    Dump::new()
        .part(PREFACE, "preface")
        .head(&frame, "lowest version 1, highest 1", "features 1 + 2 + 4")
        .part(b"\x04demo", "name: 4 bytes, \"demo\"")
        .part(b"\x08mini 0.1", "library: 8 bytes, \"mini 0.1\"")
        .part(b"\x06python", "language: 6 bytes, \"python\"")
        .part([0], "token: none")
        .part([0x92, 0x21], "pid: 4242")
        .checked(&PREFACE, &[frame])
}

fn welcome() -> String {
    let body = body::encode(&WelcomeV1 {
        node: "edge-1".to_owned(),
        cluster: "mesh".to_owned(),
        version: "0.1.0".to_owned(),
        incarnation: 1_767_225_600_000_000,
        link: 3,
        identity: "unix:uid=0,pid=42".to_owned(),
        max_body: 8 << 20,
        max_frame: 1 << 20,
        max_subscriptions: 1_048_576,
        max_requests: 65_536,
    })
    .expect("a small body");
    let frame = Parts::bare(Kind::Welcome, Features::OURS.bits()).aux(1).body(&body);
    Dump::new()
        .head(&frame, "version 1", "features 1 + 2 + 4")
        .part(b"\x06edge-1", "node: \"edge-1\"")
        .part(b"\x04mesh", "cluster: \"mesh\"")
        .part(b"\x050.1.0", "version: \"0.1.0\"")
        .part([0x80, 0x80, 0x81, 0xb1, 0x84, 0xe9, 0x91, 3], "incarnation: 1767225600000000")
        .part([3], "link: 3")
        .part(b"\x11unix:uid=0,pid=42", "identity: 17 bytes, \"unix:uid=0,pid=42\"")
        .part([0x80, 0x80, 0x80, 4], "max_body: 8388608")
        .part([0x80, 0x80, 0x40], "max_frame: 1048576")
        .part([0x80, 0x80, 0x40], "max_subscriptions: 1048576")
        .part([0x80, 0x80, 4], "max_requests: 65536")
        .checked(b"", &[frame])
}

fn headers() -> String {
    let headers = HeadersBuilder::new()
        .with("tenant", "a")
        .and_then(|headers| headers.with("attempt", 2_u64))
        .expect("two small headers")
        .build();
    Dump::new()
        .part([2, 6, 1, 0], "type 2 str, name 6 bytes, value 1 byte")
        .part(b"tenant", "\"tenant\"")
        .part(b"a", "\"a\"")
        .part([4, 7, 8, 0], "type 4 u64, name 7 bytes, value 8 bytes")
        .part(b"attempt", "\"attempt\"")
        .part(2_u64.to_le_bytes(), "2")
        .same_as(headers.as_bytes())
}

fn subscribe() -> String {
    let body = body::encode(&SubscribeV1 {
        group: None,
        mode: ModeV1::Events,
        credit: 1000,
        pending_messages: 0,
        pending_bytes: 0,
        overflow: OverflowV1::DropOldest,
        service: None,
    })
    .expect("a small body");
    let frame = with_subject(Kind::Subscribe, 1, "orders.*.created").body(&body);
    Dump::new()
        .head(&frame, "0", "subscription 1")
        .part(frame.subject, "subject \"orders.*.created\"")
        .part([0], "group: none")
        .part([0], "mode: 0, Events")
        .part([0xe8, 7], "credit: 1000")
        .part([0], "pending_messages: the node's default")
        .part([0], "pending_bytes: the node's default")
        .part([0], "overflow: 0, DropOldest")
        .part([0], "service: none")
        .checked(b"", &[frame])
}

fn error() -> String {
    let cause = "subjects under `$mesh.` belong to the node";
    let body =
        body::encode(&ErrorV1 { about: Kind::Subscribe as u8, cause: cause.to_owned(), retry_after_ms: 0 })
            .expect("a small body");
    let frame = Parts::bare(Kind::Error, 9).aux(Code::SubjectReserved.number().into()).body(&body);
    let text = [&[42], cause.as_bytes()].concat();
    Dump::new()
        .head(&frame, "2004, so MESH-2004", "subscription 9")
        .part([0x10], "about: SUBSCRIBE")
        .part(text, "cause: 42 bytes of text")
        .part([0], "retry_after_ms: unknown")
        .checked(b"", &[frame])
}
