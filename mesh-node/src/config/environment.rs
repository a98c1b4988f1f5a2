//! Values from the environment.

use std::ffi::OsString;

use super::Source;
use super::raw::Raw;
use super::reader::Given;

/// Environment variables with this prefix are keys: `MESH_NODE_LIMITS__MAX_BODY` is `limits.max_body`.
pub const PREFIX: &str = "MESH_NODE_";
/// Names the configuration file; `--config` wins over it.
pub const CONFIG_FILE: &str = "MESH_NODE_CONFIG";

/// What Kubernetes sets in every pod beside a Service that is called `mesh-node`: they are not meant for us.
const SERVICE_LINKS: [&str; 4] = ["SERVICE_HOST", "SERVICE_PORT", "PORT", "PORT_"];

/// Gives what the environment says. `MESH_LOG`, which every program of the project understands, comes before the
/// node's own variables, so that these win.
pub(super) fn read(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<Given> {
    let mut given = Vec::new();
    for (name, value) in variables {
        let Some(name) = name.to_str() else { continue };
        if name == mesh_telemetry::logging::ENV {
            given.insert(0, one("log.filter".to_owned(), name, value));
        } else if let Some(key) = name.strip_prefix(PREFIX)
            && name != CONFIG_FILE
            && !is_service_link(key)
        {
            given.push(one(key.to_ascii_lowercase().replace("__", "."), name, value));
        }
    }
    given
}

/// The variable that sets `key`.
pub(super) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

fn one(key: String, variable: &str, value: OsString) -> Given {
    let raw = value.into_string().map_or(Raw::Other("value that is not UTF-8"), Raw::Text);
    Given { key, raw, source: Source::Environment { variable: variable.to_owned() } }
}

fn is_service_link(key: &str) -> bool {
    let [host, port, link, links] = SERVICE_LINKS;
    key == host || key == link || key.starts_with(port) || key.starts_with(links)
}
