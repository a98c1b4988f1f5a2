//! A client's request that the leader of its group has to answer, and its answer.
//!
//! ```text
//!  FORWARD    id u64, group u32, timeout ms u32, kind u8, 0 u56, body
//!  FORWARDED  id u64, leader u64, code u32, kind u8, 0 u24, body
//! ```

use bytes::{BufMut, Bytes, BytesMut};
use mesh_log::id::GroupId;

use super::{CodecError, FORWARD_BYTES_MAX, reader::Reader};
use crate::id::NodeNumber;

/// Bytes before the body.
pub(super) const HEAD_BYTES: usize = 24;

/// A request, sent on to the node that leads its group. It is not sent on a second time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// What the sender knows it by.
    pub id: u64,
    /// The group.
    pub group: GroupId,
    /// What is left of its time, in milliseconds.
    pub timeout_ms: u32,
    /// What it is: the number of the client's frame.
    pub kind: u8,
    /// The request, as both nodes have agreed to write it.
    pub body: Bytes,
}

/// The answer to a [`Forward`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarded {
    /// As asked.
    pub id: u64,
    /// Who leads, when that is somebody else.
    pub leader: Option<NodeNumber>,
    /// Why it was refused: the number of a code; 0 when it was not.
    pub code: u32,
    /// As asked.
    pub kind: u8,
    /// The answer.
    pub body: Bytes,
}

fn check(body: &Bytes) -> Result<(), CodecError> {
    let size = body.len();
    if size > FORWARD_BYTES_MAX {
        return Err(CodecError::TooLarge { what: "request", size: size as u64, max: FORWARD_BYTES_MAX });
    }
    Ok(())
}

pub(super) fn write(forward: &Forward) -> Result<BytesMut, CodecError> {
    check(&forward.body)?;
    let mut out = BytesMut::with_capacity(HEAD_BYTES + forward.body.len());
    out.put_u64_le(forward.id);
    out.put_u32_le(forward.group.0);
    out.put_u32_le(forward.timeout_ms);
    out.put_u64_le(u64::from(forward.kind));
    out.put_slice(&forward.body);
    Ok(out)
}

pub(super) fn read(reader: &mut Reader) -> Result<Forward, CodecError> {
    let (id, group, timeout_ms) = (reader.wide()?, GroupId(reader.word()?), reader.word()?);
    let kind = reader.byte()?;
    reader.zeros::<7>()?;
    let body = reader.take_all();
    check(&body)?;
    Ok(Forward { id, group, timeout_ms, kind, body })
}

pub(super) fn write_answer(answer: &Forwarded) -> Result<BytesMut, CodecError> {
    check(&answer.body)?;
    let mut out = BytesMut::with_capacity(HEAD_BYTES + answer.body.len());
    out.put_u64_le(answer.id);
    out.put_u64_le(answer.leader.map_or(0, |leader| leader.0));
    out.put_u32_le(answer.code);
    out.put_u32_le(u32::from(answer.kind));
    out.put_slice(&answer.body);
    Ok(out)
}

pub(super) fn read_answer(reader: &mut Reader) -> Result<Forwarded, CodecError> {
    let (id, leader, code) = (reader.wide()?, reader.wide()?, reader.word()?);
    let kind = reader.byte()?;
    reader.zeros::<3>()?;
    let leader = (leader != 0).then_some(NodeNumber(leader));
    let body = reader.take_all();
    check(&body)?;
    Ok(Forwarded { id, leader, code, kind, body })
}
