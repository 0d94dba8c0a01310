//! The knobs of the DHT, as a scenario's `node.kad` block and a deployed node's file write them.

use types::{Duration, Size};

/// The shortest interval of periodic work: an instant that comes round at once would stop time.
pub const MIN_INTERVAL: Duration = Duration::from_millis(100);

/// The largest value that a record may be allowed to have, in bytes: libp2p's default; with 256 contacts beside it, it fits a
/// message.
pub const MAX_RECORD_BYTES: u64 = 64 << 10;

/// The distributed hash table (S/Kademlia).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Whether it serves the table or only uses it: `server` (default) or `client`.
    pub mode: Mode,
    /// Peers of a bucket, and of an answer: the k of Kademlia. From 1 to 128.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 128)))]
    pub k: u16,
    /// Requests that a lookup keeps in flight: the alpha of Kademlia. From 1 to 32.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 32)))]
    pub alpha: u16,
    /// Paths of a lookup that share no peer: the d of S/Kademlia. From 1 to 16; 1 is plain Kademlia.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 16)))]
    pub disjoint_paths: u16,
    /// Peers that a record is stored on. From 1 to 128; at most k of them are found.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 128)))]
    pub replication: u16,
    /// Contacts kept beside a full bucket, to replace one that fails. From 0 to 128.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 128)))]
    pub replacement_cache: u16,
    /// Unanswered requests in a row after which a contact leaves its bucket. From 1 to 16.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 16)))]
    pub max_failures: u8,
    /// How long a request waits for its answer.
    pub request_timeout: Duration,
    /// How long a lookup may take; what it has found by then is its result.
    pub lookup_timeout: Duration,
    /// How often the table is refreshed: a lookup of the own id and of a random key in every bucket. From 100ms.
    pub refresh_interval: Duration,
    /// How long a record lives at its holders.
    pub record_ttl: Duration,
    /// How often a publisher stores its records again. From 100ms.
    pub republish_interval: Duration,
    /// How often a holder passes its records on to the peers that are closest by then. From 100ms.
    pub replicate_interval: Duration,
    /// Records that a peer holds for others, at most.
    pub max_records: u32,
    /// Bytes of one record's value, at most: up to 64 KiB, so that a message holds it and its contacts.
    pub max_record_size: Size,
    /// How long a peer remembers who provides something, from their last announcement.
    pub provider_ttl: Duration,
    /// How often a provider announces itself again. From 100ms.
    pub announce_interval: Duration,
    /// Names for which a peer remembers who provides them, at most.
    pub max_provided: u32,
    /// Providers of one name that a peer remembers, at most; further ones are turned away, so that a crowd of strangers
    /// pushes nobody out. From 1 to 128.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 128)))]
    pub max_providers: u16,
}

/// Whether a peer serves the table or only uses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It answers requests and stands in others' tables.
    #[default]
    Server,
    /// It asks, answers nobody and stands in nobody's table: a peer behind a NAT, on a phone, or up for a moment.
    Client,
}

impl Default for Config {
    /// libp2p's defaults where it has the knob (rust-libp2p, 2026-08): 20 / 3 / 20, 10 s, 60 s, 5 min, 48 h / 22 h /
    /// 1 h, 1,024 records of 64 KiB; providers 48 h / 12 h, 1,024 names of 20 each.
    fn default() -> Self {
        Self {
            mode: Mode::Server,
            k: 20,
            alpha: 3,
            disjoint_paths: 1,
            replication: 20,
            replacement_cache: 4,
            max_failures: 2,
            request_timeout: Duration::from_secs(10),
            lookup_timeout: Duration::from_secs(60),
            refresh_interval: Duration::from_mins(5),
            record_ttl: Duration::from_hours(48),
            republish_interval: Duration::from_hours(22),
            replicate_interval: Duration::from_hours(1),
            max_records: 1_024,
            max_record_size: Size::from_kib(64),
            provider_ttl: Duration::from_hours(48),
            announce_interval: Duration::from_hours(12),
            max_provided: 1_024,
            max_providers: 20,
        }
    }
}

/// A knob outside its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{knob} is {value}; it is from {least} to {most}")]
pub struct OutOfRange {
    /// The field's name.
    pub knob: &'static str,
    /// What it was set to.
    pub value: u64,
    /// The least it can be.
    pub least: u64,
    /// The most it can be.
    pub most: u64,
}

impl Config {
    /// Every knob that is out of the range that its description states, in order.
    pub fn out_of_range(&self) -> impl Iterator<Item = OutOfRange> + use<> {
        [
            ("k", u64::from(self.k), 1, 128),
            ("alpha", u64::from(self.alpha), 1, 32),
            ("disjoint_paths", u64::from(self.disjoint_paths), 1, 16),
            ("replication", u64::from(self.replication), 1, 128),
            ("replacement_cache", u64::from(self.replacement_cache), 0, 128),
            ("max_failures", u64::from(self.max_failures), 1, 16),
            ("request_timeout", self.request_timeout.as_nanos(), 1, u64::MAX),
            ("lookup_timeout", self.lookup_timeout.as_nanos(), 1, u64::MAX),
            ("refresh_interval", self.refresh_interval.as_nanos(), MIN_INTERVAL.as_nanos(), u64::MAX),
            ("record_ttl", self.record_ttl.as_nanos(), 1, u64::MAX),
            ("republish_interval", self.republish_interval.as_nanos(), MIN_INTERVAL.as_nanos(), u64::MAX),
            ("replicate_interval", self.replicate_interval.as_nanos(), MIN_INTERVAL.as_nanos(), u64::MAX),
            ("max_record_size", self.max_record_size.as_bytes(), 1, MAX_RECORD_BYTES),
            ("provider_ttl", self.provider_ttl.as_nanos(), 1, u64::MAX),
            ("announce_interval", self.announce_interval.as_nanos(), MIN_INTERVAL.as_nanos(), u64::MAX),
            ("max_providers", u64::from(self.max_providers), 1, 128),
        ]
        .into_iter()
        .filter(|(_, value, least, most)| value < least || value > most)
        .map(|(knob, value, least, most)| OutOfRange { knob, value, least, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_knob_out_of_range_is_named() {
        assert_eq!(Config::default().out_of_range().next(), None);
        let config = Config { k: 129, ..Config::default() };
        let out = OutOfRange { knob: "k", value: 129, least: 1, most: 128 };
        assert_eq!(config.out_of_range().collect::<alloc::vec::Vec<_>>(), [out]);
        let config = Config { refresh_interval: Duration::ZERO, ..Config::default() };
        assert_eq!(config.out_of_range().map(|error| error.knob).next(), Some("refresh_interval"));
    }
}
