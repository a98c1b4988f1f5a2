//! Checks of the node itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mesh_client::{Client, Code};

use super::finding::{Finding, Findings};
use crate::failure::Failure;
use crate::inquiry::{self, NodeInfo};

const GROUP: &str = "node";
/// Difference of two clocks that is worth a look.
const SKEW: Duration = Duration::from_secs(1);

/// Asks the node how it is.
pub(super) async fn check(client: &Client, findings: &mut Findings) {
    let answer = match inquiry::ask(client, inquiry::NODE).await {
        Ok(answer) => inquiry::read::<NodeInfo>(inquiry::NODE, answer),
        Err(failure) => Err(failure),
    };
    match answer {
        Ok(node) => {
            findings.add(GROUP, state(&node));
            findings.add(GROUP, clock(&node, SystemTime::now()));
            findings.add(GROUP, dropped(&node));
        }
        Err(Failure::Error(error)) => {
            let mut finding = Finding::failed(error.message, error.code);
            if let Some(cause) = error.cause {
                finding = finding.because(cause);
            }
            findings.add(GROUP, finding);
        }
        Err(Failure::Stopped(_) | Failure::OutputClosed) => {}
    }
}

fn state(node: &NodeInfo) -> Finding {
    let what = format!("node {} of cluster {} is {}", node.name, node.cluster, node.state);
    match node.state.as_str() {
        "ready" => Finding::ok(what),
        "starting" | "draining" => Finding::failed(what, Code::NodeUnhealthy),
        other => Finding::failed(what, Code::NodeUnhealthy)
            .because(format!("this command does not know {other:?}")),
    }
}

/// The node tells when it started and how long ago that is, which makes its time.
fn clock(node: &NodeInfo, here: SystemTime) -> Finding {
    let started = Duration::from_micros(node.incarnation);
    let uptime = Duration::try_from_secs_f64(node.uptime_seconds).unwrap_or_default();
    let there = UNIX_EPOCH + started + uptime;
    let (apart, side) = match here.duration_since(there) {
        Ok(behind) => (behind, "behind"),
        Err(ahead) => (ahead.duration(), "ahead of"),
    };
    let what = format!("the node's clock is {} ms {side} this one", apart.as_millis());
    if apart < SKEW {
        return Finding::ok(what);
    }
    Finding::warning(what, "a clock was set while the node ran, or the two are not synchronised")
        .hint("timedatectl tells whether the clock is synchronised; times in logs and traces will not match")
        .guide("mesh-check")
}

fn dropped(node: &NodeInfo) -> Finding {
    let what = format!("{} messages were dropped since the node started", node.totals.dropped);
    if node.rates.dropped < 1.0 {
        return Finding::ok(what);
    }
    Finding::warning(what, format!("{:.0} a second lately: some subscriber is too slow", node.rates.dropped))
        .hint("mesh request '$mesh.links' shows which client is slow")
        .guide("mesh-check")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(finding: &Finding) -> String {
        serde_json::to_value(finding).unwrap()["status"].as_str().unwrap().to_owned()
    }

    #[test]
    fn states() {
        for (name, verdict) in
            [("ready", "ok"), ("starting", "failed"), ("draining", "failed"), ("odd", "failed")]
        {
            let node = NodeInfo { state: name.to_owned(), ..NodeInfo::default() };
            assert_eq!(status(&state(&node)), verdict, "{name}");
        }
    }

    #[test]
    fn clocks() {
        let node = NodeInfo { incarnation: 1_000_000_000, uptime_seconds: 10.0, ..NodeInfo::default() };
        let there = UNIX_EPOCH + Duration::from_secs(1_010);
        let table = [(0, "ok"), (999, "ok"), (1_000, "warning"), (60_000, "warning")];
        for (ms, verdict) in table {
            let apart = Duration::from_millis(ms);
            assert_eq!(status(&clock(&node, there + apart)), verdict, "{ms} ms behind");
            assert_eq!(status(&clock(&node, there - apart)), verdict, "{ms} ms ahead");
        }
    }

    #[test]
    fn drops_that_go_on_are_worth_a_look() {
        let mut node = NodeInfo::default();
        node.totals.dropped = 1_000;
        assert_eq!(status(&dropped(&node)), "ok", "long ago");
        node.rates.dropped = 2.0;
        assert_eq!(status(&dropped(&node)), "warning");
    }
}
