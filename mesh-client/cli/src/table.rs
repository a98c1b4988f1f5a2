//! Tables for people.

use comfy_table::{Cell, CellAlignment, Table, presets};

use crate::style::printable;

/// A table in the making: a heading, then rows of as many cells.
pub(crate) struct Rows {
    table: Table,
    columns: Vec<CellAlignment>,
}

impl Rows {
    /// A table with these column names; a name that starts with `>` is of numbers, flush right.
    pub(crate) fn new(columns: &[&str]) -> Self {
        let alignments: Vec<CellAlignment> = columns
            .iter()
            .map(|name| if name.starts_with('>') { CellAlignment::Right } else { CellAlignment::Left })
            .collect();
        let mut table = Table::new();
        // Wide rows may wrap in the terminal, but a table that is piped elsewhere keeps one line per row.
        table.load_preset(presets::NOTHING).force_no_tty();
        table.set_header(
            columns
                .iter()
                .zip(&alignments)
                .map(|(name, align)| Cell::new(name.trim_start_matches('>')).set_alignment(*align)),
        );
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        Self { table, columns: alignments }
    }

    /// Adds a row.
    pub(crate) fn push<C: ToString>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.table.add_row(cells.into_iter().zip(&self.columns).map(|(cell, align)| {
            Cell::new(printable(&cell.to_string()).replace(['\n', '\t'], " ")).set_alignment(*align)
        }));
    }

    /// The lines of the table, without spaces at their ends.
    pub(crate) fn render(&self) -> String {
        let text = self.table.to_string();
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    }
}

/// Two columns: names and values.
pub(crate) fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let pairs: Vec<_> = pairs.into_iter().collect();
    let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    pairs
        .iter()
        .map(|(name, value)| format!("{name:width$}  {}", printable(value)).trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut rows = Rows::new(&["NAME", ">CALLS", "ABOUT"]);
        rows.push(["orders", "7", "takes\norders"]);
        rows.push(["x", "12345", ""]);
        assert_eq!(rows.render(), "NAME    CALLS  ABOUT\norders      7  takes orders\nx       12345");
    }

    #[test]
    fn pairs_line_up() {
        assert_eq!(
            pairs([("name", "n".to_owned()), ("version", "1".to_owned()), ("x", String::new())]),
            "name     n\nversion  1\nx"
        );
    }
}
