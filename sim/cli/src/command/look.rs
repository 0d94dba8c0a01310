//! `wavetank replay --to`: a run up to a moment, and what one of its peers looked like then.

use std::collections::BTreeSet;

use record::EventRow;
use run::state::{Bucket, LifeState, Named};
use run::who::Presence;
use run::{Inquiry, Keep, NoPeer, PeerState};
use serde::Serialize;
use types::Instant;

use crate::args;
use crate::command::again::{Again, Seen};
use crate::console::{Console, Look};
use crate::exit_code;
use crate::failure::Failure;
use crate::figures::{clock, count, counted, stamp};
use crate::screen::section;
use crate::signals::Signals;
use crate::table::{Row, aligned, cut, plain};

/// Records that a person is shown; a program gets all.
const MAX_RECORDS: usize = 10;
/// Characters of a key that tell it from others.
const KEY_CHARS: usize = 12;

/// What was seen, for programs.
#[derive(Debug, Serialize)]
struct Document<'a> {
    at_ns: u64,
    peers_up: u32,
    seen_again: Seen,
    peer: Option<&'a PeerState>,
    /// Lines of the peer's event log before those that follow.
    earlier_events: u64,
    events: &'a [EventRow],
}

pub(crate) fn look(args: &args::Replay, to: types::Duration, console: Console) -> Result<u8, Failure> {
    let signals = Signals::watch()?;
    let again = Again::open(&args.run, &args.machine, &args.shown, &signals, console)?;
    let prepared = again.prepare()?;
    let who = prepared.who();
    let until = Instant::START + to;
    let planned = Instant::START + prepared.plan().duration;
    if until > planned {
        let what = format!(
            "the run is over at {}: there is no {}",
            clock(planned.as_nanos()),
            clock(until.as_nanos())
        );
        return Err(Failure::new(exit_code::USAGE, what));
    }
    let peers: BTreeSet<u32> = args.peer.iter().map(|peer| find(&who, peer)).collect::<Result<_, _>>()?;
    let keep = Keep::Last(args.last);
    let answer = again.inquire(prepared, Inquiry { until, peers, keep })?;
    let seen = again.agree(&answer)?;
    // Just before anything happens then.
    let before = Instant::from_nanos(until.as_nanos().saturating_sub(1));
    let peers_up = answer.who.truth(before).online();
    let peer = answer.peers.first();
    let mut text = format!(
        "{}  {} at {}: {} of {} up\n",
        Look::Strong.on("STOPPED"),
        again.manifest().scenario.name,
        clock(until.as_nanos()),
        count(u64::from(peers_up)),
        counted(answer.who.peers() as u64, "peer")
    );
    match peer {
        Some(peer) => {
            text.push_str(&heading(peer));
            text.push_str(&seen.text());
            if let Some(life) = &peer.life {
                text.push_str(&state(life));
            }
            text.push_str(&log(&answer.events, answer.earlier));
        }
        None => {
            text.push_str(&seen.text());
            text.push_str("name a peer to see its state and its events: --peer 17, --peer edge-3\n");
        }
    }
    let document = Document {
        at_ns: until.as_nanos(),
        peers_up,
        seen_again: seen,
        peer,
        earlier_events: answer.earlier,
        events: &answer.events,
    };
    console.answer(&text, &document)?;
    Ok(exit_code::PASSED)
}

/// The peer that is called so.
pub(crate) fn find(who: &run::Who, text: &str) -> Result<u32, Failure> {
    who.find(text).map_err(|error| {
        let help = match error {
            NoPeer::Nobody(_) => "peers.csv has their numbers, names and ids",
            NoPeer::Many(..) => "give more of the id, or the number or the name in peers.csv",
        };
        Failure::new(exit_code::USAGE, error.to_string()).help(help)
    })
}

fn heading(peer: &PeerState) -> String {
    let Presence { up, incarnation, since_ns, fault } = &peer.presence;
    let mut text = format!("\n{}  peer {}, {}\n", Look::Strong.on(&peer.name), peer.number, peer.id);
    let since = since_ns.map(|since| format!(" since {}", clock(since))).unwrap_or_default();
    let by = fault.as_ref().map(|fault| format!(" by {fault}")).unwrap_or_default();
    let state = match (up, incarnation) {
        (true, Some(0) | None) => format!("up{since}, in its first life{by}"),
        (true, Some(life)) => format!("up{since}, brought back{by}, life {life} (the first is 0)"),
        (false, None) => "not started yet".to_owned(),
        (false, Some(life)) => format!("down{since}{by}; its last was life {life} (the first is 0)"),
    };
    text.push_str(&format!("state       {state}\n"));
    text
}

fn state(life: &LifeState) -> String {
    let contacts: usize = life.buckets.iter().map(|bucket| bucket.contacts.len()).sum();
    let down: usize = life.buckets.iter().map(|bucket| downs(&bucket.contacts)).sum();
    let mut text = format!(
        "waiting     {} for a core; {} for their answer\n",
        counted(life.queue_depth as u64, "input"),
        counted(life.requests_in_flight as u64, "request")
    );
    if let Some(links) = &life.links {
        text.push_str(&format!("links       {}\n", count(links.len() as u64)));
        section(&mut text, "Links", &[Row::new([plain("to")]).note(names(links))]);
    }
    let title =
        format!("Table ({}, {} of them down)", counted(contacts as u64, "contact"), count(down as u64));
    let mut rows = vec![Row::new(["prefix", "contacts", "down", "spares"].map(plain))];
    rows.extend(life.buckets.iter().map(bucket));
    section(&mut text, &title, if contacts == 0 { &[] } else { &rows });
    let records: Vec<_> = life
        .records
        .iter()
        .take(MAX_RECORDS)
        .map(|record| {
            let publisher = record.publisher.as_ref().map(|name| format!("of {name}")).unwrap_or_default();
            Row::new([
                plain(short(&record.key)),
                plain(format!("{} B", record.bytes)),
                plain(format!("until {}", clock(record.expires_ns))),
                plain(publisher),
            ])
        })
        .collect();
    let title = format!("Records ({} held, {} of its own)", count(life.records.len() as u64), life.published);
    section(&mut text, &title, &records);
    if life.records.len() > records.len() {
        text.push_str(&format!("  and {} more\n", count((life.records.len() - records.len()) as u64)));
    }
    let searches: Vec<_> = life
        .searches
        .iter()
        .map(|search| {
            let for_whom = if search.for_a_client { "for a client" } else { "its own" };
            Row::new([
                plain(search.aim),
                plain(for_whom),
                plain(short(&search.key)),
                plain(format!("{} answered", search.answered)),
                plain(format!("{} asked", search.asked)),
                plain(format!("{} failed", search.failed)),
                plain(format!("{} known", search.known)),
            ])
        })
        .collect();
    section(&mut text, "Searches under way", &searches);
    text
}

fn bucket(bucket: &Bucket) -> Row {
    Row::new([
        plain(bucket.prefix.to_string()),
        plain(bucket.contacts.len().to_string()),
        plain(downs(&bucket.contacts).to_string()),
        plain(bucket.spares.len().to_string()),
    ])
    .note(names(&bucket.contacts))
}

fn downs(peers: &[Named]) -> usize {
    peers.iter().filter(|peer| !peer.up).count()
}

/// Who they are; those that are down have a mark.
fn names(peers: &[Named]) -> String {
    let name = |peer: &Named| if peer.up { peer.name.clone() } else { format!("{}(down)", peer.name) };
    peers.iter().map(name).collect::<Vec<_>>().join(" ")
}

pub(crate) fn short(key: &str) -> &str {
    key.get(..KEY_CHARS).unwrap_or(key)
}

fn log(events: &[EventRow], earlier: u64) -> String {
    if events.is_empty() {
        return "\nno event by then\n".to_owned();
    }
    let before = if earlier > 0 { format!(", {} before them", count(earlier)) } else { String::new() };
    let mut text = format!(
        "\n{}\n",
        Look::Strong.on(&format!("Events (the last {}{before})", count(events.len() as u64)))
    );
    let rows: Vec<_> = events.iter().map(line).collect();
    text.push_str(&aligned(&rows).lines().map(|line| cut(line) + "\n").collect::<String>());
    text
}

/// A line of an event log.
pub(crate) fn line(row: &EventRow) -> Row {
    Row::new([plain(row.event.to_string()), plain(stamp(row.t_ns)), plain(&row.kind), plain(&row.detail)])
}
