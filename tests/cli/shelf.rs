//! The runs on the shelf: listed, and shown again from their folders.

use std::fs;

use crate::{Desk, Said, manifest, scenario};

pub(crate) fn fails(said: &Said, code: i32, words: &str) {
    assert_eq!((said.code, said.stdout.as_str()), (code, ""), "{said:?}");
    assert!(said.stderr.contains("error: ") && said.stderr.contains(words), "{}", said.stderr);
}

/// Makes a folder look as a run leaves it that was killed.
#[expect(clippy::indexing_slicing, reason = "a helper of tests")]
pub(crate) fn kill(folder: &std::path::Path) {
    let mut document = manifest(folder);
    document["status"] = "running".into();
    document["fingerprint"]["value"] = serde_json::Value::Null;
    document["fingerprint"]["ladder"] = serde_json::json!([]);
    document["sim"]["ended_ms"] = serde_json::Value::Null;
    document["verdict"] = serde_json::Value::Null;
    fs::write(folder.join("manifest.json"), document.to_string()).unwrap();
    for file in
        ["verdict.json", "peers.csv", "summary.csv", "ladder.jsonl.zst", "operations.csv", "series.csv"]
    {
        fs::remove_file(folder.join(file)).unwrap();
    }
}

#[test]
fn runs_are_listed_with_when_seed_verdict_and_fingerprint() {
    let desk = Desk::new();
    desk.passes("short", "runs/short/one", &["--seed", "7"]);
    desk.passes("short", "runs/short/two", &["--seed", "8"]);
    desk.passes("short", "runs/killed", &[]);
    kill(&desk.path().join("runs/killed"));
    let said = desk.type_in(&["runs", "ls"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{said:?}");
    let one = manifest(&desk.path().join("runs/short/one"));
    let fingerprint = one["fingerprint"]["value"].as_str().unwrap();
    let line = said.stdout.lines().find(|line| line.starts_with("  one ")).unwrap();
    assert!(line.contains(" 7 ") && line.contains(" PASS ") && line.ends_with(&fingerprint[..8]), "{line}");
    assert!(
        said.stdout.lines().any(|line| line.contains("killed") && line.contains("not ended")),
        "{}",
        said.stdout
    );
    assert!(said.stdout.lines().all(|line| line.chars().count() <= 80), "{}", said.stdout);

    let document = desk.type_in(&["runs", "ls", "runs/short", "--format", "json"]).json();
    let seeds: Vec<_> = document["runs"].as_array().unwrap().iter().map(|run| run["seed"].clone()).collect();
    assert_eq!(seeds, ["7", "8"]);
}

#[test]
fn a_folder_that_is_no_run_any_more_is_left_out_of_the_list_with_a_word() {
    let desk = Desk::new();
    desk.passes("short", "runs/good", &[]);
    fs::create_dir_all(desk.path().join("runs/broken")).unwrap();
    fs::write(desk.path().join("runs/broken/manifest.json"), "{").unwrap();
    let said = desk.type_in(&["runs", "ls"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.contains("good") && !said.stdout.contains("broken"), "{}", said.stdout);
    assert!(said.stderr.contains("left out: ") && said.stderr.contains("broken"), "{}", said.stderr);
    fails(&desk.type_in(&["runs", "ls", "nowhere"]), 4, "nowhere");
    fs::create_dir(desk.path().join("bare")).unwrap();
    assert_eq!(desk.type_in(&["runs", "ls", "bare"]).stdout, "no run below bare\n");
}

#[test]
fn a_run_is_shown_as_it_ended() {
    let desk = Desk::new();
    let ended = desk.type_in(&["run", &scenario("missed"), "--out", "out", "--verbose", "--no-report"]);
    assert_eq!(ended.code, 10);
    let shown = desk.type_in(&["runs", "show", "out"]);
    assert_eq!((shown.code, shown.stderr.as_str()), (0, ""));
    assert_eq!(shown.stdout, ended.stdout);
    let document = desk.type_in(&["runs", "show", "out", "--format", "json"]).json();
    assert_eq!((&document["status"], &document["exit_code"]), (&"fail".into(), &10.into()));
}

#[test]
fn a_killed_run_is_shown_as_one() {
    let desk = Desk::new();
    desk.passes("short", "out", &[]);
    kill(&desk.path().join("out"));
    let said = desk.type_in(&["runs", "show", "out"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.starts_with("NOT ENDED  short\n"), "{}", said.stdout);
    assert!(said.stdout.contains("wavetank replay out"), "{}", said.stdout);
    let document = desk.type_in(&["runs", "show", "out", "--format", "json"]).json();
    assert_eq!(document["status"], "running");
    fails(&desk.type_in(&["runs", "show", "nowhere"]), 4, "nowhere");
}
