use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use mesh_client::serve::{
    Body, Caller, Deadline, Raw, ReplyStream, Request, Response, Server, State, Subject,
};
use mesh_client::{Client, Code, Failure, Headers, Message};
use mesh_wire::body::ModeV1;
use mesh_wire::ext::{ExtBuilder, Tag};
use mesh_wire::frame::{Flags, Kind, Parts};
use mesh_wire::header::HeadersBuilder;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::fake_node::{FakeLink, FakeNode, Got, soon};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    name: String,
}

fn call<'a>(subscription: u64, number: u64, subject: &'a str, body: &'a [u8]) -> Parts<'a> {
    Parts {
        subject: subject.as_bytes(),
        ..Parts::bare(Kind::Call, subscription << 32 | number).aux(5_000).body(body)
    }
}

/// The number of a refusal of the project's own.
fn own(code: Code) -> u32 {
    1 << 31 | u32::from(code.number())
}

async fn spawn<F: Future<Output = Result<Server, mesh_client::Error>>>(
    link: &mut FakeLink,
    handlers: usize,
    spawning: F,
) -> (Server, Vec<Got>) {
    let (server, got) = tokio::join!(spawning, async {
        let mut all = Vec::new();
        for _ in 0..handlers {
            all.push(link.subscribed().await);
        }
        all
    });
    (server.unwrap(), got)
}

/// A service of one handler, and its subscription.
async fn echo(client: &Client, link: &mut FakeLink) -> (Server, u64) {
    let echo = client.serve("echo").handle("it", |Raw(body): Raw| async move { body });
    let (server, got) = spawn(link, 1, echo.spawn()).await;
    (server, got[0].id)
}

#[tokio::test]
async fn a_service_registers_each_handler_as_a_member_of_its_group() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let builder = client
        .serve("orders")
        .version("1.2")
        .description("knows orders")
        .concurrency(7)
        .handle("get", || async {})
        .handle_subject("audit.>", || async {});
    let (_server, got) = spawn(&mut link, 2, builder.spawn()).await;
    assert_eq!([got[0].subject.as_str(), got[1].subject.as_str()], ["orders.get", "audit.>"]);
    for got in &got {
        let wanted = got.subscription();
        assert_eq!(
            (wanted.mode, wanted.credit, wanted.group.as_deref()),
            (ModeV1::Responder, 7, Some("orders"))
        );
        let service = wanted.service.unwrap();
        assert_eq!((service.name.as_str(), service.version.as_str()), ("orders", "1.2"));
        assert_eq!(service.description, "knows orders");
    }
    let alone = client.serve("echo").ungrouped().handle("it", || async {});
    let (_alone, got) = spawn(&mut link, 1, alone.spawn()).await;
    assert_eq!(got[0].subscription().group, None);
}

#[tokio::test]
async fn a_call_gets_its_reply() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let (server, id) = echo(&client, &mut link).await;
    link.send_all(&[call(id, 1, "echo.it", b"a"), call(id, 2, "echo.it", b"b")]).await;
    for (number, body) in [(1, "a"), (2, "b")] {
        let reply = link.expect(Kind::Reply).await;
        assert_eq!(
            (reply.id, reply.text(), reply.flags, reply.aux),
            (id << 32 | number, body, Flags::NONE, 0)
        );
    }
    assert_eq!((server.calls(), server.in_flight()), (2, 0));
}

#[tokio::test]
async fn handlers_take_what_they_name() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    async fn handler(
        State(prefix): State<&'static str>,
        Subject(subject): Subject,
        headers: Headers,
        deadline: Deadline,
        Body(order): Body<Order>,
    ) -> Result<String, Failure> {
        assert!(deadline.remaining() <= Duration::from_secs(5));
        let tenant = headers.get("tenant").and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        Ok(format!("{prefix} {subject} {tenant} {}", order.name))
    }
    let builder = client.serve("orders").state("hello").handle("get", handler);
    let (_server, got) = spawn(&mut link, 1, builder.spawn()).await;
    let headers = HeadersBuilder::new().with("tenant", "a").unwrap().build();
    let mut ext = ExtBuilder::new();
    ext.push(Tag::ENCODING, &[1]).unwrap();
    let good = Parts {
        headers: headers.as_bytes(),
        ext: ext.as_bytes(),
        ..call(got[0].id, 1, "orders.get", b"\x11\x03tea")
    };
    let bad = Parts { ext: ext.as_bytes(), ..call(got[0].id, 2, "orders.get", b"\x11") };
    link.send_all(&[good, bad]).await;
    assert_eq!(link.expect(Kind::Reply).await.text(), "hello orders.get a tea");
    let refused = link.expect(Kind::Reply).await;
    assert_eq!((refused.flags, refused.aux), (Flags::FAILED, own(Code::RequestBodyInvalid)));
    assert!(refused.text().contains("Order"), "{}", refused.text());
}

#[tokio::test]
async fn handlers_know_who_calls() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let handler = |caller: Caller, request: Request| async move {
        assert_eq!(request.caller(), Some(caller.0.as_str()));
        caller.service().unwrap_or_default().to_owned()
    };
    let (_server, got) = spawn(&mut link, 1, client.serve("s").handle("x", handler).spawn()).await;
    let mut ext = ExtBuilder::new();
    ext.push(Tag::IDENTITY, b"spiffe://c/service/orders").unwrap();
    let named = Parts { ext: ext.as_bytes(), ..call(got[0].id, 1, "s.x", b"") };
    link.send_all(&[named, call(got[0].id, 2, "s.x", b"")]).await;
    assert_eq!(link.expect(Kind::Reply).await.text(), "orders");
    let refused = link.expect(Kind::Reply).await;
    assert_eq!((refused.flags, refused.aux), (Flags::FAILED, own(Code::PermissionDenied)));
}

#[tokio::test]
async fn handlers_give_what_they_like() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let builder = client
        .serve("s")
        .handle("text", || async { "text" })
        .handle("value", || async { Body(Order { id: 300, name: "tea".into() }) })
        .handle("failure", || async { Err::<(), _>(Failure::new(404, "no order")) })
        .handle("error", || async { "x".parse::<u8>().map(|n| n.to_string()) })
        .handle("same", |message: Message| async { message })
        .handle("made", |request: Request| async move {
            let headers = HeadersBuilder::new().with("h", request.message().subject()).unwrap().build();
            Response::new(mesh_client::Payload::raw("made")).with_headers(headers)
        });
    let (_server, got) = spawn(&mut link, 6, builder.spawn()).await;
    let mut ext = ExtBuilder::new();
    ext.push(Tag::ENCODING, &[1]).unwrap();
    let mut ask = Vec::new();
    for got in &got {
        ask.push(Parts { ext: ext.as_bytes(), ..call(got.id, 1, "s.x", b"in") });
    }
    link.send_all(&ask).await;
    let mut replies = Vec::new();
    for _ in &ask {
        replies.push(link.expect(Kind::Reply).await);
    }
    replies.sort_by_key(|reply| reply.id);
    let short: Vec<_> = replies.iter().map(|r| (&r.body[..], r.flags, r.aux, r.ext().encoding())).collect();
    assert_eq!(short[0], (&b"text"[..], Flags::NONE, 0, 0));
    assert_eq!(short[1], (&b"\xac\x02\x03tea"[..], Flags::NONE, 0, 1));
    assert_eq!(short[2], (&b"no order"[..], Flags::FAILED, 404, 0));
    assert_eq!((short[3].1, short[3].2), (Flags::FAILED, Failure::UNSPECIFIED));
    assert_eq!(short[4], (&b"in"[..], Flags::NONE, 0, 1));
    assert_eq!(replies[5].headers.get("h").and_then(|v| v.as_str()), Some("s.x"));
}

#[tokio::test]
#[cfg(feature = "json")]
async fn who_asks_in_json_or_by_hand_is_answered_in_json() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    async fn same(Body(order): Body<Order>) -> Body<Order> {
        Body(order)
    }
    let (_server, got) = spawn(&mut link, 1, client.serve("s").handle("same", same).spawn()).await;
    let json = br#"{"id":17,"name":"tea"}"#;
    let mut ext = ExtBuilder::new();
    ext.push(Tag::ENCODING, &[2]).unwrap();
    let marked = Parts { ext: ext.as_bytes(), ..call(got[0].id, 1, "s.same", json) };
    link.send_all(&[marked, call(got[0].id, 2, "s.same", json)]).await;
    for _ in 0..2 {
        let reply = link.expect(Kind::Reply).await;
        assert_eq!((&reply.body[..], reply.ext().encoding()), (&json[..], 2));
    }
}

#[tokio::test]
async fn a_panic_ends_its_call_and_nothing_else() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let handler = |Raw(body): Raw| async move {
        if body == "now" {
            panic!("out of tea");
        }
        tokio::task::yield_now().await;
        assert!(body != "later", "still out of tea");
        body
    };
    let (_server, got) = spawn(&mut link, 1, client.serve("s").handle("x", handler).spawn()).await;
    let id = got[0].id;
    link.send_all(&[call(id, 1, "s.x", b"now"), call(id, 2, "s.x", b"later"), call(id, 3, "s.x", b"ok")])
        .await;
    let mut replies = Vec::new();
    for _ in 0..3 {
        replies.push(link.expect(Kind::Reply).await);
    }
    replies.sort_by_key(|reply| reply.id);
    let panicked = own(Code::HandlerPanicked);
    assert_eq!((replies[0].aux, replies[0].text()), (panicked, "out of tea"));
    assert_eq!(replies[1].aux, panicked);
    assert_eq!(replies[2].text(), "ok");
}

/// Tells when it is dropped.
struct Bell(Arc<Notify>);

impl Drop for Bell {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn a_cancelled_call_ends_its_handler_and_is_not_answered() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let (started, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = {
        let (started, dropped) = (Arc::clone(&started), Arc::clone(&dropped));
        move || {
            let (started, bell) = (Arc::clone(&started), Bell(Arc::clone(&dropped)));
            async move {
                started.notify_one();
                std::future::pending::<()>().await;
                drop(bell);
            }
        }
    };
    let (server, got) = spawn(&mut link, 1, client.serve("s").handle("x", handler).spawn()).await;
    link.send(&call(got[0].id, 1, "s.x", b"")).await;
    soon(started.notified()).await;
    assert_eq!(server.in_flight(), 1);
    link.send(&Parts::bare(Kind::Cancel, got[0].id << 32 | 1)).await;
    soon(dropped.notified()).await;
    link.expect_nothing_before_ping(&client).await;
    assert_eq!(server.in_flight(), 0);
}

#[tokio::test]
async fn a_probe_is_answered_without_the_handler() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let (server, id) = echo(&client, &mut link).await;
    link.send(&Parts { flags: Flags::PROBE, ..call(id, 1, "echo.it", b"") }).await;
    let reply = link.expect(Kind::Reply).await;
    let json: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(
        (&json["service"], &json["name"], &json["subject"]),
        (&"echo".into(), &"tester".into(), &"echo.it".into())
    );
    assert_eq!((server.calls(), reply.ext().encoding()), (0, 2));
}

#[tokio::test]
async fn a_series_waits_for_credit() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let handler = || async { ReplyStream::new(stream::iter(["0", "1", "2"])) };
    let (_server, got) = spawn(&mut link, 1, client.serve("s").handle("x", handler).spawn()).await;
    let id = got[0].id << 32 | 1;
    let mut ext = ExtBuilder::new();
    ext.push_u32(Tag::REPLY_CREDIT, 1).unwrap();
    link.send(&Parts { ext: ext.as_bytes(), ..call(got[0].id, 1, "s.x", b"") }).await;
    let first = link.expect(Kind::Reply).await;
    assert_eq!((first.text(), first.flags), ("0", Flags::MORE));
    link.expect_nothing_before_ping(&client).await;
    link.send(&Parts::bare(Kind::ReplyCredit, id).aux(5)).await;
    for text in ["1", "2"] {
        let reply = link.expect(Kind::Reply).await;
        assert_eq!((reply.text(), reply.flags), (text, Flags::MORE));
    }
    let end = link.expect(Kind::Reply).await;
    assert_eq!((end.text(), end.flags, end.aux), ("", Flags::NONE, 1));
}

#[tokio::test]
async fn a_series_for_who_wants_one_reply_is_its_first() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let builder = client
        .serve("s")
        .handle("some", || async { ReplyStream::new(stream::iter(["0", "1"])) })
        .handle("failing", || async {
            ReplyStream::new(stream::iter([Err::<(), _>(Failure::new(7, "no"))]))
        });
    let (_server, got) = spawn(&mut link, 2, builder.spawn()).await;
    link.send(&call(got[0].id, 1, "s.some", b"")).await;
    let reply = link.expect(Kind::Reply).await;
    assert_eq!((reply.text(), reply.flags, reply.aux), ("0", Flags::NONE, 0));
    link.send(&call(got[1].id, 2, "s.failing", b"")).await;
    let reply = link.expect(Kind::Reply).await;
    assert_eq!((reply.text(), reply.flags, reply.aux), ("no", Flags::FAILED, 7));
    link.expect_nothing_before_ping(&client).await;
}

#[tokio::test]
async fn a_service_that_is_set_up_wrong_never_runs_in_part() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let two = client.serve("s").handle("a", || async {}).handle_subject("s.a", || async {});
    let table = [
        (client.serve("s").spawn().await, Code::ServiceInvalid),
        (two.spawn().await, Code::ServiceInvalid),
        (client.serve("No Name").handle("a", || async {}).spawn().await, Code::NameMalformed),
        (client.serve("s").handle("a..b", || async {}).spawn().await, Code::SubjectMalformed),
        (client.serve("s").handle_subject("$mesh.x", || async {}).spawn().await, Code::SubjectReserved),
        (client.serve("s").handle("a", || async {}).concurrency(0).spawn().await, Code::CreditOutOfRange),
    ];
    for (result, code) in table {
        assert_eq!(result.unwrap_err().code(), code);
    }
    link.expect_nothing_before_ping(&client).await;

    let (result, ids) =
        tokio::join!(client.serve("s").handle("a", || async {}).handle("b", || async {}).spawn(), async {
            let first = link.subscribed().await;
            let second = link.expect(Kind::Subscribe).await;
            link.refuse(Kind::Subscribe, second.id, Code::PermissionDenied, Flags::NONE).await;
            [first.id, second.id]
        });
    assert_eq!(result.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(link.expect(Kind::Unsubscribe).await.id, ids[0], "what was announced is taken back");
}

#[tokio::test]
async fn draining_takes_what_is_on_its_way_and_lets_handlers_finish() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let (started, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = {
        let (started, go) = (Arc::clone(&started), Arc::clone(&go));
        move || {
            let (started, go) = (Arc::clone(&started), Arc::clone(&go));
            async move {
                started.notify_one();
                go.notified().await;
                "done"
            }
        }
    };
    let (server, got) = spawn(&mut link, 1, client.serve("s").handle("x", handler).spawn()).await;
    link.send(&call(got[0].id, 1, "s.x", b"")).await;
    soon(started.notified()).await;
    let drained = tokio::spawn(async move {
        server.drain().await;
        server
    });
    let unsubscribe = link.expect(Kind::Unsubscribe).await;
    // This one crossed the deregistration.
    link.send(&call(got[0].id, 2, "s.x", b"")).await;
    link.confirm(&unsubscribe).await;
    soon(started.notified()).await;
    assert!(!drained.is_finished());
    go.notify_one();
    assert_eq!(link.expect(Kind::Reply).await.text(), "done");
    go.notify_one();
    assert_eq!(link.expect(Kind::Reply).await.text(), "done");
    let server = soon(drained).await.unwrap();
    soon(server.join()).await;
    assert!(server.error().is_none());
}

#[tokio::test]
async fn a_dropped_service_tells_who_still_waits() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let handler = || std::future::pending::<()>();
    let (server, got) = spawn(&mut link, 1, client.serve("s").handle("x", handler).spawn()).await;
    link.send_all(&[call(got[0].id, 1, "s.x", b""), Parts::bare(Kind::Ping, 1)]).await;
    link.expect(Kind::Pong).await;
    while server.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    drop(server);
    assert_eq!(link.expect(Kind::Unsubscribe).await.id, got[0].id);
    let reply = link.expect(Kind::Reply).await;
    assert_eq!(
        (reply.id, reply.flags, reply.aux),
        (got[0].id << 32 | 1, Flags::FAILED, own(Code::ResponderGone))
    );
    // This one was on its way.
    link.send(&call(got[0].id, 2, "s.x", b"")).await;
    let reply = link.expect(Kind::Reply).await;
    assert_eq!((reply.id as u32, reply.flags, reply.aux), (2, Flags::FAILED, own(Code::ResponderGone)));
}

#[tokio::test]
async fn a_call_of_a_lost_link_is_not_answered_on_the_next() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let (started, dropped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let handler = {
        let (started, dropped) = (Arc::clone(&started), Arc::clone(&dropped));
        move |Raw(body): Raw| {
            let (started, bell) = (Arc::clone(&started), Bell(Arc::clone(&dropped)));
            async move {
                if body == "hang" {
                    started.notify_one();
                    std::future::pending::<()>().await;
                }
                drop(bell);
                body
            }
        }
    };
    let (_server, got) = spawn(&mut link, 1, client.serve("s").handle("x", handler).spawn()).await;
    link.send(&call(got[0].id, 1, "s.x", b"hang")).await;
    soon(started.notified()).await;
    drop(link);
    let mut link = node.accept().await;
    let again = link.subscribed().await;
    assert_eq!(again.subject, "s.x");
    soon(dropped.notified()).await;
    link.send(&call(again.id, 1, "s.x", b"new")).await;
    assert_eq!(link.expect(Kind::Reply).await.text(), "new");
}

#[tokio::test]
async fn slow_handlers_do_not_hold_up_others() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let handler = |Raw(body): Raw| async move {
        // Holds the thread, as sums do.
        let start = std::time::Instant::now();
        while start.elapsed() < Duration::from_millis(1) {}
        body
    };
    let (server, got) = spawn(&mut link, 1, client.serve("s").handle("x", handler).spawn()).await;
    let calls: Vec<_> = (1..=20).map(|number| call(got[0].id, number, "s.x", b"x")).collect();
    link.send_all(&calls).await;
    for _ in &calls {
        link.expect(Kind::Reply).await;
    }
    assert_eq!((server.calls(), server.in_flight()), (20, 0));
}

#[tokio::test]
#[cfg(feature = "tower")]
async fn layers_see_requests_and_responses() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tower::ServiceBuilder;
    use tower::util::MapResponseLayer;

    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let seen = Arc::new(AtomicUsize::new(0));
    let count = {
        let seen = Arc::clone(&seen);
        MapResponseLayer::new(move |response: Response| {
            seen.fetch_add(usize::from(!response.is_failure()), Ordering::SeqCst);
            response
        })
    };
    let hang = |Raw(body): Raw| async move {
        if body == "hang" {
            std::future::pending::<()>().await;
        }
        body
    };
    let builder = client
        .serve("s")
        .handle("x", hang)
        .layer(ServiceBuilder::new().load_shed().concurrency_limit(1))
        .layer(count)
        .handle("bare", || async { "bare" });
    let (_server, got) = spawn(&mut link, 2, builder.spawn()).await;
    link.send(&call(got[0].id, 1, "s.x", b"ok")).await;
    assert_eq!(link.expect(Kind::Reply).await.text(), "ok");
    link.send_all(&[call(got[0].id, 2, "s.x", b"hang"), call(got[0].id, 3, "s.x", b"shed")]).await;
    let shed = link.expect(Kind::Reply).await;
    assert_eq!((shed.id as u32, shed.flags, shed.aux), (3, Flags::FAILED, own(Code::RequestRefused)));
    link.send(&call(got[1].id, 4, "s.bare", b"")).await;
    assert_eq!(link.expect(Kind::Reply).await.text(), "bare", "added behind the layers");
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}
