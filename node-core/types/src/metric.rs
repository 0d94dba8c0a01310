//! The tables of metric names: here those of scenarios and CSV files (`lookup.latency`), in [`exported`] those of a
//! deployed node (`wavetank_lookup_latency_seconds`), each with the one here that says the same.

pub mod exported;

/// What a metric's numbers count, and so the unit of its CSV values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Nanoseconds in files.
    Time,
    /// Bytes.
    Bytes,
    /// Things.
    Count,
    /// A share between 0 and 1.
    Ratio,
}

/// How a metric is folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows: a sum over the peers.
    Counter,
    /// A level, sampled.
    Gauge,
    /// One number per operation: quantiles can be asked of it.
    Distribution,
    /// Two counters divided.
    Ratio,
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name in scenarios, thresholds and CSV files.
    pub name: &'static str,
    /// What its numbers count.
    pub unit: Unit,
    /// How it is folded.
    pub kind: Kind,
    /// What it says, for reports and schemas.
    pub about: &'static str,
}

macro_rules! metrics {
    ($($constant:ident $name:literal $unit:ident $kind:ident $about:literal;)*) => {
        $(#[doc = $about] pub const $constant: Metric = Metric {
            name: $name, unit: Unit::$unit, kind: Kind::$kind, about: $about,
        };)*
        /// All metrics, sorted by name.
        pub const ALL: &[Metric] = &[$($constant),*];
    };
}

metrics! {
    KAD_CONTACTS "kad.contacts" Count Gauge "contacts in routing tables, mean over online peers";
    KAD_STALE_RATIO "kad.stale_ratio" Ratio Gauge "share of routing-table entries whose peer is offline";
    LOOKUP_COUNT "lookup.count" Count Counter "lookups that ended";
    LOOKUP_HOPS "lookup.hops" Count Distribution "rounds of a lookup, by ancestry: one more than the round of the answer that named the farthest peer asked";
    LOOKUP_LATENCY "lookup.latency" Time Distribution "time from a lookup's start to its end";
    LOOKUP_MESSAGES "lookup.messages" Count Distribution "requests that a lookup sent";
    LOOKUP_RECALL "lookup.recall" Ratio Distribution "share of the true k closest online peers that a lookup found";
    LOOKUP_ROUNDS_TO_KNOWN "lookup.rounds_to_known" Count Distribution "rounds until an answer named the peer sought, of lookups that succeeded; 0 if the own table held it";
    LOOKUP_SUCCESS_RATIO "lookup.success_ratio" Ratio Ratio "share of lookups that found their target, or the closest online peer where the target is a key";
    LOOKUP_TIMEOUTS "lookup.timeouts" Count Distribution "requests of a lookup that went unanswered";
    MESSAGES_DROPPED "messages.dropped" Count Counter "messages that did not reach their peer";
    MESSAGES_SENT "messages.sent" Count Counter "messages sent";
    MESSAGES_SENT_BYTES "messages.sent_bytes" Bytes Counter "bytes sent, in their exact encoded size";
    PEERS_ONLINE "peers.online" Count Gauge "peers that are up";
    PROVIDER_ANNOUNCE_LATENCY "provider.announce_latency" Time Distribution "time from an announcement's start until the peers closest to its name were told";
    PROVIDER_ANNOUNCE_SUCCESS_RATIO "provider.announce_success_ratio" Ratio Ratio "share of announcements that somebody was told of";
    PROVIDER_FIND_LATENCY "provider.find_latency" Time Distribution "time from the start of a search for providers that found one to its end";
    PROVIDER_FIND_MESSAGES "provider.find_messages" Count Distribution "requests that a search for providers sent";
    PROVIDER_FIND_SUCCESS_RATIO "provider.find_success_ratio" Ratio Ratio "share of searches for what somebody online provides that found a provider who is online";
    PROVIDER_FOUND "provider.found" Count Distribution "providers that a search named, whether or not they are online";
    PROVIDER_RECALL "provider.recall" Ratio Distribution "share of the online providers, as many as were enough, that a search found";
    QUEUE_DEPTH "queue.depth" Count Gauge "inputs that wait for a core, the most of any peer";
    RECORD_GET_LATENCY "record.get_latency" Time Distribution "time from a GET's start to its value";
    RECORD_GET_SUCCESS_RATIO "record.get_success_ratio" Ratio Ratio "share of GETs of stored keys that returned the value";
    RECORD_PUT_LATENCY "record.put_latency" Time Distribution "time from a PUT's start to its last acknowledgement";
    RECORD_PUT_SUCCESS_RATIO "record.put_success_ratio" Ratio Ratio "share of PUTs that enough peers acknowledged";
}

/// The metric of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Metric> {
    ALL.iter().find(|metric| metric.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_unique() {
        assert!(ALL.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
