use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use mesh_client::{Client, Code, ConnectionEvent, Error, ErrorKind, Failure, Message, Replies};
use mesh_wire::ext::{ExtBuilder, Tag};
use mesh_wire::frame::{Flags, Kind, Parts};
use serde::{Deserialize, Serialize};

use crate::fake_node::{FakeLink, FakeNode, event, soon};

/// Polls once, so that the request is sent.
fn start(future: &mut (impl Future<Output = Result<Message, Error>> + Unpin)) {
    assert!(pin!(future).as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

fn end(id: u64, code: Code) -> Parts<'static> {
    Parts::bare(Kind::End, id).aux(code.number().into())
}

#[tokio::test]
async fn a_request_gets_its_reply() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let request = client.request("echo.it", "text").header("tenant", "a").timeout(Duration::from_secs(2));
    let (reply, got) = tokio::join!(request.into_future(), async {
        let got = link.expect(Kind::Request).await;
        let mut ext = ExtBuilder::new();
        ext.push(Tag::MEMBER, b"echo-1").unwrap();
        link.send(&Parts { ext: ext.as_bytes(), ..Parts::bare(Kind::Reply, got.id).body(b"answer") }).await;
        got
    });
    let reply = reply.unwrap();
    assert_eq!((reply.text().unwrap(), reply.member(), reply.subject()), ("answer", Some("echo-1"), ""));
    assert_eq!(
        (got.subject.as_str(), got.text(), got.aux, got.flags),
        ("echo.it", "text", 2_000, Flags::NONE)
    );
    assert!(got.headers.get("tenant").is_some());
    assert_eq!(got.ext().get(Tag::REPLY_CREDIT), None, "one reply is all that is wanted");
}

#[tokio::test]
async fn replies_find_their_requests_in_any_order() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let mut requests: Vec<_> = (0..20)
        .map(|i| {
            let client = client.clone();
            tokio::spawn(async move { client.request("a", format!("{i}")).await })
        })
        .collect();
    let mut got = Vec::new();
    for _ in 0..20 {
        got.push(link.expect(Kind::Request).await);
    }
    got.reverse();
    let replies: Vec<_> = got.iter().map(|got| Parts::bare(Kind::Reply, got.id).body(&got.body)).collect();
    link.send_all(&replies).await;
    for (i, request) in requests.drain(..).enumerate() {
        assert_eq!(soon(request).await.unwrap().unwrap().text().unwrap(), i.to_string());
    }
}

#[tokio::test]
async fn ends_without_a_reply_say_why() {
    let table = [
        (Code::NoResponders, ErrorKind::NoResponders, "no responders for \"a.b\""),
        (Code::RequestDeadline, ErrorKind::Deadline, "\"a.b\" did not answer before the deadline"),
        (
            Code::ResponderGone,
            ErrorKind::Disconnected,
            "the responder for \"a.b\" went away before it answered",
        ),
    ];
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    for (code, kind, message) in table {
        let (reply, ()) = tokio::join!(client.request("a.b", "").into_future(), async {
            let got = link.expect(Kind::Request).await;
            link.send(&end(got.id, code)).await;
        });
        let error = reply.unwrap_err();
        assert_eq!((error.code(), error.kind(), error.message()), (code, kind, message));
    }
    let (reply, ()) = tokio::join!(client.request("a.b", "").into_future(), async {
        let got = link.expect(Kind::Request).await;
        link.refuse(Kind::Request, got.id, Code::TooManyRequests, Flags::NONE).await;
    });
    let error = reply.unwrap_err();
    assert_eq!((error.code(), error.cause()), (Code::TooManyRequests, "because"));
}

#[tokio::test]
async fn an_error_of_the_application_comes_as_it_was_given() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let (reply, ()) = tokio::join!(client.request("a", "").into_future(), async {
        let got = link.expect(Kind::Request).await;
        link.send(&Parts {
            flags: Flags::FAILED,
            ..Parts::bare(Kind::Reply, got.id).aux(404).body(b"no order")
        })
        .await;
    });
    let error = reply.unwrap_err();
    assert_eq!(error.code(), Code::ApplicationError);
    assert_eq!(error.failure(), Some(&Failure::new(404, "no order")));
}

#[tokio::test]
async fn a_call_decodes_its_reply() {
    #[derive(Serialize)]
    struct Get {
        id: u64,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Order {
        total: u8,
    }
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let get = Get { id: 5 };
    let (order, ()) = tokio::join!(client.call::<Order>("orders.get", &get).into_future(), async {
        let got = link.expect(Kind::Request).await;
        assert_eq!((&got.body[..], got.ext().encoding()), (&[5][..], 1));
        let mut ext = ExtBuilder::new();
        ext.push(Tag::ENCODING, &[1]).unwrap();
        link.send(&Parts { ext: ext.as_bytes(), ..Parts::bare(Kind::Reply, got.id).body(&[9]) }).await;
    });
    assert_eq!(order.unwrap(), Order { total: 9 });
    assert_eq!(get.id, 5);
}

#[tokio::test]
async fn a_dropped_request_is_cancelled_and_its_late_reply_ignored() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let mut request = client.request("a", "").into_future();
    start(&mut request);
    let got = link.expect(Kind::Request).await;
    drop(request);
    assert_eq!(link.expect(Kind::Cancel).await.id, got.id);
    link.send(&Parts::bare(Kind::Reply, got.id).body(b"late")).await;
    link.expect_nothing_before_ping(&client).await;

    drop(client.request("a", "never polled").into_future());
    link.expect_nothing_before_ping(&client).await;
}

#[tokio::test]
async fn a_node_that_forgets_a_deadline_does_not_make_the_client_wait() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let request = client.request("a", "").timeout(Duration::from_millis(10)).into_future();
    let error = soon(request).await.unwrap_err();
    assert_eq!(error.code(), Code::RequestDeadline);
    assert_eq!(link.expect(Kind::Request).await.aux, 10);
}

#[tokio::test]
async fn what_is_wrong_is_said_before_it_is_sent() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let hour = Duration::from_secs(3_600);
    let table = [
        (client.request("a.*", "").await.unwrap_err(), Code::SubjectWildcard),
        (client.request("a", "").timeout(Duration::ZERO).await.unwrap_err(), Code::TimeoutOutOfRange),
        (
            client.request("a", "").timeout(hour + Duration::from_millis(1)).await.unwrap_err(),
            Code::TimeoutOutOfRange,
        ),
        (client.request("a", "").replies(0).stream().await.unwrap_err(), Code::ReplyCreditOutOfRange),
        (client.request("a", "").replies(65_536).stream().await.unwrap_err(), Code::ReplyCreditOutOfRange),
        (client.request_many("a", "").max(0).await.unwrap_err(), Code::ReplyCreditOutOfRange),
    ];
    for (error, code) in table {
        assert_eq!(error.code(), code);
    }
    link.expect_nothing_before_ping(&client).await;
    let mut longest = client.request("$mesh.node.info", "").timeout(hour).into_future();
    start(&mut longest);
    let got = link.expect(Kind::Request).await;
    assert_eq!(
        (got.subject.as_str(), got.aux),
        ("$mesh.node.info", 3_600_000),
        "the node answers these itself"
    );
}

#[tokio::test]
async fn a_lost_connection_ends_what_is_under_way() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let mut request = client.request("a", "").into_future();
    start(&mut request);
    link.expect(Kind::Request).await;
    drop(link);
    let error = soon(request).await.unwrap_err();
    assert_eq!((error.code(), error.kind()), (Code::Disconnected, ErrorKind::Disconnected));
}

#[tokio::test]
async fn an_idempotent_request_goes_to_the_next_connection() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let request = tokio::spawn({
        let client = client.clone();
        async move { client.request("a", "again").idempotent().await }
    });
    let first = link.expect(Kind::Request).await;
    assert_eq!(first.flags, Flags::IDEMPOTENT);
    drop(link);
    let mut link = node.accept().await;
    let second = link.expect(Kind::Request).await;
    assert_eq!(second.text(), "again");
    assert!(second.aux <= first.aux, "what is left of the deadline");
    link.send(&Parts::bare(Kind::Reply, second.id).body(b"done")).await;
    assert_eq!(soon(request).await.unwrap().unwrap().text().unwrap(), "done");
}

#[tokio::test]
async fn an_idempotent_request_waits_for_a_connection() {
    let node = FakeNode::new();
    let (client, link) = node.connect().await;
    let mut events = client.events();
    drop(link);
    event(&mut events, |e| matches!(e, ConnectionEvent::Disconnected { .. }).then_some(())).await;
    assert_eq!(client.request("a", "").await.unwrap_err().code(), Code::NotConnected);
    let request = tokio::spawn({
        let client = client.clone();
        async move { client.request("a", "").idempotent().await }
    });
    let mut link = node.accept().await;
    let got = link.expect(Kind::Request).await;
    link.send(&Parts::bare(Kind::Reply, got.id)).await;
    soon(request).await.unwrap().unwrap();
}

#[tokio::test]
async fn retries_are_bounded_per_request_and_by_the_budget() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let refuser = tokio::spawn(async move {
        let mut refused = 0;
        while let Some(got) = link.next().await {
            if got.kind == Kind::Request {
                refused += 1;
                link.send(&end(got.id, Code::NoResponders)).await;
            }
        }
        refused
    });
    for idempotent in [true, false] {
        for _ in 0..10 {
            let request = client.request("a", "");
            let request = if idempotent { request.idempotent() } else { request };
            let error = soon(request.into_future()).await.unwrap_err();
            assert_eq!(error.code(), Code::NoResponders, "the reason stays the reason");
        }
    }
    client.close().await;
    // What is saved up at first pays for ten retries, three for each call while it lasts.
    assert_eq!(soon(refuser).await.unwrap(), 20 + 10);
}

async fn ask_series(client: &Client, link: &mut FakeLink, credit: u32) -> (Replies, u64) {
    let (replies, got) =
        tokio::join!(client.request("a", "").replies(credit).stream(), link.expect(Kind::Request));
    assert_eq!(got.ext().get_u32(Tag::REPLY_CREDIT), Some(credit));
    (replies.unwrap(), got.id)
}

fn more<'a>(id: u64, body: &'a [u8]) -> Parts<'a> {
    Parts { flags: Flags::MORE, ..Parts::bare(Kind::Reply, id).body(body) }
}

#[tokio::test]
async fn a_series_comes_with_credit_and_ends_with_its_last() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let (mut replies, id) = ask_series(&client, &mut link, 2).await;
    link.send_all(&[more(id, b"0"), more(id, b"1")]).await;
    for i in 0..2 {
        assert_eq!(soon(replies.next()).await.unwrap().unwrap().text().unwrap(), i.to_string());
        let credit = link.expect(Kind::ReplyCredit).await;
        assert_eq!((credit.id, credit.aux), (id, 1));
    }
    link.send(&Parts::bare(Kind::Reply, id).body(b"2")).await;
    assert_eq!(soon(replies.next()).await.unwrap().unwrap().text().unwrap(), "2");
    assert!(soon(replies.next()).await.is_none());
    drop(replies);
    link.expect(Kind::ReplyCredit).await;
    link.expect_nothing_before_ping(&client).await;
}

#[tokio::test]
async fn a_series_may_end_with_a_mark_or_an_error() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let (mut replies, id) = ask_series(&client, &mut link, 9).await;
    link.send_all(&[more(id, b"0"), Parts::bare(Kind::Reply, id).aux(1)]).await;
    assert!(soon(replies.next()).await.unwrap().is_ok());
    assert!(soon(replies.next()).await.is_none());

    let (mut replies, id) = ask_series(&client, &mut link, 9).await;
    let failed = Parts { flags: Flags::FAILED, ..Parts::bare(Kind::Reply, id).aux(7).body(b"oops") };
    link.send_all(&[more(id, b"0"), failed]).await;
    assert!(soon(replies.next()).await.unwrap().is_ok());
    let error = soon(replies.next()).await.unwrap().unwrap_err();
    assert_eq!(error.failure(), Some(&Failure::new(7, "oops")));
    assert!(soon(replies.next()).await.is_none());

    let (mut replies, id) = ask_series(&client, &mut link, 9).await;
    link.send_all(&[more(id, b"0"), end(id, Code::ResponderGone)]).await;
    assert!(soon(replies.next()).await.unwrap().is_ok());
    assert_eq!(soon(replies.next()).await.unwrap().unwrap_err().code(), Code::ResponderGone);
    assert!(soon(replies.next()).await.is_none());
}

#[tokio::test]
async fn a_dropped_series_is_cancelled() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let (replies, id) = ask_series(&client, &mut link, 9).await;
    drop(replies);
    assert_eq!(link.expect(Kind::Cancel).await.id, id);
}

#[tokio::test]
async fn one_reply_of_a_series_is_enough_for_who_wants_one() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let (reply, id) = tokio::join!(client.request("a", "").into_future(), async {
        let got = link.expect(Kind::Request).await;
        link.send(&more(got.id, b"first")).await;
        got.id
    });
    assert_eq!(reply.unwrap().text().unwrap(), "first");
    assert_eq!(link.expect(Kind::Cancel).await.id, id);
}

#[tokio::test]
async fn a_gather_collects_until_the_node_says_that_all_have_answered() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let (replies, got) =
        tokio::join!(client.request_many("a", "").max(5).into_future(), link.expect(Kind::Request));
    let mut replies = replies.unwrap();
    assert_eq!((got.flags, got.ext().get_u32(Tag::MAX_REPLIES)), (Flags::GATHER, Some(5)));
    let failed = Parts {
        flags: Flags::FAILED.with(Flags::MORE),
        ..Parts::bare(Kind::Reply, got.id).aux(7).body(b"no")
    };
    let all = [more(got.id, b"0"), failed, more(got.id, b"2"), Parts::bare(Kind::End, got.id)];
    link.send_all(&all).await;
    assert!(soon(replies.next()).await.unwrap().is_ok());
    assert!(soon(replies.next()).await.unwrap().unwrap_err().failure().is_some());
    assert!(soon(replies.next()).await.unwrap().is_ok(), "one that failed does not end the others");
    assert!(soon(replies.next()).await.is_none());
}

#[tokio::test]
async fn a_gather_ends_by_number_silence_or_deadline() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;

    let (replies, got) =
        tokio::join!(client.request_many("a", "").max(2).into_future(), link.expect(Kind::Request));
    let mut replies = replies.unwrap();
    link.send_all(&[more(got.id, b"0"), more(got.id, b"1")]).await;
    assert!(soon(replies.next()).await.is_some() && soon(replies.next()).await.is_some());
    assert!(soon(replies.next()).await.is_none());
    assert_eq!(link.expect(Kind::Cancel).await.id, got.id);

    let silent = client.request_many("a", "").silence(Duration::from_millis(5));
    let (replies, got) = tokio::join!(silent.into_future(), link.expect(Kind::Request));
    let mut replies = replies.unwrap();
    link.send(&more(got.id, b"0")).await;
    assert!(soon(replies.next()).await.is_some());
    assert!(soon(replies.next()).await.is_none());
    assert_eq!(link.expect(Kind::Cancel).await.id, got.id);

    for end in [end, |id, _| Parts::bare(Kind::End, id)] {
        let (replies, got) =
            tokio::join!(client.request_many("a", "").into_future(), link.expect(Kind::Request));
        let mut replies = replies.unwrap();
        link.send_all(&[more(got.id, b"0"), end(got.id, Code::RequestDeadline)]).await;
        assert!(soon(replies.next()).await.unwrap().is_ok());
        assert!(soon(replies.next()).await.is_none(), "what has come is all there is, and no error");
    }
}

#[tokio::test]
async fn a_gather_that_reaches_nobody_says_so() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let (replies, got) = tokio::join!(client.request_many("a", "").into_future(), link.expect(Kind::Request));
    link.send(&end(got.id, Code::NoResponders)).await;
    let mut replies = replies.unwrap();
    assert_eq!(soon(replies.next()).await.unwrap().unwrap_err().code(), Code::NoResponders);
    assert!(soon(replies.next()).await.is_none());
}

#[tokio::test]
async fn a_large_request_and_its_large_reply_travel_in_chunks() {
    let node = FakeNode::new();
    let (client, mut link) = node.connect().await;
    let body = vec![7u8; 600_000];
    let (reply, ()) = tokio::join!(client.request("a", body.as_slice()).into_future(), async {
        let opening = link.expect(Kind::Request).await;
        assert_eq!(opening.ext().chunk().map(|(_, total)| total), Some(600_000));
        while link.expect(Kind::Chunk).await.flags.contains(Flags::MORE) {}
        let mut ext = ExtBuilder::new();
        ext.push_chunk(1, 600_000).unwrap();
        let (first, rest) = body.split_at(300_000);
        let reply = Parts { ext: ext.as_bytes(), ..Parts::bare(Kind::Reply, opening.id).body(first) };
        link.send_all(&[reply, Parts::bare(Kind::Chunk, 1).body(rest)]).await;
    });
    assert!(reply.unwrap().body() == body);
}
