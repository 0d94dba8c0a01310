//! Aligned columns and wrapped lines, for terminals of 80 columns.

use crate::console::Look;

/// Where text is wrapped. Paths and commands are not: they must survive being copied.
const COLUMNS: usize = 80;

/// A cell: its text, and how it looks.
pub(crate) type Cell = (String, Look);

/// A cell without a look of its own.
pub(crate) fn plain(text: impl Into<String>) -> Cell {
    (text.into(), Look::Plain)
}

/// A row: its cells, and what else is to be said of it, on lines of its own.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    cells: Vec<Cell>,
    note: String,
}

impl Row {
    pub(crate) fn new(cells: impl Into<Vec<Cell>>) -> Self {
        Self { cells: cells.into(), note: String::new() }
    }

    pub(crate) fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }
}

/// The rows, two spaces in, each column as wide as its widest cell; notes stand below, at the second column.
pub(crate) fn aligned(rows: &[Row]) -> String {
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let width_of = |column: usize| rows.iter().filter_map(|row| Some(width(&row.cells.get(column)?.0))).max();
    let widths: Vec<_> = (0..columns).map(|column| width_of(column).unwrap_or(0)).collect();
    let indent = widths.first().map_or(0, |first| first + 4);
    let mut text = String::new();
    for Row { cells, note } in rows {
        let filled = cells.iter().rposition(|(cell, _)| !cell.is_empty()).map_or(0, |last| last + 1);
        for (at, ((cell, look), full)) in cells.iter().zip(&widths).take(filled).enumerate() {
            let pad = if at + 1 == filled { 0 } else { full.saturating_sub(width(cell)) };
            text.push_str("  ");
            text.push_str(&look.on(cell));
            text.extend(std::iter::repeat_n(' ', pad));
        }
        text.push('\n');
        if !note.is_empty() {
            text.push_str(&wrapped(&format!("{:indent$}{note}", ""), indent));
        }
    }
    text
}

/// The text in lines of at most 80 columns, the later ones indented so far.
pub(crate) fn wrapped(text: &str, indent: usize) -> String {
    let mut lines = String::new();
    let mut column = 0;
    let mut is_first = true;
    for word in text.split_whitespace() {
        if is_first {
            column = text.chars().take_while(|c| *c == ' ').count();
            lines.extend(std::iter::repeat_n(' ', column));
        } else if column + 1 + width(word) > COLUMNS {
            lines.push('\n');
            lines.extend(std::iter::repeat_n(' ', indent));
            column = indent;
        } else {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += width(word);
        is_first = false;
    }
    lines.push('\n');
    lines
}

/// As much of a line as a terminal shows, with a mark where more follows.
pub(crate) fn cut(line: &str) -> String {
    if width(line) <= COLUMNS {
        return line.to_owned();
    }
    line.chars().take(COLUMNS - 3).chain("...".chars()).collect()
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_lines_end_with_their_text() {
        let row = |cells: [&str; 3]| Row::new(cells.map(plain));
        let rows = [row(["a", "1", ""]), row(["µµµ", "", ""]).note("why"), row(["b", "22", "c"])];
        assert_eq!(aligned(&rows), "  a    1\n  µµµ\n       why\n  b    22  c\n");
    }

    #[test]
    fn long_lines_break_between_words_and_long_words_do_not() {
        let text = format!("  {} end {}", "word ".repeat(30), "x".repeat(100));
        let lines = wrapped(&text, 4);
        assert_eq!(lines.split_whitespace().count(), 32);
        assert!(lines.starts_with("  word word"), "{lines}");
        assert!(lines.lines().skip(1).all(|line| line.starts_with("    ")), "{lines}");
        assert!(
            lines.lines().filter(|line| !line.contains('x')).all(|line| width(line) <= COLUMNS),
            "{lines}"
        );
    }
}
