//! Replicas that have lost what they had promised to keep, and come back.

use std::collections::BTreeSet;

use bytes::Bytes;
use mesh_log::record::Record;

use super::cluster::*;
use crate::{
    id::NodeNumber,
    members::Members,
    message::{Beat, Message},
    refused::Refused,
    view::{Role, View},
};

/// Does what the reconciler does: out with those that have lost something, and in again with who is wanted.
fn reconcile(cluster: &mut Cluster, wanted: &Members) {
    let Some(leader) = cluster.leader() else { return };
    let View { members, forgot, changing, .. } = cluster.view(leader);
    let lost: BTreeSet<NodeNumber> = members.all().filter(|node| forgot.contains(node)).collect();
    if !lost.is_empty() && !members.is_joint() {
        let stay = |nodes: &BTreeSet<NodeNumber>| nodes.difference(&lost).copied().collect();
        let target = Members {
            voters: stay(&members.voters),
            learners: stay(&members.learners),
            ..Members::default()
        };
        if target.voters.len() * 2 > members.voters.len() {
            cluster.set_members(leader, target);
        }
    } else if lost.is_empty() && !changing && members != *wanted {
        cluster.set_members(leader, wanted.clone());
    }
}

fn is_whole(cluster: &Cluster, wanted: &Members) -> bool {
    let Some(leader) = cluster.leader() else { return false };
    let applied = cluster.view(leader).applied;
    wanted.all().all(|number| {
        cluster.nodes.get(&number).is_some_and(|node| {
            let view = node.host.group(GROUP).unwrap();
            !view.quarantined && view.members == *wanted && view.applied == applied
        })
    })
}

/// Runs until all are members again and whole.
fn heal(cluster: &mut Cluster, wanted: &Members) {
    for _ in 0..600 {
        cluster.run(100);
        if is_whole(cluster, wanted) {
            return;
        }
        reconcile(cluster, wanted);
    }
    panic!("it does not heal: {:#?}", cluster.views());
}

/// Three voters with three lines; a follower of which is down.
fn three() -> (Cluster, NodeNumber, NodeNumber) {
    let mut cluster = Cluster::new(3);
    let leader = cluster.elect();
    for line in ["a", "b", "c"] {
        cluster.commit(line);
    }
    let hurt = node(leader.0 % 3 + 1);
    cluster.kill(hurt);
    (cluster, leader, hurt)
}

fn lose_tail(cluster: &mut Cluster, number: NodeNumber) {
    cluster.lose_records(number, |record| matches!(record, Record::Entry { entry, .. } if entry.index > 2));
}

const LOSSES: [fn(&mut Cluster, NodeNumber); 3] = [lose_tail, Cluster::lose_all, Cluster::lose_checkpoint];

#[test]
fn who_lost_something_comes_back_by_itself() {
    for lose in LOSSES {
        let (mut cluster, _, hurt) = three();
        lose(&mut cluster, hurt);
        cluster.start(hurt, None);
        cluster.run_until("it is noticed", |cluster| {
            cluster.leader().is_some_and(|leader| cluster.view(leader).forgot.contains(&hurt))
        });
        assert!(cluster.view(hurt).quarantined);
        heal(&mut cluster, &voters(&[1, 2, 3]));
        cluster.commit("d");
        assert_eq!(cluster.lines(hurt), ["a", "b", "c", "d"]);
        // Nothing is remembered of it.
        cluster.kill(hurt);
        cluster.start(hurt, None);
        assert!(!cluster.view(hurt).quarantined);
        cluster.commit("e");
        // It counts again.
        let leader = cluster.elect();
        let third = (1..=3).map(node).find(|number| *number != hurt && *number != leader).unwrap();
        cluster.kill(third);
        let token = cluster.propose(leader, "f");
        cluster.run_until("a commit", |cluster| cluster.applied(leader, token));
    }
}

#[test]
fn it_counts_for_nothing_until_it_is_out() {
    for lose in LOSSES {
        let (mut cluster, leader, hurt) = three();
        lose(&mut cluster, hurt);
        cluster.start(hurt, None);
        cluster.run(1_000);
        let read = cluster.read(hurt);
        assert_eq!(cluster.answer(hurt, read), Some(&Answer::Refused(Refused::Quarantined)));
        let other = (1..=3).map(node).find(|number| *number != hurt && *number != leader).unwrap();
        // Its acknowledgement, its vote and its word on who leads would each be needed.
        cluster.kill(other);
        let command = cluster.propose(leader, "d");
        let read = cluster.read(leader);
        cluster.run(2_000);
        assert!(!cluster.applied(leader, command));
        assert!(!matches!(cluster.answer(leader, read), Some(Answer::Readable(_))));
        assert_eq!(cluster.leader(), None);
        cluster.start(other, None);
        heal(&mut cluster, &voters(&[1, 2, 3]));
    }
}

#[test]
fn two_of_three_that_lost_something_stay_refused() {
    let mut cluster = Cluster::new(3);
    let leader = cluster.elect();
    cluster.commit("a");
    let hurt: Vec<_> = (1..=3).map(node).filter(|number| *number != leader).collect();
    for number in &hurt {
        cluster.kill(*number);
        cluster.lose_all(*number);
        cluster.start(*number, None);
    }
    for _ in 0..100 {
        cluster.run(100);
        reconcile(&mut cluster, &voters(&[1, 2, 3]));
    }
    assert_eq!(cluster.leader(), None);
    assert!(hurt.iter().all(|number| cluster.view(*number).quarantined));
    assert!(hurt.iter().all(|number| cluster.lines(*number).is_empty()));
    assert_eq!(cluster.lines(leader), ["a"]);
    let asked = cluster.propose(leader, "b");
    assert!(matches!(cluster.answer(leader, asked), Some(Answer::Refused(_))));
}

#[test]
fn the_only_voter_stays_refused() {
    let mut cluster = Cluster::new(1);
    cluster.commit("a");
    cluster.kill(node(1));
    cluster.lose_all(node(1));
    cluster.start(node(1), None);
    cluster.run(5_000);
    assert!(cluster.view(node(1)).quarantined);
    let asked = cluster.propose(node(1), "b");
    assert_eq!(cluster.answer(node(1), asked), Some(&Answer::Refused(Refused::Quarantined)));
}

/// Killed again at every point of the way back.
#[test]
fn a_restart_in_the_midst_of_it_does_no_harm() {
    for lose in LOSSES {
        for at in 0..40 {
            let (mut cluster, _, hurt) = three();
            cluster.slow_disks(3);
            lose(&mut cluster, hurt);
            cluster.start(hurt, None);
            let wanted = voters(&[1, 2, 3]);
            let first = cluster.elect();
            cluster.run_until("it is noticed", |cluster| !cluster.view(first).forgot.is_empty());
            // The whole way takes some 150 ms here.
            for _ in 0..at {
                reconcile(&mut cluster, &wanted);
                cluster.run(5);
            }
            let was_whole = !cluster.view(hurt).quarantined;
            cluster.kill(hurt);
            cluster.start(hurt, None);
            if was_whole {
                assert!(cluster.lines(hurt).len() >= 3 || cluster.view(hurt).quarantined);
            }
            heal(&mut cluster, &wanted);
            cluster.commit("d");
            assert_eq!(cluster.lines(hurt), ["a", "b", "c", "d"], "at {at}");
        }
    }
}

#[test]
fn another_leader_in_the_midst_of_it_goes_on() {
    for at in 0..30 {
        let mut cluster = Cluster::new(5);
        let leader = cluster.elect();
        cluster.commit("a");
        let hurt = node(leader.0 % 5 + 1);
        cluster.kill(hurt);
        cluster.lose_all(hurt);
        cluster.start(hurt, None);
        let wanted = voters(&[1, 2, 3, 4, 5]);
        cluster.run_until("it is noticed", |cluster| !cluster.view(leader).forgot.is_empty());
        for _ in 0..at {
            reconcile(&mut cluster, &wanted);
            cluster.run(5);
        }
        if let Some(leader) = cluster.leader() {
            cluster.kill(leader);
            cluster.run(2_000);
            cluster.start(leader, None);
        }
        heal(&mut cluster, &wanted);
        cluster.commit("b");
        assert_eq!(cluster.lines(hurt), ["a", "b"], "at {at}");
    }
}

/// What was found out while it ran is known after a restart, also when nobody is there to prove it once more.
#[test]
fn a_loss_that_was_proven_is_not_forgotten() {
    let (mut cluster, _, hurt) = three();
    lose_tail(&mut cluster, hurt);
    cluster.start(hurt, None);
    cluster.run_until("the proof", |cluster| cluster.view(hurt).quarantined);
    cluster.run(10);
    cluster.kill(hurt);
    for number in 1..=3 {
        cluster.cut.extend([(hurt, node(number)), (node(number), hurt)]);
    }
    cluster.start(hurt, None);
    cluster.run(3_000);
    let view = cluster.view(hurt);
    assert!(view.quarantined);
    assert_eq!(view.role, Role::Follower);
    assert_eq!(view.commit, view.applied, "what its log has need not be committed");
    cluster.cut.clear();
    heal(&mut cluster, &voters(&[1, 2, 3]));
}

/// Nobody sends anything, so nobody could hear of it.
#[test]
fn a_group_at_rest_hears_of_it_when_the_node_is_back() {
    let mut cluster = Cluster::new(3);
    let leader = cluster.elect();
    cluster.commit("a");
    cluster.run_until("rest", |cluster| cluster.views().values().flatten().all(|view| view.rests));
    let hurt = node(leader.0 % 3 + 1);
    cluster.kill(hurt);
    cluster.lose_all(hurt);
    cluster.call(leader, |host, now| host.handle_peer(now, hurt, false));
    cluster.start(hurt, None);
    cluster.call(leader, |host, now| host.handle_peer(now, hurt, true));
    heal(&mut cluster, &voters(&[1, 2, 3]));
    cluster.commit("b");
    assert_eq!(cluster.lines(hurt), ["a", "b"]);
}

/// What was said before the loss and comes late.
#[test]
fn old_acknowledgements_and_offers_count_for_nothing() {
    let mut cluster = Cluster::new(3);
    let leader = cluster.elect();
    for line in ["a", "b", "c"] {
        cluster.commit(line);
    }
    let hurt = node(leader.0 % 3 + 1);
    let said = std::mem::take(&mut cluster.nodes.get_mut(&hurt).unwrap().sent);
    cluster.kill(hurt);
    cluster.lose_all(hurt);
    cluster.start(hurt, None);
    let wanted = voters(&[1, 2, 3]);
    // It becomes a learner, and nothing more comes from it.
    cluster.filter = |message| !matches!(message, Message::Offer(_));
    cluster.run_until("it is noticed", |cluster| !cluster.view(leader).forgot.is_empty());
    for _ in 0..40 {
        reconcile(&mut cluster, &wanted);
        cluster.run(20);
    }
    assert_eq!(cluster.leader(), Some(leader));
    assert!(cluster.view(leader).members.learners.contains(&hurt));
    for (_, message) in said.iter().filter(|(to, _)| *to == leader) {
        cluster.call(leader, |host, now| host.handle_message(now, hurt, message.clone()));
    }
    let View { last, lag, .. } = cluster.view(leader);
    assert_eq!(lag[&hurt], last, "nothing is acknowledged");
    // An offer that is not the answer to this loss.
    let sent = cluster.nodes[&leader].sent.iter();
    let offers: Vec<_> = sent.filter(|(_, message)| matches!(message, Message::Offer(_))).cloned().collect();
    let Some((_, Message::Offer(offer))) = offers.last() else { panic!("nothing was offered") };
    for wrong in [0, offer.loss + 1] {
        let offer = Message::Offer(crate::message::Offer { loss: wrong, ..offer.clone() });
        cluster.call(hurt, |host, now| host.handle_message(now, leader, offer));
        assert!(cluster.view(hurt).quarantined);
    }
    let mut votes = offer.clone();
    votes.manifest.members = wanted.clone();
    cluster.call(hurt, |host, now| host.handle_message(now, leader, Message::Offer(votes)));
    assert!(cluster.view(hurt).quarantined);
    cluster.filter = |_| true;
    heal(&mut cluster, &wanted);
    cluster.commit("d");
    assert_eq!(cluster.lines(hurt), ["a", "b", "c", "d"]);
}

/// It may have voted in a term that its leader has not heard of: it takes nothing of an earlier one.
#[test]
fn a_leader_of_an_earlier_term_gives_way() {
    let (mut cluster, leader, hurt) = three();
    cluster.lose_all(hurt);
    cluster.start(hurt, None);
    let term = cluster.view(leader).term;
    let beat = Beat { group: GROUP, term: term + 3, commit: 0, rests: false, lost: true, read: 7 };
    cluster.call(leader, |host, now| host.handle_message(now, hurt, Message::BeatReply(vec![beat])));
    cluster.run_until("another term", |cluster| {
        cluster.leader().is_some_and(|leader| cluster.view(leader).term > term + 3)
    });
    heal(&mut cluster, &voters(&[1, 2, 3]));
}

/// A learner counts for nothing, but what it had is not to be searched for either.
#[test]
fn a_learner_that_lost_something_comes_back_as_one() {
    let mut cluster = Cluster::new(3);
    cluster.start(node(4), None);
    let leader = cluster.elect();
    let wanted = Members { learners: [node(4)].into(), ..voters(&[1, 2, 3]) };
    let token = cluster.set_members(leader, wanted.clone());
    cluster.run_until("it learns", |cluster| cluster.applied(leader, token));
    cluster.commit("a");
    for lose in LOSSES {
        cluster.kill(node(4));
        lose(&mut cluster, node(4));
        cluster.start(node(4), None);
        heal(&mut cluster, &wanted);
        assert_eq!(cluster.lines(node(4)), ["a"]);
        assert_eq!(cluster.view(node(4)).role, Role::Learner);
    }
    let leader = cluster.elect();
    let token = cluster.propose(leader, Bytes::from_static(b"b"));
    cluster.run_until("a commit", |cluster| cluster.applied(leader, token));
}
