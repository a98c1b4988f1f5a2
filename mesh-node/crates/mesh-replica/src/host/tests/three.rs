use super::cluster::*;
use std::time::Duration;

use crate::{options::HostOptions, refused::Refused, view::Role};

#[test]
fn three_voters_elect_one_and_commit() {
    let mut cluster = Cluster::new(3);
    let took = cluster.run_until("a leader", |cluster| cluster.leader().is_some());
    assert!((300..=650).contains(&took.as_millis()), "{took:?}");
    for line in ["a", "b", "c"] {
        cluster.commit(line);
    }
    for number in 1..=3 {
        assert_eq!(cluster.lines(node(number)), ["a", "b", "c"]);
    }
}

#[test]
fn a_new_leader_is_there_after_300_to_600_ms() {
    for round in 0..10 {
        let mut cluster = Cluster::new(3);
        cluster.elect();
        cluster.commit("a");
        cluster.run(round * 37);
        let leader = cluster.elect();
        cluster.kill(leader);
        let took =
            cluster.run_until("another", |cluster| cluster.leader().is_some_and(|other| other != leader));
        assert!((200..=660).contains(&took.as_millis()), "{took:?}");
        cluster.commit("b");
        cluster.start(leader, None);
        cluster.commit("c");
        assert_eq!(cluster.lines(leader), ["a", "b", "c"]);
    }
}

#[test]
fn who_waits_at_a_leader_that_is_cut_off_is_told_within_seconds() {
    let mut cluster = Cluster::new(3);
    let leader = cluster.elect();
    cluster.commit("a");
    for number in 1..=3 {
        cluster.cut.extend([(leader, node(number)), (node(number), leader)]);
    }
    let under_way = cluster.propose(leader, "b");
    let read = cluster.read(leader);
    cluster.run(1_500);
    assert_eq!(cluster.answer(leader, under_way), Some(&Answer::Refused(Refused::Unknown)));
    assert!(matches!(cluster.answer(leader, read), Some(Answer::Refused(Refused::NotLeader { .. }))));
    let late = cluster.propose(leader, "c");
    assert!(matches!(cluster.answer(leader, late), Some(Answer::Refused(Refused::NotLeader { .. }))));
    cluster.cut.clear();
    cluster.commit("d");
    assert!(!cluster.lines(leader).contains(&"b".into()), "it was never anywhere else");
}

#[test]
fn a_leader_that_was_replaced_answers_no_read() {
    let mut cluster = Cluster::new(3);
    let old = cluster.elect();
    cluster.commit("a");
    for number in 1..=3 {
        cluster.cut.extend([(old, node(number)), (node(number), old)]);
    }
    // It does not even notice that time passes.
    let asleep = cluster.nodes.remove(&old).unwrap();
    cluster.run_until("another", |cluster| cluster.leader().is_some());
    let new = cluster.leader().unwrap();
    let token = cluster.propose(new, "b");
    cluster.run_until("a commit", |cluster| cluster.applied(new, token));
    cluster.nodes.insert(old, asleep);
    let read = cluster.read(old);
    assert_eq!(cluster.answer(old, read), None, "it has to ask first");
    cluster.cut.clear();
    cluster.run(2_000);
    assert!(matches!(cluster.answer(old, read), Some(Answer::Refused(Refused::NotLeader { .. }))));
    let read = cluster.read(new);
    cluster.run_until("an answer", |cluster| cluster.answer(new, read).is_some());
    assert_eq!(cluster.answer(new, read), Some(&Answer::Readable(2)));
}

#[test]
fn a_transfer_takes_no_time_to_speak_of() {
    let mut cluster = Cluster::new(3);
    let old = cluster.elect();
    cluster.commit("a");
    let new = node(old.0 % 3 + 1);
    cluster.call(old, |host, now| host.transfer(now, super::cluster::GROUP, new));
    let took = cluster.run_until("the other leads", |cluster| cluster.leader() == Some(new));
    assert!(took < Duration::from_millis(20), "{took:?}");
    cluster.commit("b");
    cluster.call(new, |host, now| host.step_down_all(now));
    cluster.run_until("another leads", |cluster| cluster.leader().is_some_and(|leader| leader != new));
    cluster.commit("c");
}

#[test]
fn a_follower_that_is_far_behind_gets_a_snapshot() {
    fn small(own: crate::id::NodeNumber) -> HostOptions {
        let mut options = HostOptions::new(own, 7);
        options.bounds.log_bytes_max = 4_000;
        options
    }
    let mut cluster = Cluster::with(3, small);
    let leader = cluster.elect();
    cluster.commit("a");
    let behind = node(leader.0 % 3 + 1);
    cluster.kill(behind);
    for _ in 0..60 {
        let token = cluster.propose(leader, vec![b'x'; 100]);
        cluster.run_until("a commit", |cluster| cluster.applied(leader, token));
    }
    assert!(cluster.view(leader).first > 10);
    cluster.start(behind, None);
    cluster.run_until("it has all", |cluster| cluster.lines(behind).len() == 61);
    let leader = cluster.elect();
    cluster.commit("b");
    assert_eq!(cluster.lines(behind), cluster.lines(leader));
    let token = cluster.fetch(behind, 1, 61);
    let Some(Answer::Fetched(pieces)) = cluster.answer(behind, token) else { panic!() };
    assert!(!pieces.is_empty());
    cluster.kill(behind);
    cluster.start(behind, None);
    cluster.commit("c");
    assert_eq!(cluster.lines(behind), cluster.lines(leader));
}

/// Parts of a snapshot are on the way to a follower that ends in the midst of it.
#[test]
fn what_was_fetched_of_a_snapshot_is_not_fetched_again_after_a_restart() {
    use crate::message::Message;
    fn small(own: crate::id::NodeNumber) -> HostOptions {
        let mut options = HostOptions::new(own, 7);
        options.bounds.log_bytes_max = 4_000;
        options.pull.pull_bytes = 1;
        options.pull.unnamed_bytes_max = 300;
        options
    }
    let mut cluster = Cluster::with(3, small);
    let leader = cluster.elect();
    cluster.commit("a");
    let behind = node(leader.0 % 3 + 1);
    cluster.kill(behind);
    for _ in 0..60 {
        let token = cluster.propose(leader, vec![b'x'; 100]);
        cluster.run_until("a commit", |cluster| cluster.applied(leader, token));
    }
    cluster.start(behind, None);
    let asked = |cluster: &Cluster| {
        let sent = cluster.nodes[&behind].sent.iter();
        sent.filter_map(|(_, message)| match message {
            Message::Pull(pull) => Some(pull.first),
            _ => None,
        })
        .max()
    };
    cluster.run_until("half of it", |cluster| asked(cluster) > Some(30));
    cluster.kill(behind);
    cluster.start(behind, None);
    cluster.run_until("it has all", |cluster| cluster.lines(behind).len() == 61);
    let again = cluster.nodes[&behind].sent.iter().filter_map(|(_, message)| match message {
        Message::Pull(pull) => Some(pull.first),
        _ => None,
    });
    let first = again.min().unwrap();
    assert!(first > 20, "it began again at {first}");
}

#[test]
fn one_becomes_three_becomes_five_becomes_three() {
    let mut cluster = Cluster::empty(options);
    cluster.start(node(1), Some(voters(&[1])));
    for line in ["a", "b"] {
        cluster.propose(node(1), line);
    }
    for number in 2..=5 {
        cluster.start(node(number), None);
    }
    for target in [&[1, 2, 3][..], &[1, 2, 3, 4, 5], &[3, 4, 5], &[2, 3, 4]] {
        let mut done = None;
        for _ in 0..20 {
            let leader = cluster.elect();
            let token = cluster.set_members(leader, voters(target));
            cluster.run_until("an answer", |cluster| cluster.answer(leader, token).is_some());
            if cluster.applied(leader, token) {
                done = Some(leader);
                break;
            }
        }
        let leader = done.expect("members are changed");
        assert_eq!(cluster.view(leader).members, voters(target));
        cluster.run(3_000);
        let leader = cluster.leader().unwrap();
        assert!(target.contains(&leader.0), "{leader} leads {target:?}");
        let token = cluster.propose(leader, "c");
        cluster.run_until("a commit", |cluster| cluster.applied(leader, token));
        cluster.run(1_000);
        for number in target {
            assert_eq!(cluster.lines(node(*number)), cluster.lines(leader), "{number}");
            assert!(matches!(cluster.view(node(*number)).role, Role::Leader | Role::Follower));
        }
    }
}

#[test]
fn the_only_voter_gives_its_place_to_another() {
    let mut cluster = Cluster::empty(options);
    cluster.start(node(1), Some(voters(&[1])));
    cluster.propose(node(1), "a");
    cluster.start(node(2), None);
    let token = cluster.set_members(node(1), voters(&[2]));
    cluster.run_until("an answer", |cluster| cluster.answer(node(1), token).is_some());
    cluster.run_until("the other leads", |cluster| cluster.view(node(2)).role == Role::Leader);
    let token = cluster.propose(node(2), "b");
    cluster.run_until("a commit", |cluster| cluster.answer(node(2), token).is_some());
    assert_eq!(cluster.lines(node(2)), ["a", "b"]);
    assert_eq!(cluster.view(node(2)).members, voters(&[2]));
}

#[test]
fn members_that_can_t_be_are_refused() {
    let mut cluster = Cluster::new(1);
    for target in [voters(&[]), voters(&[0, 1])] {
        let token = cluster.set_members(node(1), target);
        assert_eq!(cluster.answer(node(1), token), Some(&Answer::Refused(Refused::Members)));
    }
    let waits = cluster.set_members(node(1), voters(&[1, 9]));
    assert_eq!(cluster.answer(node(1), waits), None);
    let back = cluster.set_members(node(1), voters(&[1]));
    cluster.run(1_000);
    assert_eq!(cluster.answer(node(1), waits), Some(&Answer::Refused(Refused::Members)));
    assert!(cluster.applied(node(1), back));
    assert_eq!(cluster.view(node(1)).members, voters(&[1]));
}

#[test]
fn a_group_at_rest_costs_nothing_and_wakes() {
    let mut cluster = Cluster::new(3);
    let leader = cluster.elect();
    cluster.commit("a");
    cluster.run_until("rest", |cluster| cluster.views().values().flatten().all(|view| view.rests));
    cluster.run(10_000);
    cluster.timeouts();
    cluster.messages = 0;
    cluster.run(10_000);
    // 3 nodes tell 2 others that they are there, twice a second.
    assert!(cluster.messages <= 130, "{}", cluster.messages);
    assert!(cluster.timeouts() <= 70);
    assert_eq!(cluster.leader(), Some(leader));
    let token = cluster.propose(leader, "b");
    cluster.run_until("a commit", |cluster| cluster.applied(leader, token));
    cluster.run_until("rest", |cluster| cluster.views().values().flatten().all(|view| view.rests));
    cluster.kill(leader);
    let took = cluster.run_until("another", |cluster| cluster.leader().is_some_and(|other| other != leader));
    assert!(took < Duration::from_millis(3_500), "{took:?}");
    cluster.start(leader, None);
    cluster.commit("c");
}

#[test]
fn a_leader_at_rest_that_is_said_to_be_gone_is_replaced_soon() {
    let mut cluster = Cluster::new(3);
    let leader = cluster.elect();
    cluster.run_until("rest", |cluster| cluster.views().values().flatten().all(|view| view.rests));
    cluster.kill(leader);
    for number in (1..=3).map(node).filter(|number| *number != leader) {
        cluster.call(number, |host, now| host.handle_peer(now, leader, false));
    }
    let took = cluster.run_until("another", |cluster| cluster.leader().is_some_and(|other| other != leader));
    assert!(took < Duration::from_millis(700), "{took:?}");
}

#[test]
fn a_leader_with_a_slow_disk_hands_over() {
    let mut cluster = Cluster::new(3);
    let slow = cluster.elect();
    cluster.slow_disk(slow, 400);
    let begin = cluster.now;
    while cluster.leader() == Some(slow) {
        assert!(cluster.now - begin < Duration::from_secs(30));
        cluster.propose(slow, "a");
        cluster.run(50);
    }
    cluster.run(1_000);
    let fast = cluster.elect();
    assert_ne!(fast, slow);
}

#[test]
fn a_follower_without_room_takes_nothing_until_there_is() {
    let mut cluster = Cluster::new(3);
    let leader = cluster.elect();
    cluster.commit("a");
    let full = node(leader.0 % 3 + 1);
    cluster.call(full, |host, now| host.handle_full(now, true));
    let last = cluster.view(full).last;
    let token = cluster.propose(leader, "b");
    cluster.run_until("a commit", |cluster| cluster.applied(leader, token));
    cluster.run(1_000);
    assert_eq!(cluster.view(full).last, last);
    assert_eq!(cluster.leader(), Some(leader));
    cluster.call(full, |host, now| host.handle_full(now, false));
    cluster.run_until("it has all", |cluster| cluster.lines(full).len() == 2);
}

#[test]
fn a_replica_that_lost_its_tail_takes_no_part() {
    use mesh_log::record::Record;
    let mut cluster = Cluster::new(3);
    let leader = cluster.elect();
    for line in ["a", "b", "c"] {
        cluster.commit(line);
    }
    let hurt = node(leader.0 % 3 + 1);
    cluster.kill(hurt);
    cluster.lose_records(hurt, |record| matches!(record, Record::Entry { entry, .. } if entry.index > 2));
    cluster.start(hurt, None);
    cluster.run(1_000);
    assert!(cluster.view(hurt).quarantined);
    // Its vote would be needed.
    cluster.kill(leader);
    cluster.run(3_000);
    assert_eq!(cluster.leader(), None);
    cluster.start(leader, None);
    let leader = cluster.elect();
    let others = (1..=3).filter(|number| *number != hurt.0).collect::<Vec<_>>();
    let token = cluster.set_members(leader, voters(&others));
    cluster.run_until("it is out", |cluster| cluster.applied(leader, token));
    cluster.call(hurt, |host, now| host.remove_group(now, super::cluster::GROUP));
    cluster.kill(hurt);
    cluster.start(hurt, None);
    let leader = cluster.elect();
    let token = cluster.set_members(leader, voters(&[1, 2, 3]));
    cluster.run_until("it is back", |cluster| cluster.answer(leader, token).is_some());
    cluster.commit("d");
    assert_eq!(cluster.lines(hurt), ["a", "b", "c", "d"]);
}

#[test]
fn a_clock_an_hour_ahead_leads_no_time_ahead() {
    let mut cluster = Cluster::new(3);
    for (number, node) in &mut cluster.nodes {
        node.wrong_clock_ms = if number.0 == 1 { 3_600_000 } else { 0 };
    }
    let leader = cluster.elect();
    if leader != node(1) {
        cluster.call(leader, |host, now| host.transfer(now, super::cluster::GROUP, node(1)));
        cluster.run_until("it leads", |cluster| cluster.leader() == Some(node(1)));
    }
    cluster.commit("a");
    cluster.run(1_000);
    cluster.commit("b");
    let time = cluster.nodes[&node(1)].host.time_ms(super::cluster::GROUP).unwrap();
    let right = 1_700_000_000_000 + u64::try_from(cluster.now.as_millis()).unwrap();
    assert!(time.abs_diff(right) < 1_000, "{time} at {right}");
}
