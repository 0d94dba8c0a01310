//! What `play` finds wrong with groups, workloads and faults, put at its place in the text.
//!
//! `play` says what and under which path; here a fragment becomes a sentence, the place is narrowed to
//! the word that is meant, and a name that nobody has gets a suggestion.

use std::collections::BTreeSet;

use play::Inputs;
use play::plan::{Amount, Select};

use super::{MAX_NAME, Meaning, top};
use crate::diagnostic::{Code, Diagnostic, MAX_KEPT, listed, quoted};
use crate::suggest::nearest;
use crate::tree::{Path, Step};

impl Meaning<'_> {
    pub(super) fn played(&mut self) {
        let scenario = self.scenario;
        let groups: Vec<_> =
            scenario.peers.iter().map(|(name, group)| (name.clone(), group.clone())).collect();
        let problems = play::problems(&Inputs {
            groups: &groups,
            workloads: &scenario.workloads,
            faults: &scenario.faults,
            duration: scenario.duration,
            warmup: scenario.warmup,
            seed: scenario.seed,
        });
        for (index, problem) in problems.into_iter().enumerate() {
            if index < MAX_KEPT {
                self.play(problem);
            } else {
                self.problems.count();
            }
        }
    }

    fn play(&mut self, problem: play::Problem) {
        let code = Code::of(problem.code);
        let path = Path::default().dotted(&problem.path);
        if code == Code::BadName && path.0.len() == 2 {
            return; // A group's name, of which `group_names` demands more.
        }
        let place = self.narrowed(code, &path, &problem.message);
        let mut diagnostic = Diagnostic::new(code, sentence(&path, &problem.message));
        if code == Code::WindowBeyondRun {
            diagnostic = diagnostic.related(self.tree.locate(&top("duration")), "the run's duration");
        }
        if code == Code::UnknownGroup
            && let Some(name) = named(&problem.message)
        {
            let groups = || self.scenario.peers.keys().map(String::as_str);
            diagnostic = diagnostic
                .label("no group has this name")
                .note(format!("groups here: {}", listed(groups(), "and")))
                .help_if(nearest(name, groups()).map(|name| format!("did you mean `{name}`?")));
        } else {
            diagnostic = diagnostic.help_if(problem.help);
        }
        if code == Code::ValueTooLarge {
            diagnostic = diagnostic.help("raise `max_record_size` of those nodes, or store less");
        }
        if matches!(code, Code::DuplicateName | Code::BadPartition)
            && let Some(first) = self.first(code, &path, &problem.message)
        {
            diagnostic = diagnostic.related(first, "first here");
        }
        self.say(&place, diagnostic);
    }

    /// `path`, or the part of what stands there that the message is about.
    fn narrowed(&self, code: Code, path: &Path, message: &str) -> Path {
        if let Some(index) = named(message).and_then(|name| self.tree.items(path, name).last().copied()) {
            return path.index(index);
        }
        match code {
            Code::BadSelection => match self.tree.longest(path, "value") {
                value if value != *path => value,
                _ => self.tree.longest(path, "mode"),
            },
            Code::EmptySelection => self.tree.longest(path, "value"),
            _ => self.tree.longest(&Path::default(), &path.to_string()),
        }
    }

    /// Where the name in `message` stands for the first time, if that is another place than `path`.
    fn first(&self, code: Code, path: &Path, message: &str) -> Option<crate::source::Span> {
        let name = named(message)?;
        let [Step::Key(list), Step::Index(index), ..] = path.0.as_slice() else { return None };
        if code == Code::BadPartition {
            let [before @ .., Step::Index(_)] = path.0.as_slice() else { return None };
            let sides = Path(before.to_vec());
            let here = self.narrowed(code, path, message);
            let places = (0..).map(|side| sides.index(side)).take_while(|side| self.tree.exists(side));
            let mut found = places.flat_map(|side| {
                let items = self.tree.items(&side, name);
                items.into_iter().map(move |index| side.index(index))
            });
            return found.next().filter(|first| *first != here).map(|first| self.tree.locate(&first));
        }
        let names: Vec<(String, &str)> = match list.as_str() {
            "workloads" => {
                let all = self.scenario.workloads.iter().enumerate();
                all.map(|(index, workload)| (workload.name(index), workload.kind())).collect()
            }
            _ => {
                let all = self.scenario.faults.iter().enumerate();
                all.map(|(index, fault)| (fault.name(index), fault.kind())).collect()
            }
        };
        let first = names.iter().take(*index).position(|(known, _)| known == name)?;
        let (_, kind) = names.get(first)?;
        let path = top(list).index(first).key(*kind);
        Some(self.tree.locate(&self.tree.longest(&path, "name")))
    }

    pub(super) fn nodes(&mut self) {
        for (name, group) in &self.scenario.peers {
            for problem in group.node.problems() {
                let place = self.tree.longest(&top("peers").key(name.as_str()).key("node"), problem.path);
                let key = problem.path.rsplit('.').next().unwrap_or(problem.path);
                self.say(&place, Diagnostic::new(Code::BadConfig, format!("`{key}` {}", problem.message)));
            }
        }
    }

    /// Names of groups become parts of paths, of `--set` and of peers' names.
    pub(super) fn group_names(&mut self) {
        let plain = |char: char| matches!(char, 'a'..='z' | '0'..='9' | '-' | '_');
        for name in self.scenario.peers.keys() {
            if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(plain) {
                let message = format!("{} cannot be the name of a group", quoted(name));
                let note = format!(
                    "a name has small letters, digits, hyphens and underscores, and at most {MAX_NAME} of them"
                );
                self.say_at_key(
                    &top("peers").key(name.as_str()),
                    Diagnostic::new(Code::BadName, message).note(note),
                );
            }
        }
    }

    /// A selection that `play` does not know of: of peers to observe.
    pub(super) fn observed(&mut self, path: &Path, select: &Select) {
        let groups = &self.scenario.peers;
        let names = select.group.as_ref().map(|names| names.0.as_slice());
        let unknown: BTreeSet<_> =
            names.unwrap_or_default().iter().filter(|name| !groups.contains_key(*name)).collect();
        for name in unknown.into_iter().take(MAX_KEPT) {
            let at = path.key("group");
            let message = format!("unknown group {}", quoted(name));
            self.play(play::Problem { path: at.to_string(), code: "unknown_group", message, help: None });
        }
        let meant = |name: &String| names.is_none_or(|names| names.contains(name));
        let available: u64 =
            groups.iter().filter(|(name, _)| meant(name)).map(|(_, group)| u64::from(group.count)).sum();
        let (code, message) = match select.amount() {
            Err(error) => ("bad_selection", error.to_string()),
            Ok(Amount::Number(number)) if u64::from(number) > available => {
                ("too_many_selected", format!("selects {number} of {available} peers"))
            }
            Ok(_) => return,
        };
        self.play(play::Problem { path: path.key("value").to_string(), code, message, help: None });
    }
}

/// A message as a sentence: what begins with a verb is said of the key, or of what the window belongs to.
fn sentence(path: &Path, message: &str) -> String {
    let key = |back: usize| match path.0.iter().rev().nth(back) {
        Some(Step::Key(key)) => Some(quoted(key)),
        _ => None,
    };
    let verb = message.split(' ').next().unwrap_or_default();
    let subject = match verb {
        "ends" | "begins" => key(1),
        "is" | "must" | "selects" | "loses" | "makes" | "needs" | "names" => key(0),
        _ => None,
    };
    subject.map_or_else(|| message.to_owned(), |subject| format!("{subject} {message}"))
}

/// The first name that a message quotes.
fn named(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}
