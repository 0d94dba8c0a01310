//! Hunts over runs that are made up, so that they can lie.

use std::collections::BTreeSet;
use std::sync::Barrier;

use record::{Check, CheckKind, CheckStatus, Fingerprint, RungSummary, VerdictStatus};
use types::Seed;

use super::*;

/// Runs that are made up by what each test plants.
struct Stage<'a> {
    /// A seed's exit code.
    code: &'a (dyn Fn(u64) -> u8 + Sync),
    /// Whether a seed reaches the `sometimes` check.
    sees: &'a (dyn Fn(u64) -> bool + Sync),
    /// What a seed leaves the second time; `None`: the same.
    again: &'a (dyn Fn(u64) -> Option<Again> + Sync),
    asked_again: Mutex<BTreeSet<u64>>,
}

impl Default for Stage<'_> {
    fn default() -> Self {
        Self { code: &|_| 0, sees: &|_| true, again: &|_| None, asked_again: Mutex::default() }
    }
}

impl Stage<'_> {
    fn asked_again(&self) -> Vec<u64> {
        self.asked_again.lock().unwrap().iter().copied().collect()
    }
}

/// Three rungs and an end, of this text.
fn imprint(seed: u64) -> Imprint {
    let rung = |at: u64| RungSummary { at_ns: at * 1_000_000_000, value: format!("{seed}.{at}") };
    let ladder = (1..=3).map(rung).collect();
    let fingerprint = Fingerprint { value: Some(format!("{seed}.end")), ladder, ..Fingerprint::default() };
    Imprint { fingerprint, ..Imprint::default() }
}

impl Runner for Stage<'_> {
    fn run(&self, seed: u64) -> Result<Ended, String> {
        let exit_code = (self.code)(seed);
        let (status, reasons) = match exit_code {
            0 => (VerdictStatus::Pass, Vec::new()),
            1 => return Err("the world gave up".to_owned()),
            2 => panic!("planted at {seed}"),
            code => (VerdictStatus::Fail, vec![format!("planted {code}")]),
        };
        let status_of = |seen| if seen { CheckStatus::Pass } else { CheckStatus::NeverReached };
        let check = |name: &str, kind, status| Check {
            name: name.to_owned(),
            kind,
            status,
            detail: String::new(),
            at_ms: None,
            peer: None,
        };
        let checks = vec![
            check("held", CheckKind::Always, CheckStatus::Pass),
            check("met", CheckKind::Sometimes, status_of((self.sees)(seed))),
        ];
        let verdict = Verdict { status, exit_code, reasons, checks, seed: Seed(seed), ..Verdict::default() };
        Ok(Ended { verdict, imprint: imprint(seed) })
    }

    fn again(&self, seed: u64) -> Again {
        self.asked_again.lock().unwrap().insert(seed);
        (self.again)(seed).unwrap_or_else(|| Again::Ended(imprint(seed)))
    }
}

fn campaign(seeds: RangeInclusive<u64>) -> Campaign {
    Campaign { seeds, jobs: 3, budget: None, max_failures: None, recheck: Share::from_percent(5) }
}

fn seeds(found: &Found) -> Vec<(u64, u8)> {
    found.failures.iter().map(|failure| (failure.seed, failure.code)).collect()
}

#[test]
fn all_seeds_are_run_once_and_all_that_fail_are_named_lowest_first() {
    let stage = Stage { code: &|seed| if seed % 10 == 3 { 10 } else { 0 }, ..Stage::default() };
    let found = Hunt::new(campaign(0..=99)).play(&stage);
    assert_eq!((found.done, found.failed, found.ending, found.exit_code()), (100, 10, Ending::Seeds, 10));
    assert_eq!(found.by_code, BTreeMap::from([(0, 90), (10, 10)]));
    let expected: Vec<_> = (0..10).map(|tens| (tens * 10 + 3, 10)).collect();
    assert_eq!(seeds(&found), expected);
    assert_eq!(found.failures[0].reasons, ["planted 10"]);
}

#[test]
fn the_share_that_is_run_again_follows_from_the_seeds_and_holds_all_that_failed() {
    let stage = Stage { code: &|seed| if seed == 7 { 17 } else { 0 }, ..Stage::default() };
    let found = Hunt::new(campaign(0..=999)).play(&stage);
    let share = Share::from_percent(5);
    let expected: Vec<_> = (0..=999).filter(|seed| *seed == 7 || imprint::is_drawn(*seed, share)).collect();
    assert_eq!(stage.asked_again(), expected);
    assert_eq!((found.recheck.done, found.recheck.differing), (expected.len() as u64, 0));
}

#[test]
fn of_few_seeds_one_is_run_again_and_of_none_asked_none() {
    // A stretch without a seed that is drawn.
    let spared =
        (0..).find(|from| (*from..from + 5).all(|seed| !imprint::is_drawn(seed, Share::from_percent(5))));
    let from = spared.unwrap();
    for (recheck, expected) in [(Share::from_percent(5), 1), (Share::ZERO, 0)] {
        let stage = Stage::default();
        let found = Hunt::new(Campaign { recheck, ..campaign(from..=from + 4) }).play(&stage);
        assert_eq!(
            (stage.asked_again().len(), found.recheck.done, found.exit_code()),
            (expected, expected as u64, 0)
        );
    }
}

#[test]
fn a_run_that_lies_is_found_out_with_the_rung_at_which_it_does() {
    let lie = |seed| {
        let mut lie = imprint(seed);
        lie.fingerprint.ladder[1].value = "lie".to_owned();
        (seed == 40).then_some(Again::Ended(lie))
    };
    let stage = Stage { again: &lie, ..Stage::default() };
    let found = Hunt::new(Campaign { recheck: Share::WHOLE, ..campaign(0..=99) }).play(&stage);
    assert_eq!((seeds(&found), found.exit_code()), (vec![(40, 13)], 13));
    assert_eq!((found.recheck.done, found.recheck.differing), (100, 1));
    assert_eq!(found.by_code, BTreeMap::from([(0, 99), (13, 1)]));
    let failure = &found.failures[0];
    assert_eq!(failure.difference.as_ref().unwrap().at, Parting::Rung { at_ns: 2_000_000_000 });
    assert_eq!(
        failure.reasons,
        [
            "run again, it came out differently: the fingerprints differ at 2s: 40.2 against lie; equal until 1s"
        ]
    );
}

#[test]
fn the_one_seed_of_few_that_is_run_again_may_be_the_liar() {
    let from =
        (0..).find(|from| (*from..from + 5).all(|seed| !imprint::is_drawn(seed, Share::from_percent(5))));
    let from = from.unwrap();
    let stage = Stage { again: &|seed| Some(Again::Ended(imprint(seed + 1))), ..Stage::default() };
    let found = Hunt::new(campaign(from..=from + 4)).play(&stage);
    assert_eq!((found.done, found.failed, found.exit_code()), (5, 1, 13));
    assert_eq!(found.by_code, BTreeMap::from([(0, 4), (13, 1)]));
}

#[test]
fn a_seed_that_fails_and_lies_is_as_grave_as_the_graver() {
    let lie = |seed| Some(Again::Ended(imprint(seed + 1)));
    for (code, expected) in [(10, 13), (11, 13), (14, 14)] {
        let stage = Stage { code: &|_| code, again: &lie, ..Stage::default() };
        let found = Hunt::new(campaign(0..=0)).play(&stage);
        assert_eq!(seeds(&found), [(0, expected)]);
        let failure = &found.failures[0];
        let own_first = failure.reasons[0].starts_with("planted");
        assert_eq!((own_first, failure.reasons.len()), (code == expected, 2), "{failure:?}");
    }
}

#[test]
fn the_first_failure_stops_the_hunt_and_the_lowest_seed_that_fails_is_named_on_any_number_of_threads() {
    for jobs in [1, 2, 8] {
        let stage = Stage { code: &|seed| if seed >= 50 { 11 } else { 0 }, ..Stage::default() };
        let campaign = Campaign { jobs, max_failures: Some(1), ..campaign(0..=9_999) };
        let found = Hunt::new(campaign).play(&stage);
        assert_eq!((seeds(&found)[0], found.ending, found.exit_code()), ((50, 11), Ending::Failures, 11));
        assert!(found.done <= 50 + jobs as u64, "{jobs} threads: {} seeds", found.done);
    }
}

#[test]
fn the_gravest_kind_is_what_a_hunt_ends_with() {
    for (codes, gravest) in [
        ([10, 17, 12], 12),
        ([12, 11, 10], 11),
        ([11, 14, 10], 14),
        ([1, 14, 11], 1),
        ([17, 0, 0], 17),
        ([0, 99, 14], 99),
    ] {
        let stage = Stage { code: &|seed| codes[seed as usize], ..Stage::default() };
        assert_eq!(Hunt::new(campaign(0..=2)).play(&stage).exit_code(), gravest, "{codes:?}");
    }
}

#[test]
fn a_simulator_that_gives_up_or_panics_ends_its_seed_and_not_the_hunt() {
    let stage = Stage { code: &|seed| [0, 1, 2, 0][seed as usize % 4], ..Stage::default() };
    let found = Hunt::new(campaign(0..=3)).play(&stage);
    assert_eq!((found.done, seeds(&found), found.exit_code()), (4, vec![(1, 1), (2, 1)], 1));
    assert_eq!(found.failures[0].reasons, ["the world gave up"]);
    assert_eq!(found.failures[1].reasons, ["the simulator panicked: planted at 2"]);
    assert!(!stage.asked_again().contains(&1), "there is nothing to compare with");
}

#[test]
fn a_second_run_that_gives_up_is_a_failure_and_one_that_cannot_be_had_proves_nothing() {
    let whole = Campaign { recheck: Share::WHOLE, ..campaign(0..=4) };
    let stage = Stage {
        again: &|seed| (seed == 2).then(|| Again::Broke("it gave up".to_owned())),
        ..Stage::default()
    };
    let found = Hunt::new(whole.clone()).play(&stage);
    assert_eq!((seeds(&found), found.exit_code()), (vec![(2, 1)], 1));

    let changed = |seed| Imprint { scenario_sha256: "other".to_owned(), ..imprint(seed) };
    let again = |seed| match seed {
        1 => Some(Again::Stopped),
        2 => Some(Again::Unable("no process can be started".to_owned())),
        3 => Some(Again::Ended(changed(seed))),
        _ => None,
    };
    let found = Hunt::new(whole).play(&Stage { again: &again, ..Stage::default() });
    assert_eq!((found.failed, found.recheck.done, found.recheck.unable, found.exit_code()), (0, 2, 2, 17));
    assert_eq!(found.recheck.why[&2], "no process can be started");
    assert!(found.recheck.why[&3].contains("was changed"), "{:?}", found.recheck);
}

#[test]
fn a_sometimes_check_that_no_seed_reaches_fails_the_hunt() {
    for (seen, code) in [(None, 17), (Some(61), 0)] {
        let stage = Stage { sees: &|seed| Some(seed) == seen, ..Stage::default() };
        let found = Hunt::new(campaign(0..=99)).play(&stage);
        let expected = Sighting { check: "met".to_owned(), seeds: u64::from(seen.is_some()) };
        assert_eq!((found.sightings.as_slice(), found.exit_code()), (&[expected][..], code));
    }
}

#[test]
fn a_hunt_that_is_cut_short_does_not_say_never() {
    let stage = Stage { code: &|_| 10, sees: &|_| false, ..Stage::default() };
    let found = Hunt::new(Campaign { max_failures: Some(1), ..campaign(0..=99) }).play(&stage);
    assert_eq!((found.sightings[0].seeds, found.unseen().count()), (0, 0));
}

#[test]
fn without_time_nothing_is_begun_and_nothing_is_proved() {
    let campaign = Campaign { budget: Some(WallDuration::ZERO), ..campaign(0..=u64::MAX) };
    let found = Hunt::new(campaign).play(&Stage::default());
    assert_eq!((found.done, found.ending, found.exit_code()), (0, Ending::Time, 17));
}

#[test]
fn stopped_a_hunt_ends_what_runs_and_begins_nothing() {
    let (begun, go_on) = (Barrier::new(2), Barrier::new(2));
    let code = |seed| {
        if seed == 4 {
            begun.wait();
            go_on.wait();
        }
        0
    };
    let stage = Stage { code: &code, ..Stage::default() };
    let hunt = Hunt::new(Campaign { jobs: 1, recheck: Share::WHOLE, ..campaign(0..=u64::MAX) });
    let found = thread::scope(|scope| {
        let found = scope.spawn(|| hunt.play(&stage));
        begun.wait();
        let standing = hunt.standing();
        assert_eq!(
            (standing.done, standing.rechecked, standing.longest.map(|(seed, _)| seed)),
            (4, 4, Some(4))
        );
        hunt.stop();
        go_on.wait();
        found.join().unwrap()
    });
    assert_eq!((found.done, found.ending), (5, Ending::Stopped));
    assert_eq!(stage.asked_again(), [0, 1, 2, 3], "nothing is run again that was not begun");
}

#[test]
fn what_is_kept_and_told_does_not_grow_with_the_failures() {
    let stage = Stage { code: &|seed| if seed == 2_500 { 11 } else { 10 }, ..Stage::default() };
    let hunt = Hunt::new(campaign(0..=2_999));
    let found = hunt.play(&stage);
    assert_eq!((found.failed, found.failures.len(), hunt.standing().news.len()), (3_000, 1_000, MAX_NEWS));
    assert_eq!(seeds(&found)[..2], [(2_500, 11), (0, 10)], "the gravest comes first");
    assert_eq!(seeds(&found).last(), Some(&(998, 10)), "the lowest are kept");
    assert!(hunt.standing().news.is_empty(), "news is told once");
}

#[test]
fn the_last_of_all_seeds_is_a_seed_and_of_no_seeds_there_is_none() {
    let found = Hunt::new(campaign(u64::MAX - 1..=u64::MAX)).play(&Stage::default());
    assert_eq!((found.done, found.ending), (2, Ending::Seeds));
    let (from, until) = (5, 4);
    assert_eq!(Hunt::new(campaign(from..=until)).play(&Stage::default()).exit_code(), 17);
}
