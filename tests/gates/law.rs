//! The law of a lookup in a perfect network: a Markov chain on bit distances.
//!
//! `n` peers with random ids keep `k` random peers of each bucket, and a lookup asks the `alpha` nearest that it heard of
//! in each round, all at once. A peer at bit distance D from the target (D = bits - common prefix) has the target in
//! the bucket that spans 2^(D-1) ids; there, X ~ Bin(n-2, 2^(D-1-bits)) others compete for k places. Where the target is
//! not among them, the bucket shows k others, each within distance j with probability 2^(j-(D-1)). The state of the
//! chain are the distances of the peers that are asked in a round. The idea is that of Roos, Salah and Strufe
//! (arXiv:1307.7000); a walk down the distances gives the joint law of the nearest few of all draws.

use std::collections::BTreeMap;

use crate::numbers::{binomial, mean_of};

/// Shares below this are left out: there are some thousand states.
const NEGLIGIBLE: f64 = 1e-9;
/// Bits below the typical distance of neighbours: who is that near has the target in its table.
const SPARE_BITS: i32 = 12;

/// States and their shares.
type States = BTreeMap<Vec<i32>, f64>;

/// The distribution of the rounds until the target is known; 0: it stood in the own table.
pub(crate) fn rounds(n: u32, k: u32, alpha: usize) -> Vec<f64> {
    assert!(k as usize >= alpha, "an answer names as many peers as a round asks");
    let bits = n.ilog2() as i32 + 1 + SPARE_BITS;
    let known = |distance: i32| chance(n, k, distance - 1 - bits);
    let mut chain = Chain { k, alpha, steps: BTreeMap::new() };
    let mut states: States = (1..=bits).map(|first| (vec![first], exp2(first - 1 - bits))).collect();
    let mut pmf = Vec::new();
    while states.values().sum::<f64>() > NEGLIGIBLE {
        let mut found = 0.0;
        let mut next = States::new();
        for (state, share) in states {
            let missed: f64 = state.iter().map(|distance| 1.0 - known(*distance)).product();
            found += share * (1.0 - missed);
            if share * missed > NEGLIGIBLE / 1e3 {
                chain.step(&state, share * missed, &mut next);
            }
        }
        pmf.push(found);
        states = next;
    }
    pmf
}

/// The chance that a peer has the target in a bucket that holds each other peer with the chance `2^exponent`.
fn chance(n: u32, k: u32, exponent: i32) -> f64 {
    let (rivals, share) = (n - 2, exp2(exponent));
    // The mean of k/(X+1) has a closed form over all X; where X < k it is 1 instead.
    let places = f64::from(rivals + 1) * share;
    let all = f64::from(k) * -(f64::from(rivals + 1) * (-share).ln_1p()).exp_m1() / places;
    let room = (1..).zip(binomial(rivals, share, k - 1));
    all + room
        .map(|(count, chance): (u32, f64)| chance * (1.0 - f64::from(k) / f64::from(count)))
        .sum::<f64>()
}

fn exp2(exponent: i32) -> f64 {
    f64::from(exponent).exp2()
}

struct Chain {
    k: u32,
    alpha: usize,
    /// What follows on a state whose farthest distance is 0, by state: only differences matter.
    steps: BTreeMap<Vec<i32>, States>,
}

impl Chain {
    /// Adds to `next` what follows on `state`, none of whose peers knew the target.
    fn step(&mut self, state: &[i32], share: f64, next: &mut States) {
        let Some(farthest) = state.iter().copied().max() else { return };
        let differences: Vec<i32> = state.iter().map(|distance| distance - farthest).collect();
        let (k, alpha) = (self.k, self.alpha);
        let step = self.steps.entry(differences).or_insert_with_key(|state| draw(k, alpha, state));
        for (drawn, chance) in step {
            let nearest = drawn.iter().map(|distance| (distance + farthest).max(1)).collect();
            *next.entry(nearest).or_default() += share * *chance;
        }
    }
}

/// The distances of the `alpha` nearest of all that the peers of `state` name.
///
/// Walks from afar to near. Of the draws within distance j, each is within j - 1 with the chance of a half; a
/// peer at distance j brings k draws within j - 1. The m-th nearest draw is at j when fewer than m are nearer.
fn draw(k: u32, alpha: usize, state: &[i32]) -> States {
    let Some(nearest) = state.iter().copied().min() else { return States::new() };
    // How many draws are within j, and where those beyond stand that are still among the nearest; nearest first.
    let mut walk: BTreeMap<(usize, Vec<i32>), f64> = BTreeMap::from([((0, Vec::new()), 1.0)]);
    let mut ended = States::new();
    let mut distance = 0;
    while !walk.is_empty() {
        distance -= 1;
        let fresh = state.iter().filter(|peer| **peer - 1 == distance).count() * k as usize;
        let mut nearer = BTreeMap::new();
        for ((within, mut beyond), share) in walk {
            let within = within + fresh;
            let pending = within.min(alpha);
            beyond.drain(..beyond.len().saturating_sub(alpha - pending));
            for (left, half) in (0..).zip(binomial(within as u32, 0.5, within as u32)) {
                if share * half < NEGLIGIBLE / 1e6 {
                    continue;
                }
                let here = pending - alpha.min(left);
                let ranks: Vec<i32> =
                    std::iter::repeat_n(distance, here).chain(beyond.iter().copied()).collect();
                if left == 0 && distance < nearest {
                    *ended.entry(ranks).or_default() += share * half;
                } else {
                    *nearer.entry((left, ranks)).or_default() += share * half;
                }
            }
        }
        walk = nearer;
    }
    ended
}

/// Means and distributions that a second program computed from the same derivation, and simulated on real graphs.
#[test]
fn the_law_gives_the_tabulated_values() {
    let table: [(u32, u32, usize, f64, &[f64]); 8] = [
        (1_000, 20, 1, 0.937, &[0.131, 0.801, 0.068]),
        (10_000, 20, 1, 1.530, &[0.020, 0.443, 0.524, 0.013]),
        (10_000, 20, 3, 1.424, &[0.020, 0.536, 0.444]),
        (10_000, 8, 1, 2.137, &[0.009, 0.162, 0.534, 0.275, 0.020]),
        (10_000, 8, 3, 1.896, &[0.009, 0.205, 0.668, 0.118]),
        (10_000, 5, 1, 2.599, &[0.006, 0.088, 0.361, 0.405, 0.128, 0.012]),
        (100_000, 20, 1, 2.106, &[0.003, 0.122, 0.644, 0.229, 0.003]),
        (100_000, 20, 3, 1.918, &[0.003, 0.154, 0.767, 0.077]),
    ];
    for (n, k, alpha, mean, pmf) in table {
        let law = rounds(n, k, alpha);
        assert!((mean_of(&law) - mean).abs() < 0.002, "n {n}, k {k}, alpha {alpha}: {}", mean_of(&law));
        for (share, expected) in law.iter().zip(pmf) {
            assert!((share - expected).abs() < 0.002, "n {n}, k {k}, alpha {alpha}: {law:?}");
        }
        assert!((law.iter().sum::<f64>() - 1.0).abs() < 1e-4, "{law:?}");
    }
}
