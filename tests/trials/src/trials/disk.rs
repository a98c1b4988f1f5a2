//! Disks that are full, slow, forgetful, or fail.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use mesh_client::Code;
use tokio::time::{Instant, sleep};

use crate::trial::Arena;

const APPENDS: usize = 40;
const GOES_ON: Duration = Duration::from_secs(10);
/// How soon a node with a full disk says so.
const REFUSES: Duration = Duration::from_secs(1);
/// How soon a process ends that can't rely on its disk.
const ENDS: Duration = Duration::from_secs(1);
/// How soon a leader with a slow disk leads no more.
const MOVES: Duration = Duration::from_secs(30);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(200);

/// The disk of the first node is full: while it leads, then while it follows.
pub(super) async fn full(arena: &mut Arena) -> anyhow::Result<()> {
    let mut rounds = 0;
    while arena.goes_on() {
        for leads in [true, false] {
            arena.cluster.lead_all(if leads { 0 } else { 1 }).await?;
            let ballast = fill(arena.cluster.nodes[0].setup.data.join("ballast"))?;
            let refused = refusal(arena, leads).await;
            std::fs::remove_file(ballast)?;
            let freed = Instant::now();
            arena.load.progress(APPENDS, 3 * GOES_ON).await?;
            let took = freed.elapsed();
            arena.note("worst_resume_ms", took.as_millis() as u64);
            arena.expect(took <= GOES_ON, || format!("went on {took:?} after space was freed"));
            arena.expect(refused, || format!("no refusal while the disk was full (leader: {leads})"));
        }
        rounds += 1;
    }
    arena.note("rounds", rounds);
    Ok(())
}

/// Appends at the full node until something is refused. A follower may be forwarding to a leader that has room, so that
/// only going on is asked of it.
async fn refusal(arena: &mut Arena, leads: bool) -> bool {
    if !leads {
        return arena.load.progress(APPENDS, GOES_ON).await.is_ok();
    }
    let end = Instant::now() + 6 * GOES_ON;
    let large = vec![b'x'; 64 << 10];
    let mut others: BTreeMap<String, u64> = BTreeMap::new();
    while Instant::now() < end {
        let began = Instant::now();
        // Another refusal: leadership is moving to where there is room.
        let code = arena.apart[0].refusal(&large, REFUSES).await;
        if code == Some(Code::StorageFull) {
            let took = began.elapsed();
            arena.note("worst_refusal_ms", took.as_millis() as u64);
            // The client tries again until its time is up, and what it then says is what it was told.
            arena.expect(took <= REFUSES + SLACK, || format!("refused after {took:?}"));
            return true;
        }
        *others.entry(code.map_or_else(|| "taken".to_owned(), |code| code.to_string())).or_default() += 1;
    }
    arena.expect(false, || format!("instead of a refusal: {others:?}"));
    false
}

/// A file that takes all the room that there is.
fn fill(path: PathBuf) -> anyhow::Result<PathBuf> {
    let mut file = File::create(&path)?;
    let mut block = vec![0x5a; 1 << 20];
    while !block.is_empty() {
        if file.write_all(&block).is_err() {
            let half = block.len() / 2;
            block.truncate(half);
        }
    }
    Ok(path)
}

/// `fdatasync` fails once on the leader.
pub(super) async fn fails(arena: &mut Arena) -> anyhow::Result<()> {
    let mut failures = 0;
    while arena.goes_on() {
        let victim = arena.cluster.leader().await?;
        arena.cluster.nodes[victim].faults("fail-sync=1")?;
        let told = Instant::now();
        let mut ended = None;
        while ended.is_none() && told.elapsed() < 10 * ENDS {
            ended = arena.cluster.nodes[victim].ended()?;
            sleep(Duration::from_millis(5)).await;
        }
        let took = told.elapsed();
        arena.note("worst_end_ms", took.as_millis() as u64);
        arena.expect(ended.is_some_and(|status| !status.success()), || format!("ended as {ended:?}"));
        // It looks for its faults a few times a second, and has to write something.
        arena.expect(took <= ENDS + Duration::from_millis(500), || format!("ended after {took:?}"));
        arena.load.progress(APPENDS, GOES_ON).await?;
        arena.cluster.nodes[victim].faults("")?;
        arena.cluster.restart(victim).await?;
        arena.load.progress(APPENDS, GOES_ON).await?;
        failures += 1;
    }
    arena.note("failures", failures);
    Ok(())
}

/// `fdatasync` takes 500 ms on a follower, then on the leader.
pub(super) async fn slow(arena: &mut Arena) -> anyhow::Result<()> {
    const SLOW: &str = "sync-delay=500ms";
    arena.cluster.lead_all(0).await?;
    let usual = rate(arena).await;
    arena.cluster.nodes[1].faults(SLOW)?;
    // Until it is known to be slow.
    sleep(Duration::from_secs(1)).await;
    let with_follower = rate(arena).await;
    arena.cluster.nodes[1].faults("")?;
    arena.note("usual_per_s", usual as u64);
    arena.note("slow_follower_per_s", with_follower as u64);
    arena.expect(with_follower >= 0.8 * usual, || {
        format!("{with_follower:.0}/s with a slow follower, else {usual:.0}")
    });
    arena.cluster.lead_all(0).await?;
    arena.cluster.nodes[0].faults(SLOW)?;
    let began = Instant::now();
    while arena.cluster.leads(0).await? > 0 && began.elapsed() < 2 * MOVES {
        sleep(Duration::from_millis(50)).await;
    }
    let took = began.elapsed();
    arena.note("moved_ms", took.as_millis() as u64);
    arena.expect(took <= MOVES, || format!("the leader moved after {took:?}"));
    arena.cluster.nodes[0].faults("")?;
    Ok(())
}

/// Acknowledgements per second, over some seconds.
async fn rate(arena: &Arena) -> f64 {
    let (before, began) = (arena.load.acknowledged(), Instant::now());
    sleep(Duration::from_secs(5)).await;
    (arena.load.acknowledged() - before) as f64 / began.elapsed().as_secs_f64()
}

/// A follower keeps in memory what it writes until it is synced, is killed, and has to be part of the next majority.
pub(super) async fn forgets(arena: &mut Arena) -> anyhow::Result<()> {
    let mut rounds = 0;
    while arena.goes_on() {
        let leader = arena.cluster.leader().await?;
        let victim = (leader + 1) % 3;
        let third = (leader + 2) % 3;
        arena.cluster.nodes[victim].faults("forget-unsynced")?;
        arena.cluster.restart(victim).await?;
        arena.load.progress(APPENDS, GOES_ON).await?;
        arena.cluster.nodes[victim].kill().await?;
        // Without the leader, the one that forgot is needed.
        arena.cluster.nodes[leader].kill().await?;
        arena.cluster.nodes[victim].start()?;
        arena.cluster.nodes[victim].ready().await?;
        anyhow::ensure!(arena.cluster.nodes[third].is_running(), "the third node ended by itself");
        arena.load.progress(APPENDS, GOES_ON).await?;
        arena.cluster.nodes[leader].start()?;
        arena.cluster.nodes[leader].ready().await?;
        arena.load.progress(APPENDS, GOES_ON).await?;
        arena.cluster.nodes[victim].faults("")?;
        rounds += 1;
    }
    arena.note("rounds", rounds);
    Ok(())
}
