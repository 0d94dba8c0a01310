//! The rows of the CSV files and of the event log.
//!
//! A row type and the table of its columns come from one declaration, so the header, the documentation
//! and the fields cannot disagree. Rules: column names end in their unit; times are integers from the
//! simulated zero; a missing value is an empty field; booleans and index columns do not occur.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// One column of a CSV file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in the header.
    pub name: &'static str,
    /// What its numbers count; empty for names and words.
    pub unit: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

/// A row of one of the CSV files.
pub trait CsvRow: Serialize + DeserializeOwned {
    /// The file's name in the run's folder.
    const FILE: &'static str;
    /// Its columns, in order.
    const COLUMNS: &'static [Column];
}

/// A row of one of the compressed JSON Lines files.
pub trait JsonRow: Serialize + DeserializeOwned {
    /// The file's name in the run's folder.
    const FILE: &'static str;
}

macro_rules! csv_rows {
    ($($(#[doc = $about:literal])* $row:ident $file:literal {
        $($(#[serde($($attribute:tt)*)])? $field:ident: $type:ty, $unit:literal, $meaning:literal;)*
    })*) => {$(
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct $row {
            $(#[doc = $meaning] $(#[serde($($attribute)*)])? pub $field: $type,)*
        }

        impl CsvRow for $row {
            const FILE: &'static str = $file;
            const COLUMNS: &'static [Column] = &[
                $(Column { name: stringify!($field), unit: $unit, meaning: $meaning },)*
            ];
        }
    )*};
}

csv_rows! {
    /// One operation that a workload asked for: `operations.csv`.
    OperationRow "operations.csv" {
        operation: u64, "", "number of the operation, in the order of their starts";
        kind: String, "", "what was asked: `lookup`, `put`, `get`";
        workload: u32, "", "place of its workload in the scenario's list, counted from 0";
        peer: u32, "", "number of the peer that was asked, as in peers.csv";
        peer_id: String, "", "id of that peer";
        group: String, "", "its group in the scenario";
        region: String, "", "where it stands in the network; empty without regions";
        key: String, "", "the key in question, in hex";
        start_ns: u64, "ns", "when it was asked";
        end_ns: Option<u64>, "ns", "when it ended; empty if the run ended first";
        outcome: Outcome, "", "how it ended: `ok`, `failed`, `timed_out`, `abandoned`, `unfinished`";
        #[serde(with = "crate::text::maybe_number")]
        latency_ms: Option<f64>, "ms", "from its start to its end";
        hops: Option<u32>, "rounds", "rounds of the lookup, by ancestry";
        known_in_round: Option<u32>, "rounds", "round whose answer first named the peer sought, 0 if the own table held it; empty for what is no peer, and if none did";
        messages: Option<u32>, "requests", "requests that it sent";
        timeouts: Option<u32>, "requests", "requests of it that went unanswered";
        #[serde(with = "crate::text::maybe_number")]
        recall: Option<f64>, "share", "share of the true k closest online peers that it found";
        phase: Phase, "", "`warmup` or `measured`, by its start";
    }

    /// One peer of the plan: `peers.csv`.
    PeerRow "peers.csv" {
        number: u32, "", "number of the peer, counted from 0";
        name: String, "", "short stable name: its group and its number there, `edge-17`";
        id: String, "", "its id, in base58";
        group: String, "", "its group in the scenario";
        region: String, "", "where it stands in the network; empty without regions";
        lives: u32, "lives", "how often it was started";
        sent_messages: u64, "messages", "messages that it sent";
        sent_bytes: u64, "bytes", "bytes that it sent, in their exact encoded size";
        received_messages: u64, "messages", "messages that it received";
    }

    /// One injected misfortune, asked against got: `faults.csv`.
    FaultRow "faults.csv" {
        index: u32, "", "place in the scenario's list, counted from 0";
        kind: String, "", "what it is: `churn`, `partition`, `clog`";
        name: String, "", "its name in reports and plots";
        from_ms: u64, "ms", "when it began";
        until_ms: Option<u64>, "ms", "when it ended; empty if it lasted to the end of the run";
        unit: String, "", "what is counted: `departures`, `messages`";
        asked: Option<u64>, "as `unit`", "how much was asked for, where the plan says so";
        got: u64, "as `unit`", "how much came of it";
        note: String, "", "what else is to say; mostly empty";
    }

    /// One sample of one metric: `series.csv`, tidy. Counters are sums since the beginning; a sample that has no value has no row.
    SeriesRow "series.csv" {
        t_ms: u64, "ms", "when it was sampled";
        metric: String, "", "the metric's name; a quantile of a distribution is `lookup.latency.p95`";
        scope: String, "", "whom it is about: `all`, or a group's name";
        #[serde(with = "crate::text::number")]
        value: f64, "the metric's", "the value; times are in ns";
    }

    /// One metric over the measured part of the run: `summary.csv`. Fields that its kind does not have are empty.
    SummaryRow "summary.csv" {
        metric: String, "", "the metric's name";
        scope: String, "", "whom it is about: `all`, or a group's name";
        unit: String, "", "what the numbers count: `ns`, `bytes`, `count`, `ratio`";
        samples: u64, "samples", "how many samples the row rests on";
        #[serde(with = "crate::text::maybe_number")]
        mean: Option<f64>, "as `unit`", "mean";
        #[serde(with = "crate::text::maybe_number")]
        min: Option<f64>, "as `unit`", "least";
        #[serde(with = "crate::text::maybe_number")]
        p50: Option<f64>, "as `unit`", "median";
        #[serde(with = "crate::text::maybe_number")]
        p90: Option<f64>, "as `unit`", "90th percentile";
        #[serde(with = "crate::text::maybe_number")]
        p95: Option<f64>, "as `unit`", "95th percentile";
        #[serde(with = "crate::text::maybe_number")]
        p99: Option<f64>, "as `unit`", "99th percentile";
        #[serde(with = "crate::text::maybe_number")]
        max: Option<f64>, "as `unit`", "most";
    }

    /// One measure of the graph of routing tables: `graphs/routing.csv`, made with the report.
    MeasureRow "graphs/routing.csv" {
        measure: String, "", "what is measured: `clustering`, `out_degree.mean`";
        #[serde(with = "crate::text::number")]
        value: f64, "as `unit`", "the value";
        unit: String, "", "what it counts: `contacts`, `share`, `steps`";
        of: u64, "", "how many it rests on: peers, or contacts, or neighbourhoods";
        meaning: String, "", "what that is, for people";
    }

    /// One degree in the graph of routing tables: `graphs/degrees.csv`, made with the report. Degrees that nobody has are left out.
    DegreeRow "graphs/degrees.csv" {
        degree: u64, "contacts", "the degree";
        peers_out: u64, "peers", "peers that are up with so many contacts in their table";
        peers_in: u64, "peers", "peers that are up and are named by so many tables of those that are";
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It got what was asked.
    Ok,
    /// It ended without, or with the wrong thing.
    Failed,
    /// Its time ran out.
    TimedOut,
    /// The asked peer went away before it ended.
    Abandoned,
    /// The run ended first.
    Unfinished,
}

impl Outcome {
    /// Whether it counts as a success; none if it counts as neither, because nobody was left to see its end.
    #[must_use]
    pub const fn succeeded(self) -> Option<bool> {
        match self {
            Self::Ok => Some(true),
            Self::Failed | Self::TimedOut => Some(false),
            Self::Abandoned | Self::Unfinished => None,
        }
    }
}

/// Which part of a run an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Started before the end of the warm-up; left out of thresholds and distributions.
    Warmup,
    /// Started after it.
    Measured,
}

/// The name of a handled thing: the `count`-th that `peer` handled in this run, counted from 0 over all its lives.
/// In files and on screens: `417.12`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The number of the peer.
    pub peer: u32,
    /// The how-manieth.
    pub count: u32,
}

/// Not the name of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is named by its peer's number and a count, such as `417.12`")]
pub struct EventIdError;

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.peer, self.count)
    }
}

impl std::str::FromStr for EventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, EventIdError> {
        let (peer, count) = text.split_once('.').ok_or(EventIdError)?;
        Ok(Self {
            peer: peer.parse().map_err(|_| EventIdError)?,
            count: count.parse().map_err(|_| EventIdError)?,
        })
    }
}

impl Serialize for EventId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a sampled peer handled or told: a line of `events.jsonl.zst`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRow {
    /// Nanoseconds since the beginning.
    pub t_ns: u64,
    /// What was handled; for what the peer told meanwhile, the same.
    pub event: EventId,
    /// The event that caused it; none for what no peer caused: workloads, faults, the beginning.
    pub cause: Option<EventId>,
    /// The number of the peer.
    pub peer: u32,
    /// What happened, in a word: `request`, `link_down`, `told`.
    pub kind: String,
    /// The details, for people.
    pub detail: String,
}

impl JsonRow for EventRow {
    const FILE: &'static str = "events.jsonl.zst";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_names_end_in_their_unit_where_it_is_a_time() {
        let all = [OperationRow::COLUMNS, PeerRow::COLUMNS, FaultRow::COLUMNS, SeriesRow::COLUMNS];
        for column in all.iter().flat_map(|columns| columns.iter()) {
            if matches!(column.unit, "ns" | "ms") {
                assert!(column.name.ends_with(&format!("_{}", column.unit)), "{}", column.name);
            }
            assert!(!column.meaning.is_empty());
        }
    }
}
