//! The comparison can fail: one peer of one run does one thing otherwise, and the two folders name the instant and
//! the peer.
//!
//! A first run tells which peer does such a thing shortly before a rung of the ladder: less than the least latency
//! before it, so that nobody else can have noticed by then.

use std::path::Path;
use std::sync::{Arc, Mutex};

use config::Config;
use kad::{Request, Target};
use node::{Input, Life, Message, Node, Outbound, Outbox, Output, Peer, Restored, Settings, View};
use record::{Comparison, Difference, compare};
use run::{Cast, Driver, Out};
use types::{Book, Duration, Instant, Now, Work};

use crate::{HELLO, in_house};

/// Rungs of a ladder in `hello`.
const RUNG: Duration = Duration::from_nanos(120_000_000_000 / 64);
/// The rung before which somebody tampers.
const CHOSEN: Instant = Instant::from_nanos(RUNG.as_nanos() * 40);
/// Less than a message of `hello` takes at its fastest: 40 ms one way, less half of it.
const NOBODY_KNOWS_YET: Duration = Duration::from_millis(19);

/// What is done otherwise, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tampering {
    /// Nothing: the control.
    None,
    /// An answer is not sent.
    DropAnswer,
    /// What a handler sends leaves a nanosecond later.
    Delay,
    /// The last byte of what a request asks for is another.
    ChangeByte,
}

impl Tampering {
    /// Whether a handler that leaves these outputs can be tampered with in this way.
    fn fits(self, outputs: &[Output]) -> bool {
        match self {
            Self::None => false,
            Self::DropAnswer => outputs.iter().any(is_answer),
            Self::Delay => outputs.iter().any(|output| matches!(output, Output::Send { .. })),
            Self::ChangeByte => outputs.iter().any(is_find_node),
        }
    }

    fn tamper(self, out: &mut Outbox) {
        let mut outputs: Vec<Output> = out.drain().1.collect();
        match self {
            Self::None => {}
            Self::DropAnswer => {
                let answer = outputs.iter().position(is_answer).unwrap();
                outputs.remove(answer);
            }
            Self::Delay => out.charge(Work(1)),
            Self::ChangeByte => {
                let request = outputs.iter_mut().find(|output| is_find_node(output)).unwrap();
                let Output::Send { message: Message::Kad(kad::Message::Request(request)), .. } = request
                else {
                    panic!("a request was chosen");
                };
                let Request::FindNode(target) = request else { panic!("of this kind") };
                let mut name = target.name().to_vec();
                *name.last_mut().unwrap() ^= 1;
                *target = Arc::new(Target::new(&name));
            }
        }
        outputs.into_iter().for_each(|output| out.push(output));
    }
}

fn is_answer(output: &Output) -> bool {
    matches!(output, Output::Send { kind: Outbound::Answer(_), .. })
}

fn is_find_node(output: &Output) -> bool {
    let Output::Send { message: Message::Kad(message), .. } = output else { return false };
    matches!(message, kad::Message::Request(Request::FindNode(_)))
}

/// Where and when something was or is to be done otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Occasion {
    at: Instant,
    peer: u32,
}

/// Wraps honest nodes: to find the first occasion, or to use the one that was found.
#[derive(Debug)]
struct Saboteur {
    tampering: Tampering,
    from: Instant,
    /// Whom it wraps; everybody, without touching anything, while it looks for an occasion.
    victim: Option<u32>,
    used: Mutex<Option<Occasion>>,
}

/// A handle that the peers share with the test.
#[derive(Clone, Debug)]
struct Shared(Arc<Saboteur>);

#[derive(Debug)]
struct Wrapped {
    node: Node,
    number: u32,
    saboteur: Shared,
}

impl Cast for Shared {
    fn play(&self, number: u32, life: Life, restored: &Restored, book: &Book) -> Option<Box<dyn Peer>> {
        if self.0.victim.is_some_and(|victim| victim != number) {
            return None;
        }
        let node = Node::restore(life, &Settings::from(&Config::default()), restored.clone(), book);
        Some(Box::new(Wrapped { node, number, saboteur: self.clone() }))
    }
}

impl Peer for Wrapped {
    fn handle(&mut self, now: Now, input: Input, book: &mut Book, out: &mut Outbox) {
        self.node.handle(now, input, book, out);
        let Saboteur { tampering, from, victim, used } = &*self.saboteur.0;
        if now.instant < *from || !tampering.fits(out.outputs()) {
            return;
        }
        let occasion = Occasion { at: now.instant, peer: self.number };
        let mut used = used.lock().unwrap();
        if victim.is_none() {
            *used = Some(used.map_or(occasion, |earlier| earlier.min(occasion)));
        } else if used.is_none() {
            *used = Some(occasion);
            tampering.tamper(out);
        }
    }

    fn view(&self) -> View<'_> {
        self.node.view()
    }
}

/// A run of `hello` with such a saboteur, and the occasion that it found or used.
fn run(folder: &Path, tampering: Tampering, from: Instant, victim: Option<u32>) -> Option<Occasion> {
    let saboteur = Arc::new(Saboteur { tampering, from, victim, used: Mutex::new(None) });
    let run = run::scenario(in_house(HELLO)).driver(Driver::Inline).out(Out::Folder(folder.to_owned()));
    run.cast(Arc::new(Shared(Arc::clone(&saboteur)))).run().unwrap();
    let used = saboteur.used.lock().unwrap();
    *used
}

/// Tampers in this way at the first occasion from then on; says which that was, and what the folders say.
fn tampered(tampering: Tampering, from: Instant) -> (Occasion, Comparison) {
    let out = tempfile::tempdir().unwrap();
    let (honest, otherwise) = (out.path().join("honest"), out.path().join("otherwise"));
    let occasion = run(&honest, tampering, from, None).unwrap();
    assert_eq!(run(&otherwise, tampering, from, Some(occasion.peer)), Some(occasion), "as it was found");
    (occasion, compared(&honest, &otherwise))
}

fn compared(a: &Path, b: &Path) -> Comparison {
    compare(&record::Run::open(a).unwrap(), &record::Run::open(b).unwrap()).unwrap()
}

const ALL: [Tampering; 3] = [Tampering::DropAnswer, Tampering::Delay, Tampering::ChangeByte];

#[test]
fn the_first_rung_afterwards_names_the_peer_and_nobody_else() {
    for tampering in ALL {
        let from = Instant::from_nanos(CHOSEN.as_nanos() - NOBODY_KNOWS_YET.as_nanos());
        let (occasion, comparison) = tampered(tampering, from);
        assert!(occasion.at < CHOSEN, "{tampering:?}: there is an occasion so shortly before the rung");
        let before = Instant::from_nanos(CHOSEN.as_nanos() - RUNG.as_nanos());
        assert_eq!(comparison.equal_until_ns, Some(before.as_nanos()), "{tampering:?}");
        let Difference::Rung { at_ns, leaves, peers, more_peers } = comparison.difference else {
            panic!("{tampering:?}: {:?}", comparison.difference);
        };
        assert_eq!((at_ns, leaves, more_peers), (CHOSEN.as_nanos(), 1, 0), "{tampering:?}");
        let named: Vec<_> = peers.iter().map(|peer| peer.number).collect();
        assert_eq!(named, [occasion.peer], "{tampering:?}");
    }
}

#[test]
fn what_has_spread_by_the_next_rung_still_names_the_peer() {
    for tampering in ALL {
        let (occasion, comparison) = tampered(tampering, CHOSEN);
        let Difference::Rung { at_ns, leaves, peers, more_peers } = comparison.difference else {
            panic!("{tampering:?}: {:?}", comparison.difference);
        };
        assert_eq!(comparison.equal_until_ns, Some(CHOSEN.as_nanos()), "{tampering:?}");
        assert_eq!(at_ns, (CHOSEN + RUNG).as_nanos(), "{tampering:?}");
        assert_eq!((leaves, more_peers), (peers.len(), 0), "{tampering:?}: twenty peers can all be named");
        assert!(leaves > 1, "{tampering:?}: others have noticed");
        assert!(peers.iter().any(|peer| peer.number == occasion.peer), "{tampering:?}: {peers:?}");
    }
}

#[test]
fn a_wrapped_node_that_does_nothing_otherwise_is_no_difference() {
    let out = tempfile::tempdir().unwrap();
    let folders = ["honest", "wrapped"].map(|name| out.path().join(name));
    let honest = run::scenario(in_house(HELLO)).out(Out::Folder(folders[0].clone())).run().unwrap();
    assert!(honest.passed(), "{honest}");
    assert_eq!(run(&folders[1], Tampering::None, Instant::START, None), None);
    let comparison = compared(&folders[0], &folders[1]);
    assert_eq!((comparison.difference, comparison.inputs.len()), (Difference::None, 0));
    assert_eq!(comparison.equal_rungs, 64);
}
