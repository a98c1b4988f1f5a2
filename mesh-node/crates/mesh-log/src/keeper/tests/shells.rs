use std::sync::{Arc, mpsc};

use super::fixture::*;
use crate::{
    files::built,
    id::GroupId,
    job::{Done, Job},
    keeper::{Busy, Event, ShellOptions, spawn},
    scrub::{DamagedPiece, Scrub},
    vfs::simulated::Disk,
};
use bytes::Bytes;

#[test]
fn jobs_of_a_group_are_done_in_their_order_and_what_waits_is_done_at_the_end() {
    let disk = Disk::new();
    let (keeper, _) = open(&disk);
    let (sender, events) = mpsc::channel();
    let options = ShellOptions { threads: 3, scrub_bytes_per_s: 0, ..ShellOptions::default() };
    let shell = spawn(Arc::new(keeper), options, move |event| sender.send(event).unwrap()).unwrap();
    for id in 0..60 {
        let group = GroupId(id % 4);
        let job = Job::Checkpoint { group, bytes: Bytes::from(vec![id as u8]) };
        shell.submit(u64::from(id), job).unwrap();
    }
    drop(shell);
    let done: Vec<u64> = events
        .iter()
        .map(|event| match event {
            Event::Done(id, Done::Checkpointed) => id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(done.len(), 60);
    for group in 0..4 {
        let of_group: Vec<_> = done.iter().filter(|id| *id % 4 == group).collect();
        assert!(of_group.is_sorted());
    }
    let checkpoints = open(&disk).1.checkpoints;
    assert_eq!(checkpoints[&GroupId(3)].to_vec(), [59]);
}

#[test]
fn no_more_jobs_wait_than_may() {
    let disk = Disk::new();
    let (keeper, _) = open(&disk);
    let (go, gate) = mpsc::channel::<()>();
    let (at_work, started) = mpsc::channel();
    let gate = std::sync::Mutex::new(gate);
    let options = ShellOptions { jobs_max: 2, scrub_bytes_per_s: 0, ..ShellOptions::default() };
    let shell = spawn(Arc::new(keeper), options, move |_| {
        at_work.send(()).unwrap();
        // Until the test lets it go on.
        _ = gate.lock().unwrap().recv();
    })
    .unwrap();
    let job = || Job::Forget { group: GROUP };
    shell.submit(0, job()).unwrap();
    started.recv().unwrap();
    shell.submit(1, job()).unwrap();
    shell.submit(2, job()).unwrap();
    let Err(Busy(back)) = shell.submit(3, job()) else { panic!("one too many") };
    assert_eq!(back, job());
    drop(go);
}

#[test]
fn damage_is_found_in_the_background() {
    let disk = Disk::new();
    let pieces = log_file(&disk, 1, &[(LANE, 1, 100), (LANE, 2, 100)]);
    let (keeper, _) = open(&disk);
    let there = moved(keeper.run(Job::Move { group: GROUP, pieces }));
    assert!(disk.flip(&path_of(built(1), "seg"), there[1].location.offset + 50, 3));
    let (sender, events) = mpsc::channel();
    let shell = spawn(Arc::new(keeper), ShellOptions::default(), move |event| drop(sender.send(event)));
    let damaged = DamagedPiece { group: GROUP, piece: there[1] };
    assert_eq!(events.recv().unwrap(), Event::Damaged(vec![damaged]));
    drop(shell);
}

#[test]
fn a_scrub_reads_no_more_at_once_than_it_was_told_to_and_comes_through_everything() {
    let disk = Disk::new();
    let numbers: Vec<_> = (1..=200).map(|first| (LANE, first, 100)).collect();
    let pieces = log_file(&disk, 1, &numbers);
    let (keeper, _) = open(&disk);
    let (kept, moving) = pieces.split_at(100);
    let there = moved(keeper.run(Job::Move { group: GROUP, pieces: moving.to_vec() }));
    let pieces = kept.iter().map(|piece| (GROUP, *piece)).collect();
    assert_eq!(keeper.run(Job::Keep { file: kept[0].location.file, pieces }), Done::Kept);
    let mut scrub = Scrub::new(Arc::new(keeper));
    assert_eq!(scrub.step(0), []);
    for (budget, bytes) in [(1, 100), (100, 200), (101, 400), (19_400, 19_800)] {
        assert_eq!(scrub.step(budget), []);
        assert_eq!(scrub.progress().bytes, bytes, "after {budget} more");
        assert_eq!(scrub.progress().rounds, 0);
    }
    assert_eq!(scrub.progress().segments_total, 2);
    assert!(disk.flip(&path_of(built(1), "seg"), there[99].location.offset, 0));
    assert_eq!(scrub.step(201), [DamagedPiece { group: GROUP, piece: there[99] }]);
    assert_eq!(scrub.progress().bytes, 19_900);
    assert_eq!(scrub.progress().rounds, 1);
    assert_eq!(scrub.step(u64::MAX).len(), 1);
    let progress = scrub.progress();
    assert_eq!((progress.rounds, progress.damaged, progress.bytes), (2, 2, 39_800));
}
