//! `docs/reference/config.md`, made from the table of keys.

use std::fmt::Write;
use std::path::Path;

use super::tests::layers;
use super::{Config, Entry};

const INTRODUCTION: &str = "\
# Configuration of a node

<!-- Made from mesh-node/src/config/keys.rs by its tests: MESH_UPDATE_DOCS=1 cargo test -p mesh-node config -->

A node runs without any configuration. What is said about a key wins in this order:

1. a flag: `mesh-node --threads 2`
2. an environment variable: `MESH_NODE_THREADS=2`; `__` stands for the dot of a table, so `limits.max_body` is
   `MESH_NODE_LIMITS__MAX_BODY`
3. the file that `--config FILE` or `MESH_NODE_CONFIG` names, in TOML
4. the default

A key that does not exist is refused, and so is a value that its key does not take; the node then does not start and
says which, where it stands and what would be right. `mesh-node --print-config` prints the effective configuration as
a file, with the source of each value.

```toml
name = \"edge-1\"
threads = 2

[socket]
path = \"/run/mesh/mesh.sock\"
mode = \"0660\"
allow_gids = [1500]

[limits]
max_body = \"16MiB\"
```

Sizes are numbers of bytes or have a unit (`B KiB MiB GiB`, `kB MB GB`), times always have one (`us ms s m h`).

| key | default | flag |
|---|---|---|
";

fn page(entries: &[Entry]) -> String {
    let mut page = INTRODUCTION.to_owned();
    for Entry { key, default, flag, .. } in entries {
        let flag = flag.map_or(String::new(), |flag| format!("`{flag}`"));
        writeln!(page, "| [`{key}`](#{}) | {} | {flag} |", key.replace('.', ""), as_code(default)).unwrap();
    }
    for Entry { key, default, takes, doc, variable, flag, .. } in entries {
        let flag = flag.map_or(String::new(), |flag| format!(", flag `{flag}`"));
        let default = as_code(default);
        write!(
            page,
            "\n## {key}\n\n{doc}\n\n* takes {takes}\n* default: {default}\n* environment `{variable}`{flag}\n"
        )
        .unwrap();
    }
    page
}

/// Values stand in code marks, words about a default do not.
fn as_code(default: &str) -> String {
    let value = matches!(default, "true" | "false")
        || default.starts_with(['"', '['])
        || default.starts_with(|first: char| first.is_ascii_digit());
    if value { format!("`{default}`") } else { default.to_owned() }
}

#[test]
fn the_page_is_that_of_the_table() {
    let config = Config::load(layers()).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/config.md");
    let page = page(config.entries());
    if std::env::var_os("MESH_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/reference/config.md is out of date: run with MESH_UPDATE_DOCS=1");
}

#[test]
fn the_example_of_the_page_is_valid() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("node.toml");
    let example = INTRODUCTION.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    std::fs::write(&file, example).unwrap();
    let config = Config::load(super::Layers { file: Some(file), ..layers() }).unwrap();
    assert_eq!((config.threads, config.socket.mode, config.limits.max_body), (2, 0o660, 16 << 20));
}

#[test]
fn every_doc_is_made_of_sentences() {
    for Entry { key, doc, takes, .. } in Config::load(layers()).unwrap().entries() {
        assert!(doc.ends_with('.') && !doc.contains("  "), "{key}: {doc}");
        assert!(!takes.ends_with('.'), "{key}: {takes}");
    }
}
