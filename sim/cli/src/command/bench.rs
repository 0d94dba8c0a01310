//! `wavetank bench`: how fast and how small, and whether that is what is asked for.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;
use std::{fs, thread};

use bench::{BenchError, Comparison, Options, Results};
use serde::Serialize;

use crate::args;
use crate::console::{Console, Verbosity};
use crate::exit_code;
use crate::failure::Failure;
use crate::figures::{count, counted, number};
use crate::progress::Gauge;
use crate::signals::Signals;

/// The command of a process that measures memory.
const CHILD: &str = "bench-child";
/// How often the line is looked at while something is measured: seldom, for that costs time of the same machine.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// With more than this waiting for each core, figures tell of others too.
const BUSY: f64 = 0.5;

/// What was measured, for programs.
#[derive(Debug, Serialize)]
struct Document<'a> {
    status: &'static str,
    exit_code: u8,
    results: &'a Results,
    /// Empty where no committed result is of the same.
    comparison: &'a Comparison,
}

/// The first interrupt ends it at once: half a session tells nothing.
pub(crate) fn bench(args: &args::Bench, console: Console) -> Result<u8, Failure> {
    Signals::watch()?.end_at_once();
    let committed = bench::committed()?;
    let mut options = args.options();
    if !args.no_memory {
        options = options.with_children(&[CHILD]).map_err(|error| {
            Failure::new(exit_code::INTERNAL, format!("cannot tell which program this is: {error}"))
                .help(WITHOUT_MEMORY)
        })?;
    }
    if let Some(file) = &args.out {
        admits(file)?;
    }
    console.note(&beginning(&options));
    for doubt in doubts() {
        console.note(&doubt);
    }

    let results = measure(&options, args, console)?;
    let comparison = bench::compare(&results, &committed);
    let mut code = verdict(&results);
    if let Some(file) = &args.out
        && let Err(error) = write(file, &results.to_json()?)
    {
        // The session took its time: what came of it is still shown.
        console.warn(&unwritable(file, &error));
        code = exit_code::OUTPUT;
    }
    let status = if code == exit_code::PASSED { "pass" } else { "fail" };
    let mut text = results.to_string();
    if !comparison.is_empty() {
        text.push_str(&format!("\n{comparison}"));
    }
    console
        .answer(&text, &Document { status, exit_code: code, results: &results, comparison: &comparison })?;
    Ok(code)
}

/// One measurement of memory, in the process that was called for it.
pub(crate) fn child(args: &args::BenchChild, console: Console) -> Result<u8, Failure> {
    let line = bench::child(&args.task)?;
    console.answer(&format!("{line}\n"), &())?;
    Ok(exit_code::PASSED)
}

/// Measures on this thread, while another shows where it is.
fn measure(options: &Options, args: &args::Bench, console: Console) -> Result<Results, BenchError> {
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        let gauge = Gauge::without_end(console, args.shown.progress);
        scope.spawn(move || show(gauge, &receiver, console.verbosity));
        // Whether anybody watches changes nothing.
        bench::run(options, &mut |step| drop(sender.send(step.to_owned())))
    })
}

/// Shows what is measured, until no more is.
fn show(mut gauge: Gauge, steps: &Receiver<String>, verbosity: Verbosity) {
    let (mut begun, mut at) = (0, String::new());
    loop {
        match steps.recv_timeout(LOOK_EVERY) {
            Ok(step) => {
                (begun, at) = (begun + 1, step);
                if verbosity == Verbosity::Verbose {
                    gauge.tell(&at);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        gauge.show(begun, at.clone());
    }
    gauge.end();
}

fn verdict(results: &Results) -> u8 {
    if results.holds() { exit_code::PASSED } else { exit_code::THRESHOLD }
}

/// `1,000 and 10,000 peers: 3 rounds with 20,000 lookups each`
fn beginning(options: &Options) -> String {
    let mut sizes: Vec<_> = options.sizes.iter().map(|peers| count(u64::from(*peers))).collect();
    let last = sizes.pop().unwrap_or_default();
    let sizes = if sizes.is_empty() { last } else { format!("{} and {last}", sizes.join(", ")) };
    let rounds = counted(u64::from(options.repetitions), "round");
    let each = if options.repetitions == 1 { "" } else { " each" };
    format!("{sizes} peers: {rounds} with {}{each}", counted(u64::from(options.lookups), "lookup"))
}

/// Why the figures might mean little.
fn doubts() -> Vec<String> {
    let mut doubts = Vec::new();
    if cfg!(debug_assertions) {
        doubts.push("this is a debug build: its figures mean little".to_owned());
    }
    doubts.extend(crowd(bench::machine::load(), bench::machine::Machine::here().cores));
    doubts
}

fn crowd(load: Option<f64>, cores: usize) -> Option<String> {
    match load {
        None => {
            Some("the system does not tell its load: whether others use the machine is not known".to_owned())
        }
        Some(load) if load > BUSY * cores as f64 => Some(format!(
            "others use the machine: its load is {} on {}, so figures may mean little",
            number(load),
            counted(cores as u64, "core")
        )),
        Some(_) => None,
    }
}

/// Whether a file can be written there, before an hour is spent on what it is to hold.
fn admits(file: &Path) -> Result<(), Failure> {
    let refused = |what: &str| {
        Failure::new(exit_code::OUTPUT, format!("cannot write {}: {what}", file.display()))
            .help("name a file in a folder that is there and can be written")
    };
    match fs::symlink_metadata(file) {
        Ok(there) if !there.is_file() => return Err(refused("there is something that is no file")),
        _ => {}
    }
    let Some(beside) = beside(file) else { return Err(refused("it names no file")) };
    let tried = fs::write(&beside, "").and_then(|()| fs::remove_file(&beside));
    tried.map_err(|error| refused(&error.to_string()))
}

/// Writes the file so that whoever reads it finds the old or the new, whole.
fn write(file: &Path, text: &str) -> std::io::Result<()> {
    let Some(beside) = beside(file) else { return Err(std::io::ErrorKind::InvalidFilename.into()) };
    let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, file));
    if written.is_err() {
        // Half a file helps nobody; if it cannot be removed either, the error says why.
        let _ = fs::remove_file(&beside);
    }
    written
}

/// The file's place until it is whole, in the same folder: this process's own.
fn beside(file: &Path) -> Option<PathBuf> {
    let mut name = OsString::from(".");
    name.push(file.file_name()?);
    name.push(format!(".{}", std::process::id()));
    Some(file.with_file_name(name))
}

fn unwritable(file: &Path, error: &std::io::Error) -> String {
    format!("cannot write {}: {error}", file.display())
}

const WITHOUT_MEMORY: &str = "`--no-memory` measures the rest";

impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Self {
        let what = error.to_string();
        match error {
            BenchError::Different { .. } => Self::new(exit_code::NONDETERMINISM, what),
            BenchError::Child(_) => Self::new(exit_code::INTERNAL, what).help(WITHOUT_MEMORY),
            _ => Self::new(exit_code::INTERNAL, what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench::{Bound, Goal};

    #[test]
    fn it_begins_with_what_is_measured() {
        let options =
            |sizes: &[u32], repetitions| Options { sizes: sizes.into(), repetitions, ..Options::quick() };
        for (options, expected) in [
            (options(&[30], 1), "30 peers: 1 round with 20,000 lookups"),
            (options(&[30, 1_000], 2), "30 and 1,000 peers: 2 rounds with 20,000 lookups each"),
            (options(&[1, 2, 3], 2), "1, 2 and 3 peers: 2 rounds with 20,000 lookups each"),
        ] {
            assert_eq!(beginning(&options), expected);
        }
    }

    #[test]
    fn what_is_asked_for_and_does_not_hold_is_a_threshold_missed() {
        let goal = |value| Goal {
            what: "ours / bare".to_owned(),
            peers: 1_000,
            value,
            bound: Some(Bound::AtLeast(0.5)),
        };
        let results = |goals| Results { goals, ..bench::committed().unwrap() };
        assert_eq!(verdict(&results(vec![goal(0.5)])), exit_code::PASSED);
        assert_eq!(verdict(&results(vec![goal(0.5), goal(0.4)])), exit_code::THRESHOLD);
    }

    #[test]
    fn a_machine_that_others_use_is_mentioned() {
        assert_eq!(crowd(Some(1.0), 2), None);
        assert!(crowd(Some(1.01), 2).is_some_and(|text| text.contains("its load is 1.01 on 2 cores")));
        assert!(crowd(None, 2).is_some_and(|text| text.contains("not known")));
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let desk = tempfile::tempdir().unwrap();
        let file = desk.path().join("results.json");
        for text in ["old", "new"] {
            admits(&file).unwrap();
            write(&file, text).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
        assert_eq!(fs::read_dir(desk.path()).unwrap().count(), 1);
        for nowhere in [desk.path().to_owned(), desk.path().join("no/file"), PathBuf::from("..")] {
            assert!(admits(&nowhere).is_err(), "{}", nowhere.display());
        }
        assert!(write(desk.path(), "folder").is_err());
        assert_eq!(fs::read_dir(desk.path()).unwrap().count(), 1);
    }
}
