//! Opening a link: connect, say who we are, hear who the node is.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use mesh_transport::buffers::SocketBuffers;
use mesh_transport::connect;
use mesh_transport::endpoint::Endpoint;
use mesh_wire::body::{self, HelloV1, WelcomeV1};
use mesh_wire::code::Code;
use mesh_wire::frame::{Frame, Kind, PREFACE, Parts};
use mesh_wire::hello::{Features, Version, Versions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::dispatch::node_error;
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
    pub(crate) stream: UnixStream,
    pub(crate) node: NodeInfo,
    /// What came behind the node's greeting.
    pub(crate) rest: BytesMut,
}

/// Opens a link to `endpoint` within `timeout`.
///
/// # Cancel safety
/// Safe: the connection is closed.
pub(crate) async fn open(
    endpoint: &Endpoint,
    who: &Introduction,
    timeout: Duration,
) -> Result<Opened, Error> {
    match tokio::time::timeout(timeout, greet(endpoint, who)).await {
        Ok(opened) => opened,
        Err(_) => Err(Error::new(Code::ConnectTimeout, format!("connecting to {endpoint} took too long"))
            .with_cause(format!("the node did not answer within {timeout:?}"))),
    }
}

async fn greet(endpoint: &Endpoint, who: &Introduction) -> Result<Opened, Error> {
    let mut stream = connect::connect(endpoint, SocketBuffers::default()).await.map_err(connect_error)?;
    // A node that refuses may close before it has read everything; what it said is there to read all the same.
    let written = stream.write_all(&hello(who)?).await;
    let mut buffer = BytesMut::with_capacity(4 * 1024);
    loop {
        match Frame::decode(&buffer) {
            Ok(Some(frame)) => {
                let node = judge(frame, endpoint)?;
                let used = frame.len();
                drop(buffer.split_to(used));
                return Ok(Opened { stream, node, rest: buffer });
            }
            Ok(None) => {}
            Err(error) => return Err(not_mesh(endpoint, error.to_string())),
        }
        match stream.read_buf(&mut buffer).await {
            Ok(0) => return Err(hung_up(endpoint, written.err())),
            Ok(_) => {}
            Err(error) => return Err(hung_up(endpoint, Some(error))),
        }
    }
}

fn hello(who: &Introduction) -> Result<BytesMut, Error> {
    let body = body::encode(&HelloV1 {
        name: who.name.clone(),
        library: concat!("mesh-client ", env!("CARGO_PKG_VERSION")).to_owned(),
        language: "rust".to_owned(),
        token: who.token.clone(),
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
fn judge(frame: Frame<'_>, endpoint: &Endpoint) -> Result<NodeInfo, Error> {
    match frame.kind() {
        Kind::Welcome => {
            let spoken = Version::OLDEST.0.into()..=Version::NEWEST.0.into();
            if !spoken.contains(&frame.aux()) {
                let cause = format!("the node chose version {}, this client speaks {spoken:?}", frame.aux());
                return Err(Error::of(Code::VersionUnsupported).with_cause(cause));
            }
            let welcome: WelcomeV1 =
                body::decode(frame.body()).map_err(|error| not_mesh(endpoint, error.to_string()))?;
            Ok(NodeInfo::new(welcome, endpoint.to_string()))
        }
        Kind::Error => {
            let told: Option<body::ErrorV1> = body::decode(frame.body()).ok();
            Err(node_error(frame.aux(), told.as_ref().map(|told| told.cause.as_str())))
        }
        Kind::Goodbye => Err(node_error(frame.aux(), None)),
        kind => Err(not_mesh(endpoint, format!("its first frame is of kind {kind:?}"))),
    }
}

fn connect_error(error: connect::Error) -> Error {
    Error::new(error.code(), error.to_string()).with_hint(error.hint()).with_source(error)
}

fn not_mesh(endpoint: &Endpoint, cause: String) -> Error {
    Error::new(Code::PeerNotMesh, format!("what listens on {endpoint} is not a Mesh node")).with_cause(cause)
}

fn hung_up(endpoint: &Endpoint, error: Option<io::Error>) -> Error {
    let cause = match &error {
        Some(error) => format!("the connection was closed during the handshake: {error}"),
        None => "the connection was closed during the handshake".to_owned(),
    };
    Error::new(Code::ConnectFailed, format!("can't connect to {endpoint}")).with_cause(cause)
}
