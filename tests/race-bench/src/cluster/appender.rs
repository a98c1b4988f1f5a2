//! A client that appends one record at a time, and remembers when each was acknowledged.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use mesh_client::{Client, Register};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// So long an acknowledgement may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// See the module. It ends when it is dropped.
pub(super) struct Appender {
    task: JoinHandle<anyhow::Result<()>>,
    appends: Arc<watch::Sender<Vec<Append>>>,
    group: u32,
}

#[derive(Clone, Copy)]
struct Append {
    began: Instant,
    acknowledged: Instant,
}

impl Drop for Appender {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Appender {
    /// A client of the node at `url`.
    pub(super) async fn start(url: &str) -> anyhow::Result<Self> {
        let client = Client::builder().name("race").endpoint(url).connect().await?;
        let register = client.register("race").await?;
        let (group, appends) = (register.group(), Arc::new(watch::Sender::new(Vec::new())));
        let task = tokio::spawn(append(register, Arc::clone(&appends)));
        let this = Self { task, appends, group };
        this.first_since(Instant::now()).await?;
        Ok(this)
    }

    /// The group that keeps what is appended.
    pub(super) fn group(&self) -> u32 {
        self.group
    }

    /// When the first append was acknowledged that began at `begin` or later. What was on its way then may have been
    /// acknowledged by whoever is no more.
    pub(super) async fn first_since(&self, begin: Instant) -> anyhow::Result<Instant> {
        let mut appends = self.appends.subscribe();
        let since = |append: &&Append| append.began >= begin;
        let found = appends.wait_for(|appends| appends.iter().any(|append| since(&append)));
        let found = timeout(PATIENCE, found)
            .await
            .with_context(|| format!("no acknowledgement within {PATIENCE:?}"))?
            .context("nothing is appended any more")?;
        found.iter().find(since).map(|append| append.acknowledged).context("no acknowledgement")
    }

    /// The longest time without an acknowledgement, from the last one before `begin` on until now.
    pub(super) fn longest_gap_since(&self, begin: Instant) -> Duration {
        let times: Vec<Instant> = self.appends.borrow().iter().map(|append| append.acknowledged).collect();
        longest_gap(&times, begin, Instant::now())
    }

    /// Forgets all but the last acknowledgement.
    pub(super) fn forget(&self) {
        self.appends.send_modify(|appends| {
            appends.drain(..appends.len().saturating_sub(1));
        });
    }
}

async fn append(register: Register, appends: Arc<watch::Sender<Vec<Append>>>) -> anyhow::Result<()> {
    loop {
        let began = Instant::now();
        register.append([[0x5a_u8; 128]]).await?;
        appends.send_modify(|appends| appends.push(Append { began, acknowledged: Instant::now() }));
    }
}

fn longest_gap(times: &[Instant], begin: Instant, end: Instant) -> Duration {
    let before = times.iter().rev().find(|time| **time <= begin).copied().unwrap_or(begin);
    let mut last = before;
    let mut longest = Duration::ZERO;
    for time in times.iter().copied().filter(|time| *time > begin).chain([end]) {
        longest = longest.max(time.saturating_duration_since(last));
        last = time;
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_may_begin_before_and_may_not_have_ended() {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let times = [at(0), at(90), at(91), at(95), at(99)];
        for (begin, end, longest) in [(92, 100, 4), (93, 120, 21), (1, 99, 90), (0, 99, 90), (91, 99, 4)] {
            let gap = longest_gap(&times, at(begin), at(end));
            assert_eq!(gap, Duration::from_millis(longest), "{begin} to {end}");
        }
        assert_eq!(longest_gap(&[], at(3), at(5)), Duration::from_millis(2));
    }
}
