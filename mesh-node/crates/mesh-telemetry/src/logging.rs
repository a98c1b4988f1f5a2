//! Log lines of a binary: on stderr, so that data stays alone on stdout.

use std::fmt;
use std::io::{self, IsTerminal};
use std::str::FromStr;

use mesh_wire::code::Code;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Environment variable with the filter, for every binary of the project.
pub const ENV: &str = "MESH_LOG";
/// Filter when nothing else is said.
pub const FILTER_DEFAULT: &str = "info";
/// Longest filter, in bytes.
pub const FILTER_BYTES: usize = 1024;

/// Modules whose ordinary doings are of no interest to an operator: below a warning they are logged only where a filter
/// names them.
const QUIET: [&str; 2] = ["actix_server", "actix_http"];

/// What is logged: a level, or levels per module, such as `info,mesh_node::link=debug`.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    text: String,
    targets: Targets,
}

impl Filter {
    /// The filter as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Default for Filter {
    fn default() -> Self {
        let targets = quiet(Targets::new().with_default(tracing::Level::INFO), FILTER_DEFAULT);
        Self { text: FILTER_DEFAULT.to_owned(), targets }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = || Error::Filter { text: text.chars().take(80).collect() };
        if text.is_empty() || text.len() > FILTER_BYTES {
            return Err(refused());
        }
        // A single word that is no level would be taken for a module and silently turn everything else off.
        let words = text.split(',').filter(|part| !part.contains('='));
        if words.clone().any(|word| word.parse::<LevelFilter>().is_err()) {
            return Err(refused());
        }
        let targets = text.parse().map_err(|_| refused())?;
        Ok(Self { text: text.to_owned(), targets: quiet(targets, text) })
    }
}

fn quiet(targets: Targets, text: &str) -> Targets {
    let level = targets.default_level().unwrap_or(LevelFilter::OFF).min(LevelFilter::WARN);
    let unnamed = QUIET.into_iter().filter(|module| !text.contains(module));
    unnamed.fold(targets, |targets, module| targets.with_target(module, level))
}

/// What a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people; coloured on a terminal unless `NO_COLOR` is set.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

impl Format {
    /// Its name in configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(Error::Format { text: text.chars().take(80).collect() }),
        }
    }
}

/// Why logging can't be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The filter can't be read.
    #[error("{text:?} is not a log filter")]
    Filter {
        /// Its beginning.
        text: String,
    },
    /// The format is not known.
    #[error("{text:?} is not a log format")]
    Format {
        /// Its beginning.
        text: String,
    },
    /// Something else in this process has set up logging before.
    #[error("logging is set up already")]
    AlreadySet,
}

impl Error {
    /// The stable code of this error.
    #[must_use]
    pub fn code(&self) -> Code {
        Code::TelemetrySetup
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Filter { .. } => {
                "use a level (off, error, warn, info, debug, trace), or levels per module: info,mesh_node=debug"
            }
            Self::Format { .. } => "use text or json",
            Self::AlreadySet => "call it once, in main",
        }
    }

    /// Whether the same call may succeed later: never.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        false
    }
}

/// Sends log lines of this process to stderr from now on.
///
/// # Errors
/// [`Error::AlreadySet`] when logging was set up before.
pub fn init(filter: Filter, format: Format) -> Result<(), Error> {
    let colour =
        io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let registry = tracing_subscriber::registry().with(filter.targets);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    match format {
        Format::Text => registry.with(lines.with_ansi(colour)).try_init(),
        Format::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    }
    .map_err(|_| Error::AlreadySet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters() {
        let table = [
            ("info", true),
            ("INFO", true),
            ("off", true),
            ("info,mesh_node::link=debug", true),
            ("mesh_node=trace", true),
            ("", false),
            ("loud", false),
            ("info,loud", false),
            ("mesh_node=loud", false),
        ];
        for (text, sound) in table {
            let filter = text.parse::<Filter>();
            assert_eq!(filter.is_ok(), sound, "{text:?}");
            if let Err(error) = filter {
                assert!(error.hint().contains("trace"), "{}", error.hint());
            }
        }
        assert_eq!(FILTER_DEFAULT.parse::<Filter>().unwrap(), Filter::default());
    }

    #[test]
    fn a_filter_is_bounded() {
        let of = |bytes: usize| format!("{}=info", "m".repeat(bytes - "=info".len()));
        assert!(of(FILTER_BYTES).parse::<Filter>().is_ok());
        assert!(of(FILTER_BYTES + 1).parse::<Filter>().is_err());
    }

    #[test]
    fn a_filter_decides_by_module() {
        let filter: Filter = "warn,mesh_node::link=debug".parse().unwrap();
        assert!(filter.targets.would_enable("mesh_node::link", &tracing::Level::DEBUG));
        assert!(!filter.targets.would_enable("mesh_node", &tracing::Level::INFO));
        assert!(filter.targets.would_enable("anything", &tracing::Level::WARN));
    }

    #[test]
    fn what_is_quiet_is_logged_from_warnings_on_unless_it_is_named() {
        use tracing::Level;
        let enables =
            |text: &str, level| text.parse::<Filter>().unwrap().targets.would_enable("actix_server", &level);
        assert!(!enables("info", Level::INFO) && enables("info", Level::WARN));
        assert!(!enables("trace", Level::INFO));
        assert!(!enables("error", Level::WARN) && enables("error", Level::ERROR));
        assert!(!enables("off", Level::ERROR));
        assert!(enables("warn,actix_server=debug", Level::DEBUG));
    }

    #[test]
    fn formats() {
        for format in [Format::Text, Format::Json] {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert!("xml".parse::<Format>().is_err());
    }
}
