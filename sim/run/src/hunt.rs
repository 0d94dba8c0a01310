//! A hunt: one scenario with many seeds, side by side, in search of those that fail.
//!
//! | module | what |
//! |---|---|
//! | [`imprint`] | what a run leaves that equal runs leave alike, and where two of them part |
//! | [`found`] | what a hunt has found: kinds of ends, failures, sightings, repetitions |
//!
//! It is deliberately *not* bound to how a seed is run: a [`Runner`] does that, here and once more elsewhere, so that
//! a hunt can be shown a run that cannot be repeated.
//!
//! Invariants: seeds are begun in ascending order and each that was begun is ended, so those done are all below the
//! first that was not begun, and the lowest seed that fails is the same on one thread and on many; which seeds are
//! repeated follows from their numbers and from what came of them; nothing kept grows with the number of seeds.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration as WallDuration, Instant as WallInstant};

use record::Verdict;
use types::Share;

pub mod found;
pub mod imprint;
#[cfg(test)]
mod tests;

pub use found::{Ending, Failure, Found, Recheck, Sighting};
pub use imprint::{Difference, Imprint, Parting};

/// Failures that are told while the hunt goes on: whoever watches wants the first ones.
const MAX_NEWS: usize = 10;

/// What is hunted, and how far.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The seeds, in ascending order.
    pub seeds: RangeInclusive<u64>,
    /// How many run side by side.
    pub jobs: usize,
    /// No seed is begun when so much real time has passed.
    pub budget: Option<WallDuration>,
    /// No seed is begun when so many have failed.
    pub max_failures: Option<u64>,
    /// The share of seeds that are run again: of all these at least one, and all that fail; none if it is nothing.
    pub recheck: Share,
}

/// How a seed is run. A panic in here is the end of that seed, not of the hunt.
pub trait Runner: Sync {
    /// Runs it.
    ///
    /// # Errors
    /// If the simulator gives up; in words.
    fn run(&self, seed: u64) -> Result<Ended, String>;

    /// Runs it again, in surroundings that share nothing with the first.
    fn again(&self, seed: u64) -> Again;
}

/// A run that came to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// What it proved.
    pub verdict: Verdict,
    /// What it left.
    pub imprint: Imprint,
}

impl From<&crate::Finished> for Ended {
    fn from(finished: &crate::Finished) -> Self {
        Self { verdict: finished.verdict.clone(), imprint: Imprint::of(finished) }
    }
}

/// What came of running a seed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again {
    /// It came to its end.
    Ended(Imprint),
    /// It was stopped because the hunt is.
    Stopped,
    /// It could not be run, which says nothing about it.
    Unable(String),
    /// The simulator gave up, though it had not before.
    Broke(String),
}

/// A hunt under way. One thread calls [`Hunt::play`], others may look and stop it.
#[derive(Debug)]
pub struct Hunt {
    campaign: Campaign,
    begun: WallInstant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The next seed; none when no other is to be begun.
    next: Option<u64>,
    /// Why not.
    ending: Option<Ending>,
    running: BTreeMap<u64, WallInstant>,
    found: Found,
    /// Of the seeds that passed and were not run again, the one with the least draw.
    spared: Option<(u64, u64, Imprint)>,
    news: Vec<Failure>,
    told: usize,
}

/// Where a hunt is.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Seeds that ended.
    pub done: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that were run again.
    pub rechecked: u64,
    /// How long it has been going on.
    pub elapsed: WallDuration,
    /// The seed that has been running longest, and for how long.
    pub longest: Option<(u64, WallDuration)>,
    /// Failures since the last look; of a whole hunt, the first few.
    pub news: Vec<Failure>,
}

impl Hunt {
    /// A hunt that begins now.
    #[must_use]
    pub fn new(campaign: Campaign) -> Self {
        let next = (!campaign.seeds.is_empty()).then_some(*campaign.seeds.start());
        let state = State {
            next,
            ending: None,
            running: BTreeMap::new(),
            found: Found::new(campaign.recheck),
            spared: None,
            news: Vec::new(),
            told: 0,
        };
        Self { campaign, begun: WallInstant::now(), state: Mutex::new(state) }
    }

    /// Runs seeds until there is a reason to run no more, and returns when all that were begun have ended.
    pub fn play(&self, runner: &impl Runner) -> Found {
        thread::scope(|scope| {
            for _ in 1..self.campaign.jobs {
                scope.spawn(|| self.work(runner));
            }
            self.work(runner);
        });
        self.recheck_one_at_least(runner);
        let mut state = self.state();
        state.found.ending = state.ending.unwrap_or(Ending::Seeds);
        state.found.elapsed = self.begun.elapsed();
        state.found.clone()
    }

    /// Begins no other seed; what runs is ended.
    pub fn stop(&self) {
        self.state().end(Ending::Stopped);
    }

    /// Where it is.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let mut state = self.state();
        let longest = state.running.iter().min_by_key(|(_, since)| **since);
        Standing {
            done: state.found.done,
            failed: state.found.failed,
            rechecked: state.found.recheck.done,
            elapsed: self.begun.elapsed(),
            longest: longest.map(|(seed, since)| (*seed, since.elapsed())),
            news: std::mem::take(&mut state.news),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked with it did so in an assertion about it; what it counts is still worth telling.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self, runner: &impl Runner) {
        while let Some(seed) = self.take() {
            let ended = run(runner, seed);
            let again = match &ended {
                Ok(ended) if self.rechecks(seed, ended) => Some(again(runner, seed)),
                _ => None,
            };
            self.enter(seed, ended, again);
        }
    }

    /// The next seed to run.
    fn take(&self) -> Option<u64> {
        let mut state = self.state();
        if self.campaign.budget.is_some_and(|budget| self.begun.elapsed() >= budget) {
            state.end(Ending::Time);
        }
        let seed = state.next?;
        if seed == *self.campaign.seeds.end() {
            state.end(Ending::Seeds);
        } else {
            state.next = Some(seed + 1);
        }
        state.running.insert(seed, WallInstant::now());
        Some(seed)
    }

    fn rechecks(&self, seed: u64, ended: &Ended) -> bool {
        let Campaign { recheck, .. } = self.campaign;
        // Whoever is given a seed that fails will run it again: better to know now what comes of that.
        let chosen = imprint::is_drawn(seed, recheck) || ended.verdict.exit_code != found::PASSED;
        recheck > Share::ZERO && chosen && self.state().ending != Some(Ending::Stopped)
    }

    fn enter(&self, seed: u64, ended: Result<Ended, String>, again: Option<Again>) {
        let mut state = self.state();
        state.running.remove(&seed);
        if let (Ok(ended), None) = (&ended, &again) {
            let draw = imprint::draw(seed);
            let passed = ended.verdict.exit_code == found::PASSED;
            if passed && state.spared.as_ref().is_none_or(|(least, ..)| draw < *least) {
                state.spared = Some((draw, seed, ended.imprint.clone()));
            }
        }
        let failure = state.found.enter(seed, ended, again);
        state.tell(failure);
        if self.campaign.max_failures.is_some_and(|most| state.found.failed >= most) {
            state.end(Ending::Failures);
        }
    }

    /// A few seeds may all be spared by their draws; one is run again nevertheless.
    fn recheck_one_at_least(&self, runner: &impl Runner) {
        let mut state = self.state();
        let asked = self.campaign.recheck > Share::ZERO && state.ending != Some(Ending::Stopped);
        if !asked || state.found.recheck.tried() > 0 {
            return;
        }
        let Some((_, seed, first)) = state.spared.take() else { return };
        state.running.insert(seed, WallInstant::now());
        drop(state);
        let again = again(runner, seed);
        let mut state = self.state();
        state.running.remove(&seed);
        let failure = state.found.recheck_of_passed(seed, &first, again);
        state.tell(failure);
    }
}

impl State {
    /// No other seed is to be begun, for this reason, unless there was one before; that it was stopped tells all.
    fn end(&mut self, ending: Ending) {
        self.next = None;
        self.ending = match (self.ending, ending) {
            (None, ending) | (_, ending @ Ending::Stopped) => Some(ending),
            (earlier, _) => earlier,
        };
    }

    fn tell(&mut self, failure: Option<Failure>) {
        if let Some(failure) = failure.filter(|_| self.told < MAX_NEWS) {
            self.told += 1;
            self.news.push(failure);
        }
    }
}

/// A run whose panic is an end like others.
fn run(runner: &impl Runner, seed: u64) -> Result<Ended, String> {
    catch_unwind(AssertUnwindSafe(|| runner.run(seed))).unwrap_or_else(|panic| Err(last_words(&*panic)))
}

fn again(runner: &impl Runner, seed: u64) -> Again {
    catch_unwind(AssertUnwindSafe(|| runner.again(seed)))
        .unwrap_or_else(|panic| Again::Broke(last_words(&*panic)))
}

fn last_words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("the simulator panicked: {}", text.unwrap_or("it said nothing"))
}
