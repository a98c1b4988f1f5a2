//! `mesh node links`

use std::time::{Duration, SystemTime};

use mesh_client::Client;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::inquiry::{self, Link, Links};
use crate::output::Output;
use crate::quantity;
use crate::table::Rows;

/// Entries of a page; a node gives at most as many.
const PAGE: u64 = 1_000;

/// Lists those who are connected.
pub(super) async fn run(client: &Client, limit: u64, output: &mut Output) -> Result<(), Failure> {
    let mut entries: Vec<Value> = Vec::new();
    let mut after = None;
    let more = loop {
        let wanted = PAGE.min(limit - entries.len() as u64);
        let parameters = match after {
            None => json!({ "limit": wanted }),
            Some(after) => json!({ "limit": wanted, "after": after }),
        };
        let mut answer = inquiry::ask_with(client, inquiry::LINKS, parameters.to_string()).await?;
        if let Some(Value::Array(page)) = answer.get_mut("links").map(Value::take) {
            entries.extend(page);
        }
        after = answer.get("next").and_then(Value::as_u64);
        if after.is_none() || entries.len() as u64 >= limit {
            break after.is_some();
        }
    };
    if more {
        output.note(format_args!("there are more than {limit}: --limit N lists more"));
    }
    if output.json() {
        return output.json_value(&entries);
    }
    let Links { links, .. } = inquiry::read(inquiry::LINKS, json!({ "links": entries }))?;
    output.table(&table(&links, SystemTime::now()))
}

fn table(links: &[Link], now: SystemTime) -> Rows {
    let mut rows = Rows::new(&[
        ">LINK",
        "NAME",
        "IDENTITY",
        "CARRIER",
        "FROM",
        ">RTT",
        "ENDS",
        "UP FOR",
        ">SUBSCRIPTIONS",
        ">IN",
        ">OUT",
        ">QUEUED",
        ">DROPPED",
    ]);
    for link in links {
        // What ends first cuts the link.
        let ends = [&link.certificate_not_after, &link.token_expires].into_iter().flatten().min();
        let up = humantime::parse_rfc3339(&link.since).ok().and_then(|since| now.duration_since(since).ok());
        rows.push([
            link.id.to_string(),
            if link.slow { format!("{} (slow)", link.name) } else { link.name.clone() },
            link.identity.clone(),
            link.carrier.clone(),
            link.remote.clone().unwrap_or_default(),
            link.rtt_us.map(rtt).unwrap_or_default(),
            ends.cloned().unwrap_or_default(),
            quantity::rough(up.unwrap_or_default()),
            quantity::grouped(link.subscriptions),
            quantity::grouped(link.messages_in),
            quantity::grouped(link.messages_out),
            quantity::bytes(link.queued_bytes),
            quantity::grouped(link.dropped),
        ]);
    }
    rows
}

/// A way there and back.
pub(super) fn rtt(micros: u64) -> String {
    let time = Duration::from_micros(micros);
    if time < Duration::from_millis(10) {
        format!("{micros} µs")
    } else {
        format!("{} ms", time.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_connected() {
        let since = "2026-01-01T00:00:00Z".to_owned();
        let quic = Link {
            id: 7,
            name: "orders".to_owned(),
            identity: "spiffe://dev/service/orders".to_owned(),
            carrier: "quic".to_owned(),
            remote: Some("192.0.2.7:4242".to_owned()),
            rtt_us: Some(250),
            certificate_not_after: Some("2026-04-01T00:00:00Z".to_owned()),
            token_expires: Some("2026-01-01T01:00:00Z".to_owned()),
            since: since.clone(),
            messages_out: 12_345,
            slow: true,
            ..Link::default()
        };
        let now = humantime::parse_rfc3339("2026-01-01T00:01:30Z").unwrap();
        let table = table(&[quic], now).render();
        let row = table.lines().nth(1).unwrap();
        for cell in
            ["orders (slow)", "quic", "192.0.2.7:4242", "250 µs", "2026-01-01T01:00:00Z", "1m 30s", "12,345"]
        {
            assert!(row.contains(cell), "{cell}: {row}");
        }
        assert!(!row.contains("2026-04-01"), "the token ends first: {row}");
        assert_eq!((rtt(9_999), rtt(10_000)), ("9999 µs".to_owned(), "10 ms".to_owned()));
    }

    #[test]
    fn nodes_of_older_versions_tell_less() {
        let answer = json!({ "links": [{ "id": 1, "name": "a" }], "next": null });
        let read: Links = inquiry::read(inquiry::LINKS, answer).unwrap();
        assert!(table(&read.links, SystemTime::now()).render().contains('a'));
    }
}
