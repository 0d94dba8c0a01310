//! `wavetank node run`: a node from its start to its end.

use std::io::Read as _;
use std::path::Path;
use std::sync::mpsc::{self, Sender};

use p2p::folder::CONFIG_FILE;
use p2p::http::ServeError;
use p2p::{Daemon, DaemonError, Emulation, End, FolderError, Happening, Listening, StartError, StoreError};
use serde::Serialize;

use super::begin::no_key;
use crate::args::node::Run;
use crate::console::Console;
use crate::failure::Failure;
use crate::signals::Signals;
use crate::{exit_code, logs};

/// A line of stdout, for programs.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Line<'a> {
    Listening { peer_id: &'a str, addresses: &'a [String], http: &'a str },
    Ready,
}

/// What the program waits for.
enum Waited {
    Node(Happening),
    /// Somebody wants it to end.
    Wish,
}

pub(crate) fn run(args: &Run, console: Console) -> Result<u8, Failure> {
    let file = match (&args.config, args.settings.data()) {
        (Some(file), _) => file.clone(),
        (None, data) => data.unwrap_or(Path::new(".")).join(CONFIG_FILE),
    };
    let config = super::configuration(&file, &args.settings.over_a_file())?;
    if args.check {
        console.answer(&model::node_file::to_yaml(&config), &config)?;
        return Ok(exit_code::PASSED);
    }
    let emulation = if args.emulate_links { Emulation::On } else { Emulation::Off };
    let data = file.parent().unwrap_or(Path::new("")).join(&config.data);
    logs::write_to_stderr(args.log_format);
    // From here on, a signal is a wish: the first is told, the second ends the program.
    let _signals = Signals::watch()?;
    let (wishes, waited) = mpsc::channel();
    wish_at_signals(wishes.clone())?;
    if args.stop_with_stdin {
        die_with_parent();
        wish_at_the_end_of_stdin(wishes.clone())?;
    }
    let daemon = Daemon::start(&config, &data, emulation, move |happening| {
        // Nobody waits any more once the program ends.
        let _ = wishes.send(Waited::Node(happening));
    })
    .map_err(|error| failed(&error))?;
    listening(daemon.listening(), console)?;
    // The node's own sender lives as long as the node, and the last thing it sends is its end.
    for waited in waited {
        match waited {
            Waited::Wish => daemon.stop(),
            Waited::Node(Happening::Ready) => console.line("ready", &Line::Ready)?,
            Waited::Node(Happening::Ended(End::Stopped)) => return Ok(exit_code::PASSED),
            Waited::Node(Happening::Ended(End::Late)) => {
                let what = format!("the node did not stop within {:?}", p2p::daemon::GRACE);
                return Err(Failure::new(exit_code::INTERNAL, what));
            }
            Waited::Node(Happening::Ended(End::Panicked(message))) => {
                return Err(Failure::new(exit_code::PANICKED, format!("the node panicked: {message}")));
            }
        }
    }
    Err(Failure::new(exit_code::INTERNAL, "the node's thread ended without a word"))
}

fn listening(listening: &Listening, console: Console) -> Result<(), Failure> {
    let Listening { id, addresses, http } = listening;
    let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    let (id, http) = (id.to_string(), http.to_string());
    let text = format!("listening  {id} at {}; http {http}", addresses.join(" "));
    Ok(console.line(&text, &Line::Listening { peer_id: &id, addresses: &addresses, http: &http })?)
}

fn wish_at_signals(wishes: Sender<Waited>) -> Result<(), Failure> {
    Ok(Signals::on_first(move || {
        let _ = wishes.send(Waited::Wish);
    })?)
}

/// Where the system knows how: a process that stands still would not notice the end of its stdin.
fn die_with_parent() {
    #[cfg(target_os = "linux")]
    {
        // Where it is forbidden, the end of stdin is what is left.
        let kill = rustix::process::Signal::KILL;
        let _ = rustix::process::set_parent_process_death_signal(Some(kill));
    }
}

fn wish_at_the_end_of_stdin(wishes: Sender<Waited>) -> Result<(), Failure> {
    let wait = move || {
        let mut stdin = std::io::stdin().lock();
        let mut ignored = [0; 1_024];
        // Whatever it says, only its end counts; one that cannot be read has ended.
        while stdin.read(&mut ignored).is_ok_and(|read| read > 0) {}
        let _ = wishes.send(Waited::Wish);
    };
    std::thread::Builder::new().name("stdin".to_owned()).spawn(wait)?;
    Ok(())
}

/// Why a node does not run, and what to do.
fn failed(error: &DaemonError) -> Failure {
    let failure = |code| Failure::new(code, error.to_string());
    match error {
        DaemonError::Folder(FolderError::InUse { .. }) | DaemonError::Store(StoreError::InUse(_)) => {
            failure(exit_code::IN_USE).help("stop the other process, or name another folder with `--data`")
        }
        DaemonError::Folder(FolderError::Io { .. }) => failure(exit_code::OUTPUT)
            .help("`wavetank node init --data DIR` makes a data folder; its owner must be able to write it"),
        DaemonError::Key(error) => no_key(error),
        DaemonError::Store(StoreError::Damaged { .. } | StoreError::Foreign { .. }) => {
            failure(exit_code::DAMAGED)
        }
        DaemonError::Store(StoreError::Io { .. }) => failure(exit_code::OUTPUT),
        DaemonError::Port { .. }
        | DaemonError::Http(ServeError::Bind { .. })
        | DaemonError::Start(StartError::Listen { .. }) => failure(exit_code::PORT_IN_USE)
            .help("stop whoever listens there, or listen elsewhere: port 0 is one that the system chooses"),
        DaemonError::Address { .. }
        | DaemonError::Start(StartError::Configuration(_) | StartError::Bootstrap(_)) => {
            failure(exit_code::INVALID)
        }
        _ => failure(exit_code::INTERNAL),
    }
}
