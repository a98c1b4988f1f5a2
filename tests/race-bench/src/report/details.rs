//! What the table has no room for: latencies of requests, and the floors by themselves.

use comfy_table::{CellAlignment, Table};

use super::number::short;
use crate::summary::Summary;

const HEADERS: [&str; 6] = ["row", "side", "p50 us", "p99 us", "p99.9 us", "max us"];

/// The quantiles of a driver's report, in the order of the headers.
const QUANTILES: [&str; 4] = ["p50_us", "p99_us", "p999_us", "max_us"];

/// The floors' names in a driver's report, and as a person calls them.
const FLOORS: [(&str, &str); 12] = [
    ("ping_pong_p50_us", "one Unix-socket ping-pong, us p50"),
    ("two_ping_pongs_p50_us", "two of them, us p50"),
    ("relay_p50_us", "one through a process that only copies bytes, us p50"),
    ("stream_copy_gb_per_second", "stream copy in writes of 128 KiB, GB/s"),
    ("quic_ping_pong_p50_us", "one ping-pong over bare quinn, us p50"),
    ("quic_two_ping_pongs_p50_us", "two of these, us p50"),
    ("quic_relay_p50_us", "one through a process that only copies bytes, over quinn on both sides, us p50"),
    ("quic_stream_gb_per_second", "a bare quinn stream in writes of 64 KiB, GB/s"),
    ("quic_relayed_stream_gb_per_second", "one through a process that only copies bytes, GB/s"),
    ("append_sync_p50_us", "an append of 4 KiB with its fdatasync, us p50"),
    ("disk_1mib_mb_per_second", "writes of 1 MiB one after the other, each with an fdatasync, MB/s"),
    ("disk_4mib_mb_per_second", "writes of 4 MiB, the same, MB/s"),
];

/// The medians of every side's latencies; nothing where no row has any.
pub(crate) fn latencies(summaries: &[Summary]) -> Option<Table> {
    let mut table = Table::new();
    table.set_header(HEADERS);
    for summary in summaries {
        for (side, figures) in &summary.sides {
            let quantiles: Vec<String> =
                QUANTILES.iter().filter_map(|name| figures.details.get(*name)).map(|us| short(*us)).collect();
            if quantiles.len() == QUANTILES.len() {
                let mut cells = vec![summary.row.name.to_owned(), (*side).to_owned()];
                cells.extend(quantiles);
                table.add_row(cells);
            }
        }
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    (!table.is_empty()).then_some(table)
}

/// The floors, each from the first row that has it; nothing where none has.
pub(crate) fn floors(summaries: &[Summary]) -> Option<String> {
    let all: Vec<String> = FLOORS
        .iter()
        .filter_map(|(name, words)| {
            let mut figures = summaries.iter().filter_map(|summary| summary.sides.get("floor"));
            let value = figures.find_map(|figures| figures.details.get(*name))?;
            Some(format!("{words} {}", short(*value)))
        })
        .collect();
    (!all.is_empty()).then(|| format!("Floors: {}.", all.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::tests::summary;

    #[test]
    fn latencies_need_all_quantiles() {
        let mut row = summary("request-1", &[("ours", &[10.0]), ("nats", &[30.0])]);
        assert!(latencies(std::slice::from_ref(&row)).is_none(), "these have a p99 only");
        let ours = row.sides.get_mut("ours").unwrap();
        for (name, us) in QUANTILES.iter().zip([10.0, 20.0, 30.0, 40.0]) {
            ours.details.insert((*name).to_owned(), us);
        }
        let text = latencies(&[row]).unwrap().to_string();
        assert!(text.contains("ours") && text.contains("40.0") && !text.contains("nats"), "{text}");
    }

    #[test]
    fn floors_are_of_the_first_row_that_has_them() {
        let with = |name: &str, value: f64| {
            let mut row = summary("request-1", &[("floor", &[20.0])]);
            row.sides.get_mut("floor").unwrap().details.insert(name.to_owned(), value);
            row
        };
        assert!(floors(&[summary("request-1", &[("ours", &[1.0])])]).is_none());
        let rows = [with("relay_p50_us", 21.0), with("relay_p50_us", 99.0), with("ping_pong_p50_us", 9.0)];
        let text = floors(&rows).unwrap();
        assert!(text.contains("bytes, us p50 21.0") && text.contains("ping-pong, us p50 9.00"), "{text}");
        assert!(!text.contains("99"), "{text}");
    }
}
