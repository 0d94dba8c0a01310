//! Ctrl-C and its kin, sent to a run that would take minutes.
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::{Desk, Said, manifest, scenario};

/// A long run that has begun, and the rest of what it says on stderr.
fn begun(desk: &Desk, stdout: Stdio) -> (Child, BufReader<ChildStderr>) {
    began(desk, &["run", &scenario("long"), "--out", "out"], stdout)
}

fn began(desk: &Desk, arguments: &[&str], stdout: Stdio) -> (Child, BufReader<ChildStderr>) {
    let mut child = desk.command(arguments).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert!(line.contains(": 12 peers for "), "{line}");
    (child, stderr)
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(sent.success(), "{name} reached the run");
}

#[test]
fn interrupted_once_a_run_ends_where_it_is_and_writes_what_there_is() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let desk = Desk::new();
        let (child, mut stderr) = begun(&desk, Stdio::piped());
        signal(&child, name);
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        let said = Said::of(child.wait_with_output().unwrap());
        assert_eq!(said.code, code, "{said:?} {rest}");
        assert!(rest.contains("interrupted: "), "{rest}");
        assert!(said.stdout.starts_with("INTERRUPTED  long: "), "{}", said.stdout);
        let out = desk.path().join("out");
        assert_eq!(manifest(&out)["status"], "interrupted");
        for file in
            ["verdict.json", "series.csv", "operations.csv", "peers.csv", "summary.csv", "report/index.html"]
        {
            assert!(out.join(file).is_file(), "{file}");
        }
    }
}

#[test]
fn killed_a_run_leaves_what_it_had_kept_and_its_report_says_that_it_is_partial() {
    let desk = Desk::new();
    let (mut child, _stderr) = begun(&desk, Stdio::null());
    let out = desk.path().join("out");
    while !["operations.csv", "series.csv", "summary.csv"].iter().all(|file| out.join(file).is_file()) {
        assert!(child.try_wait().unwrap().is_none(), "it runs until it is killed");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(manifest(&out)["status"], "running");
    let said = desk.type_in(&["report", "out"]);
    assert_eq!(said.code, 0, "{said:?}");
    let page = std::fs::read_to_string(out.join("report/index.html")).unwrap();
    assert!(page.contains("running"), "the page says that the run came to no end");
    let run = record::Run::open(&out).unwrap();
    let operations: Vec<record::OperationRow> = run.table(1_000_000).unwrap();
    assert!(!operations.is_empty() && !run.table::<record::SeriesRow>(1_000_000).unwrap().is_empty());
}

#[test]
fn a_run_whose_folder_is_removed_says_so_and_makes_no_other() {
    let desk = Desk::new();
    let (child, mut stderr) = begun(&desk, Stdio::piped());
    // It may be putting a file there at the very moment.
    while desk.path().join("out").exists() {
        let _ = std::fs::remove_dir_all(desk.path().join("out"));
    }
    signal(&child, "INT");
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!((said.code, said.stdout.as_str()), (18, ""), "{said:?} {rest}");
    assert!(rest.contains("error: cannot write out"), "{rest}");
    assert!(!desk.path().join("out").exists());
}

/// What a pipe holds on Linux before a writer has to wait.
const PIPE_BYTES: usize = 65_536;

#[test]
fn interrupted_twice_it_stops_at_once() {
    let desk = Desk::new();
    // Nobody takes what it says: after the first signal it waits for ever, unless the second one ends it.
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&[b'.'; PIPE_BYTES]).unwrap();
    let (mut child, mut stderr) = begun(&desk, writer.into());
    signal(&child, "INT");
    let mut line = String::new();
    while !line.contains("interrupted: ") {
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "{line}");
    }
    signal(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let mut said = String::new();
    reader.read_to_string(&mut said).unwrap();
    assert_eq!(said.len(), PIPE_BYTES, "it said nothing more");
}

#[test]
fn interrupted_once_a_hunt_ends_with_the_seeds_that_run() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let desk = Desk::new();
        let without_end = ["hunt", &scenario("short"), "--seeds", "1..", "--format", "json"];
        let (child, mut stderr) = began(&desk, &without_end, Stdio::piped());
        signal(&child, name);
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).unwrap();
        let said = Said::of(child.wait_with_output().unwrap());
        assert_eq!(said.code, code, "{said:?} {rest}");
        assert!(rest.contains("interrupted: "), "{rest}");
        let document = said.json();
        assert_eq!(
            (&document["status"], &document["ended_by"]),
            (&"interrupted".into(), &"interrupted".into())
        );
        assert_eq!(document["failed"], 0);
    }
}

#[test]
fn interrupted_once_a_session_of_measuring_ends_at_once() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let desk = Desk::new();
        let long = ["bench", "--peers", "30", "--rounds", "100", "--no-memory"];
        let mut child = desk.command(&long).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("30 peers: 100 rounds"), "{line}");
        signal(&child, name);
        let said = Said::of(child.wait_with_output().unwrap());
        assert_eq!((said.code, said.stdout.as_str()), (code, ""), "{said:?}");
    }
}
