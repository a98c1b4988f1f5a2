//! Where the board is shown while the demo runs: standard error.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use crate::board::Board;
use crate::table::{line, table};

/// How often a table is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(500);
/// How often a line is written.
const WRITE_EVERY: Duration = Duration::from_secs(2);

/// A table that is drawn over itself on a terminal, lines elsewhere.
#[derive(Debug)]
pub(crate) enum Screen {
    /// A terminal, and the lines that the last table had.
    Terminal {
        /// Lines of the last table.
        drawn: usize,
    },
    /// Anything else.
    Lines,
}

impl Screen {
    /// What standard error is.
    pub(crate) fn of_stderr() -> Self {
        if std::io::stderr().is_terminal() { Self::Terminal { drawn: 0 } } else { Self::Lines }
    }

    /// How often to show the board.
    pub(crate) fn period(&self) -> Duration {
        match self {
            Self::Terminal { .. } => DRAW_EVERY,
            Self::Lines => WRITE_EVERY,
        }
    }

    /// Shows the board. What can't be written is not shown.
    pub(crate) fn show(&mut self, board: &Board, elapsed: Duration, total: Duration) {
        let text = match self {
            Self::Terminal { drawn } => {
                let lines = table(board, elapsed, total);
                // Up to where the last table began; each line clears what stood behind it.
                let up = if *drawn > 0 { format!("\r\x1b[{drawn}A") } else { String::new() };
                *drawn = lines.len();
                lines.iter().fold(up, |text, line| text + line + "\x1b[K\n")
            }
            Self::Lines => line(board, elapsed) + "\n",
        };
        std::io::stderr().write_all(text.as_bytes()).ok();
    }

    /// Takes the table away: the summary says the same and more.
    pub(crate) fn clear(&mut self) {
        if let Self::Terminal { drawn } = self
            && *drawn > 0
        {
            write!(std::io::stderr(), "\r\x1b[{drawn}A\x1b[J").ok();
            *drawn = 0;
        }
    }
}
