//! What the demonstration does.

use std::process;
use std::time::{Duration, Instant};

use mesh_client::serve::Raw;
use mesh_client::{Client, Code, Subscription};
use tokio::time::timeout;

use super::stage::{Scene, Stage};
use crate::failure::Failure;

/// Messages that the members of the group share.
const SHARED: u32 = 20;

/// Who is there.
pub(super) async fn node(client: &Client, stage: &mut Stage<'_>) -> Result<(), Failure> {
    let took = client.ping().await?;
    let node =
        client.node_info().ok_or_else(|| Failure::new(Code::Disconnected, "the connection was lost"))?;
    stage.show(&Scene {
        title: "A node",
        lesson: "Every process talks to the node beside it, over one socket.",
        commands: &["mesh node info".to_owned()],
        happened: &[format!(
            "node {} {} of cluster {} at {}, {} there and back",
            node.node,
            node.version,
            node.cluster,
            node.endpoint,
            micros(took)
        )],
    })
}

/// Publish and subscribe.
pub(super) async fn publish(client: &Client, time: Duration, stage: &mut Stage<'_>) -> Result<(), Failure> {
    let pattern = subject("orders.*.created");
    let mut subscription = client.subscribe(&pattern).await?;
    let sent =
        [("orders.eu.created", "order 1"), ("orders.eu.paid", "order 1"), ("orders.us.created", "order 2")];
    for (name, body) in sent {
        client.publish(&subject(name), body).await?;
    }
    let mut happened = Vec::new();
    for _ in 0..2 {
        let message = within(time, subscription.next()).await?;
        let message = message.ok_or_else(|| ended(&subscription))?;
        happened.push(format!("{}: {}", message.subject(), message.text().unwrap_or_default()));
    }
    happened.push(format!("{} is another subject: not for this subscriber", subject("orders.eu.paid")));
    let mut commands = vec![format!("mesh sub '{pattern}'")];
    commands.extend(sent.map(|(name, body)| format!("mesh pub {} '{body}'", subject(name))));
    stage.show(&Scene {
        title: "Publish and subscribe",
        lesson: "Who subscribed gets a copy. `*` stands for one token, `>` for all that follow.",
        commands: &commands,
        happened: &happened,
    })
}

/// A group shares the messages.
pub(super) async fn group(client: &Client, time: Duration, stage: &mut Stage<'_>) -> Result<(), Failure> {
    let jobs = subject("jobs");
    let mut first = client.subscribe(&jobs).group("workers").await?;
    let mut second = client.subscribe(&jobs).group("workers").await?;
    for number in 0..SHARED {
        client.publish(&jobs, number.to_string()).await?;
    }
    let mut counts = [0_u32; 2];
    while counts.iter().sum::<u32>() < SHARED {
        let one = async {
            tokio::select! {
                message = first.next() => (0, message.is_some()),
                message = second.next() => (1, message.is_some()),
            }
        };
        let (who, came) = within(time, one).await?;
        if !came {
            return Err(ended(&first));
        }
        counts[who] += 1;
    }
    stage.show(&Scene {
        title: "Groups",
        lesson: "Members of a group share: each message goes to one of them.",
        commands: &[
            format!("mesh sub {jobs} --group workers"),
            format!("mesh pub {jobs} x --count {SHARED}"),
        ],
        happened: &[format!(
            "{SHARED} messages: the first member got {}, the second {}",
            counts[0], counts[1]
        )],
    })
}

/// Request and reply.
pub(super) async fn request(client: &Client, time: Duration, stage: &mut Stage<'_>) -> Result<(), Failure> {
    let upper = subject("text.upper");
    let server = client
        .serve("mesh-demo")
        .handle_subject(&upper, async |Raw(body): Raw| body.to_ascii_uppercase())
        .spawn()
        .await?;
    let sent = Instant::now();
    let reply = client.request(&upper, "hello").timeout(time).await?;
    let took = sent.elapsed();
    let text = reply.text().unwrap_or_default().to_owned();
    server.drain().await;
    stage.show(&Scene {
        title: "Request and reply",
        lesson: "One of those who serve the subject answers, straight back to who asked.",
        commands: &[
            format!("mesh reply {upper} --command 'tr a-z A-Z'"),
            format!("mesh request {upper} hello --timeout 2s"),
        ],
        happened: &[format!("{text}, after {}", micros(took))],
    })
}

/// Nobody answers, told at once.
pub(super) async fn nobody(client: &Client, time: Duration, stage: &mut Stage<'_>) -> Result<(), Failure> {
    let nobody = subject("nobody.here");
    let sent = Instant::now();
    let error = match client.request(&nobody, "hello").timeout(time).await {
        Err(error) if error.code() == Code::NoResponders => error,
        Err(error) => return Err(error.into()),
        Ok(_) => return Err(Failure::new(Code::InternalError, format!("somebody answers on {nobody}"))),
    };
    let took = sent.elapsed();
    stage.show(&Scene {
        title: "Nobody there",
        lesson: "Told at once, not when the time is up. Each error has a code that can be looked up.",
        commands: &[format!("mesh request {nobody} hello"), format!("mesh explain {}", error.code())],
        happened: &[format!("{error}, after {}", micros(took))],
    })
}

/// Several answers to one request.
pub(super) async fn many(client: &Client, time: Duration, stage: &mut Stage<'_>) -> Result<(), Failure> {
    let status = subject("status");
    let mut servers = Vec::new();
    for name in ["one", "two", "three"] {
        let answer = move || std::future::ready(name);
        servers.push(client.serve("mesh-demo").ungrouped().handle_subject(&status, answer).spawn().await?);
    }
    let mut replies = client.request_many(&status, "").max(3).timeout(time).await?;
    let mut happened = Vec::new();
    while let Some(reply) = replies.next().await {
        happened.push(reply?.text().unwrap_or_default().to_owned());
    }
    happened.sort();
    for server in &servers {
        server.drain().await;
    }
    stage.show(&Scene {
        title: "Ask everybody",
        lesson: "One request, an answer from each who serves the subject.",
        commands: &[format!("mesh request {status} --many")],
        happened: &happened,
    })
}

/// A subject that no other demonstration uses at the same time.
fn subject(name: &str) -> String {
    format!("demo.{}.{name}", process::id())
}

fn micros(took: Duration) -> String {
    format!("{} µs", took.as_micros())
}

fn ended(subscription: &Subscription) -> Failure {
    match subscription.error() {
        Some(error) => Failure::new(error.code(), error.message()).cause(error.cause()),
        None => Failure::new(Code::Disconnected, "the connection was lost"),
    }
}

async fn within<T>(time: Duration, wait: impl Future<Output = T>) -> Result<T, Failure> {
    timeout(time, wait)
        .await
        .map_err(|_| Failure::new(Code::RequestDeadline, "a message that was published did not come in time"))
}
