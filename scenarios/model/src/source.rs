//! Texts and places in them: the scenario file is source 0, each `--set` is one more.
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
    let bytes = read_bytes(path, MAX_FILE_BYTES).map_err(|diagnostic| (String::new(), diagnostic))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(at).copied().unwrap_or_default();
        let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
        let diagnostic =
            Diagnostic::new(Code::NotUtf8, format!("byte 0x{byte:02X} is not part of any UTF-8 text"))
                .at(Span::new(0, at, at + '\u{FFFD}'.len_utf8()))
                .label("here the text stops being UTF-8")
                .help("save the file in the encoding UTF-8");
        (text, diagnostic)
    })
}

/// The bytes of a regular file of at most `most` bytes.
pub(crate) fn read_bytes(path: &Path, most: u64) -> Result<Vec<u8>, Diagnostic> {
    let unreadable = |error: std::io::Error| {
        let diagnostic =
            Diagnostic::new(Code::Unreadable, format!("the file cannot be read: {}", plain(&error)));
        match error.kind() {
            std::io::ErrorKind::NotFound => {
                diagnostic.help("check the path; it is relative to the current folder")
            }
            _ => diagnostic,
        }
    };
    let not_a_file = |kind: &fs::FileType| {
        let what = if kind.is_dir() { "a directory" } else { "no regular file but a pipe, socket or device" };
        Diagnostic::new(Code::NotAFile, format!("this is {what}"))
            .help("name a scenario file, such as `scenario.yaml`")
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
    file.take(most + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > most {
        return Err(too_large(opened.len().max(bytes.len() as u64), most));
    }
    Ok(bytes)
}

/// The complaint about a text of `bytes` bytes where `most` may be.
pub(crate) fn too_large(bytes: u64, most: u64) -> Diagnostic {
    let what = if most == MAX_FILE_BYTES { "scenario" } else { "file that a scenario names" };
    let (size, most) = (types::Size::from_bytes(bytes), types::Size::from_bytes(most));
    Diagnostic::new(
        Code::TooLarge,
        format!("the file has {size}, more than the {most} of the largest {what}"),
    )
    .help("a scenario says what to do, not the data: is this the right file?")
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
