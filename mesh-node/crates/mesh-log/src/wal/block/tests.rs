use super::*;
use crate::{id::GroupId, record::EntryKind};

fn items() -> Vec<Item> {
    let group = GroupId(3);
    vec![
        Item::Entry { group, term: 1, index: 2, kind: EntryKind::Commands, len: 100, crc: 4 },
        Item::Entry { group, term: 1, index: 3, kind: EntryKind::Members, len: 0, crc: 0 },
        Item::State { group, state: crate::record::HardState { term: 5, vote: 6, commit: 7 } },
        Item::Cut { group, index: 8, term: 9 },
        Item::Removed { group },
        Item::Standing { group, last: (10, 11), removed: true, suspect: false },
        Item::Standing { group, last: (10, 11), removed: false, suspect: true },
    ]
}

fn header(items: &[Item]) -> Header {
    let payloads: usize = items.iter().map(Item::payload_len).sum();
    let count = items.len() as u32;
    let len = (BYTES + items.len() * item::BYTES + payloads) as u32;
    Header { salt: 1, sequence: 20, before: 19, mark: 18, len, count, ordinal: 4, start: true }
}

fn encoded(header: &Header, items: &[Item]) -> Vec<u8> {
    let mut bytes = Vec::new();
    begin(&mut bytes);
    items.iter().for_each(|item| item.encode(&mut bytes));
    finish(&mut bytes, header);
    bytes
}

#[test]
fn it_is_read_as_it_is_written() {
    for items in [items(), Vec::new()] {
        let header = header(&items);
        let bytes = encoded(&header, &items);
        assert_eq!(bytes.len(), header.table_end());
        assert_eq!(Header::peek(&bytes, 1, 4096), Some(header));
        assert_eq!(header.table(&bytes), Some(items));
        assert_eq!(Header::peek(&bytes, 2, 4096), None, "another file's");
    }
}

#[test]
fn no_bit_can_flip_unnoticed() {
    let (items, header) = (items(), header(&items()));
    let good = encoded(&header, &items);
    for at in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[at / 8] ^= 1 << (at % 8);
        let read = Header::peek(&bytes, 1, 4096).and_then(|header| header.table(&bytes));
        assert_eq!(read, None, "bit {at}");
    }
}

#[test]
fn a_block_ends_within_its_room() {
    let mut header = Header { len: 4096, ..header(&[]) };
    assert!(Header::peek(&encoded(&header, &[]), 1, 4096).is_some());
    assert!(Header::peek(&encoded(&header, &[]), 1, 4095).is_none());
    header.len = 4097;
    assert!(Header::peek(&encoded(&header, &[]), 1, 4096).is_none());
    assert!(Header::peek(&encoded(&header, &[]), 1, 8192).is_some());
}

#[test]
fn lengths_that_lie_are_refused() {
    let good = header(&[]);
    for bad in [
        Header { count: 1, ..good },
        Header { count: u32::MAX, ..good },
        Header { len: BYTES as u32 - 1, ..good },
        Header { count: u32::MAX, len: u32::MAX, ..good },
    ] {
        assert_eq!(Header::peek(&encoded(&bad, &[]), 1, u64::MAX), None, "{bad:?}");
    }
    // With a good checksum, but payloads that are not there, or a history that can't be.
    for bad in [
        Header { len: good.len + 1, ..good },
        Header { before: good.sequence, ..good },
        Header { mark: good.sequence, ..good },
    ] {
        assert_eq!(bad.table(&encoded(&bad, &[])), None, "{bad:?}");
    }
    assert_eq!(good.table(&encoded(&good, &[])[..BYTES - 1]), None);
}

#[test]
fn an_unknown_kind_is_no_block() {
    let items = items();
    let mut bytes = encoded(&header(&items), &items);
    bytes[BYTES] = 99;
    finish(&mut bytes, &header(&items));
    assert_eq!(header(&items).table(&bytes), None);
}

#[test]
fn what_was_begun_is_known_by_its_first_bytes() {
    let bytes = encoded(&header(&[]), &[]);
    assert!(is_begun(&bytes[..16], 1));
    assert!(!is_begun(&bytes[..15], 1));
    assert!(!is_begun(&bytes[..16], 2));
    assert!(!is_begun(&[0; 64], 0));
}
