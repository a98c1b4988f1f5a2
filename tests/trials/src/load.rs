//! Writers and readers that go on while things break, and write down what they saw.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::oracle::{Fate, History, Id};
use crate::register::{Access, Append};

/// How long a writer waits for an acknowledgement before it says that nobody knows.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long between two appends of a writer, so that logs stay small enough to be compared.
const PAUSE: Duration = Duration::from_millis(2);
/// How long between two reads of a reader.
const READ_PAUSE: Duration = Duration::from_millis(25);

/// What the writers and readers share.
pub(crate) struct Record {
    began: Instant,
    history: Mutex<History>,
    /// By register: the last place that was acknowledged.
    acknowledged: Mutex<HashMap<String, u64>>,
}

impl Record {
    fn new() -> Arc<Self> {
        let (history, acknowledged) = (Mutex::default(), Mutex::default());
        Arc::new(Self { began: Instant::now(), history, acknowledged })
    }

    /// Time since the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Does something with what happened so far.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut History) -> R) -> R {
        act(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn over(&self, register: &str, id: Id, fate: Fate) {
        let at = self.elapsed();
        self.with(|history| history.record(register, id, fate, at));
        if let Fate::Acknowledged { sequence } = fate {
            let mut all = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
            let last = all.entry(register.to_owned()).or_default();
            *last = sequence.max(*last);
        }
    }

    /// The last place of a register that was acknowledged.
    pub(crate) fn last(&self, register: &str) -> u64 {
        let all = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(register).copied().unwrap_or(0)
    }
}

/// Writers and readers at work.
pub(crate) struct Load {
    pub(crate) record: Arc<Record>,
    stop: watch::Sender<bool>,
    pause: watch::Sender<bool>,
    registers: Vec<String>,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Load {
    /// Lets `writers` append to each of `registers`, and one reader look at each.
    pub(crate) async fn start(urls: &[String], registers: &[String], writers: u32) -> anyhow::Result<Self> {
        let record = Record::new();
        let stop = watch::Sender::new(false);
        let pause = watch::Sender::new(false);
        let mut tasks = JoinSet::new();
        let mut writer = 0;
        for register in registers {
            for _ in 0..writers {
                writer += 1;
                // Each begins at another node.
                let access = Access::open(urls, writer as usize, register).await?;
                let (stop, pause) = (stop.subscribe(), pause.subscribe());
                tasks.spawn(write(access, register.clone(), writer, Arc::clone(&record), stop, pause));
            }
            let access = Access::open(urls, writer as usize + 1, register).await?;
            tasks.spawn(read(access, register.clone(), Arc::clone(&record), stop.subscribe()));
        }
        Ok(Self { record, stop, pause, registers: registers.to_vec(), tasks })
    }

    /// The registers.
    pub(crate) fn registers(&self) -> &[String] {
        &self.registers
    }

    /// Lets the writers wait with what they have not begun yet, or go on.
    pub(crate) fn pause(&self, on: bool) {
        self.pause.send_replace(on);
    }

    /// How many appends were acknowledged so far.
    pub(crate) fn acknowledged(&self) -> usize {
        self.record.with(|history| history.acknowledged())
    }

    /// Waits until so many more appends were acknowledged.
    pub(crate) async fn progress(&self, appends: usize, within: Duration) -> anyhow::Result<Duration> {
        let (began, goal) = (Instant::now(), self.acknowledged() + appends);
        while self.acknowledged() < goal {
            let waited = began.elapsed();
            anyhow::ensure!(waited < within, "no {appends} appends were acknowledged within {within:?}");
            sleep(Duration::from_millis(5)).await;
        }
        Ok(began.elapsed())
    }

    /// Lets everybody finish what they have begun.
    pub(crate) async fn stop(mut self) -> anyhow::Result<Arc<Record>> {
        self.stop.send_replace(true);
        self.pause(false);
        while let Some(ended) = self.tasks.join_next().await {
            ended??;
        }
        Ok(self.record)
    }
}

async fn write(
    mut access: Access,
    register: String,
    writer: u32,
    record: Arc<Record>,
    stop: watch::Receiver<bool>,
    mut pause: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let mut number = 0;
    while !*stop.borrow() {
        pause.wait_for(|paused| !paused).await?;
        number += 1;
        let id = Id { writer, number };
        let fate = match access.append(&id.encode(), PATIENCE).await {
            Append::Done { sequence } => Fate::Acknowledged { sequence },
            Append::Refused => Fate::Refused,
            Append::Unknown => Fate::Unknown,
        };
        record.over(&register, id, fate);
        sleep(PAUSE).await;
    }
    Ok(())
}

async fn read(
    mut access: Access,
    register: String,
    record: Arc<Record>,
    stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    while !*stop.borrow() {
        let before = record.last(&register);
        // No answer is none that could be stale.
        if let Some(end) = access.end(before + 1).await
            && end < before
        {
            record.with(History::stale_read);
        }
        sleep(READ_PAUSE).await;
    }
    Ok(())
}
