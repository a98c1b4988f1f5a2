//! The thread that writes the log.
#![cfg(feature = "faults")]
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::{
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
    time::Duration,
};

use bytes::Bytes;
use mesh_log::{
    id::GroupId,
    location::Location,
    log::{Log, Options, Recovered},
    payload::Payload,
    record::{Entry, EntryKind, Record},
    vfs::{
        Vfs,
        real::Real,
        simulated::{Disk, Faults},
    },
    writer::{self, Event, WriteBatch, Writer},
};

const DIR: &str = "/data/log";

fn options() -> Options {
    Options { file_bytes: 256 << 10, ..Options::new(7) }
}

fn batch(id: u64, len: usize) -> WriteBatch {
    let payload = Payload::new(Bytes::from(vec![id as u8; len]));
    let entry = Entry { term: 1, index: id, kind: EntryKind::Commands, payload };
    WriteBatch { id, records: vec![Record::Entry { group: GroupId(1), entry }] }
}

fn spawn(vfs: Arc<dyn Vfs>, dir: &Path) -> (Writer, Receiver<Event>, Recovered) {
    let (log, recovered) = Log::open(vfs, dir, options()).unwrap();
    let (tell, events) = channel();
    let how = writer::Options { retry: Duration::from_millis(1), ..writer::Options::default() };
    let writer = Writer::spawn(log, how, move |event| tell.send(event).unwrap()).unwrap();
    (writer, events, recovered)
}

/// Waits until so many batches are durable.
fn written(events: &Receiver<Event>, count: usize) -> Vec<(u64, Vec<Location>)> {
    let mut all = Vec::new();
    while all.len() < count {
        match events.recv().unwrap() {
            Event::Written(some) => all.extend(some),
            Event::Sealed(_) => {}
            other => panic!("{other:?}"),
        }
    }
    all
}

#[test]
fn on_real_files_everything_is_told_in_order_and_is_there_again() {
    let dir = tempfile::tempdir().unwrap();
    let vfs: Arc<dyn Vfs> = Arc::new(Real);
    let (writer, events, _) = spawn(Arc::clone(&vfs), dir.path());
    for id in 1..=500 {
        writer.submit(batch(id, 3000)).unwrap();
    }
    let all = written(&events, 500);
    assert!(all.iter().map(|(id, _)| *id).eq(1..=500));
    assert!(all.iter().all(|(_, locations)| locations.len() == 1));
    assert_eq!(writer.counts().batches, 500);
    drop(writer);
    assert!(events.iter().all(|event| matches!(event, Event::Sealed(_))));
    let (_writer, _, recovered) = spawn(vfs, dir.path());
    let group = &recovered.groups[&GroupId(1)];
    assert_eq!((recovered.damage.len(), group.entries.len()), (0, 500));
    for ((entry, location), (id, locations)) in group.entries.iter().zip(&all) {
        assert_eq!((entry.index, [*location].as_slice()), (*id, locations.as_slice()));
        assert_eq!(entry.payload.bytes().as_ref(), vec![*id as u8; 3000]);
    }
}

#[test]
fn what_was_told_outlives_a_crash() {
    let disk = Disk::new();
    let (writer, events, _) = spawn(Arc::new(disk.clone()), Path::new(DIR));
    for id in 1..=50 {
        writer.submit(batch(id, 100)).unwrap();
    }
    written(&events, 50);
    disk.crash_losing_all();
    drop(writer);
    disk.crash_losing_all();
    let (_writer, _, recovered) = spawn(Arc::new(disk.clone()), Path::new(DIR));
    assert_eq!(recovered.groups[&GroupId(1)].entries.len(), 50);
}

#[test]
fn a_full_disk_is_told_and_nothing_is_lost_until_there_is_room() {
    let disk = Disk::new();
    let (writer, events, _) = spawn(Arc::new(disk.clone()), Path::new(DIR));
    writer.submit(batch(1, 100)).unwrap();
    written(&events, 1);
    disk.set_faults(Faults { capacity: 1 << 20, ..Faults::default() });
    let mut id = 1;
    let mut all = 1;
    'full: loop {
        id += 1;
        writer.submit(batch(id, 100_000)).unwrap();
        loop {
            match events.recv().unwrap() {
                Event::Written(some) => {
                    all += some.len();
                    break;
                }
                Event::Full => break 'full,
                Event::Sealed(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(all as u64, id - 1);
    disk.set_faults(Faults::default());
    // Written, then room.
    let (mut is_written, mut has_room) = (false, false);
    while !(is_written && has_room) {
        match events.recv().unwrap() {
            Event::Written(some) => is_written = some[0].0 == id,
            Event::Room => has_room = true,
            Event::Sealed(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_failed_sync_is_the_last_word() {
    let disk = Disk::new();
    let (writer, events, _) = spawn(Arc::new(disk.clone()), Path::new(DIR));
    writer.submit(batch(1, 100)).unwrap();
    written(&events, 1);
    disk.set_faults(Faults { failing_sync: Some(1), ..Faults::default() });
    // What is in the way of the next write may be the sync of a mark.
    writer.submit(batch(2, 100)).ok();
    let words = loop {
        match events.recv().unwrap() {
            Event::Fatal(words) => break words,
            Event::Written(some) => panic!("{some:?} acknowledged"),
            _ => {}
        }
    };
    assert!(words.contains("fdatasync"), "{words}");
    assert!(events.recv().is_err(), "nothing comes after it");
    assert!(writer.submit(batch(3, 100)).is_err());
}

/// Writes where it is, as soon as the thread is done with what it has told already.
fn write_now(writer: &Writer, mut batch: WriteBatch) -> Event {
    loop {
        match writer.write_now(batch) {
            Ok(event) => return event,
            Err(back) => batch = back,
        }
        std::thread::yield_now();
    }
}

#[test]
fn what_is_written_where_one_is_is_durable_and_in_order_with_what_the_thread_writes() {
    let disk = Disk::new();
    let (writer, events, _) = spawn(Arc::new(disk.clone()), Path::new(DIR));
    for id in 1..=40 {
        // The first one begins a file, which is the thread's to do.
        if id % 3 == 1 {
            writer.submit(batch(id, 100)).unwrap();
            assert_eq!(written(&events, 1)[0].0, id);
        } else {
            let Event::Written(all) = write_now(&writer, batch(id, 100)) else { panic!("not written") };
            assert_eq!((all.len(), all[0].0, all[0].1.len()), (1, id, 1));
        }
    }
    assert_eq!(writer.counts().batches, 40);
    assert_eq!(writer.counts().waiting, 0);
    disk.crash_losing_all();
    drop(writer);
    disk.crash_losing_all();
    let (_writer, _, recovered) = spawn(Arc::new(disk.clone()), Path::new(DIR));
    let found = &recovered.groups[&GroupId(1)].entries;
    assert!(found.iter().map(|(entry, _)| entry.index).eq(1..=40));
}

#[test]
fn a_full_file_is_left_to_the_thread() {
    let (writer, events, _) = spawn(Arc::new(Disk::new()), Path::new(DIR));
    writer.submit(batch(1, 60 << 10)).unwrap();
    written(&events, 1);
    // Two thirds of a file and more, of which the first one has taken its part.
    let large = || batch(2, 200 << 10);
    assert_eq!(writer.write_now(large()).unwrap_err(), large());
    writer.submit(large()).unwrap();
    assert_eq!(written(&events, 1)[0].0, 2);
}

#[test]
fn a_failed_sync_is_the_last_word_there_too() {
    let disk = Disk::new();
    let (writer, events, _) = spawn(Arc::new(disk.clone()), Path::new(DIR));
    writer.submit(batch(1, 100)).unwrap();
    written(&events, 1);
    let words = (2..)
        .find_map(|id| {
            // It may have met the one who makes files ready, who tries again.
            disk.set_faults(Faults { failing_sync: Some(1), ..Faults::default() });
            match writer.write_now(batch(id, 100)) {
                Ok(Event::Fatal(words)) => Some(words),
                Ok(_) => None,
                // Or the mark of the thread.
                Err(_) => events.try_iter().find_map(|event| match event {
                    Event::Fatal(words) => Some(words),
                    _ => None,
                }),
            }
        })
        .unwrap();
    assert!(words.contains("fdatasync"), "{words}");
    assert!(writer.write_now(batch(3, 100)).is_err());
    assert!(writer.submit(batch(3, 100)).is_err());
}
