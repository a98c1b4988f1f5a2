//! Checks of the way to the node.

use std::time::{Duration, Instant};

use mesh_client::Client;

use super::finding::{Finding, Findings};
use crate::failure::Failure;
use crate::session::{Lost, Session};
use crate::target::Target;

/// Pings, of which the fastest counts: the others met something else on this machine.
const PINGS: u32 = 5;
/// A way there and back on one machine that is worth a look.
const SLOW: Duration = Duration::from_millis(20);

/// Connects and pings; the client, if that worked.
pub(super) async fn check(target: &Target, session: &Session<'_>, findings: &mut Findings) -> Option<Client> {
    let started = Instant::now();
    let client = match session.connect_quietly(target, Lost::Ends).await {
        Ok(client) => client,
        Err(Failure::Error(error)) => {
            let mut finding = Finding::failed(error.message, error.code);
            if let Some(cause) = error.cause {
                finding = finding.because(cause);
            }
            if let Some(hint) = error.hint {
                finding = finding.hint(hint);
            }
            findings.add("connection", finding);
            return None;
        }
        Err(Failure::Stopped(_) | Failure::OutputClosed) => return None,
    };
    let took = started.elapsed();
    if let Some(node) = client.node_info() {
        findings.add(
            "connection",
            Finding::ok(format!(
                "connected to {} as {} in {} µs",
                node.endpoint,
                node.identity,
                took.as_micros()
            )),
        );
        findings.add("connection", version(&node.version));
    }
    findings.add("connection", ping(&client).await);
    Some(client)
}

async fn ping(client: &Client) -> Finding {
    let mut fastest = Duration::MAX;
    for _ in 0..PINGS {
        match client.ping().await {
            Ok(took) => fastest = fastest.min(took),
            Err(error) => return Finding::error(&error),
        }
    }
    let what = format!("to the node and back in {} µs", fastest.as_micros());
    if fastest <= SLOW {
        return Finding::ok(what);
    }
    Finding::warning(
        what,
        "on one machine it should be far below a millisecond: the machine or the node is very busy",
    )
    .hint("look at the node's CPU with top, and at mesh node info")
    .guide("mesh-check")
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
