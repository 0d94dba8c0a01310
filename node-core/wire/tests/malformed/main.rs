//! Frames that are refused: each for the reason that the protocol gives, and nothing of it stays in the book.

mod rules;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

use types::{Book, SharedBook};
use wavetank_wire::{Half, decode};

/// Where the table is.
const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/malformed/frames.txt");

#[test]
fn the_table_is_what_the_rules_make() -> anyhow::Result<()> {
    let made = rules::table();
    if std::env::var_os("WAVETANK_ACCEPT").is_some() {
        std::fs::write(PATH, &made)?;
    }
    assert!(std::fs::read_to_string(PATH)? == made, "frames.txt is older than its rules: WAVETANK_ACCEPT=1");
    Ok(())
}

#[test]
fn each_frame_is_refused_for_its_reason_and_leaves_no_stranger() -> anyhow::Result<()> {
    let cases = table::malformed()?;
    let mut book = Book::new(Arc::new(SharedBook::new(vec![])));
    let mut wrong = vec![];
    for case in &cases {
        for half in [Half::Request, Half::Response].into_iter().filter(|half| case.is_refused_as(*half)) {
            let decoded = decode(&case.bytes, half, &mut book);
            if decoded != Err(case.reason) {
                wrong.push(format!("{half:?}, {}: {decoded:?} instead of {:?}", case.what, case.reason));
            }
            if book.sweep(std::iter::empty()) != 0 {
                wrong.push(format!("{half:?}, {}: strangers stay", case.what));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn the_table_is_large_and_no_frame_is_in_it_twice() -> anyhow::Result<()> {
    let cases = table::malformed()?;
    let mut by_reason: BTreeMap<_, usize> = BTreeMap::new();
    let mut bytes: Vec<_> = cases.iter().map(|case| &case.bytes).collect();
    for case in &cases {
        *by_reason.entry(case.reason).or_default() += 1;
    }
    assert!(cases.len() >= 500, "{}", cases.len());
    assert!(by_reason.len() == 4 && by_reason.values().all(|count| *count >= 40), "{by_reason:?}");
    bytes.sort();
    let all = bytes.len();
    bytes.dedup();
    assert_eq!(bytes.len(), all);
    Ok(())
}
