mod properties;

use bytes::Bytes;

use super::*;
use crate::code::Code;
use crate::header::{Headers, HeadersRef};
use crate::limits;

/// Two records, byte by byte as `docs/reference/record-batch.md` describes them.
const GOLDEN: &[u8] = b"MRB\x01\xe0\x00\x00\x00\x00\x00\x00\x00\xd2\xaf\x5f\xfd\
    \x00\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x0b\x00\x00\x00\x29\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x0c\x00\x00\x00\
    \x04\x03\x02\x01\x00\x00\x00\x00\x64\x00\x00\x00\x00\x00\x00\x00\x00\x68\xe5\xcf\x8b\x01\x00\x00\
    \x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x08\x61\x1e\x13\
    \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0b\x00\x0b\x00\x0b\x00\x01\x00\x1d\x00\x03\x00\
    \x29\x00\x00\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
    \xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\
    orders.paid\
    k\x02\x06\x01\x00tenanta\
    \x01\x04id-1\x02\x01\x09\x03\x08\xe8\x03\x00\x00\x00\x00\x00\x00\x04\x08`\xea\x00\x00\x00\x00\x00\x00\
    \x02\x06\x01\x00tenantav";

fn headers(name: &str, value: &str) -> Headers {
    Headers::builder().with(name, value).unwrap().build()
}

fn full_attributes() -> Attributes<'static> {
    Attributes { message_id: Some(b"id-1"), priority: Some(9), delay_ms: Some(1_000), ttl_ms: Some(60_000) }
}

fn golden() -> Bytes {
    let tenant = headers("tenant", "a");
    let mut builder = BatchBuilder::new(Producer { id: 0x0102_0304, epoch: 3, base_sequence: 100 });
    builder
        .push(&Record {
            subject: Some("orders.paid"),
            key: Some(b"k"),
            timestamp_ms: 1_700_000_000_000,
            headers: tenant.as_view(),
            filters: tenant.as_view(),
            attributes: full_attributes(),
            value: Some(b"v"),
        })
        .unwrap();
    builder
        .push(&Record {
            subject: Some("orders.paid"),
            key: Some(b""),
            timestamp_ms: 1_699_999_999_999,
            ..Record::default()
        })
        .unwrap();
    builder.build().unwrap()
}

fn parse(bytes: &[u8]) -> Result<BatchRef<'_>, BatchError> {
    BatchRef::parse(bytes)
}

#[test]
fn golden_bytes() {
    assert_eq!(&golden()[..], GOLDEN);
}

#[test]
fn the_documented_bytes_are_these() {
    let page = include_str!("../../../../../docs/reference/record-batch.md");
    let dump = page.rsplit_once("```text\n").unwrap().1.split_once("```").unwrap().0;
    let documented: Vec<u8> = dump
        .lines()
        .flat_map(|line| line[16..].split_whitespace())
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect();
    assert_eq!(documented, GOLDEN);
}

#[test]
fn golden_reads_back() {
    let bytes = golden();
    let batch = parse(&bytes).unwrap();
    let header = batch.header();
    assert_eq!((header.record_count, header.last_offset_delta, header.leader_epoch), (2, 1, 0));
    assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (0x0102_0304, 3, 100));
    assert_eq!(header.timestamp_type, TimestampType::Create);
    let first = batch.record(0).unwrap();
    assert_eq!((first.subject(), first.key()), (Some("orders.paid"), Some(&b"k"[..])));
    assert_eq!((first.sequence(), first.offset_delta(), first.timestamp_ms()), (100, 0, 1_700_000_000_000));
    assert_eq!(first.filters(), headers("tenant", "a").as_view());
    assert_eq!(first.attributes(), full_attributes());
    assert_eq!(first.value_len(), 1);
    let tenant = headers("tenant", "a");
    assert_eq!(first.payload(), Ok(Payload { headers: tenant.as_view(), value: Some(b"v") }));
    let second = batch.record(1).unwrap();
    assert_eq!((second.subject(), second.key()), (Some("orders.paid"), Some(&b""[..])));
    assert_eq!((second.sequence(), second.timestamp_ms()), (101, 1_699_999_999_999));
    assert_eq!(second.payload(), Ok(Payload { headers: HeadersRef::default(), value: None }));
    assert!(!second.has_value() && second.filters().is_empty());
    assert!(batch.record(2).is_none());
    assert_eq!(batch.records().len(), 2);
    batch.verify().unwrap();
}

#[test]
fn records_without_anything_are_records() {
    let mut builder = BatchBuilder::new(Producer::default()).timestamp_type(TimestampType::Append);
    builder.push(&Record::default()).unwrap();
    builder.push(&Record { value: Some(b""), ..Record::default() }).unwrap();
    let bytes = builder.build().unwrap();
    let batch = parse(&bytes).unwrap();
    assert_eq!(batch.header().producer_id, NO_PRODUCER);
    assert_eq!(batch.header().timestamp_type, TimestampType::Append);
    let (first, second) = (batch.record(0).unwrap(), batch.record(1).unwrap());
    assert_eq!((first.subject(), first.key(), first.payload().unwrap().value), (None, None, None));
    assert_eq!(first.attributes(), Attributes::default());
    assert_eq!(second.payload().unwrap().value, Some(&b""[..]));
    assert_eq!(BatchBuilder::new(Producer::default()).build(), Err(BatchError::Empty));
}

#[test]
fn a_subject_is_stored_once_while_it_repeats() {
    let mut builder = BatchBuilder::new(Producer::default());
    for subject in [Some("a.b"), None, Some("a.b"), Some("b"), Some("a.b")] {
        builder.push(&Record { subject, ..Record::default() }).unwrap();
    }
    assert_eq!(builder.encoded_len(), HEADER_BYTES + 5 * ENTRY_BYTES + "a.bba.b".len());
    let bytes = builder.build().unwrap();
    let subjects: Vec<_> = parse(&bytes).unwrap().records().map(|record| record.subject()).collect();
    assert_eq!(subjects, [Some("a.b"), None, Some("a.b"), Some("b"), Some("a.b")]);
}

#[test]
fn record_limit() {
    let mut builder = BatchBuilder::new(Producer::default());
    for _ in 0..limits::BATCH_RECORDS {
        builder.push(&Record::default()).unwrap();
    }
    let error = builder.push(&Record::default()).unwrap_err();
    assert_eq!((error, error.is_full()), (BatchError::TooManyRecords, true));
    assert_eq!(error.code(), Code::TooManyRecords);
    let bytes = builder.build().unwrap();
    assert_eq!(parse(&bytes).unwrap().len(), limits::BATCH_RECORDS);
    let mut more = bytes.to_vec();
    more[20..24].copy_from_slice(&(limits::BATCH_RECORDS as u32 + 1).to_le_bytes());
    assert_eq!(parse(&more).unwrap_err(), BatchError::TooManyRecords);
}

#[test]
fn size_limit() {
    let room = limits::BATCH_BYTES - HEADER_BYTES - ENTRY_BYTES;
    let value = vec![5; room + 1];
    let mut builder = BatchBuilder::new(Producer::default());
    let error = builder.push(&Record { value: Some(&value), ..Record::default() }).unwrap_err();
    assert_eq!(error, BatchError::RecordTooLarge { bytes: limits::BATCH_BYTES + 1 });
    assert!(!error.is_full());
    builder.push(&Record { value: Some(&value[..room]), ..Record::default() }).unwrap();
    let error = builder.push(&Record::default()).unwrap_err();
    assert!(error.is_full() && error.code() == Code::BatchTooLarge);
    assert_eq!(builder.len(), 1);
    let mut bytes = builder.build().unwrap().to_vec();
    assert_eq!(bytes.len(), limits::BATCH_BYTES);
    parse(&bytes).unwrap().verify().unwrap();
    bytes.push(5);
    assert_eq!(parse(&bytes).unwrap_err(), BatchError::TooLarge { bytes: limits::BATCH_BYTES + 1 });
}

#[test]
fn size_limit_of_a_filled_batch() {
    let room = limits::BATCH_BYTES - HEADER_BYTES - 2 * ENTRY_BYTES - 3;
    let value = vec![5; room + 1];
    let mut builder = BatchBuilder::new(Producer::default());
    builder.push(&Record { subject: Some("a.b"), ..Record::default() }).unwrap();
    let full = builder.push(&Record { subject: Some("a.b"), value: Some(&value), ..Record::default() });
    assert_eq!(full, Err(BatchError::TooLarge { bytes: limits::BATCH_BYTES + 1 }));
    builder.push(&Record { subject: Some("a.b"), value: Some(&value[1..]), ..Record::default() }).unwrap();
    assert_eq!(builder.encoded_len(), limits::BATCH_BYTES);
    assert_eq!(builder.build().unwrap().len(), limits::BATCH_BYTES);
}

#[test]
fn limits_of_a_record() {
    let long = [b'x'; 129];
    let attributes = |attributes| Record { attributes, ..Record::default() };
    let id = |id| attributes(Attributes { message_id: Some(id), ..Attributes::default() });
    let priority = |priority| attributes(Attributes { priority: Some(priority), ..Attributes::default() });
    let delay = |ms| attributes(Attributes { delay_ms: Some(ms), ..Attributes::default() });
    let ttl = |ms| attributes(Attributes { ttl_ms: Some(ms), ..Attributes::default() });
    let key = |key| Record { key: Some(key), ..Record::default() };
    let year = limits::DELAY_MS_MAX;
    let cases = [
        (key(&long[..128]), None),
        (key(&long), Some((BatchError::KeyTooLong { bytes: 129 }, Code::KeyTooLong))),
        (id(&long[..1]), None),
        (id(&long[..128]), None),
        (id(&long), Some((BatchError::MessageIdLength { bytes: 129 }, Code::MessageIdTooLong))),
        (id(b""), Some((BatchError::MessageIdLength { bytes: 0 }, Code::RecordInvalid))),
        (priority(9), None),
        (priority(10), Some((BatchError::Priority { priority: 10 }, Code::RecordInvalid))),
        (delay(year), None),
        (delay(year + 1), Some((BatchError::Delay { ms: year + 1 }, Code::RecordInvalid))),
        (ttl(year), None),
        (ttl(year + 1), Some((BatchError::TimeToLive { ms: year + 1 }, Code::RecordInvalid))),
    ];
    for (record, expected) in cases {
        let mut builder = BatchBuilder::new(Producer::default());
        let pushed = builder.push(&record);
        assert_eq!(pushed.map_err(|error| (error, error.code())).err(), expected);
        assert_eq!(builder.len(), usize::from(expected.is_none()));
        if expected.is_none() {
            let bytes = builder.build().unwrap();
            assert_eq!(parse(&bytes).unwrap().record(0).unwrap().attributes(), record.attributes);
        }
    }
    let mut builder = BatchBuilder::new(Producer::default());
    let wildcard = builder.push(&Record { subject: Some("a.*"), ..Record::default() });
    assert_eq!(wildcard.unwrap_err().code(), Code::SubjectWildcard);
    assert!(builder.push(&Record { subject: Some(""), ..Record::default() }).is_err());
}

#[test]
fn times_and_sequences_that_do_not_fit_are_refused() {
    let mut builder = BatchBuilder::new(Producer::default());
    builder.push(&Record { timestamp_ms: 1, ..Record::default() }).unwrap();
    builder.push(&Record { timestamp_ms: i64::MIN + 1, ..Record::default() }).unwrap();
    let early = builder.push(&Record { timestamp_ms: i64::MIN, ..Record::default() });
    assert_eq!(early, Err(BatchError::OutOfRange { field: "timestamp" }));
    let bytes = builder.build().unwrap();
    let times: Vec<i64> = parse(&bytes).unwrap().records().map(|record| record.timestamp_ms()).collect();
    assert_eq!(times, [1, i64::MIN + 1]);

    let last = Producer { id: 1, epoch: 0, base_sequence: u64::MAX };
    let mut builder = BatchBuilder::new(last);
    builder.push(&Record::default()).unwrap();
    let full = builder.clone();
    assert_eq!(parse(&full.build().unwrap()).unwrap().record(0).unwrap().sequence(), u64::MAX);
    builder.push(&Record::default()).unwrap();
    assert_eq!(builder.build(), Err(BatchError::OutOfRange { field: "sequence" }));
}

#[test]
fn compaction_keeps_offsets() {
    let mut builder = BatchBuilder::new(Producer { id: 1, epoch: 0, base_sequence: 50 });
    builder.push_at(3, &Record::default()).unwrap();
    assert_eq!(builder.push_at(3, &Record::default()), Err(BatchError::OutOfRange { field: "offset" }));
    builder.push_at(7, &Record::default()).unwrap();
    let bytes = builder.last_offset_delta(9).build().unwrap();
    let batch = parse(&bytes).unwrap();
    assert_eq!(batch.records().map(|record| record.sequence()).collect::<Vec<_>>(), [53, 57]);
    assert_eq!((batch.header().record_count, batch.header().last_offset_delta), (2, 9));

    let mut builder = BatchBuilder::new(Producer::default());
    builder.push_at(u32::MAX, &Record::default()).unwrap();
    assert_eq!(builder.push(&Record::default()), Err(BatchError::OutOfRange { field: "offset" }));
    assert_eq!(builder.last_offset_delta(0).build().map(|bytes| parse(&bytes).is_ok()), Ok(true));
}

#[test]
fn a_foreign_batch_is_kept_whole() {
    let foreign = Foreign {
        encoding: Encoding::KAFKA_V2,
        record_count: 3,
        last_offset_delta: 2,
        timestamp_type: TimestampType::Create,
        base_timestamp_ms: 5,
        producer: Producer::default(),
    };
    let bytes = encode_foreign(&foreign, b"whatever it is").unwrap();
    let batch = parse(&bytes).unwrap();
    assert_eq!((batch.len(), batch.header().record_count), (0, 3));
    assert!(batch.is_empty() && batch.record(0).is_none() && !batch.header().is_readable());
    assert_eq!(batch.payload(), b"whatever it is");
    batch.verify().unwrap();
    let mut damaged = bytes.to_vec();
    damaged[HEADER_BYTES] ^= 1;
    assert_eq!(parse(&damaged).unwrap().verify(), Err(BatchError::PayloadDamaged));

    let ours = Foreign { encoding: Encoding::MESH, ..foreign };
    assert_eq!(encode_foreign(&ours, b""), Err(BatchError::ReservedValue { field: "encoding" }));
    let room = limits::BATCH_BYTES - HEADER_BYTES;
    assert!(encode_foreign(&foreign, &vec![0; room]).is_ok_and(|bytes| parse(&bytes).is_ok()));
    assert!(encode_foreign(&foreign, &vec![0; room + 1]).unwrap_err().code() == Code::BatchTooLarge);
    let many = |record_count| encode_foreign(&Foreign { record_count, ..foreign }, b"").map(|_| ());
    assert_eq!((many(4_096), many(4_097)), (Ok(()), Err(BatchError::TooManyRecords)));
}

/// Changes bytes under the index CRC and sets the CRC right, so that what the CRC would hide is reached.
fn tamper(bytes: &[u8], at: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + with.len()].copy_from_slice(with);
    reseal(&mut bytes);
    bytes
}

fn reseal(bytes: &mut [u8]) {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let entries = if bytes[16] >= 128 { 0 } else { word(20) };
    let end = HEADER_BYTES + entries * ENTRY_BYTES + word(28) + word(32);
    if let Some(covered) = bytes.get(16..end) {
        let crc = crc32c::crc32c(covered);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
    }
}

#[test]
fn what_a_correct_checksum_does_not_excuse() {
    let (first, second) = (HEADER_BYTES, HEADER_BYTES + ENTRY_BYTES);
    let meta = second + ENTRY_BYTES + 11;
    let attributes = meta + 12;
    let opaque = BatchError::Opaque { encoding: 1, compression: 0 };
    let cases: &[(usize, &[u8], BatchError)] = &[
        (16, &[1], opaque),
        (16, &[128], BatchError::WrongParts),
        (18, &[2], BatchError::ReservedValue { field: "timestamp type" }),
        (19, &[1], BatchError::ReservedValue { field: "flags" }),
        (20, &[3], BatchError::WrongParts),
        (24, &[0], BatchError::WrongEntry { record: 1 }),
        (28, &[10], BatchError::WrongParts),
        (28, &[0xff, 0xff, 0xff, 0xff], BatchError::WrongParts),
        (32, &[0xff, 0xff, 0xff, 0xff], BatchError::WrongParts),
        (36, &[1], BatchError::ReservedValue { field: "payload CRC" }),
        (44, &[11], BatchError::WrongParts),
        (56, &[0xff; 8], BatchError::OutOfRange { field: "sequence" }),
        (64, &[0, 0, 0, 0, 0, 0, 0, 0x80], BatchError::OutOfRange { field: "timestamp" }),
        (first, &[1], BatchError::WrongEntry { record: 0 }),
        (first + 4, &[1], BatchError::WrongEntry { record: 0 }),
        (first + 8, &[0xff, 0xff, 0xff, 0xff], BatchError::WrongEntry { record: 0 }),
        (first + 8, &[0], BatchError::WrongEntry { record: 1 }),
        (first + 24, &[1], BatchError::WrongEntry { record: 1 }),
        (first + 28, &[1], BatchError::WrongEntry { record: 0 }),
        (first + 32, &[12], BatchError::WrongEntry { record: 0 }),
        (first + 38, &[0], BatchError::Headers(crate::header::HeaderError::Truncated { at: 0 })),
        (first + 42, &[4 | 3], BatchError::WrongEntry { record: 0 }),
        (first + 42, &[2], BatchError::WrongEntry { record: 0 }),
        (first + 42, &[1], BatchError::WrongEntry { record: 0 }),
        (second + 28, &[0xff, 0xff, 0xff, 0xff], BatchError::WrongEntry { record: 1 }),
        (attributes, &[2], BatchError::Attributes),
        (attributes + 1, &[0xff], BatchError::Attributes),
        (attributes + 6, &[1], BatchError::Attributes),
        (attributes + 8, &[10], BatchError::Priority { priority: 10 }),
    ];
    for (at, with, expected) in cases {
        let found = parse(&tamper(&golden(), *at, with)).map(|_| ());
        assert_eq!(found, Err(*expected), "byte {at} to {with:?}");
    }
    assert_eq!(opaque.code(), Code::BatchEncodingUnsupported);
}

#[test]
fn unknown_attributes_are_skipped() {
    let attributes = HEADER_BYTES + 2 * ENTRY_BYTES + 11 + 12;
    let bytes = tamper(&golden(), attributes, &[200]);
    let record = parse(&bytes).unwrap().record(0).unwrap();
    assert_eq!(record.attributes(), Attributes { message_id: None, ..full_attributes() });
}

#[test]
fn attributes_limit() {
    let entries = |len: usize| {
        let mut bytes = Vec::new();
        while bytes.len() < len {
            let value = (len - bytes.len() - 2).min(250);
            bytes.extend_from_slice(&[200, value as u8]);
            bytes.resize(bytes.len() + value, 0);
        }
        bytes
    };
    assert_eq!(Attributes::decode(&entries(ATTRIBUTES_BYTES)), Ok(Attributes::default()));
    assert_eq!(Attributes::decode(&entries(ATTRIBUTES_BYTES + 1)), Err(BatchError::Attributes));
}

#[test]
fn a_compressed_payload_leaves_the_index_readable() {
    let bytes = tamper(&golden(), 17, &[2]);
    let batch = parse(&bytes).unwrap();
    assert_eq!(batch.header().compression, Compression::ZSTD);
    let record = batch.record(0).unwrap();
    assert_eq!((record.key(), record.attributes()), (Some(&b"k"[..]), full_attributes()));
    assert_eq!(record.payload(), Err(BatchError::Opaque { encoding: 0, compression: 2 }));
    assert_eq!(batch.verify(), Err(BatchError::PayloadDamaged));
    let sealed = tamper(&bytes, 36, &crc32c::crc32c(batch.payload()).to_le_bytes());
    parse(&sealed).unwrap().verify().unwrap();
}

#[test]
fn what_decompresses_to_more_than_a_batch_is_refused() {
    let mut builder = BatchBuilder::new(Producer::default());
    builder.push(&Record { value: Some(b"v"), ..Record::default() }).unwrap();
    let bytes = tamper(&builder.build().unwrap(), 17, &[1]);
    let announce = |len: usize| {
        let len = (len as u32).to_le_bytes();
        tamper(&tamper(&bytes, 44, &len), HEADER_BYTES + 8, &len)
    };
    assert!(parse(&announce(limits::BATCH_BYTES)).is_ok());
    assert_eq!(parse(&announce(limits::BATCH_BYTES + 1)).unwrap_err(), BatchError::WrongParts);
}

#[test]
fn only_the_damaged_record_is_lost() {
    let mut builder = BatchBuilder::new(Producer::default());
    for value in [b"one", b"two"] {
        builder.push(&Record { value: Some(value), ..Record::default() }).unwrap();
    }
    let mut bytes = builder.build().unwrap().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let batch = parse(&bytes).unwrap();
    assert_eq!(batch.record(0).unwrap().payload().unwrap().value, Some(&b"one"[..]));
    let damaged = BatchError::RecordDamaged { offset_delta: 1 };
    assert_eq!(batch.record(1).unwrap().payload(), Err(damaged));
    assert_eq!((batch.verify(), damaged.code()), (Err(damaged), Code::RecordCorrupt));
}

#[test]
fn malformed_headers_of_a_record_are_found_when_it_is_read() {
    let payload = GOLDEN.len() - 12;
    let mut bytes = GOLDEN.to_vec();
    bytes[payload] = 8;
    let crc = crc32c::crc32c(&bytes[payload..]);
    let bytes = tamper(&bytes, HEADER_BYTES + 12, &crc.to_le_bytes());
    let error = parse(&bytes).unwrap().verify().unwrap_err();
    assert_eq!((error.code(), error.is_retryable()), (Code::HeaderMalformed, false));
}

#[test]
fn a_length_is_told_as_soon_as_it_is_there() {
    let bytes = golden();
    for end in 0..8 {
        assert_eq!(batch_len(&bytes[..end]), Ok(None));
    }
    assert_eq!(batch_len(&bytes[..8]), Ok(Some(bytes.len())));
    assert_eq!(batch_len(b"MRC"), Err(BatchError::NotABatch));
    assert_eq!(batch_len(b"MRB\x02"), Err(BatchError::UnknownVersion { version: 2 }));
    assert_eq!(batch_len(b"MRB\x01\x47\0\0\0"), Err(BatchError::WrongParts));
    assert_eq!(batch_len(b"MRB\x01\x48\0\0\0"), Ok(Some(HEADER_BYTES)));
    assert_eq!(batch_len(b"MRB\x01\0\0\x10\0"), Ok(Some(limits::BATCH_BYTES)));
    assert_eq!(
        batch_len(b"MRB\x01\x01\0\x10\0"),
        Err(BatchError::TooLarge { bytes: limits::BATCH_BYTES + 1 })
    );
}

#[test]
fn every_cut_is_an_error() {
    for end in 0..GOLDEN.len() {
        assert!(parse(&GOLDEN[..end]).is_err(), "{end} bytes");
    }
    assert!(parse(&[GOLDEN, b"x"].concat()).is_err());
}

#[test]
fn the_leader_writes_its_epoch_beside_the_checksum() {
    let mut bytes = golden().to_vec();
    set_leader_epoch(&mut bytes, 0x0a0b_0c0d);
    let batch = parse(&bytes).unwrap();
    assert_eq!(batch.header().leader_epoch, 0x0a0b_0c0d);
    batch.verify().unwrap();
    assert_eq!(content(&bytes), content(GOLDEN));
    set_leader_epoch(&mut [0; 11], 1);
}

#[test]
fn an_owned_batch_hands_out_values_without_copies() {
    let batch = Batch::parse(golden()).unwrap();
    let value = batch.value(0).unwrap().unwrap();
    assert_eq!(&value[..], b"v");
    assert!(batch.as_bytes().as_ptr_range().contains(&value.as_ptr()));
    assert_eq!(batch.value(1), Ok(None));
    assert_eq!(batch.value(2), Err(BatchError::OutOfRange { field: "position" }));
    assert_eq!((batch.header().record_count, batch.as_view().len()), (2, 2));
    assert!(format!("{batch:?}").contains("record_count: 2"));
}

/// Everything that a batch says, but for the leader's epoch; or that it is refused.
fn content(bytes: &[u8]) -> Result<String, BatchError> {
    let batch = parse(bytes)?;
    batch.verify()?;
    let header = BatchHeader { leader_epoch: 0, ..*batch.header() };
    let payloads: Vec<_> = batch.records().map(|record| record.payload()).collect();
    Ok(format!("{header:?} {:?} {payloads:?} {:?}", batch.records().collect::<Vec<_>>(), batch.payload()))
}

#[test]
fn every_flipped_bit_is_noticed() {
    let whole = content(GOLDEN).unwrap();
    for at in 0..GOLDEN.len() {
        for bit in 0..8 {
            let mut bytes = GOLDEN.to_vec();
            bytes[at] ^= 1 << bit;
            match content(&bytes) {
                Ok(found) => assert!((8..12).contains(&at) && found == whole, "bit {bit} of byte {at}"),
                Err(_) => assert!(!(8..12).contains(&at), "the epoch is under no checksum"),
            }
        }
    }
}
