//! What lookups find, against what is true.
//!
//! | module | what it shows |
//! |---|---|
//! | [`still`] | where nothing moves, every lookup finds exactly the k closest, by a count that shares nothing with judge's |
//! | [`joins`] | a network that grew by joins alone knows itself |
//! | [`grid`] | nobody leaves, so no lookup fails, whatever the knobs |
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod grid;
mod joins;
mod still;

use std::path::{Path, PathBuf};

use record::{OperationRow, Outcome};
use run::{Finished, Out, Scenario};

/// A file of the house.
pub(crate) fn in_house(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Runs it into a folder that is there as long as what is returned first.
pub(crate) fn run(scenario: Scenario) -> (tempfile::TempDir, Finished, record::Run) {
    let out = tempfile::tempdir().unwrap();
    let finished = scenario.out(Out::Folder(out.path().join("run"))).run().unwrap();
    let folder = record::Run::open(finished.folder.as_deref().unwrap()).unwrap();
    (out, finished, folder)
}

/// The operations of a run, none of which may have been left open or failed.
pub(crate) fn successes(folder: &record::Run) -> Vec<OperationRow> {
    let rows = folder.table::<OperationRow>(1_000_000).unwrap();
    for row in &rows {
        assert_eq!(row.outcome, Outcome::Ok, "{row:?}");
    }
    rows
}
