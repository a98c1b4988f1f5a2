//! The pure core of a direction.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use crate::{Counters, Direction, Fate, Faults, corrupt};

/// The pure core of a direction: decides over each datagram, and keeps those that have to wait.
///
/// ```text
/// handle_datagram ── lost · cut · overflowed
///        ├────────── Now: the shell sends it from where it is
///        └────────── Waits ── poll_timeout … poll_output: the shell sends it
/// ```
/// Time is what has passed since some start, and never goes back. What is not reordered stays in order.
#[derive(Debug)]
pub struct Path {
    seed: u64,
    direction: Direction,
    faults: Faults,
    cut: bool,
    /// The number of the next datagram.
    number: u64,
    /// When the last one in order goes on.
    last: Duration,
    /// When the rate admits the next one.
    free: Duration,
    /// By when it goes on, and a number that keeps order within that.
    waiting: BTreeMap<(Duration, u64), Waiting>,
    queued: u64,
    counters: Counters,
}

#[derive(Debug)]
struct Waiting {
    client: SocketAddr,
    datagram: Box<[u8]>,
}

/// What to do with a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Send it as it is now, so many times.
    Now(u8),
    /// Nothing: it waits.
    Waits,
    /// Nothing: it is gone.
    Gone,
}

impl Path {
    /// A direction at its start.
    #[must_use]
    pub const fn new(seed: u64, direction: Direction, faults: Faults) -> Self {
        Self {
            seed,
            direction,
            faults,
            cut: false,
            number: 0,
            last: Duration::ZERO,
            free: Duration::ZERO,
            waiting: BTreeMap::new(),
            queued: 0,
            counters: Counters {
                received: 0,
                forwarded: 0,
                lost: 0,
                delayed: 0,
                reordered: 0,
                duplicated: 0,
                corrupted: 0,
                cut: 0,
                overflowed: 0,
                unsent: 0,
                waiting: 0,
            },
        }
    }

    /// Input: a datagram from or for `client`. Corruption happens in place.
    pub fn handle_datagram(&mut self, now: Duration, client: SocketAddr, datagram: &mut [u8]) -> Verdict {
        let fate = Fate::of(self.seed, self.direction, self.number, &self.faults);
        self.number += 1;
        self.counters.received += 1;
        if self.cut {
            self.counters.cut += 1;
            return Verdict::Gone;
        }
        if fate.lost {
            self.counters.lost += 1;
            return Verdict::Gone;
        }
        if let Some(random) = fate.corrupted.filter(|_| !datagram.is_empty()) {
            corrupt(random, datagram);
            self.counters.corrupted += 1;
        }
        let copies = 1 + u8::from(fate.duplicated);
        self.counters.duplicated += u64::from(fate.duplicated);
        let due = self.due(now, &fate, datagram.len());
        if due <= now {
            return Verdict::Now(copies);
        }
        self.counters.reordered += u64::from(fate.reordered);
        for _ in 0..copies {
            self.queue(due, client, datagram);
        }
        Verdict::Waits
    }

    /// Input: whether the system took a datagram that was to be sent.
    pub const fn handle_sent(&mut self, taken: bool) {
        if taken {
            self.counters.forwarded += 1;
        } else {
            self.counters.unsent += 1;
        }
    }

    /// Command: other faults from here on. What waits already goes on when it was to.
    pub const fn set_faults(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// Command: nothing gets through any more, not even what waits.
    pub fn cut(&mut self) {
        self.cut = true;
        self.counters.cut += self.waiting.len() as u64;
        self.waiting.clear();
    }

    /// Command: undoes [`cut`](Self::cut).
    pub const fn heal(&mut self) {
        self.cut = false;
    }

    /// Output: the next datagram that is to be sent by now.
    pub fn poll_output(&mut self, now: Duration) -> Option<(SocketAddr, Box<[u8]>)> {
        if self.poll_timeout()? > now {
            return None;
        }
        let (_, waiting) = self.waiting.pop_first()?;
        Some((waiting.client, waiting.datagram))
    }

    /// When the next datagram is to be sent.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.waiting.first_key_value().map(|((due, _), _)| *due)
    }

    /// What became of the datagrams so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters { waiting: self.waiting.len() as u64, ..self.counters }
    }

    fn due(&mut self, now: Duration, fate: &Fate, bytes: usize) -> Duration {
        let mut due = now + fate.delay;
        if let Some(rate) = self.faults.rate {
            // The time that the wire is busy with it, behind what is on the wire already.
            let busy = Duration::from_secs_f64(bytes as f64 / rate.get() as f64);
            self.free = self.free.max(now) + busy;
            due = due.max(self.free);
        }
        due = due.max(self.last);
        if fate.reordered {
            return due + self.faults.reorder_delay;
        }
        self.last = due;
        due
    }

    fn queue(&mut self, due: Duration, client: SocketAddr, datagram: &[u8]) {
        if self.waiting.len() >= self.faults.queue_datagrams {
            self.counters.overflowed += 1;
            return;
        }
        self.counters.delayed += 1;
        self.queued += 1;
        self.waiting.insert((due, self.queued), Waiting { client, datagram: datagram.into() });
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::num::NonZeroU64;

    use proptest::prelude::*;

    use super::*;
    use crate::Probability;

    const MS: Duration = Duration::from_millis(1);
    const CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9);

    fn path(faults: Faults) -> Path {
        Path::new(1, Direction::Up, faults)
    }

    /// Gives datagrams `0..count`, one per `step`, and takes everything that comes out, with when it did.
    fn run(path: &mut Path, count: u16, step: Duration) -> Vec<(Duration, u16)> {
        let mut out = Vec::new();
        let take = |path: &mut Path, until: Duration, out: &mut Vec<_>| {
            while let Some(due) = path.poll_timeout().filter(|due| *due <= until) {
                let (client, datagram) = path.poll_output(due).unwrap();
                assert_eq!(client, CLIENT);
                out.push((due, u16::from_be_bytes([datagram[0], datagram[1]])));
                path.handle_sent(true);
            }
        };
        for number in 0..count {
            let now = step * u32::from(number);
            take(path, now, &mut out);
            if let Verdict::Now(copies) = path.handle_datagram(now, CLIENT, &mut number.to_be_bytes()) {
                for _ in 0..copies {
                    out.push((now, number));
                    path.handle_sent(true);
                }
            }
        }
        take(path, Duration::MAX, &mut out);
        assert_eq!(path.poll_timeout(), None);
        out
    }

    #[test]
    fn without_faults_everything_goes_on_at_once() {
        let mut path = path(Faults::NONE);
        let out = run(&mut path, 3, MS);
        assert_eq!(out, [(Duration::ZERO, 0), (MS, 1), (2 * MS, 2)]);
        assert_eq!(path.counters(), Counters { received: 3, forwarded: 3, ..Counters::default() });
    }

    #[test]
    fn jitter_delays_and_keeps_order() {
        let mut path = path(Faults::NONE.delay(2 * MS, 10 * MS));
        let out = run(&mut path, 500, MS);
        assert!(out.is_sorted(), "in order");
        for (due, number) in &out {
            let took = *due - MS * u32::from(*number);
            assert!(took >= 2 * MS && took <= 10 * MS, "{number} took {took:?}");
        }
        assert_eq!((out.len(), path.counters().delayed), (500, 500));
    }

    #[test]
    fn reordered_ones_are_overtaken_and_no_others_are() {
        let mut path = path(Faults::NONE.reorder(Probability::percent(10)).reorder_delay(5 * MS));
        let out = run(&mut path, 500, MS);
        let late: Vec<_> = out.iter().filter(|(due, number)| *due > MS * u32::from(*number)).collect();
        assert_eq!(late.len() as u64, path.counters().reordered);
        assert!(late.len() > 20 && !out.iter().map(|(_, number)| number).is_sorted());
        let in_time = out.iter().filter(|(due, number)| *due == MS * u32::from(*number));
        assert!(in_time.map(|(_, number)| number).is_sorted());
        assert!(late.iter().all(|(due, number)| *due == MS * u32::from(*number) + 5 * MS));
    }

    #[test]
    fn the_rate_is_a_limit() {
        // Two bytes each, 1,000 bytes a second: one per 2 ms, though one per ms comes.
        let mut path = path(Faults::NONE.rate(NonZeroU64::new(1000).unwrap()));
        let out = run(&mut path, 100, MS);
        let due: Vec<_> = out.iter().map(|(due, _)| *due).collect();
        assert_eq!(due, (1..=100).map(|n| 2 * MS * n).collect::<Vec<_>>());
    }

    #[test]
    fn what_waits_is_bounded() {
        let full = |queue, count| {
            let mut path = path(Faults::NONE.delay(MS, MS).queue_datagrams(queue));
            for _ in 0..count {
                path.handle_datagram(Duration::ZERO, CLIENT, &mut [0]);
            }
            let Counters { waiting, overflowed, .. } = path.counters();
            (waiting, overflowed)
        };
        assert_eq!([full(10, 9), full(10, 10), full(10, 11)], [(9, 0), (10, 0), (10, 1)]);
    }

    #[test]
    fn what_is_cut_is_gone_with_what_waits() {
        let mut path = path(Faults::NONE.delay(MS, MS));
        assert_eq!(path.handle_datagram(Duration::ZERO, CLIENT, &mut [0]), Verdict::Waits);
        path.cut();
        assert_eq!(path.handle_datagram(Duration::ZERO, CLIENT, &mut [0]), Verdict::Gone);
        assert_eq!(path.poll_output(Duration::MAX), None);
        assert_eq!(path.counters().cut, 2);
        path.heal();
        assert_eq!(path.handle_datagram(Duration::ZERO, CLIENT, &mut [0]), Verdict::Waits);
        assert_eq!(path.counters().cut, 2);
    }

    #[test]
    fn what_the_system_refuses_is_counted() {
        let mut path = path(Faults::NONE);
        assert_eq!(path.handle_datagram(Duration::ZERO, CLIENT, &mut [0]), Verdict::Now(1));
        path.handle_sent(false);
        assert_eq!(path.counters(), Counters { received: 1, unsent: 1, ..Counters::default() });
    }

    #[test]
    fn faults_change_while_datagrams_flow_and_order_stays() {
        let mut path = path(Faults::NONE.delay(5 * MS, 5 * MS));
        assert_eq!(path.handle_datagram(Duration::ZERO, CLIENT, &mut [1]), Verdict::Waits);
        path.set_faults(Faults::NONE);
        assert_eq!(path.handle_datagram(MS, CLIENT, &mut [2]), Verdict::Waits, "behind the first");
        let out: Vec<_> = std::iter::from_fn(|| path.poll_output(5 * MS)).map(|(_, d)| d[0]).collect();
        assert_eq!(out, [1, 2]);
        assert_eq!(path.handle_datagram(5 * MS, CLIENT, &mut [3]), Verdict::Now(1));
    }

    fn probability() -> impl Strategy<Value = Probability> {
        (0_u32..=100).prop_map(Probability::percent)
    }

    proptest! {
        #[test]
        fn no_datagram_goes_uncounted(
            (loss, reorder, duplicate, corrupt) in (probability(), probability(), probability(), probability()),
            (seed, delay, queue) in (any::<u64>(), 0_u32..20, 0_usize..50),
            cut_at in 0_u16..100,
        ) {
            let faults = Faults::NONE.loss(loss).reorder(reorder).duplicate(duplicate).corrupt(corrupt);
            let faults = faults.delay(MS, MS * delay).queue_datagrams(queue);
            let go = || {
                let mut path = Path::new(seed, Direction::Down, faults);
                run(&mut path, cut_at, MS);
                path.handle_datagram(Duration::from_secs(9), CLIENT, &mut [7]);
                path.cut();
                run(&mut path, 10, MS);
                path.counters()
            };
            let counters = go();
            prop_assert_eq!(counters.waiting, 0);
            let gone = counters.lost + counters.cut + counters.overflowed + counters.unsent;
            prop_assert_eq!(counters.received + counters.duplicated, counters.forwarded + gone);
            prop_assert_eq!(counters, go(), "the same seed, the same end");
        }
    }
}
