//! A check of a user's own: no table holds more than so many contacts.
//!
//! A check has two halves. The *probe* lives beside the peers, one in each shard, and turns what it sees into facts: it must not
//! look at anything but the moment that it is shown, so that every division of the peers gives the same facts. The
//! *checker* folds the facts of all shards into one result. `Scenario::check` adds it after those of the scenario, and it counts
//! for the verdict and the exit code as they do.

use std::sync::Arc;

use judge::{
    CheckResult, Checker, Evidence, Fact, Facts, Moment, Probe, Sight, Status, Timeline, Watch, When,
};
use record::CheckStatus;

use crate::{WAYS, hello};

#[derive(Clone, Copy, Debug)]
struct SmallTables {
    limit: usize,
}

impl Probe for SmallTables {
    /// Tables are looked at whenever the run is sampled (`observe.sample_every`); `Watch::Events` would show every event.
    fn watches(&self) -> &[Watch] {
        &[Watch::Samples]
    }

    fn look(&mut self, moment: &Moment<'_>) -> Option<Fact> {
        let Sight::Sample(sample) = &moment.sight else { return None };
        // A peer without a table is not one with a small table: a check that nobody could serve is `unknown`, never a pass.
        let Some(kad) = sample.view.kad else { return Some(Fact::Unserved) };
        let contacts = kad.table().len();
        Some(if contacts > self.limit {
            Fact::Violated(format!("{contacts} contacts, more than {}", self.limit))
        } else {
            Fact::Holds
        })
    }
}

impl Checker for SmallTables {
    fn name(&self) -> &str {
        "small_tables"
    }

    /// An `always` that fails ends the run with 11; `Sometimes` and `Eventually` are the other two.
    fn when(&self) -> When {
        When::Always
    }

    fn probe(&self, _: &Timeline) -> Option<Box<dyn Probe>> {
        Some(Box::new(*self))
    }

    fn conclude(&self, evidence: &Evidence<'_>) -> CheckResult {
        let mut all = Facts::default();
        for facts in evidence.facts.values() {
            all.merge(facts.clone());
        }
        let status = match (&all.first_violated, all.served()) {
            (Some(_), _) => Status::Fail,
            (None, 0) => Status::Unknown,
            (None, _) => Status::Pass,
        };
        let witness = all.first_violated;
        CheckResult {
            name: self.name().to_owned(),
            when: self.when(),
            status,
            at: witness.as_ref().map(|witness| witness.at),
            peer: witness.as_ref().map(|witness| witness.peer),
            detail: witness.map(|witness| witness.what).unwrap_or_default(),
        }
    }
}

#[test]
fn a_check_that_holds_passes_among_those_of_the_scenario() {
    for (driver, threads) in WAYS {
        let run = hello().driver(driver).threads(threads).check(Arc::new(SmallTables { limit: 19 })).run();
        let run = run.unwrap();
        assert!(run.passed(), "{run}");
        let check = run.verdict.checks.last().unwrap();
        assert_eq!((check.name.as_str(), check.status), ("small_tables", CheckStatus::Pass));
    }
}

#[test]
fn a_check_that_does_not_hold_fails_the_run_and_says_where() {
    let runs = WAYS.map(|(driver, threads)| {
        hello().driver(driver).threads(threads).check(Arc::new(SmallTables { limit: 10 })).run().unwrap()
    });
    for run in &runs {
        assert_eq!(run.exit_code(), 11, "{run}");
        let failure = run.verdict.first_failure.as_ref().unwrap();
        assert_eq!(failure.what, "small_tables");
        assert!(failure.detail.ends_with("contacts, more than 10"), "{failure:?}");
        assert!(failure.peer.as_ref().unwrap().starts_with("everybody-"), "{failure:?}");
        assert_eq!(run.verdict, runs[0].verdict, "whoever looks, wherever");
    }
}
