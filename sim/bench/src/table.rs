//! Results as people read them: aligned tables of plain text.

use std::fmt;

use serde::Serialize;

use crate::contestant::Contestant;
use crate::goal::{Bound, Goal};
use crate::results::Results;

/// A table: the first column to the left, all others to the right.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                if column == 0 {
                    line.push_str(&format!("{cell:<width$}"));
                } else {
                    line.push_str(&format!("  {cell:>width$}"));
                }
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let load = self.load.map(|load| load.map_or_else(|| "?".to_owned(), |load| format!("{load:.1}")));
        let [before, after] = load;
        writeln!(f, "{}, {} cores, {}", self.machine.processor, self.machine.cores, self.machine.system)?;
        writeln!(
            f,
            "wavetank {}, {} build, load {before} before and {after} after, {} rounds",
            self.build.version, self.build.profile, self.repetitions
        )?;
        writeln!(f, "\n{}", goals(self))?;
        writeln!(f, "{}", rates(self))?;
        write!(f, "{}", growth(self))
    }
}

fn goals(results: &Results) -> Table {
    let mut table = Table::new(&["", "peers", "measured", "asked for", "holds"]);
    for goal in &results.goals {
        let (asked, holds) = match goal.bound {
            None => (String::new(), ""),
            Some(bound) => (bound.to_string(), if goal.holds() { "yes" } else { "NO" }),
        };
        table.row(vec![
            goal.what.clone(),
            grouped(u64::from(goal.peers)),
            figure(goal.value),
            asked,
            holds.to_owned(),
        ]);
    }
    table
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, ">= {}", figure(*least)),
            Self::AtMost(most) => write!(f, "<= {}", figure(*most)),
        }
    }
}

fn rates(results: &Results) -> Table {
    let mut table = Table::new(&[
        "messages per CPU-second",
        "peers",
        "median",
        "least",
        "most",
        "a lookup",
        "lookups/CPU-s",
    ]);
    for rate in &results.rates {
        let of_lookups = |value: f64| if rate.lookups == 0 { String::new() } else { figure(value) };
        let each = rate.messages as f64 / rate.lookups as f64;
        table.row(vec![
            rate.contestant.name().to_owned(),
            grouped(u64::from(rate.peers)),
            figure(rate.per_cpu_s.median),
            figure(rate.per_cpu_s.low),
            figure(rate.per_cpu_s.high),
            of_lookups(each),
            of_lookups(rate.per_cpu_s.median / each),
        ]);
    }
    table
}

/// Time per message and memory per peer as the network grows.
fn growth(results: &Results) -> Table {
    let sizes: std::collections::BTreeSet<u32> = results.rates.iter().map(|rate| rate.peers).collect();
    let mut head = vec!["as it grows".to_owned()];
    head.extend(sizes.iter().map(|peers| grouped(u64::from(*peers))));
    let mut table = Table { rows: vec![head] };
    let mut add = |name: String, cell: &dyn Fn(u32) -> Option<f64>| {
        let cells: Vec<_> = sizes.iter().map(|peers| cell(*peers).map(figure).unwrap_or_default()).collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            table.row(std::iter::once(name).chain(cells).collect());
        }
    };
    for contestant in Contestant::ALL {
        let rate = |peers| {
            let rate =
                results.rates.iter().find(|rate| (rate.contestant, rate.peers) == (contestant, peers))?;
            Some(1e9 / rate.per_cpu_s.median)
        };
        add(format!("{}: CPU ns per message", contestant.name()), &rate);
    }
    for contestant in Contestant::ALL {
        let of = |peers| {
            results.footprints.iter().find(|print| (print.contestant, print.peers) == (contestant, peers))
        };
        add(format!("{}: bytes per peer", contestant.name()), &|peers| Some(of(peers)?.bytes_per_peer));
        add(format!("{}: CPU us to start, per peer", contestant.name()), &|peers| {
            Some(of(peers)?.start_cpu_s * 1e6 / f64::from(peers))
        });
    }
    table
}

/// Three significant digits, or whole numbers in groups of three.
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 100.0 => grouped(value.round() as u64),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.995 => format!("{value:.2}"),
        size if size.is_nan() => "?".to_owned(),
        _ => format!("{value:.3}"),
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Results beside the committed ones: ratios and bytes, which mean the same on another machine.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Comparison {
    rows: Vec<Compared>,
}

/// A figure and the committed one.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Compared {
    what: String,
    peers: u32,
    now: f64,
    committed: f64,
}

impl Comparison {
    /// Whether no figure has a committed one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Holds results against those that are committed, wherever both have a figure.
#[must_use]
pub fn compare(results: &Results, committed: &Results) -> Comparison {
    let of = |goal: &Goal| {
        let same = |other: &&Goal| other.what == goal.what && other.peers == goal.peers;
        let committed = committed.goals.iter().find(same)?.value;
        Some(Compared { what: goal.what.clone(), peers: goal.peers, now: goal.value, committed })
    };
    Comparison { rows: results.goals.iter().filter_map(of).collect() }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&["against the committed results", "peers", "now", "committed", "change"]);
        for Compared { what, peers, now, committed } in &self.rows {
            let change = (now / committed - 1.0) * 100.0;
            table.row(vec![
                what.clone(),
                grouped(u64::from(*peers)),
                figure(*now),
                figure(*committed),
                format!("{change:+.0} %"),
            ]);
        }
        write!(f, "{table}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Machine;
    use crate::results::{Build, FORMAT, Footprint, Rate, Spread};

    fn results() -> Results {
        let goal = |what: &str, value, bound| Goal { what: what.to_owned(), peers: 1_000, value, bound };
        let spread = Spread { median: 2e6, low: 1e6, high: 3e6 };
        Results {
            format: FORMAT,
            machine: Machine {
                processor: "abacus".into(),
                cores: 2,
                memory_bytes: 0,
                system: "linux".into(),
            },
            build: Build { version: "0.1.0".into(), profile: "release".into() },
            load: [Some(0.25), None],
            repetitions: 3,
            goals: vec![
                goal("relay / wheel", 0.625, Some(Bound::AtLeast(0.5))),
                goal("bytes", 6_100.0, Some(Bound::AtMost(6_000.0))),
                goal("other", 12.345, None),
            ],
            rates: vec![Rate {
                contestant: Contestant::Inline,
                peers: 1_000,
                messages: 400,
                lookups: 10,
                per_cpu_s: spread,
            }],
            footprints: vec![Footprint {
                contestant: Contestant::Inline,
                peers: 1_000,
                lookups: 10,
                peak_rss_bytes: 1,
                bytes_per_peer: 2_500.4,
                start_cpu_s: 0.5,
            }],
        }
    }

    #[test]
    fn results_read_as_aligned_tables() {
        let text = results().to_string();
        assert_eq!(text, TEXT);
    }

    const TEXT: &str = "\
abacus, 2 cores, linux
wavetank 0.1.0, release build, load 0.2 before and ? after, 3 rounds

               peers  measured  asked for  holds
relay / wheel  1,000     0.625   >= 0.500    yes
bytes          1,000     6,100   <= 6,000     NO
other          1,000      12.3

messages per CPU-second  peers     median      least       most  a lookup  lookups/CPU-s
kademlia, inline         1,000  2,000,000  1,000,000  3,000,000      40.0         50,000

as it grows                                  1,000
kademlia, inline: CPU ns per message           500
kademlia, inline: bytes per peer             2,500
kademlia, inline: CPU us to start, per peer    500
";

    #[test]
    fn a_comparison_tells_what_changed() {
        let mut committed = results();
        committed.goals.truncate(2);
        committed.goals[0].value = 0.5;
        let text = compare(&results(), &committed).to_string();
        assert_eq!(
            text,
            "\
against the committed results  peers    now  committed  change
relay / wheel                  1,000  0.625      0.500   +25 %
bytes                          1,000  6,100      6,100    +0 %
"
        );
    }
}
