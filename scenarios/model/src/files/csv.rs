//! Tables of numbers as CSV: a line of column names, then rows. Blank lines and those that begin with `#` are skipped.
//!
//! Numbers need no quotes, so there are none here: a cell is what stands between two commas, and has its place in the
//! file.

use types::Duration;

use crate::diagnostic::{Code, Diagnostic, quoted};
use crate::source::{Source, Span};

/// Reads a table row by row.
#[derive(Debug)]
pub(crate) struct Rows<'a, const COLUMNS: usize> {
    columns: [&'static str; COLUMNS],
    source: u32,
    text: &'a str,
    /// Where the next line begins.
    at: usize,
}

/// One cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cell<'a> {
    pub(crate) text: &'a str,
    column: &'static str,
    span: Span,
}

impl<'a, const COLUMNS: usize> Rows<'a, COLUMNS> {
    /// The rows of the source of this number, once its header is found to name these columns.
    pub(crate) fn of(
        source: u32,
        sources: &'a [Source],
        columns: &[&'static str; COLUMNS],
    ) -> Result<Self, Diagnostic> {
        let text = sources.get(source as usize).map_or("", |source| source.text.as_str());
        let at = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
        let mut rows = Self { columns: *columns, source, text, at };
        let header = rows.next_row()?;
        let is_header = header
            .as_ref()
            .is_some_and(|cells| cells.iter().zip(columns).all(|(cell, name)| cell.text == *name));
        if is_header {
            return Ok(rows);
        }
        let span = header.map_or(Span::new(source, 0, 0), |cells| {
            cells.first().map_or(Span::new(source, 0, 0), |cell| cell.span)
        });
        let names = columns.join(",");
        Err(Diagnostic::new(
            Code::BadFile,
            format!("the first row does not name the columns {}", quoted(&names)),
        )
        .at(span)
        .help(format!("write `{names}` above the data")))
    }

    /// The next row; `None` at the end.
    pub(crate) fn next_row(&mut self) -> Result<Option<[Cell<'a>; COLUMNS]>, Diagnostic> {
        loop {
            let Some(rest) = self.text.get(self.at..).filter(|rest| !rest.is_empty()) else {
                return Ok(None);
            };
            let line = rest.split_inclusive('\n').next().unwrap_or(rest);
            let start = self.at;
            self.at += line.len();
            let line = line.trim_end_matches(['\n', '\r']);
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            return self.cells(start, line).map(Some);
        }
    }

    fn cells(&self, start: usize, line: &'a str) -> Result<[Cell<'a>; COLUMNS], Diagnostic> {
        let mut at = start;
        let mut cells = Vec::new();
        // One more than there should be is as wrong as any number of them.
        for (place, cell) in line.split(',').take(COLUMNS + 1).enumerate() {
            let from = at + cell.len() - cell.trim_start().len();
            at += cell.len() + 1;
            let text = cell.trim();
            let column = self.columns.get(place).copied().unwrap_or_default();
            cells.push(Cell { text, column, span: Span::new(self.source, from, from + text.len()) });
        }
        let found = line.split(',').count();
        cells.try_into().map_err(|_| {
            let message = format!("this row has {found} cells, one for each column would be {COLUMNS}");
            let span = Span::new(self.source, start, start + line.len());
            Diagnostic::new(Code::BadFile, message)
                .at(span)
                .help(format!("the columns are `{}`", self.columns.join(",")))
        })
    }
}

impl Cell<'_> {
    /// The complaint that this cell is wrong.
    pub(crate) fn wrong(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Code::BadFile, message).at(self.span)
    }

    /// A span of so many milliseconds, of which a millionth is a nanosecond.
    pub(crate) fn millis(&self) -> Result<Duration, Diagnostic> {
        let number = self.text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let span = format!("{}ms", self.text).parse();
        span.ok().filter(|_| number).ok_or_else(|| {
            self.wrong(format!("{} is no number of milliseconds", quoted(self.text)))
                .help(format!("in the column `{}`, write numbers such as `1500` or `0.25`", self.column))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<[String; 2]>, Diagnostic> {
        let sources = [Source { name: String::new(), text: text.to_owned() }];
        let mut rows = Rows::of(0, &sources, &["from", "to"])?;
        let mut read = Vec::new();
        while let Some(cells) = rows.next_row()? {
            read.push(cells.map(|cell| cell.text.to_owned()));
        }
        Ok(read)
    }

    #[test]
    fn rows_are_read_as_tools_write_them() {
        let text = "\u{FEFF}# a trace\r\nfrom, to\r\n\r\n1,2\r\n# more\n 3 ,\t4";
        assert_eq!(rows(text).unwrap(), [["1", "2"], ["3", "4"]]);
        assert!(rows("from,to\n").unwrap().is_empty());
    }

    #[test]
    fn a_mistake_has_its_place() {
        let place = |text: &str| rows(text).unwrap_err().span.map(|span| (span.start, span.end));
        assert_eq!(place(""), Some((0, 0)));
        assert_eq!(place("# no columns\n1,2\n"), Some((13, 14)));
        assert_eq!(place("from,to\n1,2\n1,2,3\n"), Some((12, 17)));
        assert_eq!(place("from,to\n1\n"), Some((8, 9)));
        let sources = [Source { name: String::new(), text: "from,to\n1.5,  1e3\n".to_owned() }];
        let mut rows = Rows::of(0, &sources, &["from", "to"]).unwrap();
        let [from, to] = rows.next_row().unwrap().unwrap();
        assert_eq!(from.millis(), Ok(Duration::from_micros(1_500)));
        assert_eq!(to.millis().unwrap_err().span, Some(Span::new(0, 14, 17)));
    }
}
