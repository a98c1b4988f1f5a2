//! What is under way at the same time, and what is not sent for it.

use raft::eraftpb::MessageType;

use super::cluster::*;
use crate::{id::NodeNumber, message::Message, options::HostOptions};

fn bounded(own: NodeNumber) -> HostOptions {
    let mut options = HostOptions::new(own, 1);
    options.bounds.entry_commands_max = 1;
    options.bounds.entry_bytes_max = 30;
    options.bounds.large_entries_in_flight_max = 4;
    options
}

#[test]
fn more_entries_are_under_way_when_they_are_large() {
    // Each command takes 4 bytes more than it has; half of an entry is 15.
    for (size, entries) in [(10, 2), (11, 4)] {
        let mut cluster = Cluster::with(1, bounded);
        cluster.slow_disk(node(1), 10);
        let last = cluster.view(node(1)).last;
        for _ in 0..entries {
            cluster.propose(node(1), vec![b'x'; size]);
        }
        assert_eq!(cluster.view(node(1)).last - last, entries, "of {size} bytes");
        let waits = cluster.propose(node(1), vec![b'x'; size]);
        assert_eq!(cluster.view(node(1)).last - last, entries, "one more of {size} bytes");
        cluster.run(50);
        assert!(cluster.applied(node(1), waits));
    }
}

#[test]
fn followers_hear_of_a_commit_with_a_heartbeat_and_not_before() {
    let mut cluster = Cluster::new(3);
    let leader = cluster.elect();
    cluster.commit("a");
    // Off the beat: the answer to a heartbeat brings an empty message about too, where an entry is under way.
    cluster.run(1_025);
    let told = |cluster: &Cluster| {
        let sent = cluster.nodes[&leader].sent.iter();
        sent.filter(|(_, message)| match message {
            Message::Raft(raft) => raft.kind == MessageType::MsgAppend as u8 && raft.entries.is_empty(),
            _ => false,
        })
        .count()
    };
    let before = told(&cluster);
    let token = cluster.propose(leader, "b");
    cluster.run_until("a commit", |cluster| cluster.applied(leader, token));
    cluster.run_until("all have it", |cluster| (1..=3).all(|nth| cluster.lines(node(nth)).len() == 2));
    assert_eq!(told(&cluster), before);
}
