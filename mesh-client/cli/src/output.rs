//! Where things are written: data to standard output, everything else to standard error.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use anstream::{AutoStream, ColorChoice};
use clap::builder::StyledStr;
use serde::Serialize;

use crate::failure::{Described, Failure};
use crate::style::{Ink, Painted};
use crate::table::Rows;

/// Bytes that are collected before they are written.
const BUFFER_BYTES: usize = 64 * 1024;

/// The two streams of the command, and the form that was asked for.
pub(crate) struct Output {
    data: BufWriter<Stdout>,
    json: bool,
    data_coloured: bool,
    notes_coloured: bool,
    terminal: bool,
}

/// The line that tells a program that a command has begun what it was asked for.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Ready<'a> {
    /// Always true.
    pub(crate) ready: bool,
    /// What it answers on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<&'a str>,
    /// How many things it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) count: Option<usize>,
}

impl Default for Ready<'_> {
    fn default() -> Self {
        Self { ready: true, subject: None, count: None }
    }
}

impl Output {
    /// The process's streams. Colours follow `NO_COLOR`, `CLICOLOR_FORCE` and whether the stream is a terminal.
    pub(crate) fn new(json: bool) -> Self {
        let stdout = io::stdout();
        Self {
            data_coloured: AutoStream::choice(&stdout) != ColorChoice::Never,
            notes_coloured: AutoStream::choice(&io::stderr()) != ColorChoice::Never,
            terminal: stdout.is_terminal(),
            data: BufWriter::with_capacity(BUFFER_BYTES, stdout),
            json,
        }
    }

    /// Whether machine-readable output was asked for.
    pub(crate) fn json(&self) -> bool {
        self.json
    }

    /// Whether a person looks at the data.
    pub(crate) fn terminal(&self) -> bool {
        self.terminal
    }

    /// Where data goes; buffered until [`flush`](Self::flush).
    pub(crate) fn data(&mut self) -> &mut impl Write {
        &mut self.data
    }

    /// One line of data.
    pub(crate) fn line(&mut self, text: impl fmt::Display) -> Result<(), Failure> {
        writeln!(self.data, "{text}")?;
        Ok(())
    }

    /// One line of data that holds one JSON value.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.data, value).map_err(io::Error::from)?;
        self.data.write_all(b"\n")?;
        Ok(())
    }

    /// Tells a program to go on, at once.
    pub(crate) fn ready(&mut self, ready: &Ready<'_>) -> Result<(), Failure> {
        self.json_line(ready)?;
        self.flush()
    }

    /// One JSON value, on several lines when a person looks.
    pub(crate) fn json_value(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        if !self.terminal {
            return self.json_line(value);
        }
        serde_json::to_writer_pretty(&mut self.data, value).map_err(io::Error::from)?;
        self.data.write_all(b"\n")?;
        Ok(())
    }

    /// A table.
    pub(crate) fn table(&mut self, rows: &Rows) -> Result<(), Failure> {
        self.line(rows.render())
    }

    /// Writes what is buffered.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.data.flush()?;
        Ok(())
    }

    /// Text in the data, coloured where that is wanted.
    pub(crate) fn paint<T: fmt::Display>(&self, ink: Ink, text: T) -> Painted<T> {
        Painted::new(self.data_coloured.then_some(ink), text)
    }

    /// A line for a person beside the data; not with `--json`, and never an error when nobody can read it.
    pub(crate) fn note(&self, text: impl fmt::Display) {
        if !self.json {
            self.warn(text);
        }
    }

    /// A line beside the data that appears in any form of output.
    pub(crate) fn warn(&self, text: impl fmt::Display) {
        // Without standard error there is nowhere left to say so.
        _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Help that was asked for: data.
    pub(crate) fn help(&mut self, text: &StyledStr) -> Result<(), Failure> {
        let text = if self.data_coloured { text.ansi().to_string() } else { text.to_string() };
        self.line(text.trim_end())
    }

    /// Help that was not asked for.
    pub(crate) fn help_beside(&self, text: &StyledStr) {
        let text = if self.notes_coloured { text.ansi().to_string() } else { text.to_string() };
        self.warn(text.trim_end());
    }

    /// An error, in the form that was asked for.
    pub(crate) fn error(&self, error: &Described) {
        if self.json {
            return self.warn(error.to_json());
        }
        let text = error.report().to_string();
        // The colour ends where the message begins: `error[MESH-1042]: `.
        match text.split_once(": ") {
            Some((head, rest)) if self.notes_coloured => {
                self.warn(format_args!("{}: {rest}", Painted::new(Some(Ink::Bad), head)));
            }
            _ => self.warn(text),
        }
    }
}
