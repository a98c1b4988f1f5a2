//! The handshake: say who we are, hear who the node is.

use std::future::poll_fn;
use std::io;

use bytes::{Buf, Bytes, BytesMut};
use mesh_transport::endpoint::Endpoint;
use mesh_transport::link::{Carrier, Closed, Handle, Inbound, Lane, Link, Outbound};
use mesh_wire::body::{self, HelloV1, WelcomeV1};
use mesh_wire::class::Class;
use mesh_wire::code::Code;
use mesh_wire::frame::{Frame, Kind, PREFACE, Parts};
use mesh_wire::hello::{Features, Version, Versions};
use tokio::io::AsyncReadExt;

use super::dispatch::node_error;
use super::pump::closed_now;
use crate::error::Error;
use crate::node_info::NodeInfo;

/// What a client says of itself. Not printed: the token is a secret.
pub(crate) struct Introduction {
    pub(crate) name: String,
    pub(crate) token: Option<String>,
}

/// A link that is open.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) inbound: Inbound,
    pub(crate) outbound: Outbound,
    pub(crate) handle: Handle,
    /// The lane that the node's greeting came by.
    pub(crate) lane: Lane,
    pub(crate) node: NodeInfo,
    /// What came behind the node's greeting.
    pub(crate) rest: BytesMut,
}

/// Introduces this client on a new link to `endpoint`, and hears who the node is. A token is shown to nodes that are
/// `trusted` only: whoever else listens there could use it.
///
/// # Cancel safety
/// Safe: the link is closed.
pub(crate) async fn greet(
    link: Link,
    endpoint: &Endpoint,
    who: &Introduction,
    trusted: bool,
) -> Result<Opened, Error> {
    let Link { mut inbound, mut outbound, handle } = link;
    let token = who.token.clone().filter(|_| trusted);
    // A node that refuses may close before it has read everything; what it said is there to read all the same.
    let written = say(&mut outbound, hello(&who.name, token)?.freeze()).await;
    let hung_up = |error: Option<io::Error>| hung_up(endpoint, &handle, error);
    let mut lane = inbound.accept().await.map_err(|error| hung_up(Some(error)))?;
    let mut buffer = BytesMut::with_capacity(4 * 1024);
    loop {
        match Frame::decode(&buffer) {
            Ok(Some(frame)) => {
                let node = judge(frame, endpoint, handle.carrier())?;
                let used = frame.len();
                drop(buffer.split_to(used));
                return Ok(Opened { inbound, outbound, handle, lane, node, rest: buffer });
            }
            Ok(None) => {}
            Err(error) => return Err(not_mesh(endpoint, error.to_string())),
        }
        match lane.reader.read_buf(&mut buffer).await {
            Ok(0) => return Err(hung_up(written.err())),
            Ok(_) => {}
            Err(error) => return Err(hung_up(Some(error))),
        }
    }
}

/// Writes all of `bytes` to the first lane.
async fn say(outbound: &mut Outbound, mut bytes: Bytes) -> io::Result<()> {
    let lane = outbound.lane_of(Class::Control);
    while bytes.has_remaining() {
        match poll_fn(|cx| outbound.poll_write(lane, cx, std::slice::from_ref(&bytes))).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => bytes.advance(written),
        }
    }
    Ok(())
}

fn hello(name: &str, token: Option<String>) -> Result<BytesMut, Error> {
    let body = body::encode(&HelloV1 {
        name: name.to_owned(),
        library: concat!("mesh-client ", env!("CARGO_PKG_VERSION")).to_owned(),
        language: "rust".to_owned(),
        token,
        pid: std::process::id(),
    })
    .map_err(|error| Error::of(error.code()).with_cause(error.to_string()))?;
    let mut out = BytesMut::from(&PREFACE[..]);
    Parts::bare(Kind::Hello, Features::OURS.bits())
        .aux(Versions::OURS.to_aux())
        .body(&body)
        .encode(&mut out)
        .map_err(super::shared::frame_error)?;
    Ok(out)
}

/// What the node's first frame means.
fn judge(frame: Frame<'_>, endpoint: &Endpoint, carrier: Carrier) -> Result<NodeInfo, Error> {
    match frame.kind() {
        Kind::Welcome => {
            let spoken = Version::OLDEST.0.into()..=Version::NEWEST.0.into();
            if !spoken.contains(&frame.aux()) {
                let cause = format!("the node chose version {}, this client speaks {spoken:?}", frame.aux());
                return Err(Error::of(Code::VersionUnsupported).with_cause(cause));
            }
            let welcome: WelcomeV1 =
                body::decode(frame.body()).map_err(|error| not_mesh(endpoint, error.to_string()))?;
            Ok(NodeInfo::new(welcome, endpoint.to_string(), carrier))
        }
        Kind::Error => {
            let told: Option<body::ErrorV1> = body::decode(frame.body()).ok();
            Err(node_error(frame.aux(), told.as_ref().map(|told| told.cause.as_str())))
        }
        Kind::Goodbye => Err(node_error(frame.aux(), None)),
        kind => Err(not_mesh(endpoint, format!("its first frame is of kind {kind:?}"))),
    }
}

fn not_mesh(endpoint: &Endpoint, cause: String) -> Error {
    Error::new(Code::PeerNotMesh, format!("what listens on {endpoint} is not a Mesh node")).with_cause(cause)
}

fn hung_up(endpoint: &Endpoint, handle: &Handle, error: Option<io::Error>) -> Error {
    let message = format!("can't connect to {endpoint}");
    let closed = error.as_ref().and_then(Closed::of).cloned().or_else(|| closed_now(handle));
    if let Some(Closed { code: Some(code), cause }) = closed {
        return Error::new(code, message).with_cause(cause);
    }
    let cause = match &error {
        Some(error) => format!("the connection was closed during the handshake: {error}"),
        None => "the connection was closed during the handshake".to_owned(),
    };
    Error::new(Code::ConnectFailed, message).with_cause(cause)
}
