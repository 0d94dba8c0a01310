//! What stands in a room's root file, and what stands in the house at all.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::house::{
    FLOORS, GUESTS, IGNORED_OUTPUT, Kind, QUEUE_WORDS, QUEUELESS, ROOMS, Room, TOP_LEVEL, UNSAFE,
};
use crate::{Breach, listed, read, root};

/// The breaches in the root file of `room`.
fn check_root_file(room: &Room, text: &str) -> Vec<Breach> {
    let mut breaches = Vec::new();
    if !has_code(text) {
        breaches.push(Breach::new(room.name, "has no code", "a crate appears when its first code does"));
    }
    if room.kind == Kind::Pure {
        for (attribute, wall) in [
            ("#![no_std]", "a pure room has no clock, file, socket or thread to call"),
            ("#![forbid(unsafe_code)]", "no unsafe code in a pure room"),
        ] {
            if !opening_attributes(text).any(|line| line == attribute) {
                breaches.push(Breach::new(room.name, format!("lacks {attribute}"), wall));
            }
        }
        if brings_std_back(text) {
            let wall = "a pure room has std in its tests only";
            breaches.push(Breach::new(room.name, "brings std back", wall));
        }
    }
    breaches
}

/// The attributes of the whole crate: they precede all code.
fn opening_attributes(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .take_while(|line| line.is_empty() || line.starts_with("//") || line.starts_with('#'))
        .filter(|line| line.starts_with("#!["))
}

fn has_code(text: &str) -> bool {
    let is_code = |line: &str| {
        !(line.is_empty()
            || line.starts_with("//")
            || line.starts_with('#')
            || line.starts_with("extern crate"))
    };
    text.lines().map(str::trim).any(is_code)
}

/// Whether `extern crate std` stands there without `#[cfg(test)]` right above it.
fn brings_std_back(text: &str) -> bool {
    let mut above = "";
    text.lines().map(str::trim).any(|line| {
        let guarded = above == "#[cfg(test)]";
        above = line;
        line.starts_with("extern crate std") && !guarded
    })
}

/// The breach in one file of a room that must not know kernel's queue.
fn check_queueless(file: &str, text: &str) -> Option<Breach> {
    let code = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    let mut words = code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'));
    let word = words.find(|word| QUEUE_WORDS.contains(word))?;
    let wall = "play and judge know no stage, so none of kernel's queue";
    Some(Breach::new(file, format!("speaks of {word}"), wall))
}

/// The breach in a file that has unsafe code without a reason in the table.
fn check_unsafe(file: &str, text: &str) -> Option<Breach> {
    let code =
        text.lines().map(str::trim).filter(|line| !line.starts_with("//") && !line.starts_with("#![forbid"));
    let mut words = code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'));
    let found = words.any(|word| word == "unsafe" || word == "unsafe_code");
    let named = UNSAFE.iter().any(|(named, _)| *named == file);
    let wall = "unsafe code stands in files that are named with a reason";
    (found && !named).then(|| Breach::new(file, "has unsafe code", wall))
}

/// The breaches among the names at the top level.
fn check_top_level<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Breach> {
    let stranger = |name: &&str| !name.starts_with('.') && !TOP_LEVEL.contains(name);
    let breach =
        |name: &str| Breach::new(name, "stands at the top level", "the top level holds the rooms' floors");
    names.filter(stranger).map(breach).collect()
}

/// The breaches among folders of a floor: (folder, whether it is a crate, whether it holds any file).
fn check_floor(folders: &[(String, IsCrate, Content)]) -> Vec<Breach> {
    let breach = |(folder, is_crate, content): &(String, IsCrate, Content)| {
        let is_room = ROOMS.iter().any(|room| room.folder == folder) || GUESTS.contains(&folder.as_str());
        match (is_crate, content) {
            (_, Content::None) => Some(("is empty", "no empty rooms")),
            (IsCrate::Yes, Content::Some) if !is_room => {
                Some(("is a crate", "each crate is a room of the table of the house"))
            }
            _ => None,
        }
        .map(|(found, wall)| Breach::new(folder, found, wall))
    };
    folders.iter().filter_map(breach).collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IsCrate {
    Yes,
    No,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Some,
    None,
}

/// The files below `folder`, at whatever depth.
fn files_below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut left = vec![folder.to_path_buf()];
    while let Some(folder) = left.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let list = if entry.file_type()?.is_dir() { &mut left } else { &mut files };
            list.push(entry.path());
        }
    }
    Ok(files)
}

fn folders_of(floor: &str) -> anyhow::Result<Vec<(String, IsCrate, Content)>> {
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(root().join(floor))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            let path = entry.path();
            let is_crate = if path.join("Cargo.toml").exists() { IsCrate::Yes } else { IsCrate::No };
            let content = if !files_below(&path)?.is_empty() { Content::Some } else { Content::None };
            folders.push((format!("{floor}/{}", entry.file_name().to_string_lossy()), is_crate, content));
        }
    }
    Ok(folders)
}

/// The names at the top level: those that git tracks, so that what a user leaves lying there is no breach; outside
/// of a repository, all but the ignored output.
fn top_level() -> anyhow::Result<Vec<String>> {
    let tracked = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    if let Ok(output) = tracked
        && output.status.success()
        && !output.stdout.is_empty()
    {
        let listed = String::from_utf8(output.stdout)?;
        let paths = listed.split('\0').filter(|path| !path.is_empty());
        return Ok(paths.filter_map(|path| path.split('/').next()).map(String::from).collect());
    }
    let names = std::fs::read_dir(root())?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names: anyhow::Result<Vec<String>> = names.collect();
    Ok(names?.into_iter().filter(|name| !IGNORED_OUTPUT.contains(&name.as_str())).collect())
}

fn root_file(room: &Room) -> anyhow::Result<Option<String>> {
    let files = ["lib.rs", "main.rs"].map(|file| format!("{}/src/{file}", room.folder));
    files.iter().find(|file| root().join(file).exists()).map(read).transpose()
}

#[test]
fn root_files_hold_code_and_pure_ones_shut_the_world_out() -> anyhow::Result<()> {
    let mut breaches = Vec::new();
    for room in ROOMS.iter().filter(|room| room.name != "tests") {
        let text = root_file(room)?.unwrap_or_default();
        breaches.extend(check_root_file(room, &text));
    }
    assert!(breaches.is_empty(), "{}", listed(&breaches));
    Ok(())
}

#[test]
fn nothing_else_stands_in_the_house() -> anyhow::Result<()> {
    let mut breaches = check_top_level(top_level()?.iter().map(String::as_str));
    for floor in FLOORS {
        breaches.extend(check_floor(&folders_of(floor)?));
    }
    assert!(breaches.is_empty(), "{}", listed(&breaches));
    Ok(())
}

#[test]
fn play_and_judge_know_nothing_of_the_queue() -> anyhow::Result<()> {
    let mut breaches = Vec::new();
    for room in ROOMS.iter().filter(|room| QUEUELESS.contains(&room.name)) {
        for file in files_below(&root().join(room.folder).join("src"))? {
            breaches.extend(check_queueless(&file.display().to_string(), &std::fs::read_to_string(&file)?));
        }
    }
    assert!(breaches.is_empty(), "{}", listed(&breaches));
    Ok(())
}

#[test]
fn unsafe_code_stands_only_in_files_that_are_named() -> anyhow::Result<()> {
    let mut breaches = Vec::new();
    // The workshop plants it in texts; its crate is denied it by the workspace's lints.
    for room in ROOMS.iter().filter(|room| room.name != "tests") {
        let files = files_below(&root().join(room.folder))?.into_iter();
        for file in files.filter(|file| file.extension().is_some_and(|extension| extension == "rs")) {
            let name = file.strip_prefix(root())?.display().to_string();
            breaches.extend(check_unsafe(&name, &std::fs::read_to_string(&file)?));
        }
    }
    assert!(breaches.is_empty(), "{}", listed(&breaches));
    Ok(())
}

#[test]
fn planted_unsafe_code_is_named() {
    let found = |file, text| check_unsafe(file, text).map(|breach| breach.found);
    let named = Some("has unsafe code".to_owned());
    assert_eq!(found("sim/world/src/lib.rs", "let x = unsafe { *p };"), named);
    assert_eq!(found("sim/world/src/lib.rs", "#![expect(unsafe_code, reason = \"fast\")]"), named);
    assert_eq!(
        found("sim/world/src/lib.rs", "#![forbid(unsafe_code)]\n// unsafe is not here\nfn unsafely() {}"),
        None
    );
    assert_eq!(found("node-core/fce/src/image.rs", "let x = unsafe { *p };"), None);
}

#[test]
fn a_planted_word_of_the_queue_is_named() {
    let found = |text| check_queueless("play.rs", text).map(|breach| breach.found);
    for (text, word) in [
        ("use kernel::{Cut, Wheel};", "Wheel"),
        ("let at = kernel::wheel::Key::default();", "wheel"),
        ("impl kernel::Timed for Fault {}", "Timed"),
    ] {
        assert_eq!(found(text), Some(format!("speaks of {word}")), "{text}");
    }
    assert_eq!(found("use kernel::{Cut, LinkFault};\n// The wheel is kernel's.\nstruct Wheels;"), None);
}

/// What is found in this root file of a pure room.
fn planted(text: &str) -> Vec<String> {
    let room = Room { name: "planted", folder: "sim/planted", kind: Kind::Pure, imports: &[], wall: "" };
    check_root_file(&room, text).into_iter().map(|breach| breach.found).collect()
}

#[test]
fn a_planted_root_file_is_named() {
    let none: [&str; 0] = [];
    assert_eq!(planted("//! Doc.\n#![no_std]\n#![forbid(unsafe_code)]\nmod a;\n"), none);
    assert_eq!(
        planted("#![no_std]\n#![forbid(unsafe_code)]\n#[cfg(test)]\nextern crate std;\nmod a;\n"),
        none
    );
    for (text, found) in [
        ("#![forbid(unsafe_code)]\nmod a;\n", "lacks #![no_std]"),
        ("// #![no_std]\n#![forbid(unsafe_code)]\nmod a;\n", "lacks #![no_std]"),
        ("#![cfg_attr(test, no_std)]\n#![forbid(unsafe_code)]\nmod a;\n", "lacks #![no_std]"),
        ("#![forbid(unsafe_code)]\nmod a {\n#![no_std]\n}\n", "lacks #![no_std]"),
        ("#![no_std]\n#![deny(unsafe_code)]\nmod a;\n", "lacks #![forbid(unsafe_code)]"),
        ("#![no_std]\n#![forbid(unsafe_code)]\nextern crate std;\nmod a;\n", "brings std back"),
        (
            "#![no_std]\n#![forbid(unsafe_code)]\n#[cfg(feature = \"x\")]\nextern crate std as s;\nmod a;\n",
            "brings std back",
        ),
        ("//! Not yet furnished.\n#![no_std]\n#![forbid(unsafe_code)]\nextern crate alloc;\n", "has no code"),
    ] {
        assert_eq!(planted(text), [found], "{text}");
    }
}

#[test]
fn a_planted_folder_is_named() {
    let names = [".ci", "sim", "docs", "README.md", "notes.txt"];
    let found: Vec<_> = check_top_level(names.into_iter()).into_iter().map(|breach| breach.place).collect();
    assert_eq!(found, ["docs", "notes.txt"]);

    let folders = [
        ("sim/kernel", IsCrate::Yes, Content::Some),
        ("sim/attic", IsCrate::Yes, Content::Some),
        ("sim/fleet", IsCrate::No, Content::None),
        ("scenarios/kademlia", IsCrate::No, Content::Some),
    ]
    .map(|(folder, is_crate, content)| (String::from(folder), is_crate, content));
    let found: Vec<_> = check_floor(&folders)
        .into_iter()
        .map(|breach| format!("{} {}", breach.place, breach.found))
        .collect();
    assert_eq!(found, ["sim/attic is a crate", "sim/fleet is empty"]);
}
