//! Offers of snapshots, and how they are pulled.
//!
//! ```text
//!  OFFER  group u32, 0 u32, from u64, to u64, term u64, loss u64, manifest
//!  PULL   group u32, max bytes u32, from u64, snapshot u64, lane u64, first u64, last u64     one behind the other
//!  PART   group u32, flags u8, 0 u24, from u64, snapshot u64, lane u64, count u32, 0 u32, pieces
//!  piece  first u64, count u32, len u32, crc u32, bytes
//! ```

use bytes::{BufMut, BytesMut};
use mesh_log::id::{GroupId, LaneId};

use super::{CodecError, MANIFEST_BYTES_MAX, PAYLOAD_BYTES_MAX, reader::Reader};
use crate::{
    id::NodeNumber,
    manifest,
    message::{Offer, Part, Pull},
};

/// Bytes of an offer before its manifest.
pub(super) const OFFER_HEAD_BYTES: usize = 40;
/// Bytes of a pull.
pub(super) const PULL_BYTES: usize = 48;
const PART_HEAD_BYTES: usize = 40;
const PIECE_HEAD_BYTES: usize = 20;

const GONE: u8 = 1;

pub(super) fn write_offer(offer: &Offer, out: &mut BytesMut) -> Result<(), CodecError> {
    let manifest = manifest::encode(&offer.manifest);
    if manifest.len() > MANIFEST_BYTES_MAX {
        let size = manifest.len() as u64;
        return Err(CodecError::TooLarge { what: "manifest", size, max: MANIFEST_BYTES_MAX });
    }
    out.put_u32_le(offer.group.0);
    out.put_u32_le(0);
    out.put_u64_le(offer.from.0);
    out.put_u64_le(offer.to.0);
    out.put_u64_le(offer.term);
    out.put_u64_le(offer.loss);
    out.put_slice(&manifest);
    Ok(())
}

/// An offer is alone in its body: a manifest ends where the body does.
pub(super) fn read_offer(reader: &mut Reader) -> Result<Offer, CodecError> {
    let group = GroupId(reader.word()?);
    reader.zeros::<4>()?;
    let (from, to) = (NodeNumber(reader.wide()?), NodeNumber(reader.wide()?));
    let (term, loss) = (reader.wide()?, reader.wide()?);
    let manifest = manifest::decode(&reader.take_all())?;
    Ok(Offer { group, from, to, term, loss, manifest })
}

pub(super) fn write_pull(pull: &Pull, out: &mut BytesMut) {
    out.put_u32_le(pull.group.0);
    out.put_u32_le(pull.max_bytes);
    for number in [pull.from.0, pull.snapshot, pull.lane.0, pull.first, pull.last] {
        out.put_u64_le(number);
    }
}

pub(super) fn read_pull(reader: &mut Reader) -> Result<Pull, CodecError> {
    let group = GroupId(reader.word()?);
    let max_bytes = reader.word()?;
    let from = NodeNumber(reader.wide()?);
    let (snapshot, lane) = (reader.wide()?, LaneId(reader.wide()?));
    let (first, last) = (reader.wide()?, reader.wide()?);
    Ok(Pull { group, from, snapshot, lane, first, last, max_bytes })
}

/// Bytes of a part.
pub(super) fn part_len(part: &Part) -> Result<usize, CodecError> {
    let mut len = PART_HEAD_BYTES;
    for (_, _, payload) in &part.pieces {
        let size = payload.len();
        if size > PAYLOAD_BYTES_MAX {
            return Err(CodecError::TooLarge { what: "piece", size: size as u64, max: PAYLOAD_BYTES_MAX });
        }
        len += PIECE_HEAD_BYTES + size;
    }
    Ok(len)
}

pub(super) fn write_part(part: &Part, out: &mut BytesMut) {
    out.put_u32_le(part.group.0);
    out.put_u32_le(if part.gone { u32::from(GONE) } else { 0 });
    for number in [part.from.0, part.snapshot, part.lane.0] {
        out.put_u64_le(number);
    }
    out.put_u32_le(part.pieces.len() as u32);
    out.put_u32_le(0);
    for (first, count, payload) in &part.pieces {
        out.put_u64_le(*first);
        out.put_u32_le(*count);
        out.put_u32_le(payload.len() as u32);
        out.put_u32_le(payload.crc());
        out.put_slice(payload.bytes());
    }
}

pub(super) fn read_part(reader: &mut Reader) -> Result<Part, CodecError> {
    let group = GroupId(reader.word()?);
    let gone = reader.flags(GONE << 1)? != 0;
    reader.zeros::<3>()?;
    let from = NodeNumber(reader.wide()?);
    let (snapshot, lane) = (reader.wide()?, LaneId(reader.wide()?));
    let count = reader.word()? as usize;
    reader.zeros::<4>()?;
    if count > reader.left() / PIECE_HEAD_BYTES {
        return Err(reader.short());
    }
    let mut pieces = Vec::with_capacity(count);
    for _ in 0..count {
        let (first, count) = (reader.wide()?, reader.word()?);
        let (len, crc) = (reader.word()?, reader.word()?);
        pieces.push((first, count, reader.payload(len, crc, "piece", first)?));
    }
    Ok(Part { group, from, snapshot, lane, pieces, gone })
}
