//! The table, for a terminal or for a page.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::details;
use super::number::short;
use crate::summary::{Figures, Judged, Summary};

const HEADERS: [&str; 10] =
    ["row", "unit", "ours", "NATS", "tonic", "x NATS", "x tonic", "floor", "CPU s, server + clients", "goal"];

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
    parts.extend([LEGEND.to_owned(), raced_on(versions, machine)]);
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
    parts.extend([styled(filled(summaries)), LEGEND.to_owned()]);
    parts.extend(details::floors(summaries));
    parts.extend(details::latencies(summaries).map(styled));
    parts.push(works.join("\n"));
    parts.join("\n\n") + "\n"
}

fn raced_on(versions: &BTreeMap<&'static str, String>, machine: &str) -> String {
    let raced: Vec<&str> = versions.values().map(String::as_str).collect();
    format!("{machine}. {}.", raced.join("; "))
}

/// What the columns mean.
const LEGEND: &str = "Medians, with the smallest and largest in brackets. Ratios above 1 are better for \
us whatever the unit. The floor of publish/subscribe is a Unix-socket stream copy in writes of 128 KiB divided by the \
size; of `request-1`, two Unix-socket ping-pongs; of more outstanding, a process between two that only copies bytes.";

fn filled(summaries: &[Summary]) -> Table {
    let mut table = Table::new();
    table.set_header(HEADERS);
    for summary in summaries {
        table.add_row(cells(summary));
    }
    for column in 2..8 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn cells(summary: &Summary) -> Vec<String> {
    let figures = |side: &str| match (summary.sides.get(side), summary.failures.contains_key(side)) {
        (Some(figures), failed) => value(figures) + if failed { " (runs failed)" } else { "" },
        (None, true) => "failed".into(),
        (None, false) => "-".into(),
    };
    let ratio = |peer: &str| summary.ratio(peer).map_or_else(|| "-".into(), |ratio| format!("{ratio:.2}"));
    let goals: Vec<String> = summary.goals().map(verdict).collect();
    vec![
        summary.row.name.into(),
        summary.unit().to_string(),
        figures("ours"),
        figures("nats"),
        figures("tonic"),
        ratio("nats"),
        ratio("tonic"),
        summary.median("floor").map_or_else(|| "-".into(), short),
        cpu(summary),
        if goals.is_empty() { "-".into() } else { goals.join(", ") },
    ]
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
