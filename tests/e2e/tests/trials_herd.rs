//! Trial of many clients that come back at once.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]
#![expect(clippy::print_stdout, reason = "what was measured belongs to what a test prints")]

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use mesh_client::{Client, Events, Subscription};
use mesh_e2e::{Certificates, NodeBuilder, PATIENCE, client, connected, disconnected};
use tokio::time::timeout;

/// How long the last one may take, from when the node listens again.
const BACK: Duration = Duration::from_secs(30);
/// Connects at a time, at first: what is tried is how they come back.
const AT_A_TIME: usize = 16;

struct Member {
    mesh: Client,
    events: Events,
    subscription: Subscription,
}

async fn herd(count: usize) {
    let (_, certificates) = Certificates::of("n", &["member", "teller"]);
    let mut node = NodeBuilder::default().with_http().with_certificates("n", &certificates).start();
    let address = node.network();
    let joining = stream::iter(0..count).map(|number| {
        let builder = client(address, &certificates, "member").name(format!("member-{number}"));
        async move {
            let mesh = builder.connect().await.unwrap();
            let subscription = mesh.subscribe(&format!("to.{number}")).await.unwrap();
            Member { events: mesh.events(), mesh, subscription }
        }
    });
    let mut members: Vec<Member> = joining.buffer_unordered(AT_A_TIME).collect().await;
    // The events of a client begin when they are asked for: all are connected, and none was lost since.
    assert!(members.iter().all(|member| member.mesh.is_connected()));

    tokio::task::block_in_place(|| node.restart());
    let start = Instant::now();
    join_all(members.iter_mut().map(|member| async {
        disconnected(&mut member.events).await;
        connected(&mut member.events).await;
    }))
    .await;
    let back = start.elapsed();
    println!("{count} clients: the last was back after {back:?}");
    assert!(back <= BACK, "the last of {count} was back after {back:?}");

    let teller = client(address, &certificates, "teller").connect().await.unwrap();
    assert_eq!(node.metric("mesh_links", &[]), count as u64 + 1, "each once");
    for number in 0..count {
        teller.publish(&format!("to.{number}"), format!("hello {number}")).await.unwrap();
    }
    for member in &mut members {
        let number = member.mesh.name().strip_prefix("member-").unwrap();
        let message = timeout(PATIENCE, member.subscription.next()).await.unwrap().unwrap();
        assert_eq!(message.text().unwrap(), format!("hello {number}"), "its subscription is restored");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_clients_come_back_at_once() {
    herd(200).await;
}

/// `MESH_TRIAL_CLIENTS=2000 cargo test --release -p mesh-e2e --test trials_herd -- --ignored --nocapture`
///
/// It takes both cores for a while, and most of that is cryptography: without optimisation it tries something else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes the machine for itself: see above"]
async fn two_thousand_clients_come_back_at_once() {
    let count = std::env::var("MESH_TRIAL_CLIENTS").map_or(2_000, |count| count.parse().unwrap());
    herd(count).await;
}
