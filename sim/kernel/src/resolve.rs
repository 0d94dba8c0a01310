//! A [`Network`], checked and put into tables.
//!
//! [`Network::resolve`] reports all problems at once, each with the dotted path of what it complains
//! about, so that whoever read the file can point at the line. A [`ResolvedNetwork`] answers without
//! fail: how far two places are apart, who lives where, and the lookahead.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use types::{Bandwidth, Domain, Duration, Purpose, Seed, Share, Streams};

use crate::matrix::{Matrix, Parts, Profile};
use crate::network::{Latency, Network, Place, Regions, Uniform};

/// Places of a network: a place's number fits a byte, and a full table of pairs 4,096 entries.
pub const MAX_PLACES: usize = 64;
/// The longest base, spread and jitter: far beyond any network, far below what sums of times could not hold.
pub const MAX_LATENCY: Duration = Duration::from_hours(1);

/// Something that a network cannot mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What it is about, as a dotted path below `network`: `regions.latency.eu-us`.
    pub path: String,
    /// A stable name of the mistake.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

/// Between two places: the middle of the base, how far it may lie off, and the most jitter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// The middle of the pair's base.
    pub base: Duration,
    /// The base lies within this below and above its middle.
    pub spread: Duration,
    /// A message takes up to this longer than its pair's base.
    pub jitter: Duration,
}

/// A network in tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedNetwork {
    places: Vec<(String, Place)>,
    /// Row by row, symmetric.
    pairs: Vec<Pair>,
    loss: Share,
    floor: Duration,
}

impl Network {
    /// Checks the network and puts it into tables.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn resolve(&self) -> Result<ResolvedNetwork, Vec<Problem>> {
        let mut problems = Problems(Vec::new());
        let resolved = match self {
            Self::Uniform(uniform) => resolve_uniform(uniform, &mut problems),
            Self::Regions(regions) => resolve_regions(regions, &mut problems),
            Self::Matrix(Matrix { places, spread, loss, floor, table, .. }) => {
                let (key, source, places) = ("matrix", "file", places.as_ref());
                Parts { key, source, places, spread: *spread, loss: *loss, floor: *floor, table }
                    .resolve(&mut problems)
            }
            Self::Profile(Profile { places, spread, loss, floor, table, .. }) => {
                let (key, source, places) = ("profile", "name", places.as_ref());
                Parts { key, source, places, spread: *spread, loss: *loss, floor: *floor, table }
                    .resolve(&mut problems)
            }
        };
        if problems.0.is_empty() { Ok(resolved) } else { Err(problems.0) }
    }
}

impl ResolvedNetwork {
    /// `pairs` row by row, symmetric.
    pub(crate) const fn of(
        places: Vec<(String, Place)>,
        pairs: Vec<Pair>,
        loss: Share,
        floor: Duration,
    ) -> Self {
        Self { places, pairs, loss, floor }
    }

    /// The places' names, by number; a uniform network is one place named `everywhere`.
    pub fn places(&self) -> impl ExactSizeIterator<Item = &str> {
        self.places.iter().map(|(name, _)| name.as_str())
    }

    /// How fast a peer of place `place` sends; `None` if without limit.
    #[must_use]
    pub fn uplink(&self, place: u8) -> Option<Bandwidth> {
        self.places.get(usize::from(place))?.1.uplink
    }

    /// Between two places.
    #[must_use]
    #[inline]
    pub fn pair(&self, a: u8, b: u8) -> Pair {
        let at = usize::from(a) * self.places.len() + usize::from(b);
        self.pairs.get(at).copied().unwrap_or_default()
    }

    /// The share of exchanges and one-way messages that are lost.
    #[must_use]
    pub const fn loss(&self) -> Share {
        self.loss
    }

    /// The least delay of a message.
    #[must_use]
    pub const fn floor(&self) -> Duration {
        self.floor
    }

    /// No message takes less: the least base of any two places, raised to the floor. Jitter adds nothing
    /// at its least. It does not depend on the peers' number nor on the sharding.
    #[must_use]
    pub fn lookahead(&self) -> Duration {
        let least = self.pairs.iter().map(|pair| pair.base.saturating_sub(pair.spread));
        least.min().unwrap_or_default().max(self.floor)
    }

    /// The place of each of `peers` peers. How many live where follows the shares (by largest
    /// remainder); who does is drawn.
    #[must_use]
    pub fn settle(&self, seed: Seed, peers: usize) -> Vec<u8> {
        const LINKS: Domain = Domain::new("links");
        const SETTLE: Purpose = Purpose::new("places");
        let shares = || self.places.iter().map(|(_, place)| u64::from(place.share.as_millionths()));
        let whole = u64::from(Share::WHOLE.as_millionths());
        let peers = peers as u64;
        let mut counts: Vec<u64> = shares().map(|share| share * peers / whole).collect();
        let left = peers - counts.iter().sum::<u64>();
        let mut by_remainder: Vec<_> = shares().map(|share| share * peers % whole).zip(&mut counts).collect();
        by_remainder.sort_by_key(|(remainder, _)| core::cmp::Reverse(*remainder));
        for (_, count) in by_remainder.into_iter().take(left as usize) {
            *count += 1;
        }
        let mut homes = Vec::with_capacity(peers as usize);
        for (place, count) in (0..).zip(counts) {
            homes.extend(core::iter::repeat_n(place, count as usize));
        }
        if self.places.len() > 1 {
            Streams::global(seed, LINKS).stream(SETTLE, 0).shuffle(&mut homes);
        }
        homes
    }
}

fn resolve_uniform(uniform: &Uniform, problems: &mut Problems) -> ResolvedNetwork {
    problems.check_floor("uniform.floor", uniform.floor);
    problems.check_uplink("uniform.uplink", uniform.uplink);
    let place = Place { share: Share::WHOLE, uplink: uniform.uplink };
    ResolvedNetwork {
        places: alloc::vec![("everywhere".to_string(), place)],
        pairs: alloc::vec![problems.pair("uniform.latency", &uniform.latency)],
        loss: uniform.loss,
        floor: uniform.floor,
    }
}

fn resolve_regions(regions: &Regions, problems: &mut Problems) -> ResolvedNetwork {
    problems.check_floor("regions.floor", regions.floor);
    problems.check_places("regions.places", &regions.places);
    let names: Vec<&str> = regions.places.keys().map(String::as_str).collect();
    let mut known: BTreeMap<(&str, &str), (&str, Pair)> = BTreeMap::new();
    for (key, latency) in &regions.latency {
        let path = format!("regions.latency.{key}");
        let pair = problems.pair(&path, latency);
        let Some(ends) = problems.ends(&path, key, &names) else {
            continue;
        };
        if let Some((first, _)) = known.get(&ends) {
            let message = format!("`{key}` and `{first}` are one pair: both directions take equally long");
            problems.add(path, "network-pair-twice", message, "keep one of the two");
        } else {
            known.insert(ends, (key, pair));
        }
    }
    let complete = names.len() <= MAX_PLACES;
    let mut pairs = Vec::new();
    for a in names.iter().filter(|_| complete) {
        for b in &names {
            let found = known.get(&(*a.min(b), *a.max(b)));
            if found.is_none() && a <= b && !problems.blames_pairs() {
                let message = format!("the latency between `{a}` and `{b}` is missing");
                let help = format!("add `{a}-{b}: {{one_way: 50ms}}`");
                problems.add("regions.latency".to_string(), "network-pair-missing", message, &help);
            }
            pairs.push(found.map_or_else(Pair::default, |(_, pair)| *pair));
        }
    }
    ResolvedNetwork {
        places: regions.places.iter().map(|(name, place)| (name.clone(), place.clone())).collect(),
        pairs,
        loss: regions.loss,
        floor: regions.floor,
    }
}

/// Like [`Share`]'s own text, for sums beyond the whole.
fn percent(millionths: u64) -> String {
    let digits = format!("{}.{:04}", millionths / 10_000, millionths % 10_000);
    format!("{}%", digits.trim_end_matches('0').trim_end_matches('.'))
}

pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, path: String, code: &'static str, message: String, help: &str) {
        self.0.push(Problem { path, code, message, help: Some(help.to_string()) });
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn check_places(&mut self, path: &str, places: &BTreeMap<String, Place>) {
        for (name, place) in places {
            self.check_uplink(&format!("{path}.{name}.uplink"), place.uplink);
        }
        let count = places.len();
        if count > MAX_PLACES {
            let message = format!("{count} places are more than {MAX_PLACES}");
            self.add(path.to_string(), "network-too-many-places", message, "merge neighbouring places");
        }
        let total: u64 = places.values().map(|place| u64::from(place.share.as_millionths())).sum();
        let whole = u64::from(Share::WHOLE.as_millionths());
        if total == whole {
            return;
        }
        let message = format!("the places' shares add up to {}, not to 100%", percent(total));
        let help = if total < whole {
            format!("{} are missing", percent(whole - total))
        } else {
            format!("{} are too much", percent(total - whole))
        };
        self.add(path.to_string(), "network-shares", message, &help);
    }

    /// Whether a key of the latency table was not understood: what it meant would be reported as missing.
    fn blames_pairs(&self) -> bool {
        let keys = ["network-pair-unknown", "network-pair-ambiguous"];
        self.0.iter().any(|problem| keys.contains(&problem.code))
    }

    pub(crate) fn check_floor(&mut self, path: &str, floor: Duration) {
        if floor == Duration::ZERO {
            let message = "a floor of zero lets effects coincide with their causes".to_string();
            self.add(path.to_string(), "network-floor-zero", message, "write `100us` or leave it out");
        }
        self.check_length(path, floor);
    }

    fn check_uplink(&mut self, path: &str, uplink: Option<Bandwidth>) {
        if uplink.is_some_and(|uplink| uplink.as_bits_per_second() == 0) {
            let message = "an uplink of zero sends nothing, ever".to_string();
            self.add(
                path.to_string(),
                "network-uplink-zero",
                message,
                "leave it out for an uplink without limit",
            );
        }
    }

    fn check_length(&mut self, path: &str, length: Duration) {
        if length > MAX_LATENCY {
            let message = format!("{length} is longer than {MAX_LATENCY}");
            self.add(path.to_string(), "network-too-long", message, "is the unit right?");
        }
    }

    fn pair(&mut self, path: &str, latency: &Latency) -> Pair {
        let base = match (latency.one_way, latency.rtt) {
            (Some(one_way), None) => {
                self.check_length(&format!("{path}.one_way"), one_way);
                one_way
            }
            (None, Some(rtt)) => {
                self.check_length(&format!("{path}.rtt"), rtt);
                rtt.divided(2)
            }
            (Some(one_way), Some(rtt)) => {
                let message = format!("`one_way: {one_way}` and `rtt: {rtt}` say the same thing twice");
                self.add(path.to_string(), "network-latency-twice", message, "keep one of the two");
                one_way
            }
            (None, None) => {
                let message = "it says neither `one_way:` nor `rtt:`".to_string();
                self.add(path.to_string(), "network-latency-missing", message, "write `{one_way: 50ms}`");
                Duration::ZERO
            }
        };
        self.check_length(&format!("{path}.jitter"), latency.jitter);
        Pair {
            base,
            spread: Duration::from_nanos(latency.spread.of(base.as_nanos())),
            jitter: latency.jitter,
        }
    }

    /// The two places of a key such as `eu-us`, the lesser name first. Names may hold hyphens too.
    fn ends<'a>(&mut self, path: &str, key: &str, names: &[&'a str]) -> Option<(&'a str, &'a str)> {
        let place = |name: &str| names.iter().find(|known| **known == name).copied();
        let mut readings = key.match_indices('-').filter_map(|(at, _)| {
            let (a, b) = (place(key.get(..at)?)?, place(key.get(at + 1..)?)?);
            Some((a.min(b), a.max(b)))
        });
        let first = readings.next();
        if first.is_none() {
            let message = format!("`{key}` is no pair of places");
            let help = format!("write two of {}, joined by a hyphen", quoted(names));
            self.add(path.to_string(), "network-pair-unknown", message, &help);
        } else if readings.any(|other| Some(other) != first) {
            let message = format!("`{key}` can be read as more than one pair of places");
            self.add(path.to_string(), "network-pair-ambiguous", message, "rename a place");
            return None;
        }
        first
    }
}

fn quoted(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests;
