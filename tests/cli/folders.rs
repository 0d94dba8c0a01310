//! Runs' folders: where they may be made, and what later commands make of them.

use std::fs;
use std::path::Path;

use crate::{Desk, Said, manifest, scenario};

fn fails(said: &Said, code: i32, words: &str) {
    assert_eq!((said.code, said.stdout.as_str()), (code, ""), "{said:?}");
    assert!(said.stderr.contains("error: ") && said.stderr.contains(words), "{}", said.stderr);
}

/// Changes a manifest with `change`.
fn edit(folder: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    let mut document = manifest(folder);
    change(&mut document);
    fs::write(folder.join("manifest.json"), document.to_string()).unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_exits_18() {
    let desk = Desk::new();
    fs::write(desk.path().join("file"), "").unwrap();
    let short = scenario("short");
    fails(&desk.type_in(&["run", &short, "--out", "file/below"]), 18, "file/below");
    fails(&desk.type_in(&["run", &short, "--out", "file"]), 18, "file");
    let said = desk.type_in(&["run", &short, "--out", "file/below", "--format", "json"]);
    assert_eq!((said.code, &said.json()["exit_code"]), (18, &18.into()));
}

#[test]
fn a_folder_that_holds_something_is_left_as_it_is() {
    let desk = Desk::new();
    fs::create_dir(desk.path().join("mine")).unwrap();
    fs::write(desk.path().join("mine/thesis.txt"), "years of work").unwrap();
    fails(&desk.type_in(&["run", &scenario("short"), "--out", "mine"]), 18, "not empty");
    let names: Vec<_> =
        fs::read_dir(desk.path().join("mine")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["thesis.txt"]);
}

#[test]
fn runs_without_a_folder_of_their_own_stand_below_runs_and_the_latest_is_linked() {
    let desk = Desk::new();
    for _ in 0..2 {
        assert_eq!(desk.type_in(&["run", &scenario("short"), "--quiet", "--no-report"]).code, 0);
    }
    let runs = desk.path().join("runs/short");
    assert_eq!(fs::read_dir(&runs).unwrap().count(), 3, "two runs and a link");
    assert_eq!(manifest(&runs.join("latest"))["status"], "pass");
}

#[test]
fn a_replay_verifies_on_other_threads_and_the_other_driver() {
    let desk = Desk::new();
    desk.passes("short", "first", &["--set", "peers.everybody.count=20", "--seed", "9"]);
    for machine in [&[][..], &["--driver", "inline"], &["--threads", "2"]] {
        let said = desk.type_in(&[&["replay", "first"], machine].concat());
        assert_eq!(said.code, 0, "{machine:?}: {said:?}");
        assert!(said.stdout.starts_with("VERIFIED  short"), "{}", said.stdout);
    }
    let said = desk.type_in(&["replay", "first", "--out", "again", "--format", "json"]);
    let document = said.json();
    assert_eq!((said.code, &document["status"]), (0, &"verified".into()));
    let [first, again] = ["first", "again"].map(|folder| manifest(&desk.path().join(folder)));
    assert_eq!(first["fingerprint"], again["fingerprint"]);
    assert_eq!(document["fingerprints"][1], again["fingerprint"]["value"]);
}

#[test]
fn a_replay_that_differs_exits_16_and_keeps_the_second_run() {
    let desk = Desk::new();
    desk.passes("short", "forged", &["--seed", "1"]);
    // What seed 1 left behind, under the name of seed 2.
    edit(&desk.path().join("forged"), |manifest| manifest["seed"] = "2".into());
    let said = desk.type_in(&["replay", "forged"]);
    assert_eq!(said.code, 16, "{said:?}");
    assert!(said.stdout.starts_with("DIVERGED  short"), "{}", said.stdout);
    assert!(said.stdout.contains("everybody-"), "it names peers: {}", said.stdout);
    let kept = said.stdout.lines().find_map(|line| line.strip_prefix("folder       ")).unwrap();
    assert_eq!(manifest(Path::new(kept))["seed"], "2");
    fs::remove_dir_all(kept).unwrap();
}

#[test]
fn runs_of_one_plan_and_seed_do_not_differ() {
    let desk = Desk::new();
    desk.passes("short", "first", &[]);
    desk.passes("short", "second", &["--driver", "inline"]);
    let said = desk.type_in(&["runs", "diff", "first", "second"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{said:?}");
    assert!(said.stdout.starts_with("EQUAL"), "{}", said.stdout);
}

#[test]
fn runs_of_different_seeds_differ_and_it_says_in_what_and_from_when_on() {
    let desk = Desk::new();
    desk.passes("short", "first", &["--seed", "1"]);
    desk.passes("short", "second", &["--seed", "2"]);
    let said = desk.type_in(&["runs", "diff", "first", "second"]);
    assert_eq!(said.code, 16, "{said:?}");
    assert!(
        said.stdout.starts_with("DIFFERENT  at ") && said.stdout.contains("everybody-"),
        "{}",
        said.stdout
    );
    assert!(
        said.stdout.lines().any(|line| line.split_whitespace().eq(["seed", "1", "2"])),
        "{}",
        said.stdout
    );

    let document = desk.type_in(&["runs", "diff", "first", "second", "--format", "json"]).json();
    assert_eq!((&document["difference"], &document["exit_code"]), (&"rung".into(), &16.into()));
    assert!(document["peers"].as_array().is_some_and(|peers| !peers.is_empty()), "{document}");
}

#[test]
fn equal_inputs_and_different_runs_exit_13() {
    let desk = Desk::new();
    desk.passes("short", "first", &["--seed", "1"]);
    desk.passes("short", "second", &["--seed", "2"]);
    let first = manifest(&desk.path().join("first"));
    edit(&desk.path().join("second"), |manifest| {
        manifest["seed"] = first["seed"].clone();
        manifest["scenario"] = first["scenario"].clone();
    });
    let said = desk.type_in(&["runs", "diff", "first", "second"]);
    assert_eq!(said.code, 13, "{said:?}");
}

#[test]
fn a_report_is_written_again_and_its_path_printed() {
    let desk = Desk::new();
    desk.passes("short", "out", &[]);
    assert!(!desk.path().join("out/report").exists());
    let said = desk.type_in(&["report", "out"]);
    assert_eq!((said.code, said.stdout.as_str(), said.stderr.as_str()), (0, "out/report/index.html\n", ""));
    assert!(desk.path().join("out/report/index.html").is_file());
}

#[test]
fn a_report_that_cannot_be_written_exits_18() {
    let desk = Desk::new();
    desk.passes("short", "out", &[]);
    fs::write(desk.path().join("out/report"), "in the way").unwrap();
    fails(&desk.type_in(&["report", "out"]), 18, "out/report");
}

#[test]
fn what_is_no_runs_folder_exits_4() {
    let desk = Desk::new();
    fs::create_dir(desk.path().join("empty")).unwrap();
    desk.passes("short", "broken", &[]);
    fs::write(desk.path().join("broken/manifest.json"), "{").unwrap();
    for path in ["nowhere", "empty", "broken"] {
        for command in [&["replay", path][..], &["report", path], &["runs", "diff", path, path]] {
            fails(&desk.type_in(command), 4, path);
        }
    }
}

#[test]
fn a_folder_of_a_later_version_exits_16() {
    let desk = Desk::new();
    desk.passes("short", "out", &[]);
    edit(&desk.path().join("out"), |manifest| manifest["format"] = 99.into());
    for command in [&["replay", "out"][..], &["report", "out"]] {
        fails(&desk.type_in(command), 16, "newer");
    }
}
