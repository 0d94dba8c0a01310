//! Who provides what: providers remembered for others, and names that this peer announces.
//!
//! What is provided stays with its provider; only its whereabouts are kept, in memory: a provider that still lives announces
//! itself again in time, and one that does not is to be forgotten. A provider speaks for itself alone.
//!
//! Not here: lookups and messages; [`crate::Kad`] asks which announcement is due and makes it.
//!
//! Invariants: at most `max_provided` names are remembered, each with `max_providers` peers at most; a peer is remembered
//! once for a name; nobody is named whose time is over.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use types::{Instant, Key, PeerRef};

use crate::config::Config;
use crate::event::Refusal;
use crate::message::Target;
use crate::records::Novelty;

/// Names that a peer keeps announced for its own clients; a further one is refused as busy. A day of lookups, one every
/// second.
pub const MAX_ANNOUNCED: usize = 65_536;
/// Providers that one search can ask for: as many as an answer may name.
pub const MAX_SOUGHT: u16 = 128;

/// All of it; most peers have none.
#[derive(Debug)]
pub(crate) struct Providers {
    held: BTreeMap<Key, Provided>,
    announced: BTreeMap<Key, Announced>,
    /// Nobody's time is over and no announcement is due before this.
    due: Instant,
}

/// Something that others provide.
#[derive(Debug)]
struct Provided {
    target: Arc<Target>,
    /// Who, and until when that is believed; in the order in which they came.
    by: Vec<(PeerRef, Instant)>,
}

/// Something that this peer provides.
#[derive(Debug)]
struct Announced {
    target: Arc<Target>,
    again: Instant,
}

impl Providers {
    pub(crate) const fn new() -> Self {
        Self { held: BTreeMap::new(), announced: BTreeMap::new(), due: Instant::NEVER }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.announced.is_empty()
    }

    /// Remembers that `provider` provides `target`, until `expires`.
    pub(crate) fn admit(
        &mut self,
        target: &Arc<Target>,
        provider: PeerRef,
        expires: Instant,
        config: &Config,
    ) -> Result<Novelty, Refusal> {
        let full = self.held.len() >= config.max_provided as usize;
        let provided = match self.held.get_mut(target.key()) {
            Some(provided) => provided,
            None if full => return Err(Refusal::ProvidersFull),
            None => {
                let new = Provided { target: Arc::clone(target), by: Vec::new() };
                self.held.entry(*target.key()).or_insert(new)
            }
        };
        self.due = self.due.min(expires);
        if let Some((_, until)) = provided.by.iter_mut().find(|(known, _)| *known == provider) {
            *until = expires;
            return Ok(Novelty::Known);
        }
        if provided.by.len() >= usize::from(config.max_providers) {
            return Err(Refusal::ProvidersFull);
        }
        provided.by.push((provider, expires));
        Ok(Novelty::New)
    }

    /// Who provides this, as far as is remembered.
    pub(crate) fn of(&self, key: &Key, now: Instant) -> impl Iterator<Item = PeerRef> {
        let by = self.held.get(key).map_or(&[][..], |provided| provided.by.as_slice());
        by.iter().filter(move |(_, until)| *until > now).map(|(peer, _)| *peer)
    }

    /// Forgets whose time is over, and tells `each`.
    pub(crate) fn expire(&mut self, now: Instant, mut each: impl FnMut(&Arc<Target>, PeerRef)) {
        self.held.retain(|_, provided| {
            let Provided { target, by } = provided;
            by.retain(|(peer, until)| {
                let over = *until <= now;
                if over {
                    each(target, *peer);
                }
                !over
            });
            !by.is_empty()
        });
        self.due = self.next();
    }

    /// Keeps `target` announced, from `again` on; `None` if there are too many.
    pub(crate) fn announce(&mut self, target: &Arc<Target>, again: Instant) -> Option<()> {
        if self.announced.len() >= MAX_ANNOUNCED && !self.announced.contains_key(target.key()) {
            return None;
        }
        self.due = self.due.min(again);
        self.announced.insert(*target.key(), Announced { target: Arc::clone(target), again });
        Some(())
    }

    /// Whether this peer itself provides this.
    pub(crate) fn announces(&self, key: &Key) -> bool {
        self.announced.contains_key(key)
    }

    /// A name that is to be announced again by now; `next` is when it is due again.
    pub(crate) fn announce_again(&mut self, now: Instant, next: Instant) -> Option<Arc<Target>> {
        if self.due > now {
            return None;
        }
        if let Some(announced) = self.announced.values_mut().find(|announced| announced.again <= now) {
            announced.again = next;
            return Some(Arc::clone(&announced.target));
        }
        self.due = self.next();
        None
    }

    /// When to come back.
    pub(crate) const fn due(&self) -> Instant {
        self.due
    }

    /// Names that are remembered, and the most providers of any.
    pub(crate) fn held(&self) -> (usize, usize) {
        let most = self.held.values().map(|provided| provided.by.len()).max();
        (self.held.len(), most.unwrap_or(0))
    }

    pub(crate) fn for_each_ref(&self, mut each: impl FnMut(PeerRef)) {
        self.held.values().flat_map(|provided| &provided.by).for_each(|(peer, _)| each(*peer));
    }

    fn next(&self) -> Instant {
        let expires = self.held.values().flat_map(|provided| &provided.by).map(|(_, until)| *until);
        let again = self.announced.values().map(|announced| announced.again);
        expires.chain(again).min().unwrap_or(Instant::NEVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str) -> Arc<Target> {
        Arc::new(Target::new(name.as_bytes()))
    }

    const fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    #[test]
    fn a_crowd_pushes_nobody_out() {
        let mut providers = Providers::new();
        let config = Config { max_provided: 2, max_providers: 2, ..Config::default() };
        let mut admit = |name: &str, peer, until| {
            providers.admit(&target(name), PeerRef::shared(peer), at(until), &config)
        };
        assert_eq!(admit("a", 1, 10), Ok(Novelty::New));
        assert_eq!(admit("a", 2, 10), Ok(Novelty::New));
        assert_eq!(admit("a", 3, 10), Err(Refusal::ProvidersFull));
        assert_eq!(admit("a", 1, 20), Ok(Novelty::Known), "announced again");
        assert_eq!(admit("b", 3, 10), Ok(Novelty::New));
        assert_eq!(admit("c", 3, 10), Err(Refusal::ProvidersFull));
        let known = |now| providers.of(target("a").key(), at(now)).collect::<Vec<_>>();
        assert_eq!(known(9), [1, 2].map(PeerRef::shared));
        assert_eq!(known(10), [PeerRef::shared(1)], "nobody is named whose time is over");
    }

    #[test]
    fn whose_time_is_over_is_forgotten_and_told_of_once() {
        let mut providers = Providers::new();
        let config = Config::default();
        for (peer, until) in [(1, 10), (2, 20), (3, 10)] {
            providers.admit(&target("a"), PeerRef::shared(peer), at(until), &config).unwrap();
        }
        assert_eq!(providers.due(), at(10));
        let mut forgotten = Vec::new();
        providers.expire(at(10), |_, peer| forgotten.push(peer));
        assert_eq!((forgotten, providers.due()), ([1, 3].map(PeerRef::shared).to_vec(), at(20)));
        providers.expire(at(20), |_, _| ());
        assert!(providers.is_empty() && providers.due() == Instant::NEVER);
    }

    #[test]
    fn a_name_is_announced_again_when_it_is_due() {
        let mut providers = Providers::new();
        providers.announce(&target("a"), at(10)).unwrap();
        providers.announce(&target("b"), at(20)).unwrap();
        assert_eq!(providers.announce_again(at(9), at(99)), None);
        assert_eq!(providers.announce_again(at(10), at(30)), Some(target("a")));
        assert_eq!((providers.announce_again(at(10), at(30)), providers.due()), (None, at(20)));
    }
}
