//! The table, for a terminal or for a page.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::details;
use super::number::short;
use crate::row::Carrier;
use crate::summary::{Figures, Judged, Summary};

/// The peers by their names in the results, and as a person calls them.
const PEERS: [(&str, &str); 3] = [("nats", "NATS"), ("nats-tls", "NATS TLS"), ("tonic", "tonic")];

/// The results for a terminal.
pub(crate) fn text(
    summaries: &[Summary],
    versions: &BTreeMap<&'static str, String>,
    machine: &str,
) -> String {
    let styled = |mut table: Table| {
        table.load_preset(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
        table.to_string()
    };
    let mut parts = vec![styled(filled(summaries))];
    parts.extend(details::latencies(summaries).map(styled));
    parts.extend(details::floors(summaries));
    parts.extend([legend(summaries), raced_on(versions, machine)]);
    parts.join("\n")
}

/// The results as a part of a page, with the command that made them.
pub(crate) fn markdown(
    summaries: &[Summary],
    command: &str,
    versions: &BTreeMap<&'static str, String>,
    machine: &str,
) -> String {
    let styled = |mut table: Table| {
        table.load_preset(presets::ASCII_MARKDOWN);
        table.to_string()
    };
    let works = summaries.iter().map(|s| format!("* `{}`: {}", s.row.name, s.row.work.describe()));
    let works: Vec<String> = works.collect();
    let mut parts = vec![format!("```sh\n{command}\n```"), raced_on(versions, machine)];
    parts.extend([styled(filled(summaries)), legend(summaries)]);
    parts.extend(details::floors(summaries));
    parts.extend(details::latencies(summaries).map(styled));
    parts.push(works.join("\n"));
    parts.join("\n\n") + "\n"
}

fn raced_on(versions: &BTreeMap<&'static str, String>, machine: &str) -> String {
    let raced: Vec<&str> = versions.values().map(String::as_str).collect();
    format!("{machine}. {}.", raced.join("; "))
}

/// What the columns of `summaries` mean.
fn legend(summaries: &[Summary]) -> String {
    let over = |carrier| summaries.iter().any(|summary| summary.row.carrier == carrier);
    let mut parts = vec![LEGEND];
    parts.extend(over(Carrier::Unix).then_some(LEGEND_UNIX));
    parts.extend(over(Carrier::Quic).then_some(LEGEND_QUIC));
    parts.join(" ")
}

const LEGEND: &str = "Medians, with the smallest and largest in brackets. Ratios above 1 are better for us whatever the \
unit.";

const LEGEND_UNIX: &str = "The floor of publish/subscribe is a Unix-socket stream copy in writes of 128 KiB divided by \
the size; of `request-1`, two Unix-socket ping-pongs; of more outstanding, a process between two that only copies bytes.";

const LEGEND_QUIC: &str = "In rows over QUIC ours and the floors are mutual TLS over QUIC, NATS is plain TCP, and NATS \
TLS is TCP with mutual TLS. Their floors are of bare quinn, without anything between its two processes: of \
publish/subscribe and bulk, a stream in writes of 64 KiB; of requests, two ping-pongs; of memory, connections that are \
only kept.";

/// The peers that took part in anything.
fn peers(summaries: &[Summary]) -> Vec<(&'static str, &'static str)> {
    let in_any = |side: &'static str| {
        summaries.iter().any(|row| row.sides.contains_key(side) || row.failures.contains_key(side))
    };
    PEERS.into_iter().filter(|(side, _)| in_any(side)).collect()
}

fn filled(summaries: &[Summary]) -> Table {
    let peers = peers(summaries);
    let mut headers: Vec<String> = ["row", "unit", "ours"].map(str::to_owned).into();
    headers.extend(peers.iter().map(|(_, title)| (*title).to_owned()));
    headers.extend(peers.iter().map(|(_, title)| format!("x {title}")));
    headers.extend(["floor", "CPU s, server + clients", "goal"].map(str::to_owned));
    let numbers = 2..headers.len() - 2;
    let mut table = Table::new();
    table.set_header(headers);
    for summary in summaries {
        table.add_row(cells(summary, &peers));
    }
    for column in numbers {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn cells(summary: &Summary, peers: &[(&'static str, &'static str)]) -> Vec<String> {
    let figures = |side: &str| match (summary.sides.get(side), summary.failures.contains_key(side)) {
        (Some(figures), failed) => value(figures) + if failed { " (runs failed)" } else { "" },
        (None, true) => "failed".into(),
        (None, false) => "-".into(),
    };
    let ratio = |peer: &str| summary.ratio(peer).map_or_else(|| "-".into(), |ratio| format!("{ratio:.2}"));
    let goals: Vec<String> = summary.goals().map(verdict).collect();
    let mut cells = vec![summary.row.name.into(), summary.unit().to_string(), figures("ours")];
    cells.extend(peers.iter().map(|(peer, _)| figures(peer)));
    cells.extend(peers.iter().map(|(peer, _)| ratio(peer)));
    cells.extend([
        summary.median("floor").map_or_else(|| "-".into(), short),
        cpu(summary),
        if goals.is_empty() { "-".into() } else { goals.join(", ") },
    ]);
    cells
}

fn value(figures: &Figures) -> String {
    format!("{} ({}..{})", short(figures.median), short(figures.min), short(figures.max))
}

fn cpu(summary: &Summary) -> String {
    let sides = summary.sides.iter().filter_map(|(side, figures)| {
        figures.cpu.map(|cpu| format!("{side} {:.2}+{:.2}", cpu.server, cpu.clients))
    });
    let sides: Vec<String> = sides.collect();
    if sides.is_empty() { "-".into() } else { sides.join(", ") }
}

fn verdict(judged: Judged) -> String {
    let met = match judged.met {
        Some(true) => "met",
        Some(false) => "missed",
        None => "not known",
    };
    format!("{}: {met}", judged.goal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::tests::summary;

    #[test]
    fn a_line_has_median_spread_ratio_and_verdict() {
        let row = summary("request-256", &[("ours", &[6e5, 4e5, 5e5]), ("nats", &[2e5, 2e5, 2e5])]);
        let text = text(&[row], &BTreeMap::new(), "m");
        for part in ["500 k (400 k..600 k)", "2.50", ">= 2 x NATS: met", "request-256"] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn only_peers_that_took_part_have_columns() {
        let quic = summary("quic-bulk", &[("ours", &[2.0]), ("nats", &[1.0]), ("nats-tls", &[0.5])]);
        let unix = summary("request-1", &[("ours", &[2.0]), ("nats", &[6.0])]);
        let only_unix = text(std::slice::from_ref(&unix), &BTreeMap::new(), "m");
        assert!(!only_unix.contains("TLS") && !only_unix.contains("tonic"), "{only_unix}");
        let both = text(&[unix, quic], &BTreeMap::new(), "m");
        assert!(both.contains("x NATS TLS") && both.contains("4.00") && !both.contains("tonic"), "{both}");
    }

    #[test]
    fn a_side_that_failed_says_so() {
        let mut row = summary("request-256", &[("nats", &[2e5])]);
        row.failures.insert("ours", vec!["run 1: gone".into()]);
        let text = text(&[row], &BTreeMap::new(), "m");
        assert!(text.contains("failed") && text.contains("not known"), "{text}");
    }

    #[test]
    fn the_page_has_the_command_and_the_versions() {
        let row = summary("idle-memory", &[("ours", &[10.0])]);
        let versions = BTreeMap::from([("nats", "nats-server v9".to_owned())]);
        let page = markdown(&[row], "tests/race --runs 3", &versions, "2 x some processor");
        for part in ["tests/race --runs 3\n```", "nats-server v9", "2 x some processor", "| idle-memory "] {
            assert!(page.contains(part), "{part} is not in\n{page}");
        }
    }
}
