//! Whatever the files hold, opening them ends, and what it gives was written at some time.

use mesh_log::vfs::{Vfs, simulated::SplitMix64};

use crate::fixture::*;

/// Several files of two groups, some of them released.
fn history(random: &mut SplitMix64) -> Fixture {
    let mut fixture = Fixture::new();
    for index in 1..=40 {
        let records =
            [sized(1, index, 1, random.below(6000) as usize), sized(2, index, 1, 50), state(1, 1, 1, index)];
        fixture.log().append(&records).unwrap();
        if random.chance(2) {
            fixture.log().sync().unwrap();
        }
    }
    fixture.log().sync().unwrap();
    fixture
}

/// Changes something: a bit, a stretch of noise, a stretch from elsewhere, the length.
fn disturb(fixture: &Fixture, random: &mut SplitMix64) {
    let files = fixture.files();
    let id = *random.pick(&files);
    let file = fixture.disk.open(&path(id), false).unwrap();
    let size = file.size().unwrap();
    if size == 0 {
        return;
    }
    let put = |bytes: &[u8], at: u64| {
        let room = (size - at).min(bytes.len() as u64) as usize;
        file.write_at(&mut [std::io::IoSlice::new(&bytes[..room])], at).unwrap();
    };
    let block = random.below(size / 4096) * 4096;
    match random.below(6) {
        0 => {
            fixture.disk.flip(&path(id), random.below(size), random.below(8) as u8);
        }
        1 => {
            let noise: Vec<u8> = (0..random.between(1, 9000)).map(|_| random.number() as u8).collect();
            put(&noise, random.below(size));
        }
        2 => put(&[0; 4096], block),
        3 | 4 => {
            // Whole blocks in wrong places, with good checksums.
            let from = fixture.disk.bytes(&path(*random.pick(&files))).unwrap();
            let at = random.below((from.len() as u64 / 4096).max(1)) as usize * 4096;
            let len = (random.between(1, 3) * 4096) as usize;
            put(&from[at.min(from.len())..(at + len).min(from.len())], block);
        }
        _ => file.set_size(random.below(size)).unwrap(),
    }
}

#[test]
fn no_noise_is_taken_for_what_was_written() {
    for seed in 0..150 {
        let mut random = SplitMix64::new(seed);
        let mut fixture = history(&mut random);
        fixture.log = None;
        for _ in 0..random.between(1, 6) {
            disturb(&fixture, &mut random);
        }
        fixture.disk.kill();
        let disk = std::sync::Arc::new(fixture.disk.clone());
        let Ok((_, recovered)) = mesh_log::log::Log::open(disk, DIR.as_ref(), options()) else {
            // The head of another file in the place of one's own.
            continue;
        };
        for (id, group) in &recovered.groups {
            for (entry, location) in &group.entries {
                assert_eq!(entry.term, 1, "seed {seed}");
                if id.0 == 2 {
                    assert_eq!(
                        sized(2, entry.index, 1, 50),
                        mesh_log::record::Record::Entry { group: *id, entry: entry.clone() }
                    );
                }
                assert_eq!(fixture.read(location), entry.payload.bytes().as_ref(), "seed {seed}");
            }
            let indices = group.entries.iter().map(|(entry, _)| entry.index);
            assert!(indices.eq(group.cut.0 + 1..=group.cut.0 + group.entries.len() as u64), "seed {seed}");
        }
        // And again, with what the first time wrote down.
        fixture.disk.kill();
        mesh_log::log::Log::open(std::sync::Arc::new(fixture.disk.clone()), DIR.as_ref(), options()).unwrap();
    }
}
