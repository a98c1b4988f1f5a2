//! What a receiver still has room for.

/// The credit of one bounded buffer, of which the sender holds a part.
///
/// ```text
///  capacity = with the sender + on its way or queued here + held by the consumer, not yet returned
/// ```
/// Credit goes back in batches of half the capacity, so that one frame pays for many messages and the sender is
/// never out of credit while the consumer keeps up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Credit {
    capacity: u32,
    held: u32,
}

impl Credit {
    /// For a buffer of `capacity` messages, at least one.
    pub(crate) fn new(capacity: u32) -> Self {
        Self { capacity: capacity.max(1), held: 0 }
    }

    /// Messages that fit in all.
    pub(crate) fn capacity(&self) -> u32 {
        self.capacity
    }

    /// How many consumed messages make it worth while to return their credit.
    pub(crate) fn batch(&self) -> u32 {
        self.capacity.div_ceil(2)
    }

    /// Input: the consumer was handed `messages`.
    pub(crate) fn handle_taken(&mut self, messages: u32) {
        self.held = self.held.saturating_add(messages);
    }

    /// Input: the credit for `messages` goes back to the sender.
    pub(crate) fn handle_returned(&mut self, messages: u32) {
        self.held = self.held.saturating_sub(messages);
    }

    /// What a new sender starts with, while `queued` messages wait here. At least one: less can't be asked for.
    pub(crate) fn initial(&self, queued: u32) -> u32 {
        self.capacity.saturating_sub(queued).saturating_sub(self.held).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_the_capacity_goes_back_at_once() {
        for (capacity, batch) in [(0, 1), (1, 1), (2, 1), (3, 2), (8_192, 4_096), (65_535, 32_768)] {
            assert_eq!(Credit::new(capacity).batch(), batch, "capacity {capacity}");
        }
    }

    #[test]
    fn a_new_sender_gets_what_is_free() {
        let mut credit = Credit::new(100);
        assert_eq!(credit.initial(0), 100);
        credit.handle_taken(30);
        assert_eq!(credit.initial(20), 50);
        credit.handle_returned(30);
        assert_eq!(credit.initial(20), 80);
        credit.handle_taken(80);
        assert_eq!(credit.initial(20), 1, "nothing is free, one is the least");
    }
}
