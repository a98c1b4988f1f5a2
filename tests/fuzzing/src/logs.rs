//! Files of the write-ahead log. The first byte says whether the checksums of what looks like a block are made right before
//! it is read, so that what is behind them is reached.

use mesh_log::{
    id::{FileId, GroupId},
    record::{EntryKind, HardState},
    wal::{
        ALIGN,
        block::{self, Header},
        footer::{Extent, Footer},
        head::{self, Head},
        item::Item,
    },
};

const IDENTITY: u128 = 7;
const ID: FileId = FileId(1);

/// Reads `data` as a file: its head, its footer, and a block at each place where one can be. What is read is written again.
pub fn target(data: &[u8]) {
    let Some((how, data)) = data.split_first() else { return };
    let mut data = data.to_vec();
    let salt = head::salt(IDENTITY, ID);
    if let Ok(head) = Head::decode(&data) {
        assert_eq!(head.encode(), data[..head::BYTES]);
    }
    if let Some(footer) = Footer::decode(&data, salt) {
        let again = footer.encode(salt);
        assert_eq!(Footer::decode(&again, salt), Some(footer));
        assert!(
            again.len() <= data.len().next_multiple_of(ALIGN as usize),
            "nothing is held that was not there"
        );
    }
    for at in (0..data.len()).step_by(ALIGN as usize) {
        let room = (data.len() - at) as u64;
        if how & 1 != 0 {
            mend(&mut data[at..], salt, room);
        }
        let Some(header) = Header::peek(&data[at..], salt, room) else { continue };
        assert!(header.padded() <= room && header.table_end() <= header.len as usize);
        let Some(items) = header.table(&data[at..]) else { continue };
        assert_eq!(items.len(), header.count as usize);
        let again = encoded(&header, &items);
        assert_eq!(Header::peek(&again, salt, room), Some(header));
        assert_eq!(header.table(&again), Some(items));
    }
}

/// Makes the checksum right.
fn mend(bytes: &mut [u8], salt: u64, room: u64) {
    if let Some(header) = Header::peek(bytes, salt, room)
        && let Some(covered) = bytes.get(8..header.table_end())
    {
        let crc = crc32c::crc32c(covered);
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
    }
}

fn encoded(header: &Header, items: &[Item]) -> Vec<u8> {
    let mut bytes = Vec::new();
    block::begin(&mut bytes);
    items.iter().for_each(|item| item.encode(&mut bytes));
    block::finish(&mut bytes, header);
    bytes
}

/// A head, a block with each kind of record, a footer; each alone and all in one.
pub fn seeds() -> Vec<Vec<u8>> {
    let group = GroupId(3);
    let items = [
        Item::State { group, state: HardState { term: 5, vote: 6, commit: 7 } },
        Item::Cut { group, index: 8, term: 9 },
        Item::Standing { group, last: (10, 11), removed: false, suspect: true },
        Item::Removed { group: GroupId(4) },
        Item::Entry { group, term: 1, index: 2, kind: EntryKind::Commands, len: 3, crc: 4 },
        Item::Entry { group, term: 1, index: 3, kind: EntryKind::Members, len: 0, crc: 0 },
    ];
    let salt = head::salt(IDENTITY, ID);
    let (count, ordinal) = (items.len() as u32, 0);
    let len = (block::BYTES + items.len() * mesh_log::wal::item::BYTES + 3) as u32;
    let header = Header { salt, sequence: 20, before: 19, mark: 18, len, count, ordinal, start: true };
    let mut block = encoded(&header, &items);
    block.resize(ALIGN as usize, 0);
    let mut head = Head { id: ID, file_bytes: 3 * ALIGN, identity: IDENTITY }.encode().to_vec();
    head.resize(ALIGN as usize, 0);
    let extent = Extent { group, first: 2, last: 3, bytes: 3 };
    let footer = Footer { groups: vec![extent], first: 20, last: 20, end: 2 * ALIGN }.encode(salt);
    let whole = [&head[..], &block, &footer].concat();
    let with = |how: u8, bytes: &[u8]| [&[how], bytes].concat();
    vec![with(0, &whole), with(1, &whole), with(1, &block), with(0, &footer), with(0, &head)]
}
