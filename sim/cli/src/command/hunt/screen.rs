//! What a hunt ends with: for people, the seeds that fail stand last, each with the command that runs it again; for
//! programs, one document.

use record::FirstFailure;
use run::hunt::{Campaign, Difference, Ending, Failure, Found, Parting};
use serde::Serialize;

use crate::args;
use crate::command::hunt::seeds;
use crate::console::{Look, Verbosity};
use crate::exit_code;
use crate::figures::{count, counted, nanos, number};
use crate::screen::section;
use crate::table::{Row, plain, wrapped};

/// Failures that a person is shown who does not ask for more; a program gets all that are kept.
const MAX_SHOWN: usize = 10;
/// Reasons of each that are shown: the command below them tells all.
const MAX_REASONS: usize = 3;

/// What is shown of a hunt.
#[derive(Clone, Copy)]
pub(crate) struct Screen<'a> {
    pub(crate) name: &'a str,
    pub(crate) found: &'a Found,
    pub(crate) campaign: &'a Campaign,
    /// What the program ends with.
    pub(crate) code: u8,
    /// The command that runs a seed again.
    pub(crate) replay: &'a dyn Fn(u64) -> String,
}

impl Screen<'_> {
    /// The whole screen; of a quiet one, what came of it and the seeds that fail.
    pub(crate) fn text(&self, verbosity: Verbosity) -> String {
        let mut text = self.headline();
        for reason in self.against_all() {
            text.push_str(&wrapped(&format!("  - {reason}"), 4));
        }
        if verbosity > Verbosity::Quiet {
            section(&mut text, "Seeds", &self.ends());
            section(&mut text, "Sometimes", &self.sightings());
            section(&mut text, "Run again in a fresh process", &self.rechecks());
        }
        let most = if verbosity == Verbosity::Verbose { usize::MAX } else { MAX_SHOWN };
        text.push_str(&self.failures(most));
        text
    }

    /// `PASS  hello` and what it took.
    fn headline(&self) -> String {
        let Self { found, code, .. } = self;
        let (word, look) = match *code {
            exit_code::PASSED => ("PASS", Look::Good),
            exit_code::PROVES_NOTHING => ("UNKNOWN", Look::Doubtful),
            exit_code::INTERRUPTED | exit_code::TERMINATED => ("INTERRUPTED", Look::Doubtful),
            _ => ("FAIL", Look::Bad),
        };
        let reason = match *code {
            exit_code::PASSED => String::new(),
            code => format!(": {} (exit {code})", exit_code::meaning(code)),
        };
        let done = match found.ending {
            Ending::Seeds => counted(found.done, "seed"),
            _ if *self.campaign.seeds.end() == u64::MAX => counted(found.done, "seed"),
            _ => format!("{} of {}", count(found.done), counted(seeds(&self.campaign.seeds), "seed")),
        };
        let why = match (found.ending, self.campaign.max_failures) {
            (Ending::Seeds, _) => String::new(),
            (Ending::Failures, Some(1)) => "stopped at the first failure\n".to_owned(),
            (Ending::Failures, most) => format!("stopped at {}\n", counted(most.unwrap_or(0), "failure")),
            (Ending::Time, _) => "stopped when the time was over\n".to_owned(),
            (Ending::Stopped, _) => "stopped by an interrupt\n".to_owned(),
        };
        let (took, rate) = (nanos(found.elapsed.as_nanos() as f64), number(self.rate()));
        let cost = format!("{done} in {took}, {rate}/s, {} at a time", self.campaign.jobs);
        format!("{}  {}{reason}\n{cost}\n{why}", look.on(word), self.name)
    }

    fn rate(&self) -> f64 {
        let seconds = self.found.elapsed.as_secs_f64();
        if seconds > 0.0 { self.found.done as f64 / seconds } else { 0.0 }
    }

    /// What speaks against the hunt as a whole, and not against a seed of it.
    fn against_all(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.found.done == 0 {
            reasons.push("no seed was run".to_owned());
            return reasons;
        }
        for sighting in self.found.unseen() {
            let seeds = counted(self.found.done, "seed");
            reasons.push(format!("`{}` was never reached in {seeds}", sighting.check));
        }
        let recheck = &self.found.recheck;
        if let Some((seed, why)) = recheck.why.first_key_value() {
            let unable = counted(recheck.unable, "seed");
            reasons.push(format!("{unable} could not be run again; seed {seed}: {why}"));
        }
        reasons
    }

    /// How many seeds ended how.
    fn ends(&self) -> Vec<Row> {
        let row = |(code, seeds): (&u8, &u64)| {
            let (meaning, look) = match *code {
                exit_code::PASSED => ("passed".to_owned(), Look::Good),
                exit_code::PROVES_NOTHING => (with_code(*code), Look::Doubtful),
                code => (with_code(code), Look::Bad),
            };
            Row::new([plain(count(*seeds)), (meaning, look)])
        };
        self.found.by_code.iter().map(row).collect()
    }

    fn sightings(&self) -> Vec<Row> {
        let done = counted(self.found.done, "seed");
        let row = |sighting: &run::hunt::Sighting| {
            let (word, look) = match sighting.seeds {
                0 if self.found.unseen().any(|unseen| unseen == sighting) => ("NEVER", Look::Bad),
                0 => ("not yet", Look::Doubtful),
                _ => ("reached", Look::Good),
            };
            let reached = format!("in {} of {done}", count(sighting.seeds));
            Row::new([(word.to_owned(), look), plain(&sighting.check), plain(reached)])
        };
        self.found.sightings.iter().map(row).collect()
    }

    fn rechecks(&self) -> Vec<Row> {
        let recheck = &self.found.recheck;
        let equal = recheck.done - recheck.differing;
        let rows = [
            ("equal", Look::Good, equal),
            ("DIFFERENT", Look::Bad, recheck.differing),
            ("unknown", Look::Doubtful, recheck.unable),
        ];
        let row = |(word, look, seeds): (&str, Look, u64)| {
            Row::new([(word.to_owned(), look), plain(counted(seeds, "seed"))])
        };
        rows.into_iter().filter(|(.., seeds)| *seeds > 0).map(row).collect()
    }

    /// The gravest failures.
    fn failures(&self, most: usize) -> String {
        let Found { failures, failed, .. } = self.found;
        if failures.is_empty() {
            return String::new();
        }
        let shown = failures.len().min(most) as u64;
        let title = match failed - shown {
            0 => "Failures".to_owned(),
            _ => format!("Failures: the gravest {shown} of {}", count(*failed)),
        };
        let mut text = format!("\n{}\n", Look::Strong.on(&title));
        for failure in failures.iter().take(most) {
            text.push_str(&self.failure(failure));
        }
        text
    }

    fn failure(&self, failure: &Failure) -> String {
        let Failure { seed, code, reasons, first_failure, fingerprint, .. } = failure;
        let fingerprint =
            fingerprint.as_ref().map_or_else(String::new, |value| format!(", fingerprint {value}"));
        let mut text = wrapped(&format!("  seed {seed}: {}{fingerprint}", with_code(*code)), 4);
        for reason in reasons.iter().take(MAX_REASONS) {
            text.push_str(&wrapped(&format!("    - {reason}"), 6));
        }
        if reasons.len() > MAX_REASONS {
            let more = count((reasons.len() - MAX_REASONS) as u64);
            text.push_str(&format!("    - and {more} more\n"));
        }
        if let Some(FirstFailure { what, at_ms: Some(at), peer: Some(peer), .. }) = first_failure {
            let at = nanos(*at as f64 * 1e6);
            text.push_str(&wrapped(&format!("    first: {what} at {at} on {peer}"), 6));
        }
        text.push_str(&format!("    replay: {}\n", (self.replay)(*seed)));
        text
    }
}

fn with_code(code: u8) -> String {
    format!("{} (exit {code})", exit_code::meaning(code))
}

/// What was found, for programs. Seeds are text: JSON readers lose integers above 2^53.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    status: &'static str,
    exit_code: u8,
    meaning: &'static str,
    scenario: &'a str,
    file: String,
    set: Vec<String>,
    driver: &'static str,
    jobs: usize,
    first_seed: String,
    last_seed: String,
    /// `seeds`, `failures`, `time`, `interrupted`.
    ended_by: &'static str,
    seconds: f64,
    seeds_per_second: f64,
    done: u64,
    failed: u64,
    by_exit_code: Vec<Kind>,
    sometimes: Vec<Sighting<'a>>,
    recheck: Recheck<'a>,
    /// The gravest first, then those of the lowest seeds; beyond 1,000 they are counted only.
    failures: Vec<Failed<'a>>,
}

#[derive(Debug, Serialize)]
struct Kind {
    exit_code: u8,
    meaning: &'static str,
    seeds: u64,
}

#[derive(Debug, Serialize)]
struct Sighting<'a> {
    check: &'a str,
    seeds: u64,
}

#[derive(Debug, Serialize)]
struct Recheck<'a> {
    share: String,
    done: u64,
    differing: u64,
    unable: Vec<Unable<'a>>,
}

#[derive(Debug, Serialize)]
struct Unable<'a> {
    seed: String,
    reason: &'a str,
}

#[derive(Debug, Serialize)]
struct Failed<'a> {
    seed: String,
    exit_code: u8,
    meaning: &'static str,
    reasons: &'a [String],
    first_failure: Option<&'a FirstFailure>,
    fingerprint: Option<&'a str>,
    difference: Option<Differing<'a>>,
    replay: String,
}

#[derive(Debug, Serialize)]
struct Differing<'a> {
    /// `rung`, `ladder`, `after_last_rung`, `verdict`.
    at: &'static str,
    differs_at_ns: Option<u64>,
    equal_rungs: u64,
    equal_until_ns: Option<u64>,
    first: &'a str,
    second: &'a str,
}

impl<'a> Document<'a> {
    pub(crate) fn new(screen: &Screen<'a>, args: &args::Hunt) -> Self {
        let Screen { name, found, campaign, code, replay } = *screen;
        let kind = |(code, seeds): (&u8, &u64)| Kind {
            exit_code: *code,
            meaning: exit_code::meaning(*code),
            seeds: *seeds,
        };
        let failed = |failure: &'a Failure| Failed {
            seed: failure.seed.to_string(),
            exit_code: failure.code,
            meaning: exit_code::meaning(failure.code),
            reasons: &failure.reasons,
            first_failure: failure.first_failure.as_ref(),
            fingerprint: failure.fingerprint.as_deref(),
            difference: failure.difference.as_ref().map(Differing::of),
            replay: replay(failure.seed),
        };
        let sightings = found.sightings.iter();
        let unable = found.recheck.why.iter();
        Self {
            status: match code {
                exit_code::PASSED => "pass",
                exit_code::PROVES_NOTHING => "unknown",
                exit_code::INTERRUPTED | exit_code::TERMINATED => "interrupted",
                _ => "fail",
            },
            exit_code: code,
            meaning: exit_code::meaning(code),
            scenario: name,
            file: args.scenario.display().to_string(),
            set: args.changes.set.iter().map(|(path, value)| format!("{path}={value}")).collect(),
            driver: args.driver.word(),
            jobs: campaign.jobs,
            first_seed: campaign.seeds.start().to_string(),
            last_seed: campaign.seeds.end().to_string(),
            ended_by: match found.ending {
                Ending::Seeds => "seeds",
                Ending::Failures => "failures",
                Ending::Time => "time",
                Ending::Stopped => "interrupted",
            },
            seconds: found.elapsed.as_secs_f64(),
            seeds_per_second: screen.rate(),
            done: found.done,
            failed: found.failed,
            by_exit_code: found.by_code.iter().map(kind).collect(),
            sometimes: sightings.map(|seen| Sighting { check: &seen.check, seeds: seen.seeds }).collect(),
            recheck: Recheck {
                share: found.recheck.share.to_string(),
                done: found.recheck.done,
                differing: found.recheck.differing,
                unable: unable.map(|(seed, reason)| Unable { seed: seed.to_string(), reason }).collect(),
            },
            failures: found.failures.iter().map(failed).collect(),
        }
    }
}

impl<'a> Differing<'a> {
    fn of(difference: &'a Difference) -> Self {
        let (at, differs_at_ns) = match difference.at {
            Parting::Rung { at_ns } => ("rung", Some(at_ns)),
            Parting::Ladder => ("ladder", None),
            Parting::AfterLastRung => ("after_last_rung", None),
            Parting::Verdict => ("verdict", None),
        };
        let Difference { equal_rungs, equal_until_ns, first, second, .. } = difference;
        let (equal_rungs, equal_until_ns) = (*equal_rungs, *equal_until_ns);
        Self { at, differs_at_ns, equal_rungs, equal_until_ns, first, second }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::time::Duration;

    use run::hunt::{Recheck, Sighting};
    use types::Share;

    fn failure(seed: u64, code: u8, reasons: &[&str]) -> Failure {
        Failure {
            seed,
            code,
            reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
            first_failure: None,
            fingerprint: Some(format!("013f3103f95{seed:05}")),
            difference: None,
        }
    }

    /// A hunt that found about everything that can be found.
    fn found() -> Found {
        let difference = Difference {
            at: Parting::Rung { at_ns: 20_000_000_000 },
            equal_rungs: 1,
            equal_until_ns: Some(10_000_000_000),
            first: "6f1c39d2a4b80e57".to_owned(),
            second: "90ab12cd34ef5678".to_owned(),
        };
        let differs = format!("run again, it came out differently: {difference}");
        let missed = |seed| failure(seed, 10, &["lookup.latency p99 < 2s was missed: it is 2.31s"]);
        let broken = FirstFailure {
            what: "lookups_monotone".to_owned(),
            at_ms: Some(90_000),
            peer: Some("edge-17".to_owned()),
            ..FirstFailure::default()
        };
        let mut failures = vec![
            Failure { fingerprint: None, ..failure(8, 1, &["the simulator panicked: index out of bounds"]) },
            Failure { difference: Some(difference), ..failure(3, 13, &[&differs]) },
            Failure {
                first_failure: Some(broken),
                ..failure(7, 11, &["lookups_monotone did not always hold", "one", "two", "three", "four"])
            },
        ];
        failures.extend((20..40).map(missed));
        let sighting = |check: &str, seeds| Sighting { check: check.to_owned(), seeds };
        Found {
            done: 1_000,
            by_code: BTreeMap::from([(0, 977), (1, 1), (10, 20), (11, 1), (13, 1)]),
            failed: 23,
            failures,
            sightings: vec![sighting("bucket_full", 998), sighting("contact_evicted", 0)],
            recheck: Recheck {
                share: Share::from_percent(5),
                done: 70,
                differing: 1,
                unable: 1,
                why: BTreeMap::from([(51, "the fresh process was stopped".to_owned())]),
            },
            ending: Ending::Seeds,
            elapsed: Duration::from_millis(93_400),
        }
    }

    fn text(found: &Found, code: u8, verbosity: Verbosity) -> String {
        let campaign = Campaign {
            seeds: 1..=1_000,
            jobs: 2,
            budget: None,
            max_failures: Some(23),
            recheck: Share::from_percent(5),
        };
        let replay = |seed| format!("wavetank run churn.yaml --seed {seed}");
        let screen = Screen { name: "churn", found, campaign: &campaign, code, replay: &replay };
        anstream::adapter::strip_str(&screen.text(verbosity)).to_string()
    }

    #[test]
    fn a_hunt_says_what_it_found_and_how_to_find_it_again() {
        let found = found();
        insta::assert_snapshot!(text(&found, found.exit_code(), Verbosity::Normal));
    }

    #[test]
    fn who_asks_for_more_is_shown_all_failures_and_who_asks_for_less_no_tables() {
        let found = found();
        let replays = |verbosity| text(&found, 1, verbosity).matches("replay: ").count();
        assert_eq!([Verbosity::Verbose, Verbosity::Quiet].map(replays), [23, 10]);
        let quiet = text(&found, 1, Verbosity::Quiet);
        assert!(
            !quiet.contains("Run again") && quiet.ends_with("wavetank run churn.yaml --seed 26\n"),
            "{quiet}"
        );
    }

    #[test]
    fn a_hunt_that_was_cut_short_says_why_and_never_says_never() {
        for (ending, code, said) in [
            (Ending::Failures, 10, "\nstopped at 23 failures\n"),
            (Ending::Stopped, 130, "\nstopped by an interrupt\n"),
        ] {
            let found = Found { done: 40, ending, ..found() };
            let text = text(&found, code, Verbosity::Normal);
            assert!(text.contains("\n40 of 1,000 seeds in 1m33s, ") && text.contains(said), "{text}");
            assert!(text.contains("  not yet  contact_evicted  in 0 of 40 seeds\n"), "{text}");
            assert!(!text.contains("never"), "{text}");
        }
        let over = text(&Found { ending: Ending::Time, ..found() }, 10, Verbosity::Normal);
        assert!(over.contains("\nstopped when the time was over\n"), "{over}");
        assert!(over.contains("`contact_evicted` was never reached in 1,000 seeds"), "{over}");
    }

    #[test]
    fn every_line_fits_a_terminal_of_80_columns() {
        for line in text(&found(), 1, Verbosity::Verbose).lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
