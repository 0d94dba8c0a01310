//! What a call leaves for its host: what its modules printed, and the limits they ran into.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::errno::Limit;

/// What a line costs of the bytes that may be printed, besides its own: otherwise a page of line ends would take
/// megabytes of the host.
const LINE_BYTES: u64 = 64;

/// Where a module printed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error: panics of Rust end up here.
    Error,
}

/// A line that a module printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Who.
    pub module: Arc<str>,
    /// Where.
    pub stream: Stream,
    /// What, without the line's end; what is not UTF-8 is replaced.
    pub text: String,
}

/// Everything that a call leaves for its host. It starts empty, once per call of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    lines: Vec<Line>,
    unfinished: BTreeMap<(Arc<str>, Stream), Vec<u8>>,
    held_bytes: u64,
    cut_bytes: u64,
    refusals: Refusals,
}

impl Report {
    /// What was printed, in order; lines that no end followed come last.
    pub fn take_lines(&mut self) -> Vec<Line> {
        for ((module, stream), bytes) in std::mem::take(&mut self.unfinished) {
            self.lines.push(line(module, stream, &bytes));
        }
        std::mem::take(&mut self.lines)
    }

    /// How many bytes were not kept, because of [`crate::limits::OUTPUT_BYTES`].
    pub const fn cut_bytes(&self) -> u64 {
        self.cut_bytes
    }

    /// How often a limit was run into.
    pub const fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    pub(super) fn refuse(&mut self, limit: Limit) {
        self.refusals.count(limit);
    }

    /// A module prints.
    pub(super) fn print(&mut self, module: &Arc<str>, stream: Stream, bytes: &[u8], limit_bytes: u64) {
        let cut_before = self.cut_bytes;
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = part.strip_suffix(b"\n").map_or((part, false), |text| (text, true));
            let key = (Arc::clone(module), stream);
            let begins = if self.unfinished.contains_key(&key) { 0 } else { LINE_BYTES };
            let left = limit_bytes.saturating_sub(self.held_bytes);
            let kept = usize::try_from(left.saturating_sub(begins)).unwrap_or(usize::MAX).min(text.len());
            self.cut_bytes += (text.len() - kept) as u64;
            if left < begins {
                self.cut_bytes += u64::from(ends);
                continue;
            }
            self.held_bytes += begins + kept as u64;
            let pending = self.unfinished.entry(key).or_default();
            pending.extend_from_slice(text.get(..kept).unwrap_or(text));
            if ends && let Some(bytes) = self.unfinished.remove(&(Arc::clone(module), stream)) {
                self.lines.push(line(Arc::clone(module), stream, &bytes));
            }
        }
        if self.cut_bytes > cut_before {
            self.refuse(Limit::OutputBytes);
        }
    }
}

fn line(module: Arc<str>, stream: Stream, bytes: &[u8]) -> Line {
    Line { module, stream, text: String::from_utf8_lossy(bytes).into_owned() }
}

/// How often each limit was run into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals([u64; Limit::ALL.len()]);

impl Refusals {
    /// How often this one.
    pub fn of(&self, limit: Limit) -> u64 {
        self.0.get(limit as usize).copied().unwrap_or(0)
    }

    /// All that were, in a stable order.
    pub fn iter(&self) -> impl Iterator<Item = (Limit, u64)> {
        Limit::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }

    fn count(&mut self, limit: Limit) {
        if let Some(count) = self.0.get_mut(limit as usize) {
            *count = count.saturating_add(1);
        }
    }
}
