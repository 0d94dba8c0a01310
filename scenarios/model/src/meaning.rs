//! Meaning: do the parts of a scenario go together?
//!
//! Each check says where it looked; the tree turns that into a place of the text. What a part can say
//! about itself is asked of its own crate ([`config::Config::problems`], [`kernel::Network::resolve`],
//! [`play::problems`], [`judge::problems`]).

mod goals;
mod inert;
mod told;

use kernel::resolve::MAX_PLACES;
use play::lifecycle::MAX_FAULTS;
use play::serial::MAX_WORKLOADS;

use crate::diagnostic::{Code, Diagnostic, Problems, grouped, quoted};
use crate::fidelity::Links;
use crate::scenario::Scenario;
use crate::tree::{Path, Tree};

pub(crate) use goals::take_thresholds;
pub(crate) use inert::warn;
pub(crate) use told::of_node;

/// Characters of a name: it becomes a part of paths and file names.
const MAX_NAME: usize = 64;

/// Groups of a scenario: people tell a dozen apart, and a sweep may make some hundreds.
pub const MAX_GROUPS: usize = 1_000;

/// Everything about `scenario`, read from `tree`, that does not go together.
pub(crate) fn check(scenario: &Scenario, tree: &Tree, problems: &mut Problems) {
    let mut meaning = Meaning { scenario, tree, problems };
    meaning.name();
    meaning.network();
    if meaning.few_enough() {
        meaning.group_names();
        meaning.nodes();
        meaning.played_and_judged();
    }
    meaning.something_to_find();
}

struct Meaning<'a> {
    scenario: &'a Scenario,
    tree: &'a Tree,
    problems: &'a mut Problems,
}

/// The path of a top-level key.
fn top(key: &str) -> Path {
    Path::default().key(key)
}

impl Meaning<'_> {
    fn say(&mut self, path: &Path, diagnostic: Diagnostic) {
        if self.problems.is_full() {
            return self.problems.count();
        }
        self.problems.add(diagnostic.at(self.tree.locate(path)).path(path.to_string()));
    }

    fn say_at_key(&mut self, path: &Path, diagnostic: Diagnostic) {
        self.problems.add(diagnostic.at(self.tree.locate_key(path)).path(path.to_string()));
    }

    fn name(&mut self) {
        let name = &self.scenario.name;
        let plain = |char: char| matches!(char, 'a'..='z' | '0'..='9' | '-');
        if name.is_empty() || name.chars().count() > MAX_NAME || !name.chars().all(plain) {
            let suggestion = plain_name(name);
            self.say(
                &top("name"),
                Diagnostic::new(Code::BadName, format!("{} cannot be the name of a scenario", quoted(name)))
                    .note(format!(
                        "a name has small letters, digits and hyphens, and at most {MAX_NAME} of them"
                    ))
                    .help_if((!suggestion.is_empty()).then(|| format!("write `{suggestion}`"))),
            );
        }
    }

    /// Whether there are no more parts than those who check them one against another are built for.
    fn few_enough(&mut self) -> bool {
        let scenario = self.scenario;
        let parts = [
            ("peers", Code::TooManyGroups, "groups", scenario.peers.len(), MAX_GROUPS),
            ("workloads", Code::TooManyWorkloads, "workloads", scenario.workloads.len(), MAX_WORKLOADS),
            ("faults", Code::TooManyFaults, "faults", scenario.faults.len(), MAX_FAULTS),
        ];
        let mut few = true;
        for (key, code, what, count, most) in parts {
            if count > most {
                few = false;
                let message =
                    format!("{} {what} are more than {}", grouped(count as i128), grouped(most as i128));
                self.say(&top(key), Diagnostic::new(code, message));
            }
        }
        few
    }

    fn network(&mut self) {
        if let kernel::Network::Regions(regions) = &self.scenario.network
            && regions.places.len() > MAX_PLACES
        {
            let message =
                format!("{} places are more than {MAX_PLACES}", grouped(regions.places.len() as i128));
            let path = top("network").key("regions").key("places");
            return self.say(
                &path,
                Diagnostic::new(Code::NetworkTooManyPlaces, message).help("merge neighbouring places"),
            );
        }
        if let Err(problems) = self.scenario.network.resolve() {
            problems.into_iter().for_each(|problem| self.kernel(&top("network"), problem));
        }
        if let Links::Dialled(dialling) = self.scenario.fidelity.links {
            let path = top("fidelity").key("links").key("dialled");
            dialling.problems().into_iter().for_each(|problem| self.kernel(&path, problem));
        }
    }

    fn kernel(&mut self, below: &Path, problem: kernel::Problem) {
        let path = self.tree.longest(below, &problem.path);
        self.say(&path, Diagnostic::new(Code::of(problem.code), problem.message).help_if(problem.help));
    }

    /// A check of what is stored or provided needs that, as a threshold needs its metric.
    fn something_to_find(&mut self) {
        let asks = |kind: &str| self.scenario.workloads.iter().any(|workload| workload.kind() == kind);
        let checks = [
            (
                "stored_records_found",
                "records",
                "no workload stores records, so there is nothing to be found",
            ),
            (
                "providers_found",
                "providers",
                "no workload announces providers, so there is nobody to be found",
            ),
        ];
        for (check, kind, message) in checks.into_iter().filter(|(_, kind, _)| !asks(kind)) {
            let hold = self.scenario.checks.eventually.as_ref().map(|eventually| &eventually.hold);
            if let Some(index) = hold.and_then(|hold| hold.iter().position(|name| name == check)) {
                self.say(
                    &top("checks").key("eventually").key("hold").index(index),
                    Diagnostic::new(Code::NoEffect, message)
                        .help(format!("add a workload of `{kind}`, or leave the check out")),
                );
            }
        }
    }
}

/// What a name might have been meant to be.
fn plain_name(name: &str) -> String {
    let plain: String = name
        .to_lowercase()
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() { char } else { '-' })
        .take(MAX_NAME)
        .collect();
    plain.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}
