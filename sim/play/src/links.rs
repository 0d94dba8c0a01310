//! Faults of links, in the words of the kernel, which acts them out.

use alloc::sync::Arc;

use kernel::fault::{Effect, NO_SIDE};
use kernel::{Cut, LinkFault};
use types::{Duration, Stream};

use crate::plan::{Division, Fault};
use crate::roster::{Chosen, Roster, pick_first, share_of};

/// Sides of a partition, so that a side fits a byte.
pub const MAX_SIDES: usize = NO_SIDE as usize;

/// The fault in the kernel's words; `None` if it is none of links.
pub(crate) fn link_fault(
    index: u32,
    fault: &Fault,
    victims: &Chosen,
    roster: &Roster,
    stream: &mut Stream,
) -> Option<LinkFault> {
    let effect = match fault {
        Fault::Churn(_) | Fault::Crash(_) | Fault::Leave(_) => return None,
        Fault::Partition(partition) => {
            Effect::Partition { side: sides(partition.division()?, roster, stream), cut: Cut::BothWays }
        }
        Fault::Clog(_) => Effect::Clog { victims: mask(victims, roster) },
        Fault::Loss(loss) => Effect::Loss { share: loss.share, victims: mask(victims, roster) },
    };
    let (from, until) = fault.window(Duration::MAX);
    Some(LinkFault { id: index, from, until: until?, effect })
}

fn mask(victims: &Chosen, roster: &Roster) -> Arc<[bool]> {
    let mut mask = alloc::vec![false; roster.peers() as usize];
    for peer in roster.iter(victims) {
        if let Some(victim) = mask.get_mut(peer as usize) {
            *victim = true;
        }
    }
    mask.into()
}

fn sides(division: Division<'_>, roster: &Roster, stream: &mut Stream) -> Arc<[u8]> {
    let peers = roster.peers();
    let (others, sides) = match division {
        Division::Split(share) => {
            let mut apart: alloc::vec::Vec<u32> = (0..peers).collect();
            pick_first(&mut apart, share_of(share, peers) as usize, stream);
            (1, alloc::vec![(0, apart)])
        }
        Division::Sides(sides) => {
            let peers_of = |names: &alloc::vec::Vec<alloc::string::String>| {
                names
                    .iter()
                    .filter_map(|name| roster.find(name))
                    .flat_map(|group| roster.range(group))
                    .collect()
            };
            (NO_SIDE, (0..NO_SIDE).zip(sides).map(|(side, names)| (side, peers_of(names))).collect())
        }
    };
    let mut side_of = alloc::vec![others; peers as usize];
    for (side, peers) in sides {
        for peer in peers {
            if let Some(slot) = side_of.get_mut(peer as usize) {
                *slot = side;
            }
        }
    }
    side_of.into()
}
