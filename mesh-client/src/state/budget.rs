//! How many retries are allowed.

/// One retry for this many calls.
const CALLS_PER_RETRY: u32 = 10;
/// Retries that may be saved up; also what a new client starts with.
const RETRIES_MAX: u32 = 10;

/// A budget of retries: each call earns a tenth of one, each retry costs one, and ten can be saved up.
///
/// A service that fails for everybody is so asked once more by one call in ten, not by all.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    /// In tenths of a retry.
    tenths: u32,
}

impl RetryBudget {
    pub(crate) fn new() -> Self {
        Self { tenths: RETRIES_MAX * CALLS_PER_RETRY }
    }

    /// Input: a call that may be retried was made.
    pub(crate) fn handle_call(&mut self) {
        self.tenths = (self.tenths + 1).min(RETRIES_MAX * CALLS_PER_RETRY);
    }

    /// Command: takes one retry, if there is one.
    pub(crate) fn take(&mut self) -> bool {
        let left = self.tenths.checked_sub(CALLS_PER_RETRY);
        self.tenths = left.unwrap_or(self.tenths);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spent_budget_earns_one_retry_with_ten_calls() {
        let mut budget = RetryBudget::new();
        for _ in 0..RETRIES_MAX {
            assert!(budget.take());
        }
        assert!(!budget.take(), "one more than the maximum");
        for calls in 1..=CALLS_PER_RETRY {
            assert!(!budget.take(), "after {} calls", calls - 1);
            budget.handle_call();
        }
        assert!(budget.take());
        assert!(!budget.take());
    }

    #[test]
    fn savings_are_bounded() {
        let mut budget = RetryBudget::new();
        for _ in 0..1_000 {
            budget.handle_call();
        }
        assert_eq!((0..1_000).filter(|_| budget.take()).count(), RETRIES_MAX as usize);
    }
}
