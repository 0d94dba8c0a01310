//! What a run leaves that equal runs leave alike, and where two of them part.

use std::fmt;
use std::path::Path;

use record::{Fingerprint, RecordError, Run};
use types::mix::{mix, mix_name};
use types::{Duration, Share};

use crate::Finished;

/// What must be the same however often a seed is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imprint {
    /// The fingerprint and its ladder.
    pub fingerprint: Fingerprint,
    /// The verdict, as its file has it.
    pub verdict: String,
    /// The scenario's text, as a hash: what was changed meanwhile is another run.
    pub scenario_sha256: String,
}

impl Imprint {
    /// That of a run which ended here.
    #[must_use]
    pub fn of(finished: &Finished) -> Self {
        Self {
            fingerprint: finished.manifest.fingerprint.clone(),
            // A verdict without a text cannot be: its file is the same text.
            verdict: serde_json::to_string_pretty(&finished.verdict).unwrap_or_default(),
            scenario_sha256: finished.manifest.scenario.sha256.clone(),
        }
    }

    /// That of a run's folder; none if the run did not come to its end.
    ///
    /// # Errors
    /// If it is not the folder of a run, or cannot be read.
    pub fn read(folder: &Path) -> Result<Option<Self>, RecordError> {
        let run = Run::open(folder)?;
        let manifest = run.manifest();
        if manifest.verdict.is_none() || manifest.sim.ended_ms != Some(manifest.sim.planned_ms) {
            return Ok(None);
        }
        let verdict = run.file("verdict.json")?;
        Ok(Some(Self {
            fingerprint: manifest.fingerprint.clone(),
            verdict: String::from_utf8_lossy(&verdict).trim_end().to_owned(),
            scenario_sha256: manifest.scenario.sha256.clone(),
        }))
    }

    /// How `again`, a second run of the same, differs.
    #[must_use]
    pub fn difference(&self, again: &Self) -> Option<Difference> {
        let (a, b) = (&self.fingerprint, &again.fingerprint);
        let equal = a.ladder.iter().zip(&b.ladder).take_while(|(a, b)| a == b).count();
        let until = equal.checked_sub(1).and_then(|last| a.ladder.get(last)).map(|rung| rung.at_ns);
        let parted = |at, first: &str, second: &str| {
            let [first, second] = [first, second].map(str::to_owned);
            Some(Difference { at, equal_rungs: equal as u64, equal_until_ns: until, first, second })
        };
        match (a.ladder.get(equal), b.ladder.get(equal)) {
            (Some(a), Some(b)) if a.at_ns == b.at_ns => {
                return parted(Parting::Rung { at_ns: a.at_ns }, &a.value, &b.value);
            }
            (None, None) => {}
            (a, b) => {
                let [a, b] = [a, b].map(|rung| match rung {
                    Some(rung) => format!("a rung at {}", Duration::from_nanos(rung.at_ns)),
                    None => "no rung".to_owned(),
                });
                return parted(Parting::Ladder, &a, &b);
            }
        }
        if a.value != b.value {
            let [a, b] = [a, b].map(|fingerprint| fingerprint.value.as_deref().unwrap_or("none"));
            return parted(Parting::AfterLastRung, a, b);
        }
        if self.verdict != again.verdict {
            let (a, b) = first_lines_that_differ(&self.verdict, &again.verdict);
            return parted(Parting::Verdict, a, b);
        }
        None
    }
}

fn first_lines_that_differ<'a>(a: &'a str, b: &'a str) -> (&'a str, &'a str) {
    let (mut left, mut right) = (a.lines(), b.lines());
    loop {
        match (left.next(), right.next()) {
            (Some(a), Some(b)) if a == b => {}
            (a, b) => return (a.unwrap_or("its end").trim(), b.unwrap_or("its end").trim()),
        }
    }
}

/// Where two runs of the same part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// At what.
    pub at: Parting,
    /// Rungs that are equal, from the beginning.
    pub equal_rungs: u64,
    /// The instant of the last of them.
    pub equal_until_ns: Option<u64>,
    /// What the first run has there.
    pub first: String,
    /// What the second has.
    pub second: String,
}

/// What is the first to differ between two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// The fingerprint at this rung of the ladder.
    Rung {
        /// Its instant, in nanoseconds.
        at_ns: u64,
    },
    /// The instants of the rungs, or their number.
    Ladder,
    /// The fingerprint at the end, all rungs being equal.
    AfterLastRung,
    /// The verdict, the fingerprint being equal: the judge differs, not the run.
    Verdict,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, equal_until_ns, first, second, .. } = self;
        match at {
            Parting::Rung { at_ns } => {
                write!(f, "the fingerprints differ at {}", Duration::from_nanos(*at_ns))
            }
            Parting::Ladder => f.write_str("the ladders have different rungs"),
            Parting::AfterLastRung => f.write_str("the fingerprints differ after the last rung"),
            Parting::Verdict => f.write_str("the fingerprints are equal, the verdicts differ"),
        }?;
        write!(f, ": {first} against {second}")?;
        match equal_until_ns {
            Some(at) => write!(f, "; equal until {}", Duration::from_nanos(*at)),
            None => write!(f, "; not equal at any rung"),
        }
    }
}

const RECHECK: u64 = mix_name("recheck");
/// Of what a share counts.
const MILLIONTHS: u128 = 1_000_000;

/// A seed's place in the draw of those that are run again.
pub(crate) const fn draw(seed: u64) -> u64 {
    mix(seed, RECHECK)
}

/// Whether a seed belongs to this share of all.
pub(crate) const fn is_drawn(seed: u64, share: Share) -> bool {
    let millionth = (draw(seed) as u128 * MILLIONTHS) >> u64::BITS;
    millionth < share.as_millionths() as u128
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::RungSummary;

    fn imprint(rungs: &[(u64, &str)], value: &str, verdict: &str) -> Imprint {
        let rung =
            |(at, value): &(u64, &str)| RungSummary { at_ns: at * 1_000_000_000, value: (*value).to_owned() };
        let ladder = rungs.iter().map(rung).collect();
        let fingerprint = Fingerprint { value: Some(value.to_owned()), ladder, ..Fingerprint::default() };
        Imprint { fingerprint, verdict: verdict.to_owned(), ..Imprint::default() }
    }

    #[test]
    fn the_first_thing_that_differs_is_named() {
        let first = imprint(&[(1, "a"), (2, "b"), (3, "c")], "d", "{\n  1\n}");
        assert_eq!(first.difference(&first), None);
        for (again, said) in [
            (
                imprint(&[(1, "a"), (2, "x"), (3, "y")], "z", "{}"),
                "the fingerprints differ at 2s: b against x; equal until 1s",
            ),
            (
                imprint(&[(1, "x"), (2, "b"), (3, "c")], "d", "{\n  1\n}"),
                "the fingerprints differ at 1s: a against x; not equal at any rung",
            ),
            (
                imprint(&[(1, "a"), (2, "b")], "d", "{\n  1\n}"),
                "the ladders have different rungs: a rung at 3s against no rung; equal until 2s",
            ),
            (
                imprint(&[(1, "a"), (4, "b"), (3, "c")], "d", "{\n  1\n}"),
                "the ladders have different rungs: a rung at 2s against a rung at 4s; equal until 1s",
            ),
            (
                imprint(&[(1, "a"), (2, "b"), (3, "c")], "e", "{\n  1\n}"),
                "the fingerprints differ after the last rung: d against e; equal until 3s",
            ),
            (
                imprint(&[(1, "a"), (2, "b"), (3, "c")], "d", "{\n  2\n}"),
                "the fingerprints are equal, the verdicts differ: 1 against 2; equal until 3s",
            ),
        ] {
            assert_eq!(
                first.difference(&again).map(|difference| difference.to_string()).as_deref(),
                Some(said)
            );
        }
    }

    #[test]
    fn a_share_of_seeds_is_drawn_whatever_their_order() {
        let drawn =
            |percent| (0..10_000).filter(|seed| is_drawn(*seed, Share::from_percent(percent))).count();
        assert_eq!((drawn(0), drawn(100)), (0, 10_000));
        let twentieth = drawn(5);
        // Four standard deviations of a fair draw are 87.
        assert!((413..=587).contains(&twentieth), "{twentieth}");
        // Whoever asks for more gets the same and others.
        let share = Share::from_percent;
        assert!((0..10_000).all(|seed| !is_drawn(seed, share(5)) || is_drawn(seed, share(10))));
    }
}
