//! Where two runs part: every peer's digest at simulated instants, and the comparison of two folders.
//!
//! A rung holds one leaf per peer, up to [`MAX_LEAVES`]; beyond that many peers they share leaves, peer
//! `number` the leaf `number % leaves`. The comparison names the first rung that differs and the peers
//! behind its differing leaves; the exact event then comes from replaying that stretch.

use serde::{Deserialize, Serialize};

use crate::rows::{JsonRow, PeerRow};
use crate::{Manifest, RecordError, Run};

/// Leaves of a rung; more peers than that share them.
pub const MAX_LEAVES: usize = 4_096;
/// Peers that a comparison names; the others are counted.
pub const MAX_NAMED_PEERS: usize = 20;

/// The peers' digests at one instant: a line of `ladder.jsonl.zst`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Nanoseconds since the beginning.
    pub at_ns: u64,
    /// The leaves, 16 hex digits each in the file.
    #[serde(with = "crate::text::leaves")]
    pub leaves: Vec<u64>,
}

impl JsonRow for Rung {
    const FILE: &'static str = "ladder.jsonl.zst";
}

/// The leaf of a peer among `leaves`.
#[must_use]
pub const fn leaf_of(peer: u32, leaves: usize) -> usize {
    match (peer as usize).checked_rem(leaves) {
        Some(leaf) => leaf,
        None => 0,
    }
}

/// What two folders say about each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// What was put in and differs, in words; empty if both ran the same thing.
    pub inputs: Vec<InputDifference>,
    /// Rungs that both have and that are equal, from the beginning.
    pub equal_rungs: u64,
    /// The instant of the last of them.
    pub equal_until_ns: Option<u64>,
    /// What came of it.
    pub difference: Difference,
}

/// One thing that was put in and differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputDifference {
    /// What: `seed`, `plan`, `inputs/service.wasm`.
    pub what: String,
    /// As the first has it.
    pub first: String,
    /// As the second has it.
    pub second: String,
}

/// Whether and where two runs part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Equal fingerprints, equal rungs.
    None,
    /// At this rung the leaves differ for the first time.
    Rung {
        /// Its instant, in nanoseconds.
        at_ns: u64,
        /// How many leaves differ.
        leaves: usize,
        /// The peers behind them, as both folders name them; at most [`MAX_NAMED_PEERS`].
        peers: Vec<ComparedPeer>,
        /// How many more there are.
        more_peers: u64,
    },
    /// All rungs that both have are equal, and the fingerprints differ: the runs part after the last one.
    AfterLastRung,
    /// One of them did not come to its end; what both have is equal.
    EqualSoFar,
    /// They cannot be compared, for this reason.
    Incomparable(String),
}

/// A peer behind a leaf that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedPeer {
    /// Its number.
    pub number: u32,
    /// Its short name.
    pub name: String,
    /// Its id.
    pub id: String,
}

/// Compares two runs by their manifests and ladders.
///
/// # Errors
/// If a ladder or `peers.csv` is malformed or cannot be read.
pub fn compare(first: &Run, second: &Run) -> Result<Comparison, RecordError> {
    let (a, b) = (first.manifest(), second.manifest());
    let mut comparison = Comparison {
        inputs: differing_inputs(a, b),
        equal_rungs: 0,
        equal_until_ns: None,
        difference: Difference::None,
    };
    comparison.difference = if !a.is_simulated() || !b.is_simulated() {
        Difference::Incomparable(
            "a run on real processes has no fingerprint: nothing repeats it exactly".to_owned(),
        )
    } else if a.fingerprint.version == b.fingerprint.version {
        walk(first, second, &mut comparison)?
    } else {
        Difference::Incomparable(format!(
            "fingerprint version {} against {}",
            a.fingerprint.version, b.fingerprint.version
        ))
    };
    Ok(comparison)
}

fn walk(first: &Run, second: &Run, comparison: &mut Comparison) -> Result<Difference, RecordError> {
    let (Some(mut left), Some(mut right)) = (ladder(first)?, ladder(second)?) else {
        return Ok(Difference::Incomparable("a ladder is missing".to_owned()));
    };
    while let (Some(a), Some(b)) = (left.next().transpose()?, right.next().transpose()?) {
        if a.at_ns != b.at_ns || a.leaves.len() != b.leaves.len() {
            let rung = |rung: &Rung| format!("{} leaves at {} ns", rung.leaves.len(), rung.at_ns);
            return Ok(Difference::Incomparable(format!(
                "the ladders have different rungs: {} against {}",
                rung(&a),
                rung(&b)
            )));
        }
        if a.leaves != b.leaves {
            return suspects(first, &a, &b);
        }
        comparison.equal_rungs += 1;
        comparison.equal_until_ns = Some(a.at_ns);
    }
    let values = [first, second].map(|run| run.manifest().fingerprint.value.as_ref());
    Ok(match values {
        [Some(a), Some(b)] if a == b => Difference::None,
        [Some(_), Some(_)] => Difference::AfterLastRung,
        _ => Difference::EqualSoFar,
    })
}

fn ladder(run: &Run) -> Result<Option<crate::JsonRows<Rung>>, RecordError> {
    match run.json::<Rung>() {
        Err(RecordError::Missing { .. }) => Ok(None),
        rows => rows.map(Some),
    }
}

/// The peers behind the leaves that differ, by the first folder's names.
fn suspects(run: &Run, a: &Rung, b: &Rung) -> Result<Difference, RecordError> {
    let differing: Vec<bool> = a.leaves.iter().zip(&b.leaves).map(|(a, b)| a != b).collect();
    let mut peers = Vec::new();
    let mut more_peers = 0;
    let rows = match run.csv::<PeerRow>() {
        Err(RecordError::Missing { .. }) => None,
        rows => Some(rows?),
    };
    for row in rows.into_iter().flatten() {
        let row = row?;
        match differing.get(leaf_of(row.number, differing.len())) {
            Some(true) if peers.len() < MAX_NAMED_PEERS => {
                peers.push(ComparedPeer { number: row.number, name: row.name, id: row.id });
            }
            Some(true) => more_peers += 1,
            _ => {}
        }
    }
    Ok(Difference::Rung {
        at_ns: a.at_ns,
        leaves: differing.iter().filter(|differs| **differs).count(),
        peers,
        more_peers,
    })
}

fn differing_inputs(a: &Manifest, b: &Manifest) -> Vec<InputDifference> {
    let mut differences = Vec::new();
    let mut note = |what: &str, first: String, second: String| {
        if first != second {
            differences.push(InputDifference { what: what.to_owned(), first, second });
        }
    };
    note("plan", a.scenario.plan_sha256.clone(), b.scenario.plan_sha256.clone());
    note("seed", a.seed.0.to_string(), b.seed.0.to_string());
    note("random streams", a.streams.to_string(), b.streams.to_string());
    note("build", build(a), build(b));
    let names = a.scenario.inputs.keys().chain(b.scenario.inputs.keys());
    for name in names.collect::<std::collections::BTreeSet<_>>() {
        let hash = |manifest: &Manifest| {
            let hash = manifest.scenario.inputs.get(name);
            hash.map_or_else(|| "absent".to_owned(), Clone::clone)
        };
        note(&format!("inputs/{name}"), hash(a), hash(b));
    }
    differences
}

fn build(manifest: &Manifest) -> String {
    let git = manifest.wavetank.git.as_deref().unwrap_or("no commit");
    format!("{} ({git})", manifest.wavetank.version)
}
