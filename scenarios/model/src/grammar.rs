//! The grammar as the JSON schema states it: what an editor completes from is what checks.
//!
//! [`Grammar`] holds the schema that the types themselves generate; [`Form`] is what one place of it
//! expects, in the few shapes that the house's types have (their serde rules are the wall here: no
//! untagged or internally tagged enums). A schema of another shape expects [`Form::Anything`], and
//! serde has the last word there.

use serde_json::{Map, Value};

/// The schema of a document.
#[derive(Debug)]
pub(crate) struct Grammar {
    root: Value,
    subject: Subject,
}

/// What a document describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Scenario,
    /// A node. A section of its file may be left without a value: what stands below it is commented out.
    Node,
}

impl Subject {
    /// As messages call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Scenario => "the scenario",
            Self::Node => "the node's file",
        }
    }
}

/// What a place expects.
#[derive(Debug)]
pub(crate) struct Expected<'s> {
    pub(crate) form: Form<'s>,
    /// Whether it may be left without a value.
    pub(crate) nullable: bool,
    /// The docstring of the key, or else of the type.
    pub(crate) about: Option<&'s str>,
    /// The docstring of the type.
    pub(crate) type_about: Option<&'s str>,
    /// Keys or choices that are planned: to be told from misspelt ones.
    pub(crate) later: Vec<&'s str>,
}

#[derive(Debug)]
pub(crate) enum Form<'s> {
    /// A map with these keys, and with any others if `others` says what their values are.
    Map {
        keys: Vec<(&'s str, &'s Value)>,
        required: Vec<&'s str>,
        others: Option<&'s Value>,
    },
    List {
        items: &'s Value,
        least: u64,
    },
    Text {
        format: Option<&'s str>,
    },
    Integer {
        least: i128,
        most: i128,
    },
    Number {
        least: Option<f64>,
        most: Option<f64>,
    },
    Truth,
    /// One of these words, or a map of one key among them.
    Choice(Vec<Choice<'s>>),
    /// Any of several forms that no key tells apart.
    Either(Vec<&'s Value>),
    Anything,
}

/// One way to choose.
#[derive(Debug)]
pub(crate) struct Choice<'s> {
    pub(crate) name: &'s str,
    /// What follows it, if anything does.
    pub(crate) settings: Option<&'s Value>,
    /// Whether it may stand alone; with settings, it then takes their defaults.
    pub(crate) word: bool,
}

/// References that are followed from one place: schemas of types refer once or twice.
const MAX_REFERENCES: usize = 16;

impl Grammar {
    /// The grammar of scenarios, or of parts of them, that `T` states.
    pub(crate) fn of<T: schemars::JsonSchema>() -> Self {
        Self::about::<T>(Subject::Scenario)
    }

    /// The grammar that `T` states of such a thing.
    pub(crate) fn about<T: schemars::JsonSchema>(subject: Subject) -> Self {
        let settings = schemars::generate::SchemaSettings::draft2020_12();
        Self { root: settings.into_generator().into_root_schema_for::<T>().into(), subject }
    }

    pub(crate) const fn subject(&self) -> Subject {
        self.subject
    }

    pub(crate) const fn root(&self) -> &Value {
        &self.root
    }

    /// What `schema`, a part of this grammar, expects.
    pub(crate) fn expected<'s>(&'s self, schema: &'s Value) -> Expected<'s> {
        let later = self.resolved(schema).get("x-later").and_then(Value::as_array);
        let later: Vec<_> = later.into_iter().flatten().filter_map(Value::as_str).collect();
        let about = schema.get("description").and_then(Value::as_str);
        let schema = self.resolved(schema);
        let type_about = schema.get("description").and_then(Value::as_str);
        let about = about.or(type_about);
        let Some(object) = schema.as_object() else {
            return Expected { form: Form::Anything, nullable: true, about, type_about, later };
        };
        let alternatives = ["oneOf", "anyOf"].iter().find_map(|name| object.get(*name)?.as_array());
        let Some(alternatives) = alternatives else {
            let (form, nullable) = self.plain(object);
            return Expected { form, nullable, about, type_about, later };
        };
        let alternatives: Vec<_> = alternatives.iter().filter(|schema| !is_null(schema)).collect();
        let nullable = object.values().filter_map(Value::as_array).flatten().any(is_null);
        match alternatives.as_slice() {
            [only] if choices_of(self.resolved(only)).is_none() || nullable => {
                let inner = self.expected(only);
                Expected {
                    form: inner.form,
                    nullable: nullable || inner.nullable,
                    about: about.or(inner.about),
                    type_about: inner.type_about,
                    later: if later.is_empty() { inner.later } else { later },
                }
            }
            _ => Expected { form: self.alternatives(alternatives), nullable, about, type_about, later },
        }
    }

    fn resolved<'s>(&'s self, mut schema: &'s Value) -> &'s Value {
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
                return schema;
            };
            let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
            let Some(target) = target else { return schema };
            schema = target;
        }
        schema
    }

    fn alternatives<'s>(&'s self, alternatives: Vec<&'s Value>) -> Form<'s> {
        let choices: Option<Vec<_>> =
            alternatives.iter().map(|schema| choices_of(self.resolved(schema))).collect();
        let Some(choices) = choices else {
            return Form::Either(alternatives);
        };
        let mut merged: Vec<Choice<'s>> = Vec::new();
        for choice in choices.into_iter().flatten() {
            match merged.iter_mut().find(|known| known.name == choice.name) {
                Some(known) => {
                    known.word |= choice.word;
                    known.settings = known.settings.or(choice.settings);
                }
                None => merged.push(choice),
            }
        }
        Form::Choice(merged)
    }

    fn plain<'s>(&'s self, object: &'s Map<String, Value>) -> (Form<'s>, bool) {
        if let Some(words) = words_of(object) {
            return (Form::Choice(words), false);
        }
        let types: Vec<&str> = match object.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let nullable = types.contains(&"null");
        let mut types = types.into_iter().filter(|name| *name != "null");
        let form = match (types.next(), types.next()) {
            (Some("object"), None) => map_of(object),
            (Some("array"), None) => list_of(object),
            (Some("string"), None) => Form::Text { format: object.get("format").and_then(Value::as_str) },
            (Some("integer"), None) => integer_of(object),
            (Some("number"), None) => {
                Form::Number { least: bound(object, "minimum"), most: bound(object, "maximum") }
            }
            (Some("boolean"), None) => Form::Truth,
            _ => return (Form::Anything, true),
        };
        (form, nullable)
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

fn map_of(object: &Map<String, Value>) -> Form<'_> {
    let keys = object.get("properties").and_then(Value::as_object);
    let required = object.get("required").and_then(Value::as_array);
    Form::Map {
        keys: keys.into_iter().flatten().map(|(key, schema)| (key.as_str(), schema)).collect(),
        required: required.into_iter().flatten().filter_map(Value::as_str).collect(),
        others: object
            .get("additionalProperties")
            .filter(|schema| schema.is_object() || **schema == Value::Bool(true)),
    }
}

fn list_of(object: &Map<String, Value>) -> Form<'_> {
    let least = object.get("minItems").and_then(Value::as_u64).unwrap_or(0);
    object.get("items").map_or(Form::Anything, |items| Form::List { items, least })
}

/// The words that a schema of constants allows.
fn words_of(object: &Map<String, Value>) -> Option<Vec<Choice<'_>>> {
    let words: Vec<&Value> = match (object.get("const"), object.get("enum").and_then(Value::as_array)) {
        (Some(one), _) => vec![one],
        (None, Some(several)) => several.iter().collect(),
        (None, None) => return None,
    };
    words.into_iter().map(|word| Some(Choice { name: word.as_str()?, settings: None, word: true })).collect()
}

/// What a variant of an externally tagged enum offers: words, or a map of exactly one key.
fn choices_of(schema: &Value) -> Option<Vec<Choice<'_>>> {
    let object = schema.as_object()?;
    if let Some(words) = words_of(object) {
        return Some(words);
    }
    let mut keys = object.get("properties")?.as_object()?.iter();
    let (name, settings) = keys.next()?;
    let required = object.get("required")?.as_array()?;
    let closed = object.get("additionalProperties") == Some(&Value::Bool(false));
    let tagged =
        closed && keys.next().is_none() && required.iter().all(|key| key == name) && required.len() == 1;
    tagged.then(|| vec![Choice { name, settings: Some(settings), word: false }])
}

/// The range of an integer: what the schema says, within what its Rust type holds.
fn integer_of(object: &Map<String, Value>) -> Form<'_> {
    let (low, high) = match object.get("format").and_then(Value::as_str).unwrap_or_default() {
        "uint8" => (0, i128::from(u8::MAX)),
        "uint16" => (0, i128::from(u16::MAX)),
        "uint32" => (0, i128::from(u32::MAX)),
        "uint" | "uint64" => (0, i128::from(u64::MAX)),
        "int8" => (i128::from(i8::MIN), i128::from(i8::MAX)),
        "int16" => (i128::from(i16::MIN), i128::from(i16::MAX)),
        "int32" => (i128::from(i32::MIN), i128::from(i32::MAX)),
        _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
    };
    let stated = |name| {
        let value = object.get(name)?;
        value
            .as_u64()
            .map(i128::from)
            .or_else(|| value.as_i64().map(i128::from))
            .or_else(|| Some(value.as_f64()? as i128))
    };
    Form::Integer {
        least: stated("minimum").unwrap_or(low).max(low),
        most: stated("maximum").unwrap_or(high).min(high),
    }
}

fn bound(object: &Map<String, Value>, name: &str) -> Option<f64> {
    object.get(name).and_then(Value::as_f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(schemars::JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Sample {
        choice: Pick,
        count: u8,
        maybe: Option<f64>,
        names: Vec<String>,
        others: std::collections::BTreeMap<String, types::Duration>,
    }

    #[derive(schemars::JsonSchema)]
    #[serde(rename_all = "snake_case")]
    #[expect(dead_code, reason = "only its schema is looked at")]
    enum Pick {
        /// A word with a docstring.
        Nothing,
        Everything,
        Some {
            #[schemars(range(min = 1))]
            count: u16,
        },
    }

    fn form<'s>(grammar: &'s Grammar, key: &str) -> Expected<'s> {
        let Form::Map { keys, .. } = grammar.expected(grammar.root()).form else { panic!("a map") };
        let (_, schema) = keys.into_iter().find(|(name, _)| *name == key).unwrap();
        grammar.expected(schema)
    }

    #[test]
    fn each_shape_of_the_types_is_understood() {
        let grammar = Grammar::of::<Sample>();
        assert!(matches!(form(&grammar, "count").form, Form::Integer { least: 0, most: 255 }));
        let maybe = form(&grammar, "maybe");
        assert!(maybe.nullable && matches!(maybe.form, Form::Number { .. }), "{maybe:?}");
        assert!(matches!(form(&grammar, "names").form, Form::List { .. }));
        let Form::Map { others: Some(values), .. } = form(&grammar, "others").form else { panic!("a map") };
        assert!(matches!(grammar.expected(values).form, Form::Text { format: Some("duration") }));
        let Form::Choice(choices) = form(&grammar, "choice").form else { panic!("a choice") };
        let mut names: Vec<_> =
            choices.iter().map(|choice| (choice.name, choice.settings.is_some())).collect();
        names.sort_unstable();
        assert_eq!(names, [("everything", false), ("nothing", false), ("some", true)]);
    }
}
