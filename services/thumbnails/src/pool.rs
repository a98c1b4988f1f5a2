//! A bounded number of worker threads, and a bounded number of callers that wait for one.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::error::Error;

/// Runs jobs that need a processor for long on threads of their own, off the threads that read and write.
#[derive(Debug, Clone)]
pub struct Pool {
    /// One permit for each caller who works or waits.
    admitted: Arc<Semaphore>,
    /// One permit for each worker.
    workers: Arc<Semaphore>,
    waiting: usize,
}

impl Pool {
    /// A pool that runs `workers` jobs at once and lets `waiting` callers wait.
    pub fn new(workers: usize, waiting: usize) -> Self {
        let workers = workers.max(1);
        Self {
            admitted: Arc::new(Semaphore::new(workers.saturating_add(waiting))),
            workers: Arc::new(Semaphore::new(workers)),
            waiting,
        }
    }

    /// Runs `job` when a worker is free and gives back what it returns.
    ///
    /// # Errors
    /// [`Error::Busy`] at once when the workers are busy and as many callers wait as may; else the job's own error.
    ///
    /// # Cancel safety
    /// Dropped while it waits, the job never runs. Dropped while the job runs, the job ends unheard, and holds its
    /// worker until then, so that cancelled callers can't pile up work beyond the bound.
    pub async fn run<T, F>(&self, job: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T, Error> + Send + 'static,
    {
        let busy = || Error::Busy { waiting: self.waiting };
        let admitted = self.admitted.clone().try_acquire_owned().map_err(|_| busy())?;
        let worker = self.workers.clone().acquire_owned().await.map_err(|_| busy())?;
        tokio::task::spawn_blocking(move || {
            let made = job();
            drop((worker, admitted));
            made
        })
        .await
        .unwrap_or_else(|stopped| Err(Error::Encode { reason: format!("the worker stopped: {stopped}") }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::{mpsc, oneshot};

    use super::*;

    /// Starts a job that tells when it runs and ends when told.
    fn held(
        pool: &Pool,
        running: mpsc::UnboundedSender<()>,
    ) -> (oneshot::Sender<()>, tokio::task::JoinHandle<bool>) {
        let (end, ended) = oneshot::channel::<()>();
        let pool = pool.clone();
        let task = tokio::spawn(async move {
            pool.run(move || {
                running.send(()).expect("the test listens");
                ended.blocking_recv().ok();
                Ok(())
            })
            .await
            .is_ok()
        });
        (end, task)
    }

    #[tokio::test]
    async fn refuses_the_first_caller_beyond_workers_and_waiting() {
        let pool = Pool::new(1, 1);
        let (running, mut started) = mpsc::unbounded_channel();
        let (end_first, first) = held(&pool, running.clone());
        started.recv().await.expect("the first job runs");
        let (end_second, second) = held(&pool, running);
        while pool.admitted.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.run(|| Ok(())).await, Err(Error::Busy { waiting: 1 }));
        end_first.send(()).expect("the first job waits");
        assert!(first.await.expect("the first job ends"));
        started.recv().await.expect("the second job runs after the first");
        end_second.send(()).expect("the second job waits");
        assert!(second.await.expect("the second job ends"));
        assert_eq!(pool.run(|| Ok(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn a_job_whose_caller_left_keeps_its_worker_until_it_ends() {
        let pool = Pool::new(1, 0);
        let (running, mut started) = mpsc::unbounded_channel();
        let (end, task) = held(&pool, running);
        started.recv().await.expect("the job runs");
        task.abort();
        assert!(task.await.expect_err("aborted").is_cancelled());
        assert_eq!(pool.run(|| Ok(())).await, Err(Error::Busy { waiting: 0 }));
        end.send(()).expect("the job still runs");
        let permit = pool.admitted.acquire().await.expect("the worker comes back");
        drop(permit);
        assert_eq!(pool.run(|| Ok(())).await, Ok(()));
    }

    #[tokio::test]
    async fn a_caller_who_left_the_queue_runs_nothing() {
        let pool = Pool::new(1, 1);
        let ran = Arc::new(AtomicUsize::new(0));
        let (running, mut started) = mpsc::unbounded_channel();
        let (end, first) = held(&pool, running);
        started.recv().await.expect("the job runs");
        let (waiting_pool, counter) = (pool.clone(), ran.clone());
        let waiting = tokio::spawn(async move {
            waiting_pool
                .run(move || {
                    counter.fetch_add(1, Ordering::Relaxed);
                    Ok(())
                })
                .await
        });
        while pool.admitted.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        waiting.abort();
        assert!(waiting.await.expect_err("aborted").is_cancelled());
        end.send(()).expect("the job waits");
        assert!(first.await.expect("the job ends"));
        assert_eq!(pool.run(|| Ok(())).await, Ok(()));
        assert_eq!(ran.load(Ordering::Relaxed), 0);
    }
}
