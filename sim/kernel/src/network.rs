//! The network as people write it in a scenario's `network:` block.
//!
//! Plain serde types: a shape is checked on reading, a meaning in [`crate::resolve`]. A delay is the
//! *base* of the pair of peers, drawn once per run, plus the *jitter* of the message; a network that
//! redraws the whole delay for every message reorders what real networks keep in order, and lets no
//! peer be far away.

use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::{Deserialize, Serialize};
use types::{Bandwidth, Duration, Share};

use crate::matrix::{Matrix, Profile};

/// How the peers are connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Network {
    /// All pairs of peers alike: `uniform: {latency: {one_way: 50ms}}`.
    Uniform(Uniform),
    /// Peers live in places; a table says how far the places are apart.
    Regions(Regions),
    /// Peers live in places; a file says how far the places are apart.
    Matrix(Matrix),
    /// Peers live in places whose distances were measured and ship with the program.
    Profile(Profile),
}

/// All pairs of peers alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Uniform {
    /// How long a message travels between two peers.
    pub latency: Latency,
    /// The share of requests (with their answers) and of one-way messages that are lost. Default: `0%`.
    #[serde(default)]
    pub loss: Share,
    /// How fast a peer sends; its messages leave one after another. Default: without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uplink: Option<Bandwidth>,
    /// The least delay of a message; a shorter one is raised to it, counted and reported. The
    /// simulation advances in steps no longer than the least delay, so a low floor costs speed.
    /// Default: `100us`.
    #[serde(default = "default_floor")]
    pub floor: Duration,
}

/// Places, and how far they are apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Regions {
    /// Where peers live, by name. The shares add up to `100%`.
    pub places: BTreeMap<String, Place>,
    /// How long a message travels, by pair of places, as in `eu-us`; both directions are one pair, and
    /// `eu-eu` is the latency within a place. Every pair is needed.
    pub latency: BTreeMap<String, Latency>,
    /// The share of requests (with their answers) and of one-way messages that are lost. Default: `0%`.
    #[serde(default)]
    pub loss: Share,
    /// The least delay of a message; a shorter one is raised to it, counted and reported. The
    /// simulation advances in steps no longer than the least delay, so a low floor costs speed.
    /// Default: `100us`.
    #[serde(default = "default_floor")]
    pub floor: Duration,
}

/// A place where peers live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The share of all peers that live here. Who does is drawn from the seed; how many do not.
    pub share: Share,
    /// How fast a peer of this place sends; its messages leave one after another. Default: without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uplink: Option<Bandwidth>,
}

/// How long a message travels. Say either `one_way:` or `rtt:`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// The time from one peer to the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_way: Option<Duration>,
    /// The time there and back: a message takes half of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt: Option<Duration>,
    /// How far pairs of peers differ: the base of each pair is drawn once per run, uniformly within
    /// this share below and above the latency. Default: `0%`.
    #[serde(default)]
    pub spread: Share,
    /// What a message may take longer than the base of its pair, drawn for each message, uniformly from
    /// `0s` to this. Messages between two peers stay in order nevertheless. Default: `0s`.
    #[serde(default)]
    pub jitter: Duration,
}

/// The least delay where the scenario states none.
pub const DEFAULT_FLOOR: Duration = Duration::from_micros(100);

const fn default_floor() -> Duration {
    DEFAULT_FLOOR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_reads_as_people_write_it() {
        let uniform =
            serde_json::from_str::<Network>(r#"{"uniform": {"latency": {"one_way": "50ms"}}}"#).unwrap();
        let latency = Latency { one_way: Some(Duration::from_millis(50)), ..Latency::default() };
        assert_eq!(
            uniform,
            Network::Uniform(Uniform { latency, loss: Share::ZERO, uplink: None, floor: DEFAULT_FLOOR })
        );
        let regions = r#"{"regions": {"places": {"eu": {"share": "100%", "uplink": "20 Mbit/s"}},
            "latency": {"eu-eu": {"rtt": "24ms", "spread": "10%", "jitter": "3ms"}}, "loss": "1%", "floor": "1ms"}}"#;
        let regions = serde_json::from_str::<Network>(regions).unwrap();
        let again = serde_json::to_string(&regions).unwrap();
        assert_eq!(serde_json::from_str::<Network>(&again).unwrap(), regions);
    }

    #[test]
    fn what_is_misspelt_or_bare_is_refused() {
        for text in [
            r#"{"uniform": {"latency": "50ms"}}"#,
            r#"{"uniform": {"latency": {"oneway": "50ms"}}}"#,
            r#"{"uniform": {"latency": {"one_way": "50ms"}, "los": "1%"}}"#,
            r#"{"region": {}}"#,
        ] {
            assert!(serde_json::from_str::<Network>(text).is_err(), "{text}");
        }
    }
}
