//! `docs/reference/admin-api.md`, made from the table of questions and real answers.

use std::fmt::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::api::{LIMIT, LIMIT_DEFAULT, ROUTES};
use super::error::Error;
use super::fake::{self, Fake};
use super::http::PATHS;
use super::services;

const INTRODUCTION: &str = "\
# Asking a node

<!-- Made from mesh-node/src/admin by its tests: MESH_UPDATE_DOCS=1 cargo test -p mesh-node admin -->

Over HTTP, on `127.0.0.1:7480` unless `http.address` says otherwise:

```
curl -s http://127.0.0.1:7480/api/v1/node
```

Over a link, as a request to the node itself:

```
mesh request '$mesh.node.info'
```

Both are answered by the same handlers, in JSON. HTTP takes parameters in the query (`?limit=10`), a link takes them
as a JSON object in the body. HTTP only reads; what changes something is asked over a link, which the socket's
permissions guard.

The server answers requests whose `Host` is `localhost`, an IP address or a name in `http.allow_hosts`, and whose
`Origin`, where there is one, is the same: no web page can reach it by a name of its own.
";

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    page.push_str("\n| path | |\n|---|---|\n");
    for (path, about) in PATHS {
        writeln!(page, "| `{path}` | {about} |").unwrap();
    }
    page.push_str("\n| path | request | |\n|---|---|---|\n");
    for route in &ROUTES {
        let path = route.path.map_or(String::new(), |path| format!("`{path}`"));
        writeln!(page, "| {path} | `{}` | {} |", route.subject, route.about).unwrap();
    }
    write!(
        page,
        "\nLists come in pages of {LIMIT_DEFAULT} entries, or of `limit` (1 to {LIMIT}). Where there is more, `next` is \
         what to give as `after`; else it is `null`.\n"
    )
    .unwrap();
    for (title, answer) in examples() {
        write!(
            page,
            "\n## {title}\n\n```json\n{}\n```\n",
            serde_json::to_string_pretty(&sorted(answer)).unwrap()
        )
        .unwrap();
    }
    page
}

/// The same with the keys of each object in their order: whether a map keeps the order in which it was filled is
/// decided by whatever else is built with this crate.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}

fn examples() -> [(&'static str, Value); 8] {
    let (api, _) = Fake::default().api();
    let mut node = json!(api.node_info());
    // What differs from run to run.
    for (field, value) in
        [("pid", json!(4242)), ("uptime_seconds", json!(12.5)), ("memory_bytes", json!(9_437_184))]
    {
        node[field] = value;
    }
    node["version"] = json!("0.1.0");
    let services = services::gather(vec![fake::responder(7)]);
    [
        ("The node", node),
        ("Links", json!({ "links": [fake::link(7)], "next": 7 })),
        ("Subscriptions", json!({ "subscriptions": [fake::subscription(7, 1)], "next": "7.1" })),
        ("Services", json!({ "services": services, "truncated": false })),
        ("Peers", json!({ "peers": [fake::peer()] })),
        ("Groups", json!({ "groups": [fake::group()] })),
        ("Certificates", json!(fake::certificates())),
        ("Errors", Error::NotReady { state: "draining" }.to_json()),
    ]
}

#[test]
fn the_page_is_that_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/admin-api.md");
    if std::env::var_os("MESH_UPDATE_DOCS").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page(), "docs/reference/admin-api.md is out of date: run with MESH_UPDATE_DOCS=1");
}
