//! What a run was: seen again up to a moment, one lookup explained, an event traced to what began it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::shelf::{fails, kill};
use crate::{Desk, manifest};

fn rows(folder: &Path, file: &str) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let head = lines.next().unwrap();
    lines.map(|cells| head.iter().cloned().zip(cells).collect()).collect()
}

/// Changes a manifest with `change`.
fn edit(folder: &Path, change: impl FnOnce(&mut Value)) {
    let mut document = manifest(folder);
    change(&mut document);
    fs::write(folder.join("manifest.json"), document.to_string()).unwrap();
}

#[test]
fn a_replay_stops_at_a_moment_and_shows_the_peer_alike_however_it_is_driven() {
    let desk = Desk::new();
    desk.passes("short", "run", &[]);
    let look_at = |to: &str, more: &[&str]| {
        let said = desk.type_in(
            &[&["replay", "run", "--to", to, "--peer", "everybody-4", "--format", "json"], more].concat(),
        );
        assert_eq!(said.code, 0, "{said:?}");
        said.json()
    };
    let look = |more: &[&str]| look_at("30s", more);
    let first = look(&[]);
    for machine in [&["--driver", "inline"][..], &["--threads", "3"]] {
        assert_eq!(look(machine), first, "{machine:?}");
    }
    assert_eq!((&first["peers_up"], &first["peer"]["number"]), (&12.into(), &4.into()));
    assert_eq!((&first["peer"]["up"], &first["peer"]["incarnation"]), (&true.into(), &0.into()));
    let buckets = first["peer"]["life"]["buckets"].as_array().unwrap();
    let contacts: usize = buckets.iter().map(|bucket| bucket["contacts"].as_array().unwrap().len()).sum();
    assert_eq!(contacts, 11, "by then it knows everybody");
    let events = first["events"].as_array().unwrap();
    assert_eq!(events.len(), 40);
    assert!(events.iter().all(|event| event["t_ns"].as_u64() < Some(30_000_000_000) && event["peer"] == 4));
    assert!(first["earlier_events"].as_u64() > Some(0));
    assert!(first["seen_again"]["rungs"].as_u64() > Some(30), "{}", first["seen_again"]);
    // An earlier look shows less.
    let early = look_at("2s", &["--last", "1000"]);
    assert!(early["events"].as_array().unwrap().len() < 200, "{early}");
}

#[test]
fn a_peer_has_a_number_a_name_and_an_id() {
    let desk = Desk::new();
    desk.passes("short", "run", &[]);
    let id = rows(&desk.path().join("run"), "peers.csv")[7]["id"].clone();
    for peer in ["7", "everybody-7", "everybody/7", &id, &id[..20]] {
        let said = desk.type_in(&["replay", "run", "--to", "20s", "--peer", peer]);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(said.stdout.contains("\neverybody-7  peer 7, "), "{peer}: {}", said.stdout);
        assert!(said.stdout.lines().all(|line| line.chars().count() <= 80), "{}", said.stdout);
    }
    for (peer, words) in [
        ("12", "no peer is called `12`"),
        ("everybody-12", "no peer"),
        ("edge-1", "no peer"),
        ("12D3KooW", "12 peers"),
    ] {
        fails(&desk.type_in(&["replay", "run", "--to", "20s", "--peer", peer]), 2, words);
    }
    fails(&desk.type_in(&["replay", "run", "--to", "2h"]), 2, "the run is over at 50s");
    let said = desk.type_in(&["replay", "run", "--to", "1s"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.starts_with("STOPPED  short at 1s: "), "{}", said.stdout);
}

#[test]
fn a_peer_that_has_not_started_is_said_not_to_be_up() {
    let desk = Desk::new();
    desk.passes("short", "run", &[]);
    let said = desk.type_in(&["replay", "run", "--to", "1ms", "--peer", "11", "--format", "json"]);
    let peer = said.json()["peer"].clone();
    assert_eq!(
        (&peer["up"], &peer["life"], &peer["incarnation"]),
        (&false.into(), &Value::Null, &Value::Null)
    );
}

/// What a story says agrees with what the run had measured.
#[test]
fn an_operation_is_explained_as_it_was_measured() {
    let desk = Desk::new();
    let run = desk.path().join("run");
    let ended = desk.type_in(&["run", &crate::scenario("gusty"), "--out", "run", "--no-report"]);
    assert!([0, 10].contains(&ended.code), "{ended:?}");
    let operations = rows(&run, "operations.csv");
    let operations: Vec<_> = operations.into_iter().filter(|row| !row["latency_ms"].is_empty()).collect();
    let late = operations.iter().filter(|row| row["timeouts"] != "0" && !row["timeouts"].is_empty()).take(3);
    let mut timeouts = 0;
    for row in operations.iter().step_by(20).chain(late) {
        let number = &row["operation"];
        let said = desk.type_in(&["explain", "lookup", "run", number, "--format", "json"]);
        assert_eq!(said.code, 0, "{said:?}");
        let story = said.json();
        let asked = story["asked"].as_array().unwrap();
        assert_eq!(asked.len().to_string(), row["messages"], "{number}: {story}");
        let unanswered =
            asked.iter().filter(|asked| !asked["ended_ns"].is_null() && asked["end"] != "answered");
        let unanswered = unanswered.count();
        timeouts += unanswered;
        assert_eq!(unanswered.to_string(), row["timeouts"], "{number}");
        assert_eq!(story["hops"].to_string(), row["hops"], "{number}");
        assert_eq!(story["ended_ns"].to_string(), row["end_ns"], "{number}");
        let recall = story["found"].as_f64().unwrap() / story["truth"].as_array().unwrap().len() as f64;
        assert!((recall - row["recall"].parse::<f64>().unwrap()).abs() < 1e-6, "{number}: {recall}");
        for asked in asked {
            let parent = asked["named_by"].as_u64();
            assert_eq!(parent.is_none(), asked["round"] == 1, "{number}: {asked}");
        }
    }
    assert!(timeouts > 0, "links that lose make some");
}

#[test]
fn an_explanation_reads_well_and_fits_80_columns() {
    let desk = Desk::new();
    desk.passes("short", "run", &[]);
    let said = desk.type_in(&["explain", "lookup", "run", "60"]);
    assert_eq!((said.code, said.stderr.contains("error")), (0, false), "{said:?}");
    for words in ["OPERATION 60  lookup of the key of everybody-", "Search (from ", "stopped ", "Truth (the "]
    {
        assert!(said.stdout.contains(words), "{words}: {}", said.stdout);
    }
    assert!(said.stdout.lines().all(|line| line.chars().count() <= 80), "{}", said.stdout);
    assert_eq!(desk.type_in(&["explain", "lookup", "run", "60", "--driver", "inline"]).stdout, said.stdout);
}

#[test]
fn an_operation_that_is_not_there_is_refused_by_name() {
    let desk = Desk::new();
    desk.passes("short", "run", &[]);
    fails(&desk.type_in(&["explain", "lookup", "run", "9999"]), 2, "no operation 9999");
    fails(&desk.type_in(&["explain", "lookup", "nowhere", "0"]), 4, "nowhere");
    kill(&desk.path().join("run"));
    fails(&desk.type_in(&["explain", "lookup", "run", "0"]), 4, "operations.csv");
    let said = desk.type_in(&["replay", "run", "--to", "20s", "--peer", "3"]);
    assert_eq!(said.code, 0, "a killed run is seen again: {said:?}");
    assert!(said.stdout.contains("no rung by then"), "{}", said.stdout);
}

#[test]
fn what_is_not_the_same_run_is_not_shown_as_one() {
    let desk = Desk::new();
    let run = desk.path().join("run");
    desk.passes("short", "run", &[]);
    let looks: [&[&str]; 3] = [
        &["replay", "run", "--to", "20s", "--peer", "3"],
        &["explain", "lookup", "run", "60"],
        &["why", "run", "3.300"],
    ];
    edit(&run, |manifest| manifest["fingerprint"]["ladder"][2]["value"] = "0123456789abcdef".into());
    for arguments in looks {
        fails(&desk.type_in(arguments), 16, "came out differently");
    }
    edit(&run, |manifest| manifest["scenario"]["plan_sha256"] = "00".repeat(32).into());
    for arguments in looks {
        fails(&desk.type_in(arguments), 16, "another plan");
    }
}

/// The chain's events, each with its kind.
fn chain(document: &Value) -> Vec<(String, String)> {
    let links = document["chain"].as_array().unwrap();
    links
        .iter()
        .map(|link| (link["event"].as_str().unwrap().to_owned(), link["kind"].as_str().unwrap().to_owned()))
        .collect()
}

#[test]
fn an_event_is_traced_to_what_began_it_from_the_log_and_from_the_run_alike() {
    let desk = Desk::new();
    desk.passes("short", "run", &[]);
    desk.passes("short", "logged", &["--set", "observe.events={mode: fixed, value: 12}"]);
    let mut kinds = std::collections::BTreeSet::new();
    for event in ["3.0", "3.57", "3.300", "5.120", "7.401"] {
        let said = desk.type_in(&["why", "run", event, "--format", "json"]);
        assert_eq!(said.code, 0, "{said:?}");
        let (seen, logged) =
            (said.json(), desk.type_in(&["why", "logged", event, "--format", "json"]).json());
        assert!(logged["seen_again"].is_null() && seen["seen_again"].is_object(), "{event}");
        assert_eq!(logged["chain"], seen["chain"], "{event}");
        assert_eq!(logged["began_with"], seen["began_with"]);
        let links = seen["chain"].as_array().unwrap();
        for pair in links.windows(2) {
            assert_eq!(pair[0]["cause"], pair[1]["event"], "{event}");
            assert!(pair[0]["t_ns"].as_u64() >= pair[1]["t_ns"].as_u64(), "{event}");
        }
        let chain = chain(&seen);
        assert_eq!(chain[0].0, event);
        kinds.insert(chain.last().unwrap().1.clone());
    }
    assert!(
        kinds.iter().all(|kind| ["command", "deadline", "started"].contains(&kind.as_str())),
        "{kinds:?}"
    );
    assert!(kinds.len() > 1, "{kinds:?}");
}

#[test]
fn a_request_that_timed_out_is_traced_to_what_sent_it() {
    let desk = Desk::new();
    desk.type_in(&[
        "run",
        &crate::scenario("gusty"),
        "--out",
        "run",
        "--no-report",
        "--set",
        "observe.events={mode: fixed, value: 12}",
    ]);
    let said =
        desk.type_in(&["replay", "run", "--to", "25s", "--peer", "2", "--last", "9999", "--format", "json"]);
    let document = said.json();
    let failed = document["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|event| event["kind"] == "failed")
        .unwrap()
        .clone();
    let why = desk.type_in(&["why", "run", failed["event"].as_str().unwrap(), "--format", "json"]).json();
    let sender = &why["chain"][1];
    let told: Vec<_> = sender["told"].as_array().unwrap().iter().map(|told| told.as_str().unwrap()).collect();
    let given_up = why["chain"][0]["told"][0].as_str().unwrap();
    let (_, peer) = given_up.split_once("gives up on ").unwrap();
    let (peer, _) = peer.split_once(':').unwrap();
    assert!(told.iter().any(|told| told.contains(&format!("asks {peer} "))), "{given_up}: {told:?}");
}

#[test]
fn an_event_that_is_none_is_refused() {
    let desk = Desk::new();
    desk.passes("short", "run", &[]);
    fails(&desk.type_in(&["why", "run", "3.4000000"]), 2, "no event 3.4000000");
    fails(&desk.type_in(&["why", "run", "99.1"]), 2, "no event 99.1");
    fails(&desk.type_in(&["why", "nowhere", "3.1"]), 4, "nowhere");
    let said = desk.type_in(&["why", "run", "3"]);
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("417.12"), "{}", said.stderr);
}
