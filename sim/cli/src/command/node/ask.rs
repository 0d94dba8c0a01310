//! `wavetank node status`, `peers`, `lookup`, `put` and `get`: questions to a node that runs.

use std::io::{self, IsTerminal as _, Read as _};
use std::time::Duration;

use fleet::{Client, ClientError};
use types::PeerId;
use wire::admin::{Ask, Dialler, Ended, Outcome, Report};

use crate::args::Format;
use crate::args::node::{Asked, Get, Lookup, Peers, Put, Status, Waits};
use crate::console::{Console, Look};
use crate::exit_code;
use crate::failure::Failure;
use crate::figures::{count, counted, nanos};
use crate::table::{Row, aligned, plain};

/// Bytes of a value that are read from stdin: more than any node takes, so that it says what is too long.
const MAX_VALUE_BYTES: u64 = 1 << 20;

fn client(asked: &Asked) -> Client {
    Client::new(asked.http)
}

pub(crate) fn status(args: &Status, console: Console) -> Result<u8, Failure> {
    let client = client(&args.asked);
    if args.ready {
        let health = client.health().map_err(failed)?;
        console.answer(if health.ready { "ready\n" } else { "not ready\n" }, &health)?;
        return Ok(if health.ready { exit_code::PASSED } else { exit_code::NOT_FOUND });
    }
    let status = client.status().map_err(failed)?;
    let mut text = format!("peer         {}\n", Look::Strong.on(&status.peer_id.to_string()));
    let ready = if status.ready { Look::Good.on("ready") } else { Look::Doubtful.on("not ready") };
    let uptime = nanos(status.uptime_ms as f64 * 1e6);
    text.push_str(&format!("state        {ready}, up {uptime}, life {}\n", status.incarnation + 1));
    status.addresses.iter().for_each(|address| text.push_str(&format!("listens      {address}\n")));
    for (what, value) in [
        ("protocol", status.protocol.clone()),
        ("version", status.version.clone()),
        ("contacts", count(status.contacts.into())),
        ("connections", count(status.connections.into())),
        ("records", count(status.records.into())),
    ] {
        text.push_str(&format!("{what:<13}{value}\n"));
    }
    for (reason, times) in &status.turned_away {
        text.push_str(&format!("turned away  {reason}: {}\n", count(*times)));
    }
    console.answer(&text, &status)?;
    Ok(exit_code::PASSED)
}

pub(crate) fn peers(args: &Peers, console: Console) -> Result<u8, Failure> {
    let peers = client(&args.asked).peers().map_err(failed)?;
    let rows: Vec<_> = peers
        .iter()
        .map(|peer| {
            let link = match peer.connected {
                Some(Dialler::Node) => "dialled",
                Some(Dialler::Peer) => "accepted",
                None => "-",
            };
            let table = if peer.contact { "in the table" } else { "-" };
            let cells = [peer.peer_id.to_string(), link.to_owned(), table.to_owned()].map(plain);
            Row::new([&cells[..], &[plain(peer.addresses.join(" "))]].concat())
        })
        .collect();
    let text = if rows.is_empty() { "it knows no peers\n".to_owned() } else { aligned(&rows) };
    console.answer(&text, &peers)?;
    Ok(exit_code::PASSED)
}

pub(crate) fn lookup(args: &Lookup, console: Console) -> Result<u8, Failure> {
    // A peer's name in the table is its id in binary.
    let peer = args.name.parse::<PeerId>().ok();
    let name = peer.map_or_else(|| args.name.clone().into_bytes(), |id| id.as_bytes().to_vec());
    let ended = asked(&args.asked, &Ask::Lookup { name }, &args.waits)?;
    let mut text = String::new();
    for id in &ended.report.closest {
        let is_it = peer.as_ref() == Some(id);
        text.push_str(&format!("{}\n", if is_it { Look::Good.on(&id.to_string()) } else { id.to_string() }));
    }
    console.answer(&text, &ended)?;
    console.note(&how_it_went(&ended));
    Ok(code(&ended.outcome, console))
}

pub(crate) fn put(args: &Put, console: Console) -> Result<u8, Failure> {
    let value = match args.value.as_str() {
        "-" => from_stdin()?,
        value => value.as_bytes().to_vec(),
    };
    let ended = asked(&args.asked, &Ask::Put { name: args.name.clone().into_bytes(), value }, &args.waits)?;
    let text = match &ended.outcome {
        Outcome::Stored { acknowledged, asked } => format!("stored by {acknowledged} of {asked} peers\n"),
        _ => String::new(),
    };
    console.answer(&text, &ended)?;
    console.note(&how_it_went(&ended));
    Ok(code(&ended.outcome, console))
}

fn from_stdin() -> Result<Vec<u8>, Failure> {
    let mut value = Vec::new();
    let stdin = io::stdin().lock();
    stdin.take(MAX_VALUE_BYTES).read_to_end(&mut value).map_err(|error| {
        Failure::new(exit_code::USAGE, format!("cannot read the value from stdin: {error}"))
    })?;
    Ok(value)
}

pub(crate) fn get(args: &Get, console: Console) -> Result<u8, Failure> {
    let ended = asked(&args.asked, &Ask::Get { name: args.name.clone().into_bytes() }, &args.waits)?;
    match (&ended.outcome, console.format) {
        // The value as it is: what reads it may be a file.
        (Outcome::Value(record), Format::Human) => {
            console.raw(&record.value)?;
            if io::stdout().is_terminal() {
                console.raw(b"\n")?;
            }
        }
        _ => console.answer("", &ended)?,
    }
    console.note(&how_it_went(&ended));
    Ok(code(&ended.outcome, console))
}

fn asked(asked: &Asked, ask: &Ask, waits: &Waits) -> Result<Ended, Failure> {
    client(asked).ask(ask, Duration::from_nanos(waits.timeout.as_nanos())).map_err(failed)
}

fn how_it_went(ended: &Ended) -> String {
    let Report { messages, timeouts, hops, .. } = ended.report;
    let (took, messages) = (nanos(ended.took_ns as f64), counted(messages.into(), "message"));
    format!("{took}, {messages}, {timeouts} unanswered, {}", counted(hops.into(), "round"))
}

/// What to end with; what did not come about is said.
fn code(outcome: &Outcome, console: Console) -> u8 {
    let what = match outcome {
        Outcome::Found | Outcome::Value(_) | Outcome::Announced { .. } | Outcome::Providers => None,
        Outcome::Stored { acknowledged: 1.., .. } => None,
        Outcome::Stored { .. } => Some("no peer has stored it"),
        Outcome::NotFound => Some("no peer that was asked has it"),
        Outcome::Busy => Some("too many operations are under way"),
        Outcome::Isolated => Some("no peer answered"),
    };
    let Some(what) = what else { return exit_code::PASSED };
    console.warn(&format!("{} {what}", Look::Bad.on("error:")));
    exit_code::NOT_FOUND
}

/// Why there is no answer, and what to do.
#[expect(clippy::needless_pass_by_value, reason = "it ends here, as `map_err` hands it over")]
fn failed(error: ClientError) -> Failure {
    let what = error.to_string();
    match error {
        ClientError::Unreachable { .. } => Failure::new(exit_code::UNREACHABLE, what).help(
            "is it running? `wavetank node run` says where it tells how it is; name that with `--http ADDRESS`",
        ),
        ClientError::Late { .. } => Failure::new(exit_code::UNREACHABLE, what),
        ClientError::Refused { .. } => Failure::new(exit_code::NOT_FOUND, what),
        ClientError::Garbled { .. } => Failure::new(exit_code::UNREACHABLE, what)
            .help("something else may listen there, or a node of another version"),
    }
}
