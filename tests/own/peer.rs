//! A peer of a user's own: it shows up, answers whoever asks, and knows nobody.
//!
//! Whatever implements [`node::Peer`] can take an honest node's place, behind the very seam that honest nodes live behind: inputs
//! come in, outputs go out, and neither side knows the other's kind. A *cast* says who plays which peer; where it says
//! nothing, an honest node does. Adversaries are made the same way: simpler peers of their own, no `if evil` in honest code.

use std::sync::Arc;

use kad::{Request, Response, Target};
use node::{Inbound, Input, Life, Message, Outbound, Outbox, Output, Peer, Restored, View};
use record::{PeerRow, Run};
use run::{Cast, Out};
use types::{Book, Duration, ExchangeId, Now, PeerRef};

use crate::{WAYS, hello};

const HERMIT: u32 = 11;

#[derive(Debug)]
struct OneHermit;

impl Cast for OneHermit {
    /// Called whenever a peer starts, after a crash too: `life` says who it is and how often it has started, `restored` what its
    /// disk holds, the contacts it was given to join by among them.
    fn play(&self, number: u32, life: Life, restored: &Restored, _: &Book) -> Option<Box<dyn Peer>> {
        let contacts = restored.contacts.clone();
        (number == HERMIT).then(|| Box::new(Hermit { life, contacts, requests: 0 }) as Box<dyn Peer>)
    }
}

#[derive(Debug)]
struct Hermit {
    life: Life,
    contacts: Vec<PeerRef>,
    requests: u32,
}

impl Hermit {
    /// Asks a peer for anything, so that it learns of the asking one.
    fn greet(&mut self, to: PeerRef, book: &Book, out: &mut Outbox) {
        let Life { local, incarnation, .. } = self.life;
        let exchange = ExchangeId { opener: local, incarnation, count: self.requests };
        self.requests += 1;
        let target = Arc::new(Target::new(book.id(local).unwrap().as_bytes()));
        let message = Message::Kad(kad::Message::Request(Request::FindNode(target)));
        let kind = Outbound::Request { exchange, timeout: Duration::from_secs(5) };
        out.push(Output::Send { to, kind, message });
    }
}

impl Peer for Hermit {
    fn handle(&mut self, _: Now, input: Input, book: &mut Book, out: &mut Outbox) {
        match input {
            Input::Started => {
                for contact in std::mem::take(&mut self.contacts) {
                    self.greet(contact, book, out);
                }
            }
            Input::Received { from, kind: Inbound::Request(exchange), message: Message::Kad(message) } => {
                if matches!(message, kad::Message::Request(Request::FindNode(_))) {
                    let message = Message::Kad(kad::Message::Response(Response::Nodes(Box::default())));
                    out.push(Output::Send { to: from, kind: Outbound::Answer(exchange), message });
                }
            }
            _ => {}
        }
    }

    /// What checks may look at. Nothing: checks of tables pass it by.
    fn view(&self) -> View<'_> {
        View::default()
    }
}

#[test]
fn a_peer_takes_part_and_is_found_by_the_others() {
    let mut fingerprints = Vec::new();
    for (driver, threads) in WAYS {
        let out = tempfile::tempdir().unwrap();
        let run = hello().driver(driver).threads(threads).cast(Arc::new(OneHermit));
        let run = run.out(Out::Folder(out.path().join("run"))).run().unwrap();
        assert!(run.passed(), "{run}");
        let folder = Run::open(run.folder.unwrap()).unwrap();
        let peers = folder.table::<PeerRow>(20).unwrap();
        let hermit = &peers[HERMIT as usize];
        assert!(hermit.received_messages > 30, "it is asked: {hermit:?}");
        assert!(hermit.sent_messages > 30, "and answers: {hermit:?}");
        fingerprints.push(run.verdict.fingerprint);
    }
    assert!(fingerprints.iter().all(|fingerprint| *fingerprint == fingerprints[0]), "{fingerprints:?}");
    assert_ne!(fingerprints[0], hello().run().unwrap().verdict.fingerprint, "it is no honest node");
}
