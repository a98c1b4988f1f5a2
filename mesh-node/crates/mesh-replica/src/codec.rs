//! The bytes of what nodes say to each other on the durable plane.
//!
//! ```text
//!  Messages ─► Encoder: those of one kind share frames ─► frames of 1 MiB at most, each with its class
//!              entries of one append: several appends     a body that is larger goes in parts, one behind the other
//!  frames of one lane ─► Decoder: puts parts together ─► Messages, whose large payloads are slices of the frame
//! ```
//! Layouts are fixed (`docs/reference/peer-frames.md`), all numbers little endian. Every length is checked before
//! anything is allocated for it, and what a decoder holds of bodies in parts is bounded.

mod beat;
mod decoder;
mod encoder;
mod error;
mod forward;
mod raft;
mod reader;
mod series;
mod snapshot;

pub use self::{
    decoder::{Decoder, Received},
    encoder::{Encoder, Outgoing, encode},
    error::CodecError,
    forward::{Forward, Forwarded},
};
use mesh_wire::{
    frame::{HEADER_BYTES, Kind},
    limits,
};

/// Largest payload of an entry, and of a piece, in bytes: a batch, what its command adds, and some room.
pub const PAYLOAD_BYTES_MAX: usize = limits::BATCH_BYTES + 128 * 1024;
/// Longest context of a message of consensus, in bytes.
pub const CONTEXT_BYTES_MAX: usize = 64;
/// Largest manifest, in bytes: the state of a group's machine is in it.
pub const MANIFEST_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most bytes that one pull may ask for.
pub const PULL_BYTES_MAX: usize = 1024 * 1024;
/// Largest body of a forwarded request, and of its answer, in bytes.
pub const FORWARD_BYTES_MAX: usize = limits::BODY_BYTES_DEFAULT + 64 * 1024;
/// Payloads below this size are copied when they are read: kept as slices, they would keep a whole frame in memory.
pub const SLICE_BYTES: usize = 16 * 1024;

/// Largest body in one frame, in bytes.
const ROOM: usize = limits::FRAME_BYTES - HEADER_BYTES;

/// Largest body of a kind, in one frame or in parts, in bytes; `None` for kinds that are not of this plane.
#[must_use]
pub fn body_bytes_max(kind: Kind) -> Option<usize> {
    match kind {
        // Whatever is larger than a frame is one entry.
        Kind::Raft => Some(raft::HEAD_BYTES + CONTEXT_BYTES_MAX + raft::ENTRY_HEAD_BYTES + PAYLOAD_BYTES_MAX),
        Kind::Beat | Kind::Alive | Kind::Pull | Kind::Ident | Kind::Join => Some(ROOM),
        Kind::Offer => Some(snapshot::OFFER_HEAD_BYTES + MANIFEST_BYTES_MAX),
        // The last piece may go beyond what was asked for.
        Kind::Part => Some(2 * (PULL_BYTES_MAX + PAYLOAD_BYTES_MAX)),
        Kind::Forward | Kind::Forwarded => Some(forward::HEAD_BYTES + FORWARD_BYTES_MAX),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
