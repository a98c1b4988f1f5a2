//! Requests and services by the client library, through a real node.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::stream;
use mesh_client::serve::{Body, Raw, ReplyStream, Server, State};
use mesh_client::{Client, Code, Failure, Message};
use mesh_e2e::{PATIENCE, RunningNode, mesh};
use rustix::process::Signal;
use tokio::sync::Notify;
use tokio::time::timeout;

async fn client(node: &RunningNode, name: &str) -> Client {
    Client::builder().name(name).endpoint(node.url()).connect().await.unwrap()
}

async fn echo(client: &Client) -> Server {
    client.serve("echo").handle("it", |message: Message| async { message }).spawn().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_requests_at_once_get_their_own_replies() {
    let node = RunningNode::start();
    let (asking, answering) = (client(&node, "a").await, client(&node, "b").await);
    let server = echo(&answering).await;
    let requests: Vec<_> = (0..1_000u32)
        .map(|n| {
            let asking = asking.clone();
            tokio::spawn(async move {
                for round in 0..5 {
                    let text = format!("{n}/{round}");
                    let reply = asking.request("echo.it", text.as_str()).timeout(PATIENCE).await.unwrap();
                    assert_eq!(reply.text().unwrap(), text);
                }
            })
        })
        .collect();
    for request in requests {
        timeout(PATIENCE, request).await.unwrap().unwrap();
    }
    assert_eq!(server.calls(), 5_000);
}

#[tokio::test]
async fn nobody_there_is_said_at_once() {
    let node = RunningNode::start();
    let mesh = client(&node, "a").await;
    let start = Instant::now();
    let error = mesh.request("nobody.here", "").timeout(PATIENCE).await.unwrap_err();
    assert_eq!(error.code(), Code::NoResponders);
    assert!(start.elapsed() < PATIENCE / 2, "long before the deadline");
    let mut subscription = mesh.subscribe("nobody.here").await.unwrap();
    let error = mesh.request("nobody.here", "").await.unwrap_err();
    assert_eq!(error.code(), Code::NoResponders, "a subscription is no responder");
    assert!(timeout(Duration::from_millis(20), subscription.next()).await.is_err());
}

#[tokio::test]
async fn failures_panics_and_bodies_that_do_not_fit_come_back_as_what_they_are() {
    let node = RunningNode::start();
    let mesh = client(&node, "a").await;
    async fn divide(Body((a, b)): Body<(i64, i64)>) -> Result<Body<i64>, Failure> {
        if b == 7 {
            panic!("seven");
        }
        a.checked_div(b).map(Body).ok_or_else(|| Failure::new(1, "division by zero"))
    }
    let _server = mesh.serve("math").handle("divide", divide).spawn().await.unwrap();
    let call = |a: i64, b: i64| {
        let mesh = mesh.clone();
        async move { mesh.call::<i64>("math.divide", &(a, b)).await }
    };
    assert_eq!(call(9, 3).await.unwrap(), 3);
    let error = call(9, 0).await.unwrap_err();
    assert_eq!(
        (error.code(), error.failure()),
        (Code::ApplicationError, Some(&Failure::new(1, "division by zero")))
    );
    let error = call(9, 7).await.unwrap_err();
    assert_eq!((error.code(), error.cause()), (Code::HandlerPanicked, "seven"));
    let error = mesh.call::<i64>("math.divide", &"what?").await.unwrap_err();
    assert_eq!(error.code(), Code::RequestBodyInvalid);
    assert_eq!(call(8, 2).await.unwrap(), 4, "none of this stops the service");
    let reply = mesh.request("math.divide", "[12,4]").await.unwrap();
    assert_eq!(reply.text().unwrap(), "3", "JSON for who types JSON");
}

struct Bell(Arc<Notify>);

impl Drop for Bell {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

#[tokio::test]
async fn deadlines_and_dropped_requests_reach_the_handler() {
    let node = RunningNode::start();
    let (asking, answering) = (client(&node, "a").await, client(&node, "b").await);
    let (started, stopped) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let hang = |State((started, stopped)): State<(Arc<Notify>, Arc<Notify>)>| async move {
        let _bell = Bell(stopped);
        started.notify_one();
        std::future::pending::<()>().await;
    };
    let builder =
        answering.serve("s").state((Arc::clone(&started), Arc::clone(&stopped))).handle("hang", hang);
    let server = builder.spawn().await.unwrap();

    let error = asking.request("s.hang", "").timeout(Duration::from_millis(50)).await.unwrap_err();
    assert_eq!(error.code(), Code::RequestDeadline);
    timeout(PATIENCE, stopped.notified()).await.unwrap();
    timeout(PATIENCE, started.notified()).await.unwrap();

    let request = tokio::spawn({
        let asking = asking.clone();
        async move { asking.request("s.hang", "").timeout(PATIENCE).await }
    });
    timeout(PATIENCE, started.notified()).await.unwrap();
    request.abort();
    timeout(PATIENCE, stopped.notified()).await.unwrap();
    assert_eq!((server.calls(), server.in_flight()), (2, 0));
}

#[tokio::test]
async fn a_series_of_any_length_comes_with_little_credit() {
    let node = RunningNode::start();
    let (asking, answering) = (client(&node, "a").await, client(&node, "b").await);
    let count = |Body(to): Body<u32>| async move { ReplyStream::new(stream::iter((0..to).map(Body))) };
    let _server = answering.serve("count").handle("to", count).spawn().await.unwrap();
    for length in [0, 1, 7, 8, 9, 2_000u32] {
        let request = asking.request("count.to", &length).replies(8).timeout(PATIENCE);
        let mut replies = request.stream().await.unwrap();
        let mut got = Vec::new();
        while let Some(reply) = timeout(PATIENCE, replies.next()).await.unwrap() {
            got.push(reply.unwrap().decode::<u32>().unwrap());
        }
        assert!(got.into_iter().eq(0..length), "{length}");
    }
    let first: u32 = asking.call("count.to", &9u32).await.unwrap();
    assert_eq!(first, 0, "who asks for one reply gets the first");
    assert!(asking.call::<u32>("count.to", &0u32).await.is_err());
}

#[tokio::test]
async fn a_gather_hears_everyone() {
    let node = RunningNode::start();
    let mesh = client(&node, "asking").await;
    let mut servers = Vec::new();
    for name in ["one", "two", "three"] {
        let member = client(&node, name).await;
        let who = move || async move { name };
        servers.push(member.serve("who").ungrouped().handle("there", who).spawn().await.unwrap());
        servers.push(member.serve("shared").handle("there", who).spawn().await.unwrap());
    }
    let gather = |subject: &'static str| {
        let mesh = mesh.clone();
        async move {
            let mut replies = mesh.request_many(subject, "").timeout(PATIENCE).await.unwrap();
            let mut names = Vec::new();
            while let Some(reply) = timeout(PATIENCE, replies.next()).await.unwrap() {
                names.push(reply.unwrap().text().unwrap().to_owned());
            }
            names.sort();
            names
        }
    };
    assert_eq!(gather("who.there").await, ["one", "three", "two"]);
    assert_eq!(gather("shared.there").await.len(), 1, "one member of a group");
    let mut replies = mesh.request_many("who.there", "").max(2).await.unwrap();
    let mut got = 0;
    while let Some(reply) = timeout(PATIENCE, replies.next()).await.unwrap() {
        reply.unwrap();
        got += 1;
    }
    assert_eq!(got, 2);
    let mut nobody = mesh.request_many("nobody.there", "").await.unwrap();
    assert_eq!(nobody.next().await.unwrap().unwrap_err().code(), Code::NoResponders);
}

#[tokio::test]
async fn large_requests_and_replies_go_through() {
    let node = RunningNode::start();
    let mesh = client(&node, "a").await;
    let _server = echo(&mesh).await;
    let body: Vec<u8> = (0..5_000_000u32).map(|i| (i / 3) as u8).collect();
    let reply = mesh.request("echo.it", body.as_slice()).timeout(PATIENCE).await.unwrap();
    assert!(reply.body() == body);
}

#[tokio::test]
async fn a_responder_that_dies_ends_its_requests() {
    let node = RunningNode::start();
    let asking = client(&node, "a").await;
    let mut reply =
        mesh_e2e::Process::start(mesh(&node).args(["reply", "slow.it", "--command", "sleep 1000"]));
    reply.stderr_line("answering");
    let request = tokio::spawn({
        let asking = asking.clone();
        async move { asking.request("slow.it", "").timeout(PATIENCE).await }
    });
    // The request is under way when the listing says so.
    loop {
        let info = asking.request("$mesh.node.info", "").await.unwrap();
        let info: serde_json::Value = serde_json::from_slice(info.as_bytes()).unwrap();
        if info["requests_in_flight"] == 1 {
            break;
        }
        tokio::task::yield_now().await;
    }
    reply.signal(Signal::KILL);
    let error = timeout(PATIENCE, request).await.unwrap().unwrap().unwrap_err();
    assert_eq!(error.code(), Code::ResponderGone);
}

#[tokio::test]
async fn a_full_responder_refuses_at_once() {
    let node = RunningNode::start();
    let (asking, answering) = (client(&node, "a").await, client(&node, "b").await);
    let started = Arc::new(Notify::new());
    let hang = |State(started): State<Arc<Notify>>| async move {
        started.notify_one();
        std::future::pending::<()>().await;
    };
    let builder = answering.serve("s").state(Arc::clone(&started)).handle("x", hang).concurrency(1);
    let _server = builder.spawn().await.unwrap();
    let first = tokio::spawn({
        let asking = asking.clone();
        async move { asking.request("s.x", "").timeout(PATIENCE).await }
    });
    timeout(PATIENCE, started.notified()).await.unwrap();
    let error = asking.request("s.x", "").timeout(PATIENCE).await.unwrap_err();
    assert_eq!(error.code(), Code::ResponderBusy);
    first.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_come_and_go_under_load_and_no_request_is_lost() {
    let node = RunningNode::start();
    let asking = client(&node, "a").await;
    let answered = Arc::new(AtomicUsize::new(0));
    let work = |State(answered): State<Arc<AtomicUsize>>, Raw(body): Raw| async move {
        tokio::task::yield_now().await;
        answered.fetch_add(1, Ordering::Relaxed);
        body
    };
    let start = async |name: &str| {
        let member = client(&node, name).await;
        let builder = member.serve("work").state(Arc::clone(&answered)).handle("do", work);
        let server = builder.spawn().await.unwrap();
        (member, server)
    };
    let mut current = start("first").await;
    let asked = tokio::spawn({
        let asking = asking.clone();
        async move {
            let mut asked = 0;
            while asked < 3_000 {
                let request = asking.request("work.do", "x").timeout(PATIENCE);
                assert_eq!(request.await.unwrap().as_bytes(), b"x");
                asked += 1;
            }
            asked
        }
    });
    for round in 0..10 {
        let next = start(&format!("next-{round}")).await;
        let (member, server) = std::mem::replace(&mut current, next);
        timeout(PATIENCE, member.drain()).await.unwrap().unwrap();
        drop(server);
    }
    assert_eq!(timeout(PATIENCE, asked).await.unwrap().unwrap(), 3_000);
    assert_eq!(answered.load(Ordering::Relaxed), 3_000, "each once: a drained instance loses nothing");
}
