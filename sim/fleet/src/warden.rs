//! The warden of one peer: a thread that starts, stops, halts and watches its process, one life after another.
//!
//! What takes time (a start, a goodbye) takes it here, so that the director never waits. A warden whose director is gone kills
//! its process and ends.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration as Span, Instant as Moment};

use play::Parting;
use rustix::process::Signal;
use wire::admin::Links;

use crate::client::Client;
use crate::heard::{Heard, News};
use crate::process::{Files, Process};

/// How often a process that starts is asked whether it is there.
const ASK_EVERY: Span = Span::from_millis(5);
/// How often one that runs is looked after.
const LOOK_EVERY: Span = Span::from_millis(100);
/// How long a start may take, on a machine that starts many.
const START_LIMIT: Span = Span::from_secs(30);
/// How long a goodbye may take: what a node promises, and a little.
const LEAVE_LIMIT: Span = Span::from_secs(12);

/// What a warden is told.
#[derive(Debug)]
pub(crate) enum Order {
    /// A life begins.
    Start {
        /// Which.
        incarnation: u32,
        /// With what on the disk.
        files: Files,
        /// In which network.
        links: Box<Links>,
    },
    /// The network is another one.
    Believe(Box<Links>),
    /// It ends.
    Stop(Parting),
    /// The process stands still.
    Halt,
    /// It goes on.
    Resume,
}

/// Looks after the process of one peer.
#[derive(Debug)]
pub(crate) struct Warden {
    pub(crate) peer: u32,
    pub(crate) program: PathBuf,
    pub(crate) client: Client,
    pub(crate) news: News,
}

/// A process and how far it has come.
#[derive(Debug)]
struct Life {
    process: Process,
    incarnation: u32,
    begun: Moment,
    is_live: bool,
    /// What it is to be told of its network.
    links: Option<Box<Links>>,
}

impl Warden {
    /// Does what it is told until nobody tells it anything any more.
    pub(crate) fn watch(self, orders: &Receiver<Order>) {
        let mut life: Option<Life> = None;
        loop {
            let pause = match &life {
                Some(life) if !life.is_live => ASK_EVERY,
                _ => LOOK_EVERY,
            };
            match orders.recv_timeout(pause) {
                Ok(Order::Start { incarnation, files, links }) => {
                    life = self.start(incarnation, &files, links);
                }
                Ok(Order::Believe(links)) => {
                    if let Some(life) = &mut life {
                        life.links = Some(links);
                    }
                }
                Ok(Order::Stop(parting)) => {
                    if let Some(life) = life.take() {
                        self.stop(life, parting);
                    }
                }
                Ok(Order::Halt) => signal(life.as_ref(), Signal::STOP),
                Ok(Order::Resume) => signal(life.as_ref(), Signal::CONT),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if let Some(lost) = life.take_if(|life| !self.is_well(life)) {
                drop(lost);
            }
        }
    }

    fn start(&self, incarnation: u32, files: &Files, links: Box<Links>) -> Option<Life> {
        let begun = Moment::now();
        let started = files.lay_out().and_then(|()| Process::start(&self.program, &files.folder));
        match started {
            Ok(process) => Some(Life { process, incarnation, begun, is_live: false, links: Some(links) }),
            Err(error) => {
                let program = self.program.display();
                self.lost(incarnation, format!("cannot start {program}: {error}"));
                None
            }
        }
    }

    fn stop(&self, mut life: Life, parting: Parting) {
        let begun = Moment::now();
        if parting == Parting::Graceful {
            // One that stands still hears nothing.
            life.process.signal(Signal::CONT);
            life.process.signal(Signal::TERM);
            let mut status = None;
            while status.is_none() && begun.elapsed() < LEAVE_LIMIT {
                std::thread::sleep(ASK_EVERY);
                status = life.process.exited();
            }
            let overdue = status.is_none();
            life.process.kill();
            self.news.tell(Heard::Left { peer: self.peer, took: begun.elapsed(), overdue });
            return;
        }
        life.process.kill();
    }

    /// Whether the process is there and may stay; the first time that it answers is told.
    fn is_well(&self, life: &mut Life) -> bool {
        if let Some(status) = life.process.exited() {
            let words = life.process.last_words();
            self.lost(life.incarnation, format!("process ended by itself ({}): {words}", ended(status)));
            return false;
        }
        if life.is_live {
            return self.is_told(life);
        }
        if self.client.health().is_ok_and(|health| health.live) {
            if !self.is_told(life) {
                return false;
            }
            life.is_live = true;
            let (peer, incarnation, took) = (self.peer, life.incarnation, life.begun.elapsed());
            self.news.tell(Heard::Live { peer, incarnation, process: life.process.id(), took });
            return true;
        }
        if life.begun.elapsed() < START_LIMIT {
            return true;
        }
        let words = life.process.last_words();
        self.lost(life.incarnation, format!("process did not answer within {START_LIMIT:?}: {words}"));
        false
    }

    /// Tells a process of its network, if there is something new to tell.
    fn is_told(&self, life: &mut Life) -> bool {
        let Some(links) = life.links.take() else { return true };
        match self.client.believe(&links) {
            Ok(()) => true,
            Err(error) => {
                // One that has just ended says why it did.
                std::thread::sleep(ASK_EVERY);
                let ended = life.process.exited().map(ended);
                let words = life.process.last_words();
                let ended = ended.map_or_else(String::new, |how| format!(" ({how}: {words})"));
                self.lost(life.incarnation, format!("process cannot be told of its network: {error}{ended}"));
                false
            }
        }
    }

    fn lost(&self, incarnation: u32, message: String) {
        self.news.tell(Heard::Lost { peer: self.peer, incarnation, message });
    }
}

fn signal(life: Option<&Life>, signal: Signal) {
    if let Some(life) = life {
        life.process.signal(signal);
    }
}

fn ended(status: ExitStatus) -> String {
    match (status.code(), std::os::unix::process::ExitStatusExt::signal(&status)) {
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// Starts the thread of a warden.
pub(crate) fn spawn<'scope>(
    scope: &'scope std::thread::Scope<'scope, '_>,
    warden: Warden,
) -> io::Result<Sender<Order>> {
    let (orders, taken) = std::sync::mpsc::channel();
    let name = format!("warden-{}", warden.peer);
    std::thread::Builder::new().name(name).spawn_scoped(scope, move || warden.watch(&taken))?;
    Ok(orders)
}
