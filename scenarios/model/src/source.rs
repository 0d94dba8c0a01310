//! Texts and places in them: the scenario file is source 0, each `--set` and each file that it names is one more.
//!
//! Reading is careful: only a regular file of bounded size is opened, so that neither a pipe that
//! nobody writes to nor an endless device can hold the program.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use crate::diagnostic::{Code, Diagnostic};

/// The largest scenario file: a hundred times the longest that a person would write, and still
/// parsed in a second.
pub const MAX_FILE_BYTES: u64 = 4 << 20;

/// The largest file of a node: it has some thirty keys and, at most, some tens of addresses.
pub(crate) const MAX_NODE_FILE_BYTES: u64 = 256 << 10;

/// Bytes of all files that a scenario names, at most: several million rows of a trace. They are kept until the run's
/// folder has them.
pub const MAX_INPUT_BYTES: u64 = 64 << 20;

/// A range of bytes of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Span {
    pub(crate) source: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// The bytes `start..end` of the source numbered `source`.
    pub(crate) fn new(source: u32, start: usize, end: usize) -> Self {
        let clamp = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { source, start: clamp(start), end: clamp(end.max(start)) }
    }
}

/// One text and the name that people know it by.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// A place as people count: lines and columns (in characters) from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Source {
    /// Where the byte `offset` stands.
    pub(crate) fn position(&self, offset: u32) -> Position {
        let before = self.text.get(..self.floor(offset)).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        }
    }

    /// The nearest character boundary at or before `offset`, within the text.
    pub(crate) fn floor(&self, offset: u32) -> usize {
        self.text.floor_char_boundary(offset as usize)
    }
}

/// Reads a scenario file whole.
///
/// # Errors
/// If it cannot be read, is no regular file, is empty, too large or not UTF-8; with the text, as far
/// as there is one, so that the message can show the place.
pub(crate) fn read(path: &Path) -> Result<String, (String, Diagnostic)> {
    let bytes = read_bytes(path, &SCENARIO).map_err(|diagnostic| (String::new(), diagnostic))?;
    utf8(bytes, 0)
}

/// Reads a node's file whole.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_node_file(path: &Path) -> Result<String, (String, Diagnostic)> {
    let bytes = read_bytes(path, &NODE_FILE).map_err(|diagnostic| (String::new(), diagnostic))?;
    utf8(bytes, 0)
}

/// Reads a file that a scenario names, which becomes the source numbered `source`; at most `left` bytes.
///
/// # Errors
/// As [`read`].
pub(crate) fn read_input(path: &Path, source: u32, left: u64) -> Result<String, (String, Diagnostic)> {
    let kind = Kind { most: left, ..INPUT };
    let bytes = read_bytes(path, &kind).map_err(|diagnostic| (String::new(), diagnostic))?;
    utf8(bytes, source)
}

/// What is said of a file that cannot be taken.
struct Kind {
    /// Bytes of it, at most.
    most: u64,
    /// Where its path begins.
    relative_to: &'static str,
    /// What it should have been.
    example: &'static str,
    too_large: fn(u64) -> Diagnostic,
}

const SCENARIO: Kind = Kind {
    most: MAX_FILE_BYTES,
    relative_to: "the current folder",
    example: "name a scenario file, such as `scenario.yaml`",
    too_large,
};

const NODE_FILE: Kind = Kind {
    most: MAX_NODE_FILE_BYTES,
    relative_to: "the current folder",
    example: "name a node's file, such as `node.yaml`; `wavetank node init` writes one",
    too_large: node_file_too_large,
};

const INPUT: Kind = Kind {
    most: MAX_INPUT_BYTES,
    relative_to: "the scenario's folder",
    example: "name a file of data, such as `traces/arrivals.csv`",
    too_large: |bytes| {
        let (size, most) = (types::Size::from_bytes(bytes), types::Size::from_bytes(MAX_INPUT_BYTES));
        Diagnostic::new(
            Code::TooLarge,
            format!("the file has {size}; all files that a scenario names have {most} together, at most"),
        )
        .help("thin it out, or cut it to the run's duration")
    },
};

fn utf8(bytes: Vec<u8>, source: u32) -> Result<String, (String, Diagnostic)> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(at).copied().unwrap_or_default();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let diagnostic =
            Diagnostic::new(Code::NotUtf8, format!("byte 0x{byte:02X} is not part of any UTF-8 text"))
                .at(Span::new(source, at, at + '\u{FFFD}'.len_utf8()))
                .label("here the text stops being UTF-8")
                .help("save the file in the encoding UTF-8");
        (text, diagnostic)
    })
}

fn read_bytes(path: &Path, kind: &Kind) -> Result<Vec<u8>, Diagnostic> {
    let unreadable = |error: std::io::Error| {
        let diagnostic =
            Diagnostic::new(Code::Unreadable, format!("the file cannot be read: {}", plain(&error)));
        match error.kind() {
            std::io::ErrorKind::NotFound => {
                diagnostic.help(format!("check the path; it is relative to {}", kind.relative_to))
            }
            _ => diagnostic,
        }
    };
    let not_a_file = |found: &fs::FileType| {
        let what =
            if found.is_dir() { "a directory" } else { "no regular file but a pipe, socket or device" };
        Diagnostic::new(Code::NotAFile, format!("this is {what}")).help(kind.example)
    };
    // Asked before opening, since opening a pipe waits for its writer; and after, about what was opened.
    let before = fs::metadata(path).map_err(unreadable)?;
    if !before.is_file() {
        return Err(not_a_file(&before.file_type()));
    }
    let file = fs::File::open(path).map_err(unreadable)?;
    let opened = file.metadata().map_err(unreadable)?;
    if !opened.is_file() {
        return Err(not_a_file(&opened.file_type()));
    }
    let mut bytes = Vec::new();
    file.take(kind.most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > kind.most {
        return Err((kind.too_large)(opened.len().max(bytes.len() as u64)));
    }
    Ok(bytes)
}

/// The complaint about a text of `bytes` bytes.
pub(crate) fn too_large(bytes: u64) -> Diagnostic {
    let (size, most) = (types::Size::from_bytes(bytes), types::Size::from_bytes(MAX_FILE_BYTES));
    Diagnostic::new(
        Code::TooLarge,
        format!("the file has {size}, more than the {most} of the largest scenario"),
    )
    .help("a scenario says what to do, not the data: is this the right file?")
}

/// The complaint about a node's file of `bytes` bytes.
pub(crate) fn node_file_too_large(bytes: u64) -> Diagnostic {
    let (size, most) = (types::Size::from_bytes(bytes), types::Size::from_bytes(MAX_NODE_FILE_BYTES));
    Diagnostic::new(
        Code::TooLarge,
        format!("the file has {size}, more than the {most} of the largest node's"),
    )
    .help("is this the right file?")
}

/// An operating system's message without its number.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let source = Source { name: String::new(), text: "a: µs\nbé: 1\n".to_owned() };
        let at = |offset| {
            let position = source.position(offset);
            (position.line, position.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(5), (1, 5));
        assert_eq!(at(4), (1, 4), "inside a character: its beginning");
        assert_eq!(at(7), (2, 1));
        assert_eq!(at(10), (2, 3));
        assert_eq!(at(u32::MAX), (3, 1));
    }
}
