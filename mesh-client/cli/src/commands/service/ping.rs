//! A sign of life from each service.

use std::time::{Duration, Instant};

use mesh_client::{Client, Code};
use mesh_wire::subject::Subject;
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::inquiry::Service;
use crate::output::Output;
use crate::table::Rows;

/// What came back from one subject.
#[derive(Debug, PartialEq, Serialize)]
struct Pong {
    service: String,
    subject: String,
    /// Which of the service's processes answered: its client's name, process id and link.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    us: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Pings one member of each group, and each responder without a group, on every subject of `services`.
pub(super) async fn run(
    client: &Client,
    services: &[Service],
    timeout: Duration,
    output: &mut Output,
) -> Result<(), Failure> {
    let mut pongs = Vec::new();
    for service in services {
        for subject in service.subjects() {
            // A pattern has no subject of its own that could be asked.
            if Subject::check(subject.as_bytes()).is_ok() {
                ping(client, service, subject, timeout, &mut pongs).await?;
            }
        }
    }
    let silent = pongs.iter().filter(|pong| pong.us.is_none()).count();
    let all = pongs.len();
    if output.json() {
        output.json_value(&pongs)?;
    } else if !pongs.is_empty() {
        let mut rows = Rows::new(&["SERVICE", "SUBJECT", "INSTANCE", "VERSION", ">TIME"]);
        for Pong { service, subject, instance, version, us, error } in pongs {
            let time = us.map(|us| format!("{us:.0} µs")).or(error).unwrap_or_default();
            rows.push([service, subject, instance.unwrap_or_default(), version.unwrap_or_default(), time]);
        }
        output.table(&rows)?;
    }
    match silent {
        0 => Ok(()),
        silent => Err(Failure::new(Code::RequestDeadline, format!("{silent} of {all} did not answer"))),
    }
}

async fn ping(
    client: &Client,
    service: &Service,
    subject: &str,
    timeout: Duration,
    pongs: &mut Vec<Pong>,
) -> Result<(), Failure> {
    let pong = |about: &Value, us: Option<f64>, error: Option<String>| Pong {
        service: service.name.clone(),
        subject: subject.to_owned(),
        instance: about["instance"].as_str().map(str::to_owned),
        version: about["version"].as_str().map(str::to_owned),
        us,
        error,
    };
    let before = pongs.len();
    let sent = Instant::now();
    let mut replies = client.request_many(subject, "").probe().timeout(timeout).await?;
    while let Some(reply) = replies.next().await {
        let us = sent.elapsed().as_secs_f64() * 1e6;
        pongs.push(match reply {
            // A library that says nothing of itself is there all the same.
            Ok(reply) => {
                let about = serde_json::from_slice(reply.as_bytes()).unwrap_or_default();
                pong(&about, Some(us), None)
            }
            Err(error) => pong(&Value::Null, None, Some(error.to_string())),
        });
    }
    if pongs.len() == before {
        pongs.push(pong(&Value::Null, None, Some(format!("no answer within {timeout:?}"))));
    }
    Ok(())
}
