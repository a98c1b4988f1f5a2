//! Examples of messages, requests and replies.

use mesh_wire::code::Code;
use mesh_wire::ext::{ExtBuilder, Tag};
use mesh_wire::frame::{Flags, Kind, Parts};
use mesh_wire::header::HeadersBuilder;

use super::dump::with_subject;
use super::{Dump, Example};

/// Call 1 of subscription 2.
const CALL: u64 = 2 << 32 | 1;

pub(super) fn examples() -> Vec<Example> {
    [
        ("publish", message(Kind::Publish, 0, "0")),
        ("deliver", message(Kind::Deliver, 1, "subscription 1")),
        ("request", hi(with_subject(Kind::Request, 1, "echo.it").aux(2000), "2000 ms", "request 1")),
        (
            "call",
            hi(with_subject(Kind::Call, CALL, "echo.it").aux(2000), "2000 ms", "subscription 2, call 1"),
        ),
        ("reply", replies()),
        ("end", end()),
        ("chunks", chunks()),
    ]
    .into_iter()
    .map(|(name, text)| Example { name, text })
    .collect()
}

fn message(kind: Kind, id: u64, id_remark: &str) -> String {
    let mut ext = ExtBuilder::new();
    ext.push(Tag::ENCODING, &[2]).expect("a small entry");
    let headers = HeadersBuilder::new().with("tenant", "a").expect("a small header").build();
    let frame = Parts {
        ext: ext.as_bytes(),
        headers: headers.as_bytes(),
        ..with_subject(kind, id, "orders.eu.created").body(br#"{"id":7}"#)
    };
    Dump::new()
        .head(&frame, "0", id_remark)
        .part([5, 1, 2], "ext: ENCODING, JSON")
        .part(frame.subject, "subject \"orders.eu.created\"")
        .part(b"\x02\x06\x01\0tenanta", "header tenant = \"a\"")
        .part(frame.body, "body {\"id\":7}")
        .checked(b"", &[frame])
}

fn hi(frame: Parts<'_>, aux: &str, id: &str) -> String {
    let frame = frame.body(b"hi");
    Dump::new()
        .head(&frame, aux, id)
        .part(frame.subject, "subject \"echo.it\"")
        .part(b"hi", "body")
        .checked(b"", &[frame])
}

fn replies() -> String {
    let from_responder = Parts::bare(Kind::Reply, CALL).body(b"hi");
    let to_requester = Parts { id: 1, ..from_responder };
    Dump::new()
        .head(&from_responder, "0", "subscription 2, call 1")
        .part(b"hi", "body; the node passes this on as")
        .head(&to_requester, "0", "request 1")
        .part(b"hi", "body")
        .checked(b"", &[from_responder, to_requester])
}

fn end() -> String {
    let frame = Parts::bare(Kind::End, 1).aux(Code::NoResponders.number().into());
    Dump::new().head(&frame, "1042: no responders", "request 1").checked(b"", &[frame])
}

fn chunks() -> String {
    let mut ext = ExtBuilder::new();
    ext.push_chunk(1, 10).expect("a small entry");
    let opening = Parts { ext: ext.as_bytes(), ..with_subject(Kind::Publish, 0, "a").body(b"012345") };
    let last = Parts { flags: Flags::NONE, ..Parts::bare(Kind::Chunk, 1).body(b"6789") };
    Dump::new()
        .head(&opening, "0", "0")
        .part([4, 12], "ext: tag 4 CHUNK, 12 bytes")
        .part(1_u32.to_le_bytes(), "series 1")
        .part(10_u64.to_le_bytes(), "10 bytes in all")
        .part(b"a", "subject \"a\"")
        .part(b"012345", "the first 6 bytes of the body")
        .head(&last, "0", "series 1")
        .part(b"6789", "the last 4; no MORE: the message is whole")
        .checked(b"", &[opening, last])
}
