//! Folders that cannot be written: an error that says so and where, before anything runs if possible.

use std::path::Path;

use run::{Out, RunError};

use crate::hello;

/// The error of a run whose folder cannot be written.
fn refused(result: Result<impl std::fmt::Debug, RunError>, place: &Path) {
    let error = result.unwrap_err();
    let RunError::Output(output) = &error else { panic!("{error:?}") };
    assert!(output.is_output(), "{output:?}");
    assert!(error.to_string().contains(&place.display().to_string()), "`{error}` names {}", place.display());
}

#[test]
fn a_folder_below_a_file() {
    let place = tempfile::NamedTempFile::new().unwrap();
    let below = place.path().join("run");
    refused(hello().out(Out::Folder(below.clone())).prepare(), &below);
    refused(hello().out(Out::Under(place.path().to_owned())).prepare(), place.path());
}

#[test]
fn a_file_where_the_folder_should_be() {
    let place = tempfile::NamedTempFile::new().unwrap();
    refused(hello().out(Out::Folder(place.path().to_owned())).prepare(), place.path());
}

#[test]
fn a_folder_that_holds_something_is_left_as_it_is() {
    let place = tempfile::tempdir().unwrap();
    let letter = place.path().join("letter.txt");
    std::fs::write(&letter, "dear").unwrap();
    refused(hello().out(Out::Folder(place.path().to_owned())).run(), place.path());
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(&letter).unwrap(), "dear");
}

#[test]
fn a_folder_that_goes_away_before_the_run() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("run");
    let prepared = hello().out(Out::Folder(folder.clone())).prepare().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    refused(prepared.play(), &folder);
}
