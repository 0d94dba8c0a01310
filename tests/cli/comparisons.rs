//! Two runs held against each other, figure by figure.

use std::fs;

use crate::shelf::fails;
use crate::{Desk, scenario};

#[test]
fn equal_runs_are_within_any_tolerance() {
    let desk = Desk::new();
    desk.passes("short", "first", &[]);
    desk.passes("short", "second", &["--driver", "inline"]);
    let said = desk.type_in(&["runs", "compare", "first", "second", "--tolerance", "0%"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{said:?}");
    assert!(said.stdout.starts_with("WITHIN  "), "{}", said.stdout);
    assert!(said.stdout.contains("one pair: no interval"), "{}", said.stdout);
}

#[test]
fn a_slower_network_is_beyond_and_a_tolerance_of_its_own_lets_it_pass() {
    let desk = Desk::new();
    desk.passes("short", "near", &[]);
    desk.passes("short", "far", &["--set", "network.uniform.latency.one_way=22ms"]);
    let said = desk.type_in(&["runs", "compare", "near", "far", "--out", "page.html"]);
    assert_eq!(said.code, 10, "{said:?}");
    assert!(said.stdout.starts_with("BEYOND  "), "{}", said.stdout);
    assert!(said.stdout.lines().all(|line| line.chars().count() <= 80), "{}", said.stdout);
    let page = fs::read_to_string(desk.path().join("page.html")).unwrap();
    assert!(page.contains("lookup.latency.p95") && page.matches("<polyline class=\"b\"").count() > 5);
    assert!(!page.contains("http"), "one file, and nothing beside it");

    let document = desk.type_in(&["runs", "compare", "near", "far", "--format", "json"]).json();
    let figures = document["figures"].as_array().unwrap();
    let latency = figures.iter().find(|figure| figure["metric"] == "lookup.latency").unwrap();
    let relative = latency["relative"].as_f64().unwrap();
    assert!((0.05..0.2).contains(&relative) && latency["beyond"] == true, "{latency}");
    let tolerant = [
        "runs",
        "compare",
        "near",
        "far",
        "--tolerance",
        "90%",
        "--tolerance",
        "lookup.latency=1%",
        "--format",
        "json",
    ];
    let document = desk.type_in(&tolerant).json();
    let beyond = document["figures"].as_array().unwrap().iter().filter(|figure| figure["beyond"] == true);
    let beyond: std::collections::BTreeSet<_> =
        beyond.map(|figure| figure["metric"].as_str().unwrap()).collect();
    assert_eq!(beyond.into_iter().collect::<Vec<_>>(), ["lookup.latency"]);
    assert_eq!(desk.type_in(&["runs", "compare", "near", "far", "--tolerance", "99%"]).code, 0);
    let told = desk
        .command(&["runs", "compare", "near", "far"])
        .env("WAVETANK_TOLERANCE", "99%;lookup.latency=1%")
        .output();
    assert_eq!(told.unwrap().status.code(), Some(10));
}

#[test]
fn repeated_runs_are_compared_in_pairs_of_one_seed() {
    let desk = Desk::new();
    let short = scenario("short");
    for (out, more) in [
        ("near", &["--repeat", "3"][..]),
        ("far", &["--repeat", "4", "--set", "network.uniform.latency.one_way=24ms"]),
    ] {
        let said = desk.type_in(&[&["run", &short, "--out", out, "--no-report"], more].concat());
        assert_eq!(said.code, 0, "{said:?}");
    }
    let said = desk.type_in(&["runs", "compare", "near", "far", "--format", "json"]);
    let document = said.json();
    assert_eq!((said.code, &document["pairs"], &document["unpaired"]), (10, &3.into(), &1.into()));
    let figures = document["figures"].as_array().unwrap();
    let latency = figures.iter().find(|figure| figure["metric"] == "lookup.latency").unwrap();
    let [low, high] = [0, 1].map(|end| latency["difference"]["interval"][end].as_f64().unwrap());
    assert!(0.0 < low && low <= high, "slower for each seed: {latency}");
    assert!(desk.type_in(&["runs", "compare", "near", "far"]).stdout.contains("95 % interval"));
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let desk = Desk::new();
    desk.passes("short", "run", &[]);
    fs::create_dir(desk.path().join("empty")).unwrap();
    fails(&desk.type_in(&["runs", "compare", "run", "nowhere"]), 4, "nowhere");
    fails(&desk.type_in(&["runs", "compare", "empty", "run"]), 4, "empty");
    fails(
        &desk.type_in(&["runs", "compare", "run", "run", "--tolerance", "lookup.latncy=1%"]),
        2,
        "lookup.latncy",
    );
    fails(&desk.type_in(&["runs", "compare", "run", "run", "--out", "empty"]), 18, "empty");
    assert_eq!(desk.type_in(&["runs", "compare", "run", "run", "--tolerance", "much"]).code, 2);
    desk.passes("short", "killed", &[]);
    crate::shelf::kill(&desk.path().join("killed"));
    fails(&desk.type_in(&["runs", "compare", "run", "killed"]), 4, "did not end");
}
