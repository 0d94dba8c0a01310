//! The file formats of a run: what a run's folder holds, written as the run goes, readable back.
//!
//! | module | what |
//! |---|---|
//! | [`folder`] | [`RunFolder`]: makes the folder, hands out writers, replaces the manifest |
//! | [`manifest`] | `manifest.json`: all that is needed to run it again, and every wall-clock figure |
//! | [`verdict`] | `verdict.json`: what the run proved; byte-equal between equal runs |
//! | [`calibration`] | `calibration.json`: how far the simulation was from real processes, when last compared |
//! | [`rows`] | the rows of the CSV files and the event log, with a table of their columns |
//! | [`graph`] | `graphs/*.graphml`: who has whom in its routing table |
//! | [`ladder`] | `ladder.jsonl.zst`: every peer's digest at simulated instants; where two runs part |
//! | [`mod@write`] | streaming writers whose files stay readable when the run is killed |
//! | [`read`] | [`Run`]: a folder read back |
//! | [`error`] | [`RecordError`], which names the file |
//!
//! It is deliberately *not* a model of a run: its types are the formats' own, plain and flat, and whoever
//! runs something converts into them. It judges nothing, draws nothing and reads no clock: the time is an
//! argument.
//!
//! Invariants: a file appears under its final name and is never rewritten, but for the manifest, which is
//! replaced in one step; a file cut off at any byte still yields its whole rows; what is read is bounded
//! by named limits; equal runs write equal bytes everywhere but in the manifest.
#![forbid(unsafe_code)]

pub mod calibration;
pub mod error;
pub mod folder;
pub mod graph;
pub mod ladder;
mod lines;
pub mod manifest;
pub mod read;
pub mod rows;
mod text;
pub mod verdict;
pub mod write;

pub use calibration::{CALIBRATION, Calibration};
pub use error::RecordError;
pub use folder::{INPUTS, RunFolder, rfc3339};
pub use graph::{Graph, GraphEdge, GraphHead, GraphNode};
pub use ladder::{Comparison, Difference, Rung, compare};
pub use manifest::{
    Build, Figure, Fingerprint, Host, Local, Manifest, RunStatus, RungSummary, Scenario, Sim, Start, Wall,
};
pub use read::{CsvRows, JsonRows, Run};
pub use rows::{
    Column, CsvRow, DegreeRow, EventId, EventIdError, EventRow, FaultRow, JsonRow, MeasureRow, OperationRow,
    Outcome, PeerRow, Phase, SeriesRow, SummaryRow,
};
pub use verdict::{
    Check, CheckKind, CheckStatus, FirstFailure, Tally, TallyKind, TallyStatus, Threshold, ThresholdStatus,
    Verdict, VerdictStatus,
};
pub use write::{CsvWriter, EventsWriter, JsonWriter, LadderWriter};

/// The version of a run folder's formats. Columns and keys may be added within a version; a reader
/// refuses a newer one.
pub const FORMAT: u32 = 1;
