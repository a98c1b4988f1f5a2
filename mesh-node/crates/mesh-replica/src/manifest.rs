//! The bytes of a [`Manifest`]: of an offered snapshot, and of a checkpoint on disk.
//!
//! ```text
//!  0      4         8            12
//!  +------+---------+------------+--------------------------------------------+
//!  | MMAN | 1 u32   | crc32c u32 | fields (tagged, see `mesh_core::tagged`)    |
//!  +------+---------+------------+--------------------------------------------+
//! ```
//! The checksum is that of the fields. Fields that a reader doesn't know are passed over, so that later versions can add
//! some; what would have to be understood changes the number behind the magic.

use bytes::{BufMut, Bytes, BytesMut};
use mesh_core::tagged::{self, Fields};
use mesh_log::{id::LaneId, payload::Payload};
use mesh_wire::code::Code;

use crate::{
    id::NodeNumber,
    members::Members,
    message::{Extent, Manifest},
};

/// The highest term and index that is taken: nothing that is added to them can overflow.
pub const NUMBER_MAX: u64 = 1 << 48;
/// Most nodes in the members of a group.
pub const MEMBERS_MAX: usize = 32;

const MAGIC: &[u8; 4] = b"MMAN";
const FORMAT: u32 = 1;
const HEAD_BYTES: usize = 12;
/// Bytes of an extent as it is written now; a later version may add behind.
const EXTENT_BYTES: usize = 40;

const INDEX: u32 = 1;
const TERM: u32 = 2;
const TIME_MS: u32 = 3;
const VOTERS: u32 = 4;
const LEARNERS: u32 = 5;
const OUTGOING: u32 = 6;
const LEARNERS_NEXT: u32 = 7;
const STATE: u32 = 8;
const STATE_CRC: u32 = 9;
const EXTENTS: u32 = 10;
const EXTENT_LEN: u32 = 11;

/// Why bytes are no manifest, or one can't be true.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// They don't begin as one.
    #[error("no manifest")]
    Magic,
    /// A later version wrote it, and said that it has to be understood.
    #[error("format {0}, of which only {FORMAT} is known")]
    Format(u32),
    /// They are not what was written.
    #[error("the checksum is not that of the bytes")]
    Checksum,
    /// A field is missing or can't be read.
    #[error(transparent)]
    Fields(#[from] tagged::Error),
    /// A field holds what can't be.
    #[error("{0}")]
    Wrong(&'static str),
}

impl ManifestError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::ManifestMalformed
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        self.code().hint()
    }

    /// Whether the same bytes can be right later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.code().is_retryable()
    }
}

/// Its bytes.
#[must_use]
pub fn encode(manifest: &Manifest) -> Bytes {
    let nodes = |nodes: &std::collections::BTreeSet<NodeNumber>| -> Vec<u64> {
        nodes.iter().map(|node| node.0).collect()
    };
    let mut extents = BytesMut::with_capacity(manifest.extents.len() * EXTENT_BYTES);
    for extent in &manifest.extents {
        extents.put_u64_le(extent.lane.0);
        extents.put_u64_le(extent.first);
        extents.put_u64_le(extent.last);
        extents.put_u64_le(extent.bytes);
        extents.put_u32_le(extent.digest);
        extents.put_u32_le(0);
    }
    let members = &manifest.members;
    let fields = Fields::new()
        .number(INDEX, manifest.index)
        .number(TERM, manifest.term)
        .number(TIME_MS, manifest.time_ms)
        .numbers(VOTERS, nodes(&members.voters))
        .numbers(LEARNERS, nodes(&members.learners))
        .numbers(OUTGOING, nodes(&members.outgoing))
        .numbers(LEARNERS_NEXT, nodes(&members.learners_next))
        .bytes(STATE, manifest.state.bytes().clone())
        .number(STATE_CRC, manifest.state.crc().into())
        .bytes(EXTENTS, extents.freeze())
        .number(EXTENT_LEN, EXTENT_BYTES as u64)
        .encode();
    let mut out = BytesMut::with_capacity(HEAD_BYTES + fields.len());
    out.put_slice(MAGIC);
    out.put_u32_le(FORMAT);
    out.put_u32_le(crc32c::crc32c(&fields));
    out.put_slice(&fields);
    out.freeze()
}

/// Reads it back; the state is a slice of the input.
///
/// # Errors
/// [`ManifestError`]; what is read is what [`check`] finds right.
pub fn decode(bytes: &Bytes) -> Result<Manifest, ManifestError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(ManifestError::Magic)?;
    let (format, rest) = word(rest).ok_or(ManifestError::Checksum)?;
    if format != FORMAT {
        return Err(ManifestError::Format(format));
    }
    let (crc, fields) = word(rest).ok_or(ManifestError::Checksum)?;
    if crc32c::crc32c(fields) != crc {
        return Err(ManifestError::Checksum);
    }
    let mut fields = Fields::decode(&bytes.slice_ref(fields))?;
    let missing = |tag| tagged::Error::Missing { tag };
    let state = fields.find_bytes(STATE)?.ok_or(missing(STATE))?;
    let crc = u32::try_from(fields.take_number(STATE_CRC)?);
    let state = crc.ok().and_then(|crc| Payload::checked(state, crc)).ok_or(ManifestError::Checksum)?;
    let extents = fields.find_bytes(EXTENTS)?.ok_or(missing(EXTENTS))?;
    let manifest = Manifest {
        index: fields.take_number(INDEX)?,
        term: fields.take_number(TERM)?,
        time_ms: fields.take_number(TIME_MS)?,
        members: Members {
            voters: nodes(&mut fields, VOTERS)?,
            learners: nodes(&mut fields, LEARNERS)?,
            outgoing: nodes(&mut fields, OUTGOING)?,
            learners_next: nodes(&mut fields, LEARNERS_NEXT)?,
        },
        state,
        extents: read_extents(&extents, fields.take_number(EXTENT_LEN)?)?,
    };
    check(&manifest)?;
    Ok(manifest)
}

/// Whether a manifest can be true: its numbers within their range, members that there can be, extents in order and apart.
///
/// # Errors
/// What is wrong with it.
pub fn check(manifest: &Manifest) -> Result<(), ManifestError> {
    let wrong = |what| Err(ManifestError::Wrong(what));
    if manifest.index > NUMBER_MAX || manifest.term > NUMBER_MAX {
        return wrong("its index or term is beyond what there can be");
    }
    if (manifest.index == 0) != (manifest.term == 0) {
        return wrong("its index or its term is 0, and not both");
    }
    check_members(&manifest.members)?;
    let mut before: Option<&Extent> = None;
    for extent in &manifest.extents {
        if extent.first == 0 || extent.first > extent.last || extent.last == u64::MAX {
            return wrong("an extent has no numbers, or numbers that there can't be");
        }
        // Adjacent ones are right: extents are as large as their sender likes.
        if before.is_some_and(|before| (before.lane, before.last) >= (extent.lane, extent.first)) {
            return wrong("extents overlap, or are not in order");
        }
        if extent.bytes == 0 {
            return wrong("an extent has no bytes");
        }
        before = Some(extent);
    }
    Ok(())
}

/// Whether there can be such members: raft panics on a configuration that no changes lead to.
fn check_members(members: &Members) -> Result<(), ManifestError> {
    let wrong = |what| Err(ManifestError::Wrong(what));
    let Members { voters, learners, outgoing, learners_next } = members;
    if [voters, learners, outgoing, learners_next].iter().any(|set| set.len() > MEMBERS_MAX) {
        return wrong("it has too many members");
    }
    if members.contains(NodeNumber(0)) {
        return wrong("node 0 is a member");
    }
    if voters.is_empty() {
        return wrong("nobody votes");
    }
    if !learners.is_disjoint(voters) || !learners.is_disjoint(outgoing) || !learners_next.is_disjoint(voters)
    {
        return wrong("a member votes and learns");
    }
    if !learners_next.is_subset(outgoing) {
        return wrong("a member is to become a learner that did not vote");
    }
    Ok(())
}

fn word(bytes: &[u8]) -> Option<(u32, &[u8])> {
    bytes.split_first_chunk().map(|(word, rest)| (u32::from_le_bytes(*word), rest))
}

fn nodes(fields: &mut Fields, tag: u32) -> Result<std::collections::BTreeSet<NodeNumber>, ManifestError> {
    Ok(fields.take_numbers(tag)?.into_iter().map(NodeNumber).collect())
}

fn read_extents(bytes: &Bytes, len: u64) -> Result<Vec<Extent>, ManifestError> {
    let wrong = ManifestError::Wrong("its extents have a wrong length");
    let Some(len) = usize::try_from(len).ok().filter(|len| (EXTENT_BYTES..=1024).contains(len)) else {
        return Err(wrong);
    };
    if !bytes.len().is_multiple_of(len) {
        return Err(wrong);
    }
    let read = |chunk: &[u8]| {
        let wide = |at: usize| chunk[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let digest = chunk[32..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
        Extent { lane: LaneId(wide(0)), first: wide(8), last: wide(16), bytes: wide(24), digest }
    };
    Ok(bytes.chunks_exact(len).map(read).collect())
}

#[cfg(test)]
mod tests;
