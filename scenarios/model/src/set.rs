//! `--set PATH=VALUE`: changes to a scenario before it is checked.
//!
//! A path is the keys that lead to a value, joined by dots, with numbers for the items of a list:
//! `faults.0.churn.session.weibull.scale`. It must exist in the grammar, not in the file: what the file
//! leaves out is added. The value is YAML, in a source of its own, so that the checks that follow
//! point at the command line where it is wrong.
//!
//! Nodes on the way are copied, not changed: an alias shares them with other places.

use crate::diagnostic::{Code, Diagnostic, Problems, grouped, listed, quoted};
use crate::grammar::{Form, Grammar};
use crate::source::{Source, Span};
use crate::suggest::nearest;
use crate::tree::{self, Arena, Content, Entry, MAX_DEPTH, NodeId, Overflow, Path, Tree};

/// A value for a key, from elsewhere than the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Where it was said, as messages name it: `--set`, `WAVETANK_HTTP`.
    pub origin: String,
    /// The key's path.
    pub path: String,
    /// The value, in YAML.
    pub value: String,
}

impl Setting {
    /// What `--set` takes.
    pub(crate) fn typed((path, value): &(String, String)) -> Self {
        Self { origin: "--set".to_owned(), path: path.clone(), value: value.clone() }
    }
}

/// Applies `settings` in order. Each becomes a source, for the messages about it.
pub(crate) fn apply(
    grammar: &Grammar,
    tree: Tree,
    settings: &[Setting],
    sources: &mut Vec<Source>,
    problems: &mut Problems,
) -> Tree {
    let (mut arena, mut root) = Arena::reopen(tree);
    for Setting { origin, path, value } in settings {
        let number = u32::try_from(sources.len()).unwrap_or(u32::MAX);
        let text = format!("{path}={value}");
        match change(grammar, &mut arena, root, number, path, &text, problems) {
            Ok(Some(changed)) => root = changed,
            Ok(None) => {}
            Err(diagnostic) => problems.add(diagnostic),
        }
        sources.push(Source { name: origin.clone(), text });
    }
    arena.finish(root)
}

fn change(
    grammar: &Grammar,
    arena: &mut Arena,
    root: NodeId,
    source: u32,
    path: &str,
    text: &str,
    problems: &mut Problems,
) -> Result<Option<NodeId>, Diagnostic> {
    let whole = Span::new(source, 0, path.len());
    let parts = split(source, path);
    if parts.len() > MAX_DEPTH {
        return Err(unknown(whole, path, format!("a path has at most {MAX_DEPTH} parts")));
    }
    if let Some((_, span)) = parts.iter().find(|(part, _)| part.is_empty()) {
        return Err(unknown(*span, path, "a path has no empty parts".to_owned())
            .help("write `--set PATH=VALUE`, as in `--set peers.edge.count=50`"));
    }
    let steps = resolve(grammar, arena, root, path, &parts)?;
    if text.len() == path.len() + 1 {
        return Err(Diagnostic::new(Code::BadSet, format!("{} is set to nothing", quoted(path)))
            .at(whole)
            .path(path)
            .help("write `--set PATH=VALUE`"));
    }
    let Some(value) = tree::read_into(arena, source, text, path.len() + 1, problems) else {
        return Ok(None);
    };
    let too_large = |_: Overflow| {
        Diagnostic::new(Code::TooManyNodes, "this makes the whole too large or too deep").at(whole).path(path)
    };
    let mut changed = value;
    for step in steps.into_iter().rev() {
        changed = step.put(arena, changed).map_err(too_large)?;
    }
    Ok(Some(changed))
}

/// The parts of a path and where they stand.
fn split(source: u32, path: &str) -> Vec<(&str, Span)> {
    let mut at = 0;
    let place = |part: &str| {
        let span = Span::new(source, at, at + part.len());
        at += part.len() + 1;
        span
    };
    path.split('.').zip(path.split('.').map(place)).collect()
}

/// One level on the way: what stands there, and which part of it goes on.
struct Step {
    node: Option<NodeId>,
    place: Place,
    span: Span,
}

enum Place {
    Key(String),
    Index(usize),
}

impl Step {
    /// This level with `child` in its place.
    fn put(self, arena: &mut Arena, child: NodeId) -> Result<NodeId, Overflow> {
        let node = self.node.and_then(|id| arena.get(id));
        let span = node.map_or(self.span, |node| node.span);
        let content = match (self.place, node.map(|node| &node.content)) {
            (Place::Index(index), Some(Content::List(items))) => {
                let mut items = items.clone();
                if let Some(item) = items.get_mut(index) {
                    *item = child;
                }
                Content::List(items)
            }
            (Place::Index(_), _) => Content::List(vec![child]),
            (Place::Key(key), content) => {
                let mut entries = match content {
                    Some(Content::Map(entries)) => entries.clone(),
                    _ => Vec::new(),
                };
                match entries.iter_mut().find(|entry| entry.key == key) {
                    Some(entry) => (entry.value, entry.key_span) = (child, self.span),
                    None => entries.push(Entry { key, key_span: self.span, value: child }),
                }
                Content::Map(entries)
            }
        };
        arena.push(span, content)
    }
}

/// The way along the grammar, and along the tree as far as it goes.
fn resolve(
    grammar: &Grammar,
    arena: &Arena,
    root: NodeId,
    path: &str,
    parts: &[(&str, Span)],
) -> Result<Vec<Step>, Diagnostic> {
    let mut schema = grammar.root();
    let mut node = Some(root);
    let mut steps: Vec<Step> = Vec::new();
    let mut rest = parts;
    while let [(part, span), ..] = rest {
        let content = node.and_then(|id| arena.get(id)).map(|node| &node.content);
        let expected = grammar.expected(schema);
        let (place, used, next) = match expected.form {
            Form::Map { keys, others, .. } => {
                let known = |name: &str| keys.iter().find(|(key, _)| *key == name).map(|(_, schema)| *schema);
                let written = |name: &str| {
                    others.filter(|_| content.is_some_and(|content| content.get(name).is_some()))
                };
                // Names of metrics have dots: the longest key that exists is meant.
                let longest = (1..=rest.len()).rev().find_map(|used| {
                    let name = joined(rest, used);
                    let schema = known(&name).or_else(|| written(&name))?;
                    Some((name, used, schema))
                });
                match (longest, others) {
                    (Some((name, used, schema)), _) => (Place::Key(name), used, schema),
                    // A path that goes on needs something to go on from: `peers.egde.count` is a slip, not a group.
                    (None, Some(schema)) if rest.len() > 1 && has_parts(grammar, schema) => {
                        let written = content.map_or(&[][..], |content| content.entries());
                        return Err(not_written(*span, path, part, written));
                    }
                    (None, Some(schema)) => (Place::Key(joined(rest, rest.len())), rest.len(), schema),
                    (None, None) => return Err(no_key(*span, path, part, keys.iter().map(|(key, _)| *key))),
                }
            }
            Form::List { items, .. } => {
                let count = match content {
                    Some(Content::List(items)) => items.len(),
                    _ => 0,
                };
                match part.parse::<usize>() {
                    Ok(index) if index < count => (Place::Index(index), 1, items),
                    _ => return Err(no_item(*span, path, part, count)),
                }
            }
            Form::Choice(choices) => {
                let choice = choices.iter().find(|choice| choice.name == *part);
                let Some(settings) = choice.and_then(|choice| choice.settings) else {
                    let with_settings =
                        choices.iter().filter(|choice| choice.settings.is_some()).map(|choice| choice.name);
                    return Err(no_key(*span, path, part, with_settings));
                };
                if let Some(Content::Map(entries)) = content
                    && let Some(other) = entries.iter().find(|entry| entry.key != *part)
                {
                    return Err(other_choice(*span, path, part, other));
                }
                (Place::Key((*part).to_owned()), 1, settings)
            }
            Form::Either(schemas) => {
                // The form that can be entered, if there is one.
                let enterable = schemas.into_iter().find(|schema| {
                    matches!(
                        grammar.expected(schema).form,
                        Form::Map { .. } | Form::List { .. } | Form::Choice(_)
                    )
                });
                match enterable {
                    Some(entered) => {
                        schema = entered;
                        continue;
                    }
                    None => return Err(no_parts(*span, path, part)),
                }
            }
            _ => return Err(no_parts(*span, path, part)),
        };
        let child = content.and_then(|content| match (&place, content) {
            (Place::Key(key), content) => content.get(key).map(|entry| entry.value),
            (Place::Index(index), Content::List(items)) => items.get(*index).copied(),
            (Place::Index(_), _) => None,
        });
        let end = rest.get(used - 1).map_or(span.end, |(_, last)| last.end);
        steps.push(Step { node, place, span: Span { end, ..*span } });
        (node, schema) = (child, next);
        rest = rest.get(used..).unwrap_or_default();
    }
    Ok(steps)
}

fn joined(parts: &[(&str, Span)], used: usize) -> String {
    parts.iter().take(used).map(|(part, _)| *part).collect::<Vec<_>>().join(".")
}

fn unknown(span: Span, path: &str, message: String) -> Diagnostic {
    Diagnostic::new(Code::UnknownPath, message).at(span).path(Path::default().dotted(path).to_string())
}

fn no_key<'k>(
    span: Span,
    path: &str,
    part: &str,
    known: impl Iterator<Item = &'k str> + Clone,
) -> Diagnostic {
    let diagnostic = unknown(span, path, format!("the grammar has no {} here", quoted(part)));
    let suggestion = nearest(part, known.clone()).map(|key| format!("did you mean `{key}`?"));
    let known = listed(known, "and");
    if known.is_empty() {
        return no_parts(span, path, part);
    }
    diagnostic.note(format!("keys here: {known}")).help_if(suggestion)
}

fn has_parts(grammar: &Grammar, schema: &serde_json::Value) -> bool {
    matches!(grammar.expected(schema).form, Form::Map { .. } | Form::Choice(_))
}

fn not_written(span: Span, path: &str, part: &str, written: &[Entry]) -> Diagnostic {
    let keys = || written.iter().map(|entry| entry.key.as_str());
    let diagnostic = unknown(span, path, format!("the scenario has no {} here", quoted(part)));
    let suggestion = nearest(part, keys()).map(|key| format!("did you mean `{key}`?"));
    let there = listed(keys(), "and");
    if there.is_empty() { diagnostic } else { diagnostic.note(format!("here: {there}")).help_if(suggestion) }
}

fn no_item(span: Span, path: &str, part: &str, count: usize) -> Diagnostic {
    let there = match count {
        0 => "the list is empty".to_owned(),
        1 => "the list has one item, 0".to_owned(),
        count => format!("the list has the items 0 to {}", grouped(count as i128 - 1)),
    };
    unknown(span, path, format!("{} is no item of this list", quoted(part))).label(there)
}

fn no_parts(span: Span, path: &str, part: &str) -> Diagnostic {
    unknown(span, path, format!("the value before {} is a single one and has no parts", quoted(part)))
        .help("end the path before it")
}

fn other_choice(span: Span, path: &str, part: &str, other: &Entry) -> Diagnostic {
    let (chosen, key) = (quoted(&other.key), quoted(part));
    Diagnostic::new(
        Code::BadSet,
        format!("the scenario chooses {chosen} here, and {key} would be a second choice"),
    )
    .at(span)
    .path(Path::default().dotted(path).to_string())
    .related(other.key_span, "chosen here")
    .help("set the whole choice, as in `--set 'PATH={CHOICE: {…}}'`")
}
