//! Bad scenarios: `check` and `run` refuse them alike, with the same words.

use std::fs;
use std::path::PathBuf;

use crate::{Desk, house, scenario};

/// The invalid scenarios with which the crate that reads them is tested; there, each message is held by a snapshot.
fn invalid() -> Vec<PathBuf> {
    let folder = house().join("scenarios/model/tests/invalid");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// What both commands say of it: exit 3, a diagnostic, nothing on stdout, nothing left behind.
fn refused(desk: &Desk, path: &str) -> String {
    let [check, run] = ["check", "run"].map(|command| desk.type_in(&[command, path]));
    for said in [&check, &run] {
        assert_eq!((said.code, said.stdout.as_str()), (3, ""), "{path}: {}", said.stderr);
        assert!(said.stderr.starts_with("error["), "{path}: {}", said.stderr);
    }
    assert_eq!(check.stderr.trim_end(), run.stderr.trim_end(), "{path}");
    assert!(!desk.path().join("runs").exists(), "{path}");
    check.stderr
}

#[test]
fn every_invalid_scenario_exits_3_with_a_diagnostic() {
    let desk = Desk::new();
    let files = invalid();
    assert!(files.len() >= 15, "the fixtures are there");
    for path in files {
        refused(&desk, &path.display().to_string());
    }
}

#[test]
fn files_made_to_hurt_exit_3_with_few_words() {
    let desk = Desk::new();
    let bomb: String = (1..30).fold("a0: &a0 [x]\n".to_owned(), |text, level| {
        format!("{text}a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", "))
    });
    for (name, bytes) in [
        ("brackets.yaml", "[".repeat(200_000).into_bytes()),
        ("ten_mebibytes.yaml", vec![b'#'; 10 << 20]),
        ("bomb.yaml", bomb.into_bytes()),
        ("latin.yaml", b"name: caf\xe9\n".to_vec()),
        ("empty.yaml", Vec::new()),
        ("zeros.yaml", vec![0; 1_000]),
    ] {
        fs::write(desk.path().join(name), bytes).unwrap();
        let said = refused(&desk, name);
        assert!(said.len() < 20_000, "{name}: {} bytes", said.len());
    }
    fs::create_dir(desk.path().join("folder.yaml")).unwrap();
    refused(&desk, "folder.yaml");
    refused(&desk, "nowhere.yaml");
}

#[test]
fn a_diagnostic_looks_like_this() {
    let desk = Desk::new();
    fs::copy(
        house().join("scenarios/model/tests/invalid/misspelt_key.yaml"),
        desk.path().join("misspelt.yaml"),
    )
    .unwrap();
    insta::assert_snapshot!("misspelt", refused(&desk, "misspelt.yaml"));
}

#[test]
fn a_change_to_a_path_that_is_not_there_exits_3() {
    let desk = Desk::new();
    let short = scenario("short");
    for change in ["peers.everybody.cuont=5", "peers.everybody.count=many", "duration=40", "peers=5"] {
        for command in ["check", "run"] {
            let said = desk.type_in(&[command, &short, "--set", change]);
            assert_eq!((said.code, said.stdout.as_str()), (3, ""), "{change}: {}", said.stderr);
            assert!(said.stderr.contains("--set"), "{change}: {}", said.stderr);
        }
    }
}

#[test]
fn programs_read_every_mistake_with_its_place() {
    let desk = Desk::new();
    let bad = house().join("scenarios/model/tests/invalid/several_mistakes.yaml").display().to_string();
    let short = scenario("short");
    let said = desk.type_in(&["check", &short, &bad, "--format", "json"]);
    assert_eq!(said.code, 3);
    let document = said.json();
    assert_eq!(document["exit_code"], 3);
    assert_eq!(document["scenarios"][0]["valid"], true);
    let rejected = &document["scenarios"][1]["rejected"];
    assert!(rejected["count"].as_u64().is_some_and(|count| count > 1), "{rejected}");
    assert!(
        rejected["errors"][0]["line"].is_u64() && rejected["errors"][0]["code"].is_string(),
        "{rejected}"
    );

    let run = desk.type_in(&["run", &bad, "--format", "json"]);
    assert_eq!((run.code, &run.json()["rejected"]), (3, rejected));
}

#[test]
fn a_valid_scenario_is_named_and_its_plan_is_a_scenario_of_the_same_plan() {
    let desk = Desk::new();
    let short = scenario("short");
    let said = desk.type_in(&["check", &short]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    assert!(said.stdout.starts_with("valid  ") && said.stdout.contains("12 peers"), "{}", said.stdout);

    let plan = desk.type_in(&["check", &short, "--plan", "--set", "peers.everybody.count=34"]).stdout;
    assert!(plan.contains("count: 34"), "{plan}");
    fs::write(desk.path().join("plan.yaml"), &plan).unwrap();
    assert_eq!(desk.type_in(&["check", "plan.yaml", "--plan"]).stdout, plan);
}
