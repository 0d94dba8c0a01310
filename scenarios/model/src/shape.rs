//! Shape: does the tree have the keys and kinds of values that the grammar expects?
//!
//! The walk follows the grammar and collects everything that is wrong; what it returns is the
//! document as plain data, in which each value has the type that its key expects (a number under a
//! text's key is text). It is complete only if nothing was wrong.
//!
//! It recurses with the grammar, within a tree that is at most [`crate::tree::MAX_DEPTH`] deep.

mod mistakes;

pub(crate) use mistakes::described;

use serde_json::{Map, Value};
use types::quantity::ParseError;

use crate::diagnostic::{Code, Diagnostic, Problems, grouped, quoted};
use crate::grammar::{Choice, Form, Grammar, Subject};
use crate::source::Span;
use crate::suggest::nearest;
use crate::tree::{Content, Entry, NodeId, Path, Scalar, Style, Tree};
use mistakes::{kind_expected, kind_of, quantity};

/// Checks the whole of `tree` against `grammar`.
pub(crate) fn check(grammar: &Grammar, tree: &Tree, problems: &mut Problems) -> Value {
    let mut walk = Walk { grammar, tree, problems };
    let place = Place { node: tree.root(), key: None, path: Path::default() };
    walk.value(grammar.root(), &place)
}

struct Walk<'a> {
    grammar: &'a Grammar,
    tree: &'a Tree,
    problems: &'a mut Problems,
}

/// What a map may hold.
struct Keys<'a, 'k> {
    known: &'k [(&'a str, &'a Value)],
    required: &'k [&'a str],
    others: Option<&'a Value>,
    later: &'k [&'a str],
}

/// A value and how it is reached.
struct Place {
    node: NodeId,
    key: Option<(String, Span)>,
    path: Path,
}

impl<'a> Walk<'a> {
    /// What to call the value in a message.
    fn name(&self, place: &Place) -> String {
        match &place.key {
            Some((key, _)) => quoted(key),
            None if place.path.0.is_empty() => self.grammar.subject().name().to_owned(),
            None => "this item".to_owned(),
        }
    }

    fn value(&mut self, schema: &'a Value, place: &Place) -> Value {
        let expected = self.grammar.expected(schema);
        let content = &self.tree.node(place.node).content;
        if let Content::Scalar(scalar) = content
            && scalar.is_null()
        {
            if self.may_be_blank(&expected.form) {
                return Value::Object(Map::new());
            }
            if !expected.nullable {
                self.missing_value(&expected, place);
            }
            return Value::Null;
        }
        match (&expected.form, content) {
            (Form::Map { keys, required, others }, Content::Map(entries)) => {
                let lists = Keys { known: keys, required, others: *others, later: &expected.later };
                self.map(&lists, entries, place, expected.about)
            }
            (Form::List { items, least }, Content::List(nodes)) => {
                if (nodes.len() as u64) < *least {
                    self.missing_value(&expected, place);
                }
                let each = nodes.iter().enumerate().map(|(index, node)| {
                    self.value(items, &Place { node: *node, key: None, path: place.path.index(index) })
                });
                Value::Array(each.collect())
            }
            (Form::Text { format }, Content::Scalar(scalar)) => self.text(*format, scalar, place),
            (Form::Integer { least, most }, Content::Scalar(scalar)) => {
                self.integer(*least, *most, scalar, place)
            }
            (Form::Number { least, most }, Content::Scalar(scalar)) => {
                self.number(*least, *most, scalar, place)
            }
            (Form::Truth, Content::Scalar(scalar)) => self.truth(scalar, place),
            (Form::Choice(choices), Content::Scalar(_) | Content::Map(_)) => {
                self.choice(choices, content, place)
            }
            (Form::Either(schemas), _) => self.either(schemas, place),
            (Form::Anything, _) => self.anything(place),
            (form, _) => {
                self.wrong_kind(form, expected.type_about, place);
                Value::Null
            }
        }
    }

    /// Whether a section without a value has its defaults.
    fn may_be_blank(&self, form: &Form<'_>) -> bool {
        self.grammar.subject() == Subject::Node
            && matches!(form, Form::Map { required, .. } if required.is_empty())
    }

    fn map(&mut self, keys: &Keys<'a, '_>, entries: &[Entry], place: &Place, about: Option<&str>) -> Value {
        let mut map = Map::new();
        let mut unknown = Vec::new();
        for entry in entries {
            let known = keys.known.iter().find(|(key, _)| *key == entry.key);
            let schema = known.map(|(_, schema)| *schema).or(keys.others);
            match schema {
                Some(schema) => {
                    let value = self.value(schema, &entry_place(entry, place));
                    map.insert(entry.key.clone(), value);
                }
                None => unknown.push(entry),
            }
        }
        let missing: Vec<_> =
            keys.required.iter().filter(|key| !entries.iter().any(|entry| entry.key == **key)).collect();
        let mut meant = Vec::new();
        for entry in unknown {
            if self.problems.is_full() {
                self.problems.count();
                continue;
            }
            if keys.later.contains(&entry.key.as_str()) {
                self.not_yet(&entry.key, entry.key_span, &place.path.key(entry.key.as_str()));
                continue;
            }
            let suggestion = nearest(&entry.key, keys.known.iter().map(|(key, _)| *key));
            meant.extend(suggestion);
            let taken = suggestion.is_some_and(|key| map.contains_key(key));
            self.unknown_key(entry, keys.known, suggestion.map(|key| (key, taken)), place);
        }
        // A missing key that a misspelt one stands for is one mistake, not two.
        for key in missing.into_iter().filter(|key| !meant.contains(*key)) {
            self.missing_key(key, keys.known, place, about);
        }
        Value::Object(map)
    }

    fn choice(&mut self, choices: &[Choice<'a>], content: &Content, place: &Place) -> Value {
        let (name, name_span, settings) = match content {
            Content::Scalar(scalar) => (scalar.text.as_str(), self.tree.node(place.node).span, None),
            Content::Map(entries) => match entries.as_slice() {
                [only] => (only.key.as_str(), only.key_span, Some(only)),
                [] => {
                    self.missing_choice(choices, place);
                    return Value::Null;
                }
                [first, rest @ ..] => {
                    self.several_choices(choices, first, rest, place);
                    return Value::Null;
                }
            },
            Content::List(_) => return Value::Null,
        };
        let Some(choice) = choices.iter().find(|choice| choice.name == name) else {
            self.unknown_choice(choices, name, name_span, place);
            return Value::Null;
        };
        match (choice.settings, settings) {
            (None, None) => Value::String(name.to_owned()),
            (Some(_), None) if choice.word => {
                Value::Object(Map::from_iter([(name.to_owned(), Value::Object(Map::new()))]))
            }
            (Some(schema), Some(entry)) => {
                let value = self.value(schema, &entry_place(entry, place));
                Value::Object(Map::from_iter([(name.to_owned(), value)]))
            }
            (Some(schema), None) => {
                let needs = self.example(schema);
                self.problems.add(
                    Diagnostic::new(Code::MissingValue, format!("{} needs to be told more", quoted(name)))
                        .at(name_span)
                        .path(place.path.to_string())
                        .label("its settings are missing")
                        .help(format!("write `{name}: {needs}`")),
                );
                Value::Null
            }
            (None, Some(entry)) => {
                self.problems.add(
                    Diagnostic::new(
                        Code::WrongType,
                        format!("{} is a bare word and has no settings", quoted(name)),
                    )
                    .at(entry.key_span)
                    .path(place.path.to_string())
                    .help(format!("write just `{name}`")),
                );
                Value::Null
            }
        }
    }

    fn either(&mut self, schemas: &[&'a Value], place: &Place) -> Value {
        let mut refused = Vec::new();
        for schema in schemas {
            let mut attempt = Problems::default();
            let mut walk = Walk { grammar: self.grammar, tree: self.tree, problems: &mut attempt };
            let value = walk.value(schema, place);
            if attempt.is_empty() {
                return value;
            }
            refused.push((schema, attempt));
        }
        // What begins with a digit was meant as a quantity, and its mistake says more than that it is no word.
        if let Content::Scalar(scalar) = &self.tree.node(place.node).content
            && scalar.text.starts_with(|first: char| first.is_ascii_digit())
            && let Some((_, attempt)) = refused.iter().find(|(schema, _)| {
                matches!(self.grammar.expected(schema).form, Form::Text { format: Some(_) })
            })
        {
            self.problems.extend(attempt.clone());
            return Value::Null;
        }
        // The forms of the kind that was written say best what is wrong; if it is none or several, all are named.
        let kind = kind_of(&self.tree.node(place.node).content);
        let mut same_kind =
            refused.iter().filter(|(schema, _)| kind_expected(&self.grammar.expected(schema).form) == kind);
        match (same_kind.next(), same_kind.next()) {
            (Some((_, attempt)), None) => self.problems.extend(attempt.clone()),
            _ => {
                let forms: Vec<_> =
                    schemas.iter().map(|schema| described(&self.grammar.expected(schema).form)).collect();
                let diagnostic = self.expected_instead(&forms.join(" or "), place);
                self.add(diagnostic, place);
            }
        }
        Value::Null
    }

    /// A value that the grammar says nothing about, as YAML reads it.
    fn anything(&mut self, place: &Place) -> Value {
        match &self.tree.node(place.node).content {
            Content::Scalar(scalar) => loose(scalar),
            Content::List(items) => {
                let each = items.iter().enumerate().map(|(index, node)| {
                    self.anything(&Place { node: *node, key: None, path: place.path.index(index) })
                });
                Value::Array(each.collect())
            }
            Content::Map(entries) => {
                let each = entries
                    .iter()
                    .map(|entry| (entry.key.clone(), self.anything(&entry_place(entry, place))));
                Value::Object(each.collect())
            }
        }
    }

    fn text(&mut self, format: Option<&str>, scalar: &Scalar, place: &Place) -> Value {
        let parsed = match format {
            Some("duration") => scalar.text.parse::<types::Duration>().err(),
            Some("size") => scalar.text.parse::<types::Size>().err(),
            Some("share") => scalar.text.parse::<types::Share>().err(),
            Some("rate") => scalar.text.parse::<types::Rate>().err(),
            Some("bandwidth") => scalar.text.parse::<types::Bandwidth>().err(),
            _ => None,
        };
        if let Some(error) = parsed {
            let diagnostic = match error {
                ParseError::OverLimit { limit } => {
                    self.outside(place, &scalar.text).label(format!("must be at most {limit}"))
                }
                error => quantity(&error, &scalar.text, format.unwrap_or_default()),
            };
            self.add(diagnostic, place);
        }
        Value::String(scalar.text.clone())
    }

    fn integer(&mut self, least: i128, most: i128, scalar: &Scalar, place: &Place) -> Value {
        let number = scalar.text.parse::<i128>().ok().filter(|_| scalar.style == Style::Plain);
        let Some(number) = number else {
            self.wrong_type(&Form::Integer { least, most }, place);
            return Value::Null;
        };
        if !(least..=most).contains(&number) {
            let range = if least == most {
                grouped(least)
            } else {
                format!("from {} to {}", grouped(least), grouped(most))
            };
            self.out_of_range(&scalar.text, &range, place);
            return Value::Null;
        }
        u64::try_from(number)
            .map(Value::from)
            .or_else(|_| i64::try_from(number).map(Value::from))
            .unwrap_or_default()
    }

    fn number(&mut self, least: Option<f64>, most: Option<f64>, scalar: &Scalar, place: &Place) -> Value {
        let Some(number) = decimal(scalar) else {
            self.wrong_type(&Form::Number { least, most }, place);
            return Value::Null;
        };
        if least.is_some_and(|least| number < least) || most.is_some_and(|most| number > most) {
            let range = match (least, most) {
                (Some(least), Some(most)) => format!("from {least} to {most}"),
                (Some(least), None) => format!("at least {least}"),
                (None, most) => format!("at most {}", most.unwrap_or(f64::MAX)),
            };
            self.out_of_range(&scalar.text, &range, place);
        }
        Value::from(number)
    }

    fn truth(&mut self, scalar: &Scalar, place: &Place) -> Value {
        match (scalar.style, scalar.text.as_str()) {
            (Style::Plain, "true") => Value::Bool(true),
            (Style::Plain, "false") => Value::Bool(false),
            _ => {
                self.wrong_type(&Form::Truth, place);
                Value::Null
            }
        }
    }
}

fn entry_place(entry: &Entry, parent: &Place) -> Place {
    Place {
        node: entry.value,
        key: Some((entry.key.clone(), entry.key_span)),
        path: parent.path.key(entry.key.as_str()),
    }
}

/// A scalar as YAML's core schema reads it.
fn loose(scalar: &Scalar) -> Value {
    if scalar.is_null() {
        return Value::Null;
    }
    let text = scalar.text.as_str();
    match (scalar.style, text) {
        (Style::Plain, "true") => Value::Bool(true),
        (Style::Plain, "false") => Value::Bool(false),
        (Style::Plain, _) => match (text.parse::<i64>(), decimal_text(text)) {
            (Ok(whole), _) => Value::from(whole),
            (_, Some(number)) => Value::from(number),
            _ => Value::String(text.to_owned()),
        },
        (Style::Quoted, _) => Value::String(text.to_owned()),
    }
}

fn decimal(scalar: &Scalar) -> Option<f64> {
    decimal_text(&scalar.text).filter(|_| scalar.style == Style::Plain)
}

/// A finite number in digits; Rust's `inf` and `nan` are words here.
fn decimal_text(text: &str) -> Option<f64> {
    let begins =
        text.trim_start_matches(['-', '+']).starts_with(|char: char| char.is_ascii_digit() || char == '.');
    text.parse::<f64>().ok().filter(|number| begins && number.is_finite())
}
