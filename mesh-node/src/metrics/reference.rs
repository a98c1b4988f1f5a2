//! `docs/reference/metrics.md`, made from the table of names.

use std::fmt::Write;
use std::path::Path;

use mesh_telemetry::metric::{ALL, DURATION_BOUNDS_US, Kind, Metric};

const INTRODUCTION: &str = "\
# Metrics of a node

<!-- Made from mesh-telemetry's table of metrics by a test: MESH_UPDATE_DOCS=1 cargo test -p mesh-node metrics -->

`GET /metrics` on the admin address (`127.0.0.1:7480` by default) gives them in the OpenMetrics text format:

```
curl -s http://127.0.0.1:7480/metrics
```

A request to `$mesh.metrics` gives the same as JSON. No metric has a subject, a client's name or anything else that a
client chooses as a label, so the number of series is bounded. Counters start at zero with the process.

| metric | kind | label | meaning |
|---|---|---|---|
";

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for Metric { name, kind, help, label } in ALL {
        let label = label.map_or(String::new(), |label| format!("`{}`: {}", label.name, label.values));
        writeln!(page, "| `{name}` | {} | {label} | {help} |", kind.as_str()).unwrap();
    }
    let bounds: Vec<String> = DURATION_BOUNDS_US.iter().map(|us| (*us as f64 / 1e6).to_string()).collect();
    let histograms: Vec<&str> = ALL.iter().filter(|m| m.kind == Kind::Histogram).map(|m| m.name).collect();
    write!(page, "\nBuckets of `{}` in seconds: {}.\n", histograms.join("`, `"), bounds.join(", ")).unwrap();
    page
}

#[test]
fn the_page_is_that_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/metrics.md");
    if std::env::var_os("MESH_UPDATE_DOCS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page(), "docs/reference/metrics.md is out of date: run with MESH_UPDATE_DOCS=1");
}
