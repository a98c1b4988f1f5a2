//! Writing, and reading it again.

use mesh_log::{
    id::GroupId,
    log::{Options, Recovered, WriteError},
    record::HardState,
};

use crate::fixture::*;

#[test]
fn an_empty_log_is_empty_again() {
    let mut fixture = Fixture::new();
    assert_eq!(fixture.restart(), Recovered::default());
    assert_eq!(fixture.crash(), Recovered::default());
}

#[test]
fn what_was_written_is_there() {
    let mut fixture = Fixture::new();
    let locations = fixture.write(&[
        entry(0, 1, 1, b"one"),
        state(0, 1, 2, 1),
        entry(7, 1, 3, b""),
        entry(0, 2, 1, b"two"),
    ]);
    assert_eq!(locations.len(), 3);
    assert_eq!(
        (fixture.read(&locations[0]), fixture.read(&locations[2])),
        (b"one".to_vec(), b"two".to_vec())
    );
    for recovered in [fixture.restart(), fixture.crash(), fixture.restart()] {
        assert!(recovered.damage.is_empty() && recovered.harmless.is_empty());
        let group = &recovered.groups[&GroupId(0)];
        assert_eq!(group.state, HardState { term: 1, vote: 2, commit: 1 });
        assert_eq!(group.entries[0].0.payload.bytes().as_ref(), b"one");
        assert_eq!(group.entries[0].1, locations[0]);
        assert_eq!(group.entries[1].1, locations[2]);
        assert_eq!(entries(&recovered, 7), [(1, 3)]);
        assert!(!group.suspect && !group.removed);
    }
}

#[test]
fn it_goes_on_where_it_ended() {
    let mut fixture = Fixture::new();
    fixture.write(&[entry(1, 1, 1, b"a")]);
    fixture.restart();
    fixture.write(&[entry(1, 2, 1, b"b")]);
    fixture.crash();
    fixture.write(&[entry(1, 3, 2, b"c")]);
    assert_eq!(entries(&fixture.restart(), 1), [(1, 1), (2, 1), (3, 2)]);
    assert_eq!(fixture.files().len(), 2, "the file and a spare one");
}

#[test]
fn without_a_sync_nothing_is_promised_and_order_holds() {
    let mut fixture = Fixture::new();
    fixture.write(&[entry(1, 1, 1, b"a")]);
    fixture.log().append(&[entry(1, 2, 1, b"b")]).unwrap();
    fixture.log().append(&[entry(1, 3, 1, b"c")]).unwrap();
    assert_eq!(entries(&fixture.crash(), 1), [(1, 1)]);
    fixture.write(&[entry(1, 2, 2, b"d")]);
    assert_eq!(entries(&fixture.crash(), 1), [(1, 1), (2, 2)]);
}

#[test]
fn several_appends_and_one_sync() {
    let mut fixture = Fixture::new();
    for index in 1..=20 {
        fixture.log().append(&[entry(1, index, 1, b"a")]).unwrap();
    }
    fixture.log().sync().unwrap();
    assert_eq!(entries(&fixture.crash(), 1).len(), 20);
}

#[test]
fn files_follow_each_other_and_say_what_they_hold() {
    let mut fixture = Fixture::new();
    fixture.write(&[state(3, 9, 8, 7)]);
    let mut sealed = Vec::new();
    for index in 1..=40 {
        fixture.write(&[sized(1, index, 1, 5000), sized(2, index, 1, 10)]);
        sealed.extend(fixture.log().sealed());
    }
    assert!(sealed.len() >= 3, "{sealed:?}");
    assert!(sealed.is_sorted_by_key(|sealed| sealed.file));
    let entries_in_files: u64 = sealed.iter().map(|sealed| sealed.bytes / 5010).sum();
    assert_eq!(
        sealed.last().unwrap().groups,
        [(GroupId(1), entries_in_files), (GroupId(2), entries_in_files)]
    );
    let recovered = fixture.crash();
    assert_eq!(recovered.sealed, sealed);
    assert_eq!(entries(&recovered, 1).len(), 40);
    assert_eq!(entries(&recovered, 2).len(), 40);
    assert_eq!(recovered.groups[&GroupId(3)].state, HardState { term: 9, vote: 8, commit: 7 });
}

/// A file of 64 KiB: head, the first block, one block with its padding, the footer.
const LARGEST: usize = (64 << 10) - 4096 - 4096 - 64 - 40 - 4096;

#[test]
fn a_record_fits_into_a_file_or_is_refused() {
    let mut fixture = Fixture::new();
    let error = fixture.try_write(&[sized(1, 1, 1, 10), sized(1, 2, 1, LARGEST + 1)]).unwrap_err();
    // As far as the room of a block is a multiple of what it is aligned to.
    assert!(
        matches!(error, WriteError::TooLarge { len, max } if len == LARGEST + 1 && max <= LARGEST),
        "{error}"
    );
    assert!(!error.is_fatal() && !error.is_retryable());
    fixture.write(&[sized(1, 1, 1, LARGEST)]);
    fixture.write(&[sized(1, 2, 1, LARGEST)]);
    let recovered = fixture.restart();
    assert_eq!(entries(&recovered, 1), [(1, 1), (2, 1)]);
    assert_eq!(recovered.groups[&GroupId(1)].entries[1].0.payload.len(), LARGEST);
}

#[test]
fn what_does_not_fit_into_one_file_goes_into_several() {
    let mut fixture = Fixture::new();
    let records: Vec<_> = (1..=30).map(|index| sized(1, index, 1, 9000)).collect();
    let locations = fixture.write(&records);
    assert_eq!(locations.len(), 30);
    assert!(fixture.log().sealed().len() >= 4);
    let recovered = fixture.crash();
    assert_eq!(entries(&recovered, 1).len(), 30);
    let found: Vec<_> = recovered.groups[&GroupId(1)].entries.iter().map(|(_, location)| *location).collect();
    assert_eq!(found, locations);
}

#[test]
fn the_last_state_survives_every_file_that_had_it() {
    let mut fixture = Fixture::new();
    fixture.write(&[state(5, 4, 3, 0), entry(6, 1, 1, b"x"), state(6, 2, 1, 1), removed(6)]);
    for index in 1..=60 {
        fixture.write(&[sized(1, index, 1, 5000), cut(1, index, 1)]);
        for sealed in fixture.log().sealed() {
            fixture.log().release(sealed.file, false);
        }
    }
    let recovered = fixture.crash();
    assert_eq!(recovered.groups[&GroupId(5)].state, HardState { term: 4, vote: 3, commit: 0 });
    let gone = &recovered.groups[&GroupId(6)];
    assert_eq!((gone.removed, gone.state.term, gone.entries.len()), (true, 2, 0));
    assert!(!fixture.files().contains(&mesh_log::id::FileId(1)));
}

#[test]
fn sizes_of_files_have_bounds() {
    for (bytes, is_good) in [
        (Options::FILE_BYTES_MIN, true),
        (Options::FILE_BYTES_MIN - 1, false),
        (Options::FILE_BYTES_MIN - 4096, false),
        (Options::FILE_BYTES_MIN + 4096, true),
        (Options::FILE_BYTES_MAX, true),
        (Options::FILE_BYTES_MAX + 4096, false),
    ] {
        let disk = std::sync::Arc::new(mesh_log::vfs::simulated::Disk::new());
        let options = Options { file_bytes: bytes, ..options() };
        let opened = mesh_log::log::Log::open(disk, std::path::Path::new(DIR), options);
        assert_eq!(opened.is_ok(), is_good, "{bytes}");
    }
}
