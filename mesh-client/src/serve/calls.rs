//! The calls that handlers are working on.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};
use tokio::task::AbortHandle;

/// Calls of one endpoint that got a task, by id. A call without an entry here is over: it is answered, or nobody
/// waits for it any more.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    running: Mutex<HashMap<u64, Running, RandomState>>,
    taken: AtomicU64,
    finished: Notify,
}

#[derive(Debug)]
struct Running {
    task: AbortHandle,
    /// Replies that the requester has room for.
    credit: Arc<Semaphore>,
}

impl Calls {
    /// Counts a call, whether it gets a task or not.
    pub(crate) fn count(&self) {
        self.taken.fetch_add(1, Ordering::Relaxed);
    }

    /// Calls taken so far.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Calls that have a task.
    pub(crate) fn running(&self) -> usize {
        self.running.lock().len()
    }

    /// Gives call `id` a task.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        id: u64,
        credit: Arc<Semaphore>,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        let calls = Arc::clone(self);
        // Held until the entry is there: the task looks for it when it ends.
        let mut running = self.running.lock();
        let task = tokio::spawn(async move {
            work.await;
            calls.remove(id);
        });
        running.insert(id, Running { task: task.abort_handle(), credit });
    }

    /// Whether the call is still to be answered.
    pub(crate) fn is_running(&self, id: u64) -> bool {
        self.running.lock().contains_key(&id)
    }

    /// The requester has room for `more` replies.
    pub(crate) fn add_credit(&self, id: u64, more: u32) {
        if let Some(running) = self.running.lock().get(&id) {
            let room = Semaphore::MAX_PERMITS - running.credit.available_permits();
            running.credit.add_permits((more as usize).min(room));
        }
    }

    /// Nobody waits for the call any more.
    pub(crate) fn abort(&self, id: u64) {
        if let Some(running) = self.remove(id) {
            running.task.abort();
        }
    }

    /// Nobody waits for any call any more. Their ids.
    pub(crate) fn abort_all(&self) -> Vec<u64> {
        let all = std::mem::take(&mut *self.running.lock());
        self.finished.notify_waiters();
        all.into_iter()
            .map(|(id, running)| {
                running.task.abort();
                id
            })
            .collect()
    }

    fn remove(&self, id: u64) -> Option<Running> {
        let removed = self.running.lock().remove(&id);
        self.finished.notify_waiters();
        removed
    }

    /// Waits until no call has a task.
    pub(crate) async fn idle(&self) {
        loop {
            let finished = self.finished.notified();
            if self.running() == 0 {
                return;
            }
            finished.await;
        }
    }
}
