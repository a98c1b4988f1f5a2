//! When everything is healed, all goes on within a bounded time: every group has a leader that its members follow, all
//! that was asked is answered, and all replicas come to the same place.

use mesh_log::id::GroupId;
use mesh_replica::view::{Role, View};

use super::applied::Place;

/// A replica as it is seen once all is healed.
#[derive(Debug, Clone)]
pub struct Replica {
    /// The node.
    pub node: u64,
    /// What it says of itself.
    pub view: View,
    /// Where its machine is.
    pub place: Place,
}

/// What a group still lacks, if anything.
#[must_use]
pub fn lacks(group: GroupId, replicas: &[Replica]) -> Option<String> {
    let Some(leader) =
        replicas.iter().filter(|replica| replica.view.role == Role::Leader).max_by_key(|r| r.view.term)
    else {
        return Some(format!("group {group} has no leader"));
    };
    for node in leader.view.members.voters.iter().chain(&leader.view.members.learners) {
        let Some(replica) = replicas.iter().find(|replica| replica.node == node.0) else {
            return Some(format!("group {group}: member {node} has no replica"));
        };
        let view = &replica.view;
        if view.quarantined {
            return Some(format!("group {group}: the replica of node {node} is in quarantine"));
        }
        if view.term != leader.view.term || view.leader.is_none_or(|known| known.0 != leader.node) {
            return Some(format!(
                "group {group}: node {} leads term {}; node {node} knows {:?} of term {}",
                leader.node, leader.view.term, view.leader, view.term
            ));
        }
        if replica.place != leader.place || view.applied != leader.view.applied {
            return Some(format!(
                "group {group}: node {} is at {:?}, entry {}; node {node} at {:?}, entry {}",
                leader.node, leader.place, leader.view.applied, replica.place, view.applied
            ));
        }
    }
    None
}
