//! `wavetank why`: what led to an event, back to what began it.

use std::collections::BTreeMap;

use record::{EventId, EventRow, OperationRow, RecordError, Run};
use run::{Inquiry, Keep, Who};
use serde::Serialize;
use types::{Duration, Instant};

use crate::args::understand::Why;
use crate::command::again::{Again, Seen};
use crate::console::{Console, Look};
use crate::exit_code;
use crate::failure::Failure;
use crate::figures::{clock, counted};
use crate::signals::Signals;
use crate::table::wrapped;

/// Events of a folder's log that are held at a time; a longer log is not searched: going through the run again is.
const MAX_LOGGED: usize = 2_000_000;
/// What a peer tells of an event it tells when its work on it is done, some microseconds later.
const AFTERWARDS: Duration = Duration::from_millis(100);
/// Links of a chain that a person is shown at either end; a program gets all.
const MAX_SHOWN: usize = 20;

/// One event of a chain: how it was handled, and what its peer told meanwhile.
#[derive(Clone, Debug, Serialize)]
struct Link {
    #[serde(flatten)]
    row: EventRow,
    /// The name of its peer.
    name: String,
    told: Vec<String>,
}

/// The chain, for programs.
#[derive(Debug, Serialize)]
struct Document<'a> {
    /// Absent if the folder's own event log held the whole chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_again: Option<Seen>,
    /// The event and what led to it, one by one.
    chain: &'a [Link],
    began_with: &'a str,
}

pub(crate) fn why(args: &Why, console: Console) -> Result<u8, Failure> {
    let signals = Signals::watch()?;
    let again = Again::open(&args.run, &args.machine, &args.shown, &signals, console)?;
    let prepared = again.prepare()?;
    let who = prepared.who();
    let (rows, seen) = match logged(&again.run, args.event)? {
        Some(rows) => (rows, None),
        None => {
            let (rows, seen) = gone_through(&again, prepared, args.event)?;
            (rows, Some(seen))
        }
    };
    let chain = chain(rows, args.event, &who);
    let Some(root) = chain.last() else {
        return Err(Failure::new(
            exit_code::INTERNAL,
            "the event's line was lost; this is a defect of wavetank",
        ));
    };
    let began_with = origin(&root.row, &who, &again.run)?;
    let text = text(&chain, &began_with, seen);
    console.answer(&text, &Document { seen_again: seen, chain: &chain, began_with: &began_with })?;
    Ok(exit_code::PASSED)
}

/// The lines of the chain from the folder's event log; none if it does not have them all.
fn logged(run: &Run, event: EventId) -> Result<Option<Vec<EventRow>>, Failure> {
    let rows = match run.json::<EventRow>() {
        Err(RecordError::Missing { .. }) => return Ok(None),
        rows => rows?,
    };
    let mut all: BTreeMap<EventId, Vec<EventRow>> = BTreeMap::new();
    let mut kept = 0;
    let mut seen = false;
    for row in rows {
        let row = row?;
        // What the peer told while it handled the event follows the event's own line.
        if seen && row.event != event && row.peer == event.peer {
            break;
        }
        seen |= row.event == event;
        kept += 1;
        if kept > MAX_LOGGED {
            return Ok(None);
        }
        all.entry(row.event).or_default().push(row);
    }
    let mut chain = Vec::new();
    let mut next = Some(event);
    while let Some(id) = next {
        let Some(rows) = all.remove(&id) else { return Ok(None) };
        next = rows.iter().find(|row| row.kind != TOLD).and_then(cause);
        chain.extend(rows);
    }
    Ok(Some(chain))
}

/// The kind of a line that says what a peer told.
const TOLD: &str = "told";
/// The kind of a line that says that a peer's timer went off.
const TIMER: &str = "deadline";

/// What led to this; who set a timer did not bring about what follows it, the time did.
fn cause(row: &EventRow) -> Option<EventId> {
    row.cause.filter(|_| row.kind != TIMER)
}

/// The lines of the chain from the run gone through twice: for who caused what, and for what that was.
fn gone_through(
    again: &Again<'_>,
    prepared: run::Prepared,
    event: EventId,
) -> Result<(Vec<EventRow>, Seen), Failure> {
    let inquiry = Inquiry { until: Instant::NEVER, peers: [].into(), keep: Keep::Causes(event) };
    let answer = again.inquire(prepared, inquiry)?;
    let Some(happened) = answer.happened else {
        let what = format!("there is no event {event} in {}", again.run.path().display());
        return Err(Failure::new(exit_code::USAGE, what)
            .help("an event is PEER.COUNT, as in events.jsonl.zst; `wavetank replay --to TIME --peer PEER` lists a peer's"));
    };
    let inquiry = Inquiry {
        until: happened + AFTERWARDS,
        peers: answer.ancestry.iter().map(|event| event.peer).collect(),
        keep: Keep::Events(answer.ancestry.iter().copied().collect()),
    };
    let answer = again.inquire(again.prepare()?, inquiry)?;
    let seen = again.agree(&answer)?;
    Ok((answer.events, seen))
}

/// The lines put together, the event that was asked for first.
fn chain(rows: Vec<EventRow>, event: EventId, who: &Who) -> Vec<Link> {
    let mut links: BTreeMap<EventId, Link> = BTreeMap::new();
    let mut told: BTreeMap<EventId, Vec<String>> = BTreeMap::new();
    for row in rows {
        if row.kind == TOLD {
            told.entry(row.event).or_default().push(row.detail);
        } else {
            let name = who.name(row.peer);
            links.insert(row.event, Link { row, name, told: Vec::new() });
        }
    }
    let mut chain = Vec::new();
    let mut next = Some(event);
    while let Some(mut link) = next.and_then(|id| links.remove(&id)) {
        link.told = told.remove(&link.row.event).unwrap_or_default();
        next = cause(&link.row);
        chain.push(link);
    }
    chain
}

/// What the last link of a chain came from.
fn origin(root: &EventRow, who: &Who, run: &Run) -> Result<String, Failure> {
    let name = who.name(root.peer);
    let at = clock(root.t_ns);
    Ok(match root.kind.as_str() {
        TIMER => match root.cause {
            Some(set) => format!("a timer of {name}, set while it handled {set}"),
            None => format!("a timer of {name}"),
        },
        "command" => match operation(root, run)? {
            Some(operation) => format!(
                "operation {} ({} by {}), asked of {name} at {}",
                operation.operation,
                operation.kind,
                who.workload(operation.workload),
                clock(operation.start_ns)
            ),
            None => format!("a command to {name}: {}", root.detail),
        },
        "started" => {
            let presence = who.presence(root.peer, Instant::from_nanos(root.t_ns + 1));
            match presence.fault {
                Some(fault) => format!("{name} was started again at {at}, after {fault}"),
                None => format!("{name} joined at {at}"),
            }
        }
        "link_up" | "link_down" | "failed" => format!("a link of {name}: its own time was up at {at}"),
        other => format!("{other} at {name}, which no peer caused"),
    })
}

/// The operation that this command was: the latest that was asked of the peer by then.
fn operation(root: &EventRow, run: &Run) -> Result<Option<OperationRow>, Failure> {
    let rows = match run.csv::<OperationRow>() {
        Err(RecordError::Missing { .. }) => return Ok(None),
        rows => rows?,
    };
    let mut found = None;
    for row in rows {
        let row = row?;
        if row.start_ns > root.t_ns {
            break;
        }
        if row.peer == root.peer {
            found = Some(row);
        }
    }
    Ok(found)
}

fn text(chain: &[Link], began_with: &str, seen: Option<Seen>) -> String {
    let mut text = String::new();
    let hidden = chain.len().saturating_sub(2 * MAX_SHOWN);
    for (place, link) in chain.iter().enumerate() {
        if hidden > 0 && (MAX_SHOWN..MAX_SHOWN + hidden).contains(&place) {
            if place == MAX_SHOWN {
                text.push_str(&format!("  ... {} between\n", counted(hidden as u64, "event")));
            }
            continue;
        }
        let EventRow { t_ns, event, kind, detail, .. } = &link.row;
        let because = if place == 0 { "" } else { "because " };
        text.push_str(&format!(
            "{because}{}  {kind} at {}, {}\n",
            Look::Strong.on(&event.to_string()),
            clock(*t_ns),
            link.name
        ));
        if !detail.is_empty() {
            text.push_str(&wrapped(&format!("    {detail}"), 4));
        }
        for told in &link.told {
            text.push_str(&wrapped(&format!("    told: {told}"), 6));
        }
    }
    text.push('\n');
    text.push_str(&wrapped(&format!("began with  {began_with}"), 12));
    text.push_str(&seen.map_or_else(|| "seen        in the folder's event log\n".to_owned(), Seen::text));
    text
}
