//! Appends batches of records to registers and waits for their acknowledgements.

use std::collections::VecDeque;
use std::time::Instant;

use anyhow::ensure;
use mesh_client::{Acknowledgement, BatchBuilder, Client, Producer, Record};
use mesh_race::{latency::Latencies, line};

/// What is appended.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Work {
    /// Registers, served in turn
    #[arg(long, default_value_t = 1)]
    registers: usize,
    /// Bytes of a record
    #[arg(long, default_value_t = 128)]
    size: usize,
    /// Records of a batch
    #[arg(long, default_value_t = 256)]
    batch: usize,
    /// Records under way at once
    #[arg(long, default_value_t = 4096)]
    outstanding: usize,
    /// Records in all
    #[arg(long, default_value_t = 1_000_000)]
    count: usize,
}

/// Does the work and reports rate and latencies; those are of batches.
pub(crate) async fn append(url: &str, work: Work) -> anyhow::Result<()> {
    ensure!(
        work.batch > 0 && work.registers > 0 && work.outstanding >= work.batch,
        "at least one batch under way"
    );
    let client = Client::builder().name("race").endpoint(url).connect().await?;
    let mut producers = Vec::new();
    for nth in 0..work.registers {
        producers.push(client.register(&format!("race-{nth}")).await?.producer().bytes(64 << 20).open()?);
    }
    let batch = batch_of(work.batch, work.size)?;
    let (window, batches) = (work.outstanding / work.batch, work.count.div_ceil(work.batch));
    let mut latencies = Latencies::with_capacity(batches);
    let mut under_way: VecDeque<(Instant, Acknowledgement)> = VecDeque::with_capacity(window);
    let first = Instant::now();
    for nth in 0..batches {
        if under_way.len() >= window {
            settle(&mut under_way, &mut latencies).await?;
        }
        let producer: &Producer = &producers[nth % producers.len()];
        let sent = Instant::now();
        under_way.push_back((sent, producer.send(&batch).await?));
    }
    while !under_way.is_empty() {
        settle(&mut under_way, &mut latencies).await?;
    }
    let elapsed = first.elapsed();
    let mut report = latencies.report(elapsed);
    let records = batches * work.batch;
    report["count"] = records.into();
    report["rate"] = (records as f64 / elapsed.as_secs_f64()).into();
    line::emit(&report)?;
    Ok(())
}

/// Waits for the oldest.
async fn settle(
    under_way: &mut VecDeque<(Instant, Acknowledgement)>,
    latencies: &mut Latencies,
) -> anyhow::Result<()> {
    if let Some((sent, acknowledgement)) = under_way.pop_front() {
        acknowledgement.await?;
        latencies.record(sent.elapsed());
    }
    Ok(())
}

fn batch_of(records: usize, size: usize) -> anyhow::Result<BatchBuilder> {
    let value = vec![0x5a; size];
    let mut batch = BatchBuilder::new(Default::default());
    for _ in 0..records {
        batch.push(&Record { value: Some(&value), ..Record::default() })?;
    }
    Ok(batch)
}
