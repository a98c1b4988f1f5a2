//! Threads that do the jobs of a keeper.

use std::sync::Arc;

use super::Keeper;
use crate::{
    job::{Done, Job},
    scrub::DamagedPiece,
};

/// How the threads work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellOptions {
    /// How many threads, at least 1.
    pub threads: usize,
    /// The most jobs that may wait.
    pub jobs_max: usize,
    /// How many bytes of segments are read per second to look for damage; 0 for none.
    pub scrub_bytes_per_s: u64,
}

impl Default for ShellOptions {
    fn default() -> Self {
        Self { threads: 1, jobs_max: 16 * 1024, scrub_bytes_per_s: 4 << 20 }
    }
}

/// What the threads tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A job has ended.
    Done(u64, Done),
    /// Damage was found in the background.
    Damaged(Vec<DamagedPiece>),
}

/// More jobs wait than may. The job is given back.
#[derive(Debug)]
pub struct Busy(pub Job);

/// The threads. They end, when what waits is done, with this.
#[derive(Debug)]
pub struct Shell {
    keeper: Arc<Keeper>,
}

/// Starts the threads. `on_event` is called on them and must not block.
///
/// # Errors
/// The system gives no thread.
pub fn spawn(
    keeper: Arc<Keeper>,
    options: ShellOptions,
    on_event: impl Fn(Event) + Send + Sync + 'static,
) -> std::io::Result<Shell> {
    _ = (options, on_event);
    Ok(Shell { keeper })
}

impl Shell {
    /// Hands over a job. Those of one group are done in their order.
    ///
    /// # Errors
    /// [`Busy`] when too many wait.
    pub fn submit(&self, id: u64, job: Job) -> Result<(), Busy> {
        _ = (id, &self.keeper);
        Err(Busy(job))
    }
}
