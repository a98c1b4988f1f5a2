//! What holds for any batch.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn round_trip(records in prop::collection::vec(owned(), 1..40), base_sequence in 0..u64::MAX / 2) {
        let producer = Producer { id: 9, epoch: 2, base_sequence };
        let mut builder = BatchBuilder::new(producer);
        for record in &records {
            builder.push(&record.borrow()).unwrap();
        }
        let len = builder.encoded_len();
        let bytes = builder.build().unwrap();
        prop_assert_eq!(bytes.len(), len);
        prop_assert_eq!(batch_len(&bytes), Ok(Some(len)));
        let batch = parse(&bytes).unwrap();
        prop_assert_eq!(batch.len(), records.len());
        for (position, wanted) in records.iter().enumerate().rev() {
            let found = batch.record(position).unwrap();
            let wanted = wanted.borrow();
            prop_assert_eq!(found.subject(), wanted.subject);
            prop_assert_eq!(found.key(), wanted.key);
            prop_assert_eq!(found.timestamp_ms(), wanted.timestamp_ms);
            prop_assert_eq!(found.filters(), wanted.filters);
            prop_assert_eq!(found.attributes(), wanted.attributes);
            prop_assert_eq!(found.sequence(), base_sequence + position as u64);
            prop_assert_eq!(found.payload(), Ok(Payload { headers: wanted.headers, value: wanted.value }));
        }
    }

    /// With the checksum set right, a changed index is refused or read, and what is read stays within the batch.
    #[test]
    fn tampered_batches_never_panic(changes in prop::collection::vec((16..GOLDEN.len(), any::<u8>()), 1..6)) {
        let mut bytes = GOLDEN.to_vec();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        reseal(&mut bytes);
        if let Ok(batch) = parse(&bytes) {
            let mut size = 0;
            for record in batch.records() {
                size += record.value_len() + record.key().map_or(0, <[u8]>::len) + record.filters().as_bytes().len();
                let damaged = record.payload().is_err();
                prop_assert!(!damaged || batch.verify().is_err());
            }
            prop_assert!(size <= bytes.len() || batch.header().compression != Compression::NONE);
        }
    }
}

/// A record that owns what it holds, so that a strategy can make it.
#[derive(Debug, Clone)]
struct Owned {
    subject: Option<String>,
    key: Option<Vec<u8>>,
    timestamp_ms: i64,
    headers: Headers,
    filters: Headers,
    message_id: Option<Vec<u8>>,
    priority: Option<u8>,
    delay_ms: Option<u64>,
    ttl_ms: Option<u64>,
    value: Option<Vec<u8>>,
}

impl Owned {
    fn borrow(&self) -> Record<'_> {
        Record {
            subject: self.subject.as_deref(),
            key: self.key.as_deref(),
            timestamp_ms: self.timestamp_ms,
            headers: self.headers.as_view(),
            filters: self.filters.as_view(),
            attributes: Attributes {
                message_id: self.message_id.as_deref(),
                priority: self.priority,
                delay_ms: self.delay_ms,
                ttl_ms: self.ttl_ms,
            },
            value: self.value.as_deref(),
        }
    }
}

fn some_headers() -> impl Strategy<Value = Headers> {
    prop::collection::vec(("[a-z]{1,8}", ".{0,20}"), 0..4).prop_map(|pairs| {
        let mut builder = Headers::builder();
        for (name, value) in &pairs {
            builder.push(name, value).unwrap();
        }
        builder.build()
    })
}

fn owned() -> impl Strategy<Value = Owned> {
    let bytes = |range| prop::option::of(prop::collection::vec(any::<u8>(), range));
    let times = (0..4_000_000_000_000_i64, prop::option::of(0..=limits::DELAY_MS_MAX));
    let names = (prop::option::of("[a-c]{1,2}(\\.[a-c]{1,2}){0,3}"), bytes(0..129), bytes(1..129));
    let rest = (prop::option::of(0..=9_u8), prop::option::of(0..=limits::DELAY_MS_MAX), bytes(0..300));
    (names, times, rest, some_headers(), some_headers()).prop_map(
        |(
            (subject, key, message_id),
            (timestamp_ms, delay_ms),
            (priority, ttl_ms, value),
            headers,
            filters,
        )| Owned {
            subject,
            key,
            timestamp_ms,
            headers,
            filters,
            message_id,
            priority,
            delay_ms,
            ttl_ms,
            value,
        },
    )
}
