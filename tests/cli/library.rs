//! The demo, and what helps to write scenarios and commands.

use crate::{Desk, house, manifest};

#[test]
fn the_demo_needs_no_file_and_says_what_to_try_next() {
    let desk = Desk::new();
    let said = desk.type_in(&["demo", "--out", "out", "--no-report", "--driver", "inline"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.starts_with("PASS  demo\n"), "{}", said.stdout);
    assert!(said.stderr.contains("\nWhat next:\n  wavetank demo --seed 7"), "{}", said.stderr);
    let again = desk.type_in(&["replay", "out", "--driver", "inline"]);
    assert_eq!(again.code, 0, "the folder holds the scenario: {again:?}");
}

#[test]
fn what_the_demo_prints_is_a_scenario() {
    let desk = Desk::new();
    let said = desk.type_in(&["demo", "--yaml"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    std::fs::write(desk.path().join("demo.yaml"), &said.stdout).unwrap();
    let run = |arguments: &[&str], out: &str| {
        let more = ["--no-report", "--quiet", "--driver", "inline", "--seed", "3", "--out", out];
        let said = desk.type_in(&[arguments, &more].concat());
        assert!([0, 10].contains(&said.code), "{said:?}");
        manifest(&desk.path().join(out))["fingerprint"].clone()
    };
    assert_eq!(run(&["run", "demo.yaml"], "one"), run(&["demo"], "other"));
}

#[test]
fn scenarios_are_listed_with_what_they_are_about() {
    let desk = Desk::new();
    let library = house().join("tests/cli/scenarios").display().to_string();
    let said = desk.type_in(&["scenario", "ls", &library]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    let listed = "short.yaml     12 peers  50s\n      Twelve peers look each other up for half a minute.\n";
    assert!(said.stdout.contains(listed), "{}", said.stdout);
    let json = desk.type_in(&["scenario", "ls", &library, "--format", "json"]).json();
    assert_eq!(json["scenarios"].as_array().unwrap().len(), 8);
    assert!(json["scenarios"].as_array().unwrap().iter().all(|one| one["plan"]["peers"].is_u64()), "{json}");

    std::fs::write(desk.path().join("wrong.yaml"), "version: 1\n").unwrap();
    let said = desk.type_in(&["scenario", "ls", "."]);
    assert_eq!((said.code, said.stdout.as_str()), (0, "  ./wrong.yaml  not valid\n"));
    let said = desk.type_in(&["scenario", "ls", "nowhere"]);
    assert_eq!(said.code, 3);
    assert!(said.stderr.starts_with("error: cannot read nowhere: "), "{}", said.stderr);
}

#[test]
fn the_schema_that_is_printed_is_the_committed_one() {
    let said = Desk::new().type_in(&["scenario", "schema"]);
    let committed = std::fs::read_to_string(house().join("scenarios/scenario-v1.json")).unwrap();
    assert!(said.code == 0 && said.stdout == committed);
}

#[test]
fn keys_and_codes_are_explained() {
    let desk = Desk::new();
    let explained = |word: &str| desk.type_in(&["scenario", "explain", word]);
    let said = explained("peers.edge.count");
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    assert!(said.stdout.starts_with("peers.*.count\n  "), "{}", said.stdout);
    assert!(said.stdout.contains("  It is a whole number from 1 to "), "{}", said.stdout);
    assert!(explained("wavetank::scenario::unknown_key").stdout.contains("that the grammar does not know"));
    let said = explained("latencyy");
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("did you mean `latency`?"), "{}", said.stderr);
}

#[test]
fn shells_and_man_are_told_of_the_commands() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = desk.type_in(&["completions", shell]);
        assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{shell}");
        assert!(said.stdout.contains("replay") && said.stdout.contains("no-report"), "{shell}");
    }
    for (command, name) in [(&["man"][..], "wavetank"), (&["man", "runs", "diff"], "wavetank-runs-diff")] {
        let said = desk.type_in(command);
        assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{name}");
        assert!(said.stdout.contains(&format!(".TH {name} 1")), "{}", said.stdout);
    }
    for unknown in [&["man", "walk"][..], &["man", "bench-child"]] {
        assert_eq!(desk.type_in(unknown).code, 2, "{unknown:?}");
    }
}
