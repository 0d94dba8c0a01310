//! The lives that churn makes (G9), and whom one meets at a random moment.
//!
//! Nothing is sent here: when peers are up follows from the plan alone, and a run performs just that.

use std::sync::Arc;

use play::plan::{Churn, Distribution, Exponential, Weibull};
use play::{Data, Fault, Group, Inputs, Play, Select};
use types::{Domain, Duration, Instant, PeerId, Purpose, Seed, SharedBook, Streams};

use crate::numbers::{KS_01, kolmogorov, lower_gamma, mean};
use crate::{at_most, full, gate};

/// Sessions of BitTorrent peers (Stutzbach and Rejaie, 2006): half end within 16.2 minutes.
pub(crate) const BITTORRENT: Law = Law { shape: 0.38, scale: 2_544.0 };
/// Sessions of IPFS peers (RFM 2): half end within two hours, four of five within eight.
pub(crate) const IPFS: Law = Law { shape: 0.608, scale: 219.0 * 60.0 };
/// How long peers stay away, on average.
pub(crate) const AWAY: Duration = Duration::from_hours(3);

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;

/// A Weibull law; times in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Law {
    pub(crate) shape: f64,
    pub(crate) scale: f64,
}

impl Law {
    pub(crate) fn survival(self, secs: f64) -> f64 {
        (-(secs / self.scale).powf(self.shape)).exp()
    }

    /// The time that a share of sessions outlives.
    pub(crate) fn outlived_by(self, share: f64) -> f64 {
        self.scale * (-share.ln()).powf(1.0 / self.shape)
    }

    /// The mean of a power of the length.
    pub(crate) fn moment(self, power: f64) -> f64 {
        self.scale.powf(power) * libm::tgamma(1.0 + power / self.shape)
    }

    /// The chance that a peer met at a random moment stays for longer than this, or has been there for longer: the
    /// survival of a session, summed from there on, as a share of its mean.
    pub(crate) fn residual(self, secs: f64) -> f64 {
        1.0 - lower_gamma(1.0 / self.shape, (secs / self.scale).powf(self.shape))
    }

    fn session(self) -> Distribution {
        Distribution::Weibull(Weibull {
            shape: self.shape,
            scale: Duration::from_secs_f64_rounded(self.scale),
        })
    }
}

/// Peers that come and go from the beginning.
pub(crate) fn churning(law: Law, peers: u32, duration: Duration) -> Play {
    let churn = Churn {
        name: None,
        victims: Select::all(),
        session: law.session(),
        downtime: Distribution::Exponential(Exponential { mean: AWAY }),
        graceful: types::Share::default(),
        data: Data::Kept,
        begin: None,
        end: None,
    };
    let streams = Streams::global(Seed(1), Domain::new("gates"));
    let id = |peer| PeerId::from_ed25519(&streams.stream(Purpose::new("id"), peer).bytes32());
    let book = Arc::new(SharedBook::new((0..u64::from(peers)).map(id).collect()));
    let inputs = Inputs {
        groups: &[("all".into(), Group::of(peers))],
        workloads: &[],
        faults: &[Fault::Churn(churn)],
        duration,
        warmup: Duration::ZERO,
        seed: Seed(1),
    };
    Play::new(&inputs, &book)
}

/// The lives of each peer: when it came up, and when it went down.
pub(crate) fn lives(play: &Play, peers: u32) -> Vec<Vec<(Instant, Instant)>> {
    let mut lives = vec![Vec::new(); peers as usize];
    let end = Instant::START + play.duration();
    for event in play.lives() {
        let of_peer: &mut Vec<_> = &mut lives[event.peer as usize];
        if event.is_up() {
            of_peer.push((event.at, end));
        } else {
            of_peer.last_mut().unwrap().1 = event.at;
        }
    }
    lives
}

fn days(days: u64) -> Duration {
    Duration::from_hours(24 * days)
}

#[test]
fn g9_sessions_follow_their_law() {
    // The first ten lives of each: long before the end, so that none is cut short but one in a hundred thousand.
    let peers = if full() { 10_000 } else { 1_000 };
    let law = BITTORRENT;
    let lengths: Vec<f64> = lives(&churning(law, peers, days(30)), peers)
        .iter()
        .flat_map(|lives| lives.iter().take(10))
        .map(|(up, down)| down.since(*up).as_secs_f64())
        .collect();
    let n = lengths.len() as f64;
    assert_eq!(lengths.len() as u32, peers * 10);
    let what = |figure: &str| format!("{figure}, {n} sessions");
    let distance = kolmogorov(lengths.clone(), |secs| 1.0 - law.survival(secs));
    at_most("G9", &what("Kolmogorov-Smirnov distance, times the root of n (p = 0.01)"), KS_01, distance);
    let mean_minutes = mean(lengths.iter().copied()) / MINUTE;
    let deviation = (law.moment(2.0) - law.moment(1.0).powi(2)).sqrt() / MINUTE;
    gate("G9", &what("mean, in minutes"), 163.0, 3.0 * deviation / n.sqrt(), mean_minutes);
    let mut sorted = lengths;
    sorted.sort_by(f64::total_cmp);
    let median = sorted[sorted.len() / 2] / MINUTE;
    // The standard error of a median is half the inverse of the density there, by the root of n.
    let density = law.shape * 2.0f64.ln() / (2.0 * 16.16);
    gate("G9", &what("median, in minutes"), 16.2, 3.0 / (2.0 * density * n.sqrt()), median);
}

#[test]
fn c3_who_is_met_at_random_follows_the_length_biased_laws() {
    let peers = if full() { 50_000 } else { 5_000 };
    for (name, law) in [("BitTorrent", BITTORRENT), ("IPFS", IPFS)] {
        // Twenty days until the beginning is forgotten, and twenty more for those who are met to leave.
        let moment = Instant::START + days(20);
        let lives = lives(&churning(law, peers, days(40)), peers);
        let mut met = Vec::new();
        for lives in &lives {
            met.extend(lives.iter().find(|(up, down)| *up <= moment && moment < *down));
        }
        let n = met.len() as f64;
        let what = |figure: &str| format!("{figure}, {name} sessions, {n} of {peers} peers are up");
        let up = law.moment(1.0) / (law.moment(1.0) + AWAY.as_secs_f64());
        let deviation = (up * (1.0 - up) / f64::from(peers)).sqrt();
        gate("C.3", &what("share of peers that are up"), up, 4.0 * deviation, n / f64::from(peers));
        let ages: Vec<f64> = met.iter().map(|(up, _)| moment.since(*up).as_secs_f64()).collect();
        let rests: Vec<f64> = met.iter().map(|(_, down)| down.since(moment).as_secs_f64()).collect();
        let (mean_rest, mean_square) =
            (law.moment(2.0) / (2.0 * law.moment(1.0)), law.moment(3.0) / (3.0 * law.moment(1.0)));
        let slack = 4.0 * ((mean_square - mean_rest.powi(2)) / n).sqrt() / MINUTE;
        for (figure, times) in [("age", ages), ("rest", rests)] {
            let measured = mean(times.iter().copied()) / MINUTE;
            gate("C.3", &what(&format!("mean {figure}, in minutes")), mean_rest / MINUTE, slack, measured);
            let distance = kolmogorov(times, |secs| 1.0 - law.residual(secs));
            at_most(
                "C.3",
                &what(&format!("{figure}: Kolmogorov-Smirnov distance, times the root of n")),
                KS_01,
                distance,
            );
        }
    }
}

#[test]
fn the_closed_forms_give_the_tabulated_values() {
    let near = |value: f64, expected: f64, slack: f64| {
        assert!((value - expected).abs() <= slack, "{value} is not {expected}");
    };
    near(BITTORRENT.moment(1.0) / MINUTE, 163.0, 0.5);
    near(BITTORRENT.outlived_by(0.5) / MINUTE, 16.2, 0.05);
    near(BITTORRENT.survival(HOUR), 0.319, 5e-4);
    near(BITTORRENT.survival(8.0 * HOUR), 0.081, 5e-4);
    // Two digits, the first of them 0.8345 rounded up.
    for (hours, share) in [(1.0, 0.84), (8.0, 0.45), (24.0, 0.20)] {
        near(BITTORRENT.residual(hours * HOUR), share, 0.006);
    }
    near(IPFS.moment(1.0) / MINUTE, 325.0, 1.5);
    near(IPFS.survival(12.0 * HOUR), 0.128, 1e-3);
    near(IPFS.survival(24.0 * HOUR), 0.043, 1e-3);
}
