//! Files that are not what was written.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tokio::time::{Instant, sleep};

use super::members::has_replicas;
use crate::random::Random;
use crate::trial::Arena;

const APPENDS: usize = 40;
const GOES_ON: Duration = Duration::from_secs(20);
/// Entries that a replica may be behind under load.
const LAG: u64 = 100;
/// Records that fill the log, so that some of it becomes segments, and how many there may be.
const LARGE: usize = 64 << 10;
const LARGE_MAX: usize = 2_000;
/// So many bytes of a record stand on both sides of a flipped one.
const IN_RECORD: usize = 512;
/// How long a damaged replica may take until it is whole again.
const WHOLE: Duration = Duration::from_secs(60);

/// All nodes are killed, and what was being written at the end of each log is torn.
pub(super) async fn torn_tails(arena: &mut Arena) -> anyhow::Result<()> {
    let mut rounds = 0;
    while arena.goes_on() {
        for nth in 0..arena.cluster.nodes.len() {
            arena.cluster.nodes[nth].kill().await?;
        }
        for nth in 0..arena.cluster.nodes.len() {
            let data = arena.cluster.nodes[nth].setup.data.clone();
            tear(&data, &mut arena.random)?;
        }
        for node in &mut arena.cluster.nodes {
            node.start()?;
        }
        for node in &mut arena.cluster.nodes {
            node.ready().await?;
        }
        arena.load.progress(APPENDS, GOES_ON).await?;
        rounds += 1;
        let pause = arena.random.millis(100..1_000);
        sleep(pause).await;
    }
    arena.note("rounds", rounds);
    Ok(())
}

/// Bytes of a block's alignment in the log.
const BLOCK: u64 = 4096;

/// Puts half of something behind the last block of the newest file of the log: a copy of the block's beginning, so that it
/// looks like one, with noise instead of its end.
fn tear(data: &Path, random: &mut Random) -> anyhow::Result<()> {
    let path = newest(data, "log", "wal")?.context("no log")?;
    let bytes = std::fs::read(&path)?;
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1);
    let end = end.div_ceil(BLOCK) * BLOCK;
    if end == 0 || end + BLOCK > bytes.len() as u64 {
        return Ok(());
    }
    let from = (end - BLOCK) as usize;
    let mut torn = bytes[from..from + BLOCK as usize / 2].to_vec();
    torn.extend((0..BLOCK / 16).flat_map(|_| random.next().to_le_bytes()));
    Ok(File::options().write(true).open(&path)?.write_all_at(&torn, end)?)
}

/// A bit of a segment is flipped while its node runs.
pub(super) async fn segment(arena: &mut Arena) -> anyhow::Result<()> {
    let large = vec![b'x'; LARGE];
    for _ in 0..LARGE_MAX {
        let data = arena.cluster.nodes[0].setup.data.clone();
        if newest(&data, "seg", "idx")?.is_some() {
            break;
        }
        arena.apart[0].append(&large, GOES_ON).await;
    }
    let mut flips = 0;
    while arena.goes_on() {
        let victim = arena.random.below(3);
        let data = arena.cluster.nodes[victim].setup.data.clone();
        if let Some(path) = newest(&data, "seg", "idx")? {
            // The index is of a file of the log that was kept, or of a segment.
            let stem = path.file_stem().context("a name")?.to_owned();
            let beside = path.with_extension("seg");
            let kept = data.join("log").join(stem).with_extension("wal");
            let file = if beside.exists() { beside } else { kept };
            flips += u64::from(flip_in_record(&file, &mut arena.random)?);
        }
        arena.load.progress(APPENDS, GOES_ON).await?;
        sleep(Duration::from_millis(500)).await;
    }
    arena.note("flips", flips);
    arena.expect(flips > 0, || "there was no segment to damage".into());
    // Two flips may be of one piece, so not all of them are to be found: the search goes on until nothing is left.
    let began = Instant::now();
    let (mut found, mut left) = arena.cluster.damaged_pieces().await?;
    while (found == 0 || left > 0) && began.elapsed() < WHOLE {
        sleep(Duration::from_millis(500)).await;
        (found, left) = arena.cluster.damaged_pieces().await?;
    }
    arena.note("found", found);
    arena.expect(found > 0, || format!("no damage was found within {WHOLE:?}"));
    arena
        .expect(left == 0, || format!("{left} damaged pieces were not fetched from others within {WHOLE:?}"));
    Ok(())
}

/// Flips a bit within one of the large records, when the file has any.
fn flip_in_record(path: &Path, random: &mut Random) -> anyhow::Result<bool> {
    let bytes = std::fs::read(path)?;
    let middle = |at: &usize| bytes[at - IN_RECORD..at + IN_RECORD].iter().all(|byte| *byte == b'x');
    let places: Vec<usize> =
        (IN_RECORD..bytes.len().saturating_sub(IN_RECORD)).step_by(IN_RECORD).filter(middle).collect();
    if places.is_empty() {
        return Ok(false);
    }
    let at = places[random.below(places.len())] as u64;
    flip_between(path, at, at + 1, random)?;
    Ok(true)
}

/// A bit in the middle of a node's log is flipped while the node does not run.
pub(super) async fn log(arena: &mut Arena) -> anyhow::Result<()> {
    offline(arena, |data, random| {
        // The newest one is a spare.
        let (path, bytes, used) = fullest(data)?.context("no log")?;
        // Not in the last blocks, where it could be a tail; and not in what fills a block up.
        let written: Vec<u64> =
            (BLOCK..(used / 2).max(BLOCK + 1)).filter(|at| bytes[*at as usize] != 0).collect();
        let at = *written.get(random.below(written.len().max(1))).context("an empty log")?;
        flip_between(&path, at, at + 1, random)
    })
    .await
}

/// A node's checkpoint is damaged while the node does not run.
pub(super) async fn checkpoint(arena: &mut Arena) -> anyhow::Result<()> {
    offline(arena, |data, random| match newest(data, "checkpoint", "ckpt")? {
        Some(path) => flip(&path, random),
        None => Ok(()),
    })
    .await
}

/// Kills a node, damages its files, and starts it again; it has to come back whole, by itself.
async fn offline(
    arena: &mut Arena,
    damage: impl Fn(&Path, &mut Random) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (mut rounds, mut noticed, mut slowest) = (0, 0, Duration::ZERO);
    while arena.goes_on() {
        let victim = arena.random.below(3);
        arena.cluster.nodes[victim].kill().await?;
        arena.load.progress(APPENDS, GOES_ON).await?;
        let data = arena.cluster.nodes[victim].setup.data.clone();
        damage(&data, &mut arena.random)?;
        arena.cluster.nodes[victim].start()?;
        arena.cluster.nodes[victim].ready().await?;
        let began = Instant::now();
        noticed += u64::from(!arena.cluster.in_quarantine().await.is_empty());
        arena.load.progress(APPENDS, GOES_ON).await?;
        arena.cluster.caught_up(LAG, WHOLE).await?;
        // The next one that loses something before this one votes again would be one of two.
        loop {
            let groups = arena.cluster.groups().await?;
            if has_replicas(&groups, 3) && groups.iter().all(|group| group["changing"] == false) {
                break;
            }
            anyhow::ensure!(began.elapsed() < WHOLE, "a replica does not vote after {WHOLE:?}");
            sleep(Duration::from_millis(50)).await;
        }
        slowest = slowest.max(began.elapsed());
        rounds += 1;
    }
    arena.note("rounds", rounds);
    arena.note("in_quarantine", noticed);
    arena.note("slowest_ms", slowest.as_millis() as u64);
    arena.expect(noticed > 0, || "no replica was found to have lost anything".into());
    Ok(())
}

/// The file of the log that has most in it, its bytes, and how far they go.
pub(super) fn fullest(data: &Path) -> anyhow::Result<Option<(PathBuf, Vec<u8>, u64)>> {
    let mut found: Option<(PathBuf, Vec<u8>, u64)> = None;
    for entry in std::fs::read_dir(data.join("log"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wal") {
            let bytes = std::fs::read(&path)?;
            let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1);
            if found.as_ref().is_none_or(|(_, _, most)| *most < used) {
                found = Some((path, bytes, used));
            }
        }
    }
    Ok(found)
}

/// The last file, by name, of a folder of a data directory.
fn newest(data: &Path, folder: &str, extension: &str) -> anyhow::Result<Option<PathBuf>> {
    let folder = data.join(folder);
    if !folder.exists() {
        return Ok(None);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) && path.metadata()?.len() > 0 {
            files.push(path);
        }
    }
    files.sort();
    Ok(files.pop())
}

fn flip(path: &Path, random: &mut Random) -> anyhow::Result<()> {
    let size = path.metadata()?.len();
    flip_between(path, 0, size, random)
}

pub(super) fn flip_between(path: &Path, from: u64, to: u64, random: &mut Random) -> anyhow::Result<()> {
    let file = File::options().read(true).write(true).open(path)?;
    let offset = from + random.next() % (to - from).max(1);
    let mut byte = [0];
    file.read_exact_at(&mut byte, offset)?;
    byte[0] ^= 1 << (random.next() % 8);
    Ok(file.write_all_at(&byte, offset)?)
}
