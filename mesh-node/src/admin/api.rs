//! The questions that the node answers: one table for HTTP and for links.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::error::{Error, shortened};
use super::health::Health;
use super::info::NodeInfo;
use super::inspect::{Answer, Inspect, SubscriptionCursor};
use super::rates::{Meter, totals};
use super::services;
use crate::durable::Change;
use crate::metrics::Metrics;

/// Most entries in one answer.
pub(crate) const LIMIT: usize = 1000;
/// Entries in one answer when nobody says how many.
pub(crate) const LIMIT_DEFAULT: usize = 100;
/// Most responders that are gathered into services.
pub(crate) const RESPONDERS: usize = 10_000;
/// Longest parameters, in bytes.
pub(crate) const PARAMETERS_BYTES: usize = 16 * 1024;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// One question.
pub(crate) struct Route {
    /// Its name: the subject that links ask it by.
    pub(crate) subject: &'static str,
    /// The path that HTTP asks it by, if it does.
    pub(crate) path: Option<&'static str>,
    /// What it answers, in a few words.
    pub(crate) about: &'static str,
    /// Whether only operators may ask it: root, the node's own user, and the services in `listen.operators`.
    pub(crate) operators_only: bool,
    answer: fn(&Api, Value) -> Result<Answer<Value>, Error>,
}

/// Every question.
pub(crate) const ROUTES: [Route; 12] = [
    Route {
        subject: "$mesh.node.info",
        path: Some("/api/v1/node"),
        about: "the node: name, state, counts, rates",
        operators_only: false,
        answer: Api::node,
    },
    Route {
        subject: "$mesh.links",
        path: Some("/api/v1/links"),
        about: "connected clients; parameters `after`, `limit`",
        operators_only: false,
        answer: Api::links,
    },
    Route {
        subject: "$mesh.subscriptions",
        path: Some("/api/v1/subscriptions"),
        about: "subscriptions; parameters `link`, `after`, `limit`",
        operators_only: false,
        answer: Api::subscriptions,
    },
    Route {
        subject: "$mesh.services",
        path: Some("/api/v1/services"),
        about: "services with their instances and endpoints",
        operators_only: false,
        answer: Api::services,
    },
    Route {
        subject: "$mesh.peers",
        path: Some("/api/v1/peers"),
        about: "the other nodes of the cluster, and how the links with them are; parameter `id`",
        operators_only: false,
        answer: Api::peers,
    },
    Route {
        subject: "$mesh.groups",
        path: Some("/api/v1/groups"),
        about: "the replicated groups of the node: who leads, who follows, how far behind",
        operators_only: false,
        answer: Api::groups,
    },
    Route {
        subject: "$mesh.certificates",
        path: Some("/api/v1/certificates"),
        about: "the node's certificate, and what became of new files",
        operators_only: false,
        answer: Api::certificates,
    },
    Route {
        subject: "$mesh.metrics",
        path: None,
        about: "every metric; `/metrics` has them as text",
        operators_only: false,
        answer: Api::metrics,
    },
    Route {
        subject: "$mesh.group.transfer",
        path: None,
        about: "hands the lead of a group that is led here to another node; parameters `group`, `node`",
        operators_only: true,
        answer: Api::transfer,
    },
    Route {
        subject: "$mesh.group.replicas",
        path: None,
        about: "how many replicas each group is to have; parameter `replicas`: 1, 3 or 5",
        operators_only: true,
        answer: Api::replicas,
    },
    Route {
        subject: "$mesh.node.remove",
        path: None,
        about: "gives a node's replicas to others and forgets it; parameter `node`",
        operators_only: true,
        answer: Api::remove,
    },
    Route {
        subject: "$mesh.node.drain",
        path: None,
        about: "tells the node to drain and stop",
        operators_only: true,
        answer: Api::drain,
    },
];

/// What never changes while a node runs.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// Name of the node.
    pub(crate) name: String,
    /// Name of its cluster.
    pub(crate) cluster: String,
    /// Start time in microseconds since 1970.
    pub(crate) incarnation: u64,
    /// When it started.
    pub(crate) started: Instant,
    /// What clients connect to.
    pub(crate) socket: String,
    /// Address for clients on a network.
    pub(crate) listen: Option<String>,
    /// Address for peers.
    pub(crate) peer: Option<String>,
    /// Address of the admin HTTP server.
    pub(crate) http: Option<String>,
    /// Number of data threads.
    pub(crate) threads: usize,
}

/// Answers questions. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api(Arc<Inner>);

struct Inner {
    facts: Facts,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    inspect: Box<dyn Inspect>,
    meter: Meter,
}

impl Api {
    /// Answers out of these.
    pub(crate) fn new(
        facts: Facts,
        health: Arc<Health>,
        metrics: Arc<Metrics>,
        inspect: impl Inspect,
    ) -> Self {
        let meter = Meter::new(facts.started);
        Self(Arc::new(Inner { facts, health, metrics, inspect: Box::new(inspect), meter }))
    }

    /// Answers a request of a link: its subject, and parameters as JSON or nothing. `is_operator` says whether the
    /// link may ask what only operators may.
    ///
    /// # Errors
    /// [`Error`] says why there is no answer.
    pub(crate) async fn request(
        &self,
        subject: &str,
        body: &[u8],
        is_operator: bool,
    ) -> Result<String, Error> {
        let route = ROUTES
            .iter()
            .find(|route| route.subject == subject)
            .ok_or_else(|| Error::Unknown { name: shortened(subject) })?;
        if route.operators_only && !is_operator {
            return Err(Error::Forbidden { name: route.subject });
        }
        let invalid = |why: String| Error::Invalid { name: route.subject, why };
        if body.len() > PARAMETERS_BYTES {
            return Err(invalid(format!("more than {PARAMETERS_BYTES} bytes")));
        }
        let parameters = match body.trim_ascii() {
            [] => json!({}),
            body => serde_json::from_slice(body).map_err(|error| invalid(error.to_string()))?,
        };
        self.call(route, parameters).await.map(|answer| answer.to_string())
    }

    /// Answers one question.
    ///
    /// # Errors
    /// [`Error`] says why there is no answer.
    pub(crate) async fn call(&self, route: &Route, parameters: Value) -> Result<Value, Error> {
        let answer = (route.answer)(self, parameters)?;
        tokio::time::timeout(PATIENCE, answer)
            .await
            .map_err(|_| Error::Late { seconds: PATIENCE.as_secs() })?
    }

    /// The state of the node.
    pub(crate) fn health(&self) -> &Health {
        &self.0.health
    }

    /// The counters of the node.
    pub(crate) fn counters(&self) -> &Arc<Metrics> {
        &self.0.metrics
    }

    /// What the node tells about itself.
    pub(crate) fn node_info(&self) -> NodeInfo {
        let Inner { facts, health, metrics, meter, .. } = &*self.0;
        let (now, gauges, totals) = (Instant::now(), metrics.gauges(), totals(metrics));
        NodeInfo {
            name: facts.name.clone(),
            cluster: facts.cluster.clone(),
            version: env!("CARGO_PKG_VERSION"),
            protocol: mesh_wire::hello::Version::NEWEST.0,
            incarnation: facts.incarnation,
            pid: std::process::id(),
            state: health.state().name(),
            uptime_seconds: facts.started.elapsed().as_secs_f64(),
            socket: facts.socket.clone(),
            listen: facts.listen.clone(),
            peer: facts.peer.clone(),
            http: facts.http.clone(),
            threads: facts.threads,
            links: gauges.links,
            subscriptions: gauges.subscriptions,
            requests_in_flight: gauges.requests_in_flight,
            queued_bytes: gauges.queued_bytes,
            memory_bytes: crate::metrics::resident_bytes(),
            totals,
            rates: meter.rates(now, totals),
        }
    }

    fn node(&self, parameters: Value) -> Result<Answer<Value>, Error> {
        let Nothing {} = read("$mesh.node.info", parameters)?;
        Ok(at_once(json!(self.node_info())))
    }

    fn links(&self, parameters: Value) -> Result<Answer<Value>, Error> {
        let page: LinksPage = read("$mesh.links", parameters)?;
        let limit = limit("$mesh.links", page.limit)?;
        let links = self.0.inspect.links(page.after.unwrap_or(0), limit);
        Ok(Box::pin(async move {
            let links = links.await?;
            let next = links.last().filter(|_| links.len() >= limit).map(|link| link.id);
            Ok(json!({ "links": links, "next": next }))
        }))
    }

    fn subscriptions(&self, parameters: Value) -> Result<Answer<Value>, Error> {
        const NAME: &str = "$mesh.subscriptions";
        let page: SubscriptionsPage = read(NAME, parameters)?;
        let limit = limit(NAME, page.limit)?;
        let after = page.after.as_deref().map(cursor).transpose()?;
        let subscriptions = self.0.inspect.subscriptions(after, page.link, limit);
        Ok(Box::pin(async move {
            let subscriptions = subscriptions.await?;
            let next = subscriptions.last().filter(|_| subscriptions.len() >= limit);
            let next = next.map(|last| format!("{}.{}", last.link, last.id));
            Ok(json!({ "subscriptions": subscriptions, "next": next }))
        }))
    }

    fn services(&self, parameters: Value) -> Result<Answer<Value>, Error> {
        let Nothing {} = read("$mesh.services", parameters)?;
        let responders = self.0.inspect.responders(RESPONDERS);
        Ok(Box::pin(async move {
            let responders = responders.await?;
            let truncated = responders.len() >= RESPONDERS;
            Ok(json!({ "services": services::gather(responders), "truncated": truncated }))
        }))
    }

    fn peers(&self, parameters: Value) -> Result<Answer<Value>, Error> {
        let PeersOf { id } = read("$mesh.peers", parameters)?;
        let mut peers = self.0.inspect.peers();
        // A name may be all digits, which HTTP takes for a number.
        if let Some(id) = id.map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned)) {
            peers.retain(|peer| peer.id.as_deref() == Some(&id));
            if peers.is_empty() {
                return Err(Error::PeerUnknown { name: shortened(&id) });
            }
        }
        Ok(at_once(json!({ "peers": peers })))
    }

    fn groups(&self, parameters: Value) -> Result<Answer<Value>, Error> {
        let Nothing {} = read("$mesh.groups", parameters)?;
        let groups = self.0.inspect.groups();
        Ok(Box::pin(async move { Ok(json!({ "groups": groups.await? })) }))
    }

    fn transfer(&self, parameters: Value) -> Result<Answer<Value>, Error> {
        let Lead { group, node } = read("$mesh.group.transfer", parameters)?;
        Ok(self.change(Change::Transfer { group, node }))
    }

    fn replicas(&self, parameters: Value) -> Result<Answer<Value>, Error> {
        let Replicas { replicas } = read("$mesh.group.replicas", parameters)?;
        Ok(self.change(Change::Replicas(replicas)))
    }

    fn remove(&self, parameters: Value) -> Result<Answer<Value>, Error> {
        let NamedNode { node } = read("$mesh.node.remove", parameters)?;
        Ok(self.change(Change::Remove { node }))
    }

    fn change(&self, change: Change) -> Answer<Value> {
        let changed = self.0.inspect.change(change);
        Box::pin(async move { changed.await.map(|()| json!({ "state": "accepted" })) })
    }

    fn certificates(&self, parameters: Value) -> Result<Answer<Value>, Error> {
        let Nothing {} = read("$mesh.certificates", parameters)?;
        Ok(at_once(json!(self.0.inspect.certificates())))
    }

    fn metrics(&self, parameters: Value) -> Result<Answer<Value>, Error> {
        let Nothing {} = read("$mesh.metrics", parameters)?;
        Ok(at_once(self.0.metrics.to_json()))
    }

    fn drain(&self, parameters: Value) -> Result<Answer<Value>, Error> {
        let Nothing {} = read("$mesh.node.drain", parameters)?;
        self.0.inspect.drain();
        Ok(at_once(json!({ "state": "draining" })))
    }
}

/// No parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lead {
    group: u32,
    node: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replicas {
    replicas: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedNode {
    node: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PeersOf {
    id: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LinksPage {
    after: Option<u64>,
    limit: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubscriptionsPage {
    link: Option<u64>,
    after: Option<String>,
    limit: Option<u64>,
}

fn read<T: DeserializeOwned>(name: &'static str, parameters: Value) -> Result<T, Error> {
    serde_json::from_value(parameters).map_err(|error| Error::Invalid { name, why: error.to_string() })
}

fn limit(name: &'static str, asked: Option<u64>) -> Result<usize, Error> {
    match asked.map(usize::try_from) {
        None => Ok(LIMIT_DEFAULT),
        Some(Ok(limit @ 1..=LIMIT)) => Ok(limit),
        Some(_) => Err(Error::Invalid { name, why: format!("limit is not in 1 to {LIMIT}") }),
    }
}

fn cursor(text: &str) -> Result<SubscriptionCursor, Error> {
    text.split_once('.')
        .and_then(|(link, id)| Some(SubscriptionCursor { link: link.parse().ok()?, id: id.parse().ok()? }))
        .ok_or_else(|| Error::Invalid {
            name: "$mesh.subscriptions",
            why: "after is not what an earlier answer gave as next".to_owned(),
        })
}

fn at_once(value: Value) -> Answer<Value> {
    Box::pin(std::future::ready(Ok(value)))
}

#[cfg(test)]
mod tests;
