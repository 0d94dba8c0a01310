//! What a code or a key means, from the tables by which scenarios are checked.

mod lesson;

use serde::Serialize;
use serde_json::Value;

use crate::diagnostic::Code;
use crate::grammar::{Form, Grammar};
use crate::scenario::Scenario;
use crate::shape::described;
use crate::suggest::nearest;

pub use lesson::Lesson;

/// Keys below keys that are visited: the grammar is half as deep.
const MAX_DEPTH: usize = 24;
/// Stands for the number of an item, or for a name of the user's own.
const ANY: &str = "*";

/// What a word means.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Explanation {
    /// It is the code of a mistake.
    Code {
        /// The whole code, as it stands with the mistake.
        code: String,
        /// What it says.
        about: &'static str,
        /// Why, and how it looks wrong and right.
        lesson: Lesson,
    },
    /// It is a key, in these places.
    Keys(Vec<Key>),
}

/// A key at a place of the grammar.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Key {
    /// The path, as `--set` takes it; `*` stands for the number of an item, or for a name of the user's own.
    pub path: String,
    /// What its value is, as `a duration`.
    pub expects: String,
    /// What it does.
    pub about: String,
    /// Whether it must be there.
    pub required: bool,
    /// What it is if it is left out, where that is one value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// The keys, or choices, below it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub below: Vec<String>,
}

/// Explains a code (`unknown_key`, with its prefix or without) or a key: its whole path (`network.uniform.latency`) or the end
/// of it (`latency`).
///
/// # Errors
/// If it is neither: with the nearest that is, if one is near.
pub fn explain(word: &str) -> Result<Explanation, Option<String>> {
    let text = word.rsplit("::").next().unwrap_or(word);
    if let Some(code) = Code::ALL.iter().find(|code| code.text() == text) {
        return Ok(Explanation::Code {
            code: code.to_string(),
            about: code.about(),
            lesson: lesson::of(*code),
        });
    }
    let grammar = Grammar::of::<Scenario>();
    let mut keys = Vec::new();
    visit(&grammar, grammar.root(), &mut Vec::new(), &mut keys);
    let wanted: Vec<&str> = word.split('.').collect();
    let found: Vec<Key> = keys.iter().filter(|key| ends_with(&key.path, &wanted)).cloned().collect();
    if !found.is_empty() {
        return Ok(Explanation::Keys(found));
    }
    let ends = keys.iter().filter_map(|key| key.path.rsplit('.').next());
    Err(nearest(word, ends.chain(Code::ALL.iter().map(|code| code.text()))).map(str::to_owned))
}

/// Whether the last parts of a path are these; any part stands where the path has a star.
fn ends_with(path: &str, wanted: &[&str]) -> bool {
    let parts: Vec<&str> = path.split('.').collect();
    let Some(skipped) = parts.len().checked_sub(wanted.len()) else { return false };
    let last = wanted.last().is_some_and(|last| parts.last() == Some(last));
    last && parts.iter().skip(skipped).zip(wanted).all(|(part, wanted)| part == wanted || *part == ANY)
}

fn visit<'s>(grammar: &'s Grammar, schema: &'s Value, path: &mut Vec<&'s str>, keys: &mut Vec<Key>) {
    if path.len() >= MAX_DEPTH {
        return;
    }
    let below =
        |name: &'s str, schema: &'s Value, required: bool, path: &mut Vec<&'s str>, keys: &mut Vec<Key>| {
            path.push(name);
            if name != ANY {
                keys.push(key(grammar, schema, required, path));
            }
            visit(grammar, schema, path, keys);
            path.pop();
        };
    match grammar.expected(schema).form {
        Form::Map { keys: named, required, others } => {
            for (name, schema) in named {
                below(name, schema, required.contains(&name), path, keys);
            }
            if let Some(schema) = others {
                below(ANY, schema, false, path, keys);
            }
        }
        Form::List { items, .. } => below(ANY, items, false, path, keys),
        Form::Choice(choices) => {
            for choice in choices {
                if let Some(settings) = choice.settings {
                    below(choice.name, settings, false, path, keys);
                }
            }
        }
        Form::Either(schemas) => {
            for schema in schemas {
                visit(grammar, schema, path, keys);
            }
        }
        Form::Text { .. } | Form::Integer { .. } | Form::Number { .. } | Form::Truth | Form::Anything => {}
    }
}

fn key(grammar: &Grammar, schema: &Value, required: bool, path: &[&str]) -> Key {
    let expected = grammar.expected(schema);
    let names = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    let below = match &expected.form {
        Form::Map { keys, .. } => names(keys.iter().map(|(name, _)| *name).collect()),
        _ => Vec::new(),
    };
    let default = schema.get("default").filter(|default| !default.is_null() && !default.is_object());
    Key {
        path: path.join("."),
        expects: match &expected.form {
            Form::Integer { least, most } => format!("a whole number from {least} to {most}"),
            Form::Either(forms) => {
                let forms: Vec<_> =
                    forms.iter().map(|form| described(&grammar.expected(form).form)).collect();
                forms.join(" or ")
            }
            form => described(form),
        },
        about: expected.about.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "),
        required,
        default: default.map(|default| default.as_str().map_or_else(|| default.to_string(), str::to_owned)),
        below,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(word: &str) -> Vec<Key> {
        match explain(word) {
            Ok(Explanation::Keys(keys)) => keys,
            other => panic!("{word}: {other:?}"),
        }
    }

    #[test]
    fn a_key_is_found_by_its_path_or_the_end_of_it() {
        let paths = |word| keys(word).into_iter().map(|key| key.path).collect::<Vec<_>>();
        assert_eq!(paths("network.uniform.loss"), ["network.uniform.loss"]);
        assert!(paths("loss").len() > 2, "{:?}", paths("loss"));
        assert_eq!(paths("peers.edge.count"), ["peers.*.count"]);
        assert_eq!(paths("faults.0.churn.session").len(), 1);
    }

    #[test]
    fn every_code_and_every_key_is_explained() {
        for code in Code::ALL {
            assert!(matches!(explain(code.text()), Ok(Explanation::Code { .. })), "{code}");
            assert!(matches!(explain(&code.to_string()), Ok(Explanation::Code { .. })), "{code}");
        }
        let grammar = Grammar::of::<Scenario>();
        let mut all = Vec::new();
        visit(&grammar, grammar.root(), &mut Vec::new(), &mut all);
        assert!(all.len() > 80, "{}", all.len());
        for key in all {
            assert!(!key.about.is_empty(), "{} has a docstring", key.path);
            assert!(!key.expects.is_empty(), "{}", key.path);
        }
    }

    #[test]
    fn what_is_misspelt_is_guessed() {
        assert_eq!(explain("latencyy"), Err(Some("latency".to_owned())));
        assert_eq!(explain("xylophone"), Err(None));
    }
}
