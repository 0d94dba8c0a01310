//! What people see of scenarios that cannot be run, and that those of the library can.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::fs;
use std::path::{Path, PathBuf};

use wavetank_model as model;
use wavetank_model::{Paint, Rejected};

/// The YAML files of a folder, by name.
fn scenarios(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

fn rejected(path: &Path) -> Rejected {
    match model::load(path, &[]) {
        Ok(_) => panic!("{} can be run", path.display()),
        Err(rejected) => rejected,
    }
}

/// The message about a file, under its bare name, so that it does not depend on where the file is.
fn message(path: &Path) -> String {
    let here = path.parent().unwrap().display().to_string() + "/";
    rejected(path).render(Paint::Plain).replace(&here, "")
}

/// The message about a file of this name and content that exists for the moment.
fn message_of(name: &str, content: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    message(&path)
}

#[test]
fn every_mistake_is_told_as_it_should_be() {
    let files = scenarios("tests/invalid");
    assert!(files.len() >= 40, "the fixtures are there");
    for path in files {
        insta::assert_snapshot!(path.file_stem().unwrap().to_str().unwrap(), message(&path));
    }
}

#[test]
fn what_has_no_effect_is_warned_of() {
    let files = scenarios("tests/warned");
    assert!(files.len() >= 2, "the fixtures are there");
    for path in files {
        let here = path.parent().unwrap().display().to_string() + "/";
        let warnings = model::load(&path, &[]).unwrap().warnings;
        assert_eq!(warnings.severity(), model::Severity::Warning);
        let text = warnings.render(Paint::Plain).replace(&here, "");
        insta::assert_snapshot!(format!("warned_{}", path.file_stem().unwrap().to_str().unwrap()), text);
    }
}

#[test]
fn the_library_can_be_run() {
    let files = [scenarios("../kademlia"), scenarios("../scale"), scenarios("../conformance")].concat();
    assert!(files.len() >= 10);
    for path in files {
        match model::load(&path, &[]) {
            Err(rejected) => panic!("{rejected}"),
            Ok(loaded) => {
                let text = fs::read_to_string(&path).unwrap();
                assert_eq!(loaded.text, text);
                assert_eq!(loaded.warnings.count(), 0, "{}", loaded.warnings.render(Paint::Plain));
                let opens =
                    text.strip_prefix("# yaml-language-server: $schema=../scenario-v1.json\n# Question: ");
                assert!(opens.is_some(), "{} opens with its schema and its question", path.display());
                assert!(
                    text.contains("# Expected: ") && text.contains("# Change next: "),
                    "{}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn files_too_large_or_too_deep_are_refused_before_they_cost_anything() {
    insta::assert_snapshot!("ten_mebibytes", message_of("ten_mebibytes.yaml", &vec![b'#'; 10 << 20]));
    insta::assert_snapshot!("brackets", message_of("brackets.yaml", "[".repeat(200_000).as_bytes()));
    insta::assert_snapshot!("braces", message_of("braces.yaml", "{a: ".repeat(100_000).as_bytes()));
    let steps: String = (0..1_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    insta::assert_snapshot!("steps", message_of("steps.yaml", steps.as_bytes()));
    let dashes = "- ".repeat(100_000);
    insta::assert_snapshot!("dashes", message_of("dashes.yaml", dashes.as_bytes()));
    let items = format!("version: 1\nworkloads: [{}]\n", "a, ".repeat(300_000));
    insta::assert_snapshot!("items", message_of("items.yaml", items.as_bytes()));
}

#[test]
fn parts_without_number_are_refused_before_they_are_compared() {
    let head =
        "version: 1\nname: many\nduration: 10m\nnetwork: {uniform: {latency: {one_way: 40ms}}}\npeers:\n";
    let groups: String = (0..60_000).map(|number| format!(" G {number}: {{count: 1}}\n")).collect();
    let faults = " - clog: {name: a, victims: {group: nobody}, begin: 1m, end: 9h}\n".repeat(20_000);
    let text = message_of("groups.yaml", format!("{head}{groups}").as_bytes());
    assert!(text.contains("too_many_groups") && text.contains("60,000 groups are more than 1,000"), "{text}");
    let text = message_of("faults.yaml", format!("{head} edge: {{count: 1}}\nfaults:\n{faults}").as_bytes());
    assert!(
        text.contains("20,000 faults are more than 1,000") && text.ends_with("1 error in faults.yaml\n"),
        "{text}"
    );
    let places: String = (0..30_000).map(|number| format!("  p{number}: {{share: 1%}}\n")).collect();
    let network =
        format!("network:\n regions:\n  latency: {{}}\n  places:\n{}", places.replace("  p", "   p"));
    let text = format!("version: 1\nname: many\nduration: 10m\npeers: {{edge: {{count: 1}}}}\n{network}");
    assert!(message_of("places.yaml", text.as_bytes()).contains("30,000 places are more than 64"));
}

#[test]
fn very_many_mistakes_are_counted_and_some_of_them_shown() {
    let keys: String = (0..5_000).map(|number| format!("key{number}: 1\n")).collect();
    let text = message_of("many.yaml", keys.as_bytes());
    assert_eq!(text.matches("error[").count(), model::MAX_SHOWN);
    assert!(text.ends_with("… and 4985 more\n5005 errors in many.yaml\n"), "{text}");
}

#[test]
fn what_is_no_file_says_so_and_never_waits() {
    let folder = tempfile::tempdir().unwrap();
    insta::assert_snapshot!("nowhere", message(&folder.path().join("nowhere.yaml")));
    let directory = folder.path().join("directory.yaml");
    fs::create_dir(&directory).unwrap();
    insta::assert_snapshot!("directory", message(&directory));
}

#[cfg(unix)]
#[test]
fn a_pipe_that_nobody_writes_to_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.yaml");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    insta::assert_snapshot!("pipe", message(&pipe));
    insta::assert_snapshot!("device", message(Path::new("/dev/zero")));
}

#[test]
fn machines_read_the_same_as_people() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invalid/misspelt_key.yaml");
    let rejected = rejected(&path);
    let report = serde_json::to_value(rejected.report()).unwrap();
    let error = &report["errors"][0];
    assert_eq!(report["count"], 1);
    assert_eq!(error["code"], "wavetank::scenario::unknown_key");
    assert_eq!((&error["line"], &error["column"]), (&3.into(), &1.into()));
    assert_eq!((&error["end_line"], &error["end_column"]), (&3.into(), &8.into()));
    assert_eq!(error["path"], "duraton");
    assert_eq!(error["help"], "did you mean `duration`?");
    assert_eq!(rejected.codes().collect::<Vec<_>>(), [model::Code::UnknownKey]);
}

#[test]
fn colour_is_only_added_where_it_is_asked_for() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invalid/misspelt_key.yaml");
    let rejected = rejected(&path);
    assert!(!rejected.to_string().contains('\u{1b}'));
    assert!(rejected.render(Paint::Coloured).contains('\u{1b}'));
}

#[test]
fn codes_are_distinct_words() {
    let mut texts: Vec<_> = model::Code::ALL.iter().map(|code| code.text()).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), model::Code::ALL.len());
    assert!(texts.iter().all(|text| text.chars().all(|char| matches!(char, 'a'..='z' | '0'..='9' | '_'))));
}
