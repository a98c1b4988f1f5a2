//! Checks of the way to the node.

use std::time::{Duration, Instant};

use mesh_client::{Client, Code, NodeInfo};
use mesh_transport::endpoint::Endpoint;
use mesh_transport::link::Carrier;

use super::finding::{Finding, Findings};
use crate::failure::{Described, Failure};
use crate::session::{Lost, Session};
use crate::target::{Source, Target};

const GROUP: &str = "connection";
/// Pings, of which the fastest counts: the others met something else on this machine.
const PINGS: u32 = 5;
/// A way there and back on one machine that is worth a look.
const SLOW: Duration = Duration::from_millis(20);
/// The same over a network.
const SLOW_NETWORK: Duration = Duration::from_millis(250);

/// Connects to every address and pings; the client of the first that worked, if one did.
pub(super) async fn check(target: &Target, session: &Session<'_>, findings: &mut Findings) -> Option<Client> {
    // Of the usual sockets one is enough, and which of them are there was looked at before.
    if target.source == Source::Usual || target.endpoints.len() == 1 {
        let tried = attempt(target, session).await;
        return match tried {
            Ok((client, took)) => {
                reached(&client, took, findings).await;
                Some(client)
            }
            Err(error) => {
                findings.extend(GROUP, error.map(|error| unreached(*error)));
                None
            }
        };
    }
    each(target, session, findings).await
}

/// Tries every address by itself. With one that works, another that does not is worth a look and no more.
async fn each(target: &Target, session: &Session<'_>, findings: &mut Findings) -> Option<Client> {
    let mut first = None;
    let mut errors = Vec::new();
    for endpoint in &target.endpoints {
        let alone = Target { endpoints: vec![endpoint.clone()], ..target.clone() };
        match attempt(&alone, session).await {
            Ok((client, took)) => {
                reached(&client, took, findings).await;
                if first.is_none() {
                    first = Some(client);
                } else {
                    client.close().await;
                }
            }
            Err(error) => errors.extend(error.map(|error| (endpoint, error))),
        }
    }
    for (endpoint, error) in errors {
        let blocked = first.as_ref().is_some_and(|client| is_blocked(endpoint, &error, client));
        let mut finding = unreached(*error);
        if blocked {
            finding = finding
                .because("nothing answered over UDP, and TLS over TCP works: a firewall lets no UDP through")
                .hint("let UDP through to the node's port, or leave the quic:// address out");
        }
        findings.add(GROUP, if first.is_some() { finding.but_not_needed() } else { finding });
    }
    first
}

/// Whether silence over QUIC and an answer over TLS point to a firewall.
fn is_blocked(endpoint: &Endpoint, error: &Described, client: &Client) -> bool {
    let silent = matches!(endpoint, Endpoint::Quic(_)) && error.code == Code::ConnectTimeout;
    silent && client.node_info().is_some_and(|node| node.carrier == Carrier::Tls)
}

/// A connection and how long it took; nothing to tell when a signal came.
async fn attempt(
    target: &Target,
    session: &Session<'_>,
) -> Result<(Client, Duration), Option<Box<Described>>> {
    let started = Instant::now();
    match session.connect_quietly(target, Lost::Ends).await {
        Ok(client) => Ok((client, started.elapsed())),
        Err(Failure::Error(error)) => Err(Some(error)),
        Err(Failure::Stopped(_) | Failure::OutputClosed) => Err(None),
    }
}

fn unreached(error: Described) -> Finding {
    let mut finding = Finding::failed(error.message, error.code);
    if let Some(cause) = error.cause {
        finding = finding.because(cause);
    }
    if let Some(hint) = error.hint {
        finding = finding.hint(hint);
    }
    finding
}

async fn reached(client: &Client, took: Duration, findings: &mut Findings) {
    let Some(node) = client.node_info() else { return };
    findings.add(
        GROUP,
        Finding::ok(format!(
            "connected to {} (node {} of {}) as {} in {} µs",
            node.endpoint,
            node.node,
            node.cluster,
            node.identity,
            took.as_micros()
        )),
    );
    findings.add(GROUP, version(&node.version));
    findings.add(GROUP, ping(client, &node).await);
}

async fn ping(client: &Client, node: &NodeInfo) -> Finding {
    let mut fastest = Duration::MAX;
    for _ in 0..PINGS {
        match client.ping().await {
            Ok(took) => fastest = fastest.min(took),
            Err(error) => return Finding::error(&error),
        }
    }
    let what = format!("to the node and back in {} µs", fastest.as_micros());
    if node.carrier == Carrier::Unix && fastest > SLOW {
        return Finding::warning(
            what,
            "on one machine it should be far below a millisecond: the machine or the node is very busy",
        )
        .hint("look at the node's CPU with top, and at mesh node info")
        .guide("mesh-check");
    }
    if fastest > SLOW_NETWORK {
        return Finding::warning(what, "that is far, or the network between is very busy")
            .hint("compare with ping; look at mesh node info for how busy the node is")
            .guide("mesh-check");
    }
    Finding::ok(what)
}

fn version(node: &str) -> Finding {
    let own = env!("CARGO_PKG_VERSION");
    let what = format!("the node has version {node}, this command {own}");
    if release(node) == release(own) {
        return Finding::ok(what);
    }
    Finding::warning(what, "they understand each other, but one may not know what the other can do")
        .hint("take both from one release")
        .guide("mesh-check")
}

/// The part of a version within which nothing is missing: `1.2` of `1.2.3`.
fn release(version: &str) -> &str {
    version.match_indices('.').nth(1).map_or(version, |(at, _)| &version[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases() {
        assert_eq!(release("1.2.3"), "1.2");
        assert_eq!(release("1.2.3-rc.1"), "1.2");
        assert_eq!(release("1.2"), "1.2");
        assert_eq!(release(""), "");
    }
}
