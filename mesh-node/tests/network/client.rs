//! A client of raw frames over any carrier.

use std::{future::poll_fn, time::Duration};

use bytes::{Buf, Bytes, BytesMut};
use mesh_identity::store::Store;
use mesh_transport::{
    connect::{self, ConnectOptions},
    endpoint::Endpoint,
    link::{Closed, Handle, Inbound, Lane, Link, Outbound},
};
use mesh_wire::{
    body::{self, ErrorV1, HelloV1, ModeV1, OverflowV1, SubscribeV1, WelcomeV1},
    class::Class,
    code::Code,
    frame::{Flags, Frame, Kind, PREFACE, Parts},
    hello::{Features, Versions},
};
use tokio::{io::AsyncReadExt, sync::mpsc, time::timeout};

/// Longer than anything takes that a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long a reader may take to hand out what it has, once the link is closed.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A frame as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) lane: Class,
    bytes: Bytes,
}

impl Received {
    pub(crate) fn frame(&self) -> Frame<'_> {
        Frame::decode(&self.bytes).unwrap().unwrap()
    }

    pub(crate) fn kind(&self) -> Kind {
        self.frame().kind()
    }

    /// The code that an error frame names.
    pub(crate) fn code(&self) -> Code {
        Code::from_number(self.frame().aux()).unwrap()
    }

    pub(crate) fn cause(&self) -> String {
        body::decode::<ErrorV1>(self.frame().body()).unwrap().cause
    }
}

pub(crate) struct Client {
    pub(crate) outbound: Outbound,
    pub(crate) handle: Handle,
    incoming: mpsc::UnboundedReceiver<Received>,
    kept: Vec<Received>,
}

impl Client {
    /// Connects and says nothing.
    pub(crate) async fn open(endpoint: &str, store: &Store) -> Result<Self, connect::Error> {
        let endpoint: Endpoint = endpoint.parse().unwrap();
        let link = connect::open(&endpoint, &ConnectOptions::new(store.clone())).await?;
        let Link { inbound, outbound, handle } = link;
        let (sender, incoming) = mpsc::unbounded_channel();
        tokio::spawn(accept(inbound, sender));
        Ok(Self { outbound, handle, incoming, kept: Vec::new() })
    }

    /// Connects, shakes hands, and gives what the node said.
    pub(crate) async fn welcomed(endpoint: &str, store: &Store, token: Option<&str>) -> (Self, WelcomeV1) {
        let mut client = Self::open(endpoint, store).await.unwrap();
        client.write(Class::Control, &hello(token)).await.unwrap();
        let answer = client.next().await;
        assert_eq!(answer.kind(), Kind::Welcome, "{answer:?}");
        let welcome = body::decode(answer.frame().body()).unwrap();
        (client, welcome)
    }

    /// Why there is no link: by an error frame, or by how the carrier closed.
    pub(crate) async fn refused(endpoint: &str, store: &Store, token: Option<&str>) -> (Code, String) {
        let mut client = match Self::open(endpoint, store).await {
            Ok(client) => client,
            Err(error) => return (error.code(), error.to_string()),
        };
        // The link may be over before the node has it all.
        client.write(Class::Control, &hello(token)).await.ok();
        client.refusal().await
    }

    /// The fatal error that ends the link, or how the carrier closed.
    pub(crate) async fn refusal(&mut self) -> (Code, String) {
        let is_fatal = |received: &Received| {
            received.kind() == Kind::Error && received.frame().flags().contains(Flags::FATAL)
        };
        let closed = loop {
            let closed = tokio::select! {
                biased;
                Some(received) = self.incoming.recv() => {
                    if is_fatal(&received) {
                        return (received.code(), received.cause());
                    }
                    continue;
                }
                closed = self.handle.closed() => closed,
                () = tokio::time::sleep(PATIENCE) => panic!("neither refused nor closed"),
            };
            break closed;
        };
        // What was on its way to here when the carrier closed.
        while let Ok(Some(received)) = timeout(LAST_WORDS, self.incoming.recv()).await {
            if is_fatal(&received) {
                return (received.code(), received.cause());
            }
        }
        (closed.code.expect("a code"), closed.cause)
    }

    pub(crate) async fn closed(&self) -> Closed {
        timeout(PATIENCE, self.handle.closed()).await.expect("the link closes")
    }

    pub(crate) async fn write(&mut self, class: Class, bytes: &[u8]) -> std::io::Result<()> {
        let lane = self.outbound.lane_of(class);
        let mut rest = Bytes::copy_from_slice(bytes);
        while !rest.is_empty() {
            let written =
                poll_fn(|cx| self.outbound.poll_write(lane, cx, std::slice::from_ref(&rest))).await?;
            rest.advance(written);
        }
        Ok(())
    }

    pub(crate) async fn send(&mut self, parts: &Parts<'_>) {
        let bytes = encoded(parts);
        self.write(parts.kind.class(), &bytes).await.unwrap();
    }

    /// The next frame that nobody waited for so far.
    pub(crate) async fn next(&mut self) -> Received {
        if !self.kept.is_empty() {
            return self.kept.remove(0);
        }
        let received = timeout(PATIENCE, self.incoming.recv()).await.expect("a frame in time");
        match received {
            Some(received) => received,
            None => panic!("the link is over: {:?}", self.closed().await),
        }
    }

    /// The next frame of a kind; others are kept.
    pub(crate) async fn wait(&mut self, kind: Kind) -> Received {
        if let Some(at) = self.kept.iter().position(|received| received.kind() == kind) {
            return self.kept.remove(at);
        }
        loop {
            let received = timeout(PATIENCE, self.incoming.recv()).await.expect("a frame in time");
            match received {
                Some(received) if received.kind() == kind => return received,
                Some(received) => self.kept.push(received),
                None => panic!("no {kind:?}: the link is over: {:?}", self.closed().await),
            }
        }
    }

    /// Subscribes and waits until that is effective; gives the lane of the acknowledgement.
    pub(crate) async fn subscribe(&mut self, id: u64, pattern: &str, mode: ModeV1) -> Class {
        let body = body::encode(&SubscribeV1 {
            mode,
            group: None,
            credit: 1000,
            pending_messages: 0,
            pending_bytes: 0,
            overflow: OverflowV1::DropOldest,
            service: None,
        })
        .unwrap();
        self.send(&Parts { subject: pattern.as_bytes(), ..Parts::bare(Kind::Subscribe, id).body(&body) })
            .await;
        self.wait(Kind::Ok).await.lane
    }

    pub(crate) async fn request(&mut self, id: u64, subject: &str, body: &[u8]) {
        let request =
            Parts { subject: subject.as_bytes(), ..Parts::bare(Kind::Request, id).aux(10_000).body(body) };
        self.send(&request).await;
    }

    pub(crate) async fn publish(&mut self, subject: &str, body: &[u8]) {
        self.send(&Parts { subject: subject.as_bytes(), ..Parts::bare(Kind::Publish, 0).body(body) }).await;
    }

    /// Sees that the node answers.
    pub(crate) async fn ping(&mut self) {
        self.send(&Parts::bare(Kind::Ping, 77)).await;
        assert_eq!(self.wait(Kind::Pong).await.frame().id(), 77);
    }
}

pub(crate) fn encoded(parts: &Parts<'_>) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    parts.encode(&mut bytes).unwrap();
    bytes.to_vec()
}

/// The preface and a greeting.
pub(crate) fn hello(token: Option<&str>) -> Vec<u8> {
    let body = body::encode(&HelloV1 {
        name: "test".into(),
        library: "raw".into(),
        language: "rust".into(),
        token: token.map(str::to_owned),
        pid: 1,
    })
    .unwrap();
    let hello = Parts::bare(Kind::Hello, Features::OURS.bits()).aux(Versions::OURS.to_aux()).body(&body);
    [&PREFACE[..], &encoded(&hello)].concat()
}

async fn accept(mut inbound: Inbound, sender: mpsc::UnboundedSender<Received>) {
    while let Ok(lane) = inbound.accept().await {
        tokio::spawn(read(lane, sender.clone()));
    }
}

async fn read(Lane { class, mut reader }: Lane, sender: mpsc::UnboundedSender<Received>) {
    let mut bytes = BytesMut::new();
    loop {
        while let Some(len) = Frame::decode(&bytes).unwrap().map(|frame| frame.len()) {
            let received = Received { lane: class, bytes: bytes.split_to(len).freeze() };
            if sender.send(received).is_err() {
                return;
            }
        }
        if !matches!(reader.read_buf(&mut bytes).await, Ok(1..)) {
            return;
        }
    }
}
