//! Clocks that are wrong.

use std::time::Duration;

use tokio::time::sleep;

use crate::trial::Arena;

const APPENDS: usize = 40;
const GOES_ON: Duration = Duration::from_secs(10);

/// The wall clocks of nodes jump by an hour, forwards and backwards, while they run.
pub(super) async fn off(arena: &mut Arena) -> anyhow::Result<()> {
    // Else leads move in the midst of it, because of no clock.
    arena.cluster.lead_in_turn().await?;
    let before = terms(arena).await?;
    let mut jumps = 0;
    while arena.goes_on() {
        let victim = arena.random.below(3);
        let offset = *arena.random.pick(&["clock=+1h", "clock=-1h", ""]);
        arena.cluster.nodes[victim].faults(offset)?;
        arena.load.progress(APPENDS, GOES_ON).await?;
        jumps += 1;
        sleep(Duration::from_millis(500)).await;
    }
    let after = terms(arena).await?;
    arena.note("jumps", jumps);
    arena.expect(before == after, || format!("terms were {before:?} and are {after:?}"));
    Ok(())
}

/// The term of every group.
async fn terms(arena: &mut Arena) -> anyhow::Result<Vec<(u64, u64)>> {
    let groups = arena.cluster.groups().await?;
    let number = |value: &serde_json::Value| value.as_u64().unwrap_or(0);
    let mut terms: Vec<_> =
        groups.iter().map(|group| (number(&group["group"]), number(&group["term"]))).collect();
    terms.sort_unstable();
    Ok(terms)
}
