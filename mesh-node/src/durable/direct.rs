//! Whether a write is made here and now, or left to the log's thread.
//!
//! To have it made costs two wakes of a thread, half as much as the sync itself; to make it here holds up everybody else on
//! this thread for as long as the disk takes. So it is made here only for one who is alone: nobody else has had anything
//! written for a while, nobody has published or asked through this thread, and the disk was quick the last time (ADR 0103).

use std::time::Duration;

use mesh_core::{peering::LinkNumber, routing::LinkId};

/// How long somebody has to be alone before.
const ALONE: Duration = Duration::from_millis(10);
/// What a write may take.
const QUICK: Duration = Duration::from_micros(300);
/// After one that took longer, none is made here for so many times as long.
const PAUSE: u32 = 16;

/// Who has something written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A client of this node.
    Link(LinkId),
    /// Another node.
    Peer(LinkNumber),
}

/// See the module. Times are those of [`mesh_replica::clock::Now::monotonic`].
#[derive(Debug, Default)]
pub(super) struct Direct {
    source: Option<Source>,
    /// How many messages had gone through this thread.
    messages: u64,
    /// Not before.
    from: Duration,
}

impl Direct {
    /// Whether a write that `source` brought about may be made here; `messages` have gone through this thread so far.
    pub(super) fn may(&mut self, now: Duration, source: Option<Source>, messages: u64) -> bool {
        let is_alone = source.is_some() && source == self.source && messages == self.messages;
        (self.source, self.messages) = (source, messages);
        if !is_alone {
            self.from = self.from.max(now + ALONE);
        }
        now >= self.from
    }

    /// A write that was made here took so long.
    pub(super) fn took(&mut self, now: Duration, took: Duration) {
        if took > QUICK {
            self.from = self.from.max(now + took * PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Option<Source> = Some(Source::Link(LinkId(1)));
    const B: Option<Source> = Some(Source::Peer(LinkNumber(1)));

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn only_for_one_who_has_been_alone_for_a_while() {
        let mut direct = Direct::default();
        assert!(!direct.may(ms(0), A, 0));
        assert!(!direct.may(ms(9), A, 0));
        assert!(direct.may(ms(10), A, 0));
        // Somebody else, and then the first one again.
        assert!(!direct.may(ms(11), B, 0));
        assert!(!direct.may(ms(20), A, 0));
        assert!(!direct.may(ms(29), A, 0));
        assert!(direct.may(ms(30), A, 0));
        // A message of anybody.
        assert!(!direct.may(ms(31), A, 1));
        assert!(direct.may(ms(41), A, 1));
    }

    #[test]
    fn never_for_nobody() {
        let mut direct = Direct::default();
        for now in 0..100 {
            assert!(!direct.may(ms(now), None, 0));
        }
    }

    #[test]
    fn a_slow_disk_is_left_alone_for_longer_the_slower_it_is() {
        let mut direct = Direct::default();
        assert!(!direct.may(ms(0), A, 0));
        assert!(direct.may(ms(10), A, 0));
        direct.took(ms(10), QUICK);
        assert!(direct.may(ms(10), A, 0));
        direct.took(ms(10), ms(5));
        assert!(!direct.may(ms(89), A, 0));
        assert!(direct.may(ms(90), A, 0));
    }
}
