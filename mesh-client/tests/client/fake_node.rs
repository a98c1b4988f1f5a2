//! A node that does exactly what a test says, frame by frame.

use std::future::Future;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use mesh_client::{Client, ClientBuilder, ConnectionEvent, Events};
use mesh_wire::body::{self, ErrorV1, HelloV1, SubscribeV1, WelcomeV1};
use mesh_wire::code::Code;
use mesh_wire::ext::Ext;
use mesh_wire::frame::{Flags, Frame, Kind, PREFACE, Parts};
use mesh_wire::header::Headers;
use mesh_wire::hello::Features;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// Longer than anything here takes; only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for what has to come.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it did not come")
}

pub(crate) struct FakeNode {
    listener: UnixListener,
    endpoint: String,
    _dir: tempfile::TempDir,
}

impl FakeNode {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("n");
        let listener = UnixListener::bind(&path).unwrap();
        Self { listener, endpoint: format!("unix://{}", path.display()), _dir: dir }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder().name("tester").endpoint(&self.endpoint)
    }

    /// A connection before any byte.
    pub(crate) async fn accept_silent(&self) -> FakeLink {
        let (stream, _) = soon(self.listener.accept()).await.unwrap();
        FakeLink { stream, buffer: BytesMut::new(), hello: None }
    }

    /// A connection, greeted.
    pub(crate) async fn accept(&self) -> FakeLink {
        let mut link = self.accept_silent().await;
        link.hear_hello().await;
        link.welcome(8 * 1024 * 1024).await;
        link
    }

    /// A client and its link.
    pub(crate) async fn connect(&self) -> (Client, FakeLink) {
        let (client, link) = tokio::join!(self.builder().connect(), self.accept());
        (client.unwrap(), link)
    }
}

pub(crate) struct FakeLink {
    pub(crate) stream: UnixStream,
    buffer: BytesMut,
    pub(crate) hello: Option<HelloV1>,
}

/// A frame that the client sent.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) kind: Kind,
    pub(crate) flags: Flags,
    pub(crate) aux: u32,
    pub(crate) id: u64,
    ext: Vec<u8>,
    pub(crate) subject: String,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
}

impl Got {
    pub(crate) fn ext(&self) -> Ext<'_> {
        Ext::parse(&self.ext).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn subscription(&self) -> SubscribeV1 {
        assert_eq!(self.kind, Kind::Subscribe);
        body::decode(&self.body).unwrap()
    }
}

impl FakeLink {
    pub(crate) async fn hear_hello(&mut self) -> HelloV1 {
        let mut preface = [0; 8];
        soon(self.stream.read_exact(&mut preface)).await.unwrap();
        assert_eq!(preface, PREFACE);
        let hello = self.expect(Kind::Hello).await;
        assert_eq!((hello.aux, hello.id), (0x0001_0001, Features::OURS.bits()));
        let hello: HelloV1 = body::decode(&hello.body).unwrap();
        self.hello = Some(hello.clone());
        hello
    }

    pub(crate) async fn welcome(&mut self, max_body: u64) {
        let welcome = WelcomeV1 {
            node: "n1".into(),
            cluster: "c".into(),
            version: "9.9".into(),
            incarnation: 77,
            link: 5,
            identity: "unix:uid=0".into(),
            max_body,
            max_frame: 1024 * 1024,
            max_subscriptions: 1000,
            max_requests: 1000,
        };
        let body = body::encode(&welcome).unwrap();
        self.send(&Parts::bare(Kind::Welcome, Features::OURS.bits()).aux(1).body(&body)).await;
    }

    /// Sends frames in one write.
    pub(crate) async fn send_all(&mut self, frames: &[Parts<'_>]) {
        let mut bytes = BytesMut::new();
        frames.iter().for_each(|parts| parts.encode(&mut bytes).unwrap());
        self.write(&bytes).await;
    }

    pub(crate) async fn send(&mut self, parts: &Parts<'_>) {
        self.send_all(&[*parts]).await;
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        soon(self.stream.write_all(bytes)).await.unwrap();
    }

    /// Sends an `ERROR`.
    pub(crate) async fn refuse(&mut self, about: Kind, id: u64, code: Code, flags: Flags) {
        let told = ErrorV1 { about: about as u8, cause: "because".into(), retry_after_ms: 0 };
        let body = body::encode(&told).unwrap();
        self.send(&Parts { flags, ..Parts::bare(Kind::Error, id).aux(code.number().into()).body(&body) })
            .await;
    }

    /// Confirms a `SUBSCRIBE` or `UNSUBSCRIBE`.
    pub(crate) async fn confirm(&mut self, got: &Got) {
        self.send(&Parts::bare(Kind::Ok, got.id).aux(got.kind as u32)).await;
    }

    /// The next frame; `None` when the client hung up.
    pub(crate) async fn next(&mut self) -> Option<Got> {
        loop {
            if let Some(frame) = Frame::decode(&self.buffer).unwrap() {
                let got = Got {
                    kind: frame.kind(),
                    flags: frame.flags(),
                    aux: frame.aux(),
                    id: frame.id(),
                    ext: frame.ext().to_vec(),
                    subject: String::from_utf8(frame.subject().to_vec()).unwrap(),
                    headers: Headers::parse(Bytes::copy_from_slice(frame.headers())).unwrap(),
                    body: Bytes::copy_from_slice(frame.body()),
                };
                let len = frame.len();
                drop(self.buffer.split_to(len));
                return Some(got);
            }
            if soon(self.stream.read_buf(&mut self.buffer)).await.unwrap() == 0 {
                return None;
            }
        }
    }

    pub(crate) async fn expect(&mut self, kind: Kind) -> Got {
        let got = self.next().await.expect("the client hung up");
        assert_eq!(got.kind, kind, "{got:?}");
        got
    }

    /// Expects a subscription and confirms it.
    pub(crate) async fn subscribed(&mut self) -> Got {
        let got = self.expect(Kind::Subscribe).await;
        self.confirm(&got).await;
        got
    }

    /// Expects nothing but what was sent before: answers a ping that the test sends through `client`.
    pub(crate) async fn expect_nothing_before_ping(&mut self, client: &Client) {
        let (pinged, ()) = tokio::join!(client.flush(), async {
            let ping = self.expect(Kind::Ping).await;
            self.send(&Parts::bare(Kind::Pong, ping.id)).await;
        });
        pinged.unwrap();
    }
}

/// The next event that `pick` knows.
pub(crate) async fn event<T>(events: &mut Events, mut pick: impl FnMut(ConnectionEvent) -> Option<T>) -> T {
    loop {
        let event = soon(events.next()).await.expect("the client was closed");
        if let Some(picked) = pick(event) {
            return picked;
        }
    }
}
