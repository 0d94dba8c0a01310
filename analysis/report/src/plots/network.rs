//! The routing tables at the last sampling instant: how full, how connected, how far they reach.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::{Made, short};
use crate::axis::Axis;
use crate::data::Data;
use crate::draw::{Bar, Bars, Layout, Line, Mark, Panel, Reading};
use crate::network::{Network, PARTS, Place};
use crate::palette::{BLUE, SERIES, VERMILION};
use crate::words::{clock, count, counted};

/// Bars that are drawn: deeper buckets hold next to nothing.
const MAX_BUCKETS: usize = 40;
/// Steps of a curve of degrees.
const MAX_POINTS: usize = 300;
/// Peers that are drawn as points: more would be a smear.
const MAX_PEERS: usize = 1_200;
/// Groups that have a row: those after them, by name, are left out.
const MAX_ROWS: usize = 12;
/// The golden ratio's: points that follow it never form stripes.
const SPREAD: f64 = 0.618_033_988_75;

pub(super) fn fill(data: &Data, layout: Layout) -> Option<Made> {
    let network = data.network.as_ref()?;
    let least = 0.005;
    let last = network.fill.iter().rposition(|fill| fill.fresh + fill.stale >= least)?.min(MAX_BUCKETS - 1);
    let buckets = || network.fill.iter().take(last + 1).enumerate();
    let bar = |bucket: usize, from, to| Bar { x: bucket as f64, from, to, label: String::new() };
    let fresh = buckets().map(|(bucket, fill)| bar(bucket, 0.0, fill.fresh)).collect();
    let stale = buckets().map(|(bucket, fill)| bar(bucket, fill.fresh, fill.fresh + fill.stale)).collect();
    let highest = buckets().map(|(_, fill)| fill.fresh + fill.stale).fold(0.0, f64::max);
    let stride = if layout == Layout::Narrow { last.div_ceil(8).max(1) } else { 1 };
    let ticks = (0..=last).step_by(stride).map(|bucket| (bucket as f64, bucket.to_string())).collect();
    let panel =
        Panel::new("contacts per table, mean", Axis::numbers(highest, 4), Reading::Number("contacts")).with(
            [
                Mark::Bars(Bars { name: "up".to_owned(), colour: BLUE, step: 1.0, bars: fresh }),
                Mark::Bars(Bars { name: "down".to_owned(), colour: VERMILION, step: 1.0, bars: stale }),
            ],
        );
    let caption = format!(
        "{} Blue: contacts that are up; orange above it: contacts that are down. Bucket 0 is the farther half of the key space, each next one half of what is left.",
        rests_on(network)
    );
    Some(Made {
        x: Axis { from: -0.6, to: last as f64 + 0.6, ticks },
        x_unit: "bucket: bits that the keys share".to_owned(),
        read_x: Reading::Number("shared bits"),
        bands: Vec::new(),
        panels: vec![panel],
        caption,
    })
}

pub(super) fn degrees(data: &Data, layout: Layout) -> Option<Made> {
    let network = data.network.as_ref()?;
    let curve = |name: &str, colour, degrees: &BTreeMap<u64, u64>| {
        let all: u64 = degrees.values().sum();
        let mut below = 0;
        let start = degrees.keys().next().map(|degree| (*degree as f64, 0.0));
        let steps = degrees.iter().map(|(degree, peers)| {
            below += peers;
            (*degree as f64, below as f64 / all.max(1) as f64)
        });
        let steps: Vec<(f64, f64)> = start.into_iter().chain(steps).collect();
        let stride = steps.len().div_ceil(MAX_POINTS).max(1);
        let offset = steps.len().saturating_sub(1) % stride;
        let piece = steps.into_iter().skip(offset).step_by(stride).collect();
        Line { name: name.to_owned(), colour, pieces: vec![piece] }
    };
    let [blue, vermilion, ..] = SERIES;
    let lines =
        [curve("contacts", blue, &network.out_degrees), curve("named by", vermilion, &network.in_degrees)];
    let most = network.out_degrees.keys().chain(network.in_degrees.keys()).max().copied()? as f64;
    let wished = if layout == Layout::Narrow { 4 } else { 10 };
    let caption = format!(
        "{} Contacts: how many a table holds. Named by: how many tables, of peers that are up, name a peer{}. A steep curve is an even load.",
        rests_on(network),
        if network.is_sample() { " of the sample, the sample's alone" } else { "" }
    );
    Some(Made {
        x: Axis::numbers(most, wished),
        x_unit: "contacts, or tables".to_owned(),
        read_x: Reading::Number(""),
        bands: Vec::new(),
        panels: vec![
            Panel::new("share of peers with no more", Axis::shares(0.0), Reading::Share)
                .with(lines.map(Mark::Line)),
        ],
        caption,
    })
}

/// Peers by the first bits of their keys, and below it how many contacts they have in each part of the key space.
pub(super) fn map(data: &Data, layout: Layout) -> Option<Made> {
    let network = data.network.as_ref()?;
    let (peers, shown) = crowd(network);
    let mut ticks = vec![(0.0, "00".to_owned())];
    let parts = if layout == Layout::Narrow { 4 } else { 16 };
    ticks.extend(
        (1..parts).map(|part| (f64::from(part) / f64::from(parts), format!("{:02x}", part * 256 / parts))),
    );
    ticks.push((1.0, "ff".to_owned()));
    let caption = format!(
        "{} Above: {shown}, full if up, hollow if down. Below: the stronger a field, the more contacts a peer of that column has in that row. Near its own key a peer knows nearly everybody, far away a few of many: hence the squares in squares along the diagonal.",
        rests_on(network)
    );
    Some(Made {
        x: Axis { from: 0.0, to: 1.0, ticks },
        x_unit: "first byte of the peer's key".to_owned(),
        read_x: Reading::Key,
        bands: Vec::new(),
        panels: vec![peers, reach(network, layout)],
        caption,
    })
}

/// The peers as points, a row for each group, and in words which.
fn crowd(network: &Network) -> (Panel, String) {
    let mut groups: BTreeMap<&str, Vec<&Place>> = BTreeMap::new();
    for place in &network.places {
        groups.entry(&place.group).or_default().push(place);
    }
    let rows = groups.len().clamp(1, MAX_ROWS);
    let mut marks = Vec::new();
    let mut ticks = Vec::new();
    let mut drawn = 0;
    for ((row, (name, places)), colour) in groups.iter().take(MAX_ROWS).enumerate().zip(SERIES.iter().cycle())
    {
        let middle = (rows - row) as f64 - 0.5;
        ticks.push((middle, short(name)));
        let spread = |number: usize| middle + ((number as f64 * SPREAD).fract() - 0.5) * 0.7;
        // Small groups are drawn whole beside large ones.
        let stride = places.len().div_ceil(MAX_PEERS / rows).max(1);
        drawn += places.len().div_ceil(stride);
        let of = |up: bool| {
            let chosen =
                places.iter().step_by(stride).enumerate().filter(move |(_, place)| place.is_up == up);
            chosen.map(|(number, place)| (place.at, spread(number))).collect()
        };
        marks.push(Mark::Crowd { colour: *colour, full: of(true), hollow: of(false) });
    }
    let y = Axis { from: 0.0, to: rows as f64, ticks };
    let mut panel = Panel::new("peers, by group", y, Reading::Number("peers")).with(marks);
    panel.height = 60 + 40 * rows.min(5) as i32;
    panel.told = [("up", true), ("down", false)].map(|(name, up)| census(network, name, up)).into();
    let all = counted(network.places.len() as u64, "peer");
    let shown = if drawn == network.places.len() { all } else { format!("{} of {all}", count(drawn as u64)) };
    (panel, shown)
}

/// How many peers stand in each part of the key space.
fn census(network: &Network, name: &str, up: bool) -> Line {
    let mut counts = [0.0; PARTS];
    for place in network.places.iter().filter(|place| place.is_up == up) {
        let part = (place.at * PARTS as f64) as usize;
        counts.get_mut(part.min(PARTS - 1)).into_iter().for_each(|count| *count += 1.0);
    }
    told(name, BLUE, &counts)
}

fn told(name: &str, colour: RGBColor, values: &[f64; PARTS]) -> Line {
    let middle = |part: usize| (part as f64 + 0.5) / PARTS as f64;
    let points = values.iter().enumerate().map(|(part, value)| (middle(part), *value)).collect();
    Line { name: name.to_owned(), colour, pieces: vec![points] }
}

fn reach(network: &Network, layout: Layout) -> Panel {
    let strongest = network.reach.iter().flatten().copied().fold(0.0, f64::max);
    let side = 1.0 / PARTS as f64;
    let mut cells = Vec::new();
    let mut own = [0.0; PARTS];
    let mut all = [0.0; PARTS];
    for (column, row) in network.reach.iter().enumerate() {
        for (part, contacts) in row.iter().enumerate() {
            // Roots, so that what is rare shows: a field of a hundredth is a tenth as strong.
            let strength = (contacts / strongest.max(1e-9)).sqrt();
            if strength >= 0.02 {
                let rounded = (strength * 50.0).round() / 50.0;
                cells.push((column as f64 * side, part as f64 * side, rounded));
            }
        }
        own.get_mut(column).into_iter().for_each(|own| *own = row.get(column).copied().unwrap_or(0.0));
        all.get_mut(column).into_iter().for_each(|all| *all = row.iter().sum());
    }
    let ticks = (0..=4).map(|part: u32| (f64::from(part) / 4.0, format!("{:02x}", (part * 64).min(255))));
    let y = Axis { from: 0.0, to: 1.0, ticks: ticks.collect() };
    let mut panel = Panel::new("first byte of the contact's key", y, Reading::Number("contacts"))
        .with([Mark::Cells { colour: BLUE, side, cells }]);
    panel.height = if layout == Layout::Narrow { 180 } else { 240 };
    panel.told = vec![told("in the own 32nd", BLUE, &own), told("in all", BLUE, &all)];
    panel
}

/// Which tables, of when.
fn rests_on(network: &Network) -> String {
    let at = clock(network.head.t_ms);
    let up = network.places.iter().filter(|place| place.is_up).count() as u64;
    let tables = counted(up, "table");
    match network.head.every {
        0 | 1 => format!("{tables} of peers that are up, at {at}."),
        every => format!(
            "A sample: {tables} of peers that are up, at {at}, of every {every}th of {} peers.",
            count(network.head.peers)
        ),
    }
}
