//! A host performs what its peer wants done, in simulated time.

use kernel::links::COPY;
use kernel::{Carried, Event, Fate};
use node::{Inbound, Message, Outbound, Output};
use types::{Book, Duration, ExchangeId, Instant, OperationId, PeerRef};

use super::SimHost;
use crate::cell::Seen;
use crate::imprint;
use crate::parcel::{Parcel, Payload, REFUSAL_BYTES};

/// What a change takes to be persisted: a write and a flush of a common solid-state disk.
const WRITE_TIME: Duration = Duration::from_millis(2);

impl SimHost {
    pub(super) fn perform_one(&mut self, leaves: Instant, output: Output, book: &Book) {
        match output {
            Output::Send { to, kind, message } => self.send(leaves, to, kind, message, book),
            Output::Refuse { to, exchange } => self.refuse(leaves, to, exchange, book),
            Output::Persist { write, change } => {
                imprint::write(&mut self.digest, leaves, write, &change, book);
                if let Some(life) = &mut self.life {
                    life.agenda.write(write, change, leaves, WRITE_TIME, self.handling.id);
                }
            }
            Output::WakeAt(at) => {
                imprint::wake(&mut self.digest, leaves, at);
                if let Some(life) = &mut self.life {
                    life.agenda.deadline = at.map(|at| at.max(leaves));
                    life.agenda.deadline_cause = self.handling.id;
                }
            }
            Output::Event(event) => self.tell(leaves, event),
            Output::Dial { peer } => {
                imprint::link(&mut self.digest, leaves, peer, None, book);
                if let Some(peer) = number_of(peer) {
                    self.with_links(leaves, |links, effects| links.dial(leaves, peer, effects));
                }
            }
            Output::Close { peer, reason } => {
                imprint::link(&mut self.digest, leaves, peer, Some(reason), book);
                if let Some(peer) = number_of(peer) {
                    self.with_links(leaves, |links, effects| links.close(peer, effects));
                }
            }
        }
    }

    fn send(&mut self, leaves: Instant, to: PeerRef, kind: Outbound, message: Message, book: &Book) {
        let Some(life) = &mut self.life else { return };
        let inbound = match kind {
            Outbound::OneWay => Inbound::OneWay,
            Outbound::Request { exchange, timeout } => {
                life.agenda.open(exchange, to, leaves + timeout, self.handling.id);
                Inbound::Request(exchange)
            }
            Outbound::Answer(exchange) => Inbound::Answer(exchange),
        };
        if let (Some(openings), Some(to)) = (&mut life.openings, number_of(to)) {
            openings.speak(leaves, to);
        }
        let size = wire::encoded_len(&message, book) as u64;
        let parcel = Parcel::pack(self.shard.stage.wire, inbound, message, book);
        imprint::sent(&mut self.digest, leaves, to, kind, parcel.digest, book);
        self.dispatch(leaves, to, size, parcel);
    }

    fn refuse(&mut self, leaves: Instant, to: PeerRef, exchange: ExchangeId, book: &Book) {
        imprint::refused(&mut self.digest, leaves, to, exchange, book);
        self.dispatch(leaves, to, REFUSAL_BYTES, Parcel::refusal(exchange));
    }

    /// Sends a parcel by its link, or at once where links are free.
    fn dispatch(&mut self, leaves: Instant, to: PeerRef, size: u64, parcel: Parcel) {
        // A stranger to the plan is nobody who could answer.
        let (Some(to), Some(life)) = (number_of(to), &self.life) else { return };
        if life.links.is_some() {
            self.with_links(leaves, |links, effects| {
                links.send(leaves, to, parcel, size, effects);
            });
        } else {
            self.transmit(leaves, to, size, carried(parcel.kind), Payload::Parcel(parcel));
        }
    }

    /// Hands a frame to the network.
    pub(super) fn transmit(&mut self, at: Instant, to: u32, size: u64, carried: Carried, payload: Payload) {
        let sequence = self.sequence;
        self.sequence += 1;
        let mut state = self.shard.state.borrow_mut();
        state.count_sent(self.number, size);
        let fate = state.links.send(at, self.number, to, sequence, size, carried);
        let (from, cause) = (self.number, self.handling.id);
        match fate {
            Fate::Arrives(arrives) => {
                state.post(Event { at: arrives, sequence, to, from, cause, payload });
            }
            Fate::ArrivesTwice(arrives, copy_arrives) => {
                if let Payload::Parcel(parcel) = &payload {
                    let (sequence, payload) = (sequence | COPY, Payload::Parcel(parcel.clone()));
                    state.post(Event { at: copy_arrives, sequence, to, from, cause, payload });
                }
                state.post(Event { at: arrives, sequence, to, from, cause, payload });
            }
            Fate::Lost(_) => {}
        }
    }

    fn tell(&mut self, at: Instant, event: node::Event) {
        if let node::Event::Kad(kad::Event::OperationEnded { id, report, outcome }) = &event
            && let Some(client) = self.end_operation(*id)
        {
            self.act(at, client, &play::Happening::Ended { id: *id, outcome, report });
        }
        self.shard.state.borrow_mut().see(at, self.number, Seen::Told(self.handling.id, event));
    }

    /// The client that asked for the operation, if one did.
    fn end_operation(&mut self, id: OperationId) -> Option<usize> {
        let operations = &mut self.life.as_mut()?.operations;
        let place = operations.iter().position(|(operation, _)| *operation == id)?;
        operations.swap_remove(place).1
    }
}

/// The plan's number of a peer; none for a stranger.
pub(super) fn number_of(peer: PeerRef) -> Option<u32> {
    peer.index().and_then(|index| u32::try_from(index).ok())
}

pub(super) const fn carried(kind: Inbound) -> Carried {
    match kind {
        Inbound::OneWay => Carried::OneWay,
        Inbound::Request(_) => Carried::Request,
        Inbound::Answer(_) => Carried::Answer,
    }
}
