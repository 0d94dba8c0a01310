//! The plan's peers by number and group, and who is meant by a selection.
//!
//! Peers are numbered group by group, in the order in which the scenario names the groups.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use types::{Share, Stream};

use crate::plan::{Amount, Group, GroupNames, Select};

/// The peers that serve nobody, by number.
pub fn clients(groups: &[(String, Group)]) -> impl Iterator<Item = u32> {
    let roster = Roster::new(groups);
    let clients = groups.iter().enumerate().filter(|(_, (_, group))| !group.serves());
    clients.flat_map(move |(place, _)| roster.range(place))
}

/// Which peer belongs to which group.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    groups: Vec<Span>,
}

/// One group's peers.
#[derive(Clone, Debug)]
struct Span {
    name: String,
    peers: Range<u32>,
}

impl Roster {
    /// Numbers the peers of `groups`.
    #[must_use]
    pub fn new(groups: &[(String, Group)]) -> Self {
        let mut first = 0u32;
        let groups = groups
            .iter()
            .map(|(name, group)| {
                let next = first.saturating_add(group.count);
                let peers = first..next;
                first = next;
                Span { name: name.to_string(), peers }
            })
            .collect();
        Self { groups }
    }

    /// How many peers there are.
    #[must_use]
    pub fn peers(&self) -> u32 {
        self.groups.last().map_or(0, |last| last.peers.end)
    }

    /// How many groups there are.
    #[must_use]
    pub const fn groups(&self) -> usize {
        self.groups.len()
    }

    /// The place of the peer's group among the groups; `None` for a number that no peer has.
    #[must_use]
    pub fn group_of(&self, peer: u32) -> Option<usize> {
        let group = self.groups.partition_point(|span| span.peers.end <= peer);
        (group < self.groups.len()).then_some(group)
    }

    /// The name of a group.
    #[must_use]
    pub fn name(&self, group: usize) -> Option<&str> {
        self.groups.get(group).map(|span| span.name.as_str())
    }

    /// The peers of a group; none for a place that no group has.
    #[must_use]
    pub fn range(&self, group: usize) -> Range<u32> {
        self.groups.get(group).map_or(0..0, |span| span.peers.clone())
    }

    /// The group of this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.groups.iter().position(|span| span.name == name)
    }

    /// The short stable name of a peer: its group and its number there, `edge-17`.
    #[must_use]
    pub fn peer_name(&self, peer: u32) -> String {
        match self.group_of(peer).and_then(|group| self.groups.get(group)) {
            Some(span) => alloc::format!("{}-{}", span.name, peer - span.peers.start),
            None => alloc::format!("peer-{peer}"),
        }
    }

    /// The groups that are named, in order, each once; all of them if none is. Names that no group has are left out.
    #[must_use]
    pub fn named(&self, names: Option<&GroupNames>) -> Vec<usize> {
        let named = |span: &Span| names.is_none_or(|names| names.0.contains(&span.name));
        (0..self.groups.len()).filter(|group| self.groups.get(*group).is_some_and(named)).collect()
    }

    /// Who is meant by `select`: drawn from `stream` unless all are.
    #[must_use]
    pub fn choose(&self, select: &Select, stream: &mut Stream) -> Chosen {
        let groups = self.named(select.group.as_ref());
        let whole: u32 = groups.iter().map(|group| self.range(*group).len() as u32).sum();
        let wanted = match select.amount() {
            Ok(Amount::All) => return Chosen::Groups(groups),
            Ok(Amount::Number(number)) => number.min(whole),
            Ok(Amount::Share(share)) => share_of(share, whole),
            Err(_) => 0,
        };
        let mut peers: Vec<u32> = groups.iter().flat_map(|group| self.range(*group)).collect();
        pick_first(&mut peers, wanted as usize, stream);
        peers.sort_unstable();
        Chosen::Peers(peers.into())
    }

    /// The chosen peers, by number.
    pub fn iter<'a>(&'a self, chosen: &'a Chosen) -> impl Iterator<Item = u32> + 'a {
        let (groups, peers): (&[usize], &[u32]) = match chosen {
            Chosen::Groups(groups) => (groups, &[]),
            Chosen::Peers(peers) => (&[], peers),
        };
        groups.iter().flat_map(|group| self.range(*group)).chain(peers.iter().copied())
    }

    /// How many are chosen.
    #[must_use]
    pub fn count(&self, chosen: &Chosen) -> u32 {
        match chosen {
            Chosen::Groups(groups) => groups.iter().map(|group| self.range(*group).len() as u32).sum(),
            Chosen::Peers(peers) => peers.len() as u32,
        }
    }

    /// The chosen peer at `rank`, counted from 0 in the order of their numbers.
    #[must_use]
    pub fn nth(&self, chosen: &Chosen, rank: u32) -> Option<u32> {
        match chosen {
            Chosen::Peers(peers) => peers.get(rank as usize).copied(),
            Chosen::Groups(groups) => {
                let mut rank = rank;
                for group in groups {
                    let peers = self.range(*group);
                    match rank.checked_sub(peers.len() as u32) {
                        Some(beyond) => rank = beyond,
                        None => return Some(peers.start + rank),
                    }
                }
                None
            }
        }
    }
}

/// Who is meant by a selection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// Everybody of these groups.
    Groups(Vec<usize>),
    /// These, in the order of their numbers.
    Peers(Arc<[u32]>),
}

impl Chosen {
    /// Whether `peer` of `roster` is chosen.
    #[must_use]
    pub fn includes(&self, peer: u32, roster: &Roster) -> bool {
        match self {
            Self::Groups(groups) => roster.group_of(peer).is_some_and(|group| groups.contains(&group)),
            Self::Peers(peers) => peers.binary_search(&peer).is_ok(),
        }
    }

    /// The rank of `peer` of `roster` among the chosen, counted from 0 in the order in which [`Roster::nth`] counts.
    #[must_use]
    pub fn rank(&self, peer: u32, roster: &Roster) -> Option<u32> {
        match self {
            Self::Peers(peers) => peers.binary_search(&peer).ok().map(|rank| rank as u32),
            Self::Groups(groups) => {
                let own = roster.group_of(peer).filter(|own| groups.contains(own))?;
                let before = groups.iter().take_while(|group| **group != own);
                let before: u32 = before.map(|group| roster.range(*group).len() as u32).sum();
                Some(before + (peer - roster.range(own).start))
            }
        }
    }
}

/// The share of `whole`, rounded to the nearest.
pub(crate) const fn share_of(share: Share, whole: u32) -> u32 {
    ((whole as u64 * share.as_millionths() as u64 + 500_000) / 1_000_000) as u32
}

/// Leaves `wanted` of `items`, each as likely.
pub(crate) fn pick_first<T>(items: &mut Vec<T>, wanted: usize, stream: &mut Stream) {
    let wanted = wanted.min(items.len());
    for at in 0..wanted {
        let other = at + stream.below((items.len() - at) as u64) as usize;
        items.swap(at, other);
    }
    items.truncate(wanted);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Mode, Value};
    use alloc::vec;
    use proptest::prelude::*;
    use types::{Domain, Purpose, Seed, Streams};

    fn roster(counts: &[u32]) -> Roster {
        let groups: Vec<_> = (0..)
            .zip(counts)
            .map(|(number, count)| (alloc::format!("g{number}"), Group::of(*count)))
            .collect();
        Roster::new(&groups)
    }

    fn stream(seed: u64) -> Stream {
        Streams::global(Seed(seed), Domain::new("test")).stream(Purpose::new("roster"), 0)
    }

    #[test]
    fn peers_are_numbered_group_by_group() {
        let roster = roster(&[2, 0, 3]);
        assert_eq!(roster.peers(), 5);
        assert_eq!(
            (0..6).map(|peer| roster.group_of(peer)).collect::<Vec<_>>(),
            [Some(0), Some(0), Some(2), Some(2), Some(2), None]
        );
        assert_eq!((roster.peer_name(1), roster.peer_name(3)), ("g0-1".into(), "g2-1".into()));
    }

    #[test]
    fn a_selection_means_as_many_as_it_says() {
        let roster = roster(&[10, 90]);
        let choose = |select| roster.count(&roster.choose(&select, &mut stream(1)));
        let of =
            |group: &str, mode, value| Select { group: Some(GroupNames(vec![group.into()])), mode, value };
        assert_eq!(choose(Select::all()), 100);
        assert_eq!(choose(of("g1", Mode::All, None)), 90);
        assert_eq!(choose(of("g1", Mode::One, None)), 1);
        assert_eq!(choose(of("g0", Mode::Fixed, Some(Value::Number(40)))), 10);
        assert_eq!(choose(of("g1", Mode::Percent, Some(Value::Share(Share::from_percent(5))))), 5);
        assert_eq!(choose(of("nobody", Mode::All, None)), 0);
    }

    proptest! {
        #[test]
        fn the_chosen_are_distinct_sorted_and_of_the_named_groups(counts in proptest::collection::vec(0..20u32, 1..5), group in 0..5usize, number in 0..30u32, seed in any::<u64>()) {
            let roster = roster(&counts);
            let name = alloc::format!("g{group}");
            let select = Select { group: Some(GroupNames(vec![name])), mode: Mode::Fixed, value: Some(Value::Number(number)) };
            let chosen = roster.choose(&select, &mut stream(seed));
            let peers: Vec<_> = roster.iter(&chosen).collect();
            prop_assert!(peers.windows(2).all(|pair| pair[0] < pair[1]));
            prop_assert!(peers.iter().all(|peer| roster.range(group).contains(peer)));
            prop_assert_eq!(peers.len(), roster.range(group).len().min(number as usize));
            for (rank, peer) in (0..).zip(&peers) {
                prop_assert_eq!(roster.nth(&chosen, rank), Some(*peer));
            }
        }
    }
}
