//! `wavetank explain lookup`: how an operation searched, beside the truth.

use std::collections::BTreeSet;

use record::OperationRow;
use run::story::{Asked, Fate, Stop, Story, True};
use run::{Inquiry, Keep};
use serde::Serialize;
use types::Instant;

use crate::args::understand::Lookup;
use crate::command::again::{Again, Seen};
use crate::command::look::short;
use crate::console::{Console, Look};
use crate::exit_code;
use crate::failure::Failure;
use crate::figures::{clock, count, counted, nanos};
use crate::screen::section;
use crate::signals::Signals;
use crate::table::{Row, plain};

/// The story, for programs.
#[derive(Debug, Serialize)]
struct Document<'a> {
    seen_again: Seen,
    #[serde(flatten)]
    story: &'a Story,
}

pub(crate) fn lookup(args: &Lookup, console: Console) -> Result<u8, Failure> {
    let signals = Signals::watch()?;
    let again = Again::open(&args.run, &args.machine, &args.shown, &signals, console)?;
    let operation = find(&again, args.operation)?;
    let prepared = again.prepare()?;
    // What happens at the end's own instant is to be seen.
    let until = operation.end_ns.map_or(Instant::NEVER, |end| Instant::from_nanos(end + 1));
    let peers = BTreeSet::from([operation.peer]);
    let answer = again.inquire(prepared, Inquiry { until, peers, keep: Keep::Steps })?;
    let seen = again.agree(&answer)?;
    let Some(story) = answer.story(&operation) else {
        let what = format!("operation {} did not happen again: the runs are not the same", args.operation);
        return Err(Failure::new(exit_code::DIVERGED, what));
    };
    console.answer(&text(&story, seen), &Document { seen_again: seen, story: &story })?;
    Ok(exit_code::PASSED)
}

/// The operation's row.
fn find(again: &Again<'_>, number: u64) -> Result<OperationRow, Failure> {
    let rows = match again.run.csv::<OperationRow>() {
        Err(record::RecordError::Missing { .. }) => {
            let what = format!("{} has no operations.csv: the run did not end", again.run.path().display());
            return Err(Failure::new(exit_code::NOTHING, what)
                .help("`wavetank replay --to TIME --peer PEER` shows what such a run did"));
        }
        rows => rows?,
    };
    let mut last = None;
    for row in rows {
        let row = row?;
        if row.operation == number {
            return Ok(row);
        }
        last = Some(row.operation);
    }
    let what = match last {
        Some(last) => format!("there is no operation {number}: they are counted from 0 to {}", count(last)),
        None => format!("there is no operation {number}: the run asked for none"),
    };
    Err(Failure::new(exit_code::USAGE, what))
}

fn text(story: &Story, seen: Seen) -> String {
    let about = match &story.target {
        Some(target) => format!("the key of {} ({})", target.name, short(&story.key)),
        None => format!("key {}", short(&story.key)),
    };
    let mut text = format!(
        "{}  {} of {about}\nasked of {} at {} by {}\n",
        Look::Strong.on(&format!("OPERATION {}", story.operation)),
        story.kind,
        story.peer.name,
        clock(story.began_ns),
        story.workload
    );
    text.push_str(&seen.text());
    let mut rows = vec![Row::new(["asked", "bits", "round", "after", "took", ""].map(plain))];
    rows.extend(tree(story));
    let title = format!("Search (from {} of its table)", counted(story.contacts as u64, "contact"));
    section(&mut text, &title, if story.asked.is_empty() { &[] } else { &rows });
    text.push_str(&format!("\nstopped     {}\nresult      {}\n", stop(story.stop), story.outcome));
    let unanswered =
        story.asked.iter().filter(|asked| asked.ended_ns.is_some() && asked.end != "answered").count();
    let took = match story.ended_ns {
        Some(ended) => format!("after {}", nanos(ended.saturating_sub(story.began_ns) as f64)),
        None => "it has no end".to_owned(),
    };
    let hops = story.hops.map_or_else(String::new, |hops| format!(", {}", counted(u64::from(hops), "hop")));
    text.push_str(&format!(
        "cost        {took}{hops}, {}, {unanswered} unanswered\n",
        counted(story.asked.len() as u64, "request")
    ));
    let found = story.found.map_or_else(String::new, |found| format!("; it found {found}"));
    let title = format!("Truth (the {} closest that were up when it ended{found})", story.truth.len());
    section(&mut text, &title, &story.truth.iter().map(truth).collect::<Vec<_>>());
    text.push_str("\nbits: how many leading bits a peer's key shares with the point; more is closer\n");
    text
}

/// The requests as a tree: below each answer those whom it was the first to name.
fn tree(story: &Story) -> Vec<Row> {
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); story.asked.len()];
    let mut roots = Vec::new();
    for (place, asked) in story.asked.iter().enumerate() {
        match asked.named_by.and_then(|parent| below.get_mut(parent)) {
            Some(children) => children.push(place),
            None => roots.push(place),
        }
    }
    let mut rows = Vec::new();
    let mut stack: Vec<(usize, usize)> = roots.into_iter().rev().map(|place| (place, 0)).collect();
    while let Some((place, depth)) = stack.pop() {
        let Some(asked) = story.asked.get(place) else { continue };
        rows.push(request(asked, depth, story.began_ns));
        let children = below.get(place).map_or(&[][..], Vec::as_slice);
        stack.extend(children.iter().rev().map(|child| (*child, depth + 1)));
    }
    rows
}

fn request(asked: &Asked, depth: usize, began_ns: u64) -> Row {
    let branch = if depth == 0 { String::new() } else { format!("{}`- ", "   ".repeat(depth - 1)) };
    let said = match asked.end {
        "answered" => plain(format!("named {}: {} new, {} closer", asked.named, asked.new, asked.closer)),
        "waiting" => ("still waiting".to_owned(), Look::Doubtful),
        end if asked.peer.up => (end.to_owned(), Look::Bad),
        end => (format!("{end}: it was down"), Look::Bad),
    };
    let took =
        asked.ended_ns.map_or_else(String::new, |ended| nanos(ended.saturating_sub(asked.at_ns) as f64));
    Row::new([
        plain(format!("{branch}{}", asked.peer.name)),
        plain(asked.prefix.to_string()),
        plain(asked.round.to_string()),
        plain(nanos(asked.at_ns.saturating_sub(began_ns) as f64)),
        plain(took),
        said,
    ])
}

const fn stop(stop: Stop) -> &'static str {
    match stop {
        Stop::Complete => "the k nearest that it knew and that did not fail answered",
        Stop::OutOfTime => "its time was up",
        Stop::ValueFound => "it had the value",
        Stop::ProvidersFound => "it had enough providers",
        Stop::PeerStopped => "its peer stopped",
        Stop::RunEnded => "it did not: the run ended first",
        Stop::NoSearch => "it asked nobody: it had the answer at hand, or its peer was busy",
    }
}

fn truth(peer: &True) -> Row {
    let (word, look, why) = match peer.fate {
        Fate::Found => ("found", Look::Good, ""),
        Fate::Answered => ("MISSED", Look::Bad, "it answered; others seemed nearer"),
        Fate::Unanswered => ("MISSED", Look::Bad, "asked, and no answer came in time"),
        Fate::NotAsked => ("MISSED", Look::Bad, "named, and not asked"),
        Fate::NeverNamed => ("MISSED", Look::Bad, "nobody named it"),
    };
    Row::new([
        (word.to_owned(), look),
        plain(&peer.peer.name),
        plain(counted(u64::from(peer.prefix), "bit")),
        plain(why),
    ])
}
