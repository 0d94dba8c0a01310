//! How long a record outlives its holders, if nobody passes it on (G10).
//!
//! A record is there as long as one of its twenty holders is. Holders that have just come leave soon; those that are met at
//! a random moment have mostly been there for long and stay for longer; and some who leave come back with their disks.

use types::{Duration, Instant, Purpose, Seed, Stream, Streams};

use crate::numbers::mean;
use crate::sessions::{IPFS, churning, lives};
use crate::{at_least, beside, full, gate, here};

const HOLDERS: usize = 20;
const HOUR: f64 = 3_600.0;

/// The share of records of which something is left, if each holder is with this chance.
fn outlives(survival: f64) -> f64 {
    1.0 - (1.0 - survival).powi(HOLDERS as i32)
}

#[test]
fn g10_fresh_holders_lose_records_as_the_closed_form_says() {
    let records = if full() { 50_000 } else { 10_000 };
    let peers = (records * HOLDERS) as u32;
    let tenth = IPFS.outlived_by(0.1);
    let lives = lives(&churning(IPFS, peers, Duration::from_hours(15)), peers);
    for (secs, expected, source) in [
        (tenth, 0.878, "when one holder in ten is left"),
        (12.0 * HOUR, outlives(IPFS.survival(12.0 * HOUR)), "after 12 h"),
    ] {
        let at = Instant::START + Duration::from_secs_f64_rounded(secs);
        let left = lives.chunks(HOLDERS).map(|holders| holders.iter().any(|lives| lives[0].1 > at));
        let share = mean(left.map(|left| f64::from(u8::from(left))));
        gate(
            "G10",
            &format!("records that outlive fresh holders {source}, {records} records"),
            expected,
            0.01,
            share,
        );
        assert!((0.86..=0.95).contains(&share), "fresh holders lose more than those met at random");
    }
}

#[test]
fn g10_holders_met_at_random_keep_records_for_a_day() {
    let (peers, records) = if full() { (50_000, 100_000) } else { (15_000, 10_000) };
    let (stored, day) = (Instant::START + Duration::from_hours(240), Duration::from_hours(24));
    let lives = lives(&churning(IPFS, peers, Duration::from_hours(265)), peers);
    let up = |at: Instant| move |life: &&(Instant, Instant)| life.0 <= at && at < life.1;
    // Of those who are up when records are stored: who stays, and who is up a day later.
    let met: Vec<(bool, bool)> = lives
        .iter()
        .filter_map(|lives| {
            let life = lives.iter().find(up(stored))?;
            Some((life.1 > stored + day, lives.iter().any(|life| up(stored + day)(&life))))
        })
        .collect();
    let mut stream = Streams::global(Seed(1), types::Domain::new("gates")).stream(Purpose::new("holders"), 0);
    let (mut stayed, mut there) = (Vec::new(), Vec::new());
    for _ in 0..records {
        let holders = choose(&mut stream, met.len());
        stayed.push(holders.iter().filter(|holder| met[**holder].0).count());
        there.push(holders.iter().filter(|holder| met[**holder].1).count());
    }
    let some = |counts: &[usize]| mean(counts.iter().map(|count| f64::from(u8::from(*count > 0))));
    let of = format!("{records} records on {} peers", met.len());
    let residual = outlives(IPFS.residual(24.0 * HOUR));
    gate(
        "G10",
        &format!("records that outlive a day of holders who never return, {of}"),
        residual,
        0.01,
        some(&stayed),
    );
    at_least("G10", &format!("records that outlive a day of holders who return, {of}"), 0.99, some(&there));
    there.sort_unstable();
    let median = there[there.len() / 2] as f64;
    gate("G10", &format!("median of holders that are up a day later, {of}"), 12.5, 3.5, median);
}

#[test]
fn g10_a_network_finds_its_records_a_day_later() {
    if !full() {
        return;
    }
    let run = |data: &str| {
        let scenario = run::scenario(here("records.yaml")).set("faults.0.churn.data", data);
        let finished = scenario.driver(run::Driver::Inline).run().unwrap();
        let goal = finished.verdict.thresholds.iter().find(|goal| goal.metric == "record.get_success_ratio");
        goal.and_then(|goal| goal.value).unwrap()
    };
    let what = |disks: &str| format!("GETs that find a record of a day ago, 1000 peers, {disks}");
    at_least("G10", &what("disks kept"), 0.99, run("kept"));
    // Those who stayed are fewer than two of twenty, and not all of them are still among the closest.
    let lost = run("lost");
    beside("G10", &what("disks lost"), outlives(IPFS.residual(24.0 * HOUR)), lost);
    assert!(lost < 0.97, "without their disks, holders who return keep no record: {lost}");
}

/// Twenty of so many, all different.
fn choose(stream: &mut Stream, among: usize) -> Vec<usize> {
    let mut chosen: Vec<usize> = Vec::with_capacity(HOLDERS);
    while chosen.len() < HOLDERS {
        let next = stream.index(among).unwrap();
        if !chosen.contains(&next) {
            chosen.push(next);
        }
    }
    chosen
}
