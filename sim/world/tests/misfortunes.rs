//! What faults mean to a peer, told by peers that do nothing but ask, answer and write down what happens to them.
//!
//! Every play is run in two ways, and both must have gone the same.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use kad::{Request, Response, Target};
use kernel::connections::Dialling;
use kernel::{Latency, Network, Uniform};
use node::{Command, Inbound, Input, Life, Message, Outbound, Outbox, Output, Peer, Restored, View};
use play::{Fault, Group, Inputs, LifeEvent, Play, Start};
use types::{
    Book, Duration, ExchangeId, Instant, Now, OperationId, PeerId, PeerRef, Seed, SendFailure, Share,
    SharedBook,
};
use wavetank_world::{Cast, Counted, Driver, Moment, Outcome, Watch, Wire, World};

/// When the wall clocks of all peers are started, in Unix milliseconds.
const START_UNIX_MS: u64 = 1_767_225_600_000;
/// From one peer to the other.
const ONE_WAY: Duration = Duration::from_millis(50);

/// Something that happened to a peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Note {
    at_ms: u64,
    /// How wrong its wall clock is.
    error_ms: i64,
    peer: u32,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Asked(u32),
    Answered(u32),
    Failed(u32, SendFailure),
}

/// Who asks whom and when, in seconds: (asking, asked, at).
type Question = (u32, u32, u64);

#[derive(Clone, Debug, Default)]
struct Company {
    questions: Vec<Question>,
    notes: Arc<Mutex<Vec<Note>>>,
}

#[derive(Debug)]
struct Member {
    life: Life,
    questions: VecDeque<(Instant, u32)>,
    asked: u32,
    notes: Arc<Mutex<Vec<Note>>>,
}

impl Cast for Company {
    fn play(&self, number: u32, life: Life, _: &Restored, _: &Book) -> Option<Box<dyn Peer>> {
        let own = self.questions.iter().filter(|(asking, ..)| *asking == number);
        let questions =
            own.map(|(_, asked, at)| (Instant::START + Duration::from_secs(*at), *asked)).collect();
        Some(Box::new(Member { life, questions, asked: 0, notes: Arc::clone(&self.notes) }))
    }
}

impl Member {
    fn note(&self, now: Now, what: What) {
        let at_ms = now.instant.as_millis();
        let error_ms = now.unix.0.wrapping_sub(START_UNIX_MS + at_ms) as i64;
        let peer = self.life.local.index().unwrap() as u32;
        self.notes.lock().unwrap().push(Note { at_ms, error_ms, peer, what });
    }

    fn ask(&mut self, now: Now, out: &mut Outbox) {
        while let Some((_, asked)) = self.questions.pop_front_if(|(at, _)| *at <= now.instant) {
            let Life { local, incarnation, .. } = self.life;
            let exchange = ExchangeId { opener: local, incarnation, count: self.asked };
            self.asked += 1;
            let target = Arc::new(Target::new(b"anything"));
            let message = Message::Kad(kad::Message::Request(Request::FindNode(target)));
            let kind = Outbound::Request { exchange, timeout: Duration::from_secs(15) };
            out.push(Output::Send { to: PeerRef::shared(asked), kind, message });
        }
        out.push(Output::WakeAt(self.questions.front().map(|(at, _)| *at)));
    }
}

impl Peer for Member {
    fn handle(&mut self, now: Now, input: Input, _: &mut Book, out: &mut Outbox) {
        match input {
            Input::Started | Input::Deadline => self.ask(now, out),
            Input::Received { from, kind: Inbound::Request(exchange), .. } => {
                self.note(now, What::Asked(exchange.count));
                let message = Message::Kad(kad::Message::Response(Response::Nodes(Box::default())));
                out.push(Output::Send { to: from, kind: Outbound::Answer(exchange), message });
            }
            Input::Received { kind: Inbound::Answer(exchange), .. } => {
                self.note(now, What::Answered(exchange.count));
            }
            Input::Failed { exchange, reason } => self.note(now, What::Failed(exchange.count, reason)),
            _ => {}
        }
    }

    fn view(&self) -> View<'_> {
        View::default()
    }
}

#[derive(Debug)]
struct Nobody;

impl Watch for Nobody {
    fn turned(&mut self, _: &LifeEvent) {}
    fn began(&mut self, _: Instant, _: u32, _: &Command) {}
    fn abandoned(&mut self, _: Instant, _: u32, _: OperationId) {}
    fn told(&mut self, _: Instant, _: u32, _: &node::Event) {}
    fn sampling(&mut self, _: Instant) {}
    fn look(&mut self, _: u32, _: Moment<'_>) {}
    fn sampled(&mut self, _: Instant, _: &Counted) {}
    fn ended(&mut self, _: Instant) {}
}

/// Two groups of one peer each, as these say.
fn groups(asking: &str, asked: &str) -> Vec<(String, Group)> {
    [("asking", asking), ("asked", asked)]
        .map(|(name, json)| (name.to_owned(), serde_json::from_str(json).unwrap()))
        .into()
}

const PLAIN: &str = r#"{"count": 1}"#;
const HIDDEN: &str = r#"{"count": 1, "undialable": "100%"}"#;

/// The play in two ways; what happened, and what the first left.
fn play(
    groups: &[(String, Group)],
    faults: &[&str],
    questions: &[Question],
    dialling: Option<Dialling>,
) -> (Vec<Note>, Outcome) {
    let in_a_way = |driver, threads| {
        let company = Company { questions: questions.to_vec(), notes: Arc::default() };
        let book =
            Arc::new(SharedBook::new((0..2).map(|number| PeerId::from_ed25519(&[number; 32])).collect()));
        let faults: Vec<Fault> = faults.iter().map(|json| serde_json::from_str(json).unwrap()).collect();
        let inputs = Inputs {
            groups,
            workloads: &[],
            faults: &faults,
            duration: Duration::from_mins(20),
            warmup: Duration::ZERO,
            seed: Seed(1),
        };
        let latency = Latency { one_way: Some(ONE_WAY), ..Latency::default() };
        let network = Uniform { latency, loss: Share::ZERO, uplink: None, floor: Duration::from_micros(100) };
        let world = World {
            seed: inputs.seed,
            duration: inputs.duration,
            until: None,
            sample_every: Duration::from_mins(1),
            play: Arc::new(Play::new(&inputs, &book)),
            book,
            network: Network::Uniform(network).resolve().unwrap(),
            wire: Wire::Typed,
            dialling,
            start: Start::Join,
            driver,
            max_awake: 1,
            threads: Some(threads),
            sampled: Vec::new(),
            cast: Arc::new(company.clone()),
            progress: Arc::default(),
            log: None,
        };
        let outcome = world.run(|_, _| Box::new(Nobody)).unwrap();
        let mut notes = company.notes.lock().unwrap().clone();
        notes.sort();
        (notes, outcome)
    };
    let (one, other) = (in_a_way(Driver::Inline, 1), in_a_way(Driver::Actor, 2));
    assert_eq!(one.0, other.0, "what happened");
    assert_eq!(
        (one.1.fingerprint, one.1.drops, &one.1.touched),
        (other.1.fingerprint, other.1.drops, &other.1.touched)
    );
    one
}

fn count(notes: &[Note], what: impl Fn(&What) -> bool) -> usize {
    notes.iter().filter(|note| what(&note.what)).count()
}

fn answers(notes: &[Note]) -> usize {
    count(notes, |what| matches!(what, What::Answered(_)))
}

fn failures(notes: &[Note], reason: SendFailure) -> usize {
    count(notes, |what| matches!(what, What::Failed(_, why) if *why == reason))
}

fn requests(notes: &[Note]) -> usize {
    count(notes, |what| matches!(what, What::Asked(_)))
}

#[test]
fn a_request_that_comes_twice_is_handled_twice_and_answered_once() {
    let always = r#"{"duplicate": {"share": "100%", "begin": "0s", "end": "20m"}}"#;
    let questions: Vec<Question> = (1..=50).map(|at| (0, 1, at)).collect();
    for dialling in [None, Some(Dialling::default())] {
        let (notes, outcome) = play(&groups(PLAIN, PLAIN), &[always], &questions, dialling);
        assert_eq!((requests(&notes), answers(&notes)), (100, 50));
        assert_eq!(outcome.drops.late, 50, "the second answers are dropped and counted");
        assert_eq!((outcome.links.duplicated, &outcome.touched[..]), (50, &[(0, 50)][..]));
    }
}

#[test]
fn who_cannot_be_called_hears_nobody_but_whom_it_spoke_with() {
    // The hidden one asks at 60 s; its opening closes 3 min after the last word that passed it, at 100 s.
    let questions = [(0, 1, 10), (1, 0, 60), (0, 1, 70), (0, 1, 100), (0, 1, 290), (0, 1, 300)];
    let (notes, outcome) = play(&groups(PLAIN, HIDDEN), &[], &questions, None);
    let asked: Vec<_> =
        notes.iter().filter(|note| note.peer == 1 && matches!(note.what, What::Asked(_))).collect();
    assert_eq!(asked.iter().map(|note| note.at_ms / 1_000).collect::<Vec<_>>(), [70, 100], "{notes:?}");
    assert_eq!((answers(&notes), failures(&notes, SendFailure::Timeout)), (3, 3));
    assert_eq!(outcome.drops.undialable, 3);
}

#[test]
fn a_dial_to_who_cannot_be_called_times_out_and_its_own_link_serves_both() {
    let questions = [(0, 1, 10), (1, 0, 60), (0, 1, 70), (0, 1, 300)];
    let (notes, outcome) = play(&groups(PLAIN, HIDDEN), &[], &questions, Some(Dialling::default()));
    assert_eq!((answers(&notes), failures(&notes, SendFailure::Unreachable)), (2, 2), "{notes:?}");
    assert_eq!(outcome.drops.undialable, 2);
}

#[test]
fn what_reaches_a_frozen_peer_waits_in_its_bounded_queue() {
    let small = r#"{"count": 1, "node": {"limits": {"inbound_queue": 4}}}"#;
    let freeze = r#"{"freeze": {"victims": {"group": "asked"}, "begin": "10s", "end": "20s"}}"#;
    let questions: Vec<Question> = (0..10).map(|at| (0, 1, 9 + at)).collect();
    let (notes, outcome) = play(&groups(PLAIN, small), &[freeze], &questions, None);
    let asked = notes.iter().filter(|note| note.peer == 1).map(|note| note.at_ms).collect::<Vec<_>>();
    assert_eq!(asked, [9_050, 20_000, 20_000, 20_000, 20_000]);
    assert_eq!(
        (answers(&notes), failures(&notes, SendFailure::Timeout), outcome.drops.queue_full),
        (5, 5, 5)
    );
    assert_eq!(outcome.touched, [(0, 1)]);
}

#[test]
fn a_frozen_peer_asks_when_it_goes_on() {
    let freeze = r#"{"freeze": {"victims": {"group": "asking"}, "begin": "10s", "end": "20s"}}"#;
    let (notes, _) = play(&groups(PLAIN, PLAIN), &[freeze], &[(0, 1, 12), (1, 0, 5)], None);
    let asked: Vec<_> =
        notes.iter().filter(|note| note.peer == 1 && matches!(note.what, What::Asked(_))).collect();
    assert_eq!(asked.iter().map(|note| note.at_ms).collect::<Vec<_>>(), [20_050], "its deadline is late");
}

#[test]
fn a_skew_moves_the_wall_clocks_of_its_victims_while_it_lasts() {
    let skews = [
        r#"{"skew": {"victims": {"group": "asked"}, "ahead": "5m", "drift": "1%", "begin": "10s", "end": "30s"}}"#,
        r#"{"skew": {"victims": {"group": "asked"}, "behind": "1s", "begin": "25s", "end": "40s"}}"#,
    ];
    let questions = [(0, 1, 5), (0, 1, 10), (0, 1, 20), (0, 1, 26), (0, 1, 35), (0, 1, 50)];
    let (notes, outcome) = play(&groups(PLAIN, PLAIN), &skews, &questions, None);
    let of = |peer| notes.iter().filter(move |note| note.peer == peer);
    assert!(of(0).all(|note| note.error_ms == 0));
    let errors: Vec<_> = of(1).map(|note| (note.at_ms, note.error_ms)).collect();
    let expected =
        [(5_050, 0), (10_050, 300_000), (20_050, 300_100), (26_050, 299_160), (35_050, -1_000), (50_050, 0)];
    assert_eq!(errors, expected, "and no instant is moved");
    assert_eq!(outcome.touched, [(0, 3), (1, 2)]);
}
