//! `wavetank runs`: which runs there are, and what one of them ended with.

use std::path::{Path, PathBuf};

use record::{Manifest, PeerRow, Run, RunStatus};
use serde::Serialize;

use crate::args::runs::{Ls, Show};
use crate::command::run::{Document, replay_of};
use crate::console::{Console, Look, Verbosity};
use crate::curve::{Charset, curves};
use crate::exit_code;
use crate::failure::Failure;
use crate::figures::{counted, millis};
use crate::screen::Screen;
use crate::table::{Row, aligned, plain, wrapped};

/// Folders within folders that are looked into: `runs/SCENARIO/RUN` is two deep, and a link in a circle ends.
const MAX_DEPTH: usize = 6;
/// Digits of a fingerprint that tell the runs of a list apart.
const SHORT_FINGERPRINT: usize = 8;

/// The runs, for programs.
#[derive(Debug, Serialize)]
struct List<'a> {
    runs: Vec<Listed<'a>>,
}

#[derive(Debug, Serialize)]
struct Listed<'a> {
    folder: &'a Path,
    scenario: &'a str,
    started: &'a str,
    seed: String,
    /// `running` too for a run that was killed.
    status: &'static str,
    /// Simulated time.
    planned_ms: u64,
    ended_ms: Option<u64>,
    fingerprint: Option<&'a str>,
}

/// A run that did not come to its end, for programs.
#[derive(Debug, Serialize)]
struct Partial<'a> {
    status: &'static str,
    folder: &'a Path,
    replay: &'a str,
    manifest: &'a Manifest,
}

pub(crate) fn ls(args: &Ls, console: Console) -> Result<u8, Failure> {
    let mut folders = Vec::new();
    find(&args.folder, MAX_DEPTH, &mut folders).map_err(|error| {
        Failure::new(exit_code::NOTHING, format!("cannot read {}: {error}", args.folder.display()))
            .help("name a folder that holds runs; `wavetank run` makes `runs`")
    })?;
    let mut runs = Vec::new();
    for folder in folders {
        match Run::open(&folder) {
            Ok(run) => runs.push(run),
            Err(error) => console.warn(&format!("{} {error}", Look::Doubtful.on("left out:"))),
        }
    }
    runs.sort_by(|a, b| key(a).cmp(&key(b)));
    let mut text = String::new();
    for of_one in runs.chunk_by(|a, b| a.path().parent() == b.path().parent()) {
        let above = of_one.first().and_then(|run| run.path().parent()).unwrap_or(&args.folder);
        let mut rows = vec![Row::new(["run", "started", "seed", "verdict", "for", "fingerprint"].map(plain))];
        rows.extend(of_one.iter().map(row));
        let gap = if text.is_empty() { "" } else { "\n" };
        text.push_str(&format!("{gap}{}\n{}", Look::Strong.on(&above.display().to_string()), aligned(&rows)));
    }
    if runs.is_empty() {
        text = format!("no run below {}\n", args.folder.display());
    }
    console.answer(&text, &List { runs: runs.iter().map(listed).collect() })?;
    Ok(exit_code::PASSED)
}

fn key(run: &Run) -> (Option<&Path>, &str, &Path) {
    (run.path().parent(), &run.manifest().wall.started, run.path())
}

/// The folders with a manifest; links, as `latest` is one, are not followed.
fn find(folder: &Path, depth: usize, folders: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if folder.join("manifest.json").is_file() {
        folders.push(folder.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && depth > 0 {
            find(&entry.path(), depth - 1, folders)?;
        }
    }
    Ok(())
}

fn listed(run: &Run) -> Listed<'_> {
    let Manifest { scenario, wall, seed, status, sim, fingerprint, .. } = run.manifest();
    Listed {
        folder: run.path(),
        scenario: &scenario.name,
        started: &wall.started,
        seed: seed.0.to_string(),
        status: status.word(),
        planned_ms: sim.planned_ms,
        ended_ms: sim.ended_ms,
        fingerprint: fingerprint.value.as_deref(),
    }
}

fn row(run: &Run) -> Row {
    let Manifest { wall, seed, status, sim, fingerprint, .. } = run.manifest();
    let name = run.path().file_name().unwrap_or_else(|| run.path().as_os_str()).to_string_lossy();
    // `2026-11-22T06:45:00Z`: to the minute is enough.
    let started = wall.started.get(..16).unwrap_or(&wall.started).replace('T', " ");
    let short =
        fingerprint.value.as_deref().map_or("", |value| value.get(..SHORT_FINGERPRINT).unwrap_or(value));
    Row::new([
        plain(name),
        plain(started),
        plain(seed.0.to_string()),
        verdict(*status),
        plain(millis(sim.ended_ms.unwrap_or(sim.planned_ms))),
        plain(short),
    ])
}

fn verdict(status: RunStatus) -> (String, Look) {
    let (word, look) = match status {
        RunStatus::Running => ("not ended", Look::Doubtful),
        RunStatus::Pass => ("PASS", Look::Good),
        RunStatus::Fail => ("FAIL", Look::Bad),
        RunStatus::Unknown => ("unknown", Look::Doubtful),
        RunStatus::Interrupted => ("interrupted", Look::Doubtful),
    };
    (word.to_owned(), look)
}

pub(crate) fn show(args: &Show, console: Console) -> Result<u8, Failure> {
    let run = Run::open(&args.run)?;
    let (folder, manifest) = (run.path(), run.manifest());
    let replay = replay_of(folder);
    let Some(verdict) = run.verdict()? else {
        let text = not_ended(manifest, folder, &replay);
        console
            .answer(&text, &Partial { status: manifest.status.word(), folder, replay: &replay, manifest })?;
        return Ok(exit_code::PASSED);
    };
    let page = folder.join(report::PAGE);
    let page = page.is_file().then_some(page);
    let mut peers = 0;
    for peer in run.csv::<PeerRow>()? {
        peer?;
        peers += 1;
    }
    let code = verdict.exit_code;
    let curves = curves(&run, &verdict.thresholds, Charset::of_stdout());
    let screen = Screen {
        verdict: &verdict,
        manifest,
        peers,
        code,
        folder: Some(folder),
        page: page.as_deref(),
        replay: Some(&replay),
        curves: &curves,
    };
    let document = Document {
        status: manifest.status.word(),
        exit_code: code,
        meaning: exit_code::meaning(code),
        folder: Some(folder),
        report: page.as_deref(),
        replay: Some(&replay),
        verdict: &verdict,
        manifest,
    };
    console.answer(&screen.text(Verbosity::Verbose), &document)?;
    Ok(exit_code::PASSED)
}

/// What there is to say of a run without a verdict.
fn not_ended(manifest: &Manifest, folder: &Path, replay: &str) -> String {
    let Manifest { scenario, sim, wall, seed, threads, .. } = manifest;
    let mut text = format!("{}  {}\n", Look::Doubtful.on("NOT ENDED"), scenario.name);
    text.push_str(&wrapped(
        &format!(
            "It began at {} for {} of simulated time, on {}, and wrote no verdict: it still runs, or it was killed.",
            wall.started,
            millis(sim.planned_ms),
            counted(u64::from(*threads), "thread")
        ),
        0,
    ));
    let rows = [
        ("seed", seed.0.to_string()),
        ("folder", folder.display().to_string()),
        ("replay", replay.to_owned()),
    ];
    text.push('\n');
    text.extend(rows.iter().map(|(what, said)| format!("{what:<11}  {said}\n")));
    text
}
