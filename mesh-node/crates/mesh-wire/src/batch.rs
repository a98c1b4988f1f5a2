//! Record batches: what queues and streams keep, encoded once by the producer and carried unchanged by everyone.
//!
//! A batch is a header, an index in the clear, and a payload. A node reads the index alone to route, filter, lease
//! and compact; it opens the payload of a record only when that record is wanted. What is added on the way (the
//! offset of the first record, shard time) stands in a frame around the batch, so that its bytes stay the same on
//! links, in the log and at every replica.
//!
//! ```text
//!  0        72                                                        total length
//!  | header | entry 0 | entry 1 | … | subjects | metadata             | payload                     |
//!           |    44 bytes each      |          | key filters attrs …  | headers value headers value |
//!           |<------------------- index ----------------------------->|
//!      16 ──────────────── under the index CRC ──────────────────────>| each record under its own CRC
//! ```
//!
//! Every byte is described in `docs/reference/record-batch.md`.
//!
//! ```
//! use mesh_wire::batch::{BatchBuilder, BatchRef, Producer, Record};
//!
//! let mut builder = BatchBuilder::new(Producer { id: 7, epoch: 0, base_sequence: 100 });
//! builder.push(&Record { key: Some(b"order-1"), value: Some(b"paid"), ..Record::default() })?;
//! let bytes = builder.build()?;
//!
//! let batch = BatchRef::parse(&bytes)?;
//! let record = batch.record(0).expect("one record was pushed");
//! assert_eq!((record.key(), record.sequence()), (Some(&b"order-1"[..]), 100));
//! assert_eq!(record.payload()?.value, Some(&b"paid"[..]));
//! # Ok::<(), mesh_wire::batch::BatchError>(())
//! ```

mod attributes;
mod build;
mod entry;
mod error;
mod foreign;
mod header;
mod owned;
mod read;
mod record;
#[cfg(test)]
mod tests;

pub use attributes::{ATTRIBUTES_BYTES, Attributes};
pub use build::{BatchBuilder, Producer, Record};
pub use entry::ENTRY_BYTES;
pub use error::BatchError;
pub use foreign::{Foreign, encode_foreign};
pub use header::{
    BatchHeader, Compression, Encoding, HEADER_BYTES, NO_PRODUCER, TimestampType, batch_len, index_crc,
    set_leader_epoch,
};
pub use owned::Batch;
pub use read::{BatchRef, Records};
pub use record::{Payload, RecordRef};
