//! Where two runs part.
#![expect(clippy::unwrap_used, reason = "a test may")]

use tempfile::TempDir;
use types::Seed;
use wavetank_record::{
    Difference, FORMAT, Fingerprint, Manifest, PeerRow, Run, RunFolder, Rung, compare, ladder::leaf_of,
};

struct Story {
    seed: u64,
    value: Option<&'static str>,
    rungs: Vec<Rung>,
    peers: u32,
}

impl Story {
    fn quiet() -> Self {
        Self {
            seed: 1,
            value: Some("aa"),
            rungs: (1..=5).map(|step| Rung { at_ns: step * 1_000, leaves: vec![step; 4] }).collect(),
            peers: 4,
        }
    }

    fn write(&self) -> (TempDir, Run) {
        let root = tempfile::tempdir().unwrap();
        let folder = RunFolder::create(root.path()).unwrap();
        let mut ladder = folder.ladder().unwrap();
        self.rungs.iter().for_each(|rung| ladder.write(rung).unwrap());
        ladder.finish().unwrap();
        let peers = (0..self.peers).map(|number| PeerRow {
            number,
            name: format!("edge-{number}"),
            id: format!("id-{number}"),
            group: "edge".to_owned(),
            region: String::new(),
            lives: 1,
            sent_messages: 0,
            sent_bytes: 0,
            received_messages: 0,
        });
        folder.write_rows(peers).unwrap();
        let manifest = Manifest {
            format: FORMAT,
            seed: Seed(self.seed),
            backend: "sim".to_owned(),
            fingerprint: Fingerprint {
                version: 1,
                value: self.value.map(str::to_owned),
                ..Fingerprint::default()
            },
            ..Manifest::default()
        };
        folder.write_manifest(&manifest).unwrap();
        let run = Run::open(root.path()).unwrap();
        (root, run)
    }
}

fn compared(first: &Story, second: &Story) -> wavetank_record::Comparison {
    let ((_a, first), (_b, second)) = (first.write(), second.write());
    compare(&first, &second).unwrap()
}

#[test]
fn equal_runs_have_no_difference() {
    let comparison = compared(&Story::quiet(), &Story::quiet());
    assert_eq!(comparison.difference, Difference::None);
    assert_eq!((comparison.inputs.len(), comparison.equal_rungs), (0, 5));
}

#[test]
fn the_first_rung_and_peer_that_differ_are_named() {
    let mut other = Story::quiet();
    other.value = Some("bb");
    for rung in &mut other.rungs[2..] {
        rung.leaves[3] ^= 1;
    }
    let comparison = compared(&Story::quiet(), &other);
    assert_eq!(comparison.equal_until_ns, Some(2_000));
    let Difference::Rung { at_ns, leaves, peers, more_peers } = comparison.difference else {
        panic!("{comparison:?}");
    };
    assert_eq!((at_ns, leaves, more_peers), (3_000, 1, 0));
    assert_eq!((peers[0].name.as_str(), peers[0].number, peers.len()), ("edge-3", 3, 1));
}

#[test]
fn peers_that_share_a_leaf_are_all_suspected() {
    let (mut first, mut second) = (Story::quiet(), Story::quiet());
    (first.peers, second.peers) = (1_000, 1_000);
    second.rungs[0].leaves[1] = 99;
    let Difference::Rung { peers, more_peers, .. } = compared(&first, &second).difference else {
        panic!("a rung differs");
    };
    assert!(peers.iter().all(|peer| leaf_of(peer.number, 4) == 1));
    assert_eq!(peers.len() as u64 + more_peers, 250);
}

#[test]
fn runs_that_part_after_the_last_rung_are_told_from_unfinished_ones() {
    let mut other = Story::quiet();
    other.value = Some("bb");
    assert_eq!(compared(&Story::quiet(), &other).difference, Difference::AfterLastRung);
    other.value = None;
    other.rungs.truncate(2);
    let comparison = compared(&Story::quiet(), &other);
    assert_eq!((comparison.difference, comparison.equal_rungs), (Difference::EqualSoFar, 2));
}

#[test]
fn inputs_that_differ_and_ladders_that_do_not_match_are_said() {
    let mut other = Story::quiet();
    other.seed = 2;
    other.rungs[1].at_ns += 1;
    let comparison = compared(&Story::quiet(), &other);
    assert_eq!(comparison.inputs[0].what, "seed");
    assert!(matches!(comparison.difference, Difference::Incomparable(_)));
}
