//! Questions to the node itself: requests under `$mesh.`, answered in JSON.
//!
//! What is not known is passed over and what is missing counts as nothing, so that a command understands nodes of other
//! versions. With `--json` the answers are passed on as they are.

use std::collections::BTreeMap;

use mesh_client::{Client, Code};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::Failure;
use crate::output::Output;

/// Asks for [`NodeInfo`].
pub(crate) const NODE: &str = "$mesh.node.info";
/// Asks for [`Links`], a page at a time.
pub(crate) const LINKS: &str = "$mesh.links";
/// Asks for [`Peers`].
pub(crate) const PEERS: &str = "$mesh.peers";
/// Asks for [`Groups`].
pub(crate) const GROUPS: &str = "$mesh.groups";
/// Asks for [`Services`].
pub(crate) const SERVICES: &str = "$mesh.services";

/// The node as a whole.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct NodeInfo {
    pub(crate) name: String,
    pub(crate) cluster: String,
    pub(crate) version: String,
    pub(crate) protocol: u16,
    /// Start time in microseconds since 1970.
    pub(crate) incarnation: u64,
    pub(crate) pid: u32,
    /// `starting`, `ready`, `draining` or `stopped`.
    pub(crate) state: String,
    pub(crate) uptime_seconds: f64,
    pub(crate) socket: String,
    /// Where clients on a network connect.
    pub(crate) listen: Option<String>,
    pub(crate) http: Option<String>,
    pub(crate) threads: u64,
    pub(crate) links: u64,
    pub(crate) subscriptions: u64,
    pub(crate) requests_in_flight: u64,
    /// Bytes that wait for clients.
    pub(crate) queued_bytes: u64,
    pub(crate) memory_bytes: u64,
    pub(crate) totals: Traffic<u64>,
    pub(crate) rates: Traffic<f64>,
}

/// Counts since the start, or per second.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Traffic<T: Default> {
    pub(crate) messages_in: T,
    pub(crate) messages_out: T,
    pub(crate) bytes_in: T,
    pub(crate) bytes_out: T,
    pub(crate) requests: T,
    pub(crate) dropped: T,
}

/// The other nodes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Peers {
    pub(crate) peers: Vec<Peer>,
}

/// Another node, or an address where none answers.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Peer {
    /// Its name, once it has answered.
    pub(crate) id: Option<String>,
    pub(crate) address: Option<String>,
    /// `up`, `dialling`, `waiting` for the next dial, or `self`.
    pub(crate) state: String,
    /// Why the last dial came to nothing.
    pub(crate) error: Option<String>,
    pub(crate) since: Option<String>,
    pub(crate) carrier: Option<String>,
    pub(crate) version: Option<String>,
    /// By class of traffic.
    pub(crate) rtt_us: BTreeMap<String, u64>,
    pub(crate) certificate_not_after: Option<String>,
}

/// A page of those who are connected.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Links {
    pub(crate) links: Vec<Link>,
    /// What the next page is asked for with, if there is one.
    pub(crate) next: Option<u64>,
}

/// Somebody who is connected.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Link {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) identity: String,
    pub(crate) carrier: String,
    /// Its address, over a network.
    pub(crate) remote: Option<String>,
    pub(crate) rtt_us: Option<u64>,
    pub(crate) certificate_not_after: Option<String>,
    pub(crate) token_expires: Option<String>,
    pub(crate) since: String,
    pub(crate) subscriptions: u64,
    pub(crate) messages_in: u64,
    pub(crate) messages_out: u64,
    pub(crate) queued_bytes: u64,
    pub(crate) dropped: u64,
    pub(crate) slow: bool,
}

/// The replicated groups.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Groups {
    pub(crate) groups: Vec<Group>,
}

/// A replicated group, as the node sees it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Group {
    pub(crate) group: u32,
    pub(crate) name: String,
    /// The name of the node that leads it.
    pub(crate) leader: Option<String>,
    pub(crate) term: u64,
    pub(crate) replicas: Vec<Replica>,
    /// Entries that the replica that is farthest behind lacks; the leader knows.
    pub(crate) lag: Option<u64>,
    pub(crate) commit: u64,
    pub(crate) applied: u64,
    /// Nothing happens in it, and its nodes say nothing about it.
    pub(crate) rests: bool,
    /// The replica of this node has lost what it had promised to keep.
    pub(crate) quarantined: bool,
}

/// A copy of a group.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Replica {
    pub(crate) node: String,
    /// `voter`, `learner`, …
    pub(crate) role: String,
    pub(crate) lag: Option<u64>,
    /// It has lost what it had promised to keep, and is to begin anew.
    pub(crate) lost: bool,
}

/// Everybody who answers under a name.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Services {
    pub(crate) services: Vec<Service>,
    /// Whether there are more than the node told.
    pub(crate) truncated: bool,
}

/// A service.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: String,
    pub(crate) instances: Vec<Instance>,
}

/// A client that answers for a service.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Instance {
    pub(crate) link: u64,
    pub(crate) client: String,
    pub(crate) version: String,
    pub(crate) endpoints: Vec<Endpoint>,
}

/// What it answers, and how it does.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Endpoint {
    pub(crate) subject: String,
    pub(crate) group: Option<String>,
    pub(crate) in_flight: u64,
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
}

impl Service {
    /// The endpoints of all instances.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.instances.iter().flat_map(|instance| &instance.endpoints)
    }

    /// The subjects that it answers on, each once.
    pub(crate) fn subjects(&self) -> Vec<&str> {
        let mut subjects: Vec<&str> = self.endpoints().map(|endpoint| endpoint.subject.as_str()).collect();
        subjects.sort_unstable();
        subjects.dedup();
        subjects
    }
}

/// Asks the node, without parameters.
pub(crate) async fn ask(client: &Client, subject: &'static str) -> Result<Value, Failure> {
    ask_with(client, subject, String::new()).await
}

/// Asks the node with parameters: an object in JSON, or nothing.
pub(crate) async fn ask_with(
    client: &Client,
    subject: &'static str,
    parameters: String,
) -> Result<Value, Failure> {
    let answer = client.request(subject, parameters).await?;
    serde_json::from_slice(answer.as_bytes()).map_err(|error| unreadable(subject, &error))
}

/// Has the node change something, which goes on when it has answered; its answer is passed on with `--json`.
pub(crate) async fn change(
    client: &Client,
    subject: &'static str,
    parameters: &Value,
    output: &mut Output,
) -> Result<(), Failure> {
    let answer = ask_with(client, subject, parameters.to_string()).await?;
    output.note("the node has begun with it: mesh group ls shows how far it is");
    if output.json() { output.json_value(&answer) } else { Ok(()) }
}

/// Reads what the node answered.
pub(crate) fn read<T: DeserializeOwned>(subject: &str, answer: Value) -> Result<T, Failure> {
    serde_json::from_value(answer).map_err(|error| unreadable(subject, &error))
}

fn unreadable(subject: &str, error: &serde_json::Error) -> Failure {
    Failure::new(Code::DecodeFailed, format!("the node's answer on {subject} can't be read"))
        .cause(error)
        .hint("the node may be of another version: mesh check compares them")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn answers_of_other_versions_are_read() {
        let node: NodeInfo = read(NODE, json!({"name": "n", "http": null, "colour": "red"})).unwrap();
        assert_eq!(node, NodeInfo { name: "n".to_owned(), ..NodeInfo::default() });
        assert!(read::<NodeInfo>(NODE, json!({"name": 7})).is_err());
    }

    #[test]
    fn subjects_of_a_service_are_told_once() {
        let answer = json!({"services": [{"name": "orders", "instances": [
            {"link": 1, "endpoints": [{"subject": "orders.put"}, {"subject": "orders.get"}]},
            {"link": 2, "endpoints": [{"subject": "orders.get", "requests": 5}]},
        ]}]});
        let services: Services = read(SERVICES, answer).unwrap();
        assert_eq!(services.services[0].subjects(), ["orders.get", "orders.put"]);
        assert_eq!(services.services[0].endpoints().map(|endpoint| endpoint.requests).sum::<u64>(), 5);
    }
}
