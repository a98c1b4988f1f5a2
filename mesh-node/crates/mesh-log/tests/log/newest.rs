//! Files that are missing from the end of the log are told from a crash, and a crash is not taken for that.

use std::{path::Path, sync::Arc};

use mesh_log::{
    bug::{Bug, Bugs},
    id::{FileId, GroupId},
    log::{DamageKind, Log},
    vfs::{
        Vfs as _,
        simulated::{Faults, SplitMix64},
    },
};

use crate::fixture::*;

/// A log of several files, whose group has so many entries.
fn several_files() -> (Fixture, Vec<FileId>, u64) {
    let mut fixture = Fixture::new();
    let mut files = Vec::new();
    for index in 1..=50 {
        files.push(fixture.write(&[sized(1, index, 1, 5000)])[0].file);
    }
    files.dedup();
    assert!(files.len() > 3);
    (fixture, files, 50)
}

fn remove(fixture: &Fixture, file: FileId) {
    fixture.disk.remove(&path(file)).unwrap();
    fixture.disk.sync_dir(Path::new(DIR)).unwrap();
}

#[test]
fn the_newest_files_are_missed() {
    for gone in 1..=4 {
        let (mut fixture, files, _) = several_files();
        let newest = *files.last().unwrap();
        files.iter().rev().take(gone).for_each(|file| remove(&fixture, *file));
        // It stays so until something is done about it, whoever looks and however often.
        for _ in 0..2 {
            let recovered = fixture.restart();
            let [damage] = &recovered.damage[..] else { panic!("{gone}: {:?}", recovered.damage) };
            assert_eq!((damage.what, damage.file), (DamageKind::Missing, newest), "{gone}");
            assert_eq!(damage.groups, None, "nobody knows what was in it");
            assert!(recovered.groups.values().all(|group| group.suspect), "{gone}");
        }
        fixture.write(&[state(1, 9, 0, 0)]);
        assert!(fixture.files().iter().all(|file| *file != newest), "its id is not used again");
        let again = fixture.restart();
        assert!(again.groups.values().all(|group| group.suspect), "{gone}: a later file knows");
        fixture.log().accept_loss().unwrap();
        let accepted = fixture.restart();
        assert_eq!(accepted.damage, [], "{gone}");
        assert!(accepted.groups.values().all(|group| !group.suspect), "{gone}");
    }
}

#[test]
fn all_files_are_missed() {
    let (mut fixture, ..) = several_files();
    fixture.files().into_iter().for_each(|file| remove(&fixture, file));
    let recovered = fixture.restart();
    assert_eq!((recovered.damage.len(), recovered.damage[0].what), (1, DamageKind::Missing));
}

#[test]
fn of_the_newest_file_nothing_may_be_left() {
    for (bytes, what) in
        [(0, DamageKind::Head), (63, DamageKind::Head), (64, DamageKind::Short), (4096, DamageKind::Short)]
    {
        let (mut fixture, files, _) = several_files();
        let newest = *files.last().unwrap();
        fixture.disk.open(&path(newest), false).unwrap().set_size(bytes).unwrap();
        let recovered = fixture.restart();
        assert_eq!((recovered.damage[0].what, recovered.damage[0].file), (what, newest), "{bytes} bytes");
        assert!(recovered.groups[&GroupId(1)].suspect, "{bytes} bytes");
    }
}

#[test]
fn a_spare_file_is_not_missed() {
    let (mut fixture, files, entries_were) = several_files();
    let spare = fixture.files().into_iter().max().unwrap();
    assert!(spare > *files.last().unwrap());
    remove(&fixture, spare);
    let recovered = fixture.restart();
    assert_eq!((recovered.damage.len(), entries(&recovered, 1).len() as u64), (0, entries_were));
}

#[test]
fn a_directory_of_before_is_taken_as_it_is_and_the_next_time_known() {
    let (mut fixture, files, entries_were) = several_files();
    fixture.disk.remove(&Path::new(DIR).join("begun")).unwrap();
    let recovered = fixture.restart();
    assert_eq!((recovered.damage.len(), entries(&recovered, 1).len() as u64), (0, entries_were));
    remove(&fixture, *files.last().unwrap());
    assert_eq!(fixture.restart().damage.len(), 1);
}

#[test]
fn with_the_bug_back_they_are_not_missed() {
    let (mut fixture, files, _) = several_files();
    fixture.options.bugs = Bugs::default().with(Bug::TruncateOnDamage);
    remove(&fixture, *files.last().unwrap());
    assert_eq!(fixture.restart().damage, []);
}

/// The power goes at each step of beginning files, of opening and of making files ready: none of it is damage.
#[test]
fn a_crash_at_any_step_is_no_damage() {
    for seed in 0..4 {
        for steps in 1..=70 {
            let mut random = SplitMix64::new(seed * 1000 + steps);
            let mut fixture = Fixture::new();
            let mut synced = 0;
            fixture.disk.set_faults(Faults { power: Some(steps), ..Faults::default() });
            // Each in a file of its own: a step of this is mostly one of beginning it.
            while fixture.try_write(&[sized(1, synced + 1, 1, 45_000)]).is_ok() {
                synced += 1;
            }
            for again in [steps % 7 + 1, steps % 23 + 1, 0] {
                fixture.log = None;
                fixture.disk.crash(&mut random);
                let power = (again > 0).then_some(again);
                fixture.disk.set_faults(Faults { power, ..Faults::default() });
                let disk = Arc::new(fixture.disk.clone());
                let Ok((mut log, recovered)) = Log::open(disk, DIR.as_ref(), fixture.options.clone()) else {
                    assert!(again > 0);
                    continue;
                };
                let found = entries(&recovered, 1).len() as u64;
                assert_eq!(recovered.damage, [], "seed {seed}, {steps} steps, then {again}");
                assert!(found >= synced, "seed {seed}, {steps} steps, then {again}: {found} of {synced}");
                synced = found;
                while log.append(&[sized(1, synced + 1, 1, 45_000)]).and_then(|_| log.sync()).is_ok() {
                    synced += 1;
                    if again == 0 {
                        break;
                    }
                }
            }
        }
    }
}
