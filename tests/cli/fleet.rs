//! Scenarios on real processes: the same play, the same judge, and nothing left behind.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{Desk, Said, manifest, scenario};

/// How long something may take that takes a second on an idle machine.
const LIMIT: Duration = Duration::from_secs(120);

/// A run on real processes, whose files lie on the desk: so they are told from those of others.
fn on_processes(desk: &Desk, arguments: &[&str]) -> Command {
    let mut command = desk.command(arguments);
    command.args(["--backend", "local"]).env("TMPDIR", desk.path());
    command
}

/// The processes of which an argument lies in this folder.
fn nodes(folder: &Path) -> Vec<u32> {
    let folder = folder.as_os_str().as_encoded_bytes();
    let is_of = |id: &u32| {
        // It may end while it is looked at.
        let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let mut arguments = line.split(|byte| *byte == 0);
        arguments.any(|argument| argument.starts_with(folder))
    };
    let entries = std::fs::read_dir("/proc").unwrap();
    let ids = entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    ids.filter(is_of).collect()
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < LIMIT, "{what}");
        std::thread::yield_now();
    }
}

/// What was asked: by workload, kind, peer and key, how often.
fn asked(out: &Path, workload: u32) -> BTreeMap<(String, u32, String), u32> {
    let run = record::Run::open(out).unwrap();
    let rows: Vec<record::OperationRow> = run.table(100_000).unwrap();
    let mut asked = BTreeMap::new();
    for row in rows.into_iter().filter(|row| row.workload == workload) {
        *asked.entry((row.kind, row.peer, row.key)).or_default() += 1;
    }
    asked
}

#[test]
fn real_processes_play_what_the_simulator_plays() {
    let desk = Desk::new();
    let name = scenario("real");
    let arguments = ["run", &name, "--out", "real", "--format", "json"];
    let said = Said::of(on_processes(&desk, &arguments).output().unwrap());
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(nodes(desk.path()), [0; 0], "no process is left");

    let out = desk.path().join("real");
    let manifest = manifest(&out);
    assert_eq!((&manifest["backend"], &manifest["status"]), (&"local".into(), &"pass".into()));
    assert_eq!(manifest["fidelity"]["crypto"], "real");
    assert_eq!(manifest["fingerprint"]["value"], serde_json::Value::Null);
    assert_eq!(manifest["local"]["processes"], 6, "five peers, and one of them twice");
    for file in ["operations.csv", "series.csv", "summary.csv", "peers.csv", "faults.csv", "events.jsonl.zst"]
    {
        assert!(out.join(file).is_file(), "{file}");
    }
    assert!(!out.join("ladder.jsonl.zst").exists());
    let page = std::fs::read_to_string(out.join("report/index.html")).unwrap();
    assert!(page.contains("real processes"), "the page says what it is a page of");

    // The very peers and the very questions: open arrivals depend on nothing that happens.
    let said = desk.type_in(&["run", &name, "--out", "sim", "--set", "fidelity.crypto=real"]);
    assert_eq!(said.code, 0, "{said:?}");
    let sim = desk.path().join("sim");
    let (on_processes, in_simulation) = (asked(&out, 0), asked(&sim, 0));
    assert!(on_processes.values().sum::<u32>() > 40, "{on_processes:?}");
    assert_eq!(on_processes, in_simulation);
    let ids = |out: &Path| {
        let run = record::Run::open(out).unwrap();
        let peers: Vec<record::PeerRow> = run.table(100).unwrap();
        peers.into_iter().map(|peer| (peer.name, peer.id, peer.lives)).collect::<Vec<_>>()
    };
    assert_eq!(ids(&out), ids(&sim));

    // What nothing repeats is not replayed, and says why.
    let said = desk.type_in(&["replay", "real"]);
    assert_eq!(said.code, 4, "{said:?}");
    assert!(said.stderr.contains("real processes"), "{said:?}");
}

/// A run on real processes that would take minutes, once its nodes are there.
fn begun(desk: &Desk) -> Child {
    let name = scenario("real");
    let arguments = ["run", &name, "--out", "out", "--set", "duration=10m", "--no-report"];
    let mut child =
        on_processes(desk, &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("5 peers for "), "{line}");
    wait_until("the nodes come", || nodes(desk.path()).len() == 5);
    child
}

#[test]
fn a_run_that_is_killed_leaves_no_node() {
    let desk = Desk::new();
    let mut child = begun(&desk);
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the nodes notice", || nodes(desk.path()).is_empty());
}

#[test]
fn a_run_that_is_interrupted_leaves_no_node_and_writes_what_there_is() {
    let desk = Desk::new();
    let child = begun(&desk);
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!(said.code, 130, "{said:?}");
    assert_eq!(nodes(desk.path()), [0; 0], "no process is left");
    let left = std::fs::read_dir(desk.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["out"], "nor any file of theirs");
    assert_eq!(manifest(&desk.path().join("out"))["status"], "interrupted");
}

#[test]
fn what_real_processes_cannot_do_is_refused_by_name_before_anything_starts() {
    let desk = Desk::new();
    let name = scenario("real");
    let changes =
        ["start=oracle", "peers.everybody.count=70", "peers.everybody.speed=50%"].map(|set| ["--set", set]);
    let arguments = [&["run", &name, "--out", "out"], changes.as_flattened()].concat();
    let said = Said::of(on_processes(&desk, &arguments).output().unwrap());
    assert_eq!(said.code, 3, "{said:?}");
    for what in ["start: oracle", "peers: 70 are more than the 64", "peers.everybody.speed"] {
        assert!(said.stderr.contains(what), "{what}: {said:?}");
    }
    assert!(!desk.path().join("out").exists(), "no folder is made for a run that is not made");
}
