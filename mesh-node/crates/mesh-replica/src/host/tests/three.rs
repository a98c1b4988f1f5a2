use super::cluster::*;
use crate::refused::Refused;

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
