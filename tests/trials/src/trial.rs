//! What a trial is, and how one is run: safety while things break, then liveness once they don't.

use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, timeout};

use crate::cluster::{Cluster, Plan, Programs};
use crate::load::Load;
use crate::oracle::{Id, Verdict};
use crate::random::Random;
use crate::register::Access;

/// How long everything may take to be well again once nothing breaks any more.
const HEALED: Duration = Duration::from_secs(30);
/// The same for what a bug has broken, which may stay so.
const BROKEN: Duration = Duration::from_secs(6);
/// Appends that have to be acknowledged after it is.
const ALIVE: usize = 50;

/// What a trial's body gets to work with.
pub(crate) struct Arena {
    pub(crate) cluster: Cluster,
    pub(crate) load: Load,
    /// By node: a client of that node alone, and of a register that nobody looks at.
    pub(crate) apart: Vec<Access>,
    pub(crate) random: Random,
    /// When things stop breaking.
    pub(crate) end: Instant,
    /// What did not go as it has to, beside what the oracle finds.
    pub(crate) complaints: Vec<String>,
    /// What was measured.
    pub(crate) notes: Vec<(String, u64)>,
}

impl Arena {
    /// Whether there is time for another round.
    pub(crate) fn goes_on(&self) -> bool {
        Instant::now() < self.end
    }

    /// Complains unless it is so.
    pub(crate) fn expect(&mut self, is_so: bool, what: impl FnOnce() -> String) {
        if !is_so {
            self.complaints.push(what());
        }
    }

    /// Writes down a figure; of several of a name the largest counts.
    pub(crate) fn note(&mut self, name: &str, value: u64) {
        match self.notes.iter_mut().find(|(known, _)| known == name) {
            Some((_, largest)) => *largest = value.max(*largest),
            None => self.notes.push((name.to_owned(), value)),
        }
    }
}

/// What goes on while things break.
pub(crate) type Body = for<'a> fn(&'a mut Arena) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + 'a>>;

/// A trial, by its number in the list of what Mesh survives.
pub(crate) struct Trial {
    pub(crate) number: u32,
    pub(crate) name: &'static str,
    /// When it passes, beside nothing lost.
    pub(crate) passes: &'static str,
    /// Nodes that may be, and how many of them begin.
    pub(crate) nodes: (usize, usize),
    /// The longest that a register may go without an acknowledgement, if that is limited.
    pub(crate) gap_max: Option<Duration>,
    /// A node with a small disk, and its bytes.
    pub(crate) small_disk: Option<(usize, u64)>,
    pub(crate) body: Body,
}

/// What came of a trial.
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    pub(crate) complaints: Vec<String>,
    pub(crate) notes: Vec<(String, u64)>,
}

impl Outcome {
    /// Of a trial that could not be run to its end.
    pub(crate) fn broken_off(why: String) -> Self {
        Self { verdict: Verdict::default(), complaints: vec![why], notes: Vec::new() }
    }

    pub(crate) fn passed(&self) -> bool {
        self.verdict.is_safe() && self.complaints.is_empty()
    }
}

/// How a trial is run.
pub(crate) struct Settings<'a> {
    pub(crate) programs: &'a Programs,
    pub(crate) folder: &'a Path,
    pub(crate) seed: u64,
    pub(crate) time: Duration,
    pub(crate) bug: Option<&'a str>,
}

/// Runs a trial in a folder of its own.
pub(crate) async fn run(trial: &Trial, settings: &Settings<'_>) -> anyhow::Result<Outcome> {
    let (nodes, founders) = trial.nodes;
    let bug = settings.bug.map(str::to_owned);
    let plan = Plan { nodes, founders, shards: 4, small_disk: trial.small_disk, bug };
    let cluster = Cluster::start(settings.programs, settings.folder, &plan, settings.seed).await?;
    let registers: Vec<String> = (0..4).map(|nth| format!("r{nth}")).collect();
    let urls = cluster.urls();
    let load = Load::start(&urls[..founders], &registers, 2).await?;
    // What a bug has broken does not heal; there is no need to wait for long.
    let healed = if settings.bug.is_some() { BROKEN } else { HEALED };
    load.progress(ALIVE, HEALED).await.context("before anything was broken")?;
    let mut apart = Vec::new();
    for url in urls.iter().take(founders) {
        apart.push(Access::open(std::slice::from_ref(url), 0, "apart").await?);
    }
    let mut arena = Arena {
        cluster,
        load,
        apart,
        random: Random::new(settings.seed),
        end: Instant::now() + settings.time,
        complaints: Vec::new(),
        notes: Vec::new(),
    };
    let broken_off = (trial.body)(&mut arena).await.err();
    arena.load.pause(false);
    let Arena { mut cluster, load, mut complaints, notes, .. } = arena;
    complaints.extend(broken_off.map(|error| format!("{error:#}")));
    cluster.network.heal();
    for node in cluster.nodes.iter_mut().take(founders) {
        if !node.is_running() {
            node.start()?;
            if let Err(error) = node.ready().await {
                complaints.push(format!("{error:#}"));
            }
        }
    }
    if let Err(error) = load.progress(ALIVE, healed).await {
        complaints.push(format!("after everything was healed: {error:#}"));
    }
    let record = load.stop().await?;
    let ended = record.elapsed();
    if let Err(error) = cluster.caught_up(0, healed).await {
        complaints.push(format!("{error:#}"));
    }
    let names: Vec<String> = record.with(|history| history.registers().map(str::to_owned).collect());
    for (nth, url) in urls.iter().enumerate().take(founders) {
        for register in &names {
            match timeout(2 * healed, read_all(url, register)).await.context("no answer").flatten() {
                Ok(found) => record.with(|history| history.found(register, found)),
                Err(error) => complaints.push(format!("n{}: {register} can't be read: {error:#}", nth + 1)),
            }
        }
    }
    cluster.end().await?;
    let verdict = record.with(|history| history.judge(ended));
    if let Some(most) = trial.gap_max.filter(|most| verdict.worst_gap > *most) {
        complaints.push(format!("{:?} without an acknowledgement, more than {most:?}", verdict.worst_gap));
    }
    Ok(Outcome { verdict, complaints, notes })
}

async fn read_all(url: &str, register: &str) -> anyhow::Result<Vec<(u64, Option<Id>)>> {
    let mut access = Access::open(&[url.to_owned()], 0, register).await?;
    let records = access.read_all().await?;
    Ok(records.iter().map(|(sequence, record)| (*sequence, Id::decode(record))).collect())
}
