//! Networks that lose, cut and garble.

use std::time::Duration;

use mesh_netproxy::{Faults, Probability};
use tokio::time::{Instant, sleep};

use crate::register::Append;
use crate::trial::Arena;

const APPENDS: usize = 40;
/// How soon a majority goes on.
const GOES_ON: Duration = Duration::from_secs(10);
/// How soon a minority refuses.
const REFUSES: Duration = Duration::from_secs(5);

/// Halves, rings, single nodes, and cuts in one direction.
pub(super) async fn partitions(arena: &mut Arena) -> anyhow::Result<()> {
    let mut cuts = 0;
    while arena.goes_on() {
        let alone = match arena.random.below(4) {
            // The one that leads, so that something has to happen.
            0 => Some(arena.cluster.leader().await?),
            1 => Some(arena.random.below(3)),
            // A ring that has become a chain: everybody hears somebody.
            2 => {
                let one = arena.random.below(3);
                arena.cluster.network.part(one, (one + 1) % 3);
                None
            }
            // One is heard and hears nothing.
            _ => {
                let deaf = arena.random.below(3);
                (0..3)
                    .filter(|other| *other != deaf)
                    .for_each(|other| arena.cluster.network.cut(other, deaf));
                None
            }
        };
        if let Some(alone) = alone {
            let others: Vec<usize> = (0..3).filter(|other| *other != alone).collect();
            arena.cluster.network.part_sides(&[alone], &others);
            minority_refuses(arena, alone).await?;
        }
        arena.load.progress(APPENDS, GOES_ON).await?;
        cuts += 1;
        let pause = arena.random.millis(200..2_000);
        sleep(pause).await;
        arena.cluster.network.heal();
        arena.load.progress(APPENDS, GOES_ON).await?;
    }
    arena.note("cuts", cuts);
    Ok(())
}

/// A client of the node that is alone gets no acknowledgement, and is told so in time.
async fn minority_refuses(arena: &mut Arena, alone: usize) -> anyhow::Result<()> {
    // It hears of it when heartbeats are missing.
    sleep(Duration::from_secs(1)).await;
    let began = Instant::now();
    let done = arena.apart[alone].append(b"alone", REFUSES).await;
    let took = began.elapsed();
    arena.expect(!matches!(done, Append::Done { .. }), || "a node that is alone acknowledged".into());
    arena.expect(took <= REFUSES + Duration::from_secs(1), || format!("refused after {took:?} only"));
    Ok(())
}

/// The link between two of three nodes comes and goes.
pub(super) async fn flaps(arena: &mut Arena) -> anyhow::Result<()> {
    let (one, other) = (arena.random.below(3), 1 + arena.random.below(2));
    let other = (one + other) % 3;
    let mut flaps = 0;
    while arena.goes_on() {
        arena.cluster.network.part(one, other);
        let down = arena.random.millis(50..3_000);
        sleep(down).await;
        arena.cluster.network.heal();
        let up = arena.random.millis(50..3_000);
        sleep(up).await;
        flaps += 1;
    }
    arena.note("flaps", flaps);
    Ok(())
}

/// 5 % of everything.
pub(super) async fn bad(arena: &mut Arena) -> anyhow::Result<()> {
    let five: Probability = "5%".parse()?;
    let faults = Faults::NONE.loss(five).reorder(five).duplicate(five).corrupt(five);
    let faults = faults.delay(Duration::from_millis(1), Duration::from_millis(10));
    arena.cluster.network.faults(faults);
    while arena.goes_on() {
        arena.load.progress(1, Duration::from_secs(30)).await?;
        sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

/// One direction of a link of the leader is a black hole.
pub(super) async fn half_open(arena: &mut Arena) -> anyhow::Result<()> {
    let mut rounds = 0;
    while arena.goes_on() {
        let leader = arena.cluster.leader().await?;
        let other = (leader + 1 + arena.random.below(2)) % 3;
        let (from, to) = if arena.random.below(2) == 0 { (leader, other) } else { (other, leader) };
        arena.cluster.network.cut(from, to);
        let cut = Instant::now();
        // Both give the link up: the one that hears nothing, and the one that is told so or hears no answers.
        let limit = Duration::from_secs(8);
        while linked(arena, leader, other).await && cut.elapsed() < limit {
            sleep(Duration::from_millis(50)).await;
        }
        let noticed = cut.elapsed();
        arena.note("worst_notice_ms", noticed.as_millis() as u64);
        arena.expect(noticed <= Duration::from_secs(6), || format!("noticed after {noticed:?}"));
        arena.load.progress(APPENDS, GOES_ON).await?;
        arena.cluster.network.heal();
        arena.load.progress(APPENDS, GOES_ON).await?;
        rounds += 1;
    }
    arena.note("rounds", rounds);
    Ok(())
}

/// Whether either of two nodes still has a link with the other.
async fn linked(arena: &Arena, one: usize, other: usize) -> bool {
    for (node, peer) in [(one, other), (other, one)] {
        let Ok(answer) = arena.cluster.nodes[node].api("peers").await else { continue };
        let name = &arena.cluster.nodes[peer].setup.name;
        let up = answer["peers"].as_array().is_some_and(|all| all.iter().any(|p| p["node"] == name.as_str()));
        if up {
            return true;
        }
    }
    false
}
