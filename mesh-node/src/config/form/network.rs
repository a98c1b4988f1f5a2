//! What a network needs: switches, files that may be absent, hosts with ports, ways to find peers.

use std::path::PathBuf;

use mesh_transport::endpoint::Authority;
use mesh_wire::name::Name;

use super::{Directory, Form, quoted};
use crate::config::network::Discovery;
use crate::config::raw::Raw;

/// On or off.
pub(in crate::config) struct Switch;

impl Form for Switch {
    type Value = bool;

    fn read(&self, raw: &Raw) -> Option<bool> {
        match raw {
            Raw::Boolean(on) => Some(*on),
            Raw::Text(text) => match text.as_str() {
                "on" | "true" => Some(true),
                "off" | "false" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    fn write(&self, value: &bool) -> String {
        value.to_string()
    }

    fn describe(&self) -> String {
        "true or false, or \"on\" or \"off\"".to_owned()
    }
}

/// A path with at most this many bytes, or `off`.
pub(in crate::config) struct OptionalPath {
    pub(in crate::config) most: usize,
}

impl Form for OptionalPath {
    type Value = Option<PathBuf>;

    fn read(&self, raw: &Raw) -> Option<Self::Value> {
        match raw.text()? {
            "off" => Some(None),
            _ => Directory { most: self.most }.read(raw).map(Some),
        }
    }

    fn write(&self, value: &Self::Value) -> String {
        quoted(&value.as_ref().map_or("off".into(), |path| path.to_string_lossy()))
    }

    fn describe(&self) -> String {
        format!("a path of 1 to {} bytes, or \"off\"", self.most)
    }
}

/// A host with or without a port, or `off`.
pub(in crate::config) struct Place {
    pub(in crate::config) port: u16,
}

impl Form for Place {
    type Value = Option<Authority>;

    fn read(&self, raw: &Raw) -> Option<Self::Value> {
        match raw.text()? {
            "off" => Some(None),
            text => Authority::parse(text, self.port).ok().map(Some),
        }
    }

    fn write(&self, value: &Self::Value) -> String {
        quoted(&value.as_ref().map_or_else(|| "off".to_owned(), Authority::to_string))
    }

    fn describe(&self) -> String {
        format!("a host with a port, such as \"node-1.example:{}\", or \"off\"", self.port)
    }
}

/// How to find peers.
pub(in crate::config) struct Finding {
    pub(in crate::config) port: u16,
    pub(in crate::config) most: usize,
}

impl Form for Finding {
    type Value = Discovery;

    fn read(&self, raw: &Raw) -> Option<Discovery> {
        let text = raw.text()?;
        if text == "standalone" {
            return Some(Discovery::Standalone);
        }
        let peers = text.strip_prefix("static:")?.split(',');
        let peers: Vec<Authority> =
            peers.map(|peer| Authority::parse(peer.trim(), self.port).ok()).collect::<Option<_>>()?;
        (1..=self.most).contains(&peers.len()).then_some(Discovery::Static(peers))
    }

    fn write(&self, value: &Discovery) -> String {
        quoted(&value.to_string())
    }

    fn describe(&self) -> String {
        format!(
            "\"standalone\", or \"static:HOST:PORT,HOST:PORT\" with 1 to {} addresses of peers (this node's own may \
             be among them)",
            self.most
        )
    }
}

/// Names of `a-z 0-9 . _ -`.
pub(in crate::config) struct Labels {
    pub(in crate::config) most: usize,
}

impl Form for Labels {
    type Value = Vec<Name>;

    fn read(&self, raw: &Raw) -> Option<Vec<Name>> {
        let parts = raw.parts().filter(|parts| parts.len() <= self.most)?;
        parts.iter().map(|part| part.text()?.parse().ok()).collect()
    }

    fn write(&self, value: &Vec<Name>) -> String {
        let names: Vec<String> = value.iter().map(|name| quoted(name.as_str())).collect();
        format!("[{}]", names.join(", "))
    }

    fn describe(&self) -> String {
        format!("at most {} names: [\"deployer\"] in the file, deployer elsewhere", self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::form::tests::{reads, text};

    #[test]
    fn switches() {
        reads(
            &Switch,
            &[
                (Raw::Boolean(true), Some(true)),
                (text("on"), Some(true)),
                (text("false"), Some(false)),
                (text("off"), Some(false)),
                (text("yes"), None),
                (text(""), None),
                (Raw::Integer(1), None),
            ],
        );
    }

    #[test]
    fn optional_paths() {
        reads(
            &OptionalPath { most: 4 },
            &[
                (text("off"), Some(None)),
                (text("/a/b"), Some(Some("/a/b".into()))),
                (text("/a/bc"), None),
                (text(""), None),
            ],
        );
    }

    #[test]
    fn places() {
        let authority = |text: &str| Authority::parse(text, 1).unwrap();
        reads(
            &Place { port: 7401 },
            &[
                (text("off"), Some(None)),
                (text("a.b"), Some(Some(authority("a.b:7401")))),
                (text("[::1]:9"), Some(Some(authority("[::1]:9")))),
                (text("::1"), None),
                (text("a:0"), None),
                (text(""), None),
            ],
        );
    }

    #[test]
    fn ways_to_find_peers() {
        let authority = |text: &str| Authority::parse(text, 1).unwrap();
        let both = vec![authority("a:7401"), authority("[::1]:9")];
        reads(
            &Finding { port: 7401, most: 2 },
            &[
                (text("standalone"), Some(Discovery::Standalone)),
                (text("static:a, [::1]:9"), Some(Discovery::Static(both))),
                (text("static:a,b,c"), None),
                (text("static:"), None),
                (text("static:a,,b"), None),
                (text("dns:a"), None),
                (text(""), None),
            ],
        );
    }

    #[test]
    fn lists_of_names() {
        let name = |text: &str| Name::new(text).unwrap();
        reads(
            &Labels { most: 2 },
            &[
                (text(""), Some(vec![])),
                (text("a, b-1"), Some(vec![name("a"), name("b-1")])),
                (text("a,b,c"), None),
                (text("No Name"), None),
            ],
        );
    }
}
