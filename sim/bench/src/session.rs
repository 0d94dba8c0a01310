//! A session: all contestants, round by round, size by size.

use world::Driver;

use crate::contestant::{Contestant, Task};
use crate::footprint::{BASELINE_PEERS, ask};
use crate::goal::{BYTES, BYTES_PER_PEER, Bound, Goal, RATIOS, SHARE_OF_TWO, START_S, asked};
use crate::kademlia::{self, Setup};
use crate::machine::{Machine, load};
use crate::measure::{BenchError, Measured, median, rounded};
use crate::options::{Child, Options};
use crate::results::{Build, FORMAT, Footprint, Rate, Results, Spread};

/// Messages that are passed on in a round: some times round for each peer, and enough for the clock.
const RELAYED_PER_PEER: u64 = 4;
const LEAST_RELAYED: u64 = 4_000_000;
/// Above this many peers, as many rounds as this are enough: each is long.
const LARGE: u32 = 200_000;
const ROUNDS_WHEN_LARGE: u32 = 3;

/// Measures what `options` say and tells `progress` what it is at. Figures of a build without optimisations, or of a
/// machine that others use, mean little: the results say so.
///
/// # Errors
/// If a run fails, or if two runs that must be equal are not: a benchmark of something wrong is worth nothing.
pub fn run(options: &Options, progress: &mut dyn FnMut(&str)) -> Result<Results, BenchError> {
    let before = load();
    let mut results = Results {
        format: FORMAT,
        machine: Machine::here(),
        build: Build::here(),
        load: [before, None],
        repetitions: options.repetitions,
        goals: Vec::new(),
        rates: Vec::new(),
        footprints: Vec::new(),
    };
    for peers in &options.sizes {
        rounds(options, *peers, &mut results, progress)?;
    }
    if options.sizes.contains(&SHARE_OF_TWO.0) {
        let goal = shards(options, SHARE_OF_TWO.0, progress)?;
        results.goals.push(goal);
    }
    if let Some(child) = &options.child {
        footprints(options, child, &mut results, progress)?;
    }
    results.load = [before, load()];
    Ok(results)
}

/// Everybody's turns among this many peers.
fn rounds(
    options: &Options,
    peers: u32,
    results: &mut Results,
    progress: &mut dyn FnMut(&str),
) -> Result<(), BenchError> {
    let relayed = (RELAYED_PER_PEER * u64::from(peers)).max(LEAST_RELAYED);
    let task = Task { peers, lookups: options.lookups, relayed };
    let repetitions =
        if peers > LARGE { options.repetitions.min(ROUNDS_WHEN_LARGE) } else { options.repetitions };
    let mut turns: Vec<(Contestant, Vec<Measured>)> = Contestant::ALL
        .into_iter()
        .filter(|contestant| contestant.takes_part(peers))
        .map(|contestant| (contestant, Vec::new()))
        .collect();
    for round in 1..=repetitions {
        for (contestant, measured) in &mut turns {
            progress(&format!("{peers} peers, round {round} of {repetitions}: {}", contestant.name()));
            measured.push(contestant.run(task)?);
        }
        agree(&turns, peers)?;
    }
    let of = |wanted| turns.iter().find(|(contestant, _)| *contestant == wanted).map(|(_, turns)| turns);
    for ratio in RATIOS {
        let (Some(ones), Some(others)) = (of(ratio.of), of(ratio.to)) else { continue };
        let ratios: Vec<f64> =
            ones.iter().zip(others).map(|(one, other)| one.rate() / other.rate()).collect();
        results.goals.push(Goal {
            what: format!("{} / {}", ratio.of.name(), ratio.to.name()),
            peers,
            value: rounded(median(&ratios)),
            bound: asked(ratio.least, peers).map(Bound::AtLeast),
        });
    }
    for (contestant, measured) in &turns {
        let rates: Vec<f64> = measured.iter().map(Measured::rate).collect();
        let Some(last) = measured.last() else { continue };
        let (messages, lookups) = (last.events, last.lookups);
        results.rates.push(Rate {
            contestant: *contestant,
            peers,
            messages,
            lookups,
            per_cpu_s: Spread::of(&rates),
        });
    }
    Ok(())
}

/// Checks that each contestant did the same in each round, and pairs that must agree do.
fn agree(turns: &[(Contestant, Vec<Measured>)], peers: u32) -> Result<(), BenchError> {
    let outcome = |wanted| {
        let (_, turns) = turns.iter().find(|(contestant, _)| *contestant == wanted)?;
        turns.last().map(|turn| turn.digest)
    };
    for (contestant, turns) in turns {
        let mut digests = turns.iter().map(|turn| (turn.digest, turn.events));
        let first = digests.next();
        if digests.any(|digest| Some(digest) != first) {
            return Err(BenchError::Different { what: contestant.name(), peers });
        }
    }
    for (one, other) in [(Contestant::Wheel, Contestant::Heap), (Contestant::Inline, Contestant::Actor)] {
        if let (Some(one_did), Some(other_did)) = (outcome(one), outcome(other))
            && one_did != other_did
        {
            return Err(BenchError::Different { what: other.name(), peers });
        }
    }
    Ok(())
}

/// The busiest of two shards against one.
fn shards(options: &Options, peers: u32, progress: &mut dyn FnMut(&str)) -> Result<Goal, BenchError> {
    let mut shares = Vec::new();
    for round in 1..=options.repetitions {
        progress(&format!("{peers} peers, round {round} of {}: two shards against one", options.repetitions));
        let run =
            |shards| kademlia::run(Setup { peers, lookups: options.lookups, driver: Driver::Actor, shards });
        let (one, two) = (run(1)?, run(2)?);
        if one.measured.digest != two.measured.digest {
            return Err(BenchError::Different { what: "two shards", peers });
        }
        let busiest = two.shards.iter().max().copied().unwrap_or_default();
        shares.push(busiest.as_secs_f64() / one.measured.cpu.as_secs_f64());
    }
    let bound = Some(Bound::AtMost(SHARE_OF_TWO.1));
    Ok(Goal {
        what: "busiest of two shards / one, CPU".to_owned(),
        peers,
        value: rounded(median(&shares)),
        bound,
    })
}

/// Memory and start, in a fresh process for each.
fn footprints(
    options: &Options,
    child: &Child,
    results: &mut Results,
    progress: &mut dyn FnMut(&str),
) -> Result<(), BenchError> {
    for contestant in [Contestant::BareKademlia, Contestant::Inline, Contestant::Actor] {
        let mut ask = |peers| {
            progress(&format!("{peers} peers, memory: {}", contestant.name()));
            ask(child, contestant, Task { peers, lookups: options.lookups, relayed: 0 })
        };
        let mut own = None;
        for peers in options.sizes.iter().copied().filter(|peers| contestant.takes_part(*peers)) {
            let own = match own {
                Some(own) => own,
                None => *own.insert(ask(BASELINE_PEERS)?.peak_rss_bytes),
            };
            let told = ask(peers)?;
            let bytes_per_peer = told.peak_rss_bytes.saturating_sub(own) as f64 / f64::from(peers);
            results.footprints.push(Footprint {
                contestant,
                peers,
                lookups: told.lookups,
                peak_rss_bytes: told.peak_rss_bytes,
                bytes_per_peer: rounded(bytes_per_peer),
                start_cpu_s: rounded(told.start_cpu_s),
            });
        }
    }
    let goals: Vec<Goal> = results.footprints.iter().flat_map(goals_of).collect();
    results.goals.extend(goals);
    Ok(())
}

fn goals_of(footprint: &Footprint) -> Vec<Goal> {
    let Footprint { contestant, peers, .. } = *footprint;
    let goal = |what: &str, value, bounds| Goal {
        what: format!("{}: {what}", contestant.name()),
        peers,
        value,
        bound: asked(bounds, peers).map(Bound::AtMost),
    };
    match contestant {
        Contestant::Actor => vec![
            goal("bytes per peer", footprint.bytes_per_peer, BYTES_PER_PEER),
            goal("CPU seconds to start", footprint.start_cpu_s, START_S),
        ],
        Contestant::Inline => vec![
            goal("bytes per peer", footprint.bytes_per_peer, &[]),
            goal("bytes in all", footprint.peak_rss_bytes as f64, BYTES),
        ],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_tells_of_everybody_and_survives_being_written() {
        let options = Options { sizes: vec![30, 60], repetitions: 2, lookups: 40, child: None };
        let mut said = Vec::new();
        let results = run(&options, &mut |word| said.push(word.to_owned())).unwrap();
        assert_eq!(said.len(), 2 * 2 * Contestant::ALL.len());
        assert_eq!(results.rates.len(), 2 * Contestant::ALL.len());
        assert_eq!(results.goals.len(), 2 * RATIOS.len());
        assert!(results.goals.iter().all(|goal| goal.value > 0.0 && goal.bound.is_none()));
        let again = Results::from_json(&results.to_json().unwrap()).unwrap();
        assert_eq!(again.to_json().unwrap(), results.to_json().unwrap());
    }

    #[test]
    fn outcomes_that_differ_are_no_result() {
        let turn = |digest| Measured { digest, ..Measured::default() };
        let different = |turns: &[(Contestant, Vec<Measured>)]| agree(turns, 1).is_err();
        assert!(!different(&[
            (Contestant::Wheel, vec![turn(1), turn(1)]),
            (Contestant::Heap, vec![turn(1)])
        ]));
        assert!(different(&[(Contestant::Relay, vec![turn(1), turn(2)])]));
        assert!(different(&[(Contestant::Wheel, vec![turn(1)]), (Contestant::Heap, vec![turn(2)])]));
        assert!(different(&[(Contestant::Inline, vec![turn(1)]), (Contestant::Actor, vec![turn(2)])]));
    }
}
