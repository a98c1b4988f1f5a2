//! Reads typed values out of the layers and remembers where each came from.

use std::collections::BTreeMap;

use super::form::Form;
use super::raw::Raw;
use super::{Error, Source, environment, nearest};

/// One value that somebody gave.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) key: String,
    pub(super) raw: Raw,
    pub(super) source: Source,
}

/// One key of the tree: what it is called, what it takes and what it means.
pub(super) struct Key<F> {
    /// Dotted path in the file.
    pub(super) path: &'static str,
    /// What it takes.
    pub(super) form: F,
    /// Its default as it would be written, or in words where it depends on the surroundings.
    pub(super) default: Default,
    /// The flag that sets it, with its dashes.
    pub(super) flag: Option<&'static str>,
    /// What it means.
    pub(super) doc: &'static str,
}

/// What a key is when nobody says anything.
pub(super) enum Default {
    /// This, as text.
    Text(&'static str),
    /// Something that depends on the surroundings, in words.
    Computed(&'static str),
}

/// What became of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Dotted path in the file.
    pub key: &'static str,
    /// The effective value, as TOML.
    pub value: String,
    /// Where it comes from.
    pub source: Source,
    /// Its default: as TOML, or in words where it depends on the surroundings.
    pub default: String,
    /// What it takes.
    pub takes: String,
    /// What it means.
    pub doc: &'static str,
    /// The environment variable that sets it.
    pub variable: String,
    /// The flag that sets it.
    pub flag: Option<&'static str>,
}

/// The layers on their way into the typed tree.
pub(super) struct Reader {
    given: BTreeMap<String, Given>,
    entries: Vec<Entry>,
}

impl Reader {
    /// Puts later layers over earlier ones.
    pub(super) fn new(layers: impl IntoIterator<Item = Given>) -> Self {
        let mut given = BTreeMap::new();
        for one in layers {
            given.insert(one.key.clone(), one);
        }
        Self { given, entries: Vec::new() }
    }

    /// The value of a key whose default is a text.
    pub(super) fn read<F: Form>(&mut self, key: &Key<F>) -> Result<F::Value, Error> {
        let given = self.given.remove(key.path);
        let (raw, source) = match (given, &key.default) {
            (Some(given), _) => (given.raw, given.source),
            (None, Default::Text(text) | Default::Computed(text)) => {
                (Raw::Text((*text).to_owned()), Source::Default)
            }
        };
        self.take(key, &raw, source)
    }

    /// The value of a key whose default depends on the surroundings.
    pub(super) fn read_or<F: Form>(
        &mut self,
        key: &Key<F>,
        default: impl FnOnce() -> F::Value,
    ) -> Result<F::Value, Error> {
        match self.given.remove(key.path) {
            Some(given) => self.take(key, &given.raw, given.source),
            None => {
                let value = default();
                self.record(key, &value, Source::Default);
                Ok(value)
            }
        }
    }

    /// What became of every key, in the order in which they were read.
    ///
    /// # Errors
    /// [`Error::UnknownKey`] when something was given that nothing reads.
    pub(super) fn finish(self) -> Result<Vec<Entry>, Error> {
        match self.given.into_values().next() {
            None => Ok(self.entries),
            Some(Given { key, source, .. }) => {
                let nearest = nearest::to(&key, self.entries.iter().map(|entry| entry.key));
                let in_environment = matches!(source, Source::Environment { .. });
                let suggestion = nearest.map(|known| {
                    if in_environment { environment::variable_of(known) } else { known.to_owned() }
                });
                Err(Error::UnknownKey { key, source_of_it: source, suggestion })
            }
        }
    }

    fn take<F: Form>(&mut self, key: &Key<F>, raw: &Raw, source: Source) -> Result<F::Value, Error> {
        match key.form.read(raw) {
            Some(value) => {
                self.record(key, &value, source);
                Ok(value)
            }
            None => Err(Error::BadValue {
                key: key.path,
                value: raw.to_string(),
                source_of_it: source,
                allowed: key.form.describe(),
            }),
        }
    }

    fn record<F: Form>(&mut self, key: &Key<F>, value: &F::Value, source: Source) {
        let default = match &key.default {
            Default::Computed(words) => (*words).to_owned(),
            Default::Text(text) => {
                let value = key.form.read(&Raw::Text((*text).to_owned()));
                value.map_or_else(|| (*text).to_owned(), |value| key.form.write(&value))
            }
        };
        self.entries.push(Entry {
            key: key.path,
            value: key.form.write(value),
            source,
            default,
            takes: key.form.describe(),
            doc: key.doc,
            variable: environment::variable_of(key.path),
            flag: key.flag,
        });
    }
}
