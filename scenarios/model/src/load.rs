//! From a file or a text to a plan.

use std::path::Path;

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Findings, Problems, Rejected, Severity};
use crate::files::{self, Files, Input};
use crate::grammar::Grammar;
use crate::mend::{could_follow, mend};
use crate::plan::Plan;
use crate::scenario::Scenario;
use crate::set::{self, Setting};
use crate::source::{self, MAX_FILE_BYTES, Source};
use crate::{meaning, shape, tree};

/// A scenario that can be run.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What to do.
    pub plan: Plan,
    /// The text that said so.
    pub text: String,
    /// The files that it names, as they were read.
    pub inputs: Vec<Input>,
    /// What in it has no effect, or proves nothing, though it is not wrong.
    pub warnings: Findings,
}

/// Reads the scenario at `path`, changed by `sets`: pairs of a path and a value, as `--set` takes them.
///
/// # Errors
/// Everything that is wrong with it, the reading included.
pub fn load(path: &Path, sets: &[(String, String)]) -> Result<Loaded, Rejected> {
    load_with(path, path.parent().unwrap_or(Path::new("")), sets)
}

/// The same, but that the files which the scenario names are below `folder`, as those of a run are below its `inputs`.
///
/// # Errors
/// As [`load`].
pub fn load_with(path: &Path, folder: &Path, sets: &[(String, String)]) -> Result<Loaded, Rejected> {
    let name = path.display().to_string();
    match source::read(path) {
        Ok(text) => read(&name, &text, Some(folder), sets),
        Err((text, diagnostic)) => {
            let mut problems = Problems::default();
            problems.add(diagnostic);
            Err(problems.rejected(vec![Source { name, text }]))
        }
    }
}

/// Reads the scenario `text`, which people know as `name`, changed by `sets`. It cannot name files: it has no folder.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(name: &str, text: &str, sets: &[(String, String)]) -> Result<Loaded, Rejected> {
    read(name, text, None, sets)
}

fn read(
    name: &str,
    text: &str,
    folder: Option<&Path>,
    sets: &[(String, String)],
) -> Result<Loaded, Rejected> {
    let mut sources = vec![Source { name: name.to_owned(), text: text.to_owned() }];
    let mut problems = Problems::default();
    let mut warnings = Problems::default();
    let mut files = Files::of(folder);
    match check(&mut sources, &mut files, sets, &mut problems, &mut warnings) {
        Some(plan) if problems.is_empty() => Ok(Loaded {
            plan,
            text: text.to_owned(),
            inputs: files.take(&mut sources),
            warnings: warnings.findings(Severity::Warning, sources),
        }),
        _ => Err(problems.rejected(sources)),
    }
}

fn check(
    sources: &mut Vec<Source>,
    files: &mut Files<'_>,
    sets: &[(String, String)],
    problems: &mut Problems,
    warnings: &mut Problems,
) -> Option<Plan> {
    let text = &sources.first()?.text;
    if text.len() as u64 > MAX_FILE_BYTES {
        problems.add(source::too_large(text.len() as u64));
        return None;
    }
    let tree = tree::read(0, text, problems)?;
    let grammar = Grammar::of::<Scenario>();
    let settings: Vec<_> = sets.iter().map(Setting::typed).collect();
    let tree = set::apply(&grammar, tree, &settings, sources, problems);
    let mut value = shape::check(&grammar, &tree, problems);
    meaning::take_thresholds(&tree, &mut value, problems);
    match serde_path_to_error::deserialize::<_, Scenario>(&value) {
        Ok(mut scenario) => {
            files::fill(&mut scenario, &tree, files, sources, problems);
            let mut meant = Problems::default();
            meaning::check(&scenario, &tree, &mut meant);
            let meant = meant
                .without_consequences_of(problems)
                .without(|diagnostic| could_follow(diagnostic.code, |key| problems.concern(key)));
            problems.extend(meant);
            if problems.is_empty() {
                meaning::warn(&scenario, &tree, warnings);
            }
            Some(Plan::new(scenario))
        }
        // Said by the shape already; the sense of the rest is checked nevertheless.
        Err(_) if !problems.is_empty() => {
            if let Some(mut mended) = mend(value) {
                files::fill(&mut mended.scenario, &tree, files, sources, problems);
                let mut meant = Problems::default();
                meaning::check(&mended.scenario, &tree, &mut meant);
                let meant = meant.without_consequences_of(problems).without(|diagnostic| {
                    could_follow(diagnostic.code, |key| mended.touched(key) || problems.concern(key))
                });
                problems.extend(meant);
            }
            None
        }
        Err(error) => {
            let path = tree::Path::of(error.path());
            problems.add(
                Diagnostic::new(Code::Invalid, error.inner().to_string())
                    .at(tree.locate(&path))
                    .path(path.to_string()),
            );
            None
        }
    }
}

/// The JSON schema of scenarios, for editors: the very grammar that scenarios are checked by.
#[must_use]
pub fn schema() -> String {
    let mut schema = Grammar::of::<Scenario>().root().clone();
    if let Value::Object(object) = &mut schema {
        object.insert("$id".to_owned(), Value::from("scenario-v1.json"));
        object.insert("title".to_owned(), Value::from("Wavetank scenario"));
    }
    spell_out_formats(&mut schema);
    let mut text = format!("{schema:#}");
    text.push('\n');
    text
}

/// Says in standard words what `format` says in words of ours, some of which stand for other things elsewhere: quantities
/// have their pattern beside it, whole numbers get their greatest value.
fn spell_out_formats(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let most = match object.get("format").and_then(Value::as_str) {
                Some("uint8") => Some(u64::from(u8::MAX)),
                Some("uint16") => Some(u64::from(u16::MAX)),
                Some("uint32") => Some(u64::from(u32::MAX)),
                Some("uint64") => Some(u64::MAX),
                _ => None,
            };
            if let Some(most) = most {
                object.entry("maximum").or_insert_with(|| Value::from(most));
            }
            if object.get("format").is_some_and(Value::is_string) {
                object.remove("format");
            }
            object.values_mut().for_each(spell_out_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(spell_out_formats),
        _ => {}
    }
}
