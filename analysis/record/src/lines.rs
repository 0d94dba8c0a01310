//! Reads the whole lines of a file that may have been cut off.
//!
//! A killed run leaves a last line without its end, or a compressed frame without its. [`WholeLines`]
//! passes on everything up to the last line break and remembers that there was more.

use std::io::{self, Read};

/// The longest line: a rung of the ladder has 64 KiB of leaves; an operation has 300 bytes.
pub(crate) const MAX_LINE_BYTES: usize = 1 << 20;
const CHUNK_BYTES: usize = 1 << 16;

/// A reader of whole lines.
#[derive(Debug)]
pub(crate) struct WholeLines<R> {
    inner: R,
    buffer: Vec<u8>,
    /// What was passed on already.
    start: usize,
    /// Up to the last line break.
    whole: usize,
    ended: bool,
    cut_off: bool,
    /// Bytes passed on since the last [`WholeLines::settle`].
    unsettled: usize,
}

impl<R: Read> WholeLines<R> {
    pub(crate) const fn new(inner: R) -> Self {
        Self { inner, buffer: Vec::new(), start: 0, whole: 0, ended: false, cut_off: false, unsettled: 0 }
    }

    /// Whether the file ended in the middle of a line.
    pub(crate) const fn cut_off(&self) -> bool {
        self.cut_off
    }

    /// The consumer has made a record of what it got: a quoted field that never ends is no longer than a line may be.
    pub(crate) const fn settle(&mut self) {
        self.unsettled = 0;
    }

    fn fill(&mut self) -> io::Result<()> {
        while self.start == self.whole && !self.ended {
            self.buffer.drain(..self.start);
            (self.start, self.whole) = (0, 0);
            let kept = self.buffer.len();
            if kept > MAX_LINE_BYTES {
                return Err(too_long());
            }
            self.buffer.resize(kept + CHUNK_BYTES, 0);
            let read = match self.inner.read(self.buffer.get_mut(kept..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    self.buffer.truncate(kept);
                    continue;
                }
                // A compressed frame without its end.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.cut_off = true;
                    0
                }
                other => other?,
            };
            self.buffer.truncate(kept + read);
            self.ended = read == 0;
            let last_break = self.buffer.iter().rposition(|byte| *byte == b'\n');
            self.whole = last_break.map_or(0, |at| at + 1);
        }
        self.cut_off |= self.ended && self.whole < self.buffer.len();
        Ok(())
    }
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a line is over {MAX_LINE_BYTES} bytes"))
}

impl<R: Read> Read for WholeLines<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.fill()?;
        let ready = self.buffer.get(self.start..self.whole).unwrap_or_default();
        let count = ready.len().min(into.len());
        for (to, from) in into.iter_mut().zip(ready) {
            *to = *from;
        }
        self.start += count;
        self.unsettled += count;
        if self.unsettled > 2 * MAX_LINE_BYTES {
            return Err(too_long());
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (io::Result<String>, bool) {
        let mut lines = WholeLines::new(bytes);
        let mut text = String::new();
        let result = lines.read_to_string(&mut text);
        (result.map(|_| text), lines.cut_off())
    }

    #[test]
    fn a_last_line_without_its_end_is_left_out() {
        for (bytes, whole, cut_off) in
            [("a\nb\n", "a\nb\n", false), ("a\nb", "a\n", true), ("a", "", true), ("", "", false)]
        {
            let (text, cut) = read(bytes.as_bytes());
            assert_eq!((text.unwrap().as_str(), cut), (whole, cut_off), "{bytes:?}");
        }
    }

    #[test]
    fn a_line_may_span_chunks_but_not_the_limit() {
        let mut long = vec![b'x'; MAX_LINE_BYTES - 1];
        long.push(b'\n');
        assert_eq!(read(&long).0.unwrap().len(), MAX_LINE_BYTES);
        let endless = vec![b'x'; 4 * MAX_LINE_BYTES];
        assert_eq!(read(&endless).0.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_record_that_never_ends_is_refused() {
        let lines = "\"\n".repeat(2 * MAX_LINE_BYTES);
        assert!(read(lines.as_bytes()).0.is_err());
    }
}
