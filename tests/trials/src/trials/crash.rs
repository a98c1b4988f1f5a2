//! Processes that are killed.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::trial::Arena;

/// How long a register may go without an acknowledgement when its leader is killed.
const GAP: Duration = Duration::from_secs(3);
/// How soon a cluster serves that was started again.
const SERVES: Duration = Duration::from_secs(10);
/// Appends that show that all registers are served again.
const APPENDS: usize = 40;

/// The leader is killed, and started again once another one leads; at most 50 times.
pub(super) async fn leader(arena: &mut Arena) -> anyhow::Result<()> {
    let mut kills = 0;
    while arena.goes_on() && kills < 50 {
        let leader = arena.cluster.leader().await?;
        arena.cluster.nodes[leader].kill().await?;
        kills += 1;
        let took = arena.load.progress(APPENDS, SERVES).await?;
        arena.note("worst_failover_ms", took.as_millis() as u64);
        arena.expect(took <= GAP, || format!("kill {kills}: {APPENDS} appends took {took:?}"));
        arena.cluster.nodes[leader].start()?;
        arena.cluster.nodes[leader].ready().await?;
        arena.cluster.settled().await?;
        let pause = arena.random.millis(100..800);
        sleep(pause).await;
    }
    arena.note("kills", kills);
    Ok(())
}

/// All nodes are killed, one shortly after the other, and started again; at most 20 times.
pub(super) async fn all(arena: &mut Arena) -> anyhow::Result<()> {
    let mut rounds = 0;
    while arena.goes_on() && rounds < 20 {
        for nth in 0..arena.cluster.nodes.len() {
            let pause = arena.random.millis(0..20);
            sleep(pause).await;
            arena.cluster.nodes[nth].kill().await?;
        }
        let began = Instant::now();
        arena.cluster.nodes.iter_mut().try_for_each(|node| node.start())?;
        rounds += 1;
        arena.load.progress(APPENDS, 3 * SERVES).await?;
        let took = began.elapsed();
        arena.note("worst_start_ms", took.as_millis() as u64);
        arena.expect(took <= SERVES, || format!("round {rounds}: served after {took:?}"));
        let pause = arena.random.millis(100..1_000);
        sleep(pause).await;
    }
    arena.note("rounds", rounds);
    Ok(())
}

/// The leader is killed so soon after it began that many acknowledgements are lost on their way.
pub(super) async fn ambiguous(arena: &mut Arena) -> anyhow::Result<()> {
    let mut kills = 0;
    while arena.goes_on() {
        let leader = arena.cluster.leader().await?;
        // In the midst of acknowledgements: these go to clients of all nodes.
        arena.load.progress(1, SERVES).await?;
        arena.cluster.nodes[leader].kill().await?;
        arena.cluster.nodes[leader].start()?;
        arena.cluster.nodes[leader].ready().await?;
        arena.load.progress(APPENDS, SERVES).await?;
        kills += 1;
    }
    arena.note("kills", kills);
    Ok(())
}
