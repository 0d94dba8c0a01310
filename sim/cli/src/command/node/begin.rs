//! `wavetank node init` and `wavetank node key`: what a node is before it runs.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use config::Config;
use p2p::folder::{CONFIG_FILE, KEY_FILE};
use p2p::{KeyError, Keypair};
use serde::Serialize;

use crate::args::node::{Init, Key};
use crate::command::run::quoted;
use crate::console::{Console, Look};
use crate::exit_code;
use crate::failure::Failure;

/// A data folder that was made, for programs.
#[derive(Debug, Serialize)]
struct Made {
    peer_id: String,
    config: PathBuf,
    key: PathBuf,
    listen: Vec<String>,
    bootstrap: Vec<String>,
    http: String,
}

/// Whose a key is, for programs.
#[derive(Debug, Serialize)]
struct Shown {
    peer_id: String,
    file: PathBuf,
}

pub(crate) fn init(args: &Init, console: Console) -> Result<u8, Failure> {
    let folder = args.settings.data().unwrap_or(Path::new("."));
    let (file, key_file) = (folder.join(CONFIG_FILE), folder.join(KEY_FILE));
    let base = match (&args.from, &args.group) {
        (Some(scenario), Some(group)) => of_group(scenario, group)?,
        _ => Config::default(),
    };
    let text = model::node_file::to_yaml(&base);
    let config = model::node_file::parse(CONFIG_FILE, &text, &args.settings.for_its_own_folder())
        .map_err(|rejected| super::invalid(rejected, &file))?;
    for path in [&file, &key_file] {
        // A broken link is there too.
        if path.symlink_metadata().is_ok() {
            return Err(exists(path));
        }
    }
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    let keypair = Keypair::generate();
    let text = model::node_file::to_yaml(&config);
    let write = || File::create_new(&file)?.write_all(text.as_bytes());
    write().map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(&file),
        _ => unwritable(&file, &error),
    })?;
    keypair.write_new(&key_file).map_err(|error| {
        // Ours, of a moment ago: a folder is made whole or not at all.
        let _ = fs::remove_file(&file);
        Failure::new(exit_code::OUTPUT, error.to_string())
    })?;
    let id = keypair.peer_id();
    let listen = config.network.listen.iter().map(|address| format!("{address}/p2p/{id}")).collect();
    let made = Made {
        peer_id: id.to_string(),
        config: file,
        key: key_file,
        listen,
        bootstrap: config.network.bootstrap,
        http: config.network.http,
    };
    console.answer(&told(&made), &made)?;
    if made.bootstrap.is_empty() {
        console.note("it asks nobody first: name peers of its network under `network.bootstrap`, unless it is the first");
    }
    console.note(&format!("next: wavetank node run --data {}", quoted(&folder.display().to_string())));
    Ok(exit_code::PASSED)
}

fn told(made: &Made) -> String {
    let Made { peer_id, config, key, listen, http, .. } = made;
    let mut text = format!("peer     {}\n", Look::Strong.on(peer_id));
    listen.iter().for_each(|address| text.push_str(&format!("listens  {address}\n")));
    text.push_str(&format!("http     {http}\n"));
    text.push_str(&format!("config   {}\n", config.display()));
    text.push_str(&format!("key      {}\n", key.display()));
    text
}

/// The configuration of a group of a scenario.
fn of_group(scenario: &Path, group: &str) -> Result<Config, Failure> {
    let plan = model::load(scenario, &[])?.plan;
    let names: Vec<_> = plan.groups.iter().map(|(name, _)| name.as_str()).collect();
    let there = names.join(", ");
    plan.groups.iter().find(|(name, _)| name == group).map(|(_, group)| group.node.clone()).ok_or_else(|| {
        let what = format!("{} has no group `{group}`; its groups: {there}", scenario.display());
        Failure::new(exit_code::USAGE, what)
    })
}

fn exists(path: &Path) -> Failure {
    Failure::new(exit_code::OUTPUT, format!("{} exists already, and is left as it is", path.display()))
        .help("name another folder with `--data`, or move the file away yourself")
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(exit_code::OUTPUT, format!("cannot write {}: {error}", path.display()))
}

pub(crate) fn key(args: &Key, console: Console) -> Result<u8, Failure> {
    let file = if args.file.is_dir() { args.file.join(KEY_FILE) } else { args.file.clone() };
    let keypair = Keypair::read(&file).map_err(|error| no_key(&error))?;
    let shown = Shown { peer_id: keypair.peer_id().to_string(), file };
    console.answer(&format!("{}\n", shown.peer_id), &shown)?;
    Ok(exit_code::PASSED)
}

/// Why a key is not to be had, and what to do.
pub(super) fn no_key(error: &KeyError) -> Failure {
    let failure = Failure::new(exit_code::IDENTITY, error.to_string());
    match error {
        KeyError::Io { error, .. } if error.kind() == io::ErrorKind::NotFound => {
            failure.help("`wavetank node init --data DIR` makes a data folder with a key")
        }
        KeyError::Open { .. } => failure.help("take the others' rights away: `chmod 600 FILE`"),
        _ => failure,
    }
}
