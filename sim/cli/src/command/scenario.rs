//! `wavetank scenario`: what helps to write one.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use model::{Explanation, Key, Lesson};
use serde::Serialize;

use crate::args::scenario::{Explain, Ls, New};
use crate::command::kinds::KINDS;
use crate::command::run::quoted;
use crate::console::{Console, Look};
use crate::exit_code;
use crate::failure::Failure;
use crate::figures::{counted, nanos};
use crate::table::{Row, aligned, plain, wrapped};

/// Folders within folders that are looked into: a library is not deeper, and a link in a circle ends.
const MAX_DEPTH: usize = 8;

/// The scenarios, for programs.
#[derive(Debug, Serialize)]
struct Document {
    scenarios: Vec<Listed>,
}

#[derive(Debug, Serialize)]
struct Listed {
    file: PathBuf,
    /// Absent if the scenario is not valid: `wavetank check` says why.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<Summary>,
}

#[derive(Debug, Serialize)]
struct Summary {
    name: String,
    about: String,
    peers: u64,
    duration_ns: u64,
}

/// A new scenario, for programs.
#[derive(Debug, Serialize)]
struct Made<'a> {
    kind: &'a str,
    file: Option<&'a Path>,
    scenario: &'a str,
}

pub(crate) fn new(args: &New, console: Console) -> Result<u8, Failure> {
    let text = KINDS.iter().find(|kind| kind.name == args.kind).map_or("", |kind| kind.text);
    let made = Made { kind: &args.kind, file: args.out.as_deref(), scenario: text };
    let Some(file) = &args.out else {
        console.answer(text, &made)?;
        return Ok(exit_code::PASSED);
    };
    let write = || std::fs::File::create_new(file)?.write_all(text.as_bytes());
    write().map_err(|error| {
        let failure = Failure::new(exit_code::OUTPUT, format!("cannot write {}: {error}", file.display()));
        match error.kind() {
            io::ErrorKind::AlreadyExists => failure.help("name a file that is not there yet"),
            _ => failure,
        }
    })?;
    let path = quoted(&file.display().to_string());
    console.answer(&format!("{path}\n"), &made)?;
    console.note(&format!("next: wavetank run {path}"));
    Ok(exit_code::PASSED)
}

pub(crate) fn schema(console: Console) -> Result<u8, Failure> {
    let schema = model::schema();
    console.answer(&schema, &schema)?;
    Ok(exit_code::PASSED)
}

pub(crate) fn explain(args: &Explain, console: Console) -> Result<u8, Failure> {
    let explanation = model::explain(&args.word).map_err(|near| {
        let word = &args.word;
        let meant = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        Failure::new(exit_code::USAGE, format!("`{word}` is neither a key of scenarios nor a code{meant}"))
            .help("keys are in the schema: `wavetank scenario schema`")
    })?;
    let text = match &explanation {
        Explanation::Code { code, about, lesson } => taught(code, about, lesson),
        Explanation::Keys(keys) => keys.iter().map(key).collect::<Vec<_>>().join("\n"),
    };
    console.answer(&text, &explanation)?;
    Ok(exit_code::PASSED)
}

fn taught(code: &str, about: &str, lesson: &Lesson) -> String {
    let mut text = format!("{}\n", Look::Strong.on(code));
    text.push_str(&wrapped(&format!("  {about}"), 2));
    text.push_str(&wrapped(&format!("  {}", lesson.why), 2));
    for (word, look, lines) in [("wrong", Look::Bad, &lesson.wrong), ("right", Look::Good, &lesson.right)] {
        if !lines.is_empty() {
            text.push_str(&format!("\n  {}\n", look.on(word)));
            lines.lines().for_each(|line| text.push_str(&format!("    {line}\n")));
        }
    }
    text
}

fn key(key: &Key) -> String {
    let Key { path, expects, about, required, default, below } = key;
    let mut text = format!("{}\n{}", Look::Strong.on(path), wrapped(&format!("  {about}"), 2));
    let absent = match default {
        Some(default) => format!("; {default} if left out"),
        None if *required => "; required".to_owned(),
        None => String::new(),
    };
    text.push_str(&wrapped(&format!("  It is {expects}{absent}."), 2));
    if !below.is_empty() {
        text.push_str(&wrapped(&format!("  Below it: {}.", below.join(", ")), 2));
    }
    text
}

pub(crate) fn ls(args: &Ls, console: Console) -> Result<u8, Failure> {
    let mut files = Vec::new();
    find(&args.folder, MAX_DEPTH, &mut files).map_err(|error| {
        Failure::new(exit_code::INVALID, format!("cannot read {}: {error}", args.folder.display()))
            .help("name a folder that holds scenarios, such as `scenarios`")
    })?;
    files.sort();
    let scenarios: Vec<_> = files.into_iter().map(listed).collect();
    let rows: Vec<_> = scenarios.iter().map(row).collect();
    let mut text = match rows.as_slice() {
        [] => format!("no scenario below {}\n", args.folder.display()),
        _ => String::new(),
    };
    for (line, listed) in aligned(&rows).lines().zip(&scenarios) {
        text.push_str(&format!("{line}\n"));
        if let Some(Summary { about, .. }) = &listed.plan {
            text.push_str(&wrapped(&format!("      {about}"), 6));
        }
    }
    console.answer(&text, &Document { scenarios })?;
    Ok(exit_code::PASSED)
}

/// The YAML files below a folder; folders whose names begin with a dot are not looked into.
fn find(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if kind.is_dir() && !is_hidden && depth > 0 {
            find(&path, depth - 1, files)?;
        } else if kind.is_file() && path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
            files.push(path);
        }
    }
    Ok(())
}

fn listed(file: PathBuf) -> Listed {
    let plan = model::load(&file, &[]).ok().map(|loaded| {
        let (peers, duration_ns) = (loaded.plan.peers(), loaded.plan.duration.as_nanos());
        Summary { name: loaded.plan.name, about: loaded.plan.about, peers, duration_ns }
    });
    Listed { file, plan }
}

fn row(listed: &Listed) -> Row {
    let file = plain(listed.file.display().to_string());
    match &listed.plan {
        Some(Summary { peers, duration_ns, .. }) => {
            Row::new([file, plain(counted(*peers, "peer")), plain(nanos(*duration_ns as f64))])
        }
        None => Row::new([file, ("not valid".to_owned(), Look::Bad)]),
    }
}
