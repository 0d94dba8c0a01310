//! `wavetank replay`: what a folder holds is run again, and must come out the same.

use std::path::Path;

use record::{Comparison, Difference, Manifest, Run, RunStatus};
use run::Out;
use serde::Serialize;

use crate::args;
use crate::command::diff;
use crate::command::look::look;
use crate::command::play::{Played, play};
use crate::command::run::{beginning, on, quoted};
use crate::console::{Console, Look, Verbosity};
use crate::exit_code;
use crate::failure::Failure;
use crate::figures::nanos;
use crate::signals::Signals;

/// What came of it, for programs.
#[derive(Debug, Serialize)]
struct Document<'a> {
    status: &'static str,
    exit_code: u8,
    first: &'a Path,
    /// The second run's folder, if it was kept.
    second: Option<&'a Path>,
    fingerprints: [Option<&'a str>; 2],
    verdicts: [&'static str; 2],
    comparison: diff::Document<'a>,
}

/// What a second run says about the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Verified,
    /// The first was stopped; the second is equal as far as that one went.
    VerifiedInPart,
    Diverged,
    /// Stopped, or nothing to compare with.
    Unknown,
}

impl Outcome {
    fn of(comparison: &Comparison, first: &Manifest, second: &Manifest) -> Self {
        let stopped =
            |manifest: &Manifest| matches!(manifest.status, RunStatus::Running | RunStatus::Interrupted);
        match comparison.difference {
            Difference::None => Self::Verified,
            // The last rung of a stopped run stands where it was stopped, and nothing in the other is to be compared with it.
            Difference::EqualSoFar | Difference::Incomparable(_) | Difference::AfterLastRung
                if stopped(first) && !stopped(second) && comparison.equal_rungs > 0 =>
            {
                Self::VerifiedInPart
            }
            Difference::EqualSoFar | Difference::Incomparable(_) => Self::Unknown,
            Difference::AfterLastRung if stopped(first) || stopped(second) => Self::Unknown,
            Difference::Rung { .. } | Difference::AfterLastRung => Self::Diverged,
        }
    }

    const fn exit_code(self) -> u8 {
        match self {
            Self::Verified | Self::VerifiedInPart => exit_code::PASSED,
            Self::Diverged => exit_code::DIVERGED,
            Self::Unknown => exit_code::PROVES_NOTHING,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::VerifiedInPart => "verified_in_part",
            Self::Diverged => "diverged",
            Self::Unknown => "unknown",
        }
    }
}

pub(crate) fn replay(args: &args::Replay, console: Console) -> Result<u8, Failure> {
    if let Some(to) = args.to {
        return look(args, to, console);
    }
    let signals = Signals::watch()?;
    let first = Run::open(&args.run)?;
    let temporary = tempfile::Builder::new().prefix("wavetank-replay-").tempdir()?;
    let out = args.out.clone().unwrap_or_else(|| temporary.path().to_owned());
    let scenario = on(run::replay(&args.run)?, &args.machine).out(Out::Folder(out.clone()));
    let prepared = scenario.prepare()?;
    console.note(&format!("replaying {}", beginning(&prepared, console.verbosity)));
    let played = play(prepared, args.shown.progress, &signals, console)?;

    let second = Run::open(&out)?;
    let comparison = record::compare(&first, &second)?;
    let outcome = Outcome::of(&comparison, first.manifest(), second.manifest());
    let code = if signals.code().is_some() { played.code } else { outcome.exit_code() };
    // Whoever is told that runs diverge wants to look at both.
    let kept = match &args.out {
        Some(out) => Some(out.clone()),
        None if outcome == Outcome::Diverged => Some(temporary.keep()),
        None => None,
    };
    let mut text =
        said(outcome, &comparison, first.manifest(), &played) + &whereabouts(&args.run, kept.as_deref());
    if console.verbosity == Verbosity::Quiet && code == exit_code::PASSED {
        text.truncate(text.find('\n').map_or(text.len(), |end| end + 1));
    }
    let manifests = [first.manifest(), second.manifest()];
    let document = Document {
        status: outcome.word(),
        exit_code: code,
        first: &args.run,
        second: kept.as_deref(),
        fingerprints: manifests.map(|manifest| manifest.fingerprint.value.as_deref()),
        verdicts: manifests.map(|manifest| manifest.status.word()),
        comparison: diff::Document::new(code, &comparison),
    };
    console.answer(&text, &document)?;
    Ok(code)
}

fn said(outcome: Outcome, comparison: &Comparison, first: &Manifest, played: &Played) -> String {
    let name = &first.scenario.name;
    let again = &played.finished.manifest;
    let until =
        comparison.equal_until_ns.map_or_else(String::new, |at| format!(" until {}", nanos(at as f64)));
    let mut text = match outcome {
        Outcome::Verified => format!("{}  {name}: the same fingerprint again\n", Look::Good.on("VERIFIED")),
        Outcome::VerifiedInPart => format!(
            "{}  {name}: the first run was stopped, and this one is equal to it{until}\n",
            Look::Good.on("VERIFIED"),
        ),
        Outcome::Diverged => {
            format!("{}  {name}: the same run came out differently\n", Look::Bad.on("DIVERGED"))
        }
        Outcome::Unknown => {
            format!("{}  {name}: the runs cannot be compared to their end\n", Look::Doubtful.on("UNKNOWN"))
        }
    };
    if matches!(outcome, Outcome::Diverged | Outcome::Unknown) {
        text.push_str(&diff::where_they_part(comparison));
        text.push_str(&diff::inputs(comparison));
    }
    let value = |manifest: &Manifest| manifest.fingerprint.value.clone().unwrap_or_else(|| "none".to_owned());
    text.push_str(&format!("\nfingerprint  {}\n", value(first)));
    if value(first) != value(again) {
        text.push_str(&format!("again        {}\n", value(again)));
    }
    text.push_str(&format!("verdict      {}", first.status.word()));
    let changed =
        if first.status == again.status { String::new() } else { format!(", now {}", again.status.word()) };
    text.push_str(&format!("{changed}\n"));
    text
}

fn whereabouts(first: &Path, second: Option<&Path>) -> String {
    let Some(second) = second else { return String::new() };
    let [first, second] = [first, second].map(|path| quoted(&path.display().to_string()));
    format!("folder       {second}\ncompare      wavetank runs diff {first} {second}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(status: RunStatus) -> Manifest {
        Manifest { status, ..Manifest::default() }
    }

    fn comparison(difference: Difference, equal_rungs: u64) -> Comparison {
        Comparison { inputs: Vec::new(), equal_rungs, equal_until_ns: None, difference }
    }

    #[test]
    fn a_stopped_run_is_verified_as_far_as_it_went_and_only_if_it_went_anywhere() {
        let (stopped, whole) = (manifest(RunStatus::Interrupted), manifest(RunStatus::Pass));
        let parted = |rungs| {
            comparison(Difference::Incomparable("the ladders have different rungs".to_owned()), rungs)
        };
        assert_eq!(Outcome::of(&parted(3), &stopped, &whole), Outcome::VerifiedInPart);
        assert_eq!(Outcome::of(&parted(0), &stopped, &whole), Outcome::Unknown);
        assert_eq!(Outcome::of(&parted(3), &whole, &stopped), Outcome::Unknown);
        assert_eq!(Outcome::of(&comparison(Difference::AfterLastRung, 3), &whole, &whole), Outcome::Diverged);
        assert_eq!(Outcome::of(&comparison(Difference::None, 3), &whole, &whole), Outcome::Verified);
    }
}
