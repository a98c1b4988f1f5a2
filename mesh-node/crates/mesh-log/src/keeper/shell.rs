//! Threads that do the jobs of a keeper.

use std::{
    collections::VecDeque,
    io,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use super::Keeper;
use crate::{
    job::{Done, Job},
    scrub::{DamagedPiece, Progress, Scrub},
};

/// How often a part of the segments is looked at for damage.
const SCRUB_EVERY: Duration = Duration::from_millis(250);

/// How the threads work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellOptions {
    /// How many threads, at least 1.
    pub threads: usize,
    /// The most jobs that may wait for one thread.
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
    queues: Vec<Arc<Queue>>,
    threads: Vec<JoinHandle<()>>,
    jobs_max: usize,
    progress: Arc<Mutex<Progress>>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<(u64, Job)>,
    closed: bool,
}

enum Next {
    Job(u64, Job),
    TimeUp,
    Closed,
}

/// Starts the threads. `on_event` is called on them and must not block.
///
/// # Errors
/// The system gives no thread.
pub fn spawn(
    keeper: Arc<Keeper>,
    options: ShellOptions,
    on_event: impl Fn(Event) + Send + Sync + 'static,
) -> io::Result<Shell> {
    let on_event = Arc::new(on_event);
    let mut shell = Shell {
        queues: Vec::new(),
        threads: Vec::new(),
        jobs_max: options.jobs_max,
        progress: Arc::default(),
    };
    for number in 0..options.threads.max(1) {
        let queue = Arc::new(Queue::default());
        let scrubs = number == 0 && options.scrub_bytes_per_s > 0;
        let scrubbing = scrubs.then(|| Scrubbing {
            scrub: Scrub::new(keeper.clone()),
            bytes: options.scrub_bytes_per_s.div_ceil(1000 / SCRUB_EVERY.as_millis() as u64),
            next: Instant::now() + SCRUB_EVERY,
            progress: shell.progress.clone(),
        });
        let thread = {
            let (queue, keeper, on_event) = (queue.clone(), keeper.clone(), on_event.clone());
            let name = format!("mesh-keeper-{number}");
            thread::Builder::new().name(name).spawn(move || work(&queue, &keeper, scrubbing, &*on_event))?
        };
        shell.queues.push(queue);
        shell.threads.push(thread);
    }
    Ok(shell)
}

struct Scrubbing {
    scrub: Scrub,
    bytes: u64,
    next: Instant,
    progress: Arc<Mutex<Progress>>,
}

impl Scrubbing {
    fn step_if_due(&mut self) -> Vec<DamagedPiece> {
        let now = Instant::now();
        if now < self.next {
            return Vec::new();
        }
        self.next = now + SCRUB_EVERY;
        let damaged = self.scrub.step(self.bytes);
        *self.progress.lock() = self.scrub.progress();
        damaged
    }
}

fn work(queue: &Queue, keeper: &Keeper, mut scrubbing: Option<Scrubbing>, on_event: &dyn Fn(Event)) {
    loop {
        let until = scrubbing.as_ref().map(|scrubbing| scrubbing.next);
        match queue.next(until) {
            Next::Job(id, job) => on_event(Event::Done(id, keeper.run(job))),
            Next::TimeUp => {}
            Next::Closed => return,
        }
        let damaged = scrubbing.as_mut().map(Scrubbing::step_if_due).unwrap_or_default();
        if !damaged.is_empty() {
            on_event(Event::Damaged(damaged));
        }
    }
}

impl Queue {
    fn next(&self, until: Option<Instant>) -> Next {
        let mut waiting = self.waiting.lock();
        loop {
            if let Some((id, job)) = waiting.jobs.pop_front() {
                return Next::Job(id, job);
            }
            if waiting.closed {
                return Next::Closed;
            }
            match until {
                None => self.changed.wait(&mut waiting),
                Some(until) => {
                    if self.changed.wait_until(&mut waiting, until).timed_out() {
                        return Next::TimeUp;
                    }
                }
            }
        }
    }
}

impl Shell {
    /// Hands over a job. Those of one group are done in their order.
    ///
    /// # Errors
    /// [`Busy`] when too many wait.
    pub fn submit(&self, id: u64, job: Job) -> Result<(), Busy> {
        let queue = &self.queues[thread_of(&job) % self.queues.len()];
        let mut waiting = queue.waiting.lock();
        if waiting.jobs.len() >= self.jobs_max {
            return Err(Busy(job));
        }
        waiting.jobs.push_back((id, job));
        queue.changed.notify_one();
        Ok(())
    }

    /// How far the search for damage is.
    #[must_use]
    pub fn scrub_progress(&self) -> Progress {
        *self.progress.lock()
    }
}

/// Jobs of a group go to one thread, and those that are about files to another one.
fn thread_of(job: &Job) -> usize {
    match job {
        Job::Read { group, .. }
        | Job::Checkpoint { group, .. }
        | Job::Move { group, .. }
        | Job::Store { group, .. }
        | Job::Forget { group } => group.0 as usize,
        Job::Keep { .. } | Job::Compact { .. } | Job::Drop { .. } => 0,
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        for queue in &self.queues {
            queue.waiting.lock().closed = true;
            queue.changed.notify_one();
        }
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}
