//! What is said of each mistake of shape, and how a value of the expected form may be written.

use serde_json::Value;
use types::quantity::ParseError;

use super::{Place, Walk, decimal_text, loose};
use crate::diagnostic::{Code, Diagnostic, listed, quoted};
use crate::grammar::{Choice, Expected, Form};
use crate::source::Span;
use crate::suggest::nearest;
use crate::tree::{Content, Entry, Path, Style};

impl Walk<'_> {
    pub(super) fn add(&mut self, diagnostic: Diagnostic, place: &Place) {
        let span = self.tree.place(place.node, place.key.as_ref().map(|(_, span)| *span));
        self.problems.add(diagnostic.at(span).path(place.path.to_string()));
    }

    pub(super) fn unknown_key(
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

    pub(super) fn not_yet(&mut self, name: &str, span: Span, path: &Path) {
        self.problems.add(
            Diagnostic::new(Code::NotYet, format!("{} is planned, and nothing serves it yet", quoted(name)))
                .at(span)
                .path(path.to_string())
                .help("leave it out"),
        );
    }

    pub(super) fn missing_key(
        &mut self,
        key: &str,
        keys: &[(&str, &Value)],
        place: &Place,
        about: Option<&str>,
    ) {
        let schema = keys.iter().find(|(name, _)| *name == key).map(|(_, schema)| *schema);
        let example = schema.map_or_else(|| "…".to_owned(), |schema| self.example(schema));
        let key_about = schema.and_then(|schema| self.grammar.expected(schema).about).map(first_sentence);
        let help = format!(
            "add `{key}: {example}`{}",
            key_about.map_or_else(String::new, |about| format!(": {about}"))
        );
        let note = about
            .filter(|_| place.key.is_some())
            .map(|about| format!("{}: {}", self.name(place), first_sentence(about)));
        let diagnostic =
            Diagnostic::new(Code::MissingKey, format!("{} lacks the key `{key}`", self.name(place)))
                .help(help);
        self.add(diagnostic.note_all(note), place);
    }

    pub(super) fn missing_value(&mut self, expected: &Expected<'_>, place: &Place) {
        let example = self.example_of(&expected.form);
        let help = match &place.key {
            Some((key, _)) => format!(
                "write `{}: {example}`, or remove the key to have its default if it has one",
                plain_key(key)
            ),
            None => format!("write {}", described(&expected.form)),
        };
        let diagnostic =
            Diagnostic::new(Code::MissingValue, format!("{} has no value", self.name(place))).help(help);
        self.add(diagnostic, place);
    }

    pub(super) fn wrong_type(&mut self, form: &Form<'_>, place: &Place) {
        let diagnostic = self.expected_instead(&described(form), place);
        self.add(diagnostic, place);
    }

    /// A scalar where a collection belongs, or the reverse: what it is for says how to write it.
    pub(super) fn wrong_kind(&mut self, form: &Form<'_>, about: Option<&str>, place: &Place) {
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

    pub(super) fn expected_instead(&self, expected: &str, place: &Place) -> Diagnostic {
        let content = &self.tree.node(place.node).content;
        let found = kind_of(content).text();
        let quoted_number = matches!(content, Content::Scalar(scalar) if scalar.style == Style::Quoted && decimal_text(&scalar.text).is_some());
        Diagnostic::new(
            Code::WrongType,
            format!("{} must be {expected}, and this is {found}", self.name(place)),
        )
        .label(format!("expected {expected}"))
        .help_if((quoted_number && expected.contains("number")).then(|| "remove the quotes".to_owned()))
    }

    pub(super) fn out_of_range(&mut self, written: &str, range: &str, place: &Place) {
        let diagnostic = self.outside(place, written).label(format!("must be {range}"));
        self.add(diagnostic, place);
    }

    pub(super) fn outside(&self, place: &Place, written: &str) -> Diagnostic {
        let message = format!("{} is {}, outside its range", self.name(place), quoted(written));
        Diagnostic::new(Code::OutOfRange, message)
    }

    pub(super) fn unknown_choice(&mut self, choices: &[Choice<'_>], name: &str, span: Span, place: &Place) {
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

    pub(super) fn missing_choice(&mut self, choices: &[Choice<'_>], place: &Place) {
        let diagnostic = Diagnostic::new(Code::MissingValue, format!("{} chooses nothing", self.name(place)))
            .note(format!("choices: {}", listed(choices.iter().map(|choice| choice.name), "and")));
        self.add(diagnostic, place);
    }

    pub(super) fn several_choices(
        &mut self,
        choices: &[Choice<'_>],
        first: &Entry,
        rest: &[Entry],
        place: &Place,
    ) {
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
            format!("{} must be exactly one of its choices", self.name(place)),
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
    pub(super) fn example(&self, schema: &Value) -> String {
        self.example_of(&self.grammar.expected(schema).form)
    }

    pub(super) fn example_of(&self, form: &Form<'_>) -> String {
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

/// What a quantity's parser has to say.
pub(super) fn quantity(error: &ParseError, text: &str, format: &str) -> Diagnostic {
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
pub(super) enum Kind {
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

pub(super) fn kind_of(content: &Content) -> Kind {
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

pub(super) const fn kind_expected(form: &Form<'_>) -> Kind {
    match form {
        Form::Map { .. } => Kind::Map,
        Form::List { .. } => Kind::List,
        Form::Integer { .. } | Form::Number { .. } => Kind::Number,
        Form::Truth => Kind::Truth,
        Form::Text { .. } | Form::Choice(_) | Form::Either(_) | Form::Anything => Kind::Text,
    }
}

/// What a form expects, as `a whole number`.
pub(crate) fn described(form: &Form<'_>) -> String {
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
        Form::Choice(choices) => match choices.as_slice() {
            [only] => quoted(only.name),
            several => format!("one of {}", listed(several.iter().map(|choice| choice.name), "or")),
        },
        Form::Either(_) | Form::Anything => "another kind of value".to_owned(),
    }
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
