//! Reads one lane of a peer: whole frames in batches, and apart from them what belongs to the link itself.

use bytes::{Bytes, BytesMut};
use mesh_transport::link::LaneReader;
use mesh_wire::{
    body::{self, ErrorV1},
    code::Code,
    frame::{Frame, FrameHeader, Kind},
};
use tokio::io::AsyncReadExt;

use super::Fault;

/// Room for one read, in bytes; a larger frame gets what it needs.
const READ_BYTES: usize = 16 * 1024;

/// What comes on a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// Whole frames, back to back.
    Frames(Bytes),
    /// To be answered, once everything before it was handled.
    Ping(u64),
    /// An answer.
    Pong(u64),
    /// The peer closes the link: its reason, if it has one.
    Goodbye(Option<Code>),
    /// The peer is leaving.
    Draining,
}

/// A lane and what was read of it.
#[derive(Debug)]
pub(super) struct Lane {
    reader: LaneReader,
    bytes: BytesMut,
}

impl Lane {
    /// A lane of which `bytes` were read already.
    pub(super) fn new(reader: LaneReader, bytes: BytesMut) -> Self {
        Self { reader, bytes }
    }

    /// What comes next; `None` at the end of the lane.
    ///
    /// # Cancel safety
    /// Safe: nothing is lost.
    pub(super) async fn next(&mut self) -> Result<Option<Item>, Fault> {
        loop {
            if let Some(item) = take(&mut self.bytes)? {
                return Ok(Some(item));
            }
            let missing = match FrameHeader::decode(&self.bytes) {
                Ok(Some(header)) => (header.len as usize).saturating_sub(self.bytes.len()),
                _ => 0,
            };
            self.bytes.reserve(missing.max(READ_BYTES));
            match self.reader.read_buf(&mut self.bytes).await {
                Ok(0) if self.bytes.is_empty() => return Ok(None),
                Ok(0) => {
                    let cause = format!("a lane ended within a frame, {} bytes into it", self.bytes.len());
                    return Err(Fault::new(Code::FrameTruncated, cause));
                }
                Ok(_) => {}
                Err(error) => return Err(Fault::of(&error)),
            }
        }
    }
}

/// Takes from the front of `bytes` what is whole: a frame of the link's own, or all frames before the next one of those.
fn take(bytes: &mut BytesMut) -> Result<Option<Item>, Fault> {
    let mut used = 0;
    loop {
        let frame = Frame::decode(&bytes[used..]);
        let frame = frame.map_err(|error| Fault::new(error.code(), error.to_string()))?;
        let own = match frame {
            Some(frame) => own(&frame)?.map(|item| (item, frame.len())),
            None => None,
        };
        match (frame, own) {
            (Some(_), Some((item, len))) if used == 0 => {
                drop(bytes.split_to(len));
                return Ok(Some(item));
            }
            (Some(frame), None) => used += frame.len(),
            _ if used == 0 => return Ok(None),
            _ => return Ok(Some(Item::Frames(bytes.split_to(used).freeze()))),
        }
    }
}

/// What a frame of the link's own says; `None` for others.
fn own(frame: &Frame<'_>) -> Result<Option<Item>, Fault> {
    Ok(Some(match frame.kind() {
        Kind::Ping => Item::Ping(frame.id()),
        Kind::Pong => Item::Pong(frame.id()),
        Kind::Goodbye => Item::Goodbye(Code::from_number(frame.aux())),
        Kind::Draining => Item::Draining,
        Kind::Error => {
            let code = Code::from_number(frame.aux()).unwrap_or(Code::PeerNotMesh);
            let error: Option<ErrorV1> = body::decode(frame.body()).ok();
            let cause = error.map_or_else(String::new, |error| error.cause);
            return Err(Fault { code, cause, is_theirs: true });
        }
        Kind::PeerHello | Kind::PeerWelcome => {
            return Err(Fault::new(Code::HelloRepeated, "a second greeting on one link"));
        }
        _ => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use mesh_wire::frame::Parts;

    use super::*;
    use crate::peer::handshake::refusal;

    fn bytes(frames: &[Parts<'_>]) -> BytesMut {
        let mut bytes = BytesMut::new();
        frames.iter().for_each(|frame| frame.encode(&mut bytes).unwrap());
        bytes
    }

    fn items(mut bytes: BytesMut) -> Vec<Item> {
        std::iter::from_fn(|| take(&mut bytes).unwrap()).collect()
    }

    #[test]
    fn frames_come_together_and_those_of_the_link_in_their_place() {
        let publish = Parts::bare(Kind::Publish, 1).body(b"x");
        let both = bytes(&[publish, publish]);
        let mut all = bytes(&[
            publish,
            publish,
            Parts::bare(Kind::Ping, 7),
            Parts::bare(Kind::Pong, 8),
            publish,
            Parts::bare(Kind::Draining, 0),
            Parts::bare(Kind::Goodbye, 0).aux(1051),
        ]);
        all.extend_from_slice(&both[..30]);
        let want = [
            Item::Frames(both.clone().freeze()),
            Item::Ping(7),
            Item::Pong(8),
            Item::Frames(bytes(&[publish]).freeze()),
            Item::Draining,
            Item::Goodbye(Some(Code::NodeStopped)),
            Item::Frames(both.freeze().slice(..25)),
        ];
        assert_eq!(items(all), want);
        assert_eq!(items(bytes(&[Parts::bare(Kind::Goodbye, 0)])), [Item::Goodbye(None)]);
    }

    #[test]
    fn a_part_of_a_frame_waits_for_the_rest() {
        let whole = bytes(&[Parts::bare(Kind::Publish, 1).body(b"abc")]);
        for n in 0..whole.len() {
            assert_eq!(items(BytesMut::from(&whole[..n])), [], "{n} bytes");
        }
    }

    #[test]
    fn what_may_not_come_ends_the_link() {
        let code = |bytes: &[u8]| take(&mut BytesMut::from(bytes)).unwrap_err().code;
        assert_eq!(code(&bytes(&[Parts::bare(Kind::PeerHello, 0)])), Code::HelloRepeated);
        assert_eq!(code(&bytes(&[Parts::bare(Kind::PeerWelcome, 0)])), Code::HelloRepeated);
        assert_eq!(code(&[24, 0, 0, 0, 0xff]), Code::UnknownKind);
        assert_eq!(code(&[23, 0, 0, 0]), Code::FrameUndersize);
        let told = take(&mut BytesMut::from(&refusal(Code::PeerDuplicate, "one stays")[..])).unwrap_err();
        assert_eq!((told.code, told.is_theirs), (Code::PeerDuplicate, true));
    }
}
