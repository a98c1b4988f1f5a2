//! Preface, `HELLO`, `WELCOME`: nothing else counts before that, and it has to come in time.

use bytes::{Buf, BytesMut};
use mesh_transport::link::{Handle, Inbound, LaneReader, Outbound};
use mesh_wire::{
    body::{self, CONTROL_BODY_BYTES, HelloV1, WelcomeV1},
    class::Class,
    code::Code,
    frame::{Flags, Frame, HEADER_BYTES, Kind, PREFACE, Parts},
    hello::{Features, Version, Versions},
    limits,
    name::Name,
};
use tokio::{io::AsyncReadExt, time::timeout};

use super::Link;
use crate::thread::Thread;

/// Most bytes before the handshake is over.
const GREETING_BYTES: usize = PREFACE.len() + HEADER_BYTES + CONTROL_BODY_BYTES;
/// How long a refusal may take to be written.
const REFUSAL_TIME: std::time::Duration = std::time::Duration::from_secs(1);

/// What a client said, and the bytes behind it.
pub(super) struct Greeting {
    pub(super) hello: HelloV1,
    pub(super) version: Version,
    pub(super) features: Features,
    pub(super) rest: BytesMut,
}

/// Why a link does not come about.
pub(super) struct Fault {
    pub(super) code: Code,
    pub(super) cause: String,
}

impl Fault {
    pub(super) fn new(code: Code, cause: impl Into<String>) -> Self {
        Self { code, cause: cause.into() }
    }
}

/// Waits for the client's greeting, on the first lane.
pub(super) async fn greet(inbound: &mut Inbound, thread: &Thread) -> Result<(Greeting, LaneReader), Fault> {
    let limit = thread.shared.config.limits.handshake_timeout;
    let greeting = async {
        let lane = inbound.accept().await;
        let mut read = lane.map_err(|error| Fault::new(Code::FrameTruncated, error.to_string()))?.reader;
        Ok((read_greeting(&mut read).await?, read))
    };
    match timeout(limit, greeting).await {
        // The drain has begun without it, so nobody would take it down.
        Ok(Ok(_)) if thread.shared.is_draining() => {
            Err(Fault::new(Code::NodeDraining, "the node takes no new links"))
        }
        Ok(result) => result,
        Err(_) => Err(Fault::new(Code::HandshakeTimeout, format!("no HELLO within {limit:?}"))),
    }
}

async fn read_greeting(read: &mut LaneReader) -> Result<Greeting, Fault> {
    let mut bytes = BytesMut::new();
    loop {
        if let Some(greeting) = parse(&mut bytes)? {
            return Ok(greeting);
        }
        if bytes.len() >= GREETING_BYTES {
            return Err(Fault::new(Code::HelloExpected, "the HELLO does not end"));
        }
        match read.read_buf(&mut bytes).await {
            Ok(0) => return Err(Fault::new(Code::FrameTruncated, "the link closed before its HELLO")),
            Ok(_) => {}
            Err(error) => return Err(Fault::new(Code::FrameTruncated, error.to_string())),
        }
    }
}

fn parse(bytes: &mut BytesMut) -> Result<Option<Greeting>, Fault> {
    let there = bytes.len().min(PREFACE.len());
    if bytes[..there] != PREFACE[..there] {
        return Err(Fault::new(Code::PrefaceBad, "the first bytes are not Mesh's preface"));
    }
    if there < PREFACE.len() {
        return Ok(None);
    }
    let malformed = |code: Code, error: &dyn std::error::Error| Fault::new(code, error.to_string());
    let Some(frame) = Frame::decode(&bytes[PREFACE.len()..]).map_err(|e| malformed(e.code(), &e))? else {
        return Ok(None);
    };
    if frame.kind() != Kind::Hello {
        return Err(Fault::new(Code::HelloExpected, format!("the first frame is {:?}", frame.kind())));
    }
    let theirs = Versions::from_aux(frame.aux());
    let version = Versions::OURS.negotiate(theirs).ok_or_else(|| {
        let (oldest, newest) = (theirs.oldest.0, theirs.newest.0);
        let ours = Versions::OURS;
        let cause = format!(
            "the client speaks versions {oldest} to {newest}, the node {} to {}",
            ours.oldest.0, ours.newest.0
        );
        Fault::new(Code::VersionUnsupported, cause)
    })?;
    let features = Features::OURS.agree(Features::from_bits(frame.id()));
    let hello: HelloV1 = body::decode(frame.body()).map_err(|e| malformed(e.code(), &e))?;
    Name::check(hello.name.as_bytes()).map_err(|e| malformed(e.code(), &e))?;
    let used = PREFACE.len() + frame.len();
    bytes.advance(used);
    Ok(Some(Greeting { hello, version, features, rest: bytes.split() }))
}

/// The node's answer, queued as the first frame of the link.
pub(super) fn welcome(link: &Link, version: Version, features: Features, thread: &Thread) {
    let config = &thread.shared.config;
    let welcome = WelcomeV1 {
        node: config.name.as_str().to_owned(),
        cluster: config.cluster.as_str().to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        incarnation: thread.shared.incarnation,
        link: link.id.0,
        identity: link.identity.text.clone(),
        max_body: config.limits.max_body as u64,
        max_frame: limits::FRAME_BYTES as u32,
        max_subscriptions: config.limits.subscriptions_per_link as u32,
        max_requests: config.limits.requests_per_link as u32,
    };
    let written = body::encode(&welcome).is_ok_and(|body| {
        let frame = Parts::bare(Kind::Welcome, features.bits()).aux(u32::from(version.0)).body(&body);
        link.push(Class::Control, &frame).is_ok()
    });
    if !written {
        link.abort();
    }
}

/// Tells a client why there is no link for it; bounded in time, since it may not read.
pub(super) async fn refuse(outbound: Outbound, handle: &Handle, fault: Fault, thread: &Thread) {
    thread.turned_away(handle.remote(), fault.code, &fault.cause);
    turn_away(outbound, handle, fault.code, fault.cause).await;
}

/// Writes a fatal error and closes; bounded in time, since the client may not read.
pub(crate) async fn turn_away(mut outbound: Outbound, handle: &Handle, code: Code, cause: String) {
    let error = body::ErrorV1 { about: 0, cause: cause.clone(), retry_after_ms: 0 };
    let Ok(body) = body::encode(&error) else { return };
    let mut bytes = BytesMut::new();
    let frame =
        Parts { flags: Flags::FATAL, aux: code.number().into(), ..Parts::bare(Kind::Error, 0).body(&body) };
    if frame.encode(&mut bytes).is_ok() {
        let farewell = async {
            outbound.write_all(Class::Control, bytes.freeze()).await?;
            outbound.finish().await
        };
        // A client that is gone or does not read misses the reason; the node has counted it.
        timeout(REFUSAL_TIME, farewell).await.ok();
    }
    handle.close(code, &cause);
}
