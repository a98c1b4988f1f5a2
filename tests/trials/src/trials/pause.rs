//! Processes that stand still.

use rustix::process::Signal;
use tokio::time::{Duration, sleep};

use crate::trial::Arena;

/// How soon others lead.
const FAILOVER: Duration = Duration::from_secs(10);
const APPENDS: usize = 40;

/// The leader is stopped for some time and goes on as if nothing had been.
pub(super) async fn leader(arena: &mut Arena) -> anyhow::Result<()> {
    let mut pauses = 0;
    while arena.goes_on() {
        let leader = arena.cluster.leader().await?;
        arena.cluster.nodes[leader].signal(Signal::STOP)?;
        let took = arena.load.progress(APPENDS, FAILOVER).await;
        // The longer ones are of a run that takes its time.
        let pause = arena.random.millis(1_000..6_000);
        sleep(pause).await;
        arena.cluster.nodes[leader].signal(Signal::CONT)?;
        arena.note("worst_failover_ms", took?.as_millis() as u64);
        pauses += 1;
        arena.load.progress(APPENDS, FAILOVER).await?;
    }
    arena.note("pauses", pauses);
    Ok(())
}
