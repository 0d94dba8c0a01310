//! An operation of a user's own: every peer looks for the same meeting point, three times in a row.
//!
//! A *workload* makes clients, each pinned to a peer. A *client* is a state machine: it is told what happens (its peer comes up, its time
//! has come, an operation ended) and says what it wants (to be woken, to ask something). It reads no clock and rolls no
//! dice of its own; what it needs of chance it derives from the scene's named streams, so that the run stays replayable.
//! Serials make its operations tell apart from all others in the history.

use std::sync::Arc;

use kad::{Operation, Target};
use node::Command;
use play::{Act, Client, Happening, OwnWorkload, Part, Scene, Serials};
use record::{OperationRow, Outcome, Run, TallyStatus};
use run::Out;
use types::{Duration, Instant, OperationId};

use crate::{WAYS, hello};

const ROUNDS: u32 = 3;
const BEGIN: Instant = Instant::from_nanos(40_000_000_000);
const PAUSE: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Meetings;

impl OwnWorkload for Meetings {
    fn name(&self) -> &str {
        "meetings"
    }

    /// How much will be asked, where that is known ahead: the tally holds what came of it against this.
    fn asked(&self) -> Option<u64> {
        Some(20 * u64::from(ROUNDS))
    }

    fn clients_of(&self, peer: u32, workload: u16, _: &Arc<Scene>) -> Vec<Box<dyn Client>> {
        let serials = Serials::client(workload, Part::First, peer);
        vec![Box::new(Guest { serials, waits_for: None, rounds: 0 })]
    }
}

#[derive(Debug)]
struct Guest {
    serials: Serials,
    waits_for: Option<OperationId>,
    rounds: u32,
}

impl Client for Guest {
    fn act(&mut self, now: Instant, happening: &Happening<'_>, out: &mut Vec<Act>) {
        match happening {
            Happening::PeerUp => out.push(Act::DueAt(now.max(BEGIN))),
            Happening::PeerDown => self.waits_for = None,
            Happening::Due => {
                let id = self.serials.issue();
                self.waits_for = Some(id);
                let operation = Operation::Lookup(Arc::new(Target::new(b"the meeting point")));
                out.push(Act::Ask(Command::Kad(kad::Command { id, operation })));
            }
            Happening::Ended { id, .. } if self.waits_for == Some(*id) => {
                self.waits_for = None;
                self.rounds += 1;
                if self.rounds < ROUNDS {
                    out.push(Act::DueAt(now + PAUSE));
                }
            }
            Happening::Ended { .. } => {}
        }
    }
}

#[test]
fn an_operation_is_asked_told_and_tallied_as_those_that_ship() {
    let mut fingerprints = Vec::new();
    for (driver, threads) in WAYS {
        let out = tempfile::tempdir().unwrap();
        let run = hello().driver(driver).threads(threads).workload(Arc::new(Meetings));
        let run = run.out(Out::Folder(out.path().join("run"))).run().unwrap();
        assert!(run.passed(), "{run}");
        let tally = run.verdict.tallies.iter().find(|tally| tally.name == "meetings").unwrap();
        assert_eq!((tally.asked, tally.got, tally.status), (Some(60), 60, TallyStatus::Met));
        let folder = Run::open(run.folder.unwrap()).unwrap();
        let mut own = folder.table::<OperationRow>(10_000).unwrap();
        own.retain(|row| row.workload == 1);
        assert_eq!(own.len(), 60);
        for row in own {
            assert_eq!((row.outcome, row.recall), (Outcome::Ok, Some(1.0)), "{row:?}");
        }
        fingerprints.push(run.verdict.fingerprint);
    }
    assert!(fingerprints.iter().all(|fingerprint| *fingerprint == fingerprints[0]), "{fingerprints:?}");
    assert_ne!(fingerprints[0], hello().run().unwrap().verdict.fingerprint, "it leaves its mark");
}

#[test]
fn an_operation_that_nobody_asks_for_proves_nothing() {
    #[derive(Debug)]
    struct Nobody;
    impl OwnWorkload for Nobody {
        fn name(&self) -> &str {
            "nobody"
        }
        fn asked(&self) -> Option<u64> {
            None
        }
        fn clients_of(&self, _: u32, _: u16, _: &Arc<Scene>) -> Vec<Box<dyn Client>> {
            Vec::new()
        }
    }
    let run = hello().workload(Arc::new(Nobody)).run().unwrap();
    assert_eq!(run.exit_code(), 17, "{run}");
    assert!(run.verdict.reasons[0].contains("`nobody` asked nothing"), "{:?}", run.verdict.reasons);
}
