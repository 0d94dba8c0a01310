//! A node's configuration: the one type behind a scenario's `node:` block and a deployed node's file, so
//! that what was tested is what is deployed.
//!
//! It is a plain value: it reads no file and no environment. Layers own their knobs ([`kad::Config`]) and
//! their ranges; this crate joins them and checks what concerns more than one.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// A node's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The distributed hash table.
    pub kad: kad::Config,
    /// What caps a stranger's power.
    pub limits: Limits,
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
        Self {
            inbound_queue: 128,
            connections: 1_024,
        }
    }
}

/// A value that does not go with another, or lies outside its range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, as a dotted path below the node's block: `kad.alpha`.
    pub path: &'static str,
    /// What is wrong, as a fragment: ``"is 300, more than its most, 128"``.
    pub message: String,
}

impl Config {
    /// Everything that is wrong with these values, in the order of their keys.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let kad = &self.kad;
        let mut problems = Vec::new();
        let mut within = |path, value: u64, least: u64, most: u64| {
            if !(least..=most).contains(&value) {
                let message = alloc::format!("is {value}, outside {least} to {most}");
                problems.push(Problem { path, message });
            }
        };
        within("kad.k", kad.k.into(), 1, 128);
        within("kad.alpha", kad.alpha.into(), 1, 32);
        within("kad.disjoint_paths", kad.disjoint_paths.into(), 1, 16);
        within("kad.replication", kad.replication.into(), 1, 128);
        within("kad.replacement_cache", kad.replacement_cache.into(), 0, 128);
        within("kad.max_failures", kad.max_failures.into(), 1, 16);
        within(
            "limits.inbound_queue",
            self.limits.inbound_queue.into(),
            1,
            65_536,
        );
        within("limits.connections", self.limits.connections.into(), 1, 65_536);
        let mut positive = |path, span: types::Duration| {
            if span == types::Duration::ZERO {
                problems.push(Problem {
                    path,
                    message: "must be longer than 0s".to_string(),
                });
            }
        };
        positive("kad.request_timeout", kad.request_timeout);
        positive("kad.lookup_timeout", kad.lookup_timeout);
        positive("kad.refresh_interval", kad.refresh_interval);
        positive("kad.record_ttl", kad.record_ttl);
        positive("kad.republish_interval", kad.republish_interval);
        positive("kad.replicate_interval", kad.replicate_interval);
        if kad.disjoint_paths > kad.k {
            let message = alloc::format!("is {}, more than k ({})", kad.disjoint_paths, kad.k);
            problems.push(Problem {
                path: "kad.disjoint_paths",
                message,
            });
        }
        problems
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
        config.kad.alpha = 0;
        config.kad.lookup_timeout = types::Duration::ZERO;
        config.limits.connections = 1 << 20;
        let paths: Vec<_> = config.problems().iter().map(|problem| problem.path).collect();
        assert_eq!(paths, ["kad.alpha", "limits.connections", "kad.lookup_timeout"]);
    }
}
