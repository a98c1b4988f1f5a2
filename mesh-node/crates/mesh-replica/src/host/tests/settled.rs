//! When members that went are not needed any more.

use super::cluster::*;
use crate::id::NodeNumber;

/// Five, three of which are to stay, and are the only members as far as their leader knows: those that stay.
fn shrunk() -> (Cluster, Vec<NodeNumber>) {
    let mut cluster = Cluster::new(5);
    let leader = cluster.elect();
    cluster.commit("a");
    let stay: Vec<_> = (0..3).map(|nth| node((leader.0 + nth - 1) % 5 + 1)).collect();
    let target = voters(&[stay[0].0, stay[1].0, stay[2].0]);
    cluster.set_members(leader, target.clone());
    cluster.run_until("the others are out", |cluster| cluster.view(leader).members == target);
    (cluster, stay)
}

#[test]
fn who_went_is_not_needed_once_that_is_settled() {
    for away in 0..3 {
        let (mut cluster, stay) = shrunk();
        assert!(!cluster.view(stay[0]).settled, "the others know only that it was proposed");
        cluster.run_until("it is settled", |cluster| cluster.view(stay[0]).settled);
        (1..=5).map(node).for_each(|number| cluster.kill(number));
        for number in stay.iter().enumerate().filter(|(nth, _)| *nth != away).map(|(_, number)| *number) {
            cluster.start(number, None);
        }
        cluster.run_until("two of three elect", |cluster| cluster.leader().is_some());
        cluster.commit("b");
    }
}

#[test]
fn a_new_lead_is_settled_with_its_first_entry() {
    let (mut cluster, stay) = shrunk();
    cluster.run_until("it is settled", |cluster| cluster.view(stay[0]).settled);
    assert!(!cluster.view(stay[1]).settled, "only who leads can say so");
    let last = cluster.view(stay[0]).last;
    cluster.kill(stay[0]);
    let leader = cluster.elect();
    cluster.run_until("it is settled", |cluster| cluster.view(leader).settled);
    assert_eq!(cluster.view(leader).last, last + 1);
}
