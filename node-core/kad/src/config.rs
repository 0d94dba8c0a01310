//! The knobs of the DHT, as a scenario's `node.kad` block and a deployed node's file write them.

use types::{Duration, Size};

/// The distributed hash table (S/Kademlia).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Config {
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
    /// How often the table is refreshed: a lookup of the own id and of a random key in every bucket.
    pub refresh_interval: Duration,
    /// How long a record lives at its holders.
    pub record_ttl: Duration,
    /// How often a publisher stores its records again.
    pub republish_interval: Duration,
    /// How often a holder passes its records on to the peers that are closest by then.
    pub replicate_interval: Duration,
    /// Records that a peer holds for others, at most.
    pub max_records: u32,
    /// Bytes of one record's value, at most.
    pub max_record_size: Size,
}

impl Default for Config {
    /// libp2p's defaults where it has the knob (rust-libp2p, 2026-08): 20 / 3 / 20, 10 s, 60 s, 5 min, 48 h / 22 h /
    /// 1 h, 1,024 records of 64 KiB.
    fn default() -> Self {
        Self {
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
        }
    }
}
