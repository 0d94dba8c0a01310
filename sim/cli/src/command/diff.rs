//! `wavetank runs diff`: what was put into two runs, and where they part.

use record::{Comparison, Difference, Run};
use serde::Serialize;

use crate::args;
use crate::console::{Console, Look};
use crate::exit_code;
use crate::failure::Failure;
use crate::figures::{count, counted, nanos};
use crate::table::{Row, aligned, plain};

/// Peers that a person is shown; a program gets all that are named.
const MAX_SHOWN: usize = 8;

pub(crate) fn diff(args: &args::Diff, console: Console) -> Result<u8, Failure> {
    let (first, second) = (Run::open(&args.first)?, Run::open(&args.second)?);
    let comparison = record::compare(&first, &second)?;
    let code = code(&comparison);
    let text = format!("{}{}", where_they_part(&comparison), inputs(&comparison));
    console.answer(&text, &Document::new(code, &comparison))?;
    Ok(code)
}

fn code(comparison: &Comparison) -> u8 {
    match comparison.difference {
        Difference::None => exit_code::PASSED,
        Difference::Rung { .. } | Difference::AfterLastRung if comparison.inputs.is_empty() => {
            exit_code::NONDETERMINISM
        }
        Difference::Rung { .. } | Difference::AfterLastRung => exit_code::DIVERGED,
        Difference::EqualSoFar | Difference::Incomparable(_) => exit_code::PROVES_NOTHING,
    }
}

/// The verdict on two runs, and the peers at which they part.
pub(crate) fn where_they_part(comparison: &Comparison) -> String {
    let until = match comparison.equal_until_ns {
        Some(at) => format!("equal until {} ({})", nanos(at as f64), counted(comparison.equal_rungs, "rung")),
        None => "not equal at any rung".to_owned(),
    };
    match &comparison.difference {
        Difference::None => format!("{}  fingerprints and all rungs\n", Look::Good.on("EQUAL")),
        Difference::AfterLastRung => {
            format!("{}  after the last rung; {until}\n", Look::Bad.on("DIFFERENT"))
        }
        Difference::EqualSoFar => {
            format!("{}  one run did not come to its end; {until}\n", Look::Doubtful.on("UNKNOWN"))
        }
        Difference::Incomparable(why) => format!("{}  {why}; {until}\n", Look::Doubtful.on("UNKNOWN")),
        Difference::Rung { at_ns, leaves, peers, more_peers } => {
            let mut text = format!("{}  at {}; {until}\n", Look::Bad.on("DIFFERENT"), nanos(*at_ns as f64));
            let named = peers.len() as u64 + more_peers;
            // Folders without a table of peers name none.
            let all =
                if named == 0 { counted(*leaves as u64, "leaf of peers") } else { counted(named, "peer") };
            text.push_str(&format!("by then, {all} had gone another way\n"));
            let shown = peers.iter().take(MAX_SHOWN);
            let rows: Vec<_> = shown.map(|peer| Row::new([plain(&peer.name), plain(&peer.id)])).collect();
            text.push_str(&aligned(&rows));
            if named > rows.len() as u64 {
                text.push_str(&format!("  and {} more\n", count(named - rows.len() as u64)));
            }
            text
        }
    }
}

/// What was put in and differs.
pub(crate) fn inputs(comparison: &Comparison) -> String {
    if comparison.inputs.is_empty() {
        return "\nboth ran the same: plan, seed, inputs, version\n".to_owned();
    }
    let mut rows = vec![Row::new(["", "first", "second"].map(plain))];
    let row = |input: &record::ladder::InputDifference| {
        Row::new([plain(&input.what), plain(shortened(&input.first)), plain(shortened(&input.second))])
    };
    rows.extend(comparison.inputs.iter().map(row));
    format!("\nThey did not run the same:\n{}", aligned(&rows))
}

/// Enough of a hash to tell it from another.
fn shortened(text: &str) -> String {
    let is_hash = text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit());
    if is_hash { text.chars().take(12).collect() } else { text.to_owned() }
}

/// A comparison, for programs.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    exit_code: u8,
    /// `equal`, `rung`, `after_last_rung`, `equal_so_far`, `incomparable`.
    difference: &'static str,
    equal_rungs: u64,
    equal_until_ns: Option<u64>,
    differs_at_ns: Option<u64>,
    reason: Option<&'a str>,
    peers: Vec<Peer<'a>>,
    more_peers: u64,
    inputs: Vec<Input<'a>>,
}

#[derive(Debug, Serialize)]
struct Peer<'a> {
    number: u32,
    name: &'a str,
    id: &'a str,
}

#[derive(Debug, Serialize)]
struct Input<'a> {
    what: &'a str,
    first: &'a str,
    second: &'a str,
}

impl<'a> Document<'a> {
    pub(crate) fn new(exit_code: u8, comparison: &'a Comparison) -> Self {
        let input = |input: &'a record::ladder::InputDifference| Input {
            what: &input.what,
            first: &input.first,
            second: &input.second,
        };
        let mut document = Self {
            exit_code,
            difference: "equal",
            equal_rungs: comparison.equal_rungs,
            equal_until_ns: comparison.equal_until_ns,
            differs_at_ns: None,
            reason: None,
            peers: Vec::new(),
            more_peers: 0,
            inputs: comparison.inputs.iter().map(input).collect(),
        };
        match &comparison.difference {
            Difference::None => {}
            Difference::AfterLastRung => document.difference = "after_last_rung",
            Difference::EqualSoFar => document.difference = "equal_so_far",
            Difference::Incomparable(why) => {
                document.difference = "incomparable";
                document.reason = Some(why);
            }
            Difference::Rung { at_ns, peers, more_peers, .. } => {
                document.difference = "rung";
                document.differs_at_ns = Some(*at_ns);
                let peer = |peer: &'a record::ladder::ComparedPeer| Peer {
                    number: peer.number,
                    name: &peer.name,
                    id: &peer.id,
                };
                document.peers = peers.iter().map(peer).collect();
                document.more_peers = *more_peers;
            }
        }
        document
    }
}
