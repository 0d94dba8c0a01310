//! What `play`, `judge` and `config` find wrong with their parts of a scenario, put at its place in the
//! text.
//!
//! They say what and under which path; here a fragment becomes a sentence, the place is narrowed to the
//! word that is meant, and a name that nobody has gets a suggestion.

use play::{Inputs, Problem};

use super::{MAX_NAME, Meaning, top};
use crate::diagnostic::{Code, Diagnostic, MAX_KEPT, listed, quoted};
use crate::source::Span;
use crate::suggest::nearest;
use crate::tree::{Path, Step};

impl Meaning<'_> {
    pub(super) fn played_and_judged(&mut self) {
        let scenario = self.scenario;
        let groups: Vec<_> =
            scenario.peers.iter().map(|(name, group)| (name.clone(), group.clone())).collect();
        let inputs = Inputs {
            groups: &groups,
            workloads: &scenario.workloads,
            faults: &scenario.faults,
            duration: scenario.duration,
            warmup: scenario.warmup(),
            seed: scenario.seed,
        };
        let played = play::problems(&inputs);
        let judged = judge::problems(&inputs, &scenario.checks, &scenario.thresholds, &scenario.observe);
        let drawn = scenario.report.iter().enumerate().filter_map(|(index, figure)| {
            let path = format!("report.{index}.{}.metric", figure.kind());
            judge::without_source(&inputs, figure.metric().name, path)
        });
        for (index, problem) in played.into_iter().chain(judged).chain(drawn).enumerate() {
            if index < MAX_KEPT {
                self.tell(problem);
            } else {
                self.problems.count();
            }
        }
    }

    fn tell(&mut self, problem: Problem) {
        let code = Code::of(problem.code);
        // Names of metrics have dots.
        let path = match problem.path.strip_prefix("thresholds.") {
            Some(metric) => top("thresholds").key(metric),
            None => Path::default().dotted(&problem.path),
        };
        if code == Code::BadName && path.0.len() == 2 {
            return; // A group's name, of which `group_names` demands more.
        }
        let place = self.narrowed(code, &path, &problem.message);
        let mut diagnostic = Diagnostic::new(code, sentence(&path, &problem.message)).help_if(problem.help);
        if code == Code::WindowBeyondRun {
            diagnostic = diagnostic.related(self.tree.locate(&top("duration")), "the run's duration");
        }
        if matches!(code, Code::DuplicateName | Code::DuplicateCheck | Code::BadPartition)
            && let Some(first) = self.first(code, &path, &problem.message)
        {
            diagnostic = diagnostic.related(first, "first here");
        }
        diagnostic = self.advised(code, named(&problem.message).unwrap_or_default(), diagnostic);
        if code == Code::MetricWithoutSource && path.0.first() == top("thresholds").0.first() {
            self.say_at_key(&place, diagnostic);
        } else {
            self.say(&place, diagnostic);
        }
    }

    /// The diagnostic with what to write instead, where that can be told from all that the scenario has.
    fn advised(&self, code: Code, name: &str, diagnostic: Diagnostic) -> Diagnostic {
        let meant = |known: &[&str]| {
            nearest(name, known.iter().copied()).map(|name| format!("did you mean `{name}`?"))
        };
        match code {
            Code::UnknownGroup => {
                let groups: Vec<_> = self.scenario.peers.keys().map(String::as_str).collect();
                diagnostic
                    .label("no group has this name")
                    .note(format!("groups here: {}", listed(groups.iter().copied(), "and")))
                    .help_instead(meant(&groups))
            }
            Code::UnknownCheck => {
                let checks: Vec<_> = judge::NAMES.iter().map(|(name, _)| *name).collect();
                let here = diagnostic.help.clone();
                diagnostic.note_all(here).help_instead(meant(&checks))
            }
            Code::WrongCheckKind | Code::DuplicateCheck => diagnostic.help_instead(None),
            Code::ValueTooLarge => diagnostic.help("raise `max_record_size` of those nodes, or store less"),
            Code::MetricWithoutSource => match types::metric::find(name) {
                Some(metric) => diagnostic.note(format!("`{name}` is the {}", metric.about)),
                None => diagnostic,
            },
            _ => diagnostic,
        }
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
            _ => self.tree.deepest(path),
        }
    }

    /// Where the name in `message` stands for the first time, if that is another place than `path`.
    fn first(&self, code: Code, path: &Path, message: &str) -> Option<Span> {
        let name = named(message)?;
        if code == Code::DuplicateCheck {
            let list = Path(path.0.iter().take(path.0.len() - 1).cloned().collect());
            let first = *self.tree.items(&list, name).first()?;
            return Some(self.tree.locate(&list.index(first)));
        }
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
                let place = self.tree.longest(&top("peers").key(name.as_str()).key("node"), &problem.path);
                self.say(&place, Diagnostic::new(Code::BadConfig, of_node(&problem)));
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
}

/// What is wrong with a node's configuration, as a sentence.
pub(crate) fn of_node(problem: &config::Problem) -> String {
    let keys = problem.path.rsplit('.').collect::<Vec<_>>();
    match keys.as_slice() {
        [index, key, ..] if index.parse::<usize>().is_ok() => {
            format!("an item of `{key}` {}", problem.message)
        }
        [key, ..] => format!("`{key}` {}", problem.message),
        [] => problem.message.clone(),
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
        "is" | "must" | "selects" | "loses" | "doubles" | "holds" | "moves" | "makes" | "needs" | "names" => {
            key(0)
        }
        _ => None,
    };
    subject.map_or_else(|| message.to_owned(), |subject| format!("{subject} {message}"))
}

/// The first name that a message quotes.
fn named(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}
