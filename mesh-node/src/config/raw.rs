//! Values as they were written, before anybody looked at what they mean.

use std::fmt;

/// A value as it came from a file, the environment or a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Raw {
    /// Text: a TOML string, or whatever stood in the environment or behind a flag.
    Text(String),
    /// A TOML integer.
    Integer(i64),
    /// A TOML boolean.
    Boolean(bool),
    /// A TOML array.
    List(Vec<Raw>),
    /// Something that no key takes, by its name in TOML.
    Other(&'static str),
}

impl Raw {
    /// The number that this is, written as a number or as text.
    pub(super) fn integer(&self) -> Option<u64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Integer(number) => (*number).try_into().ok(),
            Self::Boolean(_) | Self::List(_) | Self::Other(_) => None,
        }
    }

    /// The text that this is.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The parts that this has: of an array its values, of text what stands between commas.
    pub(super) fn parts(&self) -> Option<Vec<Self>> {
        match self {
            Self::List(parts) => Some(parts.clone()),
            Self::Text(text) if text.trim().is_empty() => Some(Vec::new()),
            Self::Text(text) => {
                Some(text.split(',').map(|part| Self::Text(part.trim().to_owned())).collect())
            }
            Self::Integer(_) | Self::Boolean(_) | Self::Other(_) => None,
        }
    }
}

/// As it is shown in an error.
impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 80;
        match self {
            Self::Text(text) if text.chars().nth(SHOWN).is_some() => {
                write!(f, "{:?}…", text.chars().take(SHOWN).collect::<String>())
            }
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Boolean(_) => f.write_str("a boolean"),
            Self::List(parts) => write!(f, "a list of {}", parts.len()),
            Self::Other(kind) => write!(f, "a {kind}"),
        }
    }
}
