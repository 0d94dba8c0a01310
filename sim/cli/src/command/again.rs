//! A run gone through again to see more of it, and whether it came out the same.

use std::path::Path;

use record::{Manifest, Run};
use run::{Agreement, Answer, Inquiry, Prepared};

use crate::args;
use crate::command::play::attend;
use crate::command::run::on;
use crate::console::Console;
use crate::exit_code;
use crate::failure::Failure;
use crate::figures::{clock, counted};
use crate::signals::Signals;

/// A run's folder, and how it is gone through again.
pub(crate) struct Again<'a> {
    pub(crate) run: Run,
    pub(crate) signals: &'a Signals,
    machine: &'a args::Machine,
    progress: args::Progress,
    console: Console,
}

impl<'a> Again<'a> {
    pub(crate) fn open(
        folder: &Path,
        machine: &'a args::Machine,
        shown: &args::Shown,
        signals: &'a Signals,
        console: Console,
    ) -> Result<Self, Failure> {
        Ok(Self { run: Run::open(folder)?, signals, machine, progress: shown.progress, console })
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        self.run.manifest()
    }

    /// The folder's scenario with its changes and its seed, ready to go; the plan must be the one that was run.
    pub(crate) fn prepare(&self) -> Result<Prepared, Failure> {
        let prepared = on(run::replay(self.run.path())?, self.machine).prepare()?;
        let (first, now) = (self.manifest(), prepared.manifest());
        if first.scenario.plan_sha256 == now.scenario.plan_sha256 {
            return Ok(prepared);
        }
        let [first, now] = [first, now].map(|manifest| &manifest.wavetank.version);
        let what = format!(
            "{}: its scenario makes another plan now (it was run by wavetank {first}, this is {now})",
            self.run.path().display()
        );
        Err(Failure::new(exit_code::DIVERGED, what)
            .help("what happened can be seen again only by the version that ran it, and with the scenario as it was"))
    }

    /// Goes through the run. One that was interrupted has no answer.
    pub(crate) fn inquire(&self, prepared: Prepared, inquiry: Inquiry) -> Result<Answer, Failure> {
        let (progress, total) =
            (prepared.progress(), prepared.plan().duration.as_nanos().min(inquiry.until.as_nanos()));
        let work = move || prepared.inquire(&inquiry);
        let answer = attend(&progress, total, self.progress, self.signals, self.console, work)??;
        match self.signals.code() {
            Some(code) if answer.interrupted => {
                Err(Failure::new(code, "interrupted before there was anything to tell"))
            }
            _ => Ok(answer),
        }
    }

    /// Fails if what was seen is not what the folder is of; else says how far that is known.
    pub(crate) fn agree(&self, answer: &Answer) -> Result<Seen, Failure> {
        match answer.agreement(self.manifest()) {
            Agreement::Equal { rungs, until_ns } => Ok(Seen { rungs, until_ns: Some(until_ns) }),
            Agreement::Unknown => Ok(Seen { rungs: 0, until_ns: None }),
            Agreement::Differs { at_ns } => {
                let what = format!(
                    "the same run came out differently by {}: what is seen now is not what happened then",
                    clock(at_ns)
                );
                Err(Failure::new(exit_code::DIVERGED, what)
                    .help("`wavetank replay` says where the two part and keeps the second"))
            }
        }
    }
}

/// How far what was seen is known to be what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Seen {
    /// Rungs of the fingerprint's ladder that are equal.
    pub(crate) rungs: usize,
    /// When the last of them is.
    pub(crate) until_ns: Option<u64>,
}

impl Seen {
    pub(crate) fn text(self) -> String {
        match self.until_ns {
            Some(until) => format!(
                "seen again  equal to the folder's run until {}, by {}\n",
                clock(until),
                counted(self.rungs as u64, "rung")
            ),
            None => "seen again  the folder has no rung by then that it could be compared with\n".to_owned(),
        }
    }
}
