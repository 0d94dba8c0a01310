//! What `--help` and mistakes on the command line look like.

use crate::{Desk, scenario};

#[test]
fn help_is_as_it_was_read_and_agreed_on() {
    let desk = Desk::new();
    for (name, arguments) in [
        ("wavetank", &["--help"][..]),
        ("wavetank_short", &["-h"]),
        ("run", &["run", "--help"]),
        ("run_short", &["run", "-h"]),
        ("check", &["check", "-h"]),
        ("replay", &["replay", "-h"]),
        ("hunt", &["hunt", "--help"]),
        ("explain", &["explain", "-h"]),
        ("explain_lookup", &["explain", "lookup", "--help"]),
        ("why", &["why", "--help"]),
        ("report", &["report", "-h"]),
        ("bench", &["bench", "--help"]),
        ("demo", &["demo", "-h"]),
        ("scenario_new", &["scenario", "new", "-h"]),
        ("doctor", &["doctor", "--help"]),
        ("scenario_ls", &["scenario", "ls", "-h"]),
        ("scenario_explain", &["scenario", "explain", "-h"]),
        ("node", &["node", "-h"]),
        ("node_init", &["node", "init", "--help"]),
        ("node_run", &["node", "run", "--help"]),
        ("node_status", &["node", "status", "--help"]),
        ("node_peers", &["node", "peers", "-h"]),
        ("node_lookup", &["node", "lookup", "-h"]),
        ("node_put", &["node", "put", "-h"]),
        ("node_get", &["node", "get", "-h"]),
        ("node_key", &["node", "key", "-h"]),
        ("fce", &["fce", "-h"]),
        ("fce_info", &["fce", "info", "-h"]),
        ("fce_call", &["fce", "call", "--help"]),
        ("fce_embed", &["fce", "embed", "--help"]),
        ("completions", &["completions", "-h"]),
        ("man", &["man", "-h"]),
        ("scenario_schema", &["scenario", "schema", "-h"]),
        ("runs_diff", &["runs", "diff", "-h"]),
        ("runs_compare", &["runs", "compare", "--help"]),
        ("runs_ls", &["runs", "ls", "-h"]),
        ("runs_show", &["runs", "show", "--help"]),
    ] {
        let said = desk.type_in(arguments);
        assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{name}");
        assert!(said.stdout.lines().all(|line| line.chars().count() <= 80), "{name}: {}", said.stdout);
        insta::assert_snapshot!(name, said.stdout);
    }
}

#[test]
fn the_version_is_the_packages() {
    let said = Desk::new().type_in(&["--version"]);
    assert_eq!((said.code, said.stdout), (0, format!("wavetank {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn mistakes_on_the_command_line_exit_2_and_run_nothing() {
    let desk = Desk::new();
    let short = scenario("short");
    for arguments in [
        &[][..],
        &["walk"],
        &["run"],
        &["check"],
        &["runs"],
        &["run", &short, "--sed", "1"],
        &["run", &short, "--seed", "-1"],
        &["run", &short, "--seed", "1e3"],
        &["run", &short, "--threads", "0"],
        &["run", &short, "--driver", "bus"],
        &["run", &short, "--set", "duration"],
        &["run", &short, "--format", "xml"],
        &["replay"],
        &["hunt", &short],
        &["node"],
        &["node", "init"],
        &["node", "init", "--data", "x", "--group", "edge"],
        &["node", "run"],
        &["node", "status", "--http", "localhost"],
        &["hunt", &short, "--seeds", "5..5"],
        &["hunt", &short, "--seeds", "5"],
        &["hunt", &short, "--for", "0s"],
        &["hunt", &short, "--seeds", "1..9", "--max-failures", "0"],
        &["hunt", &short, "--seeds", "1..9", "--keep-going", "--fail-fast"],
        &["hunt", &short, "--seeds", "1..9", "--recheck", "101%"],
        &["hunt", &short, "--seeds", "1..9", "--threads", "2"],
    ] {
        let said = desk.type_in(arguments);
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(
            said.stderr.contains("Usage:") || said.stderr.contains("--help"),
            "{arguments:?}: {}",
            said.stderr
        );
    }
    assert!(!desk.path().join("runs").exists());
}

#[test]
fn a_flag_and_its_twin_in_the_environment_say_the_same() {
    let desk = Desk::new();
    let short = scenario("short");
    let typed =
        ["--seed", "7", "--set", "peers.everybody.count=10", "--set", "duration=40s", "--driver", "inline"];
    desk.passes("short", "typed", &typed);
    let told = desk
        .command(&["run", &short])
        .env("WAVETANK_SEED", "7")
        .env("WAVETANK_SET", "peers.everybody.count=10;duration=40s")
        .env("WAVETANK_DRIVER", "inline")
        .env("WAVETANK_OUT", "told")
        .env("WAVETANK_QUIET", "1")
        .env("WAVETANK_NO_REPORT", "1")
        .output();
    assert!(told.is_ok_and(|output| output.status.success()));
    let [typed, told] = ["typed", "told"].map(|out| crate::manifest(&desk.path().join(out)));
    for key in ["seed", "set", "driver", "fingerprint", "scenario"] {
        assert_eq!(typed[key], told[key], "{key}");
    }
    assert!(!desk.path().join("told/report").exists());
}
