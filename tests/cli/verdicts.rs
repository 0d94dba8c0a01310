//! What a run says and exits with, for people and for programs.

use std::process::Stdio;

use crate::{Desk, scenario};

#[test]
fn a_run_that_holds_passes_and_says_where_everything_is() {
    let desk = Desk::new();
    let said = desk.type_in(&["run", &scenario("short"), "--out", "out"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.starts_with("PASS  short\n"), "{}", said.stdout);
    for line in [
        "seed         42",
        "folder       out",
        "report       out/report/index.html",
        "replay       wavetank replay out",
    ] {
        assert!(said.stdout.lines().any(|said| said == line), "{line}: {}", said.stdout);
    }
    assert!(said.stderr.starts_with("short: 12 peers for 50s, seed 42\n"), "{}", said.stderr);
    let page = std::fs::read_to_string(desk.path().join("out/report/index.html")).unwrap();
    assert!(page.contains("short"), "the page is about this run");
}

#[test]
fn what_goes_to_no_terminal_has_no_colour_and_fits_80_columns() {
    let desk = Desk::new();
    let said = desk.type_in(&["run", &scenario("short"), "--verbose", "--out", "out"]);
    let all = said.stdout + &said.stderr;
    assert!(!all.contains('\u{1b}'), "{all}");
    assert!(all.lines().all(|line| line.chars().count() <= 80), "{all}");
}

#[test]
fn a_missed_threshold_exits_10_and_ends_with_the_command_that_repeats_it() {
    let desk = Desk::new();
    for quietly in [&[][..], &["--quiet"]] {
        let out = format!("out{}", quietly.len());
        let missed = scenario("missed");
        let said = desk.type_in(&[&["run", &missed, "--out", &out], quietly].concat());
        assert_eq!(said.code, 10, "{said:?}");
        assert!(
            said.stdout.starts_with("FAIL  missed: a threshold was missed (exit 10)\n"),
            "{}",
            said.stdout
        );
        let last: Vec<_> = said.stdout.lines().rev().take(5).collect();
        assert_eq!(last[0], format!("replay       wavetank replay {out}"));
        assert!(last[3].starts_with("fingerprint  ") && last[4] == "seed         42", "{}", said.stdout);
        assert_eq!(quietly.is_empty(), said.stdout.contains("MISSED"), "{}", said.stdout);
    }
}

#[test]
fn a_fault_that_touches_nobody_exits_17_with_its_name() {
    let said = Desk::new().type_in(&["run", &scenario("inert"), "--no-report"]);
    assert_eq!(said.code, 17, "{said:?}");
    assert!(said.stdout.starts_with("UNKNOWN  inert: "), "{}", said.stdout);
    assert!(
        said.stdout.lines().any(|line| line.contains("INERT") && line.contains("nobody")),
        "{}",
        said.stdout
    );
}

#[test]
fn a_threshold_with_too_few_samples_exits_17_though_it_holds() {
    let said = Desk::new().type_in(&["run", &scenario("sparse"), "--no-report"]);
    assert_eq!(said.code, 17, "{said:?}");
    assert!(said.stdout.contains("fewer than 30"), "{}", said.stdout);
}

#[test]
fn programs_read_one_document_and_nothing_else() {
    let desk = Desk::new();
    for (name, code, status) in [("short", 0, "pass"), ("missed", 10, "fail"), ("inert", 17, "unknown")] {
        let said = desk.type_in(&["run", &scenario(name), "--format", "json", "--out", name]);
        let document = said.json();
        assert_eq!((said.code, &document["exit_code"]), (code, &code.into()), "{name}");
        assert_eq!(document["status"], status);
        assert_eq!(document["verdict"]["seed"], "42");
        assert_eq!(document["folder"], name);
        assert_eq!(document["replay"], format!("wavetank replay {name}"));
        let report = document["report"].as_str().map(|page| desk.path().join(page));
        assert!(report.is_some_and(|page| page.is_file()), "{document}");
        assert_eq!(document["manifest"], crate::manifest(&desk.path().join(name)));
    }
}

#[test]
fn quiet_is_quiet() {
    let desk = Desk::new();
    let said = desk.type_in(&["run", &scenario("short"), "--quiet", "--out", "out"]);
    assert_eq!((said.code, said.stderr.as_str(), said.stdout.lines().count()), (0, "", 2), "{said:?}");
    let said = desk.type_in(&["replay", "out", "--quiet"]);
    assert_eq!((said.code, said.stderr.as_str(), said.stdout.lines().count()), (0, "", 1), "{said:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let desk = Desk::new();
    for arguments in
        [&["--help"][..], &["check", &scenario("short"), "--plan"], &["run", &scenario("short"), "--quiet"]]
    {
        let mut child =
            desk.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Nobody has read, and nobody will.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_stdout_that_takes_nothing_exits_18() {
    let desk = Desk::new();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = desk.command(&["check", &scenario("short")]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(18));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: cannot write"), "{output:?}");
}
