//! Three nodes that keep records together: the loss of any one loses nothing that was acknowledged.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::time::Duration;

use mesh_client::Register;
use mesh_e2e::{Cluster, RunningNode, everything, register, wait_until};
use serde_json::Value;
use tokio::{sync::watch, task::JoinHandle};

fn groups(node: &RunningNode) -> Vec<Value> {
    node.api("groups")["groups"].as_array().unwrap().clone()
}

/// Who leads a group, as a node sees it.
fn leader(node: &RunningNode, group: u32) -> Option<String> {
    groups(node).iter().find(|entry| entry["group"] == group)?["leader"].as_str().map(str::to_owned)
}

/// Waits until every group has a leader, as each of these nodes sees it.
fn until_led<'a>(nodes: impl Iterator<Item = &'a RunningNode> + Clone) {
    let is_led = |node: &RunningNode| {
        let groups = groups(node);
        groups.len() == 17 && groups.iter().all(|group| group["leader"].is_string())
    };
    wait_until("every group is led", || nodes.clone().all(is_led));
}

/// Appends one record after the other until told to stop; gives what was acknowledged.
fn append(register: Register, name: &'static str, stop: watch::Receiver<bool>) -> JoinHandle<Vec<String>> {
    tokio::spawn(async move {
        let mut acknowledged = Vec::new();
        for n in 0.. {
            if *stop.borrow() {
                break;
            }
            let text = format!("{name}-{n}");
            register.append([&text]).await.unwrap();
            acknowledged.push(text);
        }
        acknowledged
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_loss_of_a_leader_loses_nothing_that_was_acknowledged() {
    let mut cluster = Cluster::of(&["a", "b", "c"]);
    until_led(cluster.nodes.iter());
    let first = register(&cluster.nodes[0], "kept").await;
    let group = first.group();
    let lost = leader(&cluster.nodes[0], group).unwrap();
    let lost = ["a", "b", "c"].iter().position(|name| *name == lost).unwrap();
    let (stop, stopped) = watch::channel(false);
    // Both others send on what they are asked for.
    let mut appending = Vec::new();
    for (index, name) in ["a", "b", "c"].into_iter().enumerate().filter(|(index, _)| *index != lost) {
        appending.push(append(register(&cluster.nodes[index], "kept").await, name, stopped.clone()));
    }
    let other = register(&cluster.nodes[(lost + 1) % 3], "kept").await;
    let grown = |more: u64| {
        let other = other.clone();
        async move {
            let (mut before, mut head) = (None, 0);
            while before.is_none_or(|before| head < before + more) {
                // Between two leaders nobody answers.
                if let Ok(read) = other.read_local(1, 1).await {
                    head = read.head();
                    before.get_or_insert(head);
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    grown(40).await;
    cluster.nodes[lost].kill();
    grown(40).await;
    cluster.nodes[lost].start_again();
    grown(40).await;
    stop.send_replace(true);
    let mut acknowledged = Vec::new();
    for appending in appending {
        acknowledged.push(appending.await.unwrap());
    }
    until_led(cluster.nodes.iter());
    for node in &cluster.nodes {
        let found = everything(&register(node, "kept").await).await;
        for acknowledged in &acknowledged {
            let prefix = acknowledged[0].split('-').next().unwrap();
            let of_one: Vec<&String> = found.iter().filter(|text| text.starts_with(prefix)).collect();
            assert_eq!(of_one, acknowledged.iter().collect::<Vec<_>>(), "in order, each once");
        }
    }
    let forwarded: u64 =
        cluster.nodes.iter().map(|node| node.metric("mesh_group_forwarded_total", &[])).sum();
    assert!(forwarded > 0, "followers send on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_in_good_order_hands_its_leads_over() {
    let mut cluster = Cluster::of(&["a", "b", "c"]);
    until_led(cluster.nodes.iter());
    let kept = register(&cluster.nodes[0], "kept").await;
    kept.append(["before"]).await.unwrap();
    let group = kept.group();
    let was = leader(&cluster.nodes[0], group);
    let to = ["a", "b", "c"].into_iter().find(|name| was.as_deref() != Some(name)).unwrap();
    // An operator moves the lead first. That comes to nothing when the other one is not up to it in time, and when somebody
    // else leads by now: then he asks again.
    let asked = format!("{{\"group\":{group},\"node\":\"{to}\"}}");
    let mut taken = 0;
    wait_until("the lead has moved", || match leader(&cluster.nodes[0], group) {
        Some(leader) if leader == to => true,
        Some(from) => {
            let from = ["a", "b", "c"].iter().position(|name| *name == from).unwrap();
            let moved = cluster.nodes[from].mesh(&["request", "$mesh.group.transfer", &asked]);
            taken += u32::from(moved.status == Some(0));
            false
        }
        None => false,
    });
    assert!(taken > 0 || was.is_none(), "the operator is heard");
    let leaving = ["a", "b", "c"].iter().position(|name| *name == to).unwrap();
    let node = cluster.nodes.remove(leaving);
    node.signal(rustix::process::Signal::TERM);
    let finished = node.finish();
    assert_eq!(finished.status, Some(0));
    until_led(cluster.nodes.iter());
    for node in &cluster.nodes {
        let kept = register(node, "kept").await;
        kept.append(["after"]).await.unwrap();
    }
    assert_eq!(everything(&register(&cluster.nodes[0], "kept").await).await, ["before", "after", "after"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_joins_has_a_number_of_its_own_and_everything_that_is_kept() {
    let mut cluster = Cluster::of(&["a", "b", "c"]);
    until_led(cluster.nodes.iter());
    let kept = register(&cluster.nodes[0], "kept").await;
    for n in 0..20 {
        kept.append([n.to_string()]).await.unwrap();
    }
    cluster.join("d");
    let d = &cluster.nodes[3];
    wait_until("d knows the cluster", || {
        groups(d).iter().any(|group| group["group"] == 0 && group["leader"].is_string())
    });
    let there = register(d, "kept").await;
    there.append(["from d"]).await.unwrap();
    assert_eq!(everything(&there).await.len(), 21);
    assert_eq!(cluster.founders(), ["a", "b", "c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_in_a_log_is_served_by_nobody() {
    let mut cluster = Cluster::of(&["a", "b", "c"]);
    until_led(cluster.nodes.iter());
    let kept = register(&cluster.nodes[0], "kept").await;
    let group = kept.group();
    for n in 0..50 {
        kept.append([format!("a record that is to be damaged {n}")]).await.unwrap();
    }
    let damaged = &mut cluster.nodes[2];
    let has_all = |node: &RunningNode| {
        groups(node).iter().any(|entry| entry["group"] == group && entry["applied"].as_u64() >= Some(50))
    };
    wait_until("c has them too", || has_all(damaged));
    damaged.kill();
    let log = damaged.directory().join("log");
    let needle = b"a record that is to be damaged 7";
    let mut flipped = 0;
    for entry in std::fs::read_dir(log).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        if let Some(at) = bytes.windows(needle.len()).position(|window| window == needle) {
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            flipped += 1;
        }
    }
    assert!(flipped > 0, "it was in the log");
    damaged.start_again();
    damaged.process().stderr_line("MESH-7011");
    assert_eq!(cluster.nodes[2].get("/readyz").0, 200, "messages go on");
    // The others serve meanwhile.
    let is_all = |found: Vec<String>| {
        let expected = (0..50).map(|n| format!("a record that is to be damaged {n}"));
        assert_eq!(found, expected.collect::<Vec<_>>());
    };
    for node in &cluster.nodes {
        is_all(everything(&register(node, "kept").await).await);
    }
    // They fill the replica again: it has all that it had, and nothing of it is lost any more.
    let is_back = |node: &RunningNode| {
        let groups = groups(node);
        let entry = groups.iter().find(|entry| entry["group"] == group);
        let is_there = entry.is_some_and(|entry| entry["applied"].as_u64() >= Some(50));
        is_there && groups.len() == 17 && groups.iter().all(|entry| entry["quarantined"] == false)
    };
    wait_until("the replica is filled again", || is_back(&cluster.nodes[2]));
    let there = register(&cluster.nodes[2], "kept").await;
    assert_eq!(
        there.read_local(8, 1).await.unwrap().into_records()[0].value,
        "a record that is to be damaged 7"
    );
}
