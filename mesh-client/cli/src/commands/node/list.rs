//! `mesh node ls`

use std::time::{Duration, SystemTime};

use mesh_client::Client;
use serde_json::{Value, json};

use super::links::rtt;
use crate::failure::Failure;
use crate::inquiry::{self, NodeInfo, Peer, Peers};
use crate::output::Output;
use crate::quantity;
use crate::table::Rows;

/// How the address of the node itself is listed among its peers.
const ITSELF: &str = "self";

/// Lists the node and its peers.
pub(super) async fn run(client: &Client, output: &mut Output) -> Result<(), Failure> {
    let node: Value = inquiry::ask(client, inquiry::NODE).await?;
    // Nodes of older versions do not know the question: they have no peers.
    let peers = inquiry::ask(client, inquiry::PEERS).await.unwrap_or_else(|_| json!({}));
    if output.json() {
        return output.json_value(&entries(node, peers));
    }
    let node: NodeInfo = inquiry::read(inquiry::NODE, node)?;
    let Peers { mut peers } = inquiry::read(inquiry::PEERS, peers)?;
    peers.retain(|peer| peer.state != ITSELF);
    output.table(&own(node))?;
    if !peers.is_empty() {
        output.line("")?;
        output.table(&others(&peers, SystemTime::now()))?;
    }
    Ok(())
}

/// One entry for each node, with the fields that the node gives: this one first, the others under their names.
fn entries(node: Value, mut peers: Value) -> Vec<Value> {
    let mut entries = vec![node];
    if let Some(Value::Array(peers)) = peers.get_mut("peers").map(Value::take) {
        for mut peer in peers {
            if peer.get("state").and_then(Value::as_str) == Some(ITSELF) {
                continue;
            }
            if let Value::Object(fields) = &mut peer {
                let id = fields.get("id").cloned().unwrap_or_default();
                fields.insert("name".to_owned(), id);
            }
            entries.push(peer);
        }
    }
    entries
}

fn own(node: NodeInfo) -> Rows {
    let mut rows =
        Rows::new(&["NAME", "CLUSTER", "STATE", "VERSION", "UP FOR", ">LINKS", ">SUBSCRIPTIONS", ">MEMORY"]);
    rows.push([
        node.name,
        node.cluster,
        node.state,
        node.version,
        quantity::rough(Duration::try_from_secs_f64(node.uptime_seconds).unwrap_or_default()),
        quantity::grouped(node.links),
        quantity::grouped(node.subscriptions),
        quantity::bytes(node.memory_bytes),
    ]);
    rows
}

fn others(peers: &[Peer], now: SystemTime) -> Rows {
    let mut rows = Rows::new(&[
        "PEER",
        "ADDRESS",
        "STATE",
        "VERSION",
        "UP FOR",
        "CARRIER",
        ">RTT",
        "CERTIFICATE ENDS",
        "WHY NOT",
    ]);
    for peer in peers {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let since = peer.since.as_deref().and_then(|since| humantime::parse_rfc3339(since).ok());
        let up = since.and_then(|since| now.duration_since(since).ok());
        rows.push([
            text(&peer.id),
            text(&peer.address),
            peer.state.clone(),
            text(&peer.version),
            up.map(quantity::rough).unwrap_or_default(),
            text(&peer.carrier),
            // The fastest class: the others wait behind what they carry.
            peer.rtt_us.values().min().map(|micros| rtt(*micros)).unwrap_or_default(),
            text(&peer.certificate_not_after),
            text(&peer.error),
        ]);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Value {
        json!({ "peers": [
            { "id": "n2", "address": "b.example:7401", "state": "up", "carrier": "quic", "version": "0.1.0",
              "since": "2026-01-01T00:00:00Z", "rtt_us": { "control": 210, "bulk": 900 },
              "certificate_not_after": "2026-04-01T00:00:00Z", "error": null },
            { "id": null, "address": "c.example:7401", "state": "waiting", "error": "MESH-5002: nothing listens" },
            { "id": null, "address": "a.example:7401", "state": "self" },
        ] })
    }

    #[test]
    fn peers_for_people() {
        let Peers { peers } = inquiry::read(inquiry::PEERS, answer()).unwrap();
        let now = humantime::parse_rfc3339("2026-01-01T00:01:30Z").unwrap();
        let table = others(&peers, now).render();
        let rows: Vec<&str> = table.lines().collect();
        for cell in ["n2", "b.example:7401", "up", "1m 30s", "quic", "210 µs", "2026-04-01"] {
            assert!(rows[1].contains(cell), "{cell}: {table}");
        }
        assert!(rows[2].contains("waiting") && rows[2].ends_with("nothing listens"), "{table}");
    }

    #[test]
    fn nodes_for_programs() {
        let entries = entries(json!({ "name": "n1" }), answer());
        let names: Vec<Option<&str>> = entries.iter().map(|entry| entry["name"].as_str()).collect();
        assert_eq!(names, [Some("n1"), Some("n2"), None]);
        assert_eq!(self::entries(json!({ "name": "n1" }), json!({})).len(), 1);
    }
}
