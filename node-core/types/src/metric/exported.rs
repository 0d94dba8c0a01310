//! The metrics of a deployed node, by their Prometheus names, and which of a run's metrics says the same of simulated peers.
//!
//! Base units; what is only counted ends in `_total`; no label names a peer. Shares that runs show are left to whoever
//! asks Prometheus: quotients of counters by their `outcome`. What needs to see the whole network, such as whether a
//! lookup found the true closest peers, no node can say of itself.

/// How a metric's numbers are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Only grows while the node lives.
    Counter,
    /// A level.
    Gauge,
    /// How many numbers lay below each of some bounds.
    Histogram,
    /// What does not change: it stands in the labels.
    Info,
}

impl Type {
    /// In a word, as Prometheus says it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }
}

/// One metric of a deployed node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Its name, suffixes and all.
    pub name: &'static str,
    /// How it is to be read.
    pub kind: Type,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// The metric of a run that says the same of simulated peers.
    pub in_runs: Option<&'static str>,
    /// What it says.
    pub about: &'static str,
}

impl Exported {
    /// The name without the suffix that its type demands.
    #[must_use]
    pub fn stem(&self) -> &'static str {
        let suffix = match self.kind {
            Type::Counter => "_total",
            Type::Info => "_info",
            Type::Gauge | Type::Histogram => "",
        };
        self.name.strip_suffix(suffix).unwrap_or(self.name)
    }
}

macro_rules! exported {
    ($($constant:ident $name:literal $kind:ident [$($label:literal)*] $($in_runs:literal)? => $about:literal;)*) => {
        $(#[doc = $about] pub const $constant: Exported = Exported {
            name: $name,
            kind: Type::$kind,
            labels: &[$($label),*],
            in_runs: exported!(@in_runs $($in_runs)?),
            about: $about,
        };)*
        /// All of them, sorted by name.
        pub const ALL: &[Exported] = &[$($constant),*];
    };
    (@in_runs) => { None };
    (@in_runs $name:literal) => { Some($name) };
}

exported! {
    BUILD "wavetank_build_info" Info ["version" "protocol"] => "the program and the name of its DHT's protocol";
    EVENT_LOOP_LAG "wavetank_event_loop_lag_seconds" Histogram [] => "how late a timer of the node's thread was, looked at once a second";
    KAD_TABLE_ENTRIES "wavetank_kad_table_entries" Gauge ["bucket"] "kad.contacts" => "contacts in the routing table, by the bits that they share with the node; buckets without any are left out";
    LIMIT_HITS "wavetank_limit_hits_total" Counter ["limit"] => "what was turned away because a limit was reached";
    LOOKUP_HOPS "wavetank_lookup_hops" Histogram [] "lookup.hops" => "rounds of a lookup, by ancestry";
    LOOKUP_LATENCY "wavetank_lookup_latency_seconds" Histogram [] "lookup.latency" => "time from a lookup's start to its end";
    LOOKUP_MESSAGES "wavetank_lookup_messages" Histogram [] "lookup.messages" => "requests that a lookup sent";
    LOOKUP_ROUNDS_TO_KNOWN "wavetank_lookup_rounds_to_known" Histogram [] "lookup.rounds_to_known" => "rounds until an answer named the peer sought, of lookups that came to know it";
    LOOKUP_TIMEOUTS "wavetank_lookup_timeouts" Histogram [] "lookup.timeouts" => "requests of a lookup that went unanswered";
    LOOKUPS "wavetank_lookups_total" Counter ["outcome"] "lookup.count" => "lookups that ended";
    MESSAGES_DROPPED "wavetank_messages_dropped_total" Counter [] "messages.dropped" => "messages lost on purpose, by a network that was emulated";
    MESSAGES_RECEIVED_BYTES "wavetank_messages_received_bytes_total" Counter [] => "bytes of messages received, frames and all";
    MESSAGES_RECEIVED "wavetank_messages_received_total" Counter [] => "messages received";
    MESSAGES_SENT_BYTES "wavetank_messages_sent_bytes_total" Counter [] "messages.sent_bytes" => "bytes of messages sent, frames and all";
    MESSAGES_SENT "wavetank_messages_sent_total" Counter [] "messages.sent" => "messages sent";
    OFFENCES "wavetank_offences_total" Counter ["reason"] => "what was turned away because no peer should do it";
    PEERS_CONNECTED "wavetank_peers_connected" Gauge ["direction"] => "peers with a connection, by who dialled it";
    PROVIDER_ANNOUNCE_LATENCY "wavetank_provider_announce_latency_seconds" Histogram [] "provider.announce_latency" => "time from an announcement's start until the peers closest to its name were told";
    PROVIDER_ANNOUNCES "wavetank_provider_announces_total" Counter ["outcome"] => "announcements that ended";
    PROVIDER_FIND_LATENCY "wavetank_provider_find_latency_seconds" Histogram [] "provider.find_latency" => "time from a search for providers to its end";
    PROVIDER_FIND_MESSAGES "wavetank_provider_find_messages" Histogram [] "provider.find_messages" => "requests that a search for providers sent";
    PROVIDER_FINDS "wavetank_provider_finds_total" Counter ["outcome"] => "searches for providers that ended";
    PROVIDER_FOUND "wavetank_provider_found" Histogram [] "provider.found" => "providers that a search named, whether or not they are online";
    QUEUE_DEPTH "wavetank_queue_depth" Gauge [] "queue.depth" => "requests that wait for the node";
    RECORD_GET_LATENCY "wavetank_record_get_latency_seconds" Histogram [] "record.get_latency" => "time from a GET's start to its end";
    RECORD_GETS "wavetank_record_gets_total" Counter ["outcome"] => "GETs that ended";
    RECORD_PUT_LATENCY "wavetank_record_put_latency_seconds" Histogram [] "record.put_latency" => "time from a PUT's start to its last acknowledgement";
    RECORD_PUTS "wavetank_record_puts_total" Counter ["outcome"] => "PUTs that ended";
    RECORDS "wavetank_records" Gauge [] => "records held for others";
    STORE_FAILURES "wavetank_store_failures_total" Counter [] => "changes that the store did not persist";
    UPTIME "wavetank_uptime_seconds" Gauge [] => "time since the node started";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{self, Kind, Unit};

    #[test]
    fn names_are_sorted_unique_and_follow_their_types() {
        for pair in ALL.windows(2) {
            assert!(pair[0].name < pair[1].name, "{} {}", pair[0].name, pair[1].name);
        }
        for exported in ALL {
            let name = exported.name;
            assert!(name.starts_with("wavetank_"), "{name}");
            assert_eq!(exported.kind == Type::Counter, name.ends_with("_total"), "{name}");
            assert_eq!(exported.kind == Type::Info, name.ends_with("_info"), "{name}");
            assert!(!exported.labels.iter().any(|label| label.contains("peer")), "{name}");
        }
    }

    #[test]
    fn what_runs_say_too_is_of_the_same_unit() {
        for exported in ALL {
            let Some(in_runs) = exported.in_runs else { continue };
            let metric = metric::find(in_runs).unwrap();
            let stem = exported.stem();
            assert_eq!(metric.unit == Unit::Time, stem.ends_with("_seconds"), "{stem}");
            assert_eq!(metric.unit == Unit::Bytes, stem.ends_with("_bytes"), "{stem}");
            let kind = match metric.kind {
                Kind::Counter => Type::Counter,
                Kind::Gauge => Type::Gauge,
                Kind::Distribution | Kind::Ratio => Type::Histogram,
            };
            assert_eq!(exported.kind, kind, "{stem}");
        }
    }
}
