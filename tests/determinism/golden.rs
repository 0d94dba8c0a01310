//! Fingerprints that were written down: a change that moves them says so.
//!
//! They hold in debug and in release: `.ci/run` runs these tests in both. Each is run in a way of its own, so that a
//! way that only agrees with itself is seen here too.

use std::fmt::Write as _;

use run::Driver;

use crate::in_house;

const FILE: &str = "tests/determinism/golden.txt";
const ACCEPT_VARIABLE: &str = "WAVETANK_ACCEPT";
const HOW_TO_ACCEPT: &str = "If the change is meant to move them, accept it:\n  \
    WAVETANK_ACCEPT=1 cargo test -p wavetank-tests --test determinism golden\n\
    and say in the commit why they moved. If they move between debug and release, or from machine to machine, do not.";

/// One line of the file: `scenario seed changes fingerprint`, where `-` stands for no changes.
struct Line<'a> {
    scenario: &'a str,
    seed: u64,
    changes: &'a str,
    fingerprint: &'a str,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (scenario, seed, changes) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
        let fingerprint = words.next().unwrap_or_default();
        words.next().is_none().then_some(Self { scenario, seed, changes, fingerprint })
    }

    /// Runs it, in the way that is the turn of line `number`.
    fn run(&self, number: usize) -> String {
        let driver = if number.is_multiple_of(2) { Driver::Inline } else { Driver::Actor };
        let run = run::scenario(in_house(self.scenario)).seed(self.seed);
        let run = run.driver(driver).threads(1 + number % 3);
        let changes = self.changes.split(',').filter_map(|change| change.split_once('='));
        let run = changes.fold(run, |run, (path, value)| run.set(path, value));
        run.run().unwrap().verdict.fingerprint.unwrap()
    }
}

#[test]
fn golden_fingerprints_hold() {
    let written = std::fs::read_to_string(in_house(FILE)).unwrap();
    let (mut now, mut moved, mut compared) = (String::new(), String::new(), 0);
    for text in written.lines() {
        if text.is_empty() || text.starts_with('#') {
            writeln!(now, "{text}").unwrap();
            continue;
        }
        let line = Line::parse(text).unwrap_or_else(|| panic!("{FILE}: `{text}` is no line of it"));
        let fingerprint = line.run(compared);
        compared += 1;
        let Line { scenario, seed, changes, fingerprint: golden } = line;
        writeln!(now, "{scenario} {seed} {changes} {fingerprint}").unwrap();
        if fingerprint != golden {
            writeln!(moved, "  {scenario}, seed {seed} ({changes}): {fingerprint}, was {golden}").unwrap();
        }
    }
    if std::env::var_os(ACCEPT_VARIABLE).is_some() {
        std::fs::write(in_house(FILE), now).unwrap();
        return;
    }
    assert!(compared >= 8, "{FILE} holds {compared} fingerprints");
    assert!(moved.is_empty(), "fingerprints moved:\n{moved}{HOW_TO_ACCEPT}");
}
