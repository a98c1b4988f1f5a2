//! Members that come, go, and come back without their memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::trial::Arena;

const APPENDS: usize = 40;
const GOES_ON: Duration = Duration::from_secs(15);
/// Entries that a replica may be behind under load.
const LAG: u64 = 100;
/// How long a change of members may take while things break.
const CHANGED: Duration = Duration::from_secs(90);

/// Three nodes become five and three again, while one at a time is killed or cut off.
pub(super) async fn three_five_three(arena: &mut Arena) -> anyhow::Result<()> {
    let mut leaders = Leaders::default();
    for nth in 3..5 {
        arena.cluster.nodes[nth].start()?;
        arena.cluster.nodes[nth].ready().await?;
    }
    let mut changes = 0;
    for replicas in [5, 3].into_iter().cycle() {
        if !arena.goes_on() && replicas == 5 && changes > 0 {
            break;
        }
        let count = replicas.to_string();
        arena.cluster.mesh(&["group", "replicas", &count]).await?;
        let end = Instant::now() + CHANGED;
        while !has_replicas(&arena.cluster.groups().await?, replicas) {
            anyhow::ensure!(Instant::now() < end, "no {replicas} replicas of every group after {CHANGED:?}");
            let victim = arena.random.below(5);
            if arena.random.below(2) == 0 {
                arena.cluster.nodes[victim].kill().await?;
                sleep(Duration::from_millis(300)).await;
                arena.cluster.nodes[victim].start()?;
                arena.cluster.nodes[victim].ready().await?;
            } else {
                let others: Vec<usize> = (0..5).filter(|other| *other != victim).collect();
                arena.cluster.network.part_sides(&[victim], &others);
                sleep(Duration::from_millis(1_500)).await;
                arena.cluster.network.heal();
            }
            leaders.look(arena).await;
            arena.load.progress(APPENDS, GOES_ON).await?;
        }
        changes += 1;
    }
    arena.note("changes", changes);
    let twice = leaders.twice;
    arena.expect(twice.is_empty(), || format!("two leaders of one term: {twice:?}"));
    Ok(())
}

/// Whether every group has so many voters.
pub(super) fn has_replicas(groups: &[Value], count: usize) -> bool {
    let voters = |group: &Value| {
        group["replicas"]
            .as_array()
            .map_or(0, |all| all.iter().filter(|one| one["role"] != "learner").count())
    };
    !groups.is_empty() && groups.iter().all(|group| voters(group) == count)
}

/// Who said that it leads what.
#[derive(Default)]
pub(super) struct Leaders {
    seen: BTreeMap<(u64, u64), String>,
    twice: Vec<(u64, u64, String, String)>,
}

impl Leaders {
    /// Asks every node which groups it leads.
    async fn look(&mut self, arena: &Arena) {
        let all: Vec<usize> = (0..arena.cluster.nodes.len()).collect();
        self.look_at(arena, &all).await;
    }

    /// The first two of a term that were seen.
    pub(super) fn twice(&self) -> Option<String> {
        self.twice.first().map(|found| format!("{found:?}"))
    }

    /// Asks some nodes which groups they lead; whether that was news.
    pub(super) async fn look_at(&mut self, arena: &Arena, nodes: &[usize]) -> bool {
        let before = self.seen.len();
        for node in nodes.iter().map(|nth| &arena.cluster.nodes[*nth]) {
            let Ok(answer) = node.api("groups").await else { continue };
            for group in answer["groups"].as_array().into_iter().flatten() {
                let name = &node.setup.name;
                if group["leader"] != name.as_str() {
                    continue;
                }
                let key = (group["group"].as_u64().unwrap_or(0), group["term"].as_u64().unwrap_or(0));
                let known = self.seen.entry(key).or_insert_with(|| name.clone());
                if known != name {
                    self.twice.push((key.0, key.1, known.clone(), name.clone()));
                }
            }
        }
        self.seen.len() > before
    }
}

/// A node loses its directory and comes back under its name.
pub(super) async fn wiped(arena: &mut Arena) -> anyhow::Result<()> {
    let mut wipes = 0;
    while wipes == 0 || arena.goes_on() {
        let victim = arena.random.below(3);
        let data = arena.cluster.nodes[victim].setup.data.clone();
        let was = number(&data).context("it had a number")?;
        arena.cluster.nodes[victim].kill().await?;
        std::fs::remove_dir_all(&data)?;
        arena.cluster.nodes[victim].start()?;
        arena.cluster.nodes[victim].ready().await?;
        let began = Instant::now();
        // Under its old number it could vote twice in a term.
        while number(&data).is_none_or(|number| number == was) {
            anyhow::ensure!(began.elapsed() < CHANGED, "n{} has no new number after {CHANGED:?}", victim + 1);
            sleep(Duration::from_millis(50)).await;
        }
        while !votes_again(arena, victim).await? {
            anyhow::ensure!(began.elapsed() < CHANGED, "n{} is no voter after {CHANGED:?}", victim + 1);
            sleep(Duration::from_millis(50)).await;
        }
        arena.cluster.caught_up(LAG, CHANGED).await?;
        arena.note("worst_rejoin_ms", began.elapsed().as_millis() as u64);
        arena.load.progress(APPENDS, GOES_ON).await?;
        wipes += 1;
    }
    arena.note("wipes", wipes);
    Ok(())
}

/// Whether a node has a replica of every group that votes, and nobody votes in its place any more.
async fn votes_again(arena: &mut Arena, nth: usize) -> anyhow::Result<bool> {
    let groups = arena.cluster.groups().await?;
    let own = arena.cluster.nodes[nth].api("groups").await?;
    let own = own["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
    let votes = |group: &Value| group["role"] == "follower" || group["role"] == "leader";
    let exactly = |group: &Value| group["replicas"].as_array().is_some_and(|all| all.len() == 3);
    Ok(own.len() == groups.len()
        && own.iter().all(votes)
        && groups.iter().all(exactly)
        && has_replicas(&groups, 3))
}

/// The number that a data directory says its node has.
fn number(data: &Path) -> Option<u64> {
    let text = std::fs::read_to_string(data.join("DATA")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("number: ")?.parse().ok())
}
