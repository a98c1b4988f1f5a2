use std::{path::Path, sync::Arc};

use super::*;
use crate::{
    files::{built, write_all},
    location::Location,
    segment::block::{ALIGN, PIECES_MAX, Place, Scan, scan},
    vfs::{
        File, Vfs,
        simulated::{Disk, SplitMix64},
    },
};

const FILE: FileId = FileId(0x10);

fn piece(lane: u64, first: u64, count: u32, offset: u64, len: u32) -> Piece {
    let location = Location { file: FILE, offset, len, crc: 0x0102_0304 };
    Piece { lane: LaneId(lane), first, count, location }
}

fn file_with(bytes: &[u8]) -> Box<dyn File> {
    let disk = Disk::new();
    disk.create_dir(Path::new("/x")).unwrap();
    let file = disk.create(Path::new("/x/y")).unwrap();
    if !bytes.is_empty() {
        write_all(&*file, &[bytes], 0).unwrap();
    }
    file
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_index_has_a_fixed_layout() {
    let pieces = [(GroupId(1), piece(2, 3, 1, 4096, 16)), (GroupId(1), piece(2, 4, 2, 8192, 32))];
    let (bytes, directory) = index::encode(FILE, &pieces);
    let head = "4d455348494e4458010000000100000010000000000000002020000000000000\
                020000000000000030000000000000000000000000000000676141b2b7a531aa";
    let line = "0100000002000000020000000000000003000000000000000500000000000000\
                3000000000000000bdc88fb2000000009617c1d1";
    let entries = "03000000000000000010000000000000010000001000000004030201\
                   04000000000000000020000000000000020000002000000004030201";
    assert_eq!(hex(&bytes), format!("{head}{line}{entries}"));
    let read = Directory::read(&*file_with(&bytes), FILE).unwrap();
    assert_eq!(read, directory);
    assert_eq!(read.read_chunk(&*file_with(&bytes), 0).unwrap(), [pieces[0].1, pieces[1].1]);
}

#[test]
fn a_segment_has_a_fixed_layout() {
    assert_eq!(
        hex(&block::head(FILE, 0xaabb_ccdd)),
        "4d4553485345474d01000000000000001000000000000000ddccbbaa7294386f"
    );
    let place = Place { file: FILE, salt: 0xaabb_ccdd, number: 5, offset: 4096 };
    let pieces = [piece(2, 3, 1, 0, 16), piece(2, 4, 2, 99, 32)];
    let (bytes, placed) = block::encode(place, GroupId(1), &pieces);
    let head = "424c4b31010000000200000005000000300000000000000000000000e278848c";
    let entries = "02000000000000000300000000000000010000001000000004030201\
                   02000000000000000400000000000000020000002000000004030201";
    assert_eq!(hex(&bytes), format!("{head}{entries}"));
    let offsets: Vec<_> = placed.iter().map(|piece| piece.location.offset).collect();
    assert_eq!(offsets, [4096 + 32 + 56, 4096 + 32 + 56 + 16]);
}

#[test]
fn an_index_that_was_changed_anywhere_is_refused_or_its_entries_are() {
    let pieces: Vec<_> = (0..3).map(|n| (GroupId(1), piece(n / 2, n, 1, n * 100, 100))).collect();
    let (bytes, directory) = index::encode(FILE, &pieces);
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut bad = bytes.clone();
            bad[at] ^= 1 << bit;
            let file = file_with(&bad);
            match Directory::read(&*file, FILE) {
                Err(_) => assert!(at < 64 + 2 * 52, "byte {at}"),
                Ok(read) => {
                    assert_eq!(read, directory);
                    let bad = (0..2).filter(|line| read.read_chunk(&*file, *line).is_err()).count();
                    assert_eq!(bad, 1, "byte {at}");
                }
            }
        }
    }
    for len in 0..bytes.len() {
        assert!(Directory::read(&*file_with(&bytes[..len]), FILE).is_err(), "{len} bytes");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(Directory::read(&*file_with(&longer), FILE).is_err());
    assert!(Directory::read(&*file_with(&bytes), FileId(0x11)).is_err());
}

#[test]
fn an_index_with_sound_checksums_and_senseless_numbers_is_refused() {
    let pieces = [(GroupId(1), piece(2, 3, 1, 0, 16)), (GroupId(2), piece(2, 3, 1, 16, 16))];
    let (bytes, _) = index::encode(FILE, &pieces);
    // Where, what: lines, pieces of the head; pieces, first, last of the first line.
    let cases: [(usize, &[u8]); 7] = [
        (12, &u32::MAX.to_le_bytes()),
        (12, &1u32.to_le_bytes()),
        (32, &u64::MAX.to_le_bytes()),
        (64 + 4, &0u32.to_le_bytes()),
        (64 + 4, &65u32.to_le_bytes()),
        (64 + 16, &4u64.to_le_bytes()),
        (64, &3u32.to_le_bytes()),
    ];
    for (at, value) in cases {
        let mut bad = bytes.clone();
        bad[at..at + value.len()].copy_from_slice(value);
        let lines_crc = crc32c::crc32c(&bad[64..64 + 2 * 52]);
        bad[56..60].copy_from_slice(&lines_crc.to_le_bytes());
        let crc = crc32c::crc32c(&bad[..60]);
        bad[60..64].copy_from_slice(&crc.to_le_bytes());
        assert!(Directory::read(&*file_with(&bad), FILE).is_err(), "{value:?} at {at}");
    }
}

#[test]
fn chance_bytes_are_no_index_and_no_segment() {
    let mut random = SplitMix64::new(3);
    for _ in 0..2000 {
        let len = random.below(9000) as usize;
        let mut bytes: Vec<u8> = (0..len).map(|_| random.below(256) as u8).collect();
        if random.chance(2) && len > 8192 {
            bytes[..32].copy_from_slice(&block::head(FILE, 7));
            bytes[4096..4100].copy_from_slice(b"BLK1");
        }
        let file = file_with(&bytes);
        assert!(Directory::read(&*file, FILE).is_err());
        assert_eq!(scan(&*file, FILE).unwrap().pieces, []);
    }
}

#[test]
fn pieces_are_sorted_and_the_later_one_of_a_number_stays() {
    let old = (GroupId(1), piece(1, 5, 2, 0, 1));
    let new = (GroupId(1), piece(1, 5, 2, 50, 1));
    let overlapping = (GroupId(1), piece(1, 6, 2, 60, 1));
    let other = (GroupId(0), piece(9, 6, 2, 70, 1));
    let sorted = index::sorted(vec![old, overlapping, other, new]);
    assert_eq!(sorted, [other, new]);
}

#[test]
fn any_pieces_are_found_in_an_index_and_in_what_grows_alike() {
    for seed in 0..20 {
        let mut random = SplitMix64::new(seed);
        let mut pieces = Vec::new();
        for (group, lane) in [(1, 1), (1, 2), (2, 1)] {
            let mut next = random.below(3);
            for _ in 0..random.below(200) {
                let count = 1 + random.below(3) as u32;
                pieces.push((GroupId(group), piece(lane, next, count, pieces.len() as u64 * 10, 10)));
                next += u64::from(count) + u64::from(random.chance(20)) * 5;
            }
        }
        let disk = Disk::new();
        disk.create_dir(Path::new("/seg")).unwrap();
        let (bytes, directory) = index::encode(FILE, &index::sorted(pieces.clone()));
        let file = disk.create(&crate::files::index_path(Path::new("/"), FILE)).unwrap();
        write_all(&*file, &[&bytes], 0).unwrap();
        let files = Files::new(Arc::new(disk), Path::new("/"), 4);
        let of_map = pieces.iter().map(|(group, piece)| ((*group, piece.lane, piece.first), *piece));
        let growing = Segment::Growing(RwLock::new(of_map.collect()));
        let indexed = Segment::Indexed(directory);
        let mut page = Page::default();
        for _ in 0..300 {
            let key = (GroupId(random.below(4) as u32), LaneId(random.below(4)), random.below(600));
            let of = |p: &&(GroupId, Piece)| (p.0, p.1.lane) == (key.0, key.1) && p.1.last() >= key.2;
            let expected = pieces.iter().find(of).map(|(_, piece)| *piece);
            assert_eq!(growing.piece_from(&files, key, &mut page), Ok(expected));
            assert_eq!(indexed.piece_from(&files, key, &mut page), Ok(expected), "{key:?}");
        }
        for segment in [growing, indexed] {
            let mut all = Vec::new();
            while let Ok(some) = segment.pieces_behind(
                &files,
                all.last().map(|(group, piece): &(GroupId, Piece)| (*group, piece.lane, piece.last())),
            ) {
                if some.is_empty() {
                    break;
                }
                all.extend(some);
            }
            assert_eq!(all, pieces);
        }
    }
}

/// A segment with blocks of these pieces.
fn blocks(sizes: &[(usize, u32)]) -> (Vec<u8>, Vec<Piece>) {
    let mut bytes = block::head(FILE, 7).to_vec();
    let mut all = Vec::new();
    for (number, (pieces, len)) in sizes.iter().enumerate() {
        bytes.resize(block::aligned(bytes.len() as u64) as usize, 0);
        let record = vec![number as u8; *len as usize];
        let location = Location { file: FILE, offset: 0, len: *len, crc: crc32c::crc32c(&record) };
        let only: Vec<_> = (0..*pieces as u64)
            .map(|first| Piece { lane: LaneId(number as u64), first, count: 1, location })
            .collect();
        let place = Place { file: FILE, salt: 7, number: number as u32, offset: bytes.len() as u64 };
        let (head, placed) = block::encode(place, GroupId(1), &only);
        bytes.extend_from_slice(&head);
        (0..*pieces).for_each(|_| bytes.extend_from_slice(&record));
        all.extend(placed);
    }
    bytes.resize(block::aligned(bytes.len() as u64) as usize, 0);
    (bytes, all)
}

fn found(scan: &Scan) -> Vec<Piece> {
    scan.pieces.iter().map(|(_, piece)| *piece).collect()
}

#[test]
fn a_scan_finds_what_was_written_and_where_it_goes_on() {
    let (bytes, pieces) = blocks(&[(1, 10), (300, 0), (2, 5000)]);
    let scan = scan(&*file_with(&bytes), FILE).unwrap();
    assert_eq!(found(&scan), pieces);
    assert_eq!((scan.end, scan.number, scan.salt), (bytes.len() as u64, 3, 7));
    assert_eq!((scan.torn, scan.damage), (false, None));
}

#[test]
fn a_segment_that_ends_anywhere_gives_what_was_whole() {
    let (bytes, pieces) = blocks(&[(1, 10), (2, 5000), (1, 100)]);
    let ends = [ALIGN + 70, ALIGN * 2 + 32 + 56 + 10_000, bytes.len() as u64 - ALIGN + 60 + 100];
    for len in (0..bytes.len()).step_by(37) {
        let scan = scan(&*file_with(&bytes[..len]), FILE).unwrap();
        let blocks = ends.iter().filter(|end| **end <= len as u64).count();
        assert_eq!(found(&scan), pieces[..[0, 1, 3, 4][blocks]], "{len} bytes");
        assert_eq!(scan.damage, None);
    }
}

#[test]
fn records_that_look_like_a_block_are_not_taken_for_one() {
    // Somebody put a block into a record, such that it stands where one could begin; then its own block is torn.
    let forged_place = Place { file: FILE, salt: 8, number: 1, offset: 2 * ALIGN };
    let forged = block::encode(forged_place, GroupId(9), &[piece(9, 9, 1, 0, 0)]).0;
    let mut bytes = blocks(&[(1, 9000)]).0;
    bytes[2 * ALIGN as usize..2 * ALIGN as usize + forged.len()].copy_from_slice(&forged);
    bytes[ALIGN as usize] ^= 1;
    let scan = scan(&*file_with(&bytes), FILE).unwrap();
    assert_eq!(found(&scan), []);
    assert!(scan.torn);
}

#[test]
fn a_block_has_no_more_pieces_than_it_may() {
    for (count, expected) in [(PIECES_MAX - 1, PIECES_MAX - 1), (PIECES_MAX, PIECES_MAX), (PIECES_MAX + 1, 0)]
    {
        let (bytes, _) = blocks(&[(count, 0)]);
        assert_eq!(scan(&*file_with(&bytes), FILE).unwrap().pieces.len(), expected);
    }
}

#[test]
fn built_segments_have_ids_of_their_own() {
    assert_eq!(crate::files::id_of(Path::new("8000000000000001.seg"), "seg"), Some(built(1)));
    for name in ["8000000000000001.idx", "800000000000001.seg", "8000000000000001", "800000000000000G.seg"] {
        assert_eq!(crate::files::id_of(Path::new(name), "seg"), None, "{name}");
    }
}
