//! Who waits for what an operator asked for.

use std::collections::HashMap;

use bytes::Bytes;
use foldhash::fast::RandomState;
use tokio::sync::oneshot;

use super::answer::Refusal;

/// Questions of operators under way, by number.
#[derive(Debug, Default)]
pub(super) struct Operators {
    waiting: HashMap<u64, oneshot::Sender<Result<Bytes, Refusal>>, RandomState>,
    next: u64,
}

impl Operators {
    /// A question; its number, and where the answer comes.
    pub(super) fn begin(&mut self) -> (u64, oneshot::Receiver<Result<Bytes, Refusal>>) {
        let (sender, receiver) = oneshot::channel();
        self.next += 1;
        self.waiting.retain(|_, waiting| !waiting.is_closed());
        self.waiting.insert(self.next, sender);
        (self.next, receiver)
    }

    /// The answer.
    pub(super) fn end(&mut self, number: u64, outcome: Result<Bytes, Refusal>) {
        if let Some(waiting) = self.waiting.remove(&number) {
            // Who asked may not have had the patience.
            waiting.send(outcome).unwrap_or_default();
        }
    }
}
