//! Texts: names, paths, addresses, words.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use mesh_wire::name::Name;

use super::{Form, quoted};
use crate::config::raw::Raw;

/// A name of `a-z 0-9 . _ -`.
pub(in crate::config) struct Label;

impl Form for Label {
    type Value = Name;

    fn read(&self, raw: &Raw) -> Option<Name> {
        raw.text()?.parse().ok()
    }

    fn write(&self, value: &Name) -> String {
        quoted(value.as_str())
    }

    fn describe(&self) -> String {
        format!("a name of 1 to {} bytes of a-z 0-9 . _ -", mesh_wire::limits::NAME_BYTES)
    }
}

/// A name as [`Label`] takes it, or nothing.
pub(in crate::config) struct OptionalLabel;

impl Form for OptionalLabel {
    type Value = Option<Name>;

    fn read(&self, raw: &Raw) -> Option<Option<Name>> {
        match raw.text()? {
            "" => Some(None),
            text => text.parse().ok().map(Some),
        }
    }

    fn write(&self, value: &Option<Name>) -> String {
        quoted(value.as_ref().map_or("", Name::as_str))
    }

    fn describe(&self) -> String {
        format!("{}, or \"\" for none", Label.describe())
    }
}

/// A path with at most this many bytes.
pub(in crate::config) struct Directory {
    pub(in crate::config) most: usize,
}

impl Form for Directory {
    type Value = PathBuf;

    fn read(&self, raw: &Raw) -> Option<PathBuf> {
        let text = raw.text()?;
        ((1..=self.most).contains(&text.len()) && !text.contains('\0')).then(|| text.into())
    }

    fn write(&self, value: &PathBuf) -> String {
        quoted(&value.to_string_lossy())
    }

    fn describe(&self) -> String {
        format!("a path of 1 to {} bytes", self.most)
    }
}

/// An address to listen on, or `off`.
pub(in crate::config) struct Address;

impl Form for Address {
    type Value = Option<SocketAddr>;

    fn read(&self, raw: &Raw) -> Option<Option<SocketAddr>> {
        match raw.text()? {
            "off" => Some(None),
            text => text.parse().ok().map(Some),
        }
    }

    fn write(&self, value: &Option<SocketAddr>) -> String {
        quoted(&value.map_or_else(|| "off".to_owned(), |address| address.to_string()))
    }

    fn describe(&self) -> String {
        "an IP address with a port, such as \"127.0.0.1:7480\" (port 0: any free one), or \"off\"".to_owned()
    }
}

/// A log filter.
pub(in crate::config) struct Filter;

impl Form for Filter {
    type Value = mesh_telemetry::logging::Filter;

    fn read(&self, raw: &Raw) -> Option<Self::Value> {
        raw.text()?.parse().ok()
    }

    fn write(&self, value: &Self::Value) -> String {
        quoted(value.as_str())
    }

    fn describe(&self) -> String {
        "a level (off, error, warn, info, debug, trace), or levels per module: \"info,mesh_node=debug\""
            .to_owned()
    }
}

/// One of a few words.
pub(in crate::config) struct Choice<T: 'static> {
    pub(in crate::config) of: &'static [T],
}

impl<T: FromStr + Display> Form for Choice<T> {
    type Value = T;

    fn read(&self, raw: &Raw) -> Option<T> {
        raw.text()?.parse().ok()
    }

    fn write(&self, value: &T) -> String {
        quoted(&value.to_string())
    }

    fn describe(&self) -> String {
        let words: Vec<String> = self.of.iter().map(|word| quoted(&word.to_string())).collect();
        words.join(" or ")
    }
}
