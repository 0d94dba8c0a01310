//! Who is up, as lives begin and end; a random pick among them takes no search.

use alloc::sync::Arc;
use alloc::vec::Vec;

use types::{Share, Stream};

use crate::lifecycle::LifeEvent;
use crate::plan::Amount;
use crate::roster::{Chosen, Roster, share_of};

/// The place of a peer that is down.
const DOWN: u32 = u32::MAX;
/// Peers that a newcomer is told of, at most: 16 KiB of references, and far more than a table's buckets near the
/// root hold.
pub const MAX_CONTACTS: u32 = 4_096;

/// Who is up.
///
/// The order within it follows from the order of events alone, so that every shard picks the same peers.
#[derive(Clone, Debug)]
pub struct Online {
    roster: Arc<Roster>,
    /// By group.
    crowds: Vec<Vec<u32>>,
    /// By peer: its place in the crowd of its group.
    places: Vec<u32>,
    /// Selections that are no whole groups.
    parties: Vec<Party>,
}

/// Those of a fixed list who are up.
#[derive(Clone, Debug)]
struct Party {
    members: Arc<[u32]>,
    /// By member: its place in `up`.
    places: Vec<u32>,
    up: Vec<u32>,
}

/// A selection within an [`Online`].
#[derive(Clone, Debug)]
pub enum Among {
    /// Everybody of these groups.
    Groups(Vec<usize>),
    /// One of the lists that it was made with.
    Party(usize),
}

impl Online {
    /// Nobody is up.
    #[must_use]
    pub fn new(roster: Arc<Roster>) -> Self {
        Self {
            crowds: alloc::vec![Vec::new(); roster.groups()],
            places: alloc::vec![DOWN; roster.peers() as usize],
            parties: Vec::new(),
            roster,
        }
    }

    /// Follows a selection. To be told before anybody is up.
    pub fn follow(&mut self, chosen: &Chosen) -> Among {
        match chosen {
            Chosen::Groups(groups) => Among::Groups(groups.clone()),
            Chosen::Peers(members) => {
                let places = alloc::vec![DOWN; members.len()];
                self.parties.push(Party { members: Arc::clone(members), places, up: Vec::new() });
                Among::Party(self.parties.len() - 1)
            }
        }
    }

    /// Takes note that a life began or ended.
    pub fn turn(&mut self, event: &LifeEvent) {
        let group = self.roster.group_of(event.peer);
        let crowd = group.and_then(|group| self.crowds.get_mut(group));
        let (Some(crowd), Some(place)) = (crowd, self.places.get(event.peer as usize).copied()) else {
            return;
        };
        if event.is_up() == (place != DOWN) {
            return;
        }
        if event.is_up() {
            set(&mut self.places, event.peer as usize, crowd.len() as u32);
            crowd.push(event.peer);
        } else {
            crowd.swap_remove(place as usize);
            set(&mut self.places, event.peer as usize, DOWN);
            if let Some(moved) = crowd.get(place as usize) {
                set(&mut self.places, *moved as usize, place);
            }
        }
        for party in &mut self.parties {
            party.turn(event);
        }
    }

    /// Whether `peer` is up.
    #[must_use]
    pub fn is_up(&self, peer: u32) -> bool {
        self.places.get(peer as usize).is_some_and(|place| *place != DOWN)
    }

    /// How many peers are up.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.crowds.iter().map(|crowd| crowd.len() as u32).sum()
    }

    /// How many of a selection are up.
    #[must_use]
    pub fn count_among(&self, among: &Among) -> u32 {
        match among {
            Among::Groups(groups) => groups.iter().map(|group| self.crowd(*group).len() as u32).sum(),
            Among::Party(party) => self.party(*party).len() as u32,
        }
    }

    /// One of a selection who is up, each as likely.
    #[must_use]
    pub fn pick(&self, among: &Among, stream: &mut Stream) -> Option<u32> {
        let count = self.count_among(among);
        self.nth(among, stream.index(count as usize)? as u32)
    }

    /// One of all who are up except `except`, each as likely.
    #[must_use]
    pub fn pick_other(&self, except: u32, stream: &mut Stream) -> Option<u32> {
        let others = self.count() - u32::from(self.is_up(except));
        let picked = self.nth_of_all(stream.index(others as usize)? as u32)?;
        // Whoever is last stands in for the one who is left out.
        if picked == except { self.nth_of_all(others) } else { Some(picked) }
    }

    /// As many of those groups as `amount` says, except `except`, each as likely; into `out`, in the order drawn.
    pub fn pick_some(
        &self,
        groups: &[usize],
        amount: Amount,
        except: u32,
        stream: &mut Stream,
        out: &mut Vec<u32>,
    ) {
        out.clear();
        let among = Among::Groups(groups.to_vec());
        let count = self.count_among(&among);
        let own =
            self.is_up(except) && self.roster.group_of(except).is_some_and(|group| groups.contains(&group));
        let others = count - u32::from(own);
        let wanted = match amount {
            Amount::All => others,
            Amount::Number(number) => number.min(others),
            Amount::Share(share) => share_of(share.min(Share::WHOLE), others),
        };
        // Floyd's way: no list of all, no second try. Ranks are those with the left-out one moved to the end.
        let own_rank = if own { self.rank(groups, except) } else { DOWN };
        let wanted = wanted.min(MAX_CONTACTS);
        let mut ranks: Vec<u32> = Vec::with_capacity(wanted as usize);
        for last in others - wanted..others {
            let drawn = stream.below(u64::from(last) + 1) as u32;
            let rank = if ranks.contains(&drawn) { last } else { drawn };
            ranks.push(rank);
            let rank = if rank == own_rank { others } else { rank };
            out.extend(self.nth(&among, rank));
        }
    }

    fn crowd(&self, group: usize) -> &[u32] {
        self.crowds.get(group).map_or(&[], Vec::as_slice)
    }

    fn party(&self, party: usize) -> &[u32] {
        self.parties.get(party).map_or(&[], |party| &party.up)
    }

    fn rank(&self, groups: &[usize], peer: u32) -> u32 {
        let own = self.roster.group_of(peer);
        let before: u32 = groups
            .iter()
            .take_while(|group| Some(**group) != own)
            .map(|group| self.crowd(*group).len() as u32)
            .sum();
        before + self.places.get(peer as usize).copied().unwrap_or(DOWN)
    }

    fn nth_of_all(&self, mut rank: u32) -> Option<u32> {
        for crowd in &self.crowds {
            match rank.checked_sub(crowd.len() as u32) {
                Some(beyond) => rank = beyond,
                None => return crowd.get(rank as usize).copied(),
            }
        }
        None
    }

    fn nth(&self, among: &Among, mut rank: u32) -> Option<u32> {
        match among {
            Among::Party(party) => self.party(*party).get(rank as usize).copied(),
            Among::Groups(groups) => {
                for group in groups {
                    let crowd = self.crowd(*group);
                    match rank.checked_sub(crowd.len() as u32) {
                        Some(beyond) => rank = beyond,
                        None => return crowd.get(rank as usize).copied(),
                    }
                }
                None
            }
        }
    }
}

impl Party {
    fn turn(&mut self, event: &LifeEvent) {
        let Ok(member) = self.members.binary_search(&event.peer) else {
            return;
        };
        if event.is_up() {
            set(&mut self.places, member, self.up.len() as u32);
            self.up.push(event.peer);
            return;
        }
        let place = self.places.get(member).copied().unwrap_or(DOWN);
        if place == DOWN {
            return;
        }
        self.up.swap_remove(place as usize);
        set(&mut self.places, member, DOWN);
        if let Some(moved) =
            self.up.get(place as usize).and_then(|peer| self.members.binary_search(peer).ok())
        {
            set(&mut self.places, moved, place);
        }
    }
}

fn set(places: &mut [u32], at: usize, place: u32) {
    if let Some(slot) = places.get_mut(at) {
        *slot = place;
    }
}
