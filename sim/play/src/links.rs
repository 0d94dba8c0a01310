//! Faults of links, in the words of the kernel, which acts them out.

use alloc::sync::Arc;

use kernel::fault::{Effect, NO_SIDE};
use kernel::{Burst, Cut, LinkFault, Losing};
use types::{Duration, Stream};

use crate::plan::{Direction, Division, Fault};
use crate::roster::{Chosen, Roster, pick_first, share_of};

/// Sides of a partition, so that a side fits a byte.
pub const MAX_SIDES: usize = NO_SIDE as usize;
/// The side that is written first, or the share of a split.
const FIRST_SIDE: u8 = 0;

/// The fault in the kernel's words; `None` if it is none of links.
pub(crate) fn link_fault(
    index: u32,
    fault: &Fault,
    victims: &Chosen,
    roster: &Roster,
    stream: &mut Stream,
) -> Option<LinkFault> {
    let victims = || mask(victims, roster);
    let effect = match fault {
        Fault::Churn(_)
        | Fault::RecordedChurn(_)
        | Fault::Crash(_)
        | Fault::Leave(_)
        | Fault::Freeze(_)
        | Fault::Skew(_) => {
            return None;
        }
        Fault::Partition(partition) => Effect::Partition {
            side: sides(partition.division()?, roster, stream),
            cut: match partition.direction {
                Direction::BothWays => Cut::BothWays,
                Direction::OneWay => Cut::Leaving(FIRST_SIDE),
            },
        },
        Fault::Clog(_) => Effect::Clog { victims: victims() },
        Fault::Loss(loss) => {
            let bursts = |mean| Losing::Bursts(Burst::new(loss.share, mean));
            let losing = loss.burst.map_or(Losing::Share(loss.share), bursts);
            Effect::Loss { losing, victims: victims() }
        }
        Fault::Duplicate(duplicate) => Effect::Duplicate { share: duplicate.share, victims: victims() },
        Fault::Reorder(reorder) => {
            Effect::Reorder { share: reorder.share, by: reorder.by, victims: victims() }
        }
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
            (FIRST_SIDE + 1, alloc::vec![(FIRST_SIDE, apart)])
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
