//! Who has whom in its routing table: the tables as they were last sampled.
//!
//! Every sampling instant replaces the one before, so that a run that is stopped has those of its last. In a large
//! network every n-th peer is asked, by its number: a rule that depends on nobody's luck.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use kad::Table;
use types::Instant;

/// Peers whose tables are kept at most: with some 200 contacts each, ten megabytes.
pub const MAX_TABLES: u32 = 10_000;

/// Routing tables at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    at: Instant,
    /// By peer; what was taken at another instant than the last is of a peer that was down at the last.
    taken: BTreeMap<u32, (Instant, Vec<u32>)>,
}

impl Tables {
    /// In a network of so many peers, the tables of those are kept whose number is a multiple of this.
    #[must_use]
    pub fn every(peers: u32) -> u32 {
        peers.div_ceil(MAX_TABLES).max(1)
    }

    /// A peer that is up at `at`; without a table where it has no such layer.
    pub(crate) fn take(&mut self, at: Instant, peer: u32, table: Option<&Table>) {
        self.at = self.at.max(at);
        let (taken, contacts) = self.taken.entry(peer).or_default();
        *taken = at;
        contacts.clear();
        let known = table.into_iter().flat_map(Table::contacts);
        contacts.extend(known.filter_map(|contact| u32::try_from(contact.index()?).ok()));
    }

    /// Adds those of another shard's peers.
    pub(crate) fn merge(&mut self, other: Self) {
        self.at = self.at.max(other.at);
        self.taken.extend(other.taken);
    }

    /// When they were sampled; the beginning if they never were.
    #[must_use]
    pub const fn at(&self) -> Instant {
        self.at
    }

    /// The contacts of `peer`, by number; `None` if it was down, or is none of those that are kept.
    #[must_use]
    pub fn contacts(&self, peer: u32) -> Option<&[u32]> {
        let (taken, contacts) = self.taken.get(&peer)?;
        (*taken == self.at).then_some(contacts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Duration;

    #[test]
    fn who_was_down_at_the_last_instant_has_no_table() {
        let at = |secs| Instant::START + Duration::from_secs(secs);
        let mut tables = Tables::default();
        tables.take(at(1), 3, None);
        tables.take(at(2), 4, None);
        assert_eq!((tables.at(), tables.contacts(3), tables.contacts(4)), (at(2), None, Some(&[][..])));
    }

    #[test]
    fn a_large_network_is_thinned_evenly() {
        let every = [0, 1, 10_000, 10_001, 1_000_000].map(Tables::every);
        assert_eq!(every, [1, 1, 1, 2, 100]);
    }
}
