//! What a peer looks like at a moment: its table, its records, its searches, its links.

use judge::Oracle;
use kad::trace::Aim;
use serde::Serialize;
use types::PeerRef;
use world::Moment;

use crate::who::{Presence, Who, hex, number};

/// One peer at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeerState {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Whether it is up, and since when.
    #[serde(flatten)]
    pub presence: Presence,
    /// What it holds in memory; none while it is down.
    pub life: Option<LifeState>,
}

/// What a peer that is up holds in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LifeState {
    /// Inputs that wait for a core.
    pub queue_depth: usize,
    /// Peers to whom a link is up, where the scenario has links dialled.
    pub links: Option<Vec<Named>>,
    /// Its routing table, the farthest bucket first; buckets without contacts are left out.
    pub buckets: Vec<Bucket>,
    /// Records that it holds for others.
    pub records: Vec<Held>,
    /// Values that it keeps stored for its own clients.
    pub published: usize,
    /// Requests that wait for their answer.
    pub requests_in_flight: usize,
    /// Searches under way.
    pub searches: Vec<Searching>,
}

/// A peer that another knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Its number; none for a stranger to the plan.
    pub number: Option<u32>,
    /// Its name.
    pub name: String,
    /// Whether it is up, in truth.
    pub up: bool,
}

/// A bucket of a routing table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// Leading bits that its contacts share with the peer.
    pub prefix: usize,
    /// Its contacts, the least recently seen first.
    pub contacts: Vec<Named>,
    /// Its replacement cache.
    pub spares: Vec<Named>,
}

/// A record held for others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Its key, in hex.
    pub key: String,
    /// The size of its value.
    pub bytes: usize,
    /// Who stores it again.
    pub publisher: Option<String>,
    /// When it expires.
    pub expires_ns: u64,
}

/// A search under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Searching {
    /// `lookup`, `get`, `put`.
    pub aim: &'static str,
    /// Whether a client asked for it; else it is the peer's own maintenance.
    pub for_a_client: bool,
    /// About which key, in hex.
    pub key: String,
    /// Peers known to it and not asked, asked, answered, failed.
    pub known: usize,
    /// Those that have been asked and have not answered.
    pub asked: usize,
    /// Those that answered.
    pub answered: usize,
    /// Those that will not.
    pub failed: usize,
}

impl PeerState {
    /// A peer that is down.
    pub(crate) fn down(who: &Who, peer: u32, presence: Presence) -> Self {
        Self { number: peer, name: who.name(peer), id: who.id(peer), presence, life: None }
    }
}

impl LifeState {
    /// What this moment shows; `truth` knows who is up.
    pub(crate) fn of(moment: &Moment<'_>, who: &Who, truth: &Oracle) -> Self {
        let named = |peer: PeerRef| Named {
            number: number(peer),
            name: who.name_of(peer),
            up: number(peer).is_some_and(|peer| truth.is_online(peer)),
        };
        let all = |peers: &[PeerRef]| peers.iter().copied().map(named).collect::<Vec<_>>();
        let mut state = Self {
            queue_depth: moment.queue_depth,
            links: moment.links.map(|links| links.peers().map(PeerRef::shared).map(named).collect()),
            ..Self::default()
        };
        let Some(kad) = moment.view.kad else { return state };
        let table = kad.table();
        let bucket = |prefix| Bucket {
            prefix,
            contacts: all(table.bucket(prefix)),
            spares: all(table.bucket_spares(prefix)),
        };
        let buckets = (0..table.bucket_count()).map(bucket);
        state.buckets =
            buckets.filter(|bucket| !bucket.contacts.is_empty() || !bucket.spares.is_empty()).collect();
        let held = |(record, expires): (&std::sync::Arc<kad::Record>, types::Instant)| Held {
            key: hex(record.target.key().as_bytes()),
            bytes: record.value.len(),
            publisher: record.publisher.map(|peer| who.name_of(peer)),
            expires_ns: expires.as_nanos(),
        };
        state.records = kad.records().map(held).collect();
        state.published = kad.published_count();
        state.requests_in_flight = kad.requests_in_flight();
        state.searches = kad.searches().map(|search| searching(&search)).collect();
        state
    }
}

fn searching(search: &kad::Search) -> Searching {
    Searching {
        aim: match search.aim {
            Aim::Peers => "lookup",
            Aim::Value => "get",
            Aim::Storage => "put",
            Aim::Providers => "find",
            Aim::Announcement => "announce",
        },
        for_a_client: search.operation.is_some(),
        key: hex(search.target.key().as_bytes()),
        known: search.known,
        asked: search.asked,
        answered: search.answered,
        failed: search.failed,
    }
}
