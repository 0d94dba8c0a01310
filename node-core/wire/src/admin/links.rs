//! The network that a node is made to believe in.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::net::IpAddr;

use serde::{Deserialize, Serialize};
use types::PeerId;

/// Peers of an emulated network that one node is told of, at most: more processes than one machine bears.
pub const MAX_LINKS: usize = 4_096;

/// The network that a node believes in: how what it sends fares. What it is sent, the senders' own links delay and lose.
///
/// All numbers are resolved: whoever draws them has drawn, combined and rounded. What a link says holds for what leaves
/// from now on; what has left travels as it left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Links {
    /// Of this node's draws, which are its own: they follow from it and from nobody else's.
    pub seed: u64,
    /// What the node sends in all, at most; its bytes leave one after another.
    pub uplink_bits_per_second: Option<u64>,
    /// What becomes of connections whose far side ends without a goodbye.
    pub crashes: Crashes,
    /// The links to those who are not listed.
    pub others: Link,
    /// The links to others, by peer; at most [`MAX_LINKS`].
    pub peers: Vec<LinkTo>,
}

/// What a node notices when a far side's process dies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Crashes {
    /// What the system tells: connections end, dials are refused.
    #[default]
    Told,
    /// Nothing, as when a machine vanishes: connections fall silent, dials go unanswered.
    Silent,
}

/// The link to one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkTo {
    /// Who it is, for messages.
    pub peer: PeerId,
    /// Where it is, for bytes: its own address, which no other peer has.
    pub ip: IpAddr,
    /// In which of its lives it is: a connection that fell silent with an earlier one is reset by the next thing that is
    /// sent over it.
    pub life: u32,
    /// How it is reached.
    pub link: Link,
}

/// One direction of a link: from the node that is told of it to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// How long everything takes.
    pub base_ns: u64,
    /// How much longer it may take: drawn evenly from zero. What leaves later does not arrive earlier.
    pub jitter_ns: u64,
    /// The share of exchanges and one-way messages that are lost, in millionths.
    pub lost_ppm: u32,
    /// The share of requests and one-way messages that are sent twice, in millionths.
    pub copied_ppm: u32,
    /// The share of messages that are held back while later ones pass, in millionths.
    pub held_ppm: u32,
    /// For how long at most: drawn evenly from zero.
    pub held_ns: u64,
    /// Whether it carries anything at all.
    pub passage: Passage,
}

/// Whether a link carries anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Passage {
    /// It does.
    #[default]
    Open,
    /// What is to leave waits until it is open again, and leaves in order.
    Clogged,
    /// Messages are lost; bytes below them wait, as those of a connection do that nobody acknowledges.
    Cut,
}

/// What is no network that a node could believe in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinksError {
    /// More peers than [`MAX_LINKS`].
    #[error("links to {0} peers are more than {MAX_LINKS}")]
    TooMany(usize),
    /// A share beyond the whole.
    #[error("share of {0} millionths is more than 1000000")]
    Share(u32),
    /// An uplink that sends nothing.
    #[error("uplink of 0 bits per second sends nothing")]
    NoUplink,
    /// Two peers at one address.
    #[error("two peers are said to be at {0}")]
    SameIp(IpAddr),
}

impl Link {
    /// A link that does nothing to what it carries.
    pub const PLAIN: Self = Self {
        base_ns: 0,
        jitter_ns: 0,
        lost_ppm: 0,
        copied_ppm: 0,
        held_ppm: 0,
        held_ns: 0,
        passage: Passage::Open,
    };
}

impl Links {
    /// Links that do nothing.
    #[must_use]
    pub const fn plain() -> Self {
        Self {
            seed: 0,
            uplink_bits_per_second: None,
            crashes: Crashes::Told,
            others: Link::PLAIN,
            peers: Vec::new(),
        }
    }

    /// Whether a node can believe in them.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), LinksError> {
        if self.peers.len() > MAX_LINKS {
            return Err(LinksError::TooMany(self.peers.len()));
        }
        if self.uplink_bits_per_second == Some(0) {
            return Err(LinksError::NoUplink);
        }
        let links = self.peers.iter().map(|to| &to.link).chain([&self.others]);
        for ppm in links.flat_map(|link| [link.lost_ppm, link.copied_ppm, link.held_ppm]) {
            if ppm > 1_000_000 {
                return Err(LinksError::Share(ppm));
            }
        }
        let mut places = BTreeSet::new();
        match self.peers.iter().find(|to| !places.insert(to.ip)) {
            Some(to) => Err(LinksError::SameIp(to.ip)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;

    #[test]
    fn links_survive_the_way_through_json_and_impossible_ones_are_named() {
        let to = |number: u8| LinkTo {
            peer: PeerId::from_ed25519(&[number; 32]),
            ip: IpAddr::from([127, 0, 0, number]),
            life: 0,
            link: Link { base_ns: u64::MAX, lost_ppm: 1_000_000, passage: Passage::Cut, ..Link::PLAIN },
        };
        let links = Links {
            seed: u64::MAX,
            uplink_bits_per_second: Some(1),
            crashes: Crashes::Silent,
            peers: vec![to(2), to(3)],
            ..Links::plain()
        };
        let text = serde_json::to_string(&links).unwrap();
        assert_eq!(serde_json::from_str::<Links>(&text).unwrap(), links, "{text}");
        assert_eq!(links.check(), Ok(()));
        let with = |change: fn(&mut Links)| {
            let mut links = links.clone();
            change(&mut links);
            links.check().unwrap_err().to_string()
        };
        assert_eq!(with(|links| links.peers.push(links.peers[0])), "two peers are said to be at 127.0.0.2");
        assert_eq!(
            with(|links| links.others.copied_ppm = 1_000_001),
            "share of 1000001 millionths is more than 1000000"
        );
        assert_eq!(
            with(|links| links.uplink_bits_per_second = Some(0)),
            "uplink of 0 bits per second sends nothing"
        );
        assert_eq!(
            with(|links| links.peers = vec![links.peers[0]; MAX_LINKS + 1]),
            "links to 4097 peers are more than 4096"
        );
    }
}
