//! Where things are.

use mesh_wire::name::Name;

/// The keys of a cluster.
#[derive(Debug, Clone)]
pub(super) struct Keys {
    /// Before the id of each node.
    pub(super) nodes: String,
    /// Behind the last of them: what `nodes` would be with its last byte one higher.
    pub(super) nodes_end: String,
    /// The own one.
    pub(super) own: String,
    /// How the cluster began.
    pub(super) founding: String,
}

impl Keys {
    pub(super) fn new(cluster: &Name, id: &Name) -> Self {
        let (cluster, id) = (cluster.as_str(), id.as_str());
        Self {
            nodes: format!("/mesh/{cluster}/nodes/"),
            nodes_end: format!("/mesh/{cluster}/nodes0"),
            own: format!("/mesh/{cluster}/nodes/{id}"),
            founding: format!("/mesh/{cluster}/founding"),
        }
    }

    /// A node's key without what is before its id.
    pub(super) fn id_of(&self, key: &[u8]) -> Vec<u8> {
        key.strip_prefix(self.nodes.as_bytes()).unwrap_or(key).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_nodes_are_a_range() {
        let keys = Keys::new(&Name::new("c").unwrap(), &Name::new("n").unwrap());
        assert_eq!((keys.own.as_str(), keys.founding.as_str()), ("/mesh/c/nodes/n", "/mesh/c/founding"));
        assert!(keys.nodes < keys.own && keys.own < keys.nodes_end && keys.nodes_end > keys.nodes);
        assert!(keys.founding < keys.nodes);
        assert_eq!(keys.id_of(b"/mesh/c/nodes/n"), b"n");
    }
}
