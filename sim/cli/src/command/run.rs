//! `wavetank run`: from a scenario to a verdict and a folder.

use std::path::{Path, PathBuf};

use model::Plan;
use record::{Manifest, Verdict};
use run::{Out, Prepared, Scenario};
use serde::Serialize;

use crate::args;
use crate::command::play::{Played, play};
use crate::command::repeat::repeat;
use crate::console::{Console, Verbosity};
use crate::curve::{Charset, curves};
use crate::exit_code;
use crate::failure::{Failure, found};
use crate::figures::{counted, nanos};
use crate::screen::Screen;
use crate::signals::Signals;
use crate::table::{Row, aligned, plain, wrapped};

/// Where runs without an `--out` are kept.
pub(crate) const RUNS: &str = "runs";

/// The end of a run, for programs.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    pub(crate) status: &'static str,
    pub(crate) exit_code: u8,
    pub(crate) meaning: &'static str,
    pub(crate) folder: Option<&'a Path>,
    pub(crate) report: Option<&'a Path>,
    pub(crate) replay: Option<&'a str>,
    pub(crate) verdict: &'a Verdict,
    pub(crate) manifest: &'a Manifest,
}

pub(crate) fn run(args: &args::Run, console: Console) -> Result<u8, Failure> {
    let mut scenario = on(run::scenario(&args.scenario), &args.machine);
    if let Some(seed) = args.seed {
        scenario = scenario.seed(seed);
    }
    for (path, value) in &args.changes.set {
        scenario = scenario.set(path, value);
    }
    if args.backend == args::Backend::Local {
        let program = std::env::current_exe().map_err(|error| {
            let what = format!("cannot tell which program this is, to start it as a node: {error}");
            Failure::new(exit_code::INTERNAL, what)
        })?;
        scenario = scenario.backend(run::Backend::Local { program });
    }
    match args.repeat {
        Some(seeds) => repeat(scenario, args, seeds, console),
        None => perform(scenario, &args.kept, &args.shown, console),
    }
}

/// Runs the scenario, says what came of it, and leaves its folder.
pub(crate) fn perform(
    scenario: Scenario,
    kept: &args::Kept,
    shown: &args::Shown,
    console: Console,
) -> Result<u8, Failure> {
    let signals = Signals::watch()?;
    let out = kept.out.clone().map_or_else(|| Out::Under(PathBuf::from(RUNS)), Out::Folder);
    let prepared = scenario.out(out).prepare()?;
    if prepared.warnings().count() > 0 {
        console.note(&found(prepared.warnings()));
    }
    console.note(&beginning(&prepared, console.verbosity));
    let peers = prepared.plan().peers();
    let Played { finished, code } = play(prepared, shown.progress, &signals, console)?;

    let folder = finished.folder.as_deref();
    let page = folder.filter(|_| !kept.no_report).and_then(|folder| page(folder, console));
    // Nothing repeats what real processes did.
    let replay = folder.filter(|_| finished.verdict.fingerprint.is_some()).map(replay_of);
    let (verdict, manifest) = (&finished.verdict, &finished.manifest);
    let curves = folder
        .and_then(|folder| record::Run::open(folder).ok())
        .map(|run| curves(&run, &verdict.thresholds, Charset::of_stdout()));
    let screen = Screen {
        verdict,
        manifest,
        peers,
        code,
        folder,
        page: page.as_deref(),
        replay: replay.as_deref(),
        curves: curves.as_deref().unwrap_or_default(),
    };
    let document = Document {
        status: manifest.status.word(),
        exit_code: code,
        meaning: exit_code::meaning(code),
        folder,
        report: page.as_deref(),
        replay: replay.as_deref(),
        verdict,
        manifest,
    };
    console.answer(&screen.text(console.verbosity), &document)?;
    Ok(code)
}

/// The scenario on the machine that was asked for.
pub(crate) fn on(scenario: Scenario, machine: &args::Machine) -> Scenario {
    let scenario = scenario.driver(machine.driver.into());
    match machine.threads {
        Some(threads) => scenario.threads(usize::from(threads)),
        None => scenario,
    }
}

/// The page of the run, unless it cannot be written: what the run proved stays proved without it.
fn page(folder: &Path, console: Console) -> Option<PathBuf> {
    match report::write(folder) {
        Ok(paths) => Some(paths.page),
        Err(error) => {
            console.warn(&format!("the run is complete, but its report is not: {error}"));
            None
        }
    }
}

/// What is about to happen; everything about it, if that is wanted.
pub(crate) fn beginning(prepared: &Prepared, verbosity: Verbosity) -> String {
    let Plan { name, about, seed, duration, warmup, groups, workloads, faults, .. } = prepared.plan();
    let peers = counted(prepared.plan().peers(), "peer");
    let mut text = format!("{name}: {peers} for {}, seed {}", nanos(duration.as_nanos() as f64), seed.0);
    if verbosity < Verbosity::Verbose {
        return text;
    }
    text.push('\n');
    text.push_str(&wrapped(&format!("  {about}"), 2));
    let groups: Vec<_> = groups.iter().map(|(name, group)| format!("{name} {}", group.count)).collect();
    let named = |names: Vec<String>| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let mut rows = vec![
        ("groups", named(groups)),
        ("warm-up", nanos(warmup.as_nanos() as f64)),
        ("workloads", named(workloads.iter().enumerate().map(|(at, workload)| workload.name(at)).collect())),
        ("faults", named(faults.iter().enumerate().map(|(at, fault)| fault.name(at)).collect())),
        ("threads", prepared.threads().to_string()),
    ];
    if let Some(folder) = prepared.folder() {
        rows.push(("folder", folder.display().to_string()));
    }
    let rows: Vec<_> = rows.into_iter().map(|(what, said)| Row::new([plain(what), plain(said)])).collect();
    text.push_str(aligned(&rows).trim_end());
    text
}

/// The command that runs a folder again.
pub(crate) fn replay_of(folder: &Path) -> String {
    format!("wavetank replay {}", quoted(&folder.display().to_string()))
}

/// A path as a shell takes it.
pub(crate) fn quoted(path: &str) -> String {
    let harmless = |c: char| c.is_alphanumeric() || "/._-+=:@%,".contains(c);
    if !path.is_empty() && path.chars().all(harmless) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_path_survives_the_shell() {
        for (path, typed) in
            [("runs/hello/a-1", "runs/hello/a-1"), ("my runs/a", "'my runs/a'"), ("it's", r"'it'\''s'")]
        {
            assert_eq!(quoted(path), typed);
        }
    }
}
