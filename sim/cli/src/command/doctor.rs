//! `wavetank doctor`: whether this machine is fit for runs.

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::process::Command;
use std::thread;

use run::Driver;
use serde::Serialize;

use crate::args::doctor::Doctor;
use crate::command::kinds::KINDS;
use crate::console::{Console, Look};
use crate::curve::speaks_utf8;
use crate::exit_code;
use crate::failure::Failure;
use crate::figures::{bytes, counted};
use crate::table::{Row, aligned, plain};

/// Less memory than this holds no run of a hundred thousand peers.
const LITTLE_MEMORY: f64 = 2.0 * 1_024.0 * 1_024.0 * 1_024.0;
/// Less room than this is filled by a few runs with their reports.
const LITTLE_ROOM: f64 = 1_024.0 * 1_024.0 * 1_024.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Health {
    Ok,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    what: &'static str,
    health: Health,
    said: String,
    /// What to do about it; empty if nothing is to be done.
    fix: String,
    /// What the program ends with if it failed.
    #[serde(skip)]
    code: u8,
}

impl Finding {
    fn ok(what: &'static str, said: impl Into<String>) -> Self {
        Self { what, health: Health::Ok, said: said.into(), fix: String::new(), code: exit_code::PASSED }
    }

    fn warn(self, fix: impl Into<String>) -> Self {
        Self { health: Health::Warn, fix: fix.into(), ..self }
    }

    fn fail(self, code: u8, fix: impl Into<String>) -> Self {
        Self { health: Health::Fail, fix: fix.into(), code, ..self }
    }
}

/// For programs.
#[derive(Debug, Serialize)]
struct Document<'a> {
    exit_code: u8,
    findings: &'a [Finding],
}

pub(crate) fn doctor(args: &Doctor, console: Console) -> Result<u8, Failure> {
    let findings = [build(), cores(), memory(), terminal(), folder(&args.runs), room(&args.runs), selftest()];
    let code = findings.iter().map(|finding| finding.code).find(|code| *code != exit_code::PASSED);
    let code = code.unwrap_or(exit_code::PASSED);
    let row = |finding: &Finding| {
        let (word, look) = match finding.health {
            Health::Ok => ("ok", Look::Good),
            Health::Warn => ("warn", Look::Doubtful),
            Health::Fail => ("FAIL", Look::Bad),
        };
        Row::new([(word.to_owned(), look), plain(finding.what), plain(&finding.said)]).note(&finding.fix)
    };
    let text = aligned(&findings.iter().map(row).collect::<Vec<_>>());
    console.answer(&text, &Document { exit_code: code, findings: &findings })?;
    Ok(code)
}

fn build() -> Finding {
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let said = format!(
        "wavetank {}, {profile} build, {}-{}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        std::env::consts::OS
    );
    let finding = Finding::ok("program", said);
    if cfg!(debug_assertions) {
        return finding
            .warn("measure speed with a release build: `cargo build --release`; results are the same");
    }
    finding
}

fn cores() -> Finding {
    match thread::available_parallelism() {
        Ok(cores) => Finding::ok("cores", counted(cores.get() as u64, "core")),
        Err(error) => {
            Finding::ok("cores", format!("unknown: {error}")).warn("say how many threads to use: `--threads`")
        }
    }
}

/// Memory that is free to be used, where the system tells.
fn memory() -> Finding {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    let Some(free) = kib.map(|kib| kib * 1_024.0) else {
        return Finding::ok("memory", "the system does not tell")
            .warn("a peer needs some 5 KiB: see `wavetank bench`");
    };
    let finding = Finding::ok("memory", format!("{} free to be used", bytes(free)));
    if free < LITTLE_MEMORY {
        finding.warn("large networks will not fit: a peer needs some 5 KiB")
    } else {
        finding
    }
}

fn terminal() -> Finding {
    let shown = io::stdout().is_terminal();
    let colour = if shown && std::env::var_os("NO_COLOR").is_none() { "colour" } else { "no colour" };
    let width = match std::env::var("COLUMNS").ok().and_then(|columns| columns.parse::<u16>().ok()) {
        Some(columns) => format!("{columns} columns"),
        None => "80 columns assumed".to_owned(),
    };
    let utf8 = if speaks_utf8() { "UTF-8" } else { "not UTF-8" };
    let place = if shown { "a terminal" } else { "no terminal" };
    let finding = Finding::ok("terminal", format!("{place}, {colour}, {width}, {utf8}"));
    if shown && !speaks_utf8() {
        return finding.warn("curves are drawn in ASCII; set LANG to a UTF-8 locale, such as C.UTF-8");
    }
    finding
}

/// Whether a run could leave its folder there.
fn folder(runs: &Path) -> Finding {
    let nearest = runs.ancestors().find(|path| path.is_dir()).unwrap_or_else(|| Path::new("."));
    let said = format!("{} can be written", runs.display());
    if runs.exists() && !runs.is_dir() {
        return Finding::ok("runs", format!("{} is no folder", runs.display()))
            .fail(exit_code::OUTPUT, "move it out of the way, or name another folder: `--out`");
    }
    match tempfile::tempfile_in(nearest) {
        Ok(_) => Finding::ok("runs", said),
        Err(error) => Finding::ok("runs", format!("{} cannot be written: {error}", nearest.display()))
            .fail(exit_code::OUTPUT, "make it writable, or name another folder: `--out`"),
    }
}

/// Room on the disk, as `df` tells it: the standard library does not.
fn room(runs: &Path) -> Finding {
    let nearest = runs.ancestors().find(|path| path.is_dir()).unwrap_or_else(|| Path::new("."));
    let told = Command::new("df").arg("-Pk").arg("--").arg(nearest).output().ok();
    let text = told.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let kib = text.lines().nth(1).and_then(|line| line.split_whitespace().nth(3)?.parse::<f64>().ok());
    let Some(free) = kib.map(|kib| kib * 1_024.0) else {
        return Finding::ok("room", "the system does not tell").warn("a run of 1,000 peers takes a few MiB");
    };
    let finding = Finding::ok("room", format!("{} free for runs", bytes(free)));
    if free < LITTLE_ROOM {
        finding.warn("remove old runs, or keep them elsewhere: `--out`")
    } else {
        finding
    }
}

/// A tiny scenario, once with each driver.
fn selftest() -> Finding {
    let text = KINDS.iter().find(|kind| kind.name == "lookups").map_or("", |kind| kind.text);
    let run = |driver| {
        let scenario = run::built_in("self-test", text).set("peers.everybody.count", "30").driver(driver);
        scenario.run().map(|finished| finished.verdict.fingerprint.unwrap_or_default())
    };
    match (run(Driver::Actor), run(Driver::Inline)) {
        (Ok(actor), Ok(inline)) if actor == inline => {
            Finding::ok("self-test", format!("30 peers, both drivers alike: {actor}"))
        }
        (Ok(actor), Ok(inline)) => Finding::ok("self-test", format!("the drivers differ: {actor}, {inline}"))
            .fail(
                exit_code::NONDETERMINISM,
                "do not trust this build; tell us of it, with this machine's processor",
            ),
        (Err(error), _) | (_, Err(error)) => Finding::ok("self-test", format!("it cannot be run: {error}"))
            .fail(exit_code::INTERNAL, "do not trust this build; tell us of it"),
    }
}
