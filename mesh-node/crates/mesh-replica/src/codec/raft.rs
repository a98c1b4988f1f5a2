//! Messages of consensus.
//!
//! ```text
//!  0       4     8      16   24     25      26            28        32     40         48      56       64
//!  +-------+-----+------+----+------+-------+-------------+---------+------+----------+-------+--------+
//!  | group | 0   | from | to | kind | flags | context u16 | entries | term | log term | index | commit |
//!  +-------+-----+------+----+------+-------+-------------+---------+------+----------+-------+--------+
//!  64            72            80         88                 96
//!  +-------------+-------------+----------+------------------+---------+-------------------------------------+
//!  | commit term | reject hint | priority | request snapshot | context | entries: index term len crc kind 000 |
//!  +-------------+-------------+----------+------------------+---------+-------------------------------------+
//! ```

use bytes::{BufMut, BytesMut};
use mesh_log::{id::GroupId, record::Entry};

use super::{CONTEXT_BYTES_MAX, CodecError, PAYLOAD_BYTES_MAX, reader::Reader};
use crate::{
    id::NodeNumber,
    message::{Raft, entry_kind},
};

/// Bytes of a message before its context.
pub(super) const HEAD_BYTES: usize = 96;
/// Bytes of an entry before its payload.
pub(super) const ENTRY_HEAD_BYTES: usize = 28;

/// The number of `MsgAppend`.
pub(super) const APPEND: u8 = 3;

const REJECT: u8 = 1;

/// Bytes of an entry.
pub(super) fn entry_len(entry: &Entry) -> usize {
    ENTRY_HEAD_BYTES + entry.payload.len()
}

/// Bytes of a message without its entries.
pub(super) fn head_len(message: &Raft) -> usize {
    HEAD_BYTES + message.context.len()
}

/// Whether it can be written.
pub(super) fn check(message: &Raft) -> Result<(), CodecError> {
    let size = message.context.len();
    if size > CONTEXT_BYTES_MAX {
        return Err(CodecError::TooLarge { what: "context", size: size as u64, max: CONTEXT_BYTES_MAX });
    }
    match message.entries.iter().map(|entry| entry.payload.len()).max() {
        Some(size) if size > PAYLOAD_BYTES_MAX => {
            Err(CodecError::TooLarge { what: "entry", size: size as u64, max: PAYLOAD_BYTES_MAX })
        }
        _ => Ok(()),
    }
}

/// Writes a message with some of its entries, which follow (`index`, `log_term`).
pub(super) fn write(message: &Raft, (index, log_term): (u64, u64), entries: &[Entry], out: &mut BytesMut) {
    out.put_u32_le(message.group.0);
    out.put_u32_le(0);
    out.put_u64_le(message.from.0);
    out.put_u64_le(message.to.0);
    out.put_u8(message.kind);
    out.put_u8(if message.reject { REJECT } else { 0 });
    out.put_u16_le(message.context.len() as u16);
    out.put_u32_le(entries.len() as u32);
    out.put_u64_le(message.term);
    out.put_u64_le(log_term);
    out.put_u64_le(index);
    out.put_u64_le(message.commit);
    out.put_u64_le(message.commit_term);
    out.put_u64_le(message.reject_hint);
    out.put_i64_le(message.priority);
    out.put_u64_le(message.request_snapshot);
    out.put_slice(&message.context);
    for entry in entries {
        out.put_u64_le(entry.index);
        out.put_u64_le(entry.term);
        out.put_u32_le(entry.payload.len() as u32);
        out.put_u32_le(entry.payload.crc());
        out.put_u32_le(entry.kind as u32);
        out.put_slice(entry.payload.bytes());
    }
}

pub(super) fn read(reader: &mut Reader) -> Result<Raft, CodecError> {
    let group = GroupId(reader.word()?);
    reader.zeros::<4>()?;
    let (from, to) = (NodeNumber(reader.wide()?), NodeNumber(reader.wide()?));
    let kind = reader.byte()?;
    let flags = reader.flags(REJECT << 1)?;
    let context_len = usize::from(reader.half()?);
    let count = reader.word()? as usize;
    let (term, log_term, index) = (reader.wide()?, reader.wide()?, reader.wide()?);
    let (commit, commit_term, reject_hint) = (reader.wide()?, reader.wide()?, reader.wide()?);
    let (priority, request_snapshot) = (reader.wide()?.cast_signed(), reader.wide()?);
    if context_len > CONTEXT_BYTES_MAX {
        let size = context_len as u64;
        return Err(CodecError::TooLarge { what: "context", size, max: CONTEXT_BYTES_MAX });
    }
    // A slice of a few bytes would keep the frame.
    let context = bytes::Bytes::copy_from_slice(&reader.take(context_len)?);
    if count > reader.left() / ENTRY_HEAD_BYTES {
        return Err(reader.short());
    }
    let mut entries = Vec::with_capacity(count);
    for _ in 0..count {
        entries.push(read_entry(reader)?);
    }
    Ok(Raft {
        group,
        from,
        to,
        kind,
        term,
        log_term,
        index,
        commit,
        commit_term,
        reject: flags & REJECT != 0,
        reject_hint,
        context,
        entries,
        priority,
        request_snapshot,
    })
}

fn read_entry(reader: &mut Reader) -> Result<Entry, CodecError> {
    let (index, term) = (reader.wide()?, reader.wide()?);
    let (len, crc) = (reader.word()?, reader.word()?);
    let kind = reader.byte()?;
    let kind = entry_kind(kind).ok_or_else(|| reader.unknown("kind of entry", u64::from(kind)))?;
    reader.zeros::<3>()?;
    Ok(Entry { term, index, kind, payload: reader.payload(len, crc, "entry", index)? })
}
