//! What was read from the link, cut into runs of whole frames.

use bytes::{Bytes, BytesMut};
use mesh_wire::ext::{Ext, ExtError};
use mesh_wire::frame::{FrameError, FrameHeader, HEADER_BYTES, Kind};

/// Bytes that the buffer starts with.
const READ_BYTES_MIN: usize = 16 * 1024;
/// Bytes that are read at once when there is much to read.
pub(crate) const READ_BYTES_MAX: usize = 256 * 1024;

/// Consecutive frames that go to the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) to: Destination,
    /// Where it starts and ends in the bytes that were cut off.
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) frames: u32,
}

/// Where a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A subscription, or what concerns its calls.
    Feed(u32),
    /// What a producer of this number put is kept.
    #[cfg(feature = "registers")]
    Line(u32),
    /// One frame that opens a message in chunks.
    Opening(FrameHeader),
    /// One frame of any other kind.
    Other(FrameHeader),
}

/// Why the bytes can't be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Garbage {
    Frame(FrameError),
    Ext(ExtError),
}

impl Destination {
    /// Whether frames that follow each other are handed over together.
    fn takes_runs(&self) -> bool {
        !matches!(self, Self::Opening(_) | Self::Other(_))
    }
}

#[derive(Debug)]
pub(crate) struct Inbox {
    buffer: BytesMut,
    read_bytes: usize,
}

impl Inbox {
    /// Starts with `rest`, which was read behind the handshake.
    pub(crate) fn new(rest: BytesMut) -> Self {
        Self { buffer: rest, read_bytes: READ_BYTES_MIN }
    }

    /// The buffer, with room to read into.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        let missing = self.missing_bytes();
        if self.buffer.capacity() - self.buffer.len() < (self.read_bytes / 4).max(missing) {
            self.buffer.reserve(self.read_bytes.max(missing));
        }
        &mut self.buffer
    }

    /// Notes that `read` bytes came at once: a link with much traffic gets a larger buffer.
    pub(crate) fn handle_read(&mut self, read: usize) {
        if read >= self.read_bytes / 4 {
            self.read_bytes = (self.read_bytes * 4).min(READ_BYTES_MAX);
        }
    }

    /// Bytes that the frame at the front still lacks, as far as that is known.
    fn missing_bytes(&self) -> usize {
        let len = self.buffer.first_chunk().map_or(HEADER_BYTES, |b| u32::from_le_bytes(*b) as usize);
        len.saturating_sub(self.buffer.len())
    }

    /// Whether a frame is there in part.
    pub(crate) fn is_partial(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// Cuts off all whole frames and notes their runs. On an error the runs before it are good.
    pub(crate) fn cut(&mut self, runs: &mut Vec<Run>) -> (Bytes, Result<(), Garbage>) {
        runs.clear();
        let mut at = 0;
        let result = loop {
            match FrameHeader::decode(&self.buffer[at..]) {
                Ok(Some(header)) if at + header.len as usize <= self.buffer.len() => {
                    if let Err(error) = note(runs, header, &self.buffer[at..], at) {
                        break Err(Garbage::Ext(error));
                    }
                    at += header.len as usize;
                }
                Ok(_) => break Ok(()),
                Err(error) => break Err(Garbage::Frame(error)),
            }
        };
        (self.buffer.split_to(at).freeze(), result)
    }
}

#[inline]
fn note(runs: &mut Vec<Run>, header: FrameHeader, frame: &[u8], at: usize) -> Result<(), ExtError> {
    let to = destination(header, frame)?;
    let end = at + header.len as usize;
    match (runs.last_mut(), to) {
        (Some(run), to) if to.takes_runs() && run.to == to => {
            run.end = end;
            run.frames += 1;
        }
        _ => runs.push(Run { to, start: at, end, frames: 1 }),
    }
    Ok(())
}

#[inline]
fn destination(header: FrameHeader, frame: &[u8]) -> Result<Destination, ExtError> {
    if header.ext_len > 0 {
        let ext = frame.get(HEADER_BYTES..HEADER_BYTES + usize::from(header.ext_len)).unwrap_or_default();
        if Ext::parse(ext)?.chunk().is_some() {
            return Ok(Destination::Opening(header));
        }
    }
    Ok(match header.kind {
        Kind::Deliver => Destination::Feed(header.id as u32),
        // A call's id has its responder in the upper half.
        Kind::Call | Kind::Cancel | Kind::ReplyCredit => Destination::Feed((header.id >> 32) as u32),
        // The id of what was put has its producer in the upper half.
        #[cfg(feature = "registers")]
        Kind::PutOk => Destination::Line((header.id >> 32) as u32),
        _ => Destination::Other(header),
    })
}

#[cfg(test)]
mod tests {
    use mesh_wire::ext::ExtBuilder;
    use mesh_wire::frame::Parts;

    use super::*;

    fn inbox(frames: &[Parts<'_>]) -> Inbox {
        let mut bytes = BytesMut::new();
        frames.iter().for_each(|parts| parts.encode(&mut bytes).unwrap());
        Inbox::new(bytes)
    }

    fn feeds(runs: &[Run]) -> Vec<(Option<u32>, u32)> {
        runs.iter()
            .map(|run| match run.to {
                Destination::Feed(id) => (Some(id), run.frames),
                _ => (None, run.frames),
            })
            .collect()
    }

    #[test]
    fn neighbours_of_one_feed_make_one_run() {
        let deliver = |id| Parts::bare(Kind::Deliver, id).body(b"x");
        let call = |kind, feed: u64, call| Parts::bare(kind, feed << 32 | call);
        let mut inbox = inbox(&[
            deliver(1),
            deliver(1),
            deliver(2),
            deliver(1),
            call(Kind::Call, 3, 1),
            call(Kind::Cancel, 3, 1),
            call(Kind::ReplyCredit, 3, 2),
            Parts::bare(Kind::Reply, 9),
            Parts::bare(Kind::Reply, 9),
        ]);
        let mut runs = Vec::new();
        let (bytes, result) = inbox.cut(&mut runs);
        assert_eq!(result, Ok(()));
        assert_eq!(
            feeds(&runs),
            [(Some(1), 2), (Some(2), 1), (Some(1), 1), (Some(3), 3), (None, 1), (None, 1)]
        );
        assert!(runs.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!(runs.last().map(|run| run.end), Some(bytes.len()));
        assert!(!inbox.is_partial());
    }

    #[test]
    fn frames_come_whole_wherever_the_bytes_are_cut() {
        let mut whole = BytesMut::new();
        for id in 0..3 {
            Parts::bare(Kind::Deliver, id).body(&[7; 30]).encode(&mut whole).unwrap();
        }
        for cut in 0..=whole.len() {
            let mut inbox = Inbox::new(BytesMut::from(&whole[..cut]));
            let mut runs = Vec::new();
            let (first, result) = inbox.cut(&mut runs);
            assert_eq!((result, runs.len()), (Ok(()), cut / 54));
            inbox.buffer().extend_from_slice(&whole[cut..]);
            let (second, result) = inbox.cut(&mut runs);
            assert_eq!((result, runs.len()), (Ok(()), 3 - cut / 54));
            assert_eq!([first, second].concat(), whole);
        }
    }

    #[test]
    fn a_large_frame_gets_the_room_that_it_needs() {
        let mut whole = BytesMut::new();
        Parts::bare(Kind::Deliver, 1).body(&vec![7; 900_000]).encode(&mut whole).unwrap();
        let mut inbox = Inbox::new(BytesMut::from(&whole[..24]));
        let buffer = inbox.buffer();
        assert!(buffer.capacity() >= whole.len());
    }

    #[test]
    fn the_buffer_grows_with_the_traffic_up_to_a_bound() {
        let mut inbox = Inbox::new(BytesMut::new());
        assert!(inbox.buffer().capacity() < 2 * READ_BYTES_MIN);
        for _ in 0..10 {
            inbox.handle_read(READ_BYTES_MAX);
        }
        assert_eq!(inbox.read_bytes, READ_BYTES_MAX);
    }

    #[test]
    fn what_comes_before_garbage_is_good() {
        let mut bytes = BytesMut::new();
        Parts::bare(Kind::Deliver, 1).encode(&mut bytes).unwrap();
        bytes.extend_from_slice(b"HTTP/1.1 400 Bad Request\r\n");
        let mut runs = Vec::new();
        let (_, result) = Inbox::new(bytes).cut(&mut runs);
        assert!(matches!(result, Err(Garbage::Frame(FrameError::Oversize(_)))));
        assert_eq!(feeds(&runs), [(Some(1), 1)]);
    }

    #[test]
    fn an_opening_stands_alone() {
        let mut ext = ExtBuilder::new();
        ext.push_chunk(1, 9).unwrap();
        let opening = Parts { ext: ext.as_bytes(), ..Parts::bare(Kind::Deliver, 1) };
        let mut runs = Vec::new();
        let (_, result) = inbox(&[opening, Parts::bare(Kind::Deliver, 1)]).cut(&mut runs);
        assert_eq!(result, Ok(()));
        assert!(matches!(
            runs[..],
            [Run { to: Destination::Opening(_), .. }, Run { to: Destination::Feed(1), .. }]
        ));

        let broken = Parts { ext: &[4, 200], ..Parts::bare(Kind::Deliver, 1) };
        assert!(matches!(inbox(&[broken]).cut(&mut runs).1, Err(Garbage::Ext(_))));
    }
}
