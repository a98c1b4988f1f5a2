//! The power goes at any time, and chance decides what was written of what was not durable.

use std::{path::Path, sync::Arc};

use mesh_log::{
    id::FileId,
    log::Log,
    record::Record,
    vfs::{
        Vfs as _,
        simulated::{Disk, Faults, SplitMix64},
    },
};

use crate::{fixture::*, model};

/// One batch of records of some groups, each a possible next step of its group.
fn batch(random: &mut SplitMix64, now: &model::Groups) -> Vec<Record> {
    let mut groups = now.clone();
    let mut records = Vec::new();
    for _ in 0..random.between(1, 4) {
        let id = random.below(4) as u32;
        let group = groups.entry(mesh_log::id::GroupId(id)).or_default().clone();
        let last = group.entries.last().map_or(group.cut, |entry| (entry.index, entry.term));
        let record = match random.below(20) {
            0..=9 => sized(id, last.0 + 1, last.1.max(1), random.below(3000) as usize),
            10 => sized(id, last.0 + 1, last.1 + 1, random.between(8_000, 40_000) as usize),
            11 | 12 if last.0 > group.cut.0 => {
                sized(id, random.between(group.cut.0 + 1, last.0), last.1 + 1, random.below(200) as usize)
            }
            13..=15 => state(id, last.1 + 1, random.below(4), last.0),
            16 | 17 if last.0 > group.cut.0 => {
                let at = &group.entries[random.index(group.entries.len())];
                cut(id, at.index, at.term)
            }
            18 => cut(id, last.0 + 5, last.1 + 1),
            19 if random.chance(3) => removed(id),
            _ => sized(id, last.0 + 1, last.1.max(1), 100),
        };
        model::apply(&mut groups, &record);
        records.push(record);
    }
    records
}

/// Bytes of payloads that fit into one file beside everything else, roughly.
const FILE_ROOM: usize = 48_000;

fn bytes_of(records: &[Record]) -> usize {
    let bytes = |record: &Record| match record {
        Record::Entry { entry, .. } => entry.payload.len(),
        _ => 0,
    };
    records.iter().map(bytes).sum()
}

/// After a crash the log is what it was after one of the batches that were written, none that was synced missing.
fn crash_often(seed: u64) {
    let mut random = SplitMix64::new(seed);
    let disk = Disk::new();
    let mut options = options();
    options.spare_files = random.between(1, 2) as usize;
    let mut durable = model::Groups::default();
    for life in 0..8 {
        let opened = Log::open(Arc::new(disk.clone()), DIR.as_ref(), options.clone());
        let (mut log, recovered) = opened.unwrap_or_else(|error| panic!("seed {seed}, life {life}: {error}"));
        assert_eq!(recovered.damage, [], "seed {seed}, life {life}");
        assert_eq!(model::of(&recovered), durable, "seed {seed}, life {life}");
        let mut sealed = recovered.sealed;
        let mut written = vec![durable.clone()];
        let (mut synced, mut parts) = (0, Vec::new());
        if life == 0 {
            // A first file that is lost as a whole before anything was ever durable is taken for one that was released: then
            // groups are suspect although nothing was promised. A node never fills a file before its first sync.
            let first = state(0, 1, 1, 0);
            model::apply(&mut written[0], &first);
            log.append(&[first]).and_then(|_| log.sync()).unwrap();
        }
        disk.set_faults(Faults { power: Some(random.between(1, 120)), ..Faults::default() });
        loop {
            let records = batch(&mut random, written.last().unwrap());
            let mut next = written.last().unwrap().clone();
            for record in &records {
                model::apply(&mut next, record);
                // What is too much for one file may be there in part.
                if bytes_of(&records) > FILE_ROOM {
                    parts.push((written.len(), next.clone()));
                }
            }
            // Also when it fails: it may be there.
            written.push(next);
            if log.append(&records).is_err() {
                break;
            }
            if random.chance(2) {
                if log.sync().is_err() {
                    break;
                }
                synced = written.len() - 1;
                sealed.extend(log.sealed());
                if random.chance(4) && log.mark().is_err() {
                    break;
                }
            }
            let now = &written[synced];
            sealed.retain(|file| {
                let cut_of =
                    |id| now.get(id).map_or(0, |group| if group.removed { u64::MAX } else { group.cut.0 });
                let passed = file.groups.iter().all(|(id, last)| cut_of(id) >= *last);
                if passed {
                    log.release(file.file, false);
                }
                !passed
            });
        }
        drop(log);
        disk.crash(&mut random);
        disk.set_faults(Faults::default());
        let (_, recovered) = Log::open(Arc::new(disk.clone()), DIR.as_ref(), options.clone())
            .unwrap_or_else(|error| panic!("seed {seed}, life {life}: {error}"));
        assert_eq!(recovered.damage, [], "seed {seed}, life {life}");
        for (id, group) in &recovered.groups {
            assert!(
                !group.suspect,
                "seed {seed}, life {life}, group {id}: {:?} {:?}",
                group.cut,
                written.last().unwrap().get(id).map(|g| (
                    g.cut,
                    g.removed,
                    g.entries.iter().map(|e| (e.index, e.term)).collect::<Vec<_>>()
                ))
            );
        }
        let found = model::of(&recovered);
        let is_part = parts.iter().any(|(nth, part)| *nth > synced && *part == found);
        assert!(
            is_part || written[synced..].contains(&found),
            "seed {seed}, life {life}: not what was written\n{found:?}\n{:?}",
            &written[synced]
        );
        durable = found;
        // What was cut off must not come back.
        disk.crash(&mut random);
    }
}

/// The process ended when it had named a file and the name was not durable, or the system could not make it so.
#[test]
fn a_file_whose_name_is_not_durable_is_not_written_to() {
    for fails in [false, true] {
        let mut fixture = Fixture::new();
        fixture.write(&[sized(1, 1, 1, 5_000)]);
        let used = fixture.files().into_iter().min().unwrap();
        let spare = FileId(used.0 + 1);
        if !fixture.files().contains(&spare) {
            fixture.write(&[sized(1, 2, 1, 5_000)]);
        }
        let (dir, away) = (Path::new(DIR), Path::new(DIR).join("away"));
        fixture.log = None;
        fixture.disk.kill();
        fixture.disk.rename(&path(spare), &away).unwrap();
        fixture.disk.sync_dir(dir).unwrap();
        fixture.disk.rename(&away, &path(spare)).unwrap();
        if fails {
            fixture.disk.set_faults(Faults { failing_sync: Some(1), ..Faults::default() });
            fixture.disk.sync_dir(dir).unwrap_err();
            fixture.disk.set_faults(Faults::default());
        }
        let found = entries(&fixture.restart(), 1).len() as u64;
        for index in found + 1..=found + 30 {
            fixture.write(&[sized(1, index, 1, 5_000)]);
        }
        let recovered = fixture.crash();
        assert_eq!(recovered.damage, []);
        assert_eq!(entries(&recovered, 1).len() as u64, found + 30, "{fails}");
    }
}

#[test]
fn nothing_that_was_synced_is_lost_and_nothing_comes_back() {
    for seed in 0..60 {
        crash_often(seed);
    }
}
