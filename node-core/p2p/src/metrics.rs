//! What a node counts of itself: for Prometheus, and for whoever administers it.
//!
//! Names, types and words stand in `types::metric::exported`; here is what fills them. What is a level of the node's is
//! set when somebody asks, everything else as it happens.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use kad::Operation;
use node::{Direction, LinkState};
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry};
use types::metric::exported::{self, Exported};
use wire::admin::{Ended, Outcome};

use crate::handle::VERSION;
use crate::host::Glance;
use crate::told::{Reason, Sort};

/// How often the lag of the node's thread is looked at.
const LAG_PACE: Duration = Duration::from_secs(1);

type Label = [(&'static str, &'static str); 1];

/// An operation, by what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Lookup,
    Put,
    Get,
    Announce,
    FindProviders,
}

impl From<&Operation> for Kind {
    fn from(operation: &Operation) -> Self {
        match operation {
            Operation::Lookup(_) => Self::Lookup,
            Operation::Put { .. } => Self::Put,
            Operation::Get(_) => Self::Get,
            Operation::Announce(_) => Self::Announce,
            Operation::FindProviders { .. } => Self::FindProviders,
        }
    }
}

/// Counts of messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) sent: Counter,
    pub(crate) sent_bytes: Counter,
    pub(crate) received: Counter,
    pub(crate) received_bytes: Counter,
    /// Lost on purpose: counted elsewhere, and set when somebody asks.
    pub(crate) dropped: Counter,
}

impl Traffic {
    /// A frame of so many bytes leaves.
    pub(crate) fn send(&self, bytes: usize) {
        self.sent.inc();
        self.sent_bytes.inc_by(bytes as u64);
    }

    /// A frame of so many bytes is here.
    pub(crate) fn receive(&self, bytes: usize) {
        self.received.inc();
        self.received_bytes.inc_by(bytes as u64);
    }
}

/// Everything that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) traffic: Traffic,
    pub(crate) store_failures: Counter,
    lag: Histogram,
    links: Family<Label, Gauge>,
    limits: Family<Label, Counter>,
    offences: Family<Label, Counter>,
    operations: Operations,
    levels: Levels,
}

#[derive(Debug)]
struct Operations {
    lookups: Family<Label, Counter>,
    puts: Family<Label, Counter>,
    gets: Family<Label, Counter>,
    announces: Family<Label, Counter>,
    finds: Family<Label, Counter>,
    lookup_latency: Histogram,
    lookup_hops: Histogram,
    lookup_messages: Histogram,
    lookup_timeouts: Histogram,
    lookup_rounds_to_known: Histogram,
    put_latency: Histogram,
    get_latency: Histogram,
    announce_latency: Histogram,
    find_latency: Histogram,
    find_messages: Histogram,
    found: Histogram,
}

#[derive(Debug)]
struct Levels {
    contacts: Family<[(&'static str, u64); 1], Gauge>,
    records: Gauge,
    queue: Gauge,
    uptime: Gauge<f64, AtomicU64>,
}

impl Metrics {
    /// Of a node whose DHT's protocol has this name.
    pub(crate) fn new(protocol: &str) -> Arc<Self> {
        let mut desk = Desk(Registry::default());
        let build = [("version", VERSION.to_owned()), ("protocol", protocol.to_owned())];
        desk.0.register(exported::BUILD.stem(), exported::BUILD.about, Info::new(build.to_vec()));
        let traffic = Traffic {
            sent: desk.counter(&exported::MESSAGES_SENT),
            sent_bytes: desk.counter(&exported::MESSAGES_SENT_BYTES),
            received: desk.counter(&exported::MESSAGES_RECEIVED),
            received_bytes: desk.counter(&exported::MESSAGES_RECEIVED_BYTES),
            dropped: desk.counter(&exported::MESSAGES_DROPPED),
        };
        let store_failures = desk.counter(&exported::STORE_FAILURES);
        let lag = desk.spans(&exported::EVENT_LOOP_LAG);
        let links: Family<Label, Gauge> = desk.enter(&exported::PEERS_CONNECTED, Family::default());
        let (limits, offences) = (desk.by(&exported::LIMIT_HITS), desk.by(&exported::OFFENCES));
        let operations = Operations::new(&mut desk);
        let levels = Levels {
            contacts: desk.enter(&exported::KAD_TABLE_ENTRIES, Family::default()),
            records: desk.enter(&exported::RECORDS, Gauge::default()),
            queue: desk.enter(&exported::QUEUE_DEPTH, Gauge::default()),
            uptime: desk.enter(&exported::UPTIME, Gauge::default()),
        };
        let registry = desk.0;
        let metrics =
            Self { registry, traffic, store_failures, lag, links, limits, offences, operations, levels };
        // What never happened is told as zero, so that its first time is seen as a rise.
        for reason in Reason::PLAIN {
            drop(metrics.of_reason(*reason));
        }
        for direction in [Direction::Dialled, Direction::Accepted] {
            drop(metrics.of_direction(direction));
        }
        metrics.operations.told_as_zero();
        Arc::new(metrics)
    }

    /// Something was turned away.
    pub(crate) fn turned_away(&self, reason: Reason) {
        self.of_reason(reason).inc();
    }

    /// The first connection to a peer is there, or the last is gone.
    pub(crate) fn link(&self, direction: Direction, state: LinkState) {
        let links = self.of_direction(direction);
        match state {
            LinkState::Up => links.inc(),
            LinkState::Down => links.dec(),
        };
    }

    /// An operation ended.
    pub(crate) fn ended(&self, kind: Kind, ended: &Ended) {
        self.operations.ended(kind, ended);
    }

    /// Looks again and again how late the thread is on which this runs.
    pub(crate) async fn watch_lag(self: Arc<Self>) {
        loop {
            let due = tokio::time::Instant::now() + LAG_PACE;
            tokio::time::sleep_until(due).await;
            self.lag.observe(due.elapsed().as_secs_f64());
        }
    }

    /// All of it as text, levels as they are at this glance. Without one they are as they last were.
    pub(crate) fn text(&self, glance: Option<&Glance>) -> String {
        if let Some(glance) = glance {
            self.levels.set(glance);
        }
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }

    fn of_reason(&self, reason: Reason) -> Counter {
        match reason.sort() {
            Sort::Limit => self.limits.get_or_create_owned(&[("limit", reason.word())]),
            Sort::Offence => self.offences.get_or_create_owned(&[("reason", reason.word())]),
        }
    }

    fn of_direction(&self, direction: Direction) -> Gauge {
        let word = match direction {
            Direction::Dialled => "dialled",
            Direction::Accepted => "accepted",
        };
        self.links.get_or_create_owned(&[("direction", word)])
    }
}

impl Operations {
    fn new(desk: &mut Desk) -> Self {
        Self {
            lookups: desk.by(&exported::LOOKUPS),
            puts: desk.by(&exported::RECORD_PUTS),
            gets: desk.by(&exported::RECORD_GETS),
            announces: desk.by(&exported::PROVIDER_ANNOUNCES),
            finds: desk.by(&exported::PROVIDER_FINDS),
            lookup_latency: desk.spans(&exported::LOOKUP_LATENCY),
            lookup_hops: desk.sizes(&exported::LOOKUP_HOPS),
            lookup_messages: desk.sizes(&exported::LOOKUP_MESSAGES),
            lookup_timeouts: desk.sizes(&exported::LOOKUP_TIMEOUTS),
            lookup_rounds_to_known: desk.sizes(&exported::LOOKUP_ROUNDS_TO_KNOWN),
            put_latency: desk.spans(&exported::RECORD_PUT_LATENCY),
            get_latency: desk.spans(&exported::RECORD_GET_LATENCY),
            announce_latency: desk.spans(&exported::PROVIDER_ANNOUNCE_LATENCY),
            find_latency: desk.spans(&exported::PROVIDER_FIND_LATENCY),
            find_messages: desk.sizes(&exported::PROVIDER_FIND_MESSAGES),
            found: desk.sizes(&exported::PROVIDER_FOUND),
        }
    }

    fn told_as_zero(&self) {
        const ALWAYS: [&str; 2] = [Outcome::Busy.word(), Outcome::Isolated.word()];
        let of = |counts: &Family<Label, Counter>, outcomes: &[&'static str]| {
            for outcome in outcomes.iter().chain(&ALWAYS) {
                drop(counts.get_or_create_owned(&[("outcome", outcome)]));
            }
        };
        of(&self.lookups, &[Outcome::Found.word()]);
        of(&self.puts, &["stored"]);
        of(&self.gets, &["value", Outcome::NotFound.word()]);
        of(&self.announces, &["announced"]);
        of(&self.finds, &[Outcome::Providers.word(), Outcome::NotFound.word()]);
    }

    fn ended(&self, kind: Kind, ended: &Ended) {
        let (counts, latency) = match kind {
            Kind::Lookup => (&self.lookups, &self.lookup_latency),
            Kind::Put => (&self.puts, &self.put_latency),
            Kind::Get => (&self.gets, &self.get_latency),
            Kind::Announce => (&self.announces, &self.announce_latency),
            Kind::FindProviders => (&self.finds, &self.find_latency),
        };
        counts.get_or_create_owned(&[("outcome", ended.outcome.word())]).inc();
        if ended.outcome == Outcome::Busy {
            // It never began: its figures say nothing.
            return;
        }
        latency.observe(Duration::from_nanos(ended.took_ns).as_secs_f64());
        let report = &ended.report;
        match kind {
            Kind::Lookup => {
                self.lookup_hops.observe(f64::from(report.hops));
                self.lookup_messages.observe(f64::from(report.messages));
                self.lookup_timeouts.observe(f64::from(report.timeouts));
                if let Some(round) = report.known_in_round {
                    self.lookup_rounds_to_known.observe(f64::from(round));
                }
            }
            Kind::FindProviders => {
                self.find_messages.observe(f64::from(report.messages));
                self.found.observe(report.providers.len() as f64);
            }
            Kind::Put | Kind::Get | Kind::Announce => {}
        }
    }
}

impl Levels {
    fn set(&self, glance: &Glance) {
        self.contacts.clear();
        for (bucket, contacts) in &glance.buckets {
            self.contacts.get_or_create_owned(&[("bucket", *bucket as u64)]).set(*contacts as i64);
        }
        self.records.set(glance.records as i64);
        self.queue.set(i64::from(glance.queue));
        self.uptime.set(Duration::from_nanos(glance.uptime.as_nanos()).as_secs_f64());
    }
}

/// Where metrics are entered, each under its name of the table.
struct Desk(Registry);

impl Desk {
    fn enter<M: Metric + Clone>(&mut self, name: &Exported, metric: M) -> M {
        self.0.register(name.stem(), name.about, metric.clone());
        metric
    }

    fn counter(&mut self, name: &Exported) -> Counter {
        self.enter(name, Counter::default())
    }

    fn by(&mut self, name: &Exported) -> Family<Label, Counter> {
        self.enter(name, Family::default())
    }

    /// Times: from a fraction of what loopback takes to a minute.
    fn spans(&mut self, name: &Exported) -> Histogram {
        self.enter(name, Histogram::new(exponential_buckets(0.000_25, 2.0, 18)))
    }

    /// Counts of single operations.
    fn sizes(&mut self, name: &Exported) -> Histogram {
        self.enter(
            name,
            Histogram::new([0., 1., 2., 3., 4., 6., 8., 12., 16., 24., 32., 48., 64., 96., 128.]),
        )
    }
}
