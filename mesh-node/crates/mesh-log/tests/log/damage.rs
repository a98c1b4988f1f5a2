//! Damage is told from what was torn.

use mesh_log::{
    bug::{Bug, Bugs},
    id::{FileId, GroupId},
    log::{DamageKind, Options},
};

use crate::fixture::*;

fn three_blocks() -> (Fixture, [mesh_log::location::Location; 3]) {
    let mut fixture = Fixture::new();
    let locations =
        [1, 2, 3].map(|index| fixture.write(&[sized(1, index, 1, 500), state(1, index, 1, 0)])[0]);
    (fixture, locations)
}

#[test]
fn a_payload_that_was_durable_is_damage_and_names_its_group() {
    let (mut fixture, at) = three_blocks();
    fixture.write(&[sized(2, 1, 1, 10)]);
    fixture.flip(at[1].file, at[1].offset);
    let before = fixture.disk.bytes(&path(at[1].file)).unwrap();
    let recovered = fixture.restart();
    let [damage] = &recovered.damage[..] else { panic!("{:?}", recovered.damage) };
    assert_eq!((damage.file, damage.offset, damage.len), (at[1].file, at[1].offset, 500));
    assert_eq!((damage.what, damage.groups.as_deref()), (DamageKind::Payload, Some(&[GroupId(1)][..])));
    assert!(recovered.groups[&GroupId(1)].suspect && !recovered.groups[&GroupId(2)].suspect);
    assert_eq!(entries(&recovered, 1), [(1, 1)]);
    assert_eq!(recovered.groups[&GroupId(1)].state.term, 3, "the table can be read");
    fixture.write(&[state(1, 9, 0, 0)]);
    assert_eq!(fixture.disk.bytes(&path(at[1].file)).unwrap(), before, "left as it is");
}

#[test]
fn a_table_that_was_durable_is_damage_and_nobody_is_sure() {
    let (mut fixture, at) = three_blocks();
    fixture.write(&[sized(2, 1, 1, 10)]);
    fixture.flip(at[1].file, at[1].offset - 50);
    let recovered = fixture.restart();
    let [damage] = &recovered.damage[..] else { panic!("{:?}", recovered.damage) };
    assert_eq!((damage.what, damage.len, damage.groups.as_deref()), (DamageKind::Block, 4096, None));
    assert!(recovered.groups.values().all(|group| group.suspect));
}

#[test]
fn suspicion_outlives_restarts_until_a_snapshot_comes() {
    let (mut fixture, at) = three_blocks();
    fixture.flip(at[1].file, at[1].offset - 50);
    fixture.write(&[sized(2, 1, 1, 10)]);
    assert!(fixture.restart().groups[&GroupId(1)].suspect);
    fixture.write(&[state(1, 9, 0, 0)]);
    let again = fixture.restart();
    assert!(again.groups[&GroupId(1)].suspect && again.groups[&GroupId(2)].suspect);
    fixture.write(&[cut(1, 10, 9), sized(1, 11, 9, 5)]);
    let healed = fixture.restart();
    assert!(!healed.groups[&GroupId(1)].suspect && healed.groups[&GroupId(2)].suspect);
    assert_eq!(entries(&healed, 1), [(11, 9)]);
    fixture.write(&[removed(2)]);
    assert!(!fixture.restart().groups[&GroupId(2)].suspect);
}

#[test]
fn the_last_block_is_torn_unless_a_mark_stands_behind_it() {
    for marked in [false, true] {
        let (mut fixture, at) = three_blocks();
        assert!(fixture.log().mark().unwrap());
        assert!(!fixture.log().mark().unwrap(), "once is enough");
        let last = fixture.write(&[sized(1, 4, 1, 500)])[0];
        if marked {
            assert!(fixture.log().mark().unwrap());
        }
        assert_eq!(at[0].file, last.file);
        fixture.flip(last.file, last.offset);
        let recovered = fixture.restart();
        assert_eq!(recovered.damage.is_empty(), !marked);
        assert_eq!(entries(&recovered, 1).len(), 3);
        assert_eq!(recovered.groups[&GroupId(1)].suspect, marked);
    }
}

#[test]
fn what_was_torn_does_not_come_back() {
    // The first of two blocks that were not synced is lost, the second is not.
    let mut fixture = Fixture::new();
    fixture.write(&[sized(1, 1, 1, 100)]);
    let lost = fixture.log().append(&[sized(1, 2, 1, 100)]).unwrap()[0];
    fixture.log().append(&[sized(1, 3, 1, 100)]).unwrap();
    fixture.flip(lost.file, lost.offset);
    let recovered = fixture.restart();
    assert_eq!((recovered.damage.len(), entries(&recovered, 1)), (0, vec![(1, 1)]));
    assert!(recovered.torn_bytes >= 4096);
    for index in 2..=5 {
        fixture.write(&[sized(1, index, 2, 100)]);
        let expected: Vec<_> = [(1, 1)].into_iter().chain((2..=index).map(|index| (index, 2))).collect();
        let recovered = fixture.restart();
        assert_eq!((recovered.damage.len(), entries(&recovered, 1)), (0, expected));
    }
}

/// Many files, of which the group needs only the last entries.
fn many_files(cut_at: u64) -> (Fixture, Vec<mesh_log::location::Location>) {
    let mut fixture = Fixture::new();
    let mut locations = Vec::new();
    for index in 1..=50 {
        locations.extend(fixture.write(&[sized(1, index, 1, 5000)]));
    }
    fixture.write(&[cut(1, cut_at, 1)]);
    (fixture, locations)
}

#[test]
fn damage_that_nobody_needs_harms_nobody() {
    let (mut fixture, at) = many_files(30);
    fixture.flip(at[1].file, at[1].offset);
    fixture.flip(at[2].file, at[2].offset - 50);
    let recovered = fixture.restart();
    assert!(recovered.damage.is_empty(), "{:?}", recovered.damage);
    assert_eq!(entries(&recovered, 1).len(), 20);
    assert!(!recovered.groups[&GroupId(1)].suspect);
}

#[test]
fn a_file_that_is_missing_counts_only_when_somebody_needs_it() {
    for (cut_at, harm) in [(10, true), (30, false)] {
        let (mut fixture, at) = many_files(cut_at);
        let file = at[14].file;
        assert!(file > at[0].file && file < at[29].file);
        mesh_log::vfs::Vfs::remove(&fixture.disk, &path(file)).unwrap();
        let recovered = fixture.restart();
        assert_eq!(recovered.groups[&GroupId(1)].suspect, harm);
        assert_eq!(recovered.damage.len(), usize::from(harm));
        if harm {
            assert_eq!((recovered.damage[0].what, recovered.damage[0].file), (DamageKind::Missing, file));
        }
    }
}

#[test]
fn the_head_of_a_file_is_not_needed_but_another_one_is_refused() {
    let (mut fixture, at) = three_blocks();
    fixture.flip(at[0].file, 20);
    assert_eq!(entries(&fixture.restart(), 1).len(), 3);

    let (fixture, _) = three_blocks();
    let options = Options { identity: 1, ..options() };
    let disk = std::sync::Arc::new(fixture.disk.clone());
    let error = mesh_log::log::Log::open(disk, DIR.as_ref(), options).unwrap_err();
    assert!(matches!(error, mesh_log::log::OpenError::Foreign { .. }), "{error}");
}

#[test]
fn a_file_that_was_copied_in_part_is_damage() {
    let (mut fixture, at) = three_blocks();
    let file = mesh_log::vfs::Vfs::open(&fixture.disk, &path(at[0].file), false).unwrap();
    file.set_size(at[1].offset / 4096 * 4096).unwrap();
    drop(file);
    let recovered = fixture.restart();
    assert_eq!(recovered.damage[0].what, DamageKind::Short);
    assert!(recovered.groups[&GroupId(1)].suspect);
    assert_eq!(entries(&recovered, 1), [(1, 1)]);
}

#[test]
fn with_the_bug_back_damage_is_cut_silently() {
    let (mut fixture, at) = three_blocks();
    fixture.options.bugs = Bugs::default().with(Bug::TruncateOnDamage);
    fixture.flip(at[1].file, at[1].offset);
    let recovered = fixture.restart();
    assert_eq!((recovered.damage.len(), entries(&recovered, 1)), (0, vec![(1, 1)]));
}

#[test]
fn no_single_bit_passes_unnoticed() {
    // Whatever bit of the file is changed: what is read is what was written, or what is missing is told.
    let (fixture, at) = three_blocks();
    let bytes = fixture.disk.bytes(&path(at[0].file)).unwrap();
    for offset in (0..6 * 4096).filter(|offset| bytes[*offset] != 0 || offset % 97 == 0) {
        let (mut fixture, _) = three_blocks();
        fixture.log().mark().unwrap();
        fixture.flip(FileId(1), offset as u64);
        let recovered = fixture.restart();
        let found = entries(&recovered, 1);
        if found.len() < 3 {
            assert!(recovered.groups.is_empty() || recovered.groups[&GroupId(1)].suspect, "byte {offset}");
            assert!(!recovered.damage.is_empty(), "byte {offset}");
        }
    }
}
