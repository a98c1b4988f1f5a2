//! Schedules that bring known bugs out, each in its own way. Without the bug nothing comes of them.

use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::Context;
use futures_util::future::join_all;
use rustix::process::Signal;
use tokio::time::{Instant, sleep, timeout};

use super::damage::{flip_between, fullest};
use super::members::Leaders;
use crate::bare::Bare;
use crate::node::LOOK;
use crate::oracle::{Fate, Id};
use crate::register::Access;
use crate::trial::Arena;

const APPENDS: usize = 40;
const GOES_ON: Duration = Duration::from_secs(10);
/// How long a node may take to look at its faults.
const FAULTS_SEEN: Duration = Duration::from_millis(400);
/// Entries that a replica may be behind under load.
const LAG: u64 = 100;
/// How often a schedule is tried that depends on who is first.
const ROUNDS: u64 = 6;

/// The power of all nodes fails: what is not synced is gone.
pub(super) async fn power(arena: &mut Arena) -> anyhow::Result<()> {
    for node in &arena.cluster.nodes {
        node.faults("forget-unsynced")?;
    }
    sleep(FAULTS_SEEN).await;
    arena.load.progress(5 * APPENDS, GOES_ON).await?;
    for node in &mut arena.cluster.nodes {
        node.kill().await?;
    }
    for node in &mut arena.cluster.nodes {
        node.faults("")?;
        node.start()?;
    }
    for node in &mut arena.cluster.nodes {
        node.ready().await?;
    }
    Ok(())
}

/// The leader is alone for a while, with its clients.
pub(super) async fn alone(arena: &mut Arena) -> anyhow::Result<()> {
    for _ in 0..2 {
        let leader = arena.cluster.leader().await?;
        let others: Vec<usize> = (0..3).filter(|nth| *nth != leader).collect();
        arena.cluster.network.part_sides(&[leader], &others);
        sleep(Duration::from_millis(1_500)).await;
        arena.load.progress(APPENDS, GOES_ON).await?;
        arena.cluster.network.heal();
        arena.load.progress(APPENDS, GOES_ON).await?;
    }
    Ok(())
}

/// One votes, loses its power before anything else is on its disk, and is asked for its vote by another one.
pub(super) async fn votes(arena: &mut Arena) -> anyhow::Result<()> {
    let mut leaders = Leaders::default();
    arena.load.pause(true);
    for round in 0..ROUNDS {
        let (first, second, voter) = match round % 3 {
            0 => (0, 1, 2),
            1 => (1, 2, 0),
            _ => (2, 0, 1),
        };
        arena.cluster.lead_all(voter).await?;
        arena.cluster.caught_up(0, GOES_ON).await?;
        // The second hears nothing, and so stays in the term of before.
        arena.cluster.network.part_sides(&[second], &[first, voter]);
        arena.cluster.nodes[voter].kill().await?;
        arena.cluster.nodes[voter].faults("forget-unsynced\nsync-delay=250ms")?;
        arena.cluster.nodes[voter].start()?;
        let began = Instant::now();
        while !leaders.look_at(arena, &[first, voter]).await && began.elapsed() < GOES_ON {
            sleep(LOOK / 4).await;
        }
        // Its vote is on its disk, and the first entry of who was elected by it is not.
        arena.cluster.nodes[voter].kill().await?;
        arena.cluster.network.heal();
        arena.cluster.network.part_sides(&[first], &[second, voter]);
        arena.cluster.nodes[voter].faults("")?;
        arena.cluster.nodes[voter].start()?;
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(4) && leaders.twice().is_none() {
            leaders.look_at(arena, &[first, second, voter]).await;
            sleep(LOOK).await;
        }
        arena.cluster.network.heal();
        arena.cluster.nodes[voter].ready().await?;
        if leaders.twice().is_some() {
            break;
        }
        arena.cluster.settled().await?;
    }
    let twice = leaders.twice();
    arena.expect(twice.is_none(), || format!("two leaders of one term: {}", twice.unwrap_or_default()));
    Ok(())
}

/// A node whose log is damaged is needed for a majority, with one that was cut off before.
pub(super) async fn damaged_majority(arena: &mut Arena) -> anyhow::Result<()> {
    let leader = arena.cluster.leader().await?;
    let (damaged, behind) = ((leader + 1) % 3, (leader + 2) % 3);
    arena.cluster.network.part_sides(&[behind], &[leader, damaged]);
    arena.load.progress(10 * APPENDS, GOES_ON).await?;
    arena.cluster.nodes[leader].kill().await?;
    arena.cluster.nodes[damaged].kill().await?;
    let data = arena.cluster.nodes[damaged].setup.data.clone();
    let (path, bytes, used) = fullest(&data)?.context("no log")?;
    let written: Vec<u64> = (used / 10 * 6..used / 10 * 9).filter(|at| bytes[*at as usize] != 0).collect();
    let at = *written.get(arena.random.below(written.len().max(1))).context("an empty log")?;
    flip_between(&path, at, at + 1, &mut arena.random)?;
    arena.cluster.network.heal();
    arena.cluster.nodes[damaged].start()?;
    arena.cluster.nodes[damaged].ready().await?;
    // If these two take themselves for a majority that has everything.
    arena.load.progress(1, Duration::from_secs(6)).await.ok();
    arena.cluster.nodes[leader].start()?;
    arena.cluster.nodes[leader].ready().await
}

/// A leader stands still while another one is elected, and is asked for what is there before it can hear of that.
pub(super) async fn asleep(arena: &mut Arena) -> anyhow::Result<()> {
    let registers: Vec<String> = arena.load.registers().to_vec();
    let mut readers = Vec::new();
    for url in arena.cluster.urls() {
        let mut own = Vec::new();
        for register in &registers {
            own.push(Access::open(std::slice::from_ref(&url), 0, register).await?);
        }
        readers.push(own);
    }
    let mut reads = 0;
    for _ in 0..ROUNDS {
        let leader = arena.cluster.leader().await?;
        let others: Vec<usize> = (0..3).filter(|nth| *nth != leader).collect();
        arena.cluster.nodes[leader].signal(Signal::STOP)?;
        arena.cluster.network.part_sides(&[leader], &others);
        let goes_on = arena.load.progress(APPENDS, GOES_ON).await;
        let known: Vec<u64> = registers.iter().map(|register| arena.load.record.last(register)).collect();
        let asked = readers[leader].iter_mut().zip(&known).map(|(access, known)| {
            // No answer is none that could be stale.
            async move { timeout(Duration::from_secs(2), access.end(known + 1)).await.ok().flatten() }
        });
        let wake = async {
            sleep(Duration::from_millis(100)).await;
            arena.cluster.nodes[leader].signal(Signal::CONT)
        };
        let (ends, woken) = tokio::join!(join_all(asked), wake);
        woken?;
        for (end, known) in ends.into_iter().zip(known) {
            reads += u64::from(end.is_some());
            if end.is_some_and(|end| end < known) {
                arena.load.record.with(crate::oracle::History::stale_read);
            }
        }
        arena.cluster.network.heal();
        goes_on?;
        arena.load.progress(APPENDS, GOES_ON).await?;
    }
    arena.note("reads", reads);
    Ok(())
}

/// The power of a follower fails when its checkpoint is on its disk, and that its log begins behind it is not; it leads
/// then.
pub(super) async fn checkpoint(arena: &mut Arena) -> anyhow::Result<()> {
    const SMALL: u64 = 50;
    const LARGE: usize = 128 << 10;
    const LARGE_MAX: u64 = 800;
    let victim = 1;
    arena.cluster.lead_all(0).await?;
    // Without a producer, so that nothing but being applied once keeps a record from being there twice.
    let mut bare = Bare::open(&arena.cluster.nodes[0].socket(), BARE)?;
    append(arena, &mut bare, 1..=SMALL, 0)?;
    arena.cluster.caught_up(LAG, GOES_ON).await?;
    arena.cluster.nodes[victim].faults("forget-unsynced\nsync-delay=1000ms")?;
    sleep(FAULTS_SEEN).await;
    let name = format!("checkpoint/{:08x}.ckpt", bare.group);
    let path = arena.cluster.nodes[victim].setup.data.join(name);
    let written = || path.metadata().and_then(|found| found.modified()).ok();
    let (before, mut number) = (written(), SMALL);
    while written() == before && number < SMALL + LARGE_MAX {
        number += 1;
        append(arena, &mut bare, number..=number, LARGE)?;
    }
    arena.cluster.nodes[victim].kill().await?;
    arena.expect(written() != before, || "there was no checkpoint".into());
    arena.cluster.nodes[victim].faults("")?;
    arena.cluster.nodes[victim].start()?;
    arena.cluster.nodes[victim].ready().await?;
    arena.cluster.caught_up(LAG, 3 * GOES_ON).await?;
    arena.cluster.lead_all(victim).await
}

/// The register of [`checkpoint`], and who writes it.
const BARE: &str = "bare";
const WRITER: u32 = 1_000;

fn append(
    arena: &Arena,
    bare: &mut Bare,
    numbers: RangeInclusive<u64>,
    ballast: usize,
) -> anyhow::Result<()> {
    for number in numbers {
        let id = Id { writer: WRITER, number };
        let mut record = id.encode().to_vec();
        record.resize(record.len() + ballast, Id::BALLAST);
        let fate = match bare.append(&record)? {
            Some(sequence) => Fate::Acknowledged { sequence },
            None => Fate::Unknown,
        };
        let record = &arena.load.record;
        let at = record.elapsed();
        record.with(|history| history.record(BARE, id, fate, at));
    }
    Ok(())
}
