//! Record batches.

use mesh_wire::batch::{
    Attributes, BatchBuilder, BatchRef, Encoding, Foreign, HEADER_BYTES, Producer, Record, RecordRef,
    TimestampType, batch_len, encode_foreign,
};
use mesh_wire::header::Headers;
use mesh_wire::limits;

/// Reads `data` as a batch: as it is, and with its length and checksum set right, so that changes get past them.
pub fn target(data: &[u8]) {
    check(data);
    check(&sealed(data));
}

fn check(data: &[u8]) {
    let batch = match BatchRef::parse(data) {
        Ok(batch) => batch,
        Err(error) => {
            assert!(!error.hint().is_empty() && !error.is_retryable());
            return;
        }
    };
    assert_eq!(batch_len(data), Ok(Some(data.len())));
    assert!(data.len() <= limits::BATCH_BYTES && batch.len() <= limits::BATCH_RECORDS);
    assert_eq!((batch.as_bytes(), batch.records().count()), (data, batch.len()));
    let mut size = HEADER_BYTES;
    let mut last = None;
    for record in batch.records() {
        size += check_record(&record);
        assert!(last < Some(record.offset_delta()), "offsets rise");
        assert!(record.offset_delta() <= batch.header().last_offset_delta);
        last = Some(record.offset_delta());
    }
    assert!(
        size <= data.len() || batch.header().compression.number() != 0,
        "a batch does not grow by reading"
    );
    let damaged = batch.records().any(|record| record.payload().is_err());
    assert!(!batch.header().is_readable() || damaged == batch.verify().is_err());
    if batch.header().is_readable() && !damaged {
        rebuild(&batch);
    }
}

/// Bytes that the record alone takes.
fn check_record(record: &RecordRef<'_>) -> usize {
    let key = record.key().unwrap_or_default().len();
    assert!(key <= limits::KEY_BYTES);
    assert!(
        record.subject().is_none_or(|subject| !subject.is_empty() && subject.len() <= limits::SUBJECT_BYTES)
    );
    assert!(record.value_len() == 0 || record.has_value());
    let Attributes { message_id, priority, delay_ms, ttl_ms } = record.attributes();
    assert!(message_id.is_none_or(|id| (1..=limits::MESSAGE_ID_BYTES).contains(&id.len())));
    assert!(priority.is_none_or(|priority| priority <= limits::PRIORITY_MAX));
    assert!(delay_ms.into_iter().chain(ttl_ms).all(|ms| ms <= limits::DELAY_MS_MAX));
    let payload = record.payload().map_or(0, |payload| {
        assert_eq!(payload.value.map(<[u8]>::len), record.has_value().then_some(record.value_len()));
        payload.headers.as_bytes().len() + record.value_len()
    });
    key + record.filters().as_bytes().len() + payload
}

/// Writes the batch again from what was read, and compares what is read then.
fn rebuild(batch: &BatchRef<'_>) {
    let header = batch.header();
    let producer = Producer {
        id: header.producer_id,
        epoch: header.producer_epoch,
        base_sequence: header.base_sequence,
    };
    let mut builder = BatchBuilder::new(producer).timestamp_type(header.timestamp_type);
    for record in batch.records() {
        let Ok(payload) = record.payload() else { return };
        let written = Record {
            subject: record.subject(),
            key: record.key(),
            timestamp_ms: record.timestamp_ms(),
            headers: payload.headers,
            filters: record.filters(),
            attributes: record.attributes(),
            value: payload.value,
        };
        // Relative to another base, extreme times may not fit; without the sharing of subjects, size may not.
        if builder.push_at(record.offset_delta(), &written).is_err() {
            return;
        }
    }
    let Ok(bytes) = builder.last_offset_delta(header.last_offset_delta).build() else {
        return assert!(batch.is_empty());
    };
    let again = BatchRef::parse(&bytes).expect("what was built can be read");
    assert_eq!(again.verify(), Ok(()));
    assert_eq!(again.len(), batch.len());
    assert_eq!(again.header().last_offset_delta, header.last_offset_delta);
    for (one, other) in batch.records().zip(again.records()) {
        assert_eq!((one.sequence(), one.timestamp_ms()), (other.sequence(), other.timestamp_ms()));
        assert_eq!((one.subject(), one.key()), (other.subject(), other.key()));
        assert_eq!((one.filters(), one.attributes()), (other.filters(), other.attributes()));
        assert_eq!(one.payload(), other.payload());
    }
}

/// The same bytes with the length and the index checksum that they need.
fn sealed(data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    if data.len() < HEADER_BYTES {
        return data;
    }
    let len = data.len() as u32;
    data[4..8].copy_from_slice(&len.to_le_bytes());
    let word = |at: usize| u32::from_le_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]]) as usize;
    let entries = if data[16] < 128 { word(20) * mesh_wire::batch::ENTRY_BYTES } else { 0 };
    let end = HEADER_BYTES + entries + word(28) + word(32);
    if let Some(covered) = data.get(16..end) {
        let crc = crc32c::crc32c(covered);
        data[12..16].copy_from_slice(&crc.to_le_bytes());
    }
    data
}

/// A small batch, one with everything, a compacted one, and a foreign one.
pub fn seeds() -> Vec<Vec<u8>> {
    let producer = Producer { id: 7, epoch: 1, base_sequence: 1_000 };
    let tenant = Headers::builder().with("tenant", "a").expect("a seed is valid").build();
    let full = Record {
        subject: Some("orders.paid"),
        key: Some(b"order-1"),
        timestamp_ms: 1_700_000_000_000,
        headers: tenant.as_view(),
        filters: tenant.as_view(),
        attributes: Attributes {
            message_id: Some(b"id-1"),
            priority: Some(9),
            delay_ms: Some(1_000),
            ttl_ms: Some(60_000),
        },
        value: Some(b"paid"),
    };
    let tombstone = Record { key: Some(b"order-1"), timestamp_ms: 1_700_000_000_001, ..Record::default() };
    let build = |records: &[(u32, Record<'_>)], last| {
        let mut builder = BatchBuilder::new(producer);
        for (offset, record) in records {
            builder.push_at(*offset, record).expect("a seed is valid");
        }
        builder.last_offset_delta(last).build().expect("a seed is valid").to_vec()
    };
    let foreign = Foreign {
        encoding: Encoding::KAFKA_V2,
        record_count: 2,
        last_offset_delta: 1,
        timestamp_type: TimestampType::Append,
        base_timestamp_ms: 5,
        producer,
    };
    vec![
        build(&[(0, Record::default())], 0),
        build(&[(0, full), (1, tombstone), (2, full)], 2),
        build(&[(3, tombstone), (9, full)], 20),
        encode_foreign(&foreign, b"another system's").expect("a seed is valid").to_vec(),
    ]
}
