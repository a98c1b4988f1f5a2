//! Checks of what a mesh is for: a message that comes, a request that is answered.

use std::process;
use std::time::{Duration, Instant};

use mesh_client::serve::Raw;
use mesh_client::{Client, Code, Error};
use tokio::time::timeout;

use super::finding::{Finding, Findings};

const GROUP: &str = "messages";

/// Sends a message and a request to this process itself.
pub(super) async fn check(client: &Client, time: Duration, findings: &mut Findings) {
    // Under a subject that nobody else uses.
    let prefix = format!("mesh-check.{}", process::id());
    findings.add(GROUP, told(message(client, &format!("{prefix}.message"), time).await));
    findings.add(GROUP, told(request(client, &format!("{prefix}.request"), time).await));
    findings.add(GROUP, told(nobody(client, &format!("{prefix}.nobody"), time).await));
}

fn told(result: Result<Finding, Error>) -> Finding {
    result.unwrap_or_else(|error| Finding::error(&error))
}

async fn message(client: &Client, subject: &str, time: Duration) -> Result<Finding, Error> {
    let mut subscription = client.subscribe(subject).capacity(1).await?;
    let sent = Instant::now();
    client.publish(subject, "check").await?;
    let what = "a published message comes";
    match timeout(time, subscription.next()).await {
        Ok(Some(message)) if message.as_bytes() == b"check" => {
            Ok(Finding::ok(format!("{what}, after {} µs", sent.elapsed().as_micros())))
        }
        Ok(Some(_)) => {
            Ok(Finding::failed(what, Code::InternalError).because("it is not the one that was sent"))
        }
        Ok(None) => Ok(Finding::failed(what, Code::Disconnected)),
        Err(_) => {
            Ok(Finding::failed(what, Code::RequestDeadline).because(format!("nothing came within {time:?}")))
        }
    }
}

async fn request(client: &Client, subject: &str, time: Duration) -> Result<Finding, Error> {
    let server =
        client.serve("mesh-check").handle_subject(subject, async |Raw(body): Raw| body).spawn().await?;
    let sent = Instant::now();
    let reply = client.request(subject, "check").timeout(time).await?;
    let took = sent.elapsed();
    server.drain().await;
    let what = "a request to a responder of our own is answered";
    Ok(if reply.as_bytes() == b"check" {
        Finding::ok(format!("{what}, after {} µs", took.as_micros()))
    } else {
        Finding::failed(what, Code::InternalError).because("it is not the answer that was given")
    })
}

async fn nobody(client: &Client, subject: &str, time: Duration) -> Result<Finding, Error> {
    let what = "a request that nobody answers is refused at once";
    let sent = Instant::now();
    Ok(match client.request(subject, "check").timeout(time).await {
        Err(error) if error.code() == Code::NoResponders => {
            Finding::ok(format!("{what}, after {} µs", sent.elapsed().as_micros()))
        }
        Err(error) => Finding::error(&error),
        Ok(_) => Finding::warning(what, format!("somebody answers on {subject}"))
            .hint("look for responders with wide patterns: mesh service ls")
            .guide("mesh-check"),
    })
}
