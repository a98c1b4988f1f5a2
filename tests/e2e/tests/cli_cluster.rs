//! `mesh group transfer`, `mesh group replicas` and `mesh node rm` against real nodes.

use mesh_e2e::{Cluster, Finished, NodeBuilder, RunningNode as Node, wait_until};
use serde_json::{Value, json};

const NOTE: &str = "the node has begun with it: mesh group ls shows how far it is\n";

fn done(finished: &Finished) -> &str {
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    &finished.stdout
}

/// The groups as a node sees them; none while it knows of none.
fn groups(node: &Node) -> Vec<Value> {
    node.api("groups")["groups"].as_array().cloned().unwrap_or_default()
}

fn group(node: &Node, number: u32) -> Option<Value> {
    groups(node).into_iter().find(|group| group["group"] == number)
}

fn voters(group: &Value) -> Vec<&str> {
    let replicas = group["replicas"].as_array().map(Vec::as_slice).unwrap_or_default();
    replicas.iter().filter(|one| one["role"] == "voter").filter_map(|one| one["node"].as_str()).collect()
}

fn at<'a>(cluster: &'a Cluster, name: &str) -> &'a Node {
    let index = cluster.founders().iter().position(|founder| founder == name).expect("one of the founders");
    &cluster.nodes[index]
}

fn founded(names: &[&str]) -> Cluster {
    let cluster = Cluster::of(names);
    let is_led = |group: &Value| group["leader"].is_string();
    wait_until("every group is led", || {
        cluster.nodes.iter().all(|node| {
            let groups = groups(node);
            !groups.is_empty() && groups.iter().all(is_led)
        })
    });
    cluster
}

#[test]
fn a_lead_is_handed_over() {
    let cluster = founded(&["a", "b", "c"]);
    let leader = |node: &Node| Some(group(node, 3)?["leader"].as_str()?.to_owned());
    // Leads also move by themselves: whoever leads now is asked until it is taken.
    let mut handed = None;
    wait_until("the leader takes the command", || {
        let Some(from) = leader(&cluster.nodes[0]) else { return false };
        let to = cluster.founders().iter().find(|name| **name != from).expect("there are three").clone();
        let asked = at(&cluster, &from).mesh(&["group", "transfer", "3", &to]);
        let taken = asked.status == Some(0);
        if taken {
            assert_eq!((asked.stdout.as_str(), asked.stderr.as_str()), ("", NOTE));
            handed = Some((from, to));
        }
        taken
    });
    let (from, to) = handed.expect("it was taken");
    wait_until("the other one leads", || leader(at(&cluster, &to)).as_ref() == Some(&to));

    // Only who leads can hand over, and says who that is.
    let asked = at(&cluster, &from).mesh(&["group", "transfer", "3", &from]);
    assert_eq!(asked.status, Some(1), "{}", asked.stderr);
    assert!(asked.stderr.starts_with("error[MESH-7095]: "), "{}", asked.stderr);
    assert!(asked.stderr.contains(&format!("group 3 is led by {to}: ask that node")), "{}", asked.stderr);
    let asked = at(&cluster, &to).mesh(&["group", "transfer", "3", "nobody"]);
    assert_eq!(asked.status, Some(1), "{}", asked.stderr);
    assert!(asked.stderr.contains("the cluster has no node `nobody`"), "{}", asked.stderr);
}

#[test]
fn groups_get_as_many_replicas_as_is_said() {
    let cluster = founded(&["a", "b", "c"]);
    let node = &cluster.nodes[0];
    let asked = node.mesh(&["group", "replicas", "5"]);
    assert_eq!(asked.status, Some(1), "{}", asked.stderr);
    assert!(asked.stderr.starts_with("error[MESH-"), "{}", asked.stderr);
    let asked = node.mesh(&["group", "replicas", "7"]);
    assert_eq!(asked.status, Some(2), "{}", asked.stderr);
    let asked = node.mesh(&["group", "replicas", "1", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(done(&asked)).ok().map(|told| told.is_object()), Some(true));
    // Nodes that were left behind may not know it.
    let one = |node: &Node| group(node, 0).is_some_and(|group| voters(&group).len() == 1);
    wait_until("the meta group has one voter", || cluster.nodes.iter().any(one));
}

#[test]
fn a_node_is_taken_out() {
    let mut cluster = founded(&["a", "b", "c"]);
    cluster.join("d");
    let remove = || cluster.nodes[0].mesh(&["node", "rm", "d"]);
    let unknown = |asked: &Finished| asked.stderr.contains("the cluster has no node `d`");
    // The node that is asked may hear of the new one later than others.
    wait_until("it is told to go", || {
        let asked = remove();
        assert!(asked.status == Some(0) || unknown(&asked), "{}", asked.stderr);
        asked.status == Some(0)
    });
    wait_until("it is forgotten", || unknown(&remove()));
}

#[test]
fn the_last_one_stays() {
    let node = NodeBuilder::default().with_http().arg("--node").arg("n1").start();
    wait_until("it leads itself", || group(&node, 0).is_some_and(|group| group["leader"] == json!("n1")));
    let asked = node.mesh(&["node", "rm", "n1"]);
    assert_eq!(asked.status, Some(1), "{}", asked.stderr);
    assert!(asked.stderr.starts_with("error[MESH-"), "{}", asked.stderr);
    let asked = node.mesh(&["group", "transfer", "1", "n2"]);
    assert_eq!(asked.status, Some(1), "{}", asked.stderr);
    assert!(asked.stderr.contains("the cluster has no node `n2`"), "{}", asked.stderr);
}
