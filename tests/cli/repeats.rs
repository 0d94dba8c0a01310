//! One scenario with several seeds: intervals, folders, and the worst verdict.

use crate::{Desk, manifest, scenario};

#[test]
fn seeds_are_run_into_folders_of_their_own_and_give_an_interval() {
    let desk = Desk::new();
    let short = scenario("short");
    let arguments = ["run", &short, "--repeat", "4", "--seed", "5", "--out", "four", "--no-report"];
    let said = desk.type_in(&[&arguments[..], &["--format", "json"]].concat());
    assert_eq!(said.code, 0, "{said:?}");
    let document = said.json();
    let runs = document["runs"].as_array().unwrap();
    let seeds: Vec<_> = runs.iter().map(|run| run["seed"].as_str().unwrap()).collect();
    assert_eq!(seeds, ["5", "6", "7", "8"]);
    for run in runs {
        let kept = manifest(&desk.path().join(run["folder"].as_str().unwrap()));
        assert_eq!((&kept["seed"], &kept["fingerprint"]["value"]), (&run["seed"], &run["fingerprint"]));
    }
    let goal = &document["goals"][0];
    assert_eq!(
        (&goal["metric"], &goal["seeds"], &goal["met"]),
        (&"lookup.success_ratio".into(), &4.into(), &4.into())
    );
    let [low, high] = [0, 1].map(|end| goal["interval"][end].as_f64().unwrap());
    let mean = goal["mean"].as_f64().unwrap();
    assert!(low <= mean && mean <= high, "{goal}");
    assert!(!desk.path().join("four/s5/report").exists());
    // The same folders once more are not written over.
    assert_eq!(desk.type_in(&arguments).code, 18);
}

#[test]
fn the_worst_seed_decides_and_the_screen_fits_80_columns() {
    let desk = Desk::new();
    let said = desk.type_in(&["run", &scenario("gusty"), "--repeat", "6", "--out", "six", "--no-report"]);
    assert!([10, 17].contains(&said.code), "some of its seeds miss: {said:?}");
    assert!(said.stdout.starts_with("FAIL  gusty: "), "{}", said.stdout);
    assert!(said.stdout.contains("lookup.success_ratio") && said.stdout.contains(" of 6"), "{}", said.stdout);
    assert!(said.stdout.lines().all(|line| line.chars().count() <= 80), "{}", said.stdout);
}

#[test]
fn a_single_seed_says_that_it_has_no_interval() {
    let desk = Desk::new();
    let said = desk.type_in(&["run", &scenario("short"), "--out", "one", "--no-report"]);
    assert!(said.stdout.contains("one seed: no interval; run --repeat 10 gives one"), "{}", said.stdout);
    let said = desk.type_in(&["run", &scenario("short"), "--repeat", "1", "--out", "again", "--no-report"]);
    assert!(said.stdout.contains("one seed: none"), "{}", said.stdout);
    for wrong in ["0", "1001", "x"] {
        assert_eq!(desk.type_in(&["run", &scenario("short"), "--repeat", wrong]).code, 2);
    }
}
