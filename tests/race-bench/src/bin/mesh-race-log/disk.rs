//! The disk's floors: what writing and `fdatasync` cost by themselves, in a file whose space was written before, as the
//! log's is.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use anyhow::ensure;
use mesh_race::{latency::Latencies, line};
use serde_json::json;

/// Bytes of a write that prepares the file.
const PREPARE: usize = 1 << 20;

/// The smallest thing that the log writes.
const BLOCK: usize = 4096;

/// Writes `bytes` from the beginning to the end in writes of `write`, each followed by `fdatasync`.
pub(crate) fn sequential(path: &Path, bytes: usize, write: usize) -> anyhow::Result<()> {
    ensure!(write > 0 && bytes >= write, "at least one write");
    let file = prepared(path, bytes)?;
    let block = vec![0x5a; write];
    let first = Instant::now();
    let mut offset = 0;
    while offset + write <= bytes {
        file.write_all_at(&block, offset as u64)?;
        file.sync_data()?;
        offset += write;
    }
    let seconds = first.elapsed().as_secs_f64();
    line::emit(&json!({ "bytes": offset, "seconds": seconds, "bytes_per_second": offset as f64 / seconds }))?;
    Ok(())
}

/// Appends `count` blocks of 4 KiB one after the other, each followed by `fdatasync`.
pub(crate) fn one_by_one(path: &Path, count: usize) -> anyhow::Result<()> {
    let file = prepared(path, count * BLOCK)?;
    let block = vec![0x5a; BLOCK];
    let mut latencies = Latencies::with_capacity(count);
    let first = Instant::now();
    for nth in 0..count {
        let began = Instant::now();
        file.write_all_at(&block, (nth * BLOCK) as u64)?;
        file.sync_data()?;
        latencies.record(began.elapsed());
    }
    line::emit(&latencies.report(first.elapsed()))?;
    Ok(())
}

/// A new file with so many bytes, all of them durable.
fn prepared(path: &Path, bytes: usize) -> anyhow::Result<File> {
    let file = File::options().create_new(true).write(true).open(path)?;
    let zeros = vec![0; PREPARE];
    let mut offset = 0;
    while offset < bytes {
        let n = PREPARE.min(bytes - offset);
        file.write_all_at(&zeros[..n], offset as u64)?;
        offset += n;
    }
    file.sync_all()?;
    Ok(file)
}
