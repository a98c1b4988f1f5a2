//! The frames of a QUIC packet (RFC 9000, section 19), as far as needed to cut holes into streams.

/// Cuts stream frames of a packet's payload, at most `most` of them, down to their first `keep` bytes, below 64; what
/// followed becomes padding. Gives how many it cut. The packet stays as long as it was, and whoever sent it believes that
/// all of it was taken once it is acknowledged.
pub(crate) fn cut_streams(payload: &mut [u8], keep: usize, most: usize) -> usize {
    let mut at = 0;
    let mut cut = 0;
    while at < payload.len() && cut < most {
        match Frame::at(payload, at) {
            Some(Frame::Stream(stream)) => {
                cut += usize::from(stream.cut(payload, keep));
                at = stream.end;
            }
            Some(Frame::Other { end }) => at = end,
            // A kind that quinn does not send before stream frames.
            None => break,
        }
    }
    cut
}

enum Frame {
    Stream(Stream),
    Other { end: usize },
}

struct Stream {
    start: usize,
    /// Where its length stands, and in how many bytes; none when it goes to the end of the packet.
    length: Option<(usize, usize)>,
    data: usize,
    end: usize,
}

const FIN: u8 = 0x01;
const LEN: u8 = 0x02;
const OFF: u8 = 0x04;

impl Frame {
    fn at(payload: &[u8], start: usize) -> Option<Self> {
        let mut reader = Reader { payload, at: start };
        let kind = reader.varint()?;
        match kind {
            // PADDING, PING, HANDSHAKE_DONE, IMMEDIATE_ACK
            0x00 | 0x01 | 0x1e | 0x1f => {}
            // ACK
            0x02 | 0x03 => {
                reader.varints(2)?;
                let ranges = reader.varint()?;
                reader.varints(1 + ranges.checked_mul(2)?)?;
                if kind == 0x03 {
                    reader.varints(3)?;
                }
            }
            0x04 => reader.varints(3)?,
            0x05 | 0x11 | 0x15 => reader.varints(2)?,
            // CRYPTO
            0x06 => {
                reader.varints(1)?;
                let len = reader.varint()?;
                reader.skip(len)?;
            }
            0x08..=0x0f => return reader.stream(start, kind as u8).map(Self::Stream),
            0x10 | 0x12..=0x14 | 0x16 | 0x17 | 0x19 => reader.varints(1)?,
            // NEW_CONNECTION_ID
            0x18 => {
                reader.varints(2)?;
                let len = reader.varint()?;
                reader.skip(len + 16)?;
            }
            // PATH_CHALLENGE, PATH_RESPONSE
            0x1a | 0x1b => reader.skip(8)?,
            // ACK_FREQUENCY
            0xaf => reader.varints(4)?,
            _ => return None,
        }
        Some(Self::Other { end: reader.at })
    }
}

impl Stream {
    fn cut(&self, payload: &mut [u8], keep: usize) -> bool {
        let data = self.data..self.end;
        // One byte more, for the length that a frame up to the end of its packet lacks.
        if payload[self.start] & FIN != 0 || data.len() < keep + 2 {
            return false;
        }
        let mut kept = self.data;
        match self.length {
            Some((at, width)) => {
                let first = payload[at] & 0xc0;
                payload[at..at + width].fill(0);
                payload[at] = first;
                payload[at + width - 1] |= keep as u8;
            }
            None => {
                payload.copy_within(self.data..self.data + keep, self.data + 1);
                payload[self.start] |= LEN;
                payload[self.data] = keep as u8;
                kept += 1;
            }
        }
        payload[kept + keep..self.end].fill(0);
        true
    }
}

struct Reader<'a> {
    payload: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn varint(&mut self) -> Option<u64> {
        let first = *self.payload.get(self.at)?;
        let width = 1 << (first >> 6);
        let bytes = self.payload.get(self.at..self.at + width)?;
        self.at += width;
        Some(bytes[1..].iter().fold(u64::from(first & 0x3f), |value, byte| value << 8 | u64::from(*byte)))
    }

    fn varints(&mut self, count: u64) -> Option<()> {
        (0..count).try_for_each(|_| self.varint().map(drop))
    }

    fn skip(&mut self, bytes: u64) -> Option<()> {
        self.at = self.at.checked_add(usize::try_from(bytes).ok()?)?;
        (self.at <= self.payload.len()).then_some(())
    }

    fn stream(mut self, start: usize, kind: u8) -> Option<Stream> {
        self.varint()?;
        if kind & OFF != 0 {
            self.varint()?;
        }
        let mut length = None;
        let mut end = self.payload.len();
        if kind & LEN != 0 {
            let at = self.at;
            let len = self.varint()?;
            length = Some((at, self.at - at));
            end = self.at.checked_add(usize::try_from(len).ok()?)?;
        }
        (end <= self.payload.len()).then_some(Stream { start, length, data: self.at, end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(payload: &[u8]) -> Vec<u8> {
        let mut payload = payload.to_vec();
        cut_streams(&mut payload, 1, usize::MAX);
        payload
    }

    #[test]
    fn stream_frames_keep_their_first_byte_and_their_room() {
        // Behind a PING and an ACK of one range; with an offset and a length in two bytes.
        let before = [0x01, 0x02, 5, 0, 0, 5, 0x0e, 2, 0x40, 0x80, 0x40, 4, b'a', b'b', b'c', b'd', 0x01];
        let after = [0x01, 0x02, 5, 0, 0, 5, 0x0e, 2, 0x40, 0x80, 0x40, 1, b'a', 0, 0, 0, 0x01];
        assert_eq!(cut(&before), after);
        // Up to the end of the packet: it gets a length.
        assert_eq!(cut(&[0x08, 2, b'a', b'b', b'c']), [0x0a, 2, 1, b'a', 0]);
        // Two of them.
        let two = [0x0a, 2, 3, b'a', b'b', b'c', 0x0a, 6, 3, b'd', b'e', b'f'];
        assert_eq!(cut(&two), [0x0a, 2, 1, b'a', 0, 0, 0x0a, 6, 1, b'd', 0, 0]);
        let mut one = two;
        assert_eq!(cut_streams(&mut one, 1, 1), 1);
        assert_eq!(one, [0x0a, 2, 1, b'a', 0, 0, 0x0a, 6, 3, b'd', b'e', b'f']);
    }

    #[test]
    fn short_and_last_ones_and_what_is_not_understood_stay() {
        for payload in
            [&[0x0a, 2, 1, b'a'][..], &[0x0b, 2, 3, b'a', b'b', b'c'], &[0x3f, 0x0a, 2, 3, 1, 2, 3], &[]]
        {
            assert_eq!(cut(payload), payload);
        }
    }
}
