//! The corpora of `tests/fuzz`, replayed, and some thousand mutations of them that are the same in every run.
//!
//! `WAVETANK_MUTATIONS=1000000 cargo test --release -p wavetank-tests --test bodies` hunts for longer.
//! `WAVETANK_ACCEPT=1` writes the corpora anew from the table of malformed frames and from the rules below.
#![expect(clippy::indexing_slicing, reason = "draws stay below the length of what they index")]

use std::path::{Path, PathBuf};

use wavetank_tests::{codec, seam};
use wire::Half;

#[path = "../../node-core/wire/tests/malformed/table.rs"]
mod table;

/// Mutations of a target in an ordinary run.
const MUTATIONS: u64 = 4_000;

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// The files of a corpus, in the order of their names.
fn corpus(target: &str) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder(target))?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    paths.sort();
    Ok(paths.iter().map(std::fs::read).collect::<Result<_, _>>()?)
}

/// Draws that are the same in every run.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// One of the corpus, with some bytes changed, taken out, doubled, or followed by another's.
    fn mutated(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = corpus[self.below(corpus.len())].clone();
        for _ in 0..=self.below(6) {
            let at = self.below(bytes.len() + 1);
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, self.next() as u8),
                2 => bytes.extend_from_slice(&corpus[self.below(corpus.len())]),
                3 => {
                    let doubled = bytes[at..].iter().take(self.below(16)).copied().collect::<Vec<_>>();
                    bytes.splice(at..at, doubled);
                }
                _ => {
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte =
                            if self.below(2) == 0 { self.next() as u8 } else { *byte ^ 1 << self.below(8) };
                    }
                }
            }
        }
        bytes
    }
}

/// Runs `body` over a corpus and mutations of it; what fails is named as it is written into a file.
fn replay(target: &str, body: fn(&[u8])) -> anyhow::Result<()> {
    let corpus = corpus(target)?;
    assert!(corpus.len() >= 20, "{}", corpus.len());
    let run = |bytes: &[u8]| {
        let caught = std::panic::catch_unwind(|| body(bytes));
        assert!(caught.is_ok(), "{target} fails on {}", hex::encode(bytes));
    };
    corpus.iter().for_each(|bytes| run(bytes));
    let mutations = std::env::var("WAVETANK_MUTATIONS").ok().map_or(Ok(MUTATIONS), |count| count.parse())?;
    let mut draws = Draws(7);
    for _ in 0..mutations {
        run(&draws.mutated(&corpus));
    }
    Ok(())
}

#[test]
fn frames_of_any_bytes_keep_the_laws_of_the_codec() -> anyhow::Result<()> {
    accept("decode", frames)?;
    replay("decode", codec::decode)
}

#[test]
fn inputs_in_any_order_leave_a_node_sound() -> anyhow::Result<()> {
    accept("node", sequences)?;
    replay("node", seam::sequence)
}

fn accept(target: &str, made: fn() -> anyhow::Result<Vec<Vec<u8>>>) -> anyhow::Result<()> {
    if std::env::var_os("WAVETANK_ACCEPT").is_some() {
        for (number, bytes) in made()?.into_iter().enumerate() {
            std::fs::write(folder(target).join(format!("{number:03}")), bytes)?;
        }
    }
    Ok(())
}

/// Every eighth of the malformed frames that are short, and sound ones.
fn frames() -> anyhow::Result<Vec<Vec<u8>>> {
    let short = table::malformed()?.into_iter().filter(|case| {
        case.bytes.len() < 200 && (case.is_refused_as(Half::Request) || case.is_refused_as(Half::Response))
    });
    let id = [&[0x0a, 38, 0, 0x24, 8, 1, 0x12, 0x20][..], &[7; 32]].concat();
    let peer = |field: u8| [&[field, 44][..], &id, &[0x12, 2, 4, 7]].concat();
    let name = b"\x12\x04name".to_vec();
    let record = b"\x1a\x12\x0a\x04name\x12\x05value\xc8\x30\x80\x46".to_vec();
    let bodies = [
        [&[8, 4][..], &name].concat(),
        [&[8, 1][..], &name].concat(),
        [&[8, 3, 0x50, 10][..], &name].concat(),
        [&[8, 2][..], &name, &peer(0x4a)].concat(),
        [&name[..], &record].concat(),
        [&[8, 4, 0x50, 9][..], &peer(0x42), &peer(0x42)].concat(),
        [&[8, 1][..], &record, &peer(0x42)].concat(),
        [&[8, 3][..], &peer(0x42), &peer(0x4a)].concat(),
    ];
    let framed = bodies.into_iter().map(|body| [&[body.len() as u8][..], &body].concat());
    Ok(framed.chain(short.step_by(8).map(|case| case.bytes)).collect())
}

/// Drawn sequences: 32 of random bytes of growing length.
fn sequences() -> anyhow::Result<Vec<Vec<u8>>> {
    let mut draws = Draws(1);
    Ok((0..32).map(|number| (0..40 * (number + 1)).map(|_| draws.next() as u8).collect()).collect())
}
