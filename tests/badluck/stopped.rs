//! Runs that somebody stops: they say so, and what they have written by then can be read.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::thread;

use record::{
    EventRow, FaultRow, OperationRow, PeerRow, Run, RunStatus, Rung, SeriesRow, SummaryRow, VerdictStatus,
};
use run::{Driver, Finished, Out};

use crate::{WAYS, hello};

/// Stops a run of `hello`, made long, once simulated time has reached this.
fn stopped(folder: &Path, driver: Driver, threads: usize, at_ns: u64) -> Finished {
    let run = hello().set("duration", "10h").set("observe.events", "{mode: fixed, value: 2}");
    let run = run.driver(driver).threads(threads).out(Out::Folder(folder.to_owned()));
    let prepared = run.prepare().unwrap();
    let progress = prepared.progress();
    let stop = move || {
        while progress.reached.load(Ordering::Relaxed) < at_ns {
            thread::yield_now();
        }
        progress.stop.store(true, Ordering::Relaxed);
    };
    if at_ns == 0 {
        stop();
        return prepared.play().unwrap();
    }
    thread::scope(|scope| {
        scope.spawn(stop);
        prepared.play().unwrap()
    })
}

fn assert_interrupted(finished: &Finished, run: &Run) {
    assert_eq!((finished.verdict.status, finished.verdict.exit_code), (VerdictStatus::Interrupted, 130));
    assert_eq!(run.verdict().unwrap().as_ref(), Some(&finished.verdict));
    let manifest = run.manifest();
    assert_eq!(manifest.status, RunStatus::Interrupted);
    assert!(manifest.sim.ended_ms.unwrap() < manifest.sim.planned_ms, "{:?}", manifest.sim);
}

/// The rows of a file, which is whole.
fn rows<R: record::CsvRow>(run: &Run) -> Vec<R> {
    let mut rows = run.csv::<R>().unwrap();
    let read = rows.by_ref().collect::<Result<Vec<_>, _>>().unwrap();
    assert!(!rows.cut_off(), "{} is whole", R::FILE);
    read
}

#[test]
fn a_run_that_is_stopped_leaves_what_there_is() {
    for (driver, threads) in WAYS {
        let out = tempfile::tempdir().unwrap();
        let folder = out.path().join("run");
        let finished = stopped(&folder, driver, threads, 120_000_000_000);
        let run = Run::open(&folder).unwrap();
        assert_interrupted(&finished, &run);
        let ended = finished.manifest.sim.ended_ms.unwrap();
        assert!(ended >= 120_000, "{ended} ms");
        let operations = rows::<OperationRow>(&run);
        assert!(operations.len() > 100, "{} operations", operations.len());
        assert!(operations.iter().all(|row| row.start_ns / 1_000_000 <= ended));
        assert_eq!(rows::<PeerRow>(&run).len(), 20);
        assert!(!rows::<SeriesRow>(&run).is_empty() && !rows::<SummaryRow>(&run).is_empty());
        assert!(rows::<FaultRow>(&run).is_empty());
        let rungs: Vec<Rung> = run.json().unwrap().map(Result::unwrap).collect();
        assert_eq!(rungs.last().unwrap().at_ns / 1_000_000, ended, "the last rung is the end");
        assert!(run.json::<EventRow>().unwrap().map(Result::unwrap).count() > 100);
        assert!(!run.file("scenario.yaml").unwrap().is_empty() && !run.file("plan.yaml").unwrap().is_empty());
    }
}

#[test]
fn a_run_that_is_stopped_before_it_begins_is_readable_too() {
    for (driver, threads) in WAYS {
        let out = tempfile::tempdir().unwrap();
        let folder = out.path().join("run");
        let finished = stopped(&folder, driver, threads, 0);
        let run = Run::open(&folder).unwrap();
        assert_interrupted(&finished, &run);
        assert_eq!(finished.manifest.sim.ended_ms, Some(0));
        assert!(rows::<OperationRow>(&run).is_empty());
        assert_eq!(rows::<PeerRow>(&run).len(), 20);
        assert_eq!(run.json::<EventRow>().unwrap().count(), 0);
    }
}
