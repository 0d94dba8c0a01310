//! What a run that ended here and a folder elsewhere say of each other.

use std::sync::atomic::Ordering;

use run::hunt::{Imprint, Parting};
use run::{Out, Scenario};
use wavetank_run as run;

fn hello(seed: u64) -> Scenario {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/kademlia/hello.yaml");
    run::scenario(path).seed(seed).threads(1)
}

#[test]
fn a_folder_of_the_same_seed_is_equal_and_of_another_differs_at_the_first_rung() {
    let desk = tempfile::tempdir().unwrap();
    let here = Imprint::of(&hello(1).run().unwrap());
    for seed in [1, 2] {
        let out = desk.path().join(seed.to_string());
        hello(seed).out(Out::Folder(out.clone())).run().unwrap();
        let there = Imprint::read(&out).unwrap().unwrap();
        let difference = here.difference(&there);
        assert_eq!(difference.is_none(), seed == 1, "seed {seed}: {difference:?}");
        if let Some(difference) = difference {
            let first = here.fingerprint.ladder.first().unwrap();
            assert_eq!(difference.at, Parting::Rung { at_ns: first.at_ns });
        }
    }
}

#[test]
fn a_run_that_was_stopped_has_no_imprint() {
    let desk = tempfile::tempdir().unwrap();
    let out = desk.path().join("out");
    let prepared = hello(1).out(Out::Folder(out.clone())).prepare().unwrap();
    prepared.progress().stop.store(true, Ordering::Relaxed);
    prepared.play().unwrap();
    assert_eq!(Imprint::read(&out).unwrap(), None);
}

#[test]
fn a_loaded_scenario_does_not_see_its_file_change() {
    let desk = tempfile::tempdir().unwrap();
    let path = desk.path().join("hello.yaml");
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/kademlia/hello.yaml"));
    std::fs::write(&path, text.unwrap()).unwrap();
    let loaded = run::scenario(&path).threads(1).load().unwrap();
    std::fs::write(&path, "name: another").unwrap();
    let finished = loaded.clone().seed(1).run().unwrap();
    assert_eq!(Imprint::of(&finished), Imprint::of(&hello(1).run().unwrap()));
    assert!(loaded.set("duration", "1m").run().is_err(), "what is set is read anew");
}
