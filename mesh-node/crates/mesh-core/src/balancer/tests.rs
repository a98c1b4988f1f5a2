use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::routing::SubscriptionId;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn target(link: u64) -> Target {
    Target::new(LinkId(link), SubscriptionId(7))
}

fn group(count: u64) -> Vec<Target> {
    (1..=count).map(target).collect()
}

fn balancer() -> Balancer {
    Balancer::new(Options::default(), 42)
}

/// Makes `target` fail as often as it takes to eject it.
fn eject(balancer: &mut Balancer, now: Instant, target: Target) {
    for _ in 0..Options::default().failures_in_a_row {
        balancer.on_sent(now, target);
        balancer.on_failure(now, target);
    }
    assert!(balancer.is_ejected(target));
}

/// How often each of `members` is chosen in `count` choices of which none stays in flight.
fn shares(balancer: &mut Balancer, now: Instant, members: &[Target], count: usize) -> HashMap<u64, usize> {
    let mut shares = HashMap::new();
    for _ in 0..count {
        let chosen = balancer.choose(now, members).unwrap();
        *shares.entry(chosen.link.0).or_default() += 1;
    }
    shares
}

#[test]
fn nobody_and_one() {
    let now = Instant::now();
    let mut balancer = balancer();
    assert_eq!(balancer.choose(now, &[]), None);
    assert_eq!(balancer.choose_any(&[]), None);
    assert_eq!(balancer.choose(now, &group(1)), Some(target(1)));
    eject(&mut balancer, now, target(1));
    assert_eq!(balancer.choose(now, &group(1)), Some(target(1)), "there is no other");
}

#[test]
fn the_less_loaded_of_two_wins() {
    let now = Instant::now();
    let mut balancer = balancer();
    balancer.on_sent(now, target(1));
    assert_eq!(shares(&mut balancer, now, &group(2), 100), HashMap::from([(2, 100)]));
    balancer.on_sent(now, target(2));
    balancer.on_sent(now, target(2));
    assert_eq!(shares(&mut balancer, now, &group(2), 100), HashMap::from([(1, 100)]));
    balancer.on_reply(now, target(2), None);
    let even = shares(&mut balancer, now, &group(2), 1000);
    assert!(even.values().all(|share| (400..600).contains(share)), "{even:?}");
}

#[test]
fn what_replies_tell_counts_and_fades() {
    let now = Instant::now();
    let mut balancer = balancer();
    balancer.on_sent(now, target(1));
    balancer.on_reply(now, target(1), Some(5));
    balancer.on_sent(now, target(2));
    assert_eq!(shares(&mut balancer, now, &group(2), 100), HashMap::from([(2, 100)]));
    let later = now + Options::default().load_half_life * 3;
    assert_eq!(shares(&mut balancer, later, &group(2), 100), HashMap::from([(1, 100)]));
}

#[test]
fn loads_stay_close_together() {
    let now = Instant::now();
    let mut balancer = balancer();
    let members = group(10);
    for _ in 0..10_000 {
        let chosen = balancer.choose(now, &members).unwrap();
        balancer.on_sent(now, chosen);
    }
    let loads: Vec<u32> = members.iter().map(|member| balancer.in_flight(*member)).collect();
    assert!(loads.iter().all(|load| load.abs_diff(1000) <= 5), "{loads:?}");
}

#[test]
fn a_slow_member_gets_fewer_calls() {
    let mut now = Instant::now();
    let mut balancer = balancer();
    let members = group(4);
    let mut calls: Vec<(Instant, Target)> = Vec::new();
    let mut counts = HashMap::<u64, u32>::new();
    for _ in 0..4_000 {
        let chosen = balancer.choose(now, &members).unwrap();
        balancer.on_sent(now, chosen);
        *counts.entry(chosen.link.0).or_default() += 1;
        calls.push((now + if chosen == target(1) { MS * 10 } else { MS }, chosen));
        if calls.len() == 32 {
            calls.sort();
            let (done, target) = calls.remove(0);
            now = now.max(done);
            balancer.on_reply(now, target, None);
        }
    }
    assert!(counts[&1] * 4 < counts[&2], "{counts:?}");
    assert!((2..=4).all(|link| counts[&link] > 1_000), "{counts:?}");
}

#[test]
fn failures_in_a_row_at_the_limit() {
    let now = Instant::now();
    let mut balancer = balancer();
    let limit = Options::default().failures_in_a_row;
    for round in 0..2 {
        for _ in 0..limit - 1 {
            balancer.on_sent(now, target(1));
            balancer.on_failure(now, target(1));
        }
        assert!(!balancer.is_ejected(target(1)));
        balancer.on_sent(now, target(1));
        if round == 0 {
            balancer.on_reply(now, target(1), None);
        } else {
            balancer.on_failure(now, target(1));
        }
        assert_eq!(balancer.is_ejected(target(1)), round == 1);
    }
    assert_eq!(balancer.in_flight(target(1)), 0);
}

#[test]
fn failure_percentage_at_the_limit() {
    let now = Instant::now();
    // Replies first, then failures with a reply before each, and whether that ejects.
    for (replies, failures, ejected) in [(0, 9, false), (0, 10, true), (1, 9, false), (1, 11, false)] {
        let mut balancer = balancer();
        balancer.on_sent(now, target(1));
        for _ in 0..replies {
            balancer.on_reply(now, target(1), None);
        }
        for _ in 0..failures {
            balancer.on_reply(now, target(1), None);
            balancer.on_failure(now, target(1));
        }
        assert_eq!(balancer.is_ejected(target(1)), ejected, "{replies} and {failures}");
    }
}

#[test]
fn a_window_forgets_the_one_before() {
    let start = Instant::now();
    let mut balancer = balancer();
    balancer.on_sent(start, target(1));
    for second in 0..60 {
        let now = start + Options::default().window * second;
        for _ in 0..9 {
            balancer.on_reply(now, target(1), None);
            balancer.on_failure(now, target(1));
        }
        assert!(!balancer.is_ejected(target(1)));
    }
}

#[test]
fn backoff_doubles_and_is_capped() {
    let mut now = Instant::now();
    let mut balancer = balancer();
    let options = Options::default();
    eject(&mut balancer, now, target(1));
    for seconds in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
        let due = balancer.poll_probe_timeout().unwrap();
        assert_eq!(due - now, SECOND * seconds);
        assert_eq!(balancer.poll_probe(due - MS), None);
        now = due;
        assert_eq!(balancer.poll_probe(now), Some(target(1)));
        assert_eq!(balancer.poll_probe(now), None, "given once");
        balancer.on_sent(now, target(1));
        balancer.on_failure(now, target(1));
    }
    now += options.backoff_max;
    assert_eq!(balancer.poll_probe(now), Some(target(1)));
    balancer.on_sent(now, target(1));
    balancer.on_reply(now, target(1), None);
    assert!(!balancer.is_ejected(target(1)));

    // Soon in trouble again: as bad as before. After a long time of service: as new.
    for (served, seconds) in [(options.backoff_max - MS, 60), (options.backoff_max, 1)] {
        now += served;
        eject(&mut balancer, now, target(1));
        let due = balancer.poll_probe_timeout().unwrap();
        assert_eq!(due - now, SECOND * seconds);
        now = due;
        assert_eq!(balancer.poll_probe(now), Some(target(1)));
        balancer.on_sent(now, target(1));
        balancer.on_reply(now, target(1), None);
    }
}

#[test]
fn calls_from_before_the_ejection_change_nothing() {
    let now = Instant::now();
    let mut balancer = balancer();
    for _ in 0..10 {
        balancer.on_sent(now, target(1));
    }
    for _ in 0..5 {
        balancer.on_failure(now, target(1));
    }
    let due = balancer.poll_probe_timeout();
    balancer.on_failure(now + MS, target(1));
    balancer.on_reply(now + MS, target(1), None);
    assert!(balancer.is_ejected(target(1)));
    assert_eq!(balancer.poll_probe_timeout(), due);
}

#[test]
fn without_probes_one_call_at_a_time_tries_a_member() {
    let now = Instant::now();
    let mut balancer = balancer();
    let members = group(3);
    eject(&mut balancer, now, target(1));
    assert!(!shares(&mut balancer, now, &members, 300).contains_key(&1));
    let due = now + SECOND;
    assert_eq!(shares(&mut balancer, due, &members, 300)[&1], 1);
    balancer.on_sent(due, target(1));

    // Cancelled: the next call may try. Unanswered: the patience ends.
    balancer.on_cancelled(due, target(1));
    assert_eq!(shares(&mut balancer, due, &members, 300)[&1], 1);
    let later = due + Options::default().probe_patience;
    assert_eq!(shares(&mut balancer, later, &members, 300)[&1], 1);
    balancer.on_sent(later, target(1));
    balancer.on_reply(later, target(1), None);
    assert!(!balancer.is_ejected(target(1)));
    assert!(shares(&mut balancer, later, &members, 300)[&1] > 1);
}

#[test]
fn at_most_half_are_out() {
    let now = Instant::now();
    for (count, usable) in [(2u64, 1usize), (3, 2), (4, 2), (5, 3)] {
        let mut balancer = balancer();
        let members = group(count);
        for member in &members {
            eject(&mut balancer, now, *member);
        }
        let shares = shares(&mut balancer, now, &members, 500);
        assert_eq!(shares.len(), usable, "{count} members: {shares:?}");
    }
    let mut strict = Balancer::new(Options { ejected_percent_max: 100, ..Options::default() }, 1);
    eject(&mut strict, now, target(1));
    assert_eq!(shares(&mut strict, now, &group(2), 100), HashMap::from([(2, 100)]));
    eject(&mut strict, now, target(2));
    assert_eq!(shares(&mut strict, now, &group(2), 100).len(), 2, "all are out, so all are used");
}

#[test]
fn a_new_members_share_rises() {
    let now = Instant::now();
    let members = group(4);
    let mut last = 0;
    for seconds in [0, 5, 10] {
        let mut balancer = balancer();
        balancer.on_joined(now, target(1));
        let share = shares(&mut balancer, now + SECOND * seconds, &members, 4_000)[&1];
        assert!(share > last + 100, "after {seconds} s {share} of 4000, before {last}");
        last = share;
    }
    assert!((900..1100).contains(&last), "{last}");
}

#[test]
fn the_lowest_tier_that_serves_is_preferred() {
    let now = Instant::now();
    let mut balancer = balancer();
    let members = group(6);
    for link in 3..=4 {
        balancer.set_tier(now, target(link), 1);
    }
    for link in 5..=6 {
        balancer.set_tier(now, target(link), 2);
    }
    let chosen = |balancer: &mut Balancer, now| {
        let mut links: Vec<u64> = shares(balancer, now, &members, 200).into_keys().collect();
        links.sort();
        links
    };
    assert_eq!(chosen(&mut balancer, now), [1, 2]);
    eject(&mut balancer, now, target(1));
    assert_eq!(chosen(&mut balancer, now), [2]);
    eject(&mut balancer, now, target(2));
    assert_eq!(chosen(&mut balancer, now), [3, 4]);
    balancer.forget(LinkId(2));
    assert_eq!(chosen(&mut balancer, now), [2]);
    balancer.set_tier(now, target(2), 3);
    assert_eq!(chosen(&mut balancer, now), [3, 4]);
    // Member 1 is due: it is tried by one call, though the tier above serves.
    let due = now + SECOND;
    assert_eq!(chosen(&mut balancer, due), [1, 3, 4]);
    assert_eq!(chosen(&mut balancer, due), [3, 4]);
}

#[test]
fn forgets_links_and_members() {
    let now = Instant::now();
    let mut balancer = balancer();
    let second = Target::new(LinkId(1), SubscriptionId(8));
    eject(&mut balancer, now, target(1));
    balancer.on_sent(now, second);
    balancer.set_tier(now, target(2), 1);
    assert_eq!(balancer.len(), 3);
    balancer.forget_member(target(1));
    assert_eq!((balancer.len(), balancer.in_flight(second)), (2, 1));
    assert!(!balancer.is_ejected(target(1)));
    balancer.forget(LinkId(1));
    balancer.forget(LinkId(2));
    balancer.forget(LinkId(3));
    assert!(balancer.is_empty() && balancer.roster.is_uniform());
}

#[test]
fn drops_what_is_unseen() {
    let start = Instant::now();
    let mut balancer = balancer();
    let unseen = Options::default().unseen;
    balancer.on_sent(start, target(1));
    balancer.on_reply(start, target(1), None);
    balancer.on_sent(start, target(2));
    balancer.set_tier(start, target(3), 1);
    eject(&mut balancer, start, target(4));
    assert!(balancer.poll_probe(start + SECOND).is_some());
    balancer.on_sent(start + unseen / 2, target(5));
    balancer.on_reply(start + unseen / 2, target(5), None);
    balancer.handle_timeout(start + unseen - MS);
    assert_eq!(balancer.len(), 5);
    balancer.handle_timeout(start + unseen);
    assert_eq!(balancer.len(), 3, "in flight, in another tier, or seen since");
    assert!([2, 3, 5].iter().all(|link| balancer.roster.get(target(*link)).is_some()));
    assert_eq!(balancer.poll_timeout(), Some(start + unseen * 2));
}

#[test]
fn members_at_the_bound() {
    let now = Instant::now();
    let mut balancer = Balancer::new(Options { members_max: 3, ..Options::default() }, 1);
    for link in 1..=4 {
        balancer.on_sent(now, target(link));
    }
    assert_eq!(balancer.len(), 3);
    assert_eq!((balancer.in_flight(target(3)), balancer.in_flight(target(4))), (1, 0));
    balancer.on_reply(now, target(4), None);
    balancer.forget(LinkId(1));
    balancer.on_sent(now, target(4));
    assert_eq!((balancer.len(), balancer.in_flight(target(4))), (3, 1));
}

#[test]
fn any_is_any() {
    let mut balancer = balancer();
    let mut shares = HashMap::<u64, u32>::new();
    for _ in 0..3_000 {
        *shares.entry(balancer.choose_any(&group(3)).unwrap().link.0).or_default() += 1;
    }
    assert!((1..=3).all(|link| (900..1100).contains(&shares[&link])), "{shares:?}");
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Pass(u64),
    Call,
    Reply(u64, Option<u32>),
    Fail(u64),
    Cancel(u64),
    Join(u64),
    Forget(u64),
    Probe,
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..3_000u64).prop_map(Step::Pass),
        6 => Just(Step::Call),
        3 => (1..6u64, proptest::option::of(0..9u32)).prop_map(|(link, load)| Step::Reply(link, load)),
        6 => (1..6u64).prop_map(Step::Fail),
        1 => (1..6u64).prop_map(Step::Cancel),
        1 => (1..6u64).prop_map(Step::Join),
        1 => (1..6u64).prop_map(Step::Forget),
        1 => Just(Step::Probe),
    ]
}

/// Takes the steps and gives what was chosen; checks each choice against who was out just before it.
fn take(seed: u64, start: Instant, steps: &[Step]) -> Vec<Target> {
    let options = Options { failures_in_a_row: 2, ..Options::default() };
    let mut balancer = Balancer::new(options.clone(), seed);
    let members = group(5);
    let mut now = start;
    let mut chosen = Vec::new();
    for step in steps {
        match *step {
            Step::Pass(ms) => now += MS * ms as u32,
            Step::Reply(link, load) => balancer.on_reply(now, target(link), load),
            Step::Fail(link) => balancer.on_failure(now, target(link)),
            Step::Cancel(link) => balancer.on_cancelled(now, target(link)),
            Step::Join(link) => balancer.on_joined(now, target(link)),
            Step::Forget(link) => balancer.forget(LinkId(link)),
            Step::Probe => drop(balancer.poll_probe(now)),
            Step::Call => {
                let due = |member: &Target| balancer.roster.get(*member)?.due_at(&options);
                let mut out: Vec<(Instant, Target)> = Vec::new();
                for member in &members {
                    out.extend(due(member).filter(|due| *due > now).map(|due| (due, *member)));
                }
                out.sort();
                // Two of five may be out; of more, the first to return are used.
                let avoided = &out[out.len().saturating_sub(2)..];
                let target = balancer.choose(now, &members).unwrap();
                assert!(avoided.iter().all(|(_, member)| *member != target), "{target} is out: {out:?}");
                balancer.on_sent(now, target);
                chosen.push(target);
            }
        }
        let out = members.iter().filter(|member| balancer.is_ejected(**member)).count();
        assert_eq!(balancer.roster.is_uniform(), out == 0);
        assert!(balancer.len() <= members.len());
        balancer.handle_timeout(now);
    }
    chosen
}

proptest! {
    #[test]
    fn avoids_the_ejected_and_repeats_itself(
        seed in any::<u64>(),
        steps in proptest::collection::vec(a_step(), 1..300),
    ) {
        let start = Instant::now();
        prop_assert_eq!(take(seed, start, &steps), take(seed, start, &steps));
    }
}

#[test]
fn another_seed_chooses_otherwise() {
    let start = Instant::now();
    let steps = [Step::Call; 64];
    assert_ne!(take(1, start, &steps), take(2, start, &steps));
}
