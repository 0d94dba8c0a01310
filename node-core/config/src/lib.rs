//! A node's configuration: the one type behind a scenario's `node:` block and a deployed node's file, so
//! that what was tested is what is deployed.
//!
//! It is a plain value: it reads no file and no environment. Layers own their knobs ([`kad::Config`]) and
//! their ranges; this crate joins them and checks what concerns more than one.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use types::Duration;

mod network;

pub use network::{MAX_ADDRESS_BYTES, MAX_BOOTSTRAP, MAX_LISTEN, MAX_PROTOCOL_BYTES, Network, PROTOCOL};

/// The most that a queue or the links of a node may be allowed: what its process could hold.
const MAX_LIMIT: u32 = 65_536;

/// A node's configuration.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The folder of its key and of what it keeps, relative to the folder of its file: `.` is that folder itself. A simulated
    /// node has none.
    pub data: String,
    /// Where it is met.
    pub network: Network,
    /// The distributed hash table.
    pub kad: kad::Config,
    /// What caps a stranger's power.
    pub limits: Limits,
}

impl Default for Config {
    /// Everything is as its part says, and kept beside the file.
    fn default() -> Self {
        Self {
            data: ".".to_string(),
            network: Network::default(),
            kad: kad::Config::default(),
            limits: Limits::default(),
        }
    }
}

/// What caps a stranger's power over this node.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Inputs that wait for a core; beyond them the newest is dropped and counted. From 1 to 65,536.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 65536)))]
    pub inbound_queue: u32,
    /// Links held at a time; a dial beyond them is refused. From 1 to 65,536.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 65536)))]
    pub connections: u32,
}

impl Default for Limits {
    /// A queue of 128 is a second's worth of a busy peer's requests; 1,024 links are a large libp2p node's.
    fn default() -> Self {
        Self { inbound_queue: 128, connections: 1_024 }
    }
}

/// A value that does not go with another, or lies outside its range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, as a dotted path below the node's block: `kad.alpha`.
    pub path: String,
    /// What is wrong, as a fragment: `is 300, outside 1 to 128`.
    pub message: String,
}

impl Config {
    /// Everything that is wrong with these values, in the order of their keys.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let kad = self.kad.out_of_range().map(|out| (format!("kad.{}", out.knob), outside(&out)));
        let limits = [("inbound_queue", self.limits.inbound_queue), ("connections", self.limits.connections)]
            .into_iter()
            .filter(|(_, value)| !(1..=MAX_LIMIT).contains(value))
            .map(|(knob, value)| (format!("limits.{knob}"), format!("is {value}, outside 1 to {MAX_LIMIT}")));
        let (paths, k) = (self.kad.disjoint_paths, self.kad.k);
        let crowded = (paths > k).then(|| {
            (
                "kad.disjoint_paths".to_string(),
                format!("is {paths}, more than k ({k}): a path would begin with nobody"),
            )
        });
        let data =
            self.data.is_empty().then(|| ("data".to_string(), "is empty, and names no folder".to_string()));
        let network = self.network.problems().map(|(path, message)| (format!("network.{path}"), message));
        data.into_iter()
            .chain(network)
            .chain(kad)
            .chain(crowded)
            .chain(limits)
            .map(|(path, message)| Problem { path, message })
            .collect()
    }
}

fn outside(out: &kad::config::OutOfRange) -> String {
    match out.most {
        // Only spans of time have no greatest value.
        u64::MAX => {
            let (value, least) = (Duration::from_nanos(out.value), Duration::from_nanos(out.least));
            format!("is {value}, less than {least}")
        }
        most => format!("is {}, outside {} to {most}", out.value, out.least),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_sound() {
        assert_eq!(Config::default().problems(), []);
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let mut config = Config::default();
        config.data.clear();
        config.network.http.clear();
        config.kad.alpha = 0;
        config.kad.lookup_timeout = Duration::ZERO;
        config.limits.connections = 1 << 20;
        let paths: Vec<_> = config.problems().into_iter().map(|problem| problem.path).collect();
        assert_eq!(paths, ["data", "network.http", "kad.alpha", "kad.lookup_timeout", "limits.connections"]);
    }
}
