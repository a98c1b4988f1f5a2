//! Files of the store: indexes, segments without one, checkpoints. The first byte says which one the others are, and
//! whether the checksums are made right before they are read, so that what is behind them is reached.

mod memory;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use mesh_log::id::{FileId, GroupId, LaneId};
use mesh_log::job::{Done, Job, Source};
use mesh_log::keeper::{Keeper, Options};
use mesh_log::location::{Location, Piece};
use mesh_log::scrub::Scrub;
use mesh_log::vfs::Vfs;

use self::memory::Memory;

const DIR: &str = "/data";
const NAMES: [&str; 3] = ["seg/0000000000000009.idx", "seg/8000000000000001.seg", "checkpoint/00000001.ckpt"];

/// Opens a store in which `data` is a file.
pub fn target(data: &[u8]) {
    let Some((which, data)) = data.split_first() else { return };
    let name = NAMES[usize::from(which & 3) % NAMES.len()];
    let mut data = data.to_vec();
    if which & 4 != 0 {
        mend(name, &mut data);
    }
    let memory = Memory::default();
    memory.put(&Path::new(DIR).join(name), data.clone());
    let vfs: Arc<dyn Vfs> = Arc::new(memory.clone());
    let (keeper, restored) = Keeper::open(vfs, Path::new(DIR), options(false)).expect("damage is no error");
    // The one that was there is there, unless it was only not finished.
    let is_index = name.ends_with("idx");
    assert_eq!(memory.get(&Path::new(DIR).join(name)).as_deref(), Some(&data[..]), "nothing is changed");
    assert!(!is_index || !restored.damage.is_empty(), "the segment itself is not there");
    let lanes = restored.lanes;
    for group in lanes.groups().collect::<Vec<_>>() {
        for run in lanes.runs(group) {
            let (lane, first, last) = (run.lane, run.first, run.last);
            let sources: Vec<Source> = lanes.find(group, lane, first, last);
            let read = Job::Read { group, lane, first, last, max_bytes: 1 << 20, sources };
            let Done::Read(found) = keeper.run(read) else { panic!("a read is answered by what was read") };
            for (piece, bytes) in found {
                let is_it = |bytes: Bytes| crc32c::crc32c(&bytes) == piece.location.crc;
                assert!(bytes.is_none_or(is_it), "what is served is what was written");
            }
        }
    }
    let mut scrub = Scrub::new(Arc::new(keeper));
    scrub.step(1 << 20);
}

fn options(small: bool) -> Options {
    Options {
        seed: 1,
        segment_bytes: if small { 1 } else { 1 << 20 },
        read_only: !small,
        ..Options::default()
    }
}

/// Makes the checksums of heads and directories right.
fn mend(name: &str, data: &mut [u8]) {
    let set = |data: &mut [u8], at: usize, covered: std::ops::Range<usize>| {
        if let Some(crc) = data.get(covered).map(crc32c::crc32c)
            && let Some(place) = data.get_mut(at..at + 4)
        {
            place.copy_from_slice(&crc.to_le_bytes());
        }
    };
    match name.rsplit('.').next() {
        Some("idx") => {
            let lines =
                data.get(12..16).and_then(|bytes| bytes.first_chunk()).map_or(0, |n| u32::from_le_bytes(*n));
            set(data, 56, 64..64 + (lines as usize).min(1 << 16) * 52);
            set(data, 60, 0..60);
        }
        Some("ckpt") => {
            set(data, 24, 32..data.len().max(32));
            set(data, 28, 0..28);
        }
        _ => set(data, 28, 0..28),
    }
}

/// A file of each sort, as the keeper writes it.
pub fn seeds() -> Vec<Vec<u8>> {
    let memory = Memory::default();
    let dir = Path::new(DIR);
    let vfs: Arc<dyn Vfs> = Arc::new(memory.clone());
    let (keeper, _) = Keeper::open(vfs, dir, options(true)).expect("an empty store");
    let group = GroupId(1);
    let record = |n: u64| Bytes::from(vec![n as u8; 40]);
    let piece = |n: u64| {
        let location = Location { file: FileId(9), offset: n * 40, len: 40, crc: crc32c::crc32c(&record(n)) };
        Piece { lane: LaneId(n / 3), first: n + 1, count: 1, location }
    };
    let pieces: Vec<_> = (0..5).map(|n| (piece(n), record(n))).collect();
    let kept = pieces.iter().map(|(piece, _)| (group, *piece)).collect();
    assert_eq!(keeper.run(Job::Keep { file: FileId(9), pieces: kept }), Done::Kept);
    assert!(matches!(keeper.run(Job::Store { group, pieces }), Done::Moved(_)));
    let bytes = Bytes::from_static(b"a state");
    assert_eq!(keeper.run(Job::Checkpoint { group, bytes }), Done::Checkpointed);
    let mut seeds = Vec::new();
    for (which, name) in (0u8..).zip(NAMES) {
        let file = memory.get(&dir.join(name)).expect("it was written");
        seeds.extend([which, which | 4].map(|which| [&[which], &file[..]].concat()));
    }
    seeds
}
