//! What the tables of files mean: moments, sessions, distances.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use kernel::matrix::{Distance, Table as Distances};
use kernel::resolve::MAX_LATENCY;
use play::plan::recorded::MAX_SESSIONS;
use play::plan::{Session, Sessions};
use types::{Duration, Instant};

use super::table::{Cell, Table};
use crate::diagnostic::{Problems, grouped, quoted};
use crate::source::Span;

/// Reads `at_ms`: when operations begin, in order.
pub(super) fn moments(source: u32, text: &str, problems: &mut Problems) -> Option<Vec<Duration>> {
    let mut table = Table::open(source, text, &[&["at_ms"]], problems)?;
    let mut moments: Vec<Duration> = Vec::new();
    while let Some(row) = table.row(problems) {
        let [cell] = row.as_slice() else { continue };
        let plain = cell.text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let moment = format!("{}ms", cell.text).parse::<Duration>().ok().filter(|_| plain);
        let Some(moment) = moment else {
            let written = quoted(cell.text);
            table.mistake(
                problems,
                cell.span,
                format!("{written} is no time; write milliseconds such as 1500 or 0.25"),
            );
            continue;
        };
        if let Some(last) = moments.last().filter(|last| **last > moment) {
            let message = format!("{moment} comes before {last}, which stands above it; sort the file");
            table.mistake(problems, cell.span, message);
        }
        moments.push(moment);
    }
    table.is_sound().then_some(moments)
}

/// Reads `peer,up_ms,down_ms`.
pub(super) fn sessions(source: u32, text: &str, problems: &mut Problems) -> Option<Sessions> {
    let mut table = Table::open(source, text, &[&["peer", "up_ms", "down_ms"]], problems)?;
    let (mut recorded, mut spans): (Vec<(u32, Session)>, Vec<Span>) = Default::default();
    while let Some(row) = table.row(problems) {
        let [peer, up, down] = row.as_slice() else { continue };
        if recorded.len() == MAX_SESSIONS {
            let most = grouped(MAX_SESSIONS as i128);
            table.mistake(problems, peer.span, format!("the file has more than {most} sessions"));
            break;
        }
        let number = peer.text.parse::<u32>();
        if number.is_err() {
            let message =
                format!("{} is no peer's number; write a whole number such as 17", quoted(peer.text));
            table.mistake(problems, peer.span, message);
        }
        let begun = moment(&mut table, up, problems);
        let ended =
            if down.text.is_empty() { Some(Instant::NEVER) } else { moment(&mut table, down, problems) };
        if let (Ok(number), Some(begun), Some(ended)) = (number, begun, ended) {
            recorded.push((number, (begun, ended)));
            spans.push(Span { end: down.span.end.max(up.span.end), ..up.span });
        }
    }
    if table.is_sound() && recorded.is_empty() {
        table.mistake(problems, Span::new(source, 0, 0), "the file has no session");
    }
    match Sessions::new(&recorded) {
        Ok(sessions) => table.is_sound().then_some(sessions),
        Err(wrong) => {
            for (place, error) in wrong {
                if let Some(span) = spans.get(place) {
                    table.mistake(problems, *span, format!("the session {error}"));
                }
            }
            None
        }
    }
}

/// Whole milliseconds since the run's beginning.
fn moment(table: &mut Table<'_>, cell: &Cell<'_>, problems: &mut Problems) -> Option<Instant> {
    match cell.text.parse::<u64>() {
        // Beyond a run of 500 years the nanoseconds end.
        Ok(millis) if millis < u64::MAX / 2_000_000 => Some(Instant::START + Duration::from_millis(millis)),
        _ => {
            let message = format!("{} is no time; write whole milliseconds such as 90000", quoted(cell.text));
            table.mistake(problems, cell.span, message);
            None
        }
    }
}

/// Reads `from,to,one_way_ms|rtt_ms[,jitter_ms]`.
pub(super) fn distances(source: u32, text: &str, problems: &mut Problems) -> Option<Distances> {
    const HEADERS: [&[&str]; 4] = [
        &["from", "to", "one_way_ms"],
        &["from", "to", "rtt_ms"],
        &["from", "to", "one_way_ms", "jitter_ms"],
        &["from", "to", "rtt_ms", "jitter_ms"],
    ];
    let mut table = Table::open(source, text, &HEADERS, problems)?;
    let ways = if table.columns().contains(&"rtt_ms") { 2 } else { 1 };
    let mut known: BTreeMap<(String, String), (Distance, u64)> = BTreeMap::new();
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    while let Some(row) = table.row(problems) {
        let [from, to, far, rest @ ..] = row.as_slice() else { continue };
        for place in [from, to].into_iter().filter(|place| place.text.is_empty()) {
            table.mistake(problems, place.span, "a place has a name");
        }
        let one_way = span(&mut table, far, problems).map(|span| span.divided(ways));
        let jitter = rest.first().map_or(Some(Duration::ZERO), |cell| span(&mut table, cell, problems));
        if !seen.insert((from.text, to.text)) {
            let message = format!("{} to {} stands here twice", quoted(from.text), quoted(to.text));
            table.mistake(problems, from.span, message);
        }
        let (Some(one_way), Some(jitter)) = (one_way, jitter) else { continue };
        let ends = (from.text.min(to.text).to_owned(), from.text.max(to.text).to_owned());
        match known.entry(ends) {
            Entry::Vacant(slot) => {
                slot.insert((Distance { one_way, jitter }, 1));
            }
            Entry::Occupied(mut both) => {
                let (sum, count) = both.get_mut();
                *sum = Distance { one_way: sum.one_way + one_way, jitter: sum.jitter + jitter };
                *count += 1;
            }
        }
    }
    if table.is_sound() && known.is_empty() {
        table.mistake(problems, Span::new(source, 0, 0), "the file has no pair of places");
    }
    let mean = |(sum, count): (Distance, u64)| Distance {
        one_way: sum.one_way.divided(count),
        jitter: sum.jitter.divided(count),
    };
    let pairs = known.into_iter().map(|(ends, sums)| (ends, mean(sums))).collect();
    table.is_sound().then(|| Distances::new(pairs))
}

/// Milliseconds, with decimals.
fn span(table: &mut Table<'_>, cell: &Cell<'_>, problems: &mut Problems) -> Option<Duration> {
    let span = format!("{}ms", cell.text).parse::<Duration>().ok();
    match span.filter(|span| *span <= MAX_LATENCY) {
        Some(span) => Some(span),
        None => {
            let message = format!("{} is no latency; write milliseconds such as 12.5", quoted(cell.text));
            table.mistake(problems, cell.span, message);
            None
        }
    }
}
