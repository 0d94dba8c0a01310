//! Peers that panic, peers that spin, and a check that panics.

use std::sync::Arc;

use config::Config;
use judge::{CheckResult, Checker, Evidence, Fact, Moment, Probe, Status, Timeline, Watch, When};
use node::{Input, Life, Node, Outbox, Output, Peer, Restored, Settings, View};
use record::VerdictStatus;
use run::{Cast, Driver, Finished, RunError};
use types::{Book, Duration, Instant, Now};

use crate::{WAYS, hello};

const VICTIM: u32 = 7;
/// When its moment comes; the others have long joined.
const MOMENT: Instant = Instant::from_nanos(60_000_000_000);
const LAST_WORDS: &str = "the planted panic";

/// What the victim does when its moment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    /// It panics while it handles an input.
    InHandle,
    /// It panics while somebody looks at it.
    InView,
    /// It panics before it is there.
    InStart,
    /// It asks to be woken at once, for ever.
    Spin,
    /// It asks to be woken a nanosecond later, for ever.
    Crawl,
}

impl Cast for Trouble {
    fn play(&self, number: u32, life: Life, restored: &Restored, book: &Book) -> Option<Box<dyn Peer>> {
        if number != VICTIM {
            return None;
        }
        assert!(*self != Self::InStart, "{LAST_WORDS}");
        let node = Node::restore(life, &Settings::from(&Config::default()), restored.clone(), book);
        Some(Box::new(Troubled { node, trouble: *self, now: Instant::START }))
    }
}

#[derive(Debug)]
struct Troubled {
    node: Node,
    trouble: Trouble,
    now: Instant,
}

impl Peer for Troubled {
    fn handle(&mut self, now: Now, input: Input, book: &mut Book, out: &mut Outbox) {
        self.now = now.instant;
        if now.instant < MOMENT {
            self.node.handle(now, input, book, out);
        } else if self.trouble == Trouble::Spin {
            out.push(Output::WakeAt(Some(now.instant)));
        } else if self.trouble == Trouble::Crawl {
            out.push(Output::WakeAt(Some(now.instant + Duration::from_nanos(1))));
        } else {
            assert!(self.trouble != Trouble::InHandle, "{LAST_WORDS}");
        }
    }

    fn view(&self) -> View<'_> {
        assert!(self.trouble != Trouble::InView || self.now < MOMENT, "{LAST_WORDS}");
        self.node.view()
    }
}

fn run(trouble: Trouble, driver: Driver, threads: usize) -> Finished {
    hello().driver(driver).threads(threads).cast(Arc::new(trouble)).run().unwrap()
}

/// It failed because of the victim's panic, at about this time, with these words.
fn assert_panicked(finished: &Finished, from: Instant, words: &str) {
    let verdict = &finished.verdict;
    assert_eq!((verdict.status, verdict.exit_code), (VerdictStatus::Fail, 14), "{finished}");
    let reason = verdict.reasons.first().unwrap();
    assert!(reason.contains(&format!("peer {VICTIM} panicked at ")) && reason.contains(words), "{reason}");
    let failure = verdict.first_failure.as_ref().unwrap();
    assert_eq!((failure.what.as_str(), failure.peer.as_deref()), ("panic", Some("everybody-7")));
    assert!(failure.detail.contains(words), "{failure:?}");
    let at = failure.at_ms.unwrap();
    // Within the next refresh and sample, it is noticed.
    assert!((from.as_millis()..=from.as_millis() + 10_000).contains(&at), "{at} ms");
    let panics = verdict.reasons.iter().filter(|reason| reason.contains("panicked")).count();
    assert_eq!(panics, 1, "it is told once: {:?}", verdict.reasons);
    let (ended, planned) = (finished.manifest.sim.ended_ms, finished.manifest.sim.planned_ms);
    assert_eq!(ended, Some(planned), "the others go on to the end");
}

#[test]
fn a_peer_that_panics_fails_the_run_in_every_way_of_running_alike() {
    for trouble in [Trouble::InHandle, Trouble::InView, Trouble::InStart] {
        let runs = WAYS.map(|(driver, threads)| run(trouble, driver, threads));
        let from = if trouble == Trouble::InStart { Instant::START } else { MOMENT };
        for finished in &runs {
            assert_panicked(finished, from, LAST_WORDS);
            assert_eq!(finished.verdict, runs[0].verdict, "{trouble:?}");
        }
    }
}

#[test]
fn a_peer_that_spins_is_stopped_and_counts_as_panicked() {
    let runs = WAYS.map(|(driver, threads)| run(Trouble::Spin, driver, threads));
    for finished in &runs {
        assert_panicked(finished, MOMENT, "steps without end");
        assert_eq!(finished.verdict, runs[0].verdict);
    }
}

#[test]
fn a_peer_that_wants_to_be_woken_every_nanosecond_is_stopped_too() {
    let finished = run(Trouble::Crawl, Driver::Inline, 1);
    assert_eq!(finished.exit_code(), 14);
    assert!(finished.verdict.reasons.iter().any(|reason| reason.contains("steps without end")), "{finished}");
}

/// A check whose probe panics when it sees an operation end: not in a peer's place, but in the simulator's.
#[derive(Clone, Copy, Debug)]
struct Clumsy;

impl Probe for Clumsy {
    fn watches(&self) -> &[Watch] {
        &[Watch::Operations]
    }

    fn look(&mut self, moment: &Moment<'_>) -> Option<Fact> {
        assert!(moment.at < MOMENT, "{LAST_WORDS}");
        None
    }
}

impl Checker for Clumsy {
    fn name(&self) -> &str {
        "clumsy"
    }

    fn when(&self) -> When {
        When::Always
    }

    fn probe(&self, _: &Timeline) -> Option<Box<dyn Probe>> {
        Some(Box::new(*self))
    }

    fn conclude(&self, _: &Evidence<'_>) -> CheckResult {
        let (name, detail) = (self.name().to_owned(), String::new());
        CheckResult { name, when: self.when(), status: Status::Pass, detail, at: None, peer: None }
    }
}

#[test]
fn a_check_that_panics_ends_the_run_without_a_verdict() {
    for (driver, threads) in WAYS {
        let error = hello().driver(driver).threads(threads).check(Arc::new(Clumsy)).run().unwrap_err();
        assert!(matches!(error, RunError::World(_)), "{driver:?}, {threads} threads: {error:?}");
    }
}
