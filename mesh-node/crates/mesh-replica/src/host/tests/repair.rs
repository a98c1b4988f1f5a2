//! Records that a replica has lost and others have.

use super::cluster::*;
use crate::{id::NodeNumber, message::Message, options::HostOptions, refused::Refused};

fn small(own: NodeNumber) -> HostOptions {
    let mut options = HostOptions::new(own, 7);
    options.bounds.log_bytes_max = 4_000;
    options
}

const LINES: u64 = 61;

/// Three nodes, of which one has come by a snapshot, and has lost its segments: it, and the others.
fn forgetful() -> (Cluster, NodeNumber, Vec<NodeNumber>) {
    let mut cluster = Cluster::with(3, small);
    let leader = cluster.elect();
    cluster.commit("a");
    let one = node(leader.0 % 3 + 1);
    cluster.kill(one);
    for _ in 1..LINES {
        let token = cluster.propose(leader, vec![b'x'; 100]);
        cluster.run_until("a commit", |cluster| cluster.applied(leader, token));
    }
    cluster.start(one, None);
    cluster.run_until("it has all", |cluster| cluster.lines(one).len() as u64 == LINES);
    assert_eq!(cluster.view(one).damaged, 0);
    cluster.kill(one);
    cluster.lose_segments(one);
    let others = (1..=3).map(node).filter(|other| *other != one).collect();
    (cluster, one, others)
}

#[test]
fn what_is_missing_is_fetched_from_others_without_being_asked_for() {
    let (mut cluster, one, _) = forgetful();
    cluster.start(one, None);
    assert!(cluster.view(one).damaged > 0, "it is known from the start");
    cluster.run_until("all is there again", |cluster| cluster.view(one).damaged == 0);
    let token = cluster.fetch(one, 1, LINES);
    let Some(Answer::Fetched(pieces)) = cluster.answer(one, token) else { panic!("no records") };
    assert_eq!(pieces.len() as u64, LINES);
}

#[test]
fn records_of_which_nobody_has_an_intact_copy_are_told_and_asked_for_again() {
    let (mut cluster, one, others) = forgetful();
    others.iter().for_each(|other| cluster.flip(*other));
    cluster.start(one, None);
    cluster.run_until("nobody has them", |cluster| cluster.view(one).lost > 0);
    let token = cluster.fetch(one, 10, LINES);
    assert_eq!(cluster.answer(one, token), Some(&Answer::Refused(Refused::Lost)));
    cluster.call(one, |host, _| {
        let told = host.take_lost();
        assert!(!told.is_empty() && told.iter().all(|(group, piece)| *group == GROUP && piece.lane == LANE));
        assert!(host.take_lost().is_empty());
    });
    // Their disks were read wrongly; it was not what was on them.
    others.iter().for_each(|other| cluster.flip(*other));
    cluster.call(one, |host, now| host.handle_peer(now, others[0], true));
    cluster.run_until("all is there again", |cluster| cluster.view(one).damaged == 0);
    let token = cluster.fetch(one, 1, LINES);
    assert!(matches!(cluster.answer(one, token), Some(Answer::Fetched(_))));
}

/// Nobody repairs them, so a snapshot that named them could come to nothing for ever, and each would keep them for the next.
#[test]
fn what_is_kept_for_an_older_snapshot_is_in_no_newer_one() {
    fn impatient(own: NodeNumber) -> HostOptions {
        let mut options = small(own);
        options.pull.answer_time_max = std::time::Duration::from_millis(100);
        options.pull.tries_max = 1;
        options
    }
    let offers = |cluster: &Cluster, leader: NodeNumber| -> Vec<(u64, u64)> {
        let offers = cluster.nodes[&leader].sent.iter().filter_map(|(_, message)| match message {
            Message::Offer(offer) => Some((offer.manifest.index, offer.manifest.extents[0].first)),
            _ => None,
        });
        offers.collect()
    };
    let mut cluster = Cluster::with(3, impatient);
    let leader = cluster.elect();
    cluster.commit("a");
    let one = node(leader.0 % 3 + 1);
    cluster.kill(one);
    let write = |cluster: &mut Cluster| {
        for _ in 1..LINES {
            let token = cluster.propose(leader, vec![b'x'; 100]);
            cluster.run_until("a commit", |cluster| cluster.applied(leader, token));
        }
    };
    write(&mut cluster);
    cluster.filter = |message| !matches!(message, Message::Part(_));
    cluster.start(one, None);
    cluster.run_until("a snapshot of all", |cluster| !offers(cluster, leader).is_empty());
    let (before, first) = offers(&cluster, leader)[0];
    assert_eq!(first, 1);
    let token = cluster.propose(leader, "trim 30");
    cluster.run_until("a commit", |cluster| cluster.applied(leader, token));
    write(&mut cluster);
    let later = |cluster: &Cluster| offers(cluster, leader).into_iter().find(|(index, _)| *index > before);
    cluster.run_until("another one", |cluster| later(cluster).is_some());
    assert_eq!(later(&cluster).unwrap().1, 30);
    cluster.filter = |_| true;
    cluster.run_until("it has all", |cluster| cluster.lines(one).len() as u64 == 2 * LINES - 1);
}
