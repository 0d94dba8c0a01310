//! The committed schema, as editors use it: read by a stock validator, over what a stock YAML reader makes of the files.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::Value;
use wavetank_model::Code;

/// Mistakes of shape: a schema can see them.
const OF_SHAPE: [Code; 11] = [
    Code::UnknownKey,
    Code::MissingKey,
    Code::WrongType,
    Code::UnknownChoice,
    Code::SeveralChoices,
    Code::NotAQuantity,
    Code::MissingUnit,
    Code::WrongUnit,
    Code::OutOfRange,
    Code::NotYet,
    Code::MissingValue,
];

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn schema() -> Validator {
    let text = fs::read_to_string(here("../scenario-v1.json")).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(here(folder)).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect()
}

fn read(path: &Path) -> Option<Value> {
    serde_saphyr::from_str(&fs::read_to_string(path).ok()?).ok()
}

#[test]
fn the_schema_takes_every_scenario_of_the_library() {
    let schema = schema();
    let folders = fs::read_dir(here("..")).unwrap().map(|entry| entry.unwrap().path());
    let library: Vec<PathBuf> = folders
        .filter(|path| path.is_dir() && !path.ends_with("model"))
        .flat_map(|folder| files(folder.to_str().unwrap()))
        .chain(files("tests/warned"))
        .collect();
    assert!(library.len() >= 10);
    for path in library {
        let scenario = read(&path).unwrap_or_else(|| panic!("{} is YAML", path.display()));
        let errors: Vec<_> = schema.iter_errors(&scenario).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
    }
}

#[test]
fn the_schema_refuses_every_fixture_whose_mistake_is_one_of_shape() {
    let schema = schema();
    let mut refused = 0;
    for path in files("tests/invalid") {
        let Err(rejected) = wavetank_model::load(&path, &[]) else { panic!("{} is invalid", path.display()) };
        let Some(scenario) = read(&path) else { continue };
        // A pattern bounds no quantity; what a threshold compares with depends on its metric.
        let of_shape = |entry: &wavetank_model::Entry<'_>| {
            let code = entry.code.rsplit("::").next().unwrap_or_default().to_owned();
            OF_SHAPE.iter().any(|shape| shape.text() == code)
                && (!entry.path.starts_with("thresholds") || entry.code.ends_with("unknown_key"))
                && !entry.message.contains("%`")
        };
        if rejected.entries().any(|entry| of_shape(&entry)) {
            assert!(!schema.is_valid(&scenario), "{}: {rejected}", path.display());
            refused += 1;
        }
    }
    assert!(refused > 15, "{refused} fixtures have mistakes of shape");
}
