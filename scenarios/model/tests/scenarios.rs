//! What people see of scenarios that cannot be run, and that those of the library can.

use std::fs;
use std::path::{Path, PathBuf};

use wavetank_model as model;
use wavetank_model::Paint;

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

/// The message about a file, under its bare name, so that it does not depend on where the workspace is.
fn message(path: &Path) -> String {
    let here = path.parent().unwrap().display().to_string() + "/";
    match model::load(path) {
        Ok(_) => panic!("{} can be run", path.display()),
        Err(rejected) => rejected.render(Paint::Plain).replace(&here, ""),
    }
}

#[test]
fn every_mistake_is_told_as_it_should_be() {
    for path in scenarios("tests/invalid") {
        insta::assert_snapshot!(path.file_stem().unwrap().to_str().unwrap(), message(&path));
    }
}

#[test]
fn the_library_can_be_run() {
    let files = scenarios("../kademlia");
    assert!(files.len() >= 4);
    for path in files {
        if let Err(rejected) = model::load(&path) {
            panic!("{rejected}");
        }
    }
}
