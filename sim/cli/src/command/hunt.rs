//! `wavetank hunt`: many seeds side by side, and what was found.

use std::ops::RangeInclusive;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use run::Scenario;
use run::hunt::{Again, Campaign, Ended, Found, Hunt, Runner, Standing};

use crate::args;
use crate::command::hunt::fresh::Fresh;
use crate::command::hunt::screen::{Document, Screen};
use crate::command::run::quoted;
use crate::console::{Console, Verbosity};
use crate::exit_code;
use crate::failure::Failure;
use crate::figures::{count, counted, nanos, number};
use crate::progress::Gauge;
use crate::signals::Signals;
use crate::table::wrapped;

mod fresh;
mod screen;

/// How often the hunt is looked at: quick enough for a hand on the keyboard, and nothing to the processor.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The gauge's steps: neither the number of seeds nor the time need have an end.
const FULL: u64 = 1_000;
/// A seed that runs so long is worth a word.
const LONG: Duration = Duration::from_secs(30);

/// A seed here on a thread of this process, and again in a process of its own.
struct HereAndAfresh<'a> {
    scenario: Scenario,
    fresh: Fresh,
    signals: &'a Signals,
}

impl Runner for HereAndAfresh<'_> {
    fn run(&self, seed: u64) -> Result<Ended, String> {
        match self.scenario.clone().seed(seed).run() {
            Ok(finished) => Ok(Ended::from(&finished)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn again(&self, seed: u64) -> Again {
        match self.fresh.run(seed) {
            // Who interrupts from a keyboard interrupts that process too.
            Again::Unable(_) if self.signals.code().is_some() => Again::Stopped,
            again => again,
        }
    }
}

pub(crate) fn hunt(args: &args::Hunt, console: Console) -> Result<u8, Failure> {
    let signals = Signals::watch()?;
    let mut scenario = run::scenario(&args.scenario).driver(args.driver.into()).threads(1);
    for (path, value) in &args.changes.set {
        scenario = scenario.set(path, value);
    }
    let scenario = scenario.load()?;
    let campaign = Campaign {
        seeds: args.seeds(),
        jobs: args.jobs.map_or_else(cores, usize::from),
        budget: args.budget.map(|budget| Duration::from_nanos(budget.as_nanos())),
        max_failures: args.max_failures(),
        recheck: args.recheck,
    };
    let name = scenario.plan().map(|plan| plan.name.clone()).unwrap_or_default();
    console.note(&beginning(&scenario, &campaign, console.verbosity));
    let runner = HereAndAfresh { scenario, fresh: Fresh::new(args)?, signals: &signals };
    let found =
        play(&Hunt::new(campaign.clone()), &campaign, &runner, args.shown.progress, &signals, console)?;

    let replay = |seed: u64| replay(args, seed);
    let code = signals.code().unwrap_or_else(|| found.exit_code());
    let screen = Screen { name: &name, found: &found, campaign: &campaign, code, replay: &replay };
    console.answer(&screen.text(console.verbosity), &Document::new(&screen, args))?;
    Ok(code)
}

/// The hunt on threads of its own, while this one shows where it is and listens for interrupts.
pub(crate) fn play(
    hunt: &Hunt,
    campaign: &Campaign,
    runner: &impl Runner,
    shown: args::Progress,
    signals: &Signals,
    console: Console,
) -> Result<Found, Failure> {
    let mut gauge = Gauge::new(console, shown, FULL);
    let found = thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        scope.spawn(move || {
            // The receiver waits until this thread is gone.
            let _ = sender.send(hunt.play(runner));
        });
        let mut told = false;
        loop {
            match receiver.recv_timeout(LOOK_EVERY) {
                Ok(found) => break Some(found),
                Err(RecvTimeoutError::Disconnected) => break None,
                Err(RecvTimeoutError::Timeout) => show(&mut gauge, &hunt.standing(), campaign),
            }
            if signals.code().is_some() && !told {
                told = true;
                hunt.stop();
                gauge.say("interrupted: the hunt ends with the seeds that run; once more stops at once");
            }
        }
    });
    gauge.end();
    signals.end_at_once();
    found.ok_or_else(|| Failure::new(exit_code::INTERNAL, "the hunt panicked; this is a defect of wavetank"))
}

pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

fn show(gauge: &mut Gauge, standing: &Standing, campaign: &Campaign) {
    // Of a hunt that ends with its first failure, the screen follows at once.
    for failure in standing.news.iter().filter(|_| campaign.max_failures != Some(1)) {
        let reason = failure.reasons.first().map_or("", String::as_str);
        gauge.tell(&format!("seed {} (exit {}): {reason}", failure.seed, failure.code));
    }
    gauge.show(share_done(standing, campaign), status(standing, campaign));
}

/// How far the hunt is at the least, in parts of [`FULL`]: by seeds or by time, whichever ends first.
fn share_done(standing: &Standing, campaign: &Campaign) -> u64 {
    let by_seeds = standing.done as f64 / seeds(&campaign.seeds) as f64;
    let by_time = campaign.budget.map_or(0.0, |budget| standing.elapsed.as_secs_f64() / budget.as_secs_f64());
    (by_seeds.max(by_time).min(1.0) * FULL as f64) as u64
}

/// How many there are.
pub(crate) fn seeds(range: &RangeInclusive<u64>) -> u64 {
    (range.end() - range.start()).saturating_add(1)
}

/// `412 of 1,000 seeds, 35.2/s, 3 failed, 20 run again`
fn status(standing: &Standing, campaign: &Campaign) -> String {
    let Standing { done, failed, rechecked, elapsed, longest, .. } = standing;
    let mut text = count(*done);
    // Of seeds without end, only those done say anything.
    if *campaign.seeds.end() < u64::MAX {
        text.push_str(&format!(" of {}", count(seeds(&campaign.seeds))));
    }
    let rate = *done as f64 / elapsed.as_secs_f64();
    text.push_str(&format!(" seeds, {}/s", number(if rate.is_finite() { rate } else { 0.0 })));
    text.push_str(&format!(", {} failed, {} run again", count(*failed), count(*rechecked)));
    if let Some((seed, since)) = longest.filter(|(_, since)| *since >= LONG) {
        text.push_str(&format!(", seed {seed} for {}", nanos(since.as_nanos() as f64)));
    }
    text
}

/// `hello: 20 peers for 2m, 1,000 seeds from 1, 2 at a time`, and what it is about, if that is wanted.
fn beginning(scenario: &Scenario, campaign: &Campaign, verbosity: Verbosity) -> String {
    let Some(plan) = scenario.plan() else { return String::new() };
    let peers = counted(plan.peers(), "peer");
    let span = nanos(plan.duration.as_nanos() as f64);
    let first = campaign.seeds.start();
    let seeds = match *campaign.seeds.end() {
        u64::MAX => "seeds".to_owned(),
        _ => counted(seeds(&campaign.seeds), "seed"),
    };
    let mut text =
        format!("{}: {peers} for {span}, {seeds} from {first}, {} at a time", plan.name, campaign.jobs);
    if verbosity == Verbosity::Verbose {
        text.push('\n');
        text.push_str(wrapped(&format!("  {}", plan.about), 2).trim_end());
    }
    text
}

/// The command that runs a seed again.
fn replay(args: &args::Hunt, seed: u64) -> String {
    let mut text = format!("wavetank run {} --seed {seed}", quoted(&args.scenario.display().to_string()));
    for (path, value) in &args.changes.set {
        text.push_str(&format!(" --set {}", quoted(&format!("{path}={value}"))));
    }
    if args.driver != args::Driver::default() {
        text.push_str(&format!(" --driver {}", args.driver.word()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::Share;

    fn campaign(seeds: RangeInclusive<u64>, budget: Option<u64>) -> Campaign {
        let budget = budget.map(Duration::from_secs);
        Campaign { seeds, jobs: 2, budget, max_failures: None, recheck: Share::ZERO }
    }

    fn standing(done: u64, secs: u64) -> Standing {
        let elapsed = Duration::from_secs(secs);
        Standing { done, failed: 3, rechecked: 20, elapsed, longest: None, news: Vec::new() }
    }

    #[test]
    fn the_line_says_how_many_of_how_many_and_who_takes_long() {
        let bounded = campaign(1..=1_000, None);
        assert_eq!(
            status(&standing(412, 10), &bounded),
            "412 of 1,000 seeds, 41.2/s, 3 failed, 20 run again"
        );
        let slow = Standing { longest: Some((7, Duration::from_secs(125))), ..standing(412, 0) };
        assert_eq!(
            status(&slow, &campaign(1..=u64::MAX, Some(60))),
            "412 seeds, 0/s, 3 failed, 20 run again, seed 7 for 2m5s"
        );
    }

    #[test]
    fn the_gauge_follows_what_ends_first() {
        assert_eq!(share_done(&standing(250, 10), &campaign(1..=1_000, None)), 250);
        assert_eq!(share_done(&standing(250, 30), &campaign(1..=1_000, Some(60))), 500);
        assert_eq!(share_done(&standing(250, 90), &campaign(1..=u64::MAX, Some(60))), FULL);
    }
}
