//! Hunts: many seeds, what is found among them, and the command that finds it again.

use crate::{Desk, Said, scenario};

/// Seeds of `gusty`, some of which miss its goal.
const SEEDS: &str = "1..21";

fn hunt(desk: &Desk, name: &str, more: &[&str]) -> Said {
    desk.type_in(&[&["hunt", &scenario(name)], more].concat())
}

/// The words of a shell's line without quotes.
fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

#[test]
fn a_hunt_that_finds_nothing_passes_and_leaves_nothing() {
    let desk = Desk::new();
    let said = hunt(&desk, "short", &["--seeds", "1..21"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.starts_with("PASS  short\n20 seeds in "), "{}", said.stdout);
    assert!(said.stdout.contains("\nSeeds\n  20  passed\n"), "{}", said.stdout);
    assert!(said.stdout.contains("\nRun again in a fresh process\n  equal  "), "{}", said.stdout);
    assert!(said.stderr.starts_with("short: 12 peers for 50s, 20 seeds from 1, "), "{}", said.stderr);
    assert_eq!(std::fs::read_dir(desk.path()).unwrap().count(), 0);
}

#[test]
fn quiet_is_quiet() {
    let said = hunt(&Desk::new(), "short", &["--seeds", "1..4", "--quiet"]);
    assert_eq!((said.code, said.stderr.as_str(), said.stdout.lines().count()), (0, "", 2), "{said:?}");
}

#[test]
fn the_first_seed_that_fails_is_shown_with_a_command_that_fails_alike() {
    let desk = Desk::new();
    let said = hunt(&desk, "gusty", &["--seeds", SEEDS, "--jobs", "2", "--set", "duration=31s"]);
    assert_eq!(said.code, 10, "{said:?}");
    assert!(said.stdout.starts_with("FAIL  gusty: a threshold was missed (exit 10)\n"), "{}", said.stdout);
    assert!(said.stdout.contains("\nstopped at the first failure\n"), "{}", said.stdout);
    assert!(said.stdout.lines().all(|line| line.contains("replay: ") || line.chars().count() <= 80));
    let first = said.stdout.lines().find(|line| line.starts_with("  seed ")).unwrap();
    let fingerprint = first.rsplit(' ').next().unwrap();
    let replay = said.stdout.lines().find_map(|line| line.strip_prefix("    replay: wavetank ")).unwrap();
    let again = desk.type_in(&[&words(replay)[..], &["--no-report"]].concat());
    assert_eq!(again.code, 10, "{replay}: {again:?}");
    assert!(again.stdout.contains(&format!("\nfingerprint  {fingerprint}\n")), "{first}: {}", again.stdout);
}

#[test]
fn programs_read_one_document_with_all_that_failed() {
    let desk = Desk::new();
    let said = hunt(&desk, "gusty", &["--seeds", SEEDS, "--keep-going", "--format", "json"]);
    let document = said.json();
    assert_eq!((said.code, &document["exit_code"]), (10, &10.into()), "{document}");
    assert_eq!(document["status"], "fail");
    assert_eq!((&document["ended_by"], &document["done"]), (&"seeds".into(), &20.into()));
    assert_eq!((&document["first_seed"], &document["last_seed"]), (&"1".into(), &"20".into()));
    let failures = document["failures"].as_array().unwrap();
    assert!((1..20).contains(&failures.len()), "some seeds fail and some pass: {document}");
    assert_eq!(document["failed"], failures.len());
    let kinds = document["by_exit_code"].as_array().unwrap();
    let counted: Vec<_> = kinds.iter().map(|kind| (&kind["exit_code"], &kind["seeds"])).collect();
    let (passed, failed) = ((20 - failures.len()).into(), failures.len().into());
    assert_eq!(counted, [(&0.into(), &passed), (&10.into(), &failed)]);
    let rechecked = document["recheck"]["done"].as_u64().unwrap();
    assert!(rechecked >= failures.len() as u64, "what fails is run again: {document}");
    assert_eq!(document["recheck"]["differing"], 0);
    for failure in failures {
        let seed = failure["seed"].as_str().unwrap();
        let replay = format!("wavetank run {} --seed {seed}", scenario("gusty"));
        assert_eq!((&failure["exit_code"], &failure["replay"]), (&10.into(), &replay.into()));
        assert_eq!(failure["difference"], serde_json::Value::Null);
    }
}

#[test]
fn what_is_found_depends_neither_on_threads_nor_on_drivers() {
    let desk = Desk::new();
    let found = |more: &[&str]| {
        let common = ["--seeds", SEEDS, "--keep-going", "--format", "json", "--recheck", "100%"];
        let document = hunt(&desk, "gusty", &[&common, more].concat()).json();
        let failures = document["failures"].as_array().unwrap().clone();
        let seeds: Vec<_> = failures
            .iter()
            .map(|failure| (failure["seed"].clone(), failure["fingerprint"].clone()))
            .collect();
        assert_eq!(
            (&document["recheck"]["done"], &document["recheck"]["differing"]),
            (&20.into(), &0.into())
        );
        (seeds, document["sometimes"].clone())
    };
    let alone = found(&["--jobs", "1"]);
    assert_eq!(found(&["--jobs", "4", "--driver", "inline"]), alone);
}

#[test]
fn a_sometimes_check_that_no_seed_reaches_exits_17() {
    let never = "checks.sometimes=[bucket_full]";
    let said = hunt(&Desk::new(), "short", &["--seeds", "1..4", "--set", never]);
    assert_eq!(said.code, 17, "{said:?}");
    assert!(said.stdout.contains("  - `bucket_full` was never reached in 3 seeds\n"), "{}", said.stdout);
    assert!(said.stdout.contains("  NEVER  bucket_full  in 0 of 3 seeds\n"), "{}", said.stdout);
}

#[test]
fn the_environment_of_a_hunt_does_not_reach_its_fresh_processes() {
    let desk = Desk::new();
    let output = desk
        .command(&["hunt", &scenario("short")])
        .env("WAVETANK_SEEDS", "1..4")
        .env("WAVETANK_RECHECK", "100%")
        .env("WAVETANK_SET", "peers.everybody.count=10;duration=40s")
        .env("WAVETANK_DRIVER", "inline")
        .env("WAVETANK_FORMAT", "json")
        .env("WAVETANK_VERBOSE", "1")
        .output();
    let said = Said::of(output.unwrap());
    let document = said.json();
    assert_eq!((said.code, &document["recheck"]["done"]), (0, &3.into()), "{said:?}");
    assert_eq!((&document["driver"], &document["set"][1]), (&"inline".into(), &"duration=40s".into()));
}

#[test]
fn a_hunt_for_some_time_ends_with_it() {
    let said = hunt(&Desk::new(), "short", &["--for", "300ms", "--format", "json"]);
    let document = said.json();
    assert_eq!((said.code, &document["ended_by"]), (0, &"time".into()), "{said:?}");
    assert!(document["done"].as_u64().unwrap() > 0, "{document}");
}

#[test]
fn an_invalid_scenario_is_not_hunted() {
    let said = hunt(&Desk::new(), "short", &["--seeds", "1..9", "--set", "duration=never"]);
    assert_eq!((said.code, said.stdout.as_str()), (3, ""), "{said:?}");
    assert!(said.stderr.contains("duration"), "{}", said.stderr);
}
