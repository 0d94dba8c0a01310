//! What codes teach, from a file of their own: prose and examples are data.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Code, Problems};
use crate::grammar::Grammar;
use crate::{shape, tree};

/// What someone who meets a mistake for the first time may want to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// Why it is a mistake, and what to do.
    pub why: String,
    /// Lines of a scenario that earn the code; empty where no few lines show it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub wrong: String,
    /// The same lines as they should be.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub right: String,
}

/// The lessons, read by the reader of scenarios.
static LESSONS: LazyLock<BTreeMap<String, Lesson>> = LazyLock::new(|| {
    let mut problems = Problems::default();
    let read = tree::read(0, include_str!("lessons.yaml"), &mut problems)
        .map(|tree| shape::check(&Grammar::of::<BTreeMap<String, Lesson>>(), &tree, &mut problems))
        .and_then(|lessons| serde_json::from_value(lessons).ok());
    assert!(problems.is_empty(), "the lessons can be read");
    read.unwrap_or_default()
});

/// What `code` teaches.
///
/// # Panics
/// If it teaches nothing, which a test excludes.
#[expect(clippy::expect_used, reason = "every code has its lesson; a test asks for each")]
pub(super) fn of(code: Code) -> Lesson {
    LESSONS.get(code.text()).expect("every code has a lesson").clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::parse;

    /// A valid scenario, one top-level key a line.
    const BASE: [&str; 6] = [
        "version: 1",
        "name: example",
        "duration: 10m",
        "network: {uniform: {latency: {one_way: 40ms}}}",
        "peers: {edge: {count: 20}}",
        "workloads: [{lookups: {arrivals: {open: {rate: 5/s}}, target: random_key}}]",
    ];

    /// The base with these lines instead of its own of the same keys.
    fn with(lines: &str) -> String {
        let key = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
        let replaced: Vec<_> =
            lines.lines().filter(|line| !line.starts_with([' ', '?', ':'])).map(key).collect();
        let kept = BASE.iter().filter(|line| !replaced.contains(&key(line)));
        kept.map(|line| format!("{line}\n")).collect::<String>() + lines
    }

    #[test]
    fn every_code_teaches_and_no_lesson_is_left_over() {
        let codes: Vec<_> = Code::ALL.iter().map(|code| code.text()).collect();
        for code in Code::ALL {
            assert!(LESSONS.contains_key(code.text()), "{code} has no lesson");
        }
        assert!(LESSONS.keys().all(|code| codes.contains(&code.as_str())));
    }

    #[test]
    fn what_a_lesson_shows_is_wrong_and_right_as_it_says() {
        let shown = LESSONS.iter().filter(|(_, lesson)| !lesson.wrong.is_empty());
        assert!(shown.clone().count() > 40);
        for (code, lesson) in shown {
            let codes: Vec<_> = match parse("wrong", &with(&lesson.wrong), &[]) {
                Ok(loaded) => loaded.warnings.codes().collect(),
                Err(rejected) => rejected.codes().collect(),
            };
            assert!(codes.iter().any(|found| found.text() == code), "{code}: {codes:?}");
            if lesson.right.is_empty() {
                continue;
            }
            match parse("right", &with(&lesson.right), &[]) {
                Ok(loaded) => assert_eq!(
                    loaded.warnings.count(),
                    0,
                    "{code}: {}",
                    loaded.warnings.render(crate::Paint::Plain)
                ),
                Err(rejected) => panic!("{code}: {rejected}"),
            }
        }
    }
}
