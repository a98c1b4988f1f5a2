//! `PEER_HELLO` and `PEER_WELCOME`: nothing else counts before that, and it has to come in time.

use bytes::{Buf, Bytes, BytesMut};
use mesh_core::peering::{Greeting, LinkNumber};
use mesh_transport::link::LaneReader;
use mesh_wire::{
    body::{self, CONTROL_BODY_BYTES, ErrorV1},
    code::Code,
    frame::{Flags, Frame, HEADER_BYTES, Kind, PREFACE, Parts},
    hello::{Features, Version, Versions},
    name::Name,
    peer::PeerHelloV1,
};
use tokio::io::AsyncReadExt;

use super::{Fault, Identity};

/// Most bytes before the handshake is over.
const OPENING_BYTES: usize = PREFACE.len() + HEADER_BYTES + CONTROL_BODY_BYTES;

/// What the other node said, and what holds on the link with it.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) hello: PeerHelloV1,
    pub(super) version: Version,
    pub(super) features: Features,
    /// What came behind it.
    pub(super) rest: BytesMut,
}

impl Opening {
    /// What the core judges. `certified` is the node that the certificate names.
    pub(super) fn greeting(&self, certified: &Name) -> Result<Greeting, Fault> {
        let name = |text: &str| Name::new(text).map_err(|error| Fault::new(error.code(), error.to_string()));
        Ok(Greeting {
            certified: certified.clone(),
            node: name(&self.hello.node)?,
            cluster: name(&self.hello.cluster)?,
            incarnation: self.hello.incarnation,
            dial: self.hello.dial,
        })
    }
}

/// What the node that dials says first.
pub(super) fn hello(own: &Identity, link: LinkNumber) -> Result<Bytes, Fault> {
    let mut bytes = BytesMut::from(&PREFACE[..]);
    let body = own_body(own, link.0)?;
    let features = Features::OURS_BETWEEN_NODES.bits();
    let frame = Parts::bare(Kind::PeerHello, features).aux(Versions::OURS.to_aux()).body(&body);
    frame.encode(&mut bytes).map_err(|error| Fault::new(error.code(), error.to_string()))?;
    Ok(bytes.freeze())
}

/// What the node that was dialled answers.
pub(super) fn welcome(own: &Identity, opening: &Opening) -> Result<Bytes, Fault> {
    let mut bytes = BytesMut::new();
    let body = own_body(own, opening.hello.dial)?;
    let frame = Parts::bare(Kind::PeerWelcome, opening.features.bits());
    let frame = frame.aux(u32::from(opening.version.0)).body(&body);
    frame.encode(&mut bytes).map_err(|error| Fault::new(error.code(), error.to_string()))?;
    Ok(bytes.freeze())
}

fn own_body(own: &Identity, dial: u64) -> Result<Vec<u8>, Fault> {
    let hello = PeerHelloV1 {
        node: own.own.node.as_str().to_owned(),
        cluster: own.own.cluster.as_str().to_owned(),
        incarnation: own.own.incarnation,
        dial,
        address: own.advertise.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    body::encode(&hello).map_err(|error| Fault::new(error.code(), error.to_string()))
}

/// A fatal error, as bytes.
pub(super) fn refusal(code: Code, cause: &str) -> Bytes {
    let error = ErrorV1 { about: 0, cause: cause.to_owned(), retry_after_ms: 0 };
    let body = body::encode(&error).unwrap_or_default();
    let frame = Parts::bare(Kind::Error, 0).aux(code.number().into()).body(&body);
    let mut bytes = BytesMut::new();
    // Causes are short, so that it fits; without it, the carrier's own code says as much.
    Parts { flags: Flags::FATAL, ..frame }.encode(&mut bytes).unwrap_or_default();
    bytes.freeze()
}

/// Waits for the other node's first frame, which is to be `wanted`.
pub(super) async fn read_opening(read: &mut LaneReader, wanted: Kind) -> Result<Opening, Fault> {
    let mut bytes = BytesMut::new();
    loop {
        if let Some(opening) = parse(&mut bytes, wanted)? {
            return Ok(opening);
        }
        if bytes.len() >= OPENING_BYTES {
            return Err(Fault::new(Code::HelloExpected, "the first frame does not end"));
        }
        match read.read_buf(&mut bytes).await {
            Ok(0) => return Err(Fault::new(Code::FrameTruncated, "the link closed before its first frame")),
            Ok(_) => {}
            Err(error) => return Err(Fault::of(&error)),
        }
    }
}

fn parse(bytes: &mut BytesMut, wanted: Kind) -> Result<Option<Opening>, Fault> {
    let malformed = |code: Code, error: &dyn std::error::Error| Fault::new(code, error.to_string());
    let before = if wanted == Kind::PeerHello { &PREFACE[..] } else { &[] };
    let there = bytes.len().min(before.len());
    if bytes[..there] != before[..there] {
        return Err(Fault::new(Code::PrefaceBad, "the first bytes are not Mesh's preface"));
    }
    if there < before.len() {
        return Ok(None);
    }
    let Some(frame) = Frame::decode(&bytes[before.len()..]).map_err(|e| malformed(e.code(), &e))? else {
        return Ok(None);
    };
    match frame.kind() {
        kind if kind == wanted => {}
        Kind::Error if wanted == Kind::PeerWelcome => return Err(told(&frame)),
        Kind::Hello => {
            return Err(Fault::new(Code::HelloExpected, "a client's HELLO on the port for nodes"));
        }
        kind => return Err(Fault::new(Code::HelloExpected, format!("the first frame is {kind:?}"))),
    }
    // The form of the body is that of the version.
    let version = agreed(&frame)?;
    let hello: PeerHelloV1 = body::decode(frame.body()).map_err(|e| malformed(e.code(), &e))?;
    let features = Features::OURS_BETWEEN_NODES.agree(Features::from_bits(frame.id()));
    let used = before.len() + frame.len();
    bytes.advance(used);
    Ok(Some(Opening { hello, version, features, rest: bytes.split() }))
}

/// The version of the link: the newest in common with a hello, or the one that a welcome names.
fn agreed(frame: &Frame<'_>) -> Result<Version, Fault> {
    let theirs = match frame.kind() {
        Kind::PeerWelcome => {
            let named = Version(u16::try_from(frame.aux()).unwrap_or(u16::MAX));
            Versions { oldest: named, newest: named }
        }
        _ => Versions::from_aux(frame.aux()),
    };
    Versions::OURS.negotiate(theirs).ok_or_else(|| {
        let (ours, span) = (Versions::OURS, |v: Versions| format!("{} to {}", v.oldest.0, v.newest.0));
        let cause = format!("the peer speaks versions {}, this node {}", span(theirs), span(ours));
        Fault::new(Code::VersionUnsupported, cause)
    })
}

/// What the other node said instead of a welcome.
fn told(frame: &Frame<'_>) -> Fault {
    let code = Code::from_number(frame.aux()).unwrap_or(Code::PeerNotMesh);
    let error: Option<ErrorV1> = body::decode(frame.body()).ok();
    let cause = error.map_or_else(|| format!("refused with code {}", frame.aux()), |error| error.cause);
    Fault { code, cause, is_theirs: true }
}

#[cfg(test)]
mod tests;
