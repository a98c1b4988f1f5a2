//! A directory on a simulated disk, with files of a log whose records are known.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;

use crate::{
    files::{data_path, write_all},
    id::{FileId, GroupId, LaneId},
    job::{Done, Job, Source},
    keeper::{Keeper, Options, Restored},
    lanes::Lanes,
    location::{Location, Piece},
    vfs::{Vfs, simulated::Disk},
};

pub(super) const GROUP: GroupId = GroupId(1);
pub(super) const LANE: LaneId = LaneId(7);

pub(super) fn dir() -> &'static Path {
    Path::new("/data")
}

/// What is in the piece of a lane that begins with this number.
pub(super) fn bytes_of(lane: LaneId, first: u64, len: u32) -> Bytes {
    (0..u64::from(len)).map(|at| (at * 7 + first * 13 + lane.0) as u8).collect()
}

/// Writes a file of the log with these pieces (lane, first number, bytes), durably.
pub(super) fn log_file(disk: &Disk, id: u64, pieces: &[(LaneId, u64, u32)]) -> Vec<Piece> {
    let path = data_path(dir(), FileId(id));
    disk.create_dir(&dir().join("log")).unwrap();
    let file = disk.create(&path).unwrap();
    let mut offset = 4096;
    let mut placed = Vec::new();
    for (lane, first, len) in pieces {
        let bytes = bytes_of(*lane, *first, *len);
        write_all(&*file, &[&bytes], offset).unwrap();
        let location = Location { file: FileId(id), offset, len: *len, crc: crc32c::crc32c(&bytes) };
        placed.push(Piece { lane: *lane, first: *first, count: 1, location });
        offset += u64::from(*len);
    }
    file.sync_data().unwrap();
    for dir in [dir(), &dir().join("log")] {
        disk.sync_dir(dir).unwrap();
    }
    placed
}

pub(super) fn options() -> Options {
    Options { seed: 1, ..Options::default() }
}

pub(super) fn open(disk: &Disk) -> (Keeper, Restored) {
    open_with(disk, options())
}

pub(super) fn open_with(disk: &Disk, options: Options) -> (Keeper, Restored) {
    Keeper::open(Arc::new(disk.clone()), dir(), options).unwrap()
}

pub(super) fn put(lanes: &mut Lanes, pieces: &[Piece]) {
    pieces.iter().for_each(|piece| lanes.put(GROUP, *piece));
}

pub(super) fn moved(done: Done) -> Vec<Piece> {
    match done {
        Done::Moved(pieces) => pieces,
        other => panic!("{other:?}"),
    }
}

/// Reads what the lanes say that there is of a lane: first number and bytes.
pub(super) fn read(keeper: &Keeper, lanes: &Lanes, lane: LaneId) -> Vec<(u64, Option<Bytes>)> {
    let mut all = Vec::new();
    let mut first = 0;
    loop {
        let sources = lanes.find(GROUP, lane, first, u64::MAX);
        if sources.is_empty() {
            return all;
        }
        let some = read_sources(keeper, lane, (first, u64::MAX), u32::MAX, sources);
        let Some((last, _)) = some.last() else { return all };
        first = last.last() + 1;
        all.extend(some.into_iter().map(|(piece, bytes)| (piece.first, bytes)));
    }
}

pub(super) fn read_sources(
    keeper: &Keeper,
    lane: LaneId,
    (first, last): (u64, u64),
    max_bytes: u32,
    sources: Vec<Source>,
) -> Vec<(Piece, Option<Bytes>)> {
    match keeper.run(Job::Read { group: GROUP, lane, first, last, max_bytes, sources }) {
        Done::Read(pieces) => pieces,
        other => panic!("{other:?}"),
    }
}

/// What [`read`] gives when nothing is damaged.
pub(super) fn whole(lane: LaneId, pieces: &[(u64, u32)]) -> Vec<(u64, Option<Bytes>)> {
    pieces.iter().map(|(first, len)| (*first, Some(bytes_of(lane, *first, *len)))).collect()
}

pub(super) fn path_of(file: FileId, extension: &str) -> PathBuf {
    dir().join("seg").join(format!("{:016x}.{extension}", file.0))
}
