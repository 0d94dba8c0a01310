//! The run's folder, written as the run goes.
//!
//! The scenario, the files that it names, the plan and a manifest of status `running` stand before the first event; the event log grows with
//! the run, on a thread of its own; the rest follows when the run ends, the manifest last.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;

use kernel::{Chapter, LogEntry, Progress};
use record::{EventsWriter, Manifest, RecordError, RunFolder};
use sha2::{Digest as _, Sha256};
use types::Instant;

use crate::rows;

/// How far simulation and reality were apart when they were last compared: each folder says how much it is worth.
const CALIBRATION: &str = include_str!("../../../scenarios/conformance/calibration.json");
/// What stands there until they are.
const UNCALIBRATED: &str = "null";

/// The folder of a run that has begun.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: RunFolder,
    log: Option<JoinHandle<Result<(), RecordError>>>,
}

/// The scenario, the plan, and the files that the scenario names.
pub(crate) type Texts<'a> = (&'a str, &'a str, &'a [model::Input]);

/// SHA-256 of a text, in hex.
pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Journal {
    pub(crate) fn begin(
        folder: RunFolder,
        (scenario, plan, inputs): Texts<'_>,
        manifest: &Manifest,
    ) -> Result<Self, RecordError> {
        folder.write_file("scenario.yaml", scenario.as_bytes())?;
        folder.write_file("plan.yaml", plan.as_bytes())?;
        for input in inputs {
            folder.write_input(&input.name, input.text.as_bytes())?;
        }
        if CALIBRATION.trim() != UNCALIBRATED {
            folder.write_file(record::CALIBRATION, CALIBRATION.as_bytes())?;
        }
        folder.write_manifest(manifest)?;
        Ok(Self { folder, log: None })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) const fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// Writes the event log as its chapters arrive. A run whose log cannot be written is stopped: it could not be whole any more.
    pub(crate) fn follow(
        &mut self,
        chapters: Receiver<Chapter>,
        progress: &Arc<Progress>,
        shards: usize,
    ) -> Result<(), RecordError> {
        let (events, progress) = (self.folder.events()?, Arc::clone(progress));
        self.log = Some(std::thread::spawn(move || {
            let written = write_log(events, chapters, shards);
            if written.is_err() {
                progress.stop.store(true, Ordering::Relaxed);
            }
            written
        }));
        Ok(())
    }

    /// Waits until the event log is written to its end.
    pub(crate) fn end_log(&mut self) -> Result<(), RecordError> {
        match self.log.take().map(JoinHandle::join) {
            Some(Ok(written)) => written,
            // A panic of ours: let it go on.
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Ok(()),
        }
    }
}

fn write_log(
    mut events: EventsWriter,
    chapters: Receiver<Chapter>,
    shards: usize,
) -> Result<(), RecordError> {
    let mut pages = Pages::new(shards);
    for chapter in chapters {
        for entry in pages.add(chapter) {
            events.write(&rows::event(&entry))?;
        }
        events.flush()?;
    }
    events.finish()
}

/// Puts the shards' chapters into one order: what all shards have told is complete.
#[derive(Debug)]
struct Pages {
    until: Vec<Instant>,
    waiting: BTreeMap<(Instant, u32), Vec<LogEntry>>,
}

impl Pages {
    fn new(shards: usize) -> Self {
        Self { until: vec![Instant::START; shards], waiting: BTreeMap::new() }
    }

    /// The entries, in order, that no later chapter can precede.
    fn add(&mut self, chapter: Chapter) -> impl Iterator<Item = LogEntry> + use<> {
        for entry in chapter.entries {
            self.waiting.entry((entry.at, entry.peer)).or_default().push(entry);
        }
        if let Some(until) = self.until.get_mut(chapter.shard) {
            *until = chapter.until;
        }
        let complete = self.until.iter().min().copied().unwrap_or(Instant::NEVER);
        let later = self.waiting.split_off(&(complete, 0));
        std::mem::replace(&mut self.waiting, later).into_values().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::EventId;

    fn entry(at: u64, peer: u32) -> LogEntry {
        let id = EventId { peer, count: 0 };
        LogEntry { at: Instant::from_nanos(at), peer, id, cause: id, kind: "told", detail: String::new() }
    }

    #[test]
    fn the_calibration_that_is_carried_along_is_one_or_none() {
        let calibration: Option<record::Calibration> = serde_json::from_str(CALIBRATION).unwrap();
        assert_eq!(calibration.is_none(), CALIBRATION.trim() == UNCALIBRATED);
    }

    #[test]
    fn an_entry_is_written_when_no_shard_can_precede_it() {
        let mut pages = Pages::new(2);
        let chapter = |shard, until, entries| Chapter { shard, until: Instant::from_nanos(until), entries };
        let mut written = Vec::new();
        let mut add =
            |chapter| written.extend(pages.add(chapter).map(|entry| (entry.at.as_nanos(), entry.peer)));
        add(chapter(0, 10, vec![entry(3, 0), entry(9, 2)]));
        add(chapter(1, 5, vec![entry(3, 1), entry(4, 1)]));
        add(chapter(1, u64::MAX, vec![entry(8, 1)]));
        add(chapter(0, u64::MAX, vec![entry(20, 0)]));
        assert_eq!(written, [(3, 0), (3, 1), (4, 1), (8, 1), (9, 2), (20, 0)]);
    }

    #[test]
    fn hashes_are_written_in_hex() {
        assert_eq!(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
