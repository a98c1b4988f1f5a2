//! Heartbeats.
//!
//! ```text
//!  0      1   4       8       12    20     28       36      44
//!  +------+---+-------+-------+-----+------+--------+------+
//!  | what | 0 | count | group flags | term | commit | read |  …
//!  +------+---+-------+-------+-----+------+--------+------+
//! ```

use bytes::{BufMut, BytesMut};
use mesh_log::id::GroupId;

use super::{CodecError, ROOM, reader::Reader};
use crate::message::{Beat, Message};

/// Bytes before the beats.
const HEAD_BYTES: usize = 8;
/// Bytes of a beat.
const BEAT_BYTES: usize = 32;
/// Most beats in one run: what a frame has room for.
pub(super) const BEATS_MAX: usize = (ROOM - HEAD_BYTES) / BEAT_BYTES;

const RESTS: u8 = 1;
const LOST: u8 = 2;

pub(super) fn len(beats: &[Beat]) -> usize {
    HEAD_BYTES + beats.len() * BEAT_BYTES
}

/// Writes at most [`BEATS_MAX`] of them.
pub(super) fn write(is_reply: bool, beats: &[Beat], out: &mut BytesMut) {
    out.put_u32_le(u32::from(is_reply));
    out.put_u32_le(beats.len() as u32);
    for beat in beats {
        out.put_u32_le(beat.group.0);
        let rests = if beat.rests { RESTS } else { 0 };
        let lost = if beat.lost { LOST } else { 0 };
        out.put_u32_le(u32::from(rests | lost));
        out.put_u64_le(beat.term);
        out.put_u64_le(beat.commit);
        out.put_u64_le(beat.read);
    }
}

pub(super) fn read(reader: &mut Reader) -> Result<Message, CodecError> {
    let is_reply = reader.flags(2)? == 1;
    reader.zeros::<3>()?;
    let count = reader.word()? as usize;
    if count > reader.left() / BEAT_BYTES {
        return Err(reader.short());
    }
    let mut beats = Vec::with_capacity(count);
    for _ in 0..count {
        let group = GroupId(reader.word()?);
        let flags = reader.flags(LOST << 1)?;
        let (rests, lost) = (flags & RESTS != 0, flags & LOST != 0);
        reader.zeros::<3>()?;
        let (term, commit, read) = (reader.wide()?, reader.wide()?, reader.wide()?);
        beats.push(Beat { group, term, commit, rests, lost, read });
    }
    Ok(if is_reply { Message::BeatReply(beats) } else { Message::Beat(beats) })
}
