//! The table of malformed frames, `frames.txt`: a line is a half, a reason, the bytes, and what is wrong with them.
//!
//! Bytes are in hex; `4200*257` is `42 00` so many times.

use super::Half;
use anyhow::{Context as _, bail};
use node::DecodeFailure;

/// The table.
const TABLE: &str = include_str!("frames.txt");

/// A frame that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// As which half of an exchange; `None`: as either.
    pub(crate) half: Option<Half>,
    /// Why.
    pub(crate) reason: DecodeFailure,
    /// Its bytes, length and all.
    pub(crate) bytes: Vec<u8>,
    /// What is wrong with it.
    pub(crate) what: String,
}

impl Malformed {
    /// Whether it is refused as this half.
    pub(crate) fn is_refused_as(&self, half: Half) -> bool {
        self.half.is_none_or(|only| only == half)
    }
}

/// All of the table.
pub(crate) fn malformed() -> anyhow::Result<Vec<Malformed>> {
    let lines = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| read(line).with_context(|| line.to_owned())).collect()
}

fn read(line: &str) -> anyhow::Result<Malformed> {
    let (fields, what) = line.split_once("  # ").context("says not what is wrong")?;
    let mut fields = fields.split(' ');
    let half = match fields.next() {
        Some("request") => Some(Half::Request),
        Some("response") => Some(Half::Response),
        Some("either") => None,
        _ => bail!("begins with no half"),
    };
    let word = fields.next().context("names no reason")?;
    let reason = REASONS.into_iter().find(|reason| reason.word() == word).context("names no reason")?;
    let mut bytes = Vec::new();
    for part in fields {
        let (unit, times) = match part.split_once('*') {
            Some((unit, times)) => (unit, times.parse()?),
            None => (part, 1),
        };
        bytes.extend(hex::decode(unit).map_err(anyhow::Error::msg)?.repeat(times));
    }
    Ok(Malformed { half, reason, bytes, what: what.to_owned() })
}

const REASONS: [DecodeFailure; 4] =
    [DecodeFailure::TooLong, DecodeFailure::Truncated, DecodeFailure::Invalid, DecodeFailure::UnknownKind];
