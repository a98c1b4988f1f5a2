//! What a measurement came to.

use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;

use super::latency::{Latencies, Percentiles};
use crate::failure::Failure;
use crate::output::Output;
use crate::quantity::grouped;
use crate::table;

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For a person.
    People,
    /// One JSON object.
    Json,
    /// A heading and one line of values.
    Csv,
}

/// The figures of a measurement, in the order in which JSON and CSV have them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Report {
    /// What was measured: `pub`, `sub`, `request`, `reply`.
    pub(crate) kind: &'static str,
    /// Bytes of a body; the mean where they came from elsewhere.
    pub(crate) size: u64,
    /// Messages or requests that were done.
    pub(crate) count: u64,
    /// From the first to the last of them.
    pub(crate) seconds: f64,
    /// Of them in a second.
    pub(crate) rate: f64,
    /// Megabytes (1,000,000 bytes) of bodies in a second.
    pub(crate) mb_per_s: f64,
    /// Microseconds that half took at most; none where no latency was measured.
    pub(crate) p50_us: Option<f64>,
    /// That 99 % took at most.
    pub(crate) p99_us: Option<f64>,
    /// That 99.9 % took at most.
    pub(crate) p999_us: Option<f64>,
    /// That all took at most.
    pub(crate) max_us: Option<f64>,
    /// Messages that were expected and did not come.
    pub(crate) lost: u64,
    /// Messages of which the node said that it dropped them.
    pub(crate) dropped: u64,
    /// Requests that were not answered.
    pub(crate) errors: u64,
    /// Connections that shared the work.
    pub(crate) clients: u64,
    /// Requests under way at once on each connection.
    pub(crate) window: u64,
    /// When the first of them was, in Unix time: with it the figures of several processes can be put together.
    pub(crate) first_unix_ns: Option<u64>,
    /// When the last of them was.
    pub(crate) last_unix_ns: Option<u64>,
}

impl Report {
    /// A report of `count` things in `took` with `bytes` of bodies altogether.
    pub(crate) fn new(kind: &'static str, count: u64, bytes: u64, took: Duration) -> Self {
        let seconds = took.as_secs_f64();
        let per_second = |amount: f64| if seconds > 0.0 { amount / seconds } else { 0.0 };
        Self {
            kind,
            size: bytes.checked_div(count).unwrap_or(0),
            count,
            seconds,
            rate: per_second(count as f64),
            mb_per_s: per_second(bytes as f64 / 1e6),
            p50_us: None,
            p99_us: None,
            p999_us: None,
            max_us: None,
            lost: 0,
            dropped: 0,
            errors: 0,
            clients: 1,
            window: 0,
            first_unix_ns: None,
            last_unix_ns: None,
        }
    }

    /// With the moments of the first and the last.
    #[must_use]
    pub(crate) fn between(mut self, first: Instant, last: Instant) -> Self {
        (self.first_unix_ns, self.last_unix_ns) = (unix_ns(first), unix_ns(last));
        self
    }

    /// With the percentiles of `latencies`.
    #[must_use]
    pub(crate) fn latencies(mut self, latencies: &Latencies) -> Self {
        if let Some(Percentiles { p50, p99, p999, max }) = latencies.percentiles() {
            (self.p50_us, self.p99_us) = (Some(p50), Some(p99));
            (self.p999_us, self.max_us) = (Some(p999), Some(max));
        }
        self
    }

    /// Writes it.
    pub(crate) fn write(&self, form: Form, output: &mut Output) -> Result<(), Failure> {
        match form {
            Form::People => output.line(self.for_people()),
            Form::Json => output.json_line(self),
            Form::Csv => output.line(self.csv()),
        }?;
        output.flush()
    }

    fn for_people(&self) -> String {
        let mut rows = vec![
            ("messages", format!("{} of {} bytes in {:.3} s", grouped(self.count), self.size, self.seconds)),
            ("rate", format!("{} msgs/s", grouped(self.rate as u64))),
            ("throughput", format!("{:.1} MB/s", self.mb_per_s)),
        ];
        if let (Some(p50), Some(p99), Some(p999), Some(max)) =
            (self.p50_us, self.p99_us, self.p999_us, self.max_us)
        {
            rows.push((
                "latency",
                format!("p50 {p50:.1} µs   p99 {p99:.1} µs   p99.9 {p999:.1} µs   max {max:.1} µs"),
            ));
        }
        let counts = [("lost", self.lost), ("dropped by node", self.dropped), ("errors", self.errors)];
        rows.extend(counts.into_iter().filter(|(_, n)| *n > 0).map(|(name, n)| (name, grouped(n))));
        table::pairs(rows)
    }

    fn csv(&self) -> String {
        let known = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        let moment = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
        let fields = [
            ("kind", self.kind.to_owned()),
            ("size", self.size.to_string()),
            ("count", self.count.to_string()),
            ("seconds", self.seconds.to_string()),
            ("rate", self.rate.to_string()),
            ("mb_per_s", self.mb_per_s.to_string()),
            ("p50_us", known(self.p50_us)),
            ("p99_us", known(self.p99_us)),
            ("p999_us", known(self.p999_us)),
            ("max_us", known(self.max_us)),
            ("lost", self.lost.to_string()),
            ("dropped", self.dropped.to_string()),
            ("errors", self.errors.to_string()),
            ("clients", self.clients.to_string()),
            ("window", self.window.to_string()),
            ("first_unix_ns", moment(self.first_unix_ns)),
            ("last_unix_ns", moment(self.last_unix_ns)),
        ];
        let heading = fields.each_ref().map(|(name, _)| *name).join(",");
        let values = fields.map(|(_, value)| value).join(",");
        format!("{heading}\n{values}")
    }
}

/// A moment in Unix time.
fn unix_ns(at: Instant) -> Option<u64> {
    let since = SystemTime::now().checked_sub(at.elapsed())?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut latencies = Latencies::new();
        latencies.record(Duration::from_micros(100));
        Report::new("request", 1_000_000, 128_000_000, Duration::from_millis(500)).latencies(&latencies)
    }

    #[test]
    fn rates_follow_from_counts() {
        let report = report();
        assert_eq!((report.size, report.rate, report.mb_per_s), (128, 2_000_000.0, 256.0));
        let nothing = Report::new("sub", 0, 0, Duration::ZERO);
        assert_eq!((nothing.size, nothing.rate, nothing.mb_per_s), (0, 0.0, 0.0));
    }

    #[test]
    fn json_has_every_field() {
        let json = serde_json::to_value(report()).unwrap();
        for field in [
            "kind",
            "size",
            "count",
            "seconds",
            "rate",
            "mb_per_s",
            "p50_us",
            "p99_us",
            "p999_us",
            "max_us",
            "lost",
            "dropped",
            "errors",
            "first_unix_ns",
            "last_unix_ns",
        ] {
            assert!(json.get(field).is_some(), "{field}");
        }
        let none = serde_json::to_value(Report::new("pub", 1, 1, Duration::from_secs(1))).unwrap();
        assert!(none["p50_us"].is_null());
    }

    #[test]
    fn moments_are_in_unix_time_and_as_far_apart() {
        let last = Instant::now();
        let report = report().between(last - Duration::from_secs(3), last);
        let (first, last) = (report.first_unix_ns.unwrap(), report.last_unix_ns.unwrap());
        let off = (last - first).abs_diff(3_000_000_000);
        assert!(off < 1_000_000_000, "the clock was read twice, {off} ns off");
        assert!(report.csv().ends_with(&format!("{first},{last}")));
    }

    #[test]
    fn csv_has_a_heading_and_as_many_values() {
        let csv = report().csv();
        let (heading, values) = csv.split_once('\n').unwrap();
        assert_eq!(heading.split(',').count(), values.split(',').count());
        let at = heading.split(',').position(|name| name == "count").unwrap();
        assert_eq!(values.split(',').nth(at), Some("1000000"));
        let json = serde_json::to_string(&report()).unwrap();
        let places: Vec<_> =
            heading.split(',').map(|name| json.find(&format!("\"{name}\":")).unwrap()).collect();
        assert!(places.is_sorted(), "the order is that of JSON");
    }

    #[test]
    fn people_see_what_is_not_nothing() {
        let text = Report { lost: 1_234, ..report() }.for_people();
        assert!(text.contains("rate        2,000,000 msgs/s"), "{text}");
        assert!(text.contains("p50 100."), "{text}");
        assert!(text.contains("lost        1,234"), "{text}");
        assert!(!text.contains("errors"), "{text}");
    }
}
