//! What helps to begin: new scenarios, and whether the machine is fit.

use std::fs;

use crate::Desk;
use crate::shelf::fails;

#[test]
fn each_kind_of_new_scenario_is_valid_and_passes() {
    let desk = Desk::new();
    for kind in ["lookups", "records", "churn", "partition", "scale"] {
        let file = format!("{kind}.yaml");
        let said = desk.type_in(&["scenario", "new", kind, "--out", &file]);
        assert_eq!((said.code, said.stdout), (0, format!("{file}\n")), "{kind}");
        let printed = desk.type_in(&["scenario", "new", kind]).stdout;
        assert_eq!(fs::read_to_string(desk.path().join(&file)).unwrap(), printed);
        assert!(printed.starts_with("# yaml-language-server: $schema=scenario-v1.json\n"), "{printed}");
        for part in ["# Question: ", "# Expected: ", "# Change next: "] {
            assert!(printed.contains(part), "{kind}: {part}");
        }
        let checked = desk.type_in(&["check", &file]);
        assert_eq!((checked.code, checked.stderr.as_str()), (0, ""), "{kind}: {checked:?}");
        let run =
            desk.type_in(&["run", &file, "--driver", "inline", "--no-report", "--quiet", "--out", kind]);
        assert_eq!(run.code, 0, "{kind}: {run:?}");
    }
}

#[test]
fn a_new_scenario_overwrites_nothing() {
    let desk = Desk::new();
    fs::write(desk.path().join("mine.yaml"), "mine").unwrap();
    fails(&desk.type_in(&["scenario", "new", "churn", "--out", "mine.yaml"]), 18, "mine.yaml");
    assert_eq!(fs::read_to_string(desk.path().join("mine.yaml")).unwrap(), "mine");
    fails(&desk.type_in(&["scenario", "new", "churn", "--out", "no/such/folder.yaml"]), 18, "folder.yaml");
    let said = desk.type_in(&["scenario", "new", "weather"]);
    assert!(said.code == 2 && said.stderr.contains("partition"), "it names the kinds: {said:?}");
}

#[test]
fn a_doctor_finds_a_fit_machine_fit_and_says_what_is_not() {
    let desk = Desk::new();
    let said = desk.type_in(&["doctor"]);
    assert_eq!(said.code, 0, "{said:?}");
    for what in ["program", "cores", "memory", "terminal", "runs", "room", "self-test"] {
        assert!(
            said.stdout.lines().any(|line| line.split_whitespace().nth(1) == Some(what)),
            "{what}: {}",
            said.stdout
        );
    }
    assert!(said.stdout.contains("both drivers alike"), "{}", said.stdout);
    assert!(said.stdout.lines().all(|line| line.chars().count() <= 80), "{}", said.stdout);
    assert!(!desk.path().join("runs").exists(), "it leaves nothing");

    fs::write(desk.path().join("file"), "").unwrap();
    let said = desk.command(&["doctor", "--format", "json"]).env("WAVETANK_RUNS", "file").output().unwrap();
    let document: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!((said.status.code(), &document["exit_code"]), (Some(18), &18.into()));
    let runs =
        document["findings"].as_array().unwrap().iter().find(|finding| finding["what"] == "runs").unwrap();
    assert!(
        runs["health"] == "fail" && runs["fix"].as_str().is_some_and(|fix| fix.contains("--out")),
        "{runs}"
    );
}
