//! Provider records, peers that do not serve, and arrivals of every kind, run in every way; and a run's folder, which
//! repeats the run without the files that it came from.

use std::fs;

use run::Out;

use crate::ways::{OTHERS, PLAIN, assert_same, run};
use crate::{CROWD, in_house};

#[test]
fn no_way_of_running_shows_in_a_crowd() {
    for seed in 1..=3 {
        let plain = run(CROWD, seed, PLAIN, &[]);
        for way in OTHERS {
            assert_same(&format!("seed {seed}, {way:?}"), &plain, &run(CROWD, seed, *way, &[]));
        }
    }
    let dialled = [("fidelity.links", "dialled")];
    let plain = run(CROWD, 4, PLAIN, &dialled);
    for way in OTHERS {
        assert_same(&format!("dialled, {way:?}"), &plain, &run(CROWD, 4, *way, &dialled));
    }
}

#[test]
fn everything_in_a_crowd_happens() {
    let crowd = run(CROWD, 1, PLAIN, &[]).finished;
    let inert: Vec<_> = crowd.verdict.tallies.iter().filter(|tally| tally.got == 0).collect();
    assert!(inert.is_empty(), "{inert:?}");
    let found = crowd.verdict.thresholds.iter().find(|goal| goal.metric == "provider.find_success_ratio");
    let samples = found.unwrap().samples;
    assert!(samples > 50, "{samples} searches had somebody to find");
}

#[test]
fn a_folder_repeats_its_run_without_the_files_that_it_came_from() {
    let home = tempfile::tempdir().unwrap();
    let source = home.path().join("source");
    fs::create_dir(&source).unwrap();
    for name in ["crowd.yaml", "crowd.csv"] {
        fs::copy(in_house(CROWD).with_file_name(name), source.join(name)).unwrap();
    }
    let moments = fs::read(source.join("crowd.csv")).unwrap();
    let folder = home.path().join("run");
    let first = run::scenario(source.join("crowd.yaml")).out(Out::Folder(folder.clone())).run().unwrap();
    fs::remove_dir_all(&source).unwrap();
    assert_eq!(fs::read(folder.join("inputs").join("crowd.csv")).unwrap(), moments);
    let again = run::replay(&folder).unwrap().run().unwrap();
    assert_eq!(again.verdict.fingerprint, first.verdict.fingerprint);
    let hashes = &first.manifest.scenario.inputs;
    assert_eq!(hashes.keys().collect::<Vec<_>>(), ["crowd.csv"]);
    assert_eq!(&again.manifest.scenario.inputs, hashes);

    // Other moments are another run, and the manifest says so.
    fs::write(folder.join("inputs").join("crowd.csv"), "at_ms\n1000\n2000\n9000\n20000\n").unwrap();
    let other = run::replay(&folder).unwrap().run().unwrap();
    assert_ne!(other.verdict.fingerprint, first.verdict.fingerprint);
    assert_ne!(&other.manifest.scenario.inputs, hashes);
}
