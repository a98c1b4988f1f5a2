//! Full disks, failing ones, and space that is used again.

use mesh_log::{
    bug::{Bug, Bugs},
    id::FileId,
    log::WriteError,
    vfs::simulated::Faults,
};

use crate::fixture::*;

#[test]
fn a_full_disk_breaks_nothing() {
    let mut fixture = Fixture::new();
    let mut index = 1;
    fixture.write(&[sized(1, index, 1, 5000)]);
    let full = Faults { capacity: fixture.disk.used(), ..Faults::default() };
    fixture.disk.set_faults(full);
    let error = loop {
        match fixture.try_write(&[sized(1, index + 1, 1, 5000)]) {
            Ok(_) => index += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, WriteError::Full) && error.is_retryable(), "{error}");
    assert!(index > 8, "a spare file was there: {index}");
    assert!(matches!(fixture.try_write(&[sized(1, index + 1, 1, 5000)]), Err(WriteError::Full)));
    // What fits into the file still goes.
    fixture.disk.set_faults(Faults::default());
    fixture.write(&[sized(1, index + 1, 1, 5000)]);
    let recovered = fixture.crash();
    assert_eq!(entries(&recovered, 1).len() as u64, index + 1);
}

#[test]
fn after_a_failed_sync_nothing_is_taken() {
    let mut fixture = Fixture::new();
    fixture.write(&[sized(1, 1, 1, 100)]);
    fixture.disk.set_faults(Faults { failing_sync: Some(1), ..Faults::default() });
    fixture.log().append(&[sized(1, 2, 1, 100)]).unwrap();
    let error = fixture.log().sync().unwrap_err();
    assert!(matches!(error, WriteError::Io { .. }) && error.is_fatal(), "{error}");
    assert!(matches!(fixture.log().append(&[]), Err(WriteError::Broken)));
    assert!(matches!(fixture.log().sync(), Err(WriteError::Broken)));
    assert_eq!(entries(&fixture.crash(), 1), [(1, 1)]);
}

#[test]
fn after_a_failed_write_nothing_is_taken() {
    let mut fixture = Fixture::new();
    fixture.write(&[sized(1, 1, 1, 100)]);
    fixture.disk.set_faults(Faults { failing_write: Some(1), ..Faults::default() });
    assert!(matches!(fixture.log().append(&[sized(1, 2, 1, 100)]), Err(WriteError::Io { .. })));
    assert!(matches!(fixture.log().sync(), Err(WriteError::Broken)));
    fixture.disk.set_faults(Faults::default());
    assert_eq!(entries(&fixture.crash(), 1), [(1, 1)]);
}

#[test]
fn with_the_bug_back_what_counts_as_durable_is_not() {
    let mut options = options();
    options.bugs = Bugs::default().with(Bug::AckBeforeFsync);
    let mut fixture = Fixture::with(options);
    fixture.write(&[sized(1, 1, 1, 100)]);
    assert_eq!(entries(&fixture.crash(), 1), []);
}

#[test]
fn space_is_used_again_and_the_number_of_files_stays() {
    let mut fixture = Fixture::new();
    let mut most = 0;
    for index in 1..=300 {
        fixture.write(&[sized(1, index, 1, 5000), cut(1, index, 1)]);
        for sealed in fixture.log().sealed() {
            fixture.log().release(sealed.file, false);
        }
        most = most.max(fixture.files().len());
    }
    assert!(most <= 4, "{most} files");
    assert!(fixture.files().last().unwrap().0 > 20, "ids are never used again");
    assert_eq!(fixture.crash().groups[&mesh_log::id::GroupId(1)].cut, (300, 1));
}

#[test]
fn a_file_that_is_kept_is_left_alone() {
    let mut fixture = Fixture::new();
    for index in 1..=60 {
        fixture.write(&[sized(1, index, 1, 5000), cut(1, index, 1)]);
        for sealed in fixture.log().sealed() {
            fixture.log().release(sealed.file, true);
            fixture.options.kept.insert(sealed.file);
        }
    }
    assert!(fixture.files().contains(&FileId(1)));
    let recovered = fixture.crash();
    assert_eq!(recovered.sealed, []);
    assert!(fixture.options.kept.iter().all(|file| fixture.files().contains(file)));
}

#[test]
fn files_are_not_used_again_before_another_one_says_where_groups_stand() {
    // All there is is in one file; a torn block behind it makes the log go on in a new one.
    let mut fixture = Fixture::new();
    fixture.write(&[state(1, 7, 3, 0)]);
    let lost = fixture.log().append(&[sized(1, 1, 1, 100)]).unwrap()[0];
    fixture.log().append(&[sized(1, 2, 1, 100)]).unwrap();
    fixture.flip(lost.file, lost.offset);
    let recovered = fixture.restart();
    assert_eq!(recovered.sealed.len(), 1);
    fixture.log().release(recovered.sealed[0].file, false);
    fixture.log().maintain();
    assert_eq!(fixture.restart().groups[&mesh_log::id::GroupId(1)].state.term, 7);
}
