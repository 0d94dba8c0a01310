//! A host's peer begins and ends its lives; its clients and its disk outlive them.

use std::sync::Arc;

use actor::Step;
use kernel::EventId;
use kernel::connections::Connections;
use node::{Command, Input, Life, Node, RecordChange, Restored};
use types::{Book, Instant};

use super::{Keeps, Lifetime, SimHost, Stored, Then, Up};
use crate::agenda::{Agenda, Waiting};
use crate::cast::Player;
use crate::cell::Seen;

impl SimHost {
    pub(super) fn begin_life(&mut self, at: Instant, up: Up, book: &Book) -> Step<Player> {
        let records = self.keeps.as_mut().map_or_else(Vec::new, |keeps| keeps.turn_on(up.disk, at));
        let stage = Arc::clone(&self.shard.stage);
        let life = Life { local: self.local(), incarnation: up.incarnation, seed: stage.seed };
        let (start, contacts) = match up.contacts {
            Some(contacts) => (kad::Start::Join, contacts),
            None => (kad::Start::Filled, stage.ideal_table(self.number)),
        };
        let restored = Restored { contacts, start, records };
        let group = stage.play.group_of(self.number);
        let player = match stage.cast.play(self.number, life, &restored, book) {
            Some(own) => Player::Own(own),
            None => {
                Player::Node(Box::new(Node::restore(life, stage.settings_of(self.number), restored, book)))
            }
        };
        let links =
            stage.dialling_of(group).map(|dialling| Box::new(Connections::new(dialling, up.incarnation)));
        let openings = stage.openings_of(self.number);
        let agenda = Agenda::new(group.cores, at);
        self.life = Some(Box::new(Lifetime { agenda, links, openings, operations: Vec::new() }));
        self.then = Some(Then::Start(at));
        if up.incarnation == 0 {
            let clients = stage.play.clients_of(self.number);
            if !clients.is_empty() {
                self.keeps.get_or_insert_default().clients = clients;
            }
        }
        self.tell_clients(at, &play::Happening::PeerUp);
        Step::Become(player)
    }

    pub(super) fn vanish(&mut self, at: Instant) -> Step<Player> {
        self.end_life(at);
        self.tell_clients(at, &play::Happening::PeerDown);
        Step::Vanish
    }

    /// A life ends: its operations will not, and what was not persisted is lost.
    pub(super) fn end_life(&mut self, at: Instant) {
        if let Some(mut life) = self.life.take() {
            let mut state = self.shard.state.borrow_mut();
            for (operation, _) in life.operations.drain(..) {
                state.see(at, self.number, Seen::Abandoned(operation));
            }
        }
    }

    /// Tells every client what happened to the peer.
    fn tell_clients(&mut self, at: Instant, happening: &play::Happening<'_>) {
        for client in 0..self.keeps.as_ref().map_or(0, |keeps| keeps.clients.len()) {
            self.act(at, client, happening);
        }
    }

    /// Lets a client act, and does what it wants.
    pub(super) fn act(&mut self, at: Instant, client: usize, happening: &play::Happening<'_>) {
        let Some(acting) = self.keeps.as_mut().and_then(|keeps| keeps.clients.get_mut(client)) else {
            return;
        };
        let mut acts = Vec::new();
        acting.act(at, happening, &mut acts);
        for act in acts {
            match act {
                play::Act::Ask(command) => self.ask(at, command, Some(client)),
                play::Act::DueAt(due) => {
                    if let Some(life) = &mut self.life {
                        life.agenda.client_due(client, due.max(at));
                    }
                }
            }
        }
    }

    /// An operation is asked of the peer.
    pub(super) fn ask(&mut self, at: Instant, command: Command, client: Option<usize>) {
        let mut state = self.shard.state.borrow_mut();
        state.see(at, self.number, Seen::Begun(command.clone()));
        match (&mut self.life, command.operation()) {
            (None, Some(operation)) => state.see(at, self.number, Seen::Abandoned(operation)),
            (None, None) => {}
            (Some(life), operation) => {
                life.operations.extend(operation.map(|operation| (operation, client)));
                let input = Input::Command(command);
                life.agenda.enqueue(Waiting { arrived: at, cause: EventId::SCRIPT, input, content: 0 });
            }
        }
    }

    /// A change has reached the disk.
    pub(super) fn commit(&mut self, change: RecordChange) {
        self.keeps.get_or_insert_default().commit(change);
    }
}

impl Keeps {
    /// What the disk holds when its peer comes up.
    fn turn_on(&mut self, disk: play::Data, at: Instant) -> Vec<Stored> {
        if disk == play::Data::Lost {
            self.disk.clear();
        }
        self.disk.retain(|(_, expires)| *expires > at);
        self.disk.clone()
    }

    fn commit(&mut self, change: RecordChange) {
        let name = match &change {
            RecordChange::Put { record, .. } => record.target.name(),
            RecordChange::Delete { target } => target.name(),
        };
        if let Some(place) = self.disk.iter().position(|(record, _)| record.target.name() == name) {
            self.disk.swap_remove(place);
        }
        if let RecordChange::Put { record, expires } = change {
            self.disk.push((record, expires));
        }
    }
}
