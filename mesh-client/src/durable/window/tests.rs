use proptest::prelude::*;

use super::*;

/// A window whose batches are known by numbers, with a clock of its own.
struct Test {
    window: Window<u32>,
    start: Instant,
    now: Instant,
    pushed: u32,
}

impl Test {
    fn new() -> Self {
        let now = Instant::now();
        Self { window: Window::new(7, now), start: now, now, pushed: 0 }
    }

    fn at(&mut self, ms: u64) -> &mut Self {
        self.now = self.start + Duration::from_millis(ms);
        self
    }

    /// Batches of two records each, with a minute's time.
    fn push(&mut self, batches: u32) {
        for _ in 0..batches {
            let deadline = self.now + Duration::from_secs(60);
            self.window.push(Bytes::from(vec![self.pushed as u8]), 2, deadline, self.now, self.pushed);
            self.pushed += 1;
        }
    }

    /// Sends all that may be sent: (number of the sending, which batch).
    fn send(&mut self) -> Vec<(u32, u8)> {
        let mut sent = Vec::new();
        while let Some(sending) = self.window.poll_send(self.now) {
            sent.push((sending.number, sending.batch[0]));
            self.window.handle_sent(self.now);
        }
        sent
    }

    fn refuse(&mut self, sending: u32, code: Code) -> Vec<(u32, Code)> {
        let failed = self.window.handle_refused(sending, Error::of(code), Duration::ZERO, self.now);
        codes(&failed)
    }
}

fn codes(failed: &Failed<u32>) -> Vec<(u32, Code)> {
    failed.iter().map(|(answer, error)| (*answer, error.code())).collect()
}

#[test]
fn batches_go_out_once_and_leave_when_they_are_kept() {
    let mut t = Test::new();
    t.push(3);
    assert_eq!(t.send(), [(0, 0), (1, 1), (2, 2)]);
    assert_eq!(t.send(), []);
    assert_eq!(t.window.producer(t.now), Producer { id: 7, epoch: 0, base_sequence: 6 });
    assert_eq!(t.window.handle_kept(1, t.now), Some(1), "answers may come in any order");
    assert_eq!(t.window.handle_kept(1, t.now), None, "once");
    assert_eq!(t.window.len(), 3);
    assert_eq!(t.window.handle_kept(0, t.now), Some(0));
    assert_eq!((t.window.len(), t.window.is_quiet()), (1, false));
    assert_eq!(t.window.handle_kept(2, t.now), Some(2));
    assert!(t.window.is_empty() && t.window.is_quiet());
    assert_eq!(t.window.handle_kept(9, t.now), None, "an answer to nothing");
    assert_eq!(t.window.poll_timeout(), None);
}

#[test]
fn from_a_refusal_on_everything_is_sent_again_in_order() {
    let mut t = Test::new();
    t.push(4);
    t.send();
    assert_eq!(t.refuse(1, Code::CommitQueueFull), []);
    assert_eq!(t.refuse(2, Code::SequenceGap), [], "what follows from it is not minded");
    assert_eq!(t.send(), [], "not at once");
    assert_eq!(t.window.poll_timeout(), Some(t.start + RETRY_DELAY));
    assert_eq!(t.window.handle_kept(0, t.now), Some(0));
    t.at(2);
    assert_eq!(t.send(), [(4, 1), (5, 2), (6, 3)]);
    assert_eq!(t.refuse(3, Code::SequenceGap), [], "an answer to the sending before");
    assert_eq!(t.send(), []);
    assert_eq!([4, 5, 6].map(|sending| t.window.handle_kept(sending, t.now)), [Some(1), Some(2), Some(3)]);
}

#[test]
fn what_was_answered_is_not_sent_again() {
    let mut t = Test::new();
    t.push(3);
    t.send();
    assert_eq!(t.window.handle_kept(1, t.now), Some(1));
    t.window.handle_lost();
    assert_eq!(t.send(), [(3, 0), (5, 2)], "the one between keeps its place");
    assert_eq!(t.window.handle_kept(5, t.now), Some(2));
    assert_eq!(t.window.handle_kept(3, t.now), Some(0));
    assert!(t.window.is_empty());
}

#[test]
fn after_a_link_was_lost_all_is_sent_again() {
    let mut t = Test::new();
    t.push(2);
    t.send();
    t.window.handle_lost();
    assert!(t.window.is_quiet());
    assert_eq!(t.window.handle_kept(0, t.now), None, "that link is gone");
    assert_eq!(t.send(), [(2, 0), (3, 1)]);
}

#[test]
fn waits_grow_and_what_is_kept_ends_that() {
    let mut t = Test::new();
    t.push(2);
    let mut waits = Vec::new();
    for _ in 0..9 {
        let sending = t.send()[0].0;
        assert_eq!(t.refuse(sending, Code::CommitQueueFull), []);
        let due = t.window.retry_at.unwrap();
        waits.push(due.duration_since(t.now).as_millis());
        t.now = due;
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 200, 200]);
    let sending = t.send()[0].0;
    assert_eq!(t.window.handle_kept(sending, t.now), Some(0));
    assert_eq!(t.refuse(sending + 1, Code::NoLeader), []);
    assert_eq!(t.window.retry_at, Some(t.now + RETRY_DELAY));
    let told = Duration::from_millis(700);
    t.now += RETRY_DELAY;
    let sending = t.send()[0].0;
    t.window.handle_refused(sending, Error::of(Code::NoLeader), told, t.now);
    assert_eq!(t.window.retry_at, Some(t.now + told), "the node knows better");
}

#[test]
fn where_a_leader_is_awaited_it_is_asked_often_for_a_second() {
    let mut t = Test::new();
    t.push(1);
    let mut waits = Vec::new();
    for _ in 0..=LEADER_RETRIES {
        let sending = t.send()[0].0;
        assert_eq!(t.refuse(sending, Code::NoLeader), []);
        let due = t.window.retry_at.unwrap();
        waits.push(due.duration_since(t.now).as_millis());
        t.now = due;
    }
    assert_eq!(waits[..6], [2, 4, 8, 16, 20, 20]);
    assert_eq!(waits[LEADER_RETRIES as usize - 1..], [20, 200]);
}

#[test]
fn what_can_t_be_brought_over_fails_and_all_behind_it() {
    let mut t = Test::new();
    t.push(4);
    t.send();
    t.push(1);
    assert_eq!(t.window.handle_kept(0, t.now), Some(0));
    let failed = t.refuse(2, Code::RecordCorrupt);
    let unknown = Code::OutcomeUnknown;
    assert_eq!(
        failed,
        [(1, unknown), (2, Code::RecordCorrupt), (3, unknown), (4, Code::SequenceGap)],
        "what is out there may be kept, what was never sent is not"
    );
    assert!(!Code::SequenceGap.leaves_outcome_unknown());
    assert!(t.window.is_empty());
    assert_eq!(t.window.producer(t.now), Producer { id: 7, epoch: 1, base_sequence: 0 });
    t.push(1);
    assert_eq!(t.send().len(), 1, "it goes on in its next life");
}

#[test]
fn a_refusal_after_a_lost_sending_says_nothing_of_that_one() {
    let mut t = Test::new();
    t.push(1);
    t.send();
    t.window.handle_lost();
    let sending = t.send()[0].0;
    assert_eq!(t.refuse(sending, Code::ProducerFenced), [(0, Code::OutcomeUnknown)]);
}

#[test]
fn who_was_silent_for_long_begins_anew() {
    let mut t = Test::new();
    t.now += SILENCE;
    assert_eq!(t.window.producer(t.now).epoch, 0, "there is nothing that could be forgotten");
    t.push(1);
    t.send();
    t.now += SILENCE;
    assert_eq!(t.window.producer(t.now).base_sequence, 2, "it is not silent while something is under way");
    assert_eq!(t.window.handle_kept(0, t.now), Some(0));
    t.now += SILENCE - Duration::from_millis(1);
    assert_eq!(t.window.producer(t.now), Producer { id: 7, epoch: 0, base_sequence: 2 });
    t.now += Duration::from_millis(1);
    assert_eq!(t.window.producer(t.now), Producer { id: 7, epoch: 1, base_sequence: 0 });
}

#[test]
fn what_rarely_mends_itself_is_given_up_soon() {
    for code in [Code::LaneUndeclared, Code::SequenceGap] {
        let mut t = Test::new();
        t.push(1);
        let mut tries = 0;
        let failed = loop {
            let sending = t.send()[0].0;
            tries += 1;
            let failed = t.refuse(sending, code);
            if !failed.is_empty() {
                break failed;
            }
            t.now = t.window.retry_at.unwrap();
        };
        assert_eq!((tries, failed), (DOUBTS_MAX + 1, vec![(0, code)]));
        assert!(t.now < t.start + Duration::from_secs(3));
    }
}

#[test]
fn time_runs_out() {
    // Never sent: it is certain that it is not there.
    let mut t = Test::new();
    t.push(1);
    assert_eq!(t.window.poll_timeout(), Some(t.start + Duration::from_secs(60)));
    t.at(59_999);
    assert_eq!(codes(&t.window.handle_time(t.now)), []);
    t.at(60_000);
    assert_eq!(codes(&t.window.handle_time(t.now)), [(0, Code::NotConnected)]);

    // Refused to the end.
    let mut t = Test::new();
    t.push(1);
    t.send();
    t.refuse(0, Code::StorageFull);
    t.at(60_000);
    let failed = t.window.handle_time(t.now);
    assert_eq!(codes(&failed), [(0, Code::StorageFull)]);
    assert!(failed[0].1.cause().contains("time was up"));

    // Sent, and nobody said anything.
    let mut t = Test::new();
    t.push(1);
    t.at(58_000).send();
    assert_eq!(t.window.poll_timeout(), Some(t.start + Duration::from_secs(60) + SLACK));
    t.at(60_249);
    assert_eq!(codes(&t.window.handle_time(t.now)), [], "the node may say it better");
    t.at(60_250);
    assert_eq!(codes(&t.window.handle_time(t.now)), [(0, Code::OutcomeUnknown)]);
}

#[test]
fn a_node_that_says_nothing_is_asked_again() {
    let mut t = Test::new();
    t.push(2);
    assert_eq!(t.window.poll_send(t.now).unwrap().timeout_ms, 5_000);
    t.send();
    t.at(5_249);
    assert_eq!(codes(&t.window.handle_time(t.now)), []);
    assert_eq!(t.send(), []);
    t.at(5_250);
    assert_eq!(codes(&t.window.handle_time(t.now)), []);
    assert_eq!(t.send(), [(2, 0), (3, 1)]);
    t.at(57_500);
    t.window.handle_lost();
    assert_eq!(t.window.poll_send(t.now).unwrap().timeout_ms, 2_500, "what is left of its time");
}

#[test]
fn the_end_of_the_client_is_the_end_of_all() {
    let mut t = Test::new();
    t.push(2);
    t.window.poll_send(t.now).unwrap();
    t.window.handle_sent(t.now);
    let failed = t.window.handle_closed(&Error::of(Code::ClientClosed));
    assert_eq!(codes(&failed), [(0, Code::ClientClosed), (1, Code::SequenceGap)]);
    assert_eq!(codes(&t.window.handle_closed(&Error::of(Code::ClientClosed))), []);
}

/// What can happen between a producer and its lane.
#[derive(Debug, Clone)]
enum Event {
    Push,
    /// The node gets so many sendings, in their order, and answers them.
    Deliver(usize),
    /// As before, but the answers get lost.
    Swallow(usize),
    /// The next sending is refused with nothing done.
    Refuse(Code),
    /// The answers come, if the link is still that of then.
    Answer(usize),
    Lose,
    Wait(u64),
}

fn event() -> impl Strategy<Value = Event> {
    let code = prop_oneof![
        Just(Code::NoLeader),
        Just(Code::CommitQueueFull),
        Just(Code::NodeDraining),
        Just(Code::StorageFull)
    ];
    prop_oneof![
        4 => Just(Event::Push),
        4 => (1..4_usize).prop_map(Event::Deliver),
        1 => (1..3_usize).prop_map(Event::Swallow),
        2 => code.prop_map(Event::Refuse),
        4 => (1..6_usize).prop_map(Event::Answer),
        1 => Just(Event::Lose),
        2 => (1..300_u64).prop_map(Event::Wait),
    ]
}

/// A lane as a node keeps it: takes batches in order, knows those that come again.
#[derive(Default)]
struct Lane {
    kept: Vec<u8>,
}

impl Lane {
    fn put(&mut self, batch: u8) -> Result<(), Code> {
        if usize::from(batch) < self.kept.len() {
            return Ok(());
        }
        if usize::from(batch) > self.kept.len() {
            return Err(Code::SequenceGap);
        }
        self.kept.push(batch);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is refused, lost or answered late: each batch is kept once, in its place, and what is said to be kept is.
    #[test]
    fn one_copy_of_each_in_order(events in proptest::collection::vec(event(), 0..120)) {
        let mut t = Test::new();
        let (mut lane, mut told) = (Lane::default(), Vec::new());
        // Sendings that the node has not seen, and answers that the client has not.
        let (mut wire, mut answers) = (VecDeque::new(), VecDeque::new());
        let finish = (0..200).flat_map(|_| [Event::Wait(300), Event::Deliver(300), Event::Answer(300)]);
        for event in events.into_iter().chain(finish) {
            match event {
                Event::Push if t.pushed < 60 => t.push(1),
                Event::Push => {}
                Event::Deliver(n) | Event::Swallow(n) => {
                    for _ in 0..n {
                        let Some((sending, batch)) = wire.pop_front() else { break };
                        let answer = lane.put(batch);
                        if matches!(event, Event::Deliver(_)) {
                            answers.push_back((sending, answer));
                        }
                    }
                }
                Event::Refuse(code) => {
                    if let Some((sending, _)) = wire.pop_front() {
                        answers.push_back((sending, Err(code)));
                    }
                }
                Event::Answer(n) => {
                    for _ in 0..n {
                        match answers.pop_front() {
                            Some((sending, Ok(()))) => told.extend(t.window.handle_kept(sending, t.now)),
                            Some((sending, Err(code))) => prop_assert_eq!(t.refuse(sending, code), []),
                            None => break,
                        }
                    }
                }
                Event::Lose => {
                    wire.clear();
                    answers.clear();
                    t.window.handle_lost();
                }
                Event::Wait(ms) => {
                    t.now += Duration::from_millis(ms);
                    prop_assert_eq!(codes(&t.window.handle_time(t.now)), []);
                }
            }
            // Time is not what is tested here.
            t.window.entries.iter_mut().for_each(|entry| entry.deadline = t.now + Duration::from_secs(60));
            wire.extend(t.send());
        }
        let all: Vec<u8> = (0..t.pushed as u8).collect();
        prop_assert_eq!(&lane.kept, &all);
        told.sort_unstable();
        prop_assert_eq!(told, (0..t.pushed).collect::<Vec<_>>());
        prop_assert!(t.window.is_empty());
    }
}
