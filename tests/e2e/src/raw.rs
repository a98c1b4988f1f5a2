//! A link that speaks plain frames, right or wrong.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use bytes::{Buf, BytesMut};
use mesh_wire::{
    body::{self, ErrorV1, HelloV1, ModeV1, OverflowV1, SubscribeV1},
    code::Code,
    frame::{Flags, Frame, Kind, PREFACE, Parts},
    hello::{Features, Versions},
};

/// How long a test waits for a frame.
const PATIENCE: Duration = Duration::from_secs(10);

/// A blocking link.
#[derive(Debug)]
pub struct RawLink {
    stream: UnixStream,
    read: BytesMut,
}

/// A frame that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its kind.
    pub kind: Kind,
    /// Its flags.
    pub flags: Flags,
    /// Its `aux`.
    pub aux: u32,
    /// Its id.
    pub id: u64,
    /// Its extension area.
    pub ext: Vec<u8>,
    /// Its subject.
    pub subject: Vec<u8>,
    /// Its headers.
    pub headers: Vec<u8>,
    /// Its body.
    pub body: Vec<u8>,
}

impl Received {
    /// The code that `aux` names.
    pub fn code(&self) -> Option<Code> {
        u16::try_from(self.aux).ok().and_then(|number| Code::from_number(number.into()))
    }

    /// The cause of an error frame.
    pub fn cause(&self) -> String {
        body::decode::<ErrorV1>(&self.body).map_or_else(|e| e.to_string(), |e| e.cause)
    }
}

/// An encoded `HELLO`.
///
/// # Panics
/// Never for names that fit a frame.
pub fn hello_frame(name: &str, versions: u32) -> Vec<u8> {
    let hello = HelloV1 {
        name: name.into(),
        library: "mesh-e2e".into(),
        language: "rust".into(),
        token: None,
        pid: std::process::id(),
    };
    let body = body::encode(&hello).expect("a hello fits");
    let mut out = BytesMut::new();
    let parts = Parts::bare(Kind::Hello, Features::OURS.bits()).aux(versions).body(&body);
    parts.encode(&mut out).expect("a hello fits");
    out.to_vec()
}

/// An encoded body of `SUBSCRIBE`.
///
/// # Panics
/// Never for names that fit a frame.
pub fn subscribe_body(mode: ModeV1, group: Option<&str>, credit: u32) -> Vec<u8> {
    let subscribe = SubscribeV1 {
        group: group.map(str::to_owned),
        mode,
        credit,
        pending_messages: 0,
        pending_bytes: 0,
        overflow: OverflowV1::DropOldest,
        service: None,
    };
    body::encode(&subscribe).expect("a subscribe fits")
}

impl RawLink {
    /// A connection that has said nothing.
    ///
    /// # Panics
    /// When nobody listens.
    pub fn silent(socket: &Path) -> Self {
        let stream = UnixStream::connect(socket).expect("the node listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        Self { stream, read: BytesMut::new() }
    }

    /// A connection that has been welcomed.
    ///
    /// # Panics
    /// When it is not.
    pub fn greeted(socket: &Path, name: &str) -> Self {
        let mut link = Self::silent(socket);
        link.write(&PREFACE);
        link.write(&hello_frame(name, Versions::OURS.to_aux()));
        assert_eq!(link.receive().kind, Kind::Welcome);
        link
    }

    /// Writes bytes as they are. A link that the node has cut takes no more, which shows in what is received.
    pub fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).ok();
    }

    /// Sends a frame.
    ///
    /// # Panics
    /// When the frame is over a limit.
    pub fn send(&mut self, parts: &Parts<'_>) {
        let mut out = BytesMut::new();
        parts.encode(&mut out).expect("a frame within its limits");
        self.write(&out);
    }

    /// The next frame.
    ///
    /// # Panics
    /// When none comes.
    pub fn receive(&mut self) -> Received {
        self.try_receive().expect("a frame, not the end of the link")
    }

    /// The next frame, or `None` when the node has closed the link.
    ///
    /// # Panics
    /// When neither happens in time.
    pub fn try_receive(&mut self) -> Option<Received> {
        loop {
            if let Some(frame) = Frame::decode(&self.read).expect("the node sends frames") {
                let received = Received {
                    kind: frame.kind(),
                    flags: frame.flags(),
                    aux: frame.aux(),
                    id: frame.id(),
                    ext: frame.ext().to_vec(),
                    subject: frame.subject().to_vec(),
                    headers: frame.headers().to_vec(),
                    body: frame.body().to_vec(),
                };
                let len = frame.len();
                self.read.advance(len);
                return Some(received);
            }
            let mut buffer = [0; 64 * 1024];
            match self.stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => self.read.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("nothing came: {error}"),
            }
        }
    }

    /// Subscribes to events and waits until that is effective.
    ///
    /// # Panics
    /// When the node refuses.
    pub fn subscribe(&mut self, id: u64, pattern: &str, credit: u32) {
        self.subscribe_as(id, pattern, ModeV1::Events, None, credit);
    }

    /// Subscribes as a responder and waits until that is effective.
    ///
    /// # Panics
    /// When the node refuses.
    pub fn respond(&mut self, id: u64, pattern: &str, group: Option<&str>) {
        self.subscribe_as(id, pattern, ModeV1::Responder, group, 1000);
    }

    fn subscribe_as(&mut self, id: u64, pattern: &str, mode: ModeV1, group: Option<&str>, credit: u32) {
        let body = subscribe_body(mode, group, credit);
        self.send(&Parts { subject: pattern.as_bytes(), ..Parts::bare(Kind::Subscribe, id).body(&body) });
        let answer = self.receive();
        assert_eq!((answer.kind, answer.id), (Kind::Ok, id), "{}", answer.cause());
    }

    /// Publishes.
    ///
    /// # Panics
    /// When the frame is over a limit.
    pub fn publish(&mut self, subject: &str, body: &[u8]) {
        self.send(&Parts { subject: subject.as_bytes(), ..Parts::bare(Kind::Publish, 0).body(body) });
    }

    /// Sends a request.
    ///
    /// # Panics
    /// When the frame is over a limit.
    pub fn request(&mut self, id: u64, subject: &str, timeout_ms: u32) {
        let parts = Parts::bare(Kind::Request, id).aux(timeout_ms).body(b"?");
        self.send(&Parts { subject: subject.as_bytes(), ..parts });
    }

    /// Waits until the node has handled everything that was sent before.
    ///
    /// # Panics
    /// When something else comes first.
    pub fn sync(&mut self) {
        self.send(&Parts::bare(Kind::Ping, 4242));
        let pong = self.receive();
        assert_eq!((pong.kind, pong.id), (Kind::Pong, 4242), "{pong:?} {}", pong.cause());
    }

    /// Asserts that the node says `code` and closes the link.
    ///
    /// # Panics
    /// When it does not.
    pub fn expect_fatal(&mut self, code: Code) {
        let error = self.receive();
        assert_eq!((error.kind, error.code()), (Kind::Error, Some(code)), "{}", error.cause());
        assert!(error.flags.contains(Flags::FATAL), "the error is marked fatal");
        assert!(!error.cause().is_empty(), "the error has a cause");
        assert_eq!(self.try_receive(), None, "the link is closed");
    }

    /// Asserts that the node refuses something with `code`, about `kind` and `id`, and that the link goes on.
    ///
    /// # Panics
    /// When it does not.
    pub fn expect_refused(&mut self, kind: Kind, id: u64, code: Code) {
        let error = self.receive();
        assert_eq!((error.kind, error.code(), error.id), (Kind::Error, Some(code), id), "{}", error.cause());
        assert!(!error.flags.contains(Flags::FATAL), "the error is not fatal");
        let about = body::decode::<ErrorV1>(&error.body).expect("an error body").about;
        assert_eq!(about, kind as u8);
        self.sync();
    }

    /// Asserts that a request ends with `code` and nothing else.
    ///
    /// # Panics
    /// When it does not.
    pub fn expect_end(&mut self, id: u64, code: Code) {
        let end = self.receive();
        assert_eq!((end.kind, end.id, end.code()), (Kind::End, id, Some(code)), "{end:?}");
    }
}
