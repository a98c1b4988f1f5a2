//! A node that does exactly what a test says, frame by frame.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use mesh_client::{Client, ClientBuilder, ConnectionEvent, Events};
use mesh_transport::link::{Closed, Handle, Inbound, LaneReader, Link, Outbound};
use mesh_transport::{quic, tls};
use mesh_wire::body::{self, ErrorV1, HelloV1, SubscribeV1, WelcomeV1};
use mesh_wire::class::Class;
use mesh_wire::code::Code;
use mesh_wire::ext::Ext;
use mesh_wire::frame::{Flags, Frame, Kind, PREFACE, Parts};
use mesh_wire::header::Headers;
use mesh_wire::hello::Features;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::UnixListener;

/// Longer than anything here takes; only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for what has to come.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it did not come")
}

pub(crate) struct FakeNode {
    listener: Listener,
    endpoint: String,
    _dir: Option<tempfile::TempDir>,
}

enum Listener {
    Unix(UnixListener),
    Quic(quic::Listener),
    Tls(tls::Listener),
}

impl FakeNode {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("n");
        let listener = UnixListener::bind(&path).unwrap();
        let endpoint = format!("unix://{}", path.display());
        Self { listener: Listener::Unix(listener), endpoint, _dir: Some(dir) }
    }

    /// One that listens on UDP, at this machine's own address.
    pub(crate) fn on_quic(options: quic::ListenerOptions) -> Self {
        let listener = quic::Listener::bind(options).unwrap();
        let endpoint = format!("quic://{}", listener.local_address().unwrap());
        Self { listener: Listener::Quic(listener), endpoint, _dir: None }
    }

    /// One that listens on TCP, at this machine's own address.
    pub(crate) fn on_tls(options: tls::ListenerOptions) -> Self {
        let listener = tls::Listener::bind(options).unwrap();
        let endpoint = format!("tls://{}", listener.local_address().unwrap());
        Self { listener: Listener::Tls(listener), endpoint, _dir: None }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder().name("tester").endpoint(&self.endpoint)
    }

    /// A connection before any byte.
    pub(crate) async fn accept_silent(&self) -> FakeLink {
        let link = match &self.listener {
            Listener::Unix(listener) => Link::unix(soon(listener.accept()).await.unwrap().0, None),
            // Who does not get through the handshake is no link.
            Listener::Quic(listener) => loop {
                if let Ok(link) = soon(soon(listener.accept()).await.unwrap().finish()).await {
                    break link;
                }
            },
            Listener::Tls(listener) => loop {
                if let Ok(link) = soon(soon(listener.accept()).await.unwrap().finish()).await {
                    break link;
                }
            },
        };
        FakeLink::new(link)
    }

    /// Takes whoever comes as far as the handshake, and no further.
    pub(crate) async fn turn_away(&self) {
        loop {
            self.accept_silent().await;
        }
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
    inbound: Inbound,
    pub(crate) outbound: Outbound,
    pub(crate) handle: Handle,
    lanes: Vec<FakeLane>,
    pub(crate) hello: Option<HelloV1>,
}

struct FakeLane {
    class: Class,
    reader: LaneReader,
    buffer: BytesMut,
    finished: bool,
}

/// A frame that the client sent.
#[derive(Debug)]
pub(crate) struct Got {
    /// The lane that it came by.
    pub(crate) lane: Class,
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

impl FakeLane {
    fn new(class: Class, reader: LaneReader) -> Self {
        Self { class, reader, buffer: BytesMut::new(), finished: false }
    }

    /// More bytes; none at the end.
    async fn read(&mut self) -> std::io::Result<usize> {
        let mut bytes = vec![0; 64 * 1024];
        let mut read = ReadBuf::new(&mut bytes);
        poll_fn(|cx| pin!(&mut self.reader).poll_read(cx, &mut read)).await?;
        self.buffer.extend_from_slice(read.filled());
        self.finished = read.filled().is_empty();
        Ok(read.filled().len())
    }

    fn cut(&mut self) -> Option<Got> {
        let frame = Frame::decode(&self.buffer).unwrap()?;
        let got = Got {
            lane: self.class,
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
        Some(got)
    }
}

impl FakeLink {
    fn new(link: Link) -> Self {
        let Link { inbound, outbound, handle } = link;
        Self { inbound, outbound, handle, lanes: Vec::new(), hello: None }
    }

    pub(crate) async fn hear_hello(&mut self) -> HelloV1 {
        let lane = soon(self.inbound.accept()).await.unwrap();
        self.lanes.push(FakeLane::new(lane.class, lane.reader));
        while self.lanes[0].buffer.len() < PREFACE.len() {
            assert!(soon(self.lanes[0].read()).await.unwrap() > 0, "the client hung up");
        }
        assert_eq!(self.lanes[0].buffer.split_to(PREFACE.len())[..], PREFACE);
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
        self.write_in(Class::Control, bytes).await;
    }

    /// Writes to the lane of `class`.
    pub(crate) async fn write_in(&mut self, class: Class, bytes: &[u8]) {
        let lane = self.outbound.lane_of(class);
        let mut left = Bytes::copy_from_slice(bytes);
        while left.has_remaining() {
            let write = poll_fn(|cx| self.outbound.poll_write(lane, cx, std::slice::from_ref(&left)));
            let written = soon(write).await.unwrap();
            left.advance(written);
        }
    }

    /// Sends a frame in the lane of `class`.
    pub(crate) async fn send_in(&mut self, class: Class, parts: &Parts<'_>) {
        let mut bytes = BytesMut::new();
        parts.encode(&mut bytes).unwrap();
        self.write_in(class, &bytes).await;
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

    /// The next frame of any lane; `None` when the client hung up.
    pub(crate) async fn next(&mut self) -> Option<Got> {
        self.next_of(&Class::ALL).await
    }

    /// The next frame of some lanes; nothing is read from the others. `None` when they ended or the client hung up.
    pub(crate) async fn next_of(&mut self, classes: &[Class]) -> Option<Got> {
        loop {
            if let Some(got) =
                self.lanes.iter_mut().filter(|l| classes.contains(&l.class)).find_map(FakeLane::cut)
            {
                return Some(got);
            }
            let Self { inbound, lanes, .. } = self;
            let read = async {
                let mut accept = pin!(inbound.accept());
                let mut wanted: Vec<_> =
                    lanes.iter_mut().filter(|l| classes.contains(&l.class) && !l.finished).collect();
                let mut reads: Vec<_> = wanted.iter_mut().map(|lane| Box::pin(lane.read())).collect();
                poll_fn(|cx| {
                    for read in &mut reads {
                        if let Poll::Ready(read) = read.as_mut().poll(cx) {
                            return Poll::Ready(read.map(|_| None));
                        }
                    }
                    accept.as_mut().poll(cx).map(|lane| lane.map(Some))
                })
                .await
            };
            match soon(read).await {
                Ok(Some(lane)) => lanes.push(FakeLane::new(lane.class, lane.reader)),
                Ok(None) if self.lanes.iter().all(|lane| lane.finished) => return None,
                Ok(None) => {}
                Err(error) if Closed::of(&error).is_some() => return None,
                Err(error) => panic!("{error}"),
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
