//! Every seed is run twice, in the plain way and in another; nothing in the two folders tells them apart.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use record::VerdictStatus;
use run::{Driver, Finished, Out};

use crate::{GALE, HELLO, RECORDED, STORM, in_house};

/// Seeds of each weather, unless the environment asks for another number.
const SEEDS: u64 = 200;
const SEEDS_VARIABLE: &str = "WAVETANK_SEEDS";

/// How a run is carried out: what must not show.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    threads: usize,
    driver: Driver,
    wire: &'static str,
}

pub(super) const PLAIN: Way = Way { threads: 1, driver: Driver::Inline, wire: "typed" };

/// The ways that the plain one is held against, in turn; the first is itself.
pub(super) const OTHERS: &[Way] = &[
    PLAIN,
    Way { threads: 2, ..PLAIN },
    Way { threads: 4, ..PLAIN },
    Way { driver: Driver::Actor, ..PLAIN },
    Way { driver: Driver::Actor, threads: 2, ..PLAIN },
    Way { wire: "encoded", ..PLAIN },
    Way { driver: Driver::Actor, threads: 4, wire: "encoded" },
];

/// A run and the files that it left.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) finished: Finished,
    files: BTreeMap<String, Vec<u8>>,
}

pub(super) fn run(scenario: &str, seed: u64, way: Way, sets: &[(&str, &str)]) -> Left {
    let out = tempfile::tempdir().unwrap();
    let mut run = run::scenario(in_house(scenario)).seed(seed).threads(way.threads).driver(way.driver);
    run = run.set("fidelity.wire", way.wire).out(Out::Folder(out.path().join("run")));
    for (path, value) in sets {
        run = run.set(path, value);
    }
    let finished = run.run().unwrap();
    Left { files: files(finished.folder.as_deref().unwrap()), finished }
}

/// The files of a folder, but for the two that say how it was run: the manifest, and the plan with its wire.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    // What the scenario names lies below, and stays as it was.
    let entries = entries.filter(|path| path.is_file());
    let named = entries.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), path));
    named
        .filter(|(name, _)| name != "manifest.json" && name != "plan.yaml")
        .map(|(name, path)| (name, std::fs::read(path).unwrap()))
        .collect()
}

/// What tells the two runs apart; empty if nothing does.
fn differences(a: &Left, b: &Left) -> Vec<String> {
    let mut found = Vec::new();
    let mut note = |what: &str, differs: bool| {
        if differs {
            found.push(what.to_owned());
        }
    };
    let (left, right) = (&a.finished.manifest, &b.finished.manifest);
    note("the fingerprint", a.finished.verdict.fingerprint != b.finished.verdict.fingerprint);
    note("the ladder in the manifest", left.fingerprint != right.fingerprint);
    note("the simulated time or the number of events", left.sim != right.sim);
    let names: std::collections::BTreeSet<_> = a.files.keys().chain(b.files.keys()).collect();
    for name in names {
        note(name, a.files.get(name) != b.files.get(name));
    }
    found
}

pub(super) fn assert_same(what: &str, a: &Left, b: &Left) {
    assert_eq!(differences(a, b), [""; 0], "{what}");
}

/// How many seeds, by the environment or by default.
fn seeds() -> u64 {
    let Ok(text) = std::env::var(SEEDS_VARIABLE) else { return SEEDS };
    text.parse().unwrap_or_else(|_| panic!("{SEEDS_VARIABLE} is `{text}`, which is no number of seeds"))
}

/// Calls `each` with every seed, on as many threads as there are cores; returns what it found.
fn on_all_cores(seeds: u64, each: impl Fn(u64) -> Option<String> + Sync) -> Vec<String> {
    let next = AtomicU64::new(1);
    let work = || {
        let taken = std::iter::from_fn(|| {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            (seed <= seeds).then_some(seed)
        });
        taken.filter_map(&each).collect::<Vec<_>>()
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

#[test]
fn no_way_of_running_shows_in_any_seed() {
    for weather in [STORM, GALE] {
        let differing = on_all_cores(seeds(), |seed| {
            let way = OTHERS[seed as usize % OTHERS.len()];
            let found = differences(&run(weather, seed, PLAIN, &[]), &run(weather, seed, way, &[]));
            (!found.is_empty()).then(|| format!("seed {seed}, {way:?}: {}", found.join(", ")))
        });
        assert!(
            differing.is_empty(),
            "{weather}: {} seeds differ:\n{}",
            differing.len(),
            differing.join("\n")
        );
    }
}

#[test]
fn dialled_links_are_the_same_in_every_way() {
    let dialled = [("fidelity.links", "dialled")];
    for weather in [STORM, GALE] {
        let plain = run(weather, 1, PLAIN, &dialled);
        for way in OTHERS {
            assert_same(&format!("{weather}, {way:?}"), &plain, &run(weather, 1, *way, &dialled));
        }
        let free = run(weather, 1, PLAIN, &[]);
        assert_ne!(
            plain.finished.verdict.fingerprint, free.finished.verdict.fingerprint,
            "links are dialled"
        );
    }
}

#[test]
fn what_files_dictate_comes_in_the_same_way() {
    let sets = [
        ("duration", "6m"),
        ("network", "{profile: {name: aws, loss: 1%, floor: 10ms}}"),
        ("observe.events", "{mode: fixed, value: 5}"),
    ];
    let plain = run(RECORDED, 1, PLAIN, &sets);
    let departures = &plain.finished.verdict.tallies[0];
    assert!(departures.got > 50, "{departures:?}");
    for way in OTHERS {
        assert_same(&format!("{way:?}"), &plain, &run(RECORDED, 1, *way, &sets));
    }
}

#[test]
fn runs_side_by_side_in_one_process_do_not_touch() {
    let alone = [(STORM, 5), (STORM, 6), (HELLO, 5), (STORM, 5)];
    let at_once = Barrier::new(alone.len());
    let way = Way { threads: 2, driver: Driver::Actor, ..PLAIN };
    let together: Vec<_> = thread::scope(|scope| {
        let start = |(scenario, seed)| {
            let at_once = &at_once;
            scope.spawn(move || {
                at_once.wait();
                run(scenario, seed, way, &[])
            })
        };
        let runs: Vec<_> = alone.into_iter().map(start).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    for ((scenario, seed), left) in alone.into_iter().zip(&together) {
        assert_same(&format!("{scenario}, seed {seed}"), &run(scenario, seed, PLAIN, &[]), left);
    }
}

/// What would be the same if nothing happened proves little: the storm must be one, and the gale.
#[test]
fn the_storm_is_one() {
    let left = run(STORM, 1, PLAIN, &[]);
    assert_severe(&left);
    let operations = String::from_utf8(left.files["operations.csv"].clone()).unwrap();
    for word in [",ok,", ",failed,", ",abandoned,", ",lookup,", ",put,", ",get,"] {
        assert!(operations.contains(word), "`{word}` happens");
    }
    assert!(left.files["events.jsonl.zst"].len() > 1_000, "peers are sampled");
}

#[test]
fn the_gale_is_one() {
    let left = run(GALE, 1, PLAIN, &[]);
    assert_severe(&left);
    let operations = String::from_utf8(left.files["operations.csv"].clone()).unwrap();
    for word in [",ok,", ",failed,", ",lookup,", ",put,", ",get,"] {
        assert!(operations.contains(word), "`{word}` happens");
    }
}

/// Everything of this weather happens.
fn assert_severe(left: &Left) {
    let finished = &left.finished;
    assert_eq!(finished.verdict.status, VerdictStatus::Pass, "{finished}");
    for tally in &finished.verdict.tallies {
        assert!(tally.got > 0, "{} touches something", tally.name);
    }
    for check in &finished.verdict.checks {
        assert_eq!(check.status, record::CheckStatus::Pass, "{}", check.name);
    }
    assert!(finished.manifest.sim.events > 5_000, "{} events", finished.manifest.sim.events);
}

/// The comparison can fail: of two seeds, everything differs but the scenario.
#[test]
fn what_differs_is_named() {
    let found = differences(&run(STORM, 1, PLAIN, &[]), &run(STORM, 2, PLAIN, &[]));
    let expected = [
        "the fingerprint",
        "the ladder in the manifest",
        "the simulated time or the number of events",
        "events.jsonl.zst",
        "faults.csv",
        "ladder.jsonl.zst",
        "operations.csv",
        "peers.csv",
        "series.csv",
        "summary.csv",
        "verdict.json",
    ];
    assert_eq!(found, expected);
}

#[test]
fn seeds_differ() {
    let fingerprint = |seed| run(STORM, seed, PLAIN, &[]).finished.verdict.fingerprint;
    let seen: std::collections::BTreeSet<_> = (1..=8).map(fingerprint).collect();
    assert_eq!(seen.len(), 8);
}
