//! Forms of values: what a key takes, how it is read, and how it is written down again.

mod ids;
mod network;
mod numbers;
mod texts;

pub(super) use ids::{HostNames, Ids};
pub(super) use network::{Finding, Labels, OptionalPath, Place, Switch};
pub(super) use numbers::{Bytes, Count, Mode, Time};
pub(super) use texts::{Address, Choice, Directory, Filter, Label, OptionalLabel};

use super::raw::Raw;

/// The form of a value.
pub(super) trait Form {
    /// What a value of this form is, once it is read.
    type Value;

    /// Reads a value; `None` when it has not this form.
    fn read(&self, raw: &Raw) -> Option<Self::Value>;

    /// Writes a value as TOML; reading that gives the same value.
    fn write(&self, value: &Self::Value) -> String;

    /// What is taken, in words that follow "it takes".
    fn describe(&self) -> String;
}

/// A TOML string of `text`.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests;
