//! The few colours of the command, and text that is safe to show on a terminal.

use std::borrow::Cow;
use std::fmt;

use clap::builder::styling::{AnsiColor, Style, Styles};

/// What a colour says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// As it should be.
    Good,
    /// Worth a look.
    Doubtful,
    /// Wrong.
    Bad,
    /// The name of what follows.
    Title,
    /// Less important.
    Dim,
}

impl Ink {
    fn style(self) -> Style {
        match self {
            Self::Good => AnsiColor::Green.on_default(),
            Self::Doubtful => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Title => Style::new().bold(),
            Self::Dim => Style::new().dimmed(),
        }
    }
}

/// Text in a colour, or as it is.
pub(crate) struct Painted<T> {
    ink: Option<Ink>,
    text: T,
}

impl<T> Painted<T> {
    /// `text` in `ink`, or as it is without one.
    pub(crate) fn new(ink: Option<Ink>, text: T) -> Self {
        Self { ink, text }
    }
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(ink) = self.ink else {
            return self.text.fmt(f);
        };
        let style = ink.style();
        write!(f, "{style}{}{style:#}", self.text)
    }
}

/// Colours of `--help`.
pub(crate) const HELP: Styles = Styles::styled()
    .header(Style::new().bold())
    .usage(Style::new().bold())
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(Style::new().dimmed());

/// Text from elsewhere without what could steer a terminal: control characters but tab and line break are escaped.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let steers = |char: char| char.is_control() && char != '\n' && char != '\t';
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        if steers(char) {
            safe.extend(char.escape_default());
        } else {
            safe.push(char);
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_only_where_it_is_wanted() {
        assert_eq!(Painted::new(None, "x").to_string(), "x");
        let red = Painted::new(Some(Ink::Bad), "x").to_string();
        assert!(red.starts_with("\u{1b}[") && red.contains('x') && red.ends_with("\u{1b}[0m"), "{red:?}");
    }

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        let table = [
            ("plain\ttext\nmore", "plain\ttext\nmore"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("a\rb", "a\\rb"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("grüße", "grüße"),
        ];
        for (text, want) in table {
            assert_eq!(printable(text), want, "{text:?}");
        }
    }
}
