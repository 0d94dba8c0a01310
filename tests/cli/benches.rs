//! Tiny sessions of `wavetank bench`: everybody has a turn, and what came of it is read in every form alike.

use bench::{Contestant, Results};

use crate::{Desk, Said};

/// So few that no goal speaks of them: the figures say nothing, and nothing is asked of them.
const TINY: [&str; 7] = ["bench", "--peers", "30", "--rounds", "1", "--lookups", "40"];

fn bench(desk: &Desk, more: &[&str]) -> Said {
    desk.type_in(&[&TINY, more].concat())
}

#[test]
fn people_read_tables_with_everybody_and_a_file_keeps_the_same() {
    let desk = Desk::new();
    let file = desk.path().join("results.json");
    std::fs::write(&file, "older").unwrap();
    let said = bench(&desk, &["--out", "results.json", "--verbose"]);
    assert_eq!(said.code, 0, "{said:?}");
    let kept = Results::from_json(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(said.stdout, kept.to_string(), "no committed result is of so few peers");
    assert_eq!(kept.rates.iter().map(|rate| rate.contestant).collect::<Vec<_>>(), Contestant::ALL);
    for contestant in Contestant::ALL {
        let name = contestant.name();
        assert!(said.stdout.lines().any(|line| line.starts_with(name)), "{name}: {}", said.stdout);
        assert!(said.stderr.contains(&format!("30 peers, round 1 of 1: {name}\n")), "{}", said.stderr);
    }
    assert_eq!(kept.footprints.len(), 3);
    assert!(kept.footprints.iter().all(|print| print.peers == 30 && print.peak_rss_bytes > 1 << 20));
    assert!(said.stderr.starts_with("30 peers: 1 round with 40 lookups\n"), "{}", said.stderr);
    assert_eq!(said.stderr.contains("debug build"), kept.build.profile == "debug", "{}", said.stderr);
    assert_eq!(std::fs::read_dir(desk.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn programs_read_one_document_and_quiet_is_quiet() {
    let said = bench(&Desk::new(), &["--no-memory", "--format", "json", "--quiet"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{said:?}");
    let document = said.json();
    assert_eq!((&document["status"], &document["exit_code"]), (&"pass".into(), &0.into()));
    assert_eq!(document["comparison"], serde_json::json!([]));
    let results = Results::from_json(&document["results"].to_string()).unwrap();
    assert_eq!(results.rates.iter().map(|rate| rate.contestant).collect::<Vec<_>>(), Contestant::ALL);
    assert!(results.rates.iter().all(|rate| rate.peers == 30 && rate.per_cpu_s.median > 0.0));
    assert!(results.footprints.is_empty(), "memory was not wanted");
}

#[test]
fn what_cannot_be_measured_is_said_with_what_can() {
    let desk = Desk::new();
    for (arguments, why) in [
        (&["--peers", "19"][..], "19 is not in 20..=1000000"),
        (&["--peers", "30,1000001"], "1000001 is not in 20..=1000000"),
        (&["--peers", "30,"], "invalid value '' for '--peers <N>'"),
        (&["--peers", "many"], "invalid value 'many' for '--peers <N>'"),
        (&["--rounds", "0"], "0 is not in 1..=100"),
        (&["--rounds", "101"], "101 is not in 1..=100"),
        (&["--lookups", "0"], "0 is not in 1..=10000000"),
        (&["--quick", "--full"], "'--quick' cannot be used with '--full'"),
    ] {
        let said = desk.type_in(&[&["bench"], arguments].concat());
        assert_eq!((said.code, said.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(said.stderr.contains(why), "{arguments:?}: {}", said.stderr);
    }
}

#[test]
fn a_file_that_cannot_be_written_is_refused_before_anything_is_measured() {
    let desk = Desk::new();
    for nowhere in ["not/there/results.json", "."] {
        let said = bench(&desk, &["--out", nowhere]);
        assert_eq!((said.code, said.stdout.as_str()), (18, ""), "{said:?}");
        assert!(said.stderr.starts_with(&format!("error: cannot write {nowhere}: ")), "{}", said.stderr);
    }
}
