//! Networks whose distances a table states: a file of the user's own, or a profile that ships.
//!
//! Whoever reads the file or the profile fills in [`Table`]; the kernel opens no file.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use types::{Duration, Share};

use crate::network::{DEFAULT_FLOOR, Place};
use crate::resolve::{MAX_PLACES, Pair, Problems, ResolvedNetwork};

/// Places, and a file that says how far they are apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// A CSV file below the scenario's folder, with the columns `from`, `to` and either `one_way_ms` or `rtt_ms`, and
    /// optionally `jitter_ms` (what a message may take longer on its way, at most). One line a pair of places, a place to
    /// itself among them; where both directions of a pair are given, their mean is taken. Lines that begin with `#` are
    /// passed over. It is copied into the run's folder.
    pub file: String,
    /// Where peers live, by the names that the file has. The shares add up to `100%`. Default: an equal share in each of
    /// the file's places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub places: Option<BTreeMap<String, Place>>,
    /// How far pairs of peers in the same two places differ: the base of each pair is drawn once per run, uniformly within
    /// this share below and above the file's value. Default: `0%`.
    #[serde(default)]
    pub spread: Share,
    /// The share of requests (with their answers) and of one-way messages that are lost. Default: `0%`.
    #[serde(default)]
    pub loss: Share,
    /// The least delay of a message; a shorter one is raised to it, counted and reported. The
    /// simulation advances in steps no longer than the least delay, so a low floor costs speed.
    /// Default: `100us`.
    #[serde(default = "default_floor")]
    pub floor: Duration,
    /// What the file says.
    #[serde(skip)]
    pub table: Table,
}

/// Measured distances that ship with the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Whose distances.
    pub name: ProfileName,
    /// Where peers live, by the names that the profile has. The shares add up to `100%`. Default: an equal share in each of
    /// the profile's places, which says nothing of where peers really are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub places: Option<BTreeMap<String, Place>>,
    /// How far pairs of peers in the same two places differ: the base of each pair is drawn once per run, uniformly within
    /// this share below and above the profile's value. Default: `0%`.
    #[serde(default)]
    pub spread: Share,
    /// The share of requests (with their answers) and of one-way messages that are lost. Default: `0%`.
    #[serde(default)]
    pub loss: Share,
    /// The least delay of a message; a shorter one is raised to it, counted and reported. The
    /// simulation advances in steps no longer than the least delay, so a low floor costs speed.
    /// Default: `100us`.
    #[serde(default = "default_floor")]
    pub floor: Duration,
    /// What the profile says.
    #[serde(skip)]
    pub table: Table,
}

/// A profile that ships with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProfileName {
    /// Between data centres: 33 regions of Amazon's cloud. Half of the median round trip that cloudping.co measured over a
    /// year, and as jitter half of the distance from the median to the 90th percentile; from the tables of the Rust
    /// package `commonware-estimator` 2026.10.0 (MIT OR Apache-2.0). No home connections, no loss.
    Aws,
}

const fn default_floor() -> Duration {
    DEFAULT_FLOOR
}

/// How far places are apart. Both directions of a pair are one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// By names, the lesser first.
    pairs: Arc<BTreeMap<(String, String), Distance>>,
}

/// From one place to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distance {
    /// How long a message travels.
    pub one_way: Duration,
    /// What it may take longer.
    pub jitter: Duration,
}

impl Table {
    /// The table of these pairs, of which each stands once: the lesser name first.
    #[must_use]
    pub fn new(pairs: BTreeMap<(String, String), Distance>) -> Self {
        Self { pairs: Arc::new(pairs) }
    }

    /// The places that it knows, in order.
    #[must_use]
    pub fn places(&self) -> BTreeSet<&str> {
        self.pairs.keys().flat_map(|(a, b)| [a.as_str(), b.as_str()]).collect()
    }

    fn between(&self, a: &str, b: &str) -> Option<Distance> {
        self.pairs.get(&(a.min(b).to_string(), a.max(b).to_string())).copied()
    }
}

/// The parts that both kinds of network have.
pub(crate) struct Parts<'a> {
    /// The key under `network`.
    pub(crate) key: &'static str,
    /// The key that names the table.
    pub(crate) source: &'static str,
    pub(crate) places: Option<&'a BTreeMap<String, Place>>,
    pub(crate) spread: Share,
    pub(crate) loss: Share,
    pub(crate) floor: Duration,
    pub(crate) table: &'a Table,
}

impl Parts<'_> {
    pub(crate) fn resolve(&self, problems: &mut Problems) -> ResolvedNetwork {
        let Self { key, table, .. } = self;
        problems.check_floor(&format!("{key}.floor"), self.floor);
        let known = table.places();
        let places = match self.places {
            Some(places) => {
                problems.check_places(&format!("{key}.places"), places);
                self.check_known(places, &known, problems);
                places.clone()
            }
            None => equal_shares(&known),
        };
        if self.places.is_none() && places.len() > MAX_PLACES {
            let message = format!("{} places are more than {MAX_PLACES}", places.len());
            let path = format!("{key}.{}", self.source);
            problems.add(path, "network-too-many-places", message, "name some of them under `places`");
        }
        let pairs = if problems.is_empty() { self.pairs(&places, problems) } else { Vec::new() };
        ResolvedNetwork::of(places.into_iter().collect(), pairs, self.loss, self.floor)
    }

    fn check_known(&self, places: &BTreeMap<String, Place>, known: &BTreeSet<&str>, problems: &mut Problems) {
        // A table of nobody was complained about by whoever read it.
        for name in places.keys().filter(|name| !known.is_empty() && !known.contains(name.as_str())) {
            let path = format!("{}.places.{name}", self.key);
            let some: Vec<_> = known.iter().take(MAX_SHOWN).map(|name| format!("`{name}`")).collect();
            let more = if known.len() > MAX_SHOWN { " and others" } else { "" };
            let help = format!("it knows {}{more}", some.join(", "));
            let message = format!("the {} knows no place `{name}`", self.source_word());
            problems.add(path, "network-place-unknown", message, &help);
        }
    }

    fn pairs(&self, places: &BTreeMap<String, Place>, problems: &mut Problems) -> Vec<Pair> {
        let mut pairs = Vec::with_capacity(places.len() * places.len());
        for a in places.keys() {
            for b in places.keys() {
                let distance = self.table.between(a, b);
                if distance.is_none() && a <= b && !self.table.pairs.is_empty() {
                    let message =
                        format!("the {} does not say how far `{a}` and `{b}` are apart", self.source_word());
                    let path = format!("{}.{}", self.key, self.source);
                    problems.add(
                        path,
                        "network-pair-missing",
                        message,
                        &format!("add a line for `{a}` and `{b}`"),
                    );
                }
                pairs.push(distance.map_or_else(Pair::default, |distance| Pair {
                    base: distance.one_way,
                    spread: Duration::from_nanos(self.spread.of(distance.one_way.as_nanos())),
                    jitter: distance.jitter,
                }));
            }
        }
        pairs
    }

    const fn source_word(&self) -> &'static str {
        match self.key.as_bytes() {
            b"matrix" => "file",
            _ => "profile",
        }
    }
}

/// Places that are named where one is unknown.
const MAX_SHOWN: usize = 8;

/// An equal share for each, to the millionth: the first ones get what does not divide.
fn equal_shares(names: &BTreeSet<&str>) -> BTreeMap<String, Place> {
    let (whole, count) = (Share::WHOLE.as_millionths(), (names.len() as u32).max(1));
    let share = |rank: u32| Share::from_millionths(whole / count + u32::from(rank < whole % count));
    let place = |rank| Place { share: share(rank), uplink: None };
    (0..).zip(names).map(|(rank, name)| ((*name).to_string(), place(rank))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Network;
    use types::Seed;

    fn table(pairs: &[(&str, &str, u64)]) -> Table {
        let distance = |ms| Distance { one_way: Duration::from_millis(ms), jitter: Duration::from_millis(1) };
        let pair = |(a, b, ms): &(&str, &str, u64)| (((*a).to_string(), (*b).to_string()), distance(*ms));
        Table::new(pairs.iter().map(pair).collect())
    }

    fn matrix(json: &str, table: Table) -> Network {
        Network::Matrix(Matrix { table, ..serde_json::from_str(json).unwrap() })
    }

    const THREE: [(&str, &str, u64); 6] =
        [("a", "a", 1), ("a", "b", 20), ("a", "c", 30), ("b", "b", 2), ("b", "c", 40), ("c", "c", 3)];

    #[test]
    fn a_table_becomes_a_network() {
        let network =
            matrix(r#"{"file": "m.csv", "spread": "50%", "loss": "1%"}"#, table(&THREE)).resolve().unwrap();
        assert_eq!(network.places().collect::<Vec<_>>(), ["a", "b", "c"]);
        let pair = network.pair(2, 0);
        assert_eq!((pair, pair.base), (network.pair(0, 2), Duration::from_millis(30)));
        assert_eq!((pair.spread, pair.jitter), (Duration::from_millis(15), Duration::from_millis(1)));
        assert_eq!(network.lookahead(), Duration::from_micros(500));
        let mut homes = network.settle(Seed(1), 100);
        homes.sort_unstable();
        let of = |place: u8| homes.iter().filter(|home| **home == place).count();
        assert_eq!([of(0), of(1), of(2)], [34, 33, 33]);
        assert_eq!(network.settle(Seed(1), 3_000_001).len(), 3_000_001, "everybody lives somewhere");
    }

    #[test]
    fn some_of_its_places_may_be_named() {
        let json = r#"{"file": "m.csv", "places": {"c": {"share": "25%"}, "a": {"share": "75%"}}}"#;
        let network = matrix(json, table(&THREE)).resolve().unwrap();
        assert_eq!(network.places().collect::<Vec<_>>(), ["a", "c"]);
        assert_eq!(network.pair(0, 1).base, Duration::from_millis(30));
    }

    #[test]
    fn what_the_table_does_not_know_is_named() {
        let found = |json: &str, pairs: &[(&str, &str, u64)]| {
            let problems = matrix(json, table(pairs)).resolve().unwrap_err();
            problems.into_iter().map(|problem| (problem.path, problem.code)).collect::<Vec<_>>()
        };
        let unknown = r#"{"file": "m.csv", "places": {"x": {"share": "100%"}}}"#;
        assert_eq!(found(unknown, &THREE), [("matrix.places.x".to_string(), "network-place-unknown")]);
        let some = r#"{"file": "m.csv", "places": {"a": {"share": "60%"}}}"#;
        assert_eq!(found(some, &THREE), [("matrix.places".to_string(), "network-shares")]);
        assert_eq!(
            found(r#"{"file": "m.csv"}"#, &THREE[..5]),
            [("matrix.file".to_string(), "network-pair-missing")]
        );
        let many: Vec<String> = (0..65).map(|number| format!("p{number:02}")).collect();
        let pairs: Vec<_> = many.iter().map(|name| (name.as_str(), name.as_str(), 1)).collect();
        assert_eq!(
            found(r#"{"file": "m.csv"}"#, &pairs),
            [("matrix.file".to_string(), "network-too-many-places")]
        );
    }
}
