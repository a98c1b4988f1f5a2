//! Record batches.

use mesh_wire::batch::{
    Attributes, BatchBuilder, BatchRef, ENTRY_BYTES, Encoding, Foreign, HEADER_BYTES, Producer, Record,
    RecordRef, TimestampType, batch_len, encode_foreign,
};
use mesh_wire::header::Headers;
use mesh_wire::limits;
use mesh_wire::subject::Subject;

/// Reads `data` as a batch: as it is, and with its length and checksums set right, so that changes get past them.
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
    assert!(word(data, 44) <= limits::BATCH_BYTES, "what decompresses to more is refused");
    let mut last = None;
    for (position, record) in batch.records().enumerate() {
        check_record(&record, &Raw::read(data, position));
        assert!(last < Some(record.offset_delta()), "offsets rise");
        assert!(record.offset_delta() <= batch.header().last_offset_delta);
        last = Some(record.offset_delta());
    }
    let damaged = batch.records().any(|record| record.payload().is_err());
    assert!(!batch.header().is_readable() || damaged == batch.verify().is_err());
    if batch.header().is_readable() && !damaged {
        let payloads: Vec<u8> = batch.records().flat_map(|record| payload_bytes(&record)).collect();
        assert_eq!(payloads, batch.payload(), "payloads fill the payload without gaps and overlaps");
        rebuild(&batch);
    }
}

/// A record's part of the index, read from the reference alone: nothing is shared with the reader under test.
struct Raw<'a> {
    timestamp_ms: i128,
    subject: &'a [u8],
    key: &'a [u8],
    filters: &'a [u8],
    attributes: &'a [u8],
    flags: usize,
}

impl<'a> Raw<'a> {
    fn read(data: &'a [u8], position: usize) -> Self {
        let entry = HEADER_BYTES + position * ENTRY_BYTES;
        let half = |at: usize| word(data, entry + at) & 0xffff;
        let subjects = HEADER_BYTES + word(data, 20) * ENTRY_BYTES;
        let subject = &data[subjects + word(data, entry + 28)..][..half(32)];
        let meta = &data[subjects + word(data, 28) + word(data, entry)..];
        let (key, rest) = meta.split_at(half(38));
        let (filters, rest) = rest.split_at(half(36));
        let wide = |at: usize| (word(data, at) as u64 | (word(data, at + 4) as u64) << 32).cast_signed();
        let timestamp_ms = i128::from(wide(64)) + i128::from(wide(entry + 16));
        Self { timestamp_ms, subject, key, filters, attributes: &rest[..half(40)], flags: half(42) }
    }

    fn attribute(&self, wanted: u8) -> Option<&'a [u8]> {
        let mut found = None;
        let mut rest = self.attributes;
        while let [tag, len, tail @ ..] = rest {
            let (value, tail) = tail.split_at(usize::from(*len));
            if *tag == wanted {
                assert!(found.is_none(), "a known attribute is there once");
                found = Some(value);
            }
            rest = tail;
        }
        assert!(rest.is_empty(), "attributes end with an attribute");
        found
    }
}

fn check_record(record: &RecordRef<'_>, raw: &Raw<'_>) {
    assert_eq!(i128::from(record.timestamp_ms()), raw.timestamp_ms);
    assert_eq!(record.subject().unwrap_or_default().as_bytes(), raw.subject);
    assert!(record.subject().is_none_or(|subject| Subject::check(subject.as_bytes()).is_ok()));
    assert_eq!((record.key().is_some(), record.has_value()), (raw.flags & 1 != 0, raw.flags & 2 != 0));
    assert_eq!(record.key().unwrap_or_default(), raw.key);
    assert!(raw.key.len() <= limits::KEY_BYTES);
    assert_eq!(record.filters().as_bytes(), raw.filters);
    assert!(record.value_len() == 0 || record.has_value());

    let Attributes { message_id, priority, delay_ms, ttl_ms } = record.attributes();
    assert_eq!(message_id, raw.attribute(1));
    assert_eq!(priority.as_ref().map(std::slice::from_ref), raw.attribute(2));
    assert_eq!(delay_ms.map(u64::to_le_bytes).as_ref().map(|bytes| &bytes[..]), raw.attribute(3));
    assert_eq!(ttl_ms.map(u64::to_le_bytes).as_ref().map(|bytes| &bytes[..]), raw.attribute(4));
    assert!(message_id.is_none_or(|id| (1..=limits::MESSAGE_ID_BYTES).contains(&id.len())));
    assert!(priority.is_none_or(|priority| priority <= limits::PRIORITY_MAX));
    assert!(delay_ms.into_iter().chain(ttl_ms).all(|ms| ms <= limits::DELAY_MS_MAX));
    if let Ok(payload) = record.payload() {
        assert_eq!(payload.value.map(<[u8]>::len), record.has_value().then_some(record.value_len()));
    }
}

fn payload_bytes(record: &RecordRef<'_>) -> Vec<u8> {
    let payload = record.payload().expect("it was read before");
    [payload.headers.as_bytes(), payload.value.unwrap_or_default()].concat()
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

/// The same bytes with the length and the checksums that they need.
fn sealed(data: &[u8]) -> Vec<u8> {
    let mut data = data.to_vec();
    if data.len() < HEADER_BYTES {
        return data;
    }
    let len = data.len() as u32;
    put(&mut data, 4, len);
    let entries = if data[16] < 128 { word(&data, 20) } else { 0 };
    let index_end = HEADER_BYTES + entries * ENTRY_BYTES + word(&data, 28) + word(&data, 32);
    if index_end > data.len() {
        return data;
    }
    for position in 0..entries {
        let entry = HEADER_BYTES + position * ENTRY_BYTES;
        let start = index_end + word(&data, entry + 4);
        let end = start + (word(&data, entry + 34) & 0xffff) + word(&data, entry + 8);
        if let Some(payload) = data.get(start..end) {
            let crc = crc32c::crc32c(payload);
            put(&mut data, entry + 12, crc);
        }
    }
    let crc = crc32c::crc32c(&data[16..index_end]);
    put(&mut data, 12, crc);
    data
}

/// A `u32`; what lies beyond the end reads as 0.
fn word(data: &[u8], at: usize) -> usize {
    let byte = |at: usize| usize::from(data.get(at).copied().unwrap_or_default());
    byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24
}

fn put(data: &mut [u8], at: usize, word: u32) {
    data[at..at + 4].copy_from_slice(&word.to_le_bytes());
}

/// Small batches, one with everything, a compacted, a compressed and a foreign one, and some that are refused.
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
    let values: [&[u8]; 3] = [b"one", b"two!", b"three"];
    let plain =
        values.map(|value| Record { timestamp_ms: i64::MAX - 1, value: Some(value), ..Record::default() });
    let [one, two, three] = plain;
    let year = Some(limits::DELAY_MS_MAX);
    let limit = Record {
        key: Some(&[b'k'; limits::KEY_BYTES]),
        attributes: Attributes {
            message_id: Some(&[b'i'; limits::MESSAGE_ID_BYTES]),
            priority: Some(limits::PRIORITY_MAX),
            delay_ms: year,
            ttl_ms: year,
        },
        ..Record::default()
    };
    let at_limits = build(&[(0, limit)], 0);
    // Delay and time to live stand at the end of the batch, behind a tag and a length each.
    let beyond = [18, 8].map(|back| {
        let mut batch = at_limits.clone();
        let at = batch.len() - back;
        batch[at] += 1;
        sealed(&batch)
    });
    let three_values = build(&[(0, one), (1, two), (2, three)], 2);
    let mut overlapping = three_values.clone();
    put(&mut overlapping, HEADER_BYTES + 2 * ENTRY_BYTES + 4, 0);
    let mut seeds = vec![
        build(&[(0, Record::default())], 0),
        build(&[(0, full), (1, tombstone), (2, full)], 2),
        build(&[(3, tombstone), (9, full)], 20),
        three_values,
        sealed(&overlapping),
        at_limits,
        encode_foreign(&foreign, b"another system's").expect("a seed is valid").to_vec(),
        compressed(&build(&[(0, one)], 0), limits::BATCH_BYTES as u32),
        compressed(&build(&[(0, one)], 0), limits::BATCH_BYTES as u32 + 1),
    ];
    seeds.extend(beyond);
    seeds
}

/// A batch of one record that says that its payload decompresses to `len` bytes.
fn compressed(batch: &[u8], len: u32) -> Vec<u8> {
    let mut batch = batch.to_vec();
    batch[17] = 1;
    put(&mut batch, 44, len);
    put(&mut batch, HEADER_BYTES + 8, len);
    sealed(&batch)
}
