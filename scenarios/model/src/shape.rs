//! Shape: does the tree have the keys and kinds of values that the grammar expects?
//!
//! The walk follows the grammar and collects everything that is wrong; what it returns is the
//! document as plain data, in which each value has the type that its key expects (a number under a
//! text's key is text). It is complete only if nothing was wrong.
//!
//! It recurses with the grammar, within a tree that is at most [`crate::tree::MAX_DEPTH`] deep.

use serde_json::{Map, Value};
use types::quantity::ParseError;

use crate::diagnostic::{Code, Diagnostic, Problems, grouped, listed, quoted};
use crate::grammar::{Choice, Expected, Form, Grammar};
use crate::source::Span;
use crate::suggest::nearest;
use crate::tree::{Content, Entry, NodeId, Path, Scalar, Style, Tree};

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

impl Place {
    /// What to call the value in a message.
    fn name(&self) -> String {
        match &self.key {
            Some((key, _)) => quoted(key),
            None if self.path.0.is_empty() => "the scenario".to_owned(),
            None => "this item".to_owned(),
        }
    }
}

impl<'a> Walk<'a> {
    fn value(&mut self, schema: &'a Value, place: &Place) -> Value {
        let expected = self.grammar.expected(schema);
        let content = &self.tree.node(place.node).content;
        if let Content::Scalar(scalar) = content
            && scalar.is_null()
        {
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
                self.choice(choices, &expected.later, content, place)
            }
            (Form::Either(schemas), _) => self.either(schemas, place),
            (Form::Anything, _) => self.anything(place),
            (form, _) => {
                self.wrong_kind(form, expected.type_about, place);
                Value::Null
            }
        }
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

    fn choice(&mut self, choices: &[Choice<'a>], later: &[&str], content: &Content, place: &Place) -> Value {
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
            if later.contains(&name) {
                self.not_yet(name, name_span, &place.path);
            } else {
                self.unknown_choice(choices, name, name_span, place);
            }
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
                    outside(place, &scalar.text).label(format!("must be at most {limit}"))
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

// What is said of each mistake.
impl Walk<'_> {
    fn add(&mut self, diagnostic: Diagnostic, place: &Place) {
        let span = self.tree.place(place.node, place.key.as_ref().map(|(_, span)| *span));
        self.problems.add(diagnostic.at(span).path(place.path.to_string()));
    }

    fn unknown_key(
        &mut self,
        entry: &Entry,
        keys: &[(&str, &Value)],
        suggestion: Option<(&str, bool)>,
        place: &Place,
    ) {
        let whole = match &place.key {
            Some((key, _)) => format!(" in {}", quoted(key)),
            None => String::new(),
        };
        let mut diagnostic =
            Diagnostic::new(Code::UnknownKey, format!("unknown key {}{whole}", quoted(&entry.key)))
                .at(entry.key_span)
                .path(place.path.key(entry.key.as_str()).to_string());
        if !keys.is_empty() {
            diagnostic =
                diagnostic.note(format!("keys here: {}", listed(keys.iter().map(|(key, _)| *key), "and")));
        }
        let help = match suggestion {
            Some((key, true)) => Some(format!("did you mean `{key}`, which stands here already?")),
            Some((key, false)) => Some(format!("did you mean `{key}`?")),
            None if entry.key == "<<" => Some("merge keys are not read; write the keys out".to_owned()),
            None => None,
        };
        self.problems.add(diagnostic.help_if(help));
    }

    fn not_yet(&mut self, name: &str, span: Span, path: &Path) {
        self.problems.add(
            Diagnostic::new(Code::NotYet, format!("{} is planned, and nothing serves it yet", quoted(name)))
                .at(span)
                .path(path.to_string())
                .help("leave it out"),
        );
    }

    fn missing_key(&mut self, key: &str, keys: &[(&str, &Value)], place: &Place, about: Option<&str>) {
        let schema = keys.iter().find(|(name, _)| *name == key).map(|(_, schema)| *schema);
        let example = schema.map_or_else(|| "…".to_owned(), |schema| self.example(schema));
        let key_about = schema.and_then(|schema| self.grammar.expected(schema).about).map(first_sentence);
        let help = format!(
            "add `{key}: {example}`{}",
            key_about.map_or_else(String::new, |about| format!(": {about}"))
        );
        let note = about
            .filter(|_| place.key.is_some())
            .map(|about| format!("{}: {}", place.name(), first_sentence(about)));
        let diagnostic =
            Diagnostic::new(Code::MissingKey, format!("{} lacks the key `{key}`", place.name())).help(help);
        self.add(diagnostic.note_all(note), place);
    }

    fn missing_value(&mut self, expected: &Expected<'_>, place: &Place) {
        let example = self.example_of(&expected.form);
        let help = match &place.key {
            Some((key, _)) => format!(
                "write `{}: {example}`, or remove the key to have its default if it has one",
                plain_key(key)
            ),
            None => format!("write {}", described(&expected.form)),
        };
        let diagnostic =
            Diagnostic::new(Code::MissingValue, format!("{} has no value", place.name())).help(help);
        self.add(diagnostic, place);
    }

    fn wrong_type(&mut self, form: &Form<'_>, place: &Place) {
        let diagnostic = self.expected_instead(&described(form), place);
        self.add(diagnostic, place);
    }

    /// A scalar where a collection belongs, or the reverse: what it is for says how to write it.
    fn wrong_kind(&mut self, form: &Form<'_>, about: Option<&str>, place: &Place) {
        let mut diagnostic = self.expected_instead(&described(form), place);
        if let Form::Map { keys, .. } = form
            && !keys.is_empty()
        {
            diagnostic =
                diagnostic.note(format!("keys here: {}", listed(keys.iter().map(|(key, _)| *key), "and")));
        }
        diagnostic = diagnostic.note_all(about.filter(|_| !place.path.0.is_empty()).map(one_line));
        let example = self.example_of(form);
        let help = place
            .key
            .as_ref()
            .filter(|_| example != "{…}")
            .map(|(key, _)| format!("write `{}: {example}`", plain_key(key)));
        self.add(diagnostic.help_if(help), place);
    }

    fn expected_instead(&self, expected: &str, place: &Place) -> Diagnostic {
        let content = &self.tree.node(place.node).content;
        let found = kind_of(content).text();
        let quoted_number = matches!(content, Content::Scalar(scalar) if scalar.style == Style::Quoted && decimal_text(&scalar.text).is_some());
        Diagnostic::new(Code::WrongType, format!("{} must be {expected}, and this is {found}", place.name()))
            .label(format!("expected {expected}"))
            .help_if((quoted_number && expected.contains("number")).then(|| "remove the quotes".to_owned()))
    }

    fn out_of_range(&mut self, written: &str, range: &str, place: &Place) {
        let diagnostic = Diagnostic::new(
            Code::OutOfRange,
            format!("{} is {}, outside its range", place.name(), quoted(written)),
        )
        .label(format!("must be {range}"));
        self.add(diagnostic, place);
    }

    fn unknown_choice(&mut self, choices: &[Choice<'_>], name: &str, span: Span, place: &Place) {
        let subject = place.key.as_ref().map_or_else(String::new, |(key, _)| format!(" for {}", quoted(key)));
        let suggestion = nearest(name, choices.iter().map(|choice| choice.name))
            .map(|name| format!("did you mean `{name}`?"));
        self.problems.add(
            Diagnostic::new(Code::UnknownChoice, format!("{} is no choice{subject}", quoted(name)))
                .at(span)
                .path(place.path.to_string())
                .note(format!("choices: {}", listed(choices.iter().map(|choice| choice.name), "and")))
                .help_if(suggestion),
        );
    }

    fn missing_choice(&mut self, choices: &[Choice<'_>], place: &Place) {
        let diagnostic = Diagnostic::new(Code::MissingValue, format!("{} chooses nothing", place.name()))
            .note(format!("choices: {}", listed(choices.iter().map(|choice| choice.name), "and")));
        self.add(diagnostic, place);
    }

    fn several_choices(&mut self, choices: &[Choice<'_>], first: &Entry, rest: &[Entry], place: &Place) {
        let known = |entry: &&Entry| choices.iter().any(|choice| choice.name == entry.key);
        let all = || std::iter::once(first).chain(rest);
        let chosen: Vec<_> = all().filter(known).collect();
        let strays: Vec<_> = all().filter(|entry| !known(entry)).collect();
        if let ([only], [_, ..]) = (chosen.as_slice(), strays.as_slice()) {
            // Its settings stand beside it, for want of indentation.
            for stray in &strays {
                self.problems.add(
                    Diagnostic::new(
                        Code::SeveralChoices,
                        format!("{} stands beside {}", quoted(&stray.key), quoted(&only.key)),
                    )
                    .at(stray.key_span)
                    .path(place.path.key(stray.key.as_str()).to_string())
                    .related(only.key_span, "this is the choice")
                    .help(format!("if it belongs to {}, indent it below it", quoted(&only.key))),
                );
            }
            return;
        }
        let mut diagnostic = Diagnostic::new(
            Code::SeveralChoices,
            format!("{} must be exactly one of its choices", place.name()),
        )
        .at(first.key_span)
        .path(place.path.to_string())
        .note(format!("choices: {}", listed(choices.iter().map(|choice| choice.name), "and")))
        .help(if place.key.is_some() {
            "keep one of them"
        } else {
            "begin each with a dash of its own, as an item of the list"
        });
        for entry in rest.iter().take(MAX_RELATED) {
            diagnostic = diagnostic.related(entry.key_span, "and this");
        }
        self.problems.add(diagnostic);
    }

    /// How a value of this schema may be written, in a few characters.
    fn example(&self, schema: &Value) -> String {
        self.example_of(&self.grammar.expected(schema).form)
    }

    fn example_of(&self, form: &Form<'_>) -> String {
        match form {
            Form::Map { keys, required, others } => match (required.as_slice(), keys.is_empty(), others) {
                ([], true, _) => "{…: …}".to_owned(),
                ([], false, _) => "{…}".to_owned(),
                (required, ..) => format!(
                    "{{{}}}",
                    required.iter().map(|key| format!("{key}: …")).collect::<Vec<_>>().join(", ")
                ),
            },
            Form::List { .. } => "[…]".to_owned(),
            Form::Text { format } => match format {
                Some("duration") => "30s",
                Some("size") => "64 KiB",
                Some("share") => "10%",
                Some("rate") => "50/s",
                Some("bandwidth") => "20 Mbit/s",
                _ => "…",
            }
            .to_owned(),
            Form::Integer { least, .. } => (*least).max(1).to_string(),
            Form::Number { .. } => "0.5".to_owned(),
            Form::Truth => "true".to_owned(),
            Form::Choice(choices) => match choices.first() {
                Some(Choice { name, settings: None, .. }) => (*name).to_owned(),
                Some(Choice { name, .. }) => format!("{{{name}: …}}"),
                None => "…".to_owned(),
            },
            Form::Either(schemas) => schemas.first().map_or_else(String::new, |schema| self.example(schema)),
            Form::Anything => "…".to_owned(),
        }
    }
}

/// Places that one diagnostic points to beside its own.
const MAX_RELATED: usize = 3;

fn entry_place(entry: &Entry, parent: &Place) -> Place {
    Place {
        node: entry.value,
        key: Some((entry.key.clone(), entry.key_span)),
        path: parent.path.key(entry.key.as_str()),
    }
}

fn outside(place: &Place, written: &str) -> Diagnostic {
    Diagnostic::new(Code::OutOfRange, format!("{} is {}, outside its range", place.name(), quoted(written)))
}

/// What a quantity's parser has to say.
fn quantity(error: &ParseError, text: &str, format: &str) -> Diagnostic {
    let article = format!("is not a {format}");
    let (code, label, example) = match error {
        ParseError::NoNumber { example } => {
            (Code::NotAQuantity, "a number must come first".to_owned(), Some(example))
        }
        ParseError::NoUnit { example } => {
            (Code::MissingUnit, "the unit is missing".to_owned(), Some(example))
        }
        ParseError::UnknownUnit { unit, quantity, example } => {
            (Code::WrongUnit, format!("{} is no unit of a {quantity}", quoted(unit)), Some(example))
        }
        ParseError::Inexact => (Code::InexactQuantity, error.to_string(), None),
        ParseError::OverLimit { .. } => (Code::OutOfRange, error.to_string(), None),
    };
    Diagnostic::new(code, format!("{} {article}", quoted(text)))
        .label(label)
        .help_if(example.map(|example| format!("write {example}")))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    QuotedText,
    Number,
    Truth,
    Nothing,
    List,
    Map,
}

impl Kind {
    const fn text(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::QuotedText => "text in quotes",
            Self::Number => "a number",
            Self::Truth => "true or false",
            Self::Nothing => "nothing",
            Self::List => "a list",
            Self::Map => "a map",
        }
    }
}

fn kind_of(content: &Content) -> Kind {
    match content {
        Content::Map(_) => Kind::Map,
        Content::List(_) => Kind::List,
        Content::Scalar(scalar) => match loose(scalar) {
            Value::Null => Kind::Nothing,
            Value::Bool(_) => Kind::Truth,
            Value::Number(_) => Kind::Number,
            _ if scalar.style == Style::Quoted => Kind::QuotedText,
            _ => Kind::Text,
        },
    }
}

const fn kind_expected(form: &Form<'_>) -> Kind {
    match form {
        Form::Map { .. } => Kind::Map,
        Form::List { .. } => Kind::List,
        Form::Integer { .. } | Form::Number { .. } => Kind::Number,
        Form::Truth => Kind::Truth,
        Form::Text { .. } | Form::Choice(_) | Form::Either(_) | Form::Anything => Kind::Text,
    }
}

/// What a form expects, as `a whole number`.
fn described(form: &Form<'_>) -> String {
    match form {
        Form::Map { keys, others: Some(_), .. } if keys.is_empty() => "a map of names".to_owned(),
        Form::Map { .. } => "a map".to_owned(),
        Form::List { .. } => "a list".to_owned(),
        Form::Text { format: Some(format @ ("duration" | "size" | "share" | "rate" | "bandwidth")) } => {
            format!("a {format}")
        }
        Form::Text { .. } => "text".to_owned(),
        Form::Integer { .. } => "a whole number".to_owned(),
        Form::Number { .. } => "a number".to_owned(),
        Form::Truth => "true or false".to_owned(),
        Form::Choice(choices) => format!("one of {}", listed(choices.iter().map(|choice| choice.name), "or")),
        Form::Either(_) | Form::Anything => "another kind of value".to_owned(),
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

fn first_sentence(about: &str) -> &str {
    let end = about.find(". ").or_else(|| about.find(".\n")).unwrap_or(about.len());
    about.get(..end).unwrap_or(about).trim_end_matches('.')
}

fn one_line(about: &str) -> String {
    about.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A key that an example repeats.
fn plain_key(key: &str) -> String {
    quoted(key).trim_matches('`').to_owned()
}
