//! A producer with much under way while the node that it talks to is killed: one copy of everything, in order.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use mesh_client::{BatchBuilder, Client, Record};
use mesh_e2e::{Cluster, everything, register};
use mesh_wire::batch::Producer;

/// Records, and how many of them may be under way.
const RECORDS: usize = 3_000;
const WINDOW: usize = 256;

fn one(text: &str) -> BatchBuilder {
    let mut batch = BatchBuilder::new(Producer::default());
    batch.push(&Record { value: Some(text.as_bytes()), ..Record::default() }).unwrap();
    batch
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_is_brought_over_to_another_node() {
    let mut cluster = Cluster::of(&["a", "b", "c"]);
    let mut builder = Client::builder().name("producer");
    for node in &cluster.nodes {
        builder = builder.endpoint(node.url());
    }
    let client = builder.connect().await.unwrap();
    drop(register(&cluster.nodes[0], "kept").await);
    let kept = client.register("kept").await.unwrap();
    let producer = kept.producer().batches(WINDOW).open().unwrap();
    let mut under_way = Vec::new();
    for n in 0..RECORDS {
        under_way.push(producer.send(&one(&n.to_string())).await.unwrap());
        // Once when much was acknowledged and more is not, and back again later.
        if n == RECORDS / 3 {
            cluster.nodes[0].kill();
        }
        if n == 2 * RECORDS / 3 {
            cluster.nodes[0].start_again();
        }
    }
    let mut last = 0;
    for acknowledged in under_way {
        let appended = acknowledged.await.unwrap();
        assert!(appended.first == last + 1, "{} behind {last}", appended.first);
        last = appended.first;
    }
    let wanted: Vec<String> = (0..RECORDS).map(|n| n.to_string()).collect();
    assert_eq!(everything(&kept).await, wanted);
    assert_ne!(client.node_info().unwrap().node, "a", "the client went to another node");
}
