//! A node's own file: the block `node:` of a scenario's group, alone in a file, as a deployed node is started with.
//!
//! It is read as scenarios are: from text to a tree with spans, changed by settings from elsewhere, held against the
//! grammar that the types state; all mistakes are told at once. It is written with a comment above every key, from the
//! very docstrings that the schema has, so that no comment is ever out of date.
//!
//! It is deliberately *not* the place of defaults and ranges, which stand with [`Config`], and knows no transport: what an
//! address means is said by who dials it.
//!
//! Invariants: what is written reads back as the same configuration; a default that is written as a comment, and loses
//! its hash, changes nothing.

use std::path::Path;

use config::Config;
use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Problems, Rejected};
use crate::grammar::{Form, Grammar, Subject};
use crate::set::{self, Setting};
use crate::shape;
use crate::source::{self, MAX_NODE_FILE_BYTES, Source};
use crate::tree::{self, Content, NodeId, Scalar, Style, Tree};

/// Columns of a written file: a terminal of eighty shows most lines whole.
const COLUMNS: usize = 96;

/// What stands above everything.
const HEAD: &str = "\
# The configuration of a wavetank node. A key behind a hash has its default: take the hash away to change it.
# Over this file go the environment (WAVETANK_…), and over that the flags of `wavetank node run`.
";

/// Reads the node's file at `path`, changed by `settings`.
///
/// # Errors
/// Everything that is wrong with it, the reading included.
pub fn load(path: &Path, settings: &[Setting]) -> Result<Config, Rejected> {
    let name = path.display().to_string();
    match source::read_node_file(path) {
        Ok(text) => parse(&name, &text, settings),
        Err((text, diagnostic)) => {
            let mut problems = Problems::default();
            problems.add(diagnostic);
            Err(problems.rejected(vec![Source { name, text }]))
        }
    }
}

/// Reads `text`, which people know as `name`, changed by `settings`. Nothing but comments is the defaults.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(name: &str, text: &str, settings: &[Setting]) -> Result<Config, Rejected> {
    let mut sources = vec![Source { name: name.to_owned(), text: text.to_owned() }];
    let mut problems = Problems::default();
    match check(text, settings, &mut sources, &mut problems) {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(problems.rejected(sources)),
    }
}

fn check(
    text: &str,
    settings: &[Setting],
    sources: &mut Vec<Source>,
    problems: &mut Problems,
) -> Option<Config> {
    if text.len() as u64 > MAX_NODE_FILE_BYTES {
        problems.add(source::node_file_too_large(text.len() as u64));
        return None;
    }
    let grammar = Grammar::about::<Config>(Subject::Node);
    let tree = tree::read_or_empty(0, text, problems)?;
    let tree = set::apply(&grammar, tree, settings, sources, problems);
    let mut value = shape::check(&grammar, &tree, problems);
    if !problems.is_empty() {
        // The sense of the rest is checked nevertheless: defaults stand for what was not to be understood.
        drop_nulls(&mut value);
    }
    match serde_path_to_error::deserialize::<_, Config>(&value) {
        Ok(config) => {
            let mut meant = Problems::default();
            meaning(&config, &tree, &mut meant);
            problems.extend(meant.without_consequences_of(problems));
            Some(config)
        }
        Err(_) if !problems.is_empty() => None,
        Err(error) => {
            let path = tree::Path::of(error.path());
            let diagnostic = Diagnostic::new(Code::Invalid, error.inner().to_string());
            problems.add(diagnostic.at(tree.locate(&path)).path(path.to_string()));
            None
        }
    }
}

/// What `config` itself finds wrong, at its place.
fn meaning(config: &Config, tree: &Tree, problems: &mut Problems) {
    for problem in config.problems() {
        let place = tree.longest(&tree::Path::default(), &problem.path);
        let diagnostic = Diagnostic::new(Code::BadConfig, crate::meaning::of_node(&problem));
        problems.add(diagnostic.at(tree.locate(&place)).path(problem.path));
    }
}

/// Leaves out every value that could not be understood, and the lists that hold one.
fn drop_nulls(value: &mut Value) {
    let is_whole = |value: &Value| match value {
        Value::Null => false,
        Value::Array(items) => !items.contains(&Value::Null),
        _ => true,
    };
    if let Value::Object(map) = value {
        map.values_mut().for_each(drop_nulls);
        map.retain(|_, value| is_whole(value));
    }
}

/// The file of `config`: every key with a comment, active where it is not the default.
///
/// # Panics
/// If a part of it cannot be written, which would be a mistake of its type.
#[must_use]
pub fn to_yaml(config: &Config) -> String {
    let (own, usual) = (canonical(config), canonical(&Config::default()));
    let grammar = Grammar::about::<Config>(Subject::Node);
    let mut text = HEAD.to_owned();
    let level = Level { grammar: &grammar, schema: grammar.root(), indent: 0 };
    level.write((&own, own.root()), (&usual, usual.root()), &mut text);
    text
}

/// `config` as a tree: the keys of its types in their order.
#[expect(clippy::expect_used, reason = "an invariant of the configuration's own types, which a test covers")]
fn canonical(config: &Config) -> Tree {
    let text = serde_saphyr::to_string(config).expect("every part of a configuration can be written");
    tree::read(0, &text, &mut Problems::default()).expect("what was written can be read")
}

/// One map of the file.
struct Level<'g> {
    grammar: &'g Grammar,
    schema: &'g Value,
    indent: usize,
}

impl<'g> Level<'g> {
    fn write(&self, own: (&Tree, NodeId), usual: (&Tree, NodeId), text: &mut String) {
        let Form::Map { keys, .. } = self.grammar.expected(self.schema).form else { return };
        for entry in own.0.node(own.1).content.entries() {
            let Some((_, schema)) = keys.iter().find(|(key, _)| *key == entry.key) else { continue };
            let default = usual.0.node(usual.1).content.get(&entry.key).map(|entry| entry.value);
            self.write_key(&entry.key, schema, (own.0, entry.value), (usual.0, default), text);
        }
    }

    fn write_key(
        &self,
        key: &str,
        schema: &'g Value,
        (own, value): (&Tree, NodeId),
        (usual, default): (&Tree, Option<NodeId>),
        text: &mut String,
    ) {
        let about = self.grammar.expected(schema).about.unwrap_or_default();
        text.push('\n');
        self.comment(about, text);
        let pad = " ".repeat(self.indent);
        match &own.node(value).content {
            Content::Map(_) => {
                text.push_str(&format!("{pad}{key}:\n"));
                let below = Level { grammar: self.grammar, schema, indent: self.indent + 2 };
                below.write((own, value), (usual, default.unwrap_or(usual.root())), text);
            }
            _ => {
                let (value, default) = (written(own, value), default.map(|id| written(usual, id)));
                let hash = if default.as_ref() == Some(&value) { "# " } else { "" };
                text.push_str(&format!("{pad}{hash}{key}: {value}\n"));
            }
        }
    }

    fn comment(&self, about: &str, text: &mut String) {
        let pad = " ".repeat(self.indent);
        let mut line = String::new();
        for word in about.split_whitespace() {
            if !line.is_empty() && self.indent + 3 + line.chars().count() + word.chars().count() > COLUMNS {
                text.push_str(&format!("{pad}# {line}\n"));
                line.clear();
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        text.push_str(&format!("{pad}# {line}\n"));
    }
}

/// A value that is no map, on one line.
fn written(tree: &Tree, id: NodeId) -> String {
    match &tree.node(id).content {
        Content::Scalar(scalar) => word(scalar),
        Content::List(items) => {
            let items: Vec<_> = items.iter().map(|item| written(tree, *item)).collect();
            format!("[{}]", items.join(", "))
        }
        Content::Map(_) => "{}".to_owned(),
    }
}

/// A scalar that reads the same in a list and outside of one.
fn word(scalar: &Scalar) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '/' | '.' | '_');
    let bare = Scalar { style: Style::Plain, ..scalar.clone() };
    let is_plain = scalar.text.chars().all(plain) && !bare.is_null();
    match scalar.style {
        // A number, a truth value, or a quantity with its unit.
        Style::Plain if !scalar.text.contains([',', '[', ']', '{', '}', '#', ':']) => scalar.text.clone(),
        _ if is_plain => scalar.text.clone(),
        _ => Value::from(scalar.text.as_str()).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed() -> Config {
        let mut config = Config { data: "/var/lib/wave: tank #1".to_owned(), ..Config::default() };
        config.network.protocol = "/mine/kad/1.0.0".to_owned();
        config.network.listen = vec!["/ip6/::1/tcp/0".to_owned(), "/dns4/a-b.example/tcp/1/ws".to_owned()];
        config.network.bootstrap = vec!["/ip4/1.2.3.4/tcp/1/p2p/x".to_owned(); 3];
        config.kad.k = 7;
        config.kad.mode = kad::Mode::Client;
        config.kad.record_ttl = types::Duration::from_mins(3);
        config.limits.connections = 9;
        config
    }

    fn read(text: &str) -> Config {
        parse("node.yaml", text, &[]).unwrap_or_else(|rejected| panic!("{rejected}\n{text}"))
    }

    #[test]
    fn what_is_written_reads_back() {
        for config in [Config::default(), changed()] {
            assert_eq!(read(&to_yaml(&config)), config);
        }
        for text in ["true", "~", "null", "- a", "a, b", "[x]", "1", "", "ü", "\"", "a: b", "*a", "!t"] {
            let config = Config { data: text.to_owned(), ..Config::default() };
            let read = parse("node.yaml", &to_yaml(&config), &[]);
            assert_eq!(read.ok(), (!text.is_empty()).then_some(config), "{text:?}");
        }
    }

    #[test]
    fn a_default_that_loses_its_hash_changes_nothing() {
        let text = to_yaml(&Config::default());
        let key = |line: &str| {
            let word = line.trim_start().strip_prefix("# ").and_then(|line| line.split_once(": "));
            word.is_some_and(|(word, _)| word.chars().all(|char| matches!(char, 'a'..='z' | '_')))
        };
        let bare: Vec<_> = text
            .lines()
            .map(|line| if key(line) { line.replacen("# ", "", 1) } else { line.to_owned() })
            .collect();
        assert!(bare.iter().filter(|line| !line.contains('#') && line.contains(": ")).count() > 24);
        assert_eq!(read(&bare.join("\n")), Config::default());
    }

    #[test]
    fn every_key_has_its_docstring_above_it() {
        let text = to_yaml(&changed());
        let lines: Vec<_> = text.lines().collect();
        for pair in
            lines.windows(2).filter(|pair| !pair[1].trim_start().starts_with('#') && !pair[1].is_empty())
        {
            assert!(pair[0].trim_start().starts_with("# "), "{pair:?}");
        }
        assert!(lines.iter().all(|line| line.chars().count() <= 120), "{text}");
    }

    #[test]
    fn nothing_is_the_defaults() {
        for text in ["", "\n", "# nothing\n", "kad:\nnetwork:\n", "{}"] {
            assert_eq!(read(text), Config::default(), "{text:?}");
        }
    }

    #[test]
    fn settings_go_over_the_file_in_their_order() {
        let setting = |path: &str, value: &str| Setting {
            origin: "--set".to_owned(),
            path: path.to_owned(),
            value: value.to_owned(),
        };
        let settings = [setting("kad.k", "5"), setting("network.http", "127.0.0.1:1"), setting("kad.k", "6")];
        let config = parse("node.yaml", "kad: {k: 4, alpha: 2}", &settings).unwrap();
        assert_eq!((config.kad.k, config.kad.alpha, config.network.http.as_str()), (6, 2, "127.0.0.1:1"));
    }
}
