//! Tables in CSV files that a scenario names: a header, then one row a line, every cell with its place.
//!
//! Lines that begin with `#` and empty ones are passed over; cells are not quoted. What a cell means is its reader's to
//! say. A file with more mistakes than anybody reads is not read to its end.

use crate::diagnostic::{Code, Diagnostic, Problems};
use crate::source::Span;

/// Mistakes of one file that are told: after so many it is another file.
const MAX_MISTAKES: usize = 10;

/// A table being read.
pub(crate) struct Table<'t> {
    source: u32,
    text: &'t str,
    reader: csv::Reader<&'t [u8]>,
    record: csv::ByteRecord,
    columns: Vec<&'t str>,
    mistakes: usize,
}

/// One cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell<'t> {
    pub(crate) text: &'t str,
    pub(crate) span: Span,
}

impl<'t> Table<'t> {
    /// Begins to read `text`, source `source`, whose header must be one of `headers`.
    pub(crate) fn open(
        source: u32,
        text: &'t str,
        headers: &[&[&str]],
        problems: &mut Problems,
    ) -> Option<Self> {
        let mut options = csv::ReaderBuilder::new();
        let reader = options.has_headers(false).flexible(true).quoting(false).from_reader(text.as_bytes());
        let record = csv::ByteRecord::new();
        let mut table = Self { source, text, reader, record, columns: Vec::new(), mistakes: 0 };
        let written = |header: &&[&str]| format!("`{}`", header.join(","));
        let written = headers.iter().map(written).collect::<Vec<_>>().join(" or ");
        let Some(cells) = table.line() else {
            let message = format!("the file is empty; its first line is {written}");
            table.mistake(problems, Span::new(source, 0, 0), message);
            return None;
        };
        let columns: Vec<&str> = cells.iter().map(|cell| cell.text).collect();
        if !headers.contains(&columns.as_slice()) {
            let end = cells.last().map_or(0, |cell| cell.span.end);
            let span = Span { end, ..cells.first().map_or(Span::new(source, 0, 0), |cell| cell.span) };
            table.mistake(problems, span, format!("the header is none that is known; write {written}"));
            return None;
        }
        table.columns = columns;
        Some(table)
    }

    /// The header's columns.
    pub(crate) fn columns(&self) -> &[&'t str] {
        &self.columns
    }

    /// The next row, with as many cells as the header has; `None` at the end, or where there are too many mistakes.
    pub(crate) fn row(&mut self, problems: &mut Problems) -> Option<Vec<Cell<'t>>> {
        while self.mistakes < MAX_MISTAKES {
            let cells = self.line()?;
            if cells.len() == self.columns.len() {
                return Some(cells);
            }
            let span = cells.last().map_or(Span::new(self.source, 0, 0), |cell| cell.span);
            let message = format!("the line has {} cells, the header {}", cells.len(), self.columns.len());
            self.mistake(problems, span, message);
        }
        None
    }

    /// A mistake at `span`.
    pub(crate) fn mistake(&mut self, problems: &mut Problems, span: Span, message: impl Into<String>) {
        self.mistakes += 1;
        if self.mistakes <= MAX_MISTAKES {
            problems.add(Diagnostic::new(Code::BadTable, message).at(span));
        }
    }

    /// Whether anything is wrong so far.
    pub(crate) const fn is_sound(&self) -> bool {
        self.mistakes == 0
    }

    /// The cells of the next line that is neither empty nor a comment.
    fn line(&mut self) -> Option<Vec<Cell<'t>>> {
        loop {
            // Bytes of a text, read from memory: nothing can fail.
            if !self.reader.read_byte_record(&mut self.record).ok()? {
                return None;
            }
            let before = self.record.position().map_or(0, csv::Position::byte) as usize;
            let rest = self.text.get(before..)?;
            let mut start = before + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
            if self.text.get(start..)?.starts_with('#') {
                continue;
            }
            let mut cells = Vec::with_capacity(self.record.len());
            for field in &self.record {
                let end = start + field.len();
                let whole = self.text.get(start..end)?;
                let text = whole.trim();
                let begin = start + whole.len() - whole.trim_start().len();
                cells.push(Cell { text, span: Span::new(self.source, begin, begin + text.len()) });
                start = end + 1;
            }
            return Some(cells);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(text: &str) -> (Vec<Vec<String>>, Problems) {
        let mut problems = Problems::default();
        let mut rows = Vec::new();
        if let Some(mut table) = Table::open(1, text, &[&["a", "b"]], &mut problems) {
            while let Some(cells) = table.row(&mut problems) {
                for cell in &cells {
                    let span = cell.span;
                    assert_eq!(text.get(span.start as usize..span.end as usize), Some(cell.text));
                }
                rows.push(cells.iter().map(|cell| cell.text.to_owned()).collect());
            }
        }
        (rows, problems)
    }

    #[test]
    fn cells_are_found_where_they_stand() {
        let (rows, problems) = rows("# made by hand, \"really\n\na,b\r\n 1 , 2\r\n\r\n# more\n3,µ\n");
        assert!(problems.is_empty());
        assert_eq!(rows, [["1", "2"], ["3", "µ"]]);
    }

    #[test]
    fn what_is_no_table_is_told_and_no_more_than_ten_times() {
        let messages = |text: &str| {
            let rejected = rows(text).1.rejected(Vec::new());
            rejected.list.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>()
        };
        assert_eq!(messages(""), ["the file is empty; its first line is `a,b`"]);
        assert_eq!(messages("b,a\n1,2"), ["the header is none that is known; write `a,b`"]);
        assert_eq!(
            messages("a,b\n1\n1,2,3\n1,2"),
            ["the line has 1 cells, the header 2", "the line has 3 cells, the header 2"]
        );
        assert_eq!(messages(&format!("a,b\n{}", "1\n2,3,4\n".repeat(10_000))).len(), 10);
    }

    proptest! {
        #[test]
        fn any_text_ends_in_rows_or_mistakes(text in "(a,b\n)?[a#,\"\r\n µ1]{0,60}") {
            rows(&text);
        }
    }
}
