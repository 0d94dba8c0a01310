//! What a hunt has found.

use std::collections::BTreeMap;
use std::time::Duration as WallDuration;

use record::{CheckKind, CheckStatus, FirstFailure, Verdict};
use types::Share;

use crate::hunt::{Again, Difference, Ended, Imprint};

/// What a run exits with that passed.
pub(crate) const PASSED: u8 = 0;
const BROKE: u8 = 1;
const NONDETERMINISTIC: u8 = 13;
const PROVES_NOTHING: u8 = 17;

/// Exit codes in the order of their gravity. A simulator that gives up puts everything else in doubt; the others are
/// in the order of verdicts.
const GRAVEST_FIRST: [u8; 8] = [BROKE, 14, NONDETERMINISTIC, 11, 12, 10, PROVES_NOTHING, PASSED];

/// Failures, and repetitions that could not be had, that are kept whole: more than anyone reads. The others are
/// counted.
const MAX_KEPT: usize = 1_000;

/// The place in that order; a code that is not known comes first.
fn place(code: u8) -> Option<usize> {
    GRAVEST_FIRST.iter().position(|known| *known == code)
}

fn gravest(codes: impl IntoIterator<Item = u8>) -> u8 {
    codes.into_iter().min_by_key(|code| place(*code)).unwrap_or(PASSED)
}

/// What a hunt has found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Seeds that ended.
    pub done: u64,
    /// How many of them with which exit code.
    pub by_code: BTreeMap<u8, u64>,
    /// Seeds that did not pass.
    pub failed: u64,
    /// The gravest of them, and of those that are equally grave the lowest, in this order.
    pub failures: Vec<Failure>,
    /// The `sometimes` checks, in the order of the scenario.
    pub sightings: Vec<Sighting>,
    /// What was run again.
    pub recheck: Recheck,
    /// Why no other seed was begun.
    pub ending: Ending,
    /// How long it took.
    pub elapsed: WallDuration,
}

/// A seed that did not pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// Its exit code, the gravest of what it deserves.
    pub code: u8,
    /// Everything that speaks against it, the gravest first.
    pub reasons: Vec<String>,
    /// What went wrong first in simulated time.
    pub first_failure: Option<FirstFailure>,
    /// The fingerprint of the first run, if it came to its end.
    pub fingerprint: Option<String>,
    /// How the second run differed.
    pub difference: Option<Difference>,
}

/// How often a `sometimes` check was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The check.
    pub check: String,
    /// Seeds in which it was.
    pub seeds: u64,
}

/// What was run again.
#[derive(Clone, Debug)]
pub struct Recheck {
    /// The share that was asked for.
    pub share: Share,
    /// Seeds that were run again.
    pub done: u64,
    /// Those that came out differently.
    pub differing: u64,
    /// Those that could not be run again.
    pub unable: u64,
    /// The lowest of them, with the reason.
    pub why: BTreeMap<u64, String>,
}

impl Recheck {
    /// Seeds that were to be run again.
    #[must_use]
    pub const fn tried(&self) -> u64 {
        self.done + self.unable
    }
}

/// Why a hunt begins no other seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All were run.
    Seeds,
    /// Enough have failed.
    Failures,
    /// The time is over.
    Time,
    /// Somebody stopped it.
    Stopped,
}

impl Found {
    pub(crate) const fn new(share: Share) -> Self {
        Self {
            done: 0,
            by_code: BTreeMap::new(),
            failed: 0,
            failures: Vec::new(),
            sightings: Vec::new(),
            recheck: Recheck { share, done: 0, differing: 0, unable: 0, why: BTreeMap::new() },
            ending: Ending::Seeds,
            elapsed: WallDuration::ZERO,
        }
    }

    /// What a program that hunted exits with: the gravest of what was found.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        let proves_nothing = self.done == 0 || self.recheck.unable > 0 || self.unseen().next().is_some();
        gravest(self.by_code.keys().copied().chain(proves_nothing.then_some(PROVES_NOTHING)))
    }

    /// The `sometimes` checks that no seed has reached. A hunt that was cut short knows of none: the next seed might
    /// have.
    pub fn unseen(&self) -> impl Iterator<Item = &Sighting> {
        let is_told = matches!(self.ending, Ending::Seeds | Ending::Time);
        self.sightings.iter().filter(move |sighting| is_told && sighting.seeds == 0)
    }

    /// Enters a seed: how it ended, and what came of running it again. Returns it if it failed.
    pub(crate) fn enter(
        &mut self,
        seed: u64,
        ended: Result<Ended, String>,
        again: Option<Again>,
    ) -> Option<Failure> {
        self.done += 1;
        let failure = match ended {
            Err(why) => Some(Failure::broke(seed, why)),
            Ok(Ended { verdict, imprint }) => {
                self.see(&verdict);
                let repeated = again.and_then(|again| self.repeated(seed, &imprint, again));
                let own = (verdict.exit_code != PASSED).then(|| Failure::of(verdict, &imprint));
                Failure::joined(own, repeated)
            }
        };
        *self.by_code.entry(failure.as_ref().map_or(PASSED, |failure| failure.code)).or_default() += 1;
        self.keep(failure.as_ref());
        failure
    }

    /// Enters what came of running a seed again that has passed already.
    pub(crate) fn recheck_of_passed(&mut self, seed: u64, first: &Imprint, again: Again) -> Option<Failure> {
        let failure = self.repeated(seed, first, again)?;
        if let Some(passed) = self.by_code.get_mut(&PASSED) {
            *passed -= 1;
            self.by_code.retain(|_, seeds| *seeds > 0);
        }
        *self.by_code.entry(failure.code).or_default() += 1;
        self.keep(Some(&failure));
        Some(failure)
    }

    fn repeated(&mut self, seed: u64, first: &Imprint, again: Again) -> Option<Failure> {
        match again {
            Again::Ended(again) if again.scenario_sha256 != first.scenario_sha256 => {
                self.unable(seed, "the scenario's file was changed while it was hunted".to_owned());
                None
            }
            Again::Ended(again) => {
                self.recheck.done += 1;
                let difference = first.difference(&again)?;
                self.recheck.differing += 1;
                Some(Failure::differing(seed, first, difference))
            }
            Again::Stopped => None,
            Again::Unable(why) => {
                self.unable(seed, why);
                None
            }
            Again::Broke(why) => {
                self.recheck.done += 1;
                self.recheck.differing += 1;
                Some(Failure::broke(seed, format!("run again, {why}")))
            }
        }
    }

    fn unable(&mut self, seed: u64, why: String) {
        self.recheck.unable += 1;
        self.recheck.why.insert(seed, why);
        if self.recheck.why.len() > MAX_KEPT {
            self.recheck.why.pop_last();
        }
    }

    fn see(&mut self, verdict: &Verdict) {
        for check in verdict.checks.iter().filter(|check| check.kind == CheckKind::Sometimes) {
            let seen = u64::from(check.status == CheckStatus::Pass);
            match self.sightings.iter_mut().find(|sighting| sighting.check == check.name) {
                Some(sighting) => sighting.seeds += seen,
                None => self.sightings.push(Sighting { check: check.name.clone(), seeds: seen }),
            }
        }
    }

    /// Keeps the gravest failures, and of equal ones those of the lowest seeds: which these are does not depend on who
    /// was faster.
    fn keep(&mut self, failure: Option<&Failure>) {
        let Some(failure) = failure else { return };
        self.failed += 1;
        let order = |failure: &Failure| (place(failure.code), failure.seed);
        let at = self.failures.partition_point(|kept| order(kept) < order(failure));
        if at < MAX_KEPT {
            self.failures.insert(at, failure.clone());
            self.failures.truncate(MAX_KEPT);
        }
    }
}

impl Failure {
    fn of(verdict: Verdict, imprint: &Imprint) -> Self {
        let Verdict { exit_code, reasons, seed, first_failure, .. } = verdict;
        let fingerprint = imprint.fingerprint.value.clone();
        Self { seed: seed.0, code: exit_code, reasons, first_failure, fingerprint, difference: None }
    }

    fn broke(seed: u64, why: String) -> Self {
        let reasons = vec![why];
        Self { seed, code: BROKE, reasons, first_failure: None, fingerprint: None, difference: None }
    }

    fn differing(seed: u64, first: &Imprint, difference: Difference) -> Self {
        Self {
            seed,
            code: NONDETERMINISTIC,
            reasons: vec![format!("run again, it came out differently: {difference}")],
            first_failure: None,
            fingerprint: first.fingerprint.value.clone(),
            difference: Some(difference),
        }
    }

    /// One failure of what a run and its repetition say against a seed.
    fn joined(own: Option<Self>, repeated: Option<Self>) -> Option<Self> {
        let (own, repeated) = match (own, repeated) {
            (Some(own), Some(repeated)) => (own, repeated),
            (own, repeated) => return own.or(repeated),
        };
        let code = gravest([own.code, repeated.code]);
        let (first, second) =
            if code == own.code { (own.reasons, repeated.reasons) } else { (repeated.reasons, own.reasons) };
        let reasons = first.into_iter().chain(second).collect();
        Some(Self { code, reasons, difference: repeated.difference, ..own })
    }
}
