//! A host's links, where a scenario has them dialled: what comes of frames, dials and closings.

use kernel::Carried;
use kernel::connections::{Admission, Connections, Control, DialFailure, Effect, Frame};
use node::{Direction, Inbound, Input, LinkState};
use types::{Instant, PeerRef, SendFailure};

use super::SimHost;
use super::outputs::{carried, number_of};
use crate::parcel::{Parcel, Payload};

impl SimHost {
    /// A frame of a link has arrived.
    pub(super) fn frame(&mut self, at: Instant, from: PeerRef, control: Control) {
        if self.life.is_none() {
            self.shard.state.borrow_mut().drops.peer_down += 1;
        } else if matches!(control, Control::Dial { .. }) && self.shard.stage.is_undialable(self.number) {
            // A NAT says nothing: the dial times out.
            self.shard.state.borrow_mut().drops.undialable += 1;
        } else if let Some(from) = number_of(from) {
            self.with_links(at, |links, effects| links.frame(at, from, control, effects));
        }
    }

    /// Whether what comes from this peer comes by a link, where links are needed, or through an opening, where those are.
    pub(super) fn admits(&mut self, at: Instant, from: PeerRef) -> bool {
        let Some(from) = number_of(from) else { return false };
        let openings = self.life.as_mut().and_then(|life| life.openings.as_mut());
        if openings.is_some_and(|openings| !openings.hear(at, from)) {
            self.shard.state.borrow_mut().drops.undialable += 1;
            return false;
        }
        let mut admission = Admission::Admitted;
        self.with_links(at, |links, effects| admission = links.payload(at, from, effects));
        if admission == Admission::Dropped {
            self.shard.state.borrow_mut().drops.no_link += 1;
        }
        admission == Admission::Admitted
    }

    /// Does something with the links, if there are any, and performs what comes of it.
    pub(super) fn with_links(
        &mut self,
        at: Instant,
        act: impl FnOnce(&mut Connections<Parcel>, &mut Vec<Effect<Parcel>>),
    ) {
        let Some(links) = self.life.as_mut().and_then(|life| life.links.as_mut()) else {
            return;
        };
        let mut effects = Vec::new();
        act(links, &mut effects);
        for effect in effects {
            match effect {
                Effect::Transmit { to, frame: Frame::Payload(parcel), size_bytes } => {
                    self.transmit(at, to, size_bytes, carried(parcel.kind), Payload::Parcel(parcel));
                }
                Effect::Transmit { to, frame: Frame::Control(control), size_bytes } => {
                    self.transmit(at, to, size_bytes, Carried::Control, Payload::Control(control));
                }
                Effect::Up { peer, direction } => {
                    self.tell_link(at, peer, LinkState::Up, direction_of(direction));
                }
                Effect::Down { peer, .. } => {
                    self.tell_link(at, peer, LinkState::Down, Direction::Dialled);
                    self.cut_off(at, peer);
                }
                // Each payload that waited fails by itself.
                Effect::DialFailed { .. } => {}
                Effect::Failed { payload, reason, .. } => self.not_sent(at, payload.kind, reason),
            }
        }
    }

    fn tell_link(&mut self, at: Instant, peer: u32, state: LinkState, direction: Direction) {
        self.wait(at, self.handling.id, Input::Link { peer: PeerRef::shared(peer), state, direction });
    }

    /// The link to this peer is down: what it was to answer, it will not.
    fn cut_off(&mut self, at: Instant, peer: u32) {
        while let Some((exchange, cause)) =
            self.life.as_mut().and_then(|life| life.agenda.cut_off(PeerRef::shared(peer)))
        {
            self.wait(at, cause, Input::Failed { exchange, reason: SendFailure::Closed });
        }
    }

    fn not_sent(&mut self, at: Instant, kind: Inbound, reason: DialFailure) {
        let Inbound::Request(exchange) = kind else { return };
        if let Some(cause) = self.life.as_mut().and_then(|life| life.agenda.close(exchange)) {
            let reason = match reason {
                DialFailure::TimedOut => SendFailure::Unreachable,
                DialFailure::Refused => SendFailure::Refused,
                DialFailure::TooManyLinks | DialFailure::TooManyWaiting => SendFailure::QueueFull,
                DialFailure::Closed => SendFailure::Closed,
            };
            self.wait(at, cause, Input::Failed { exchange, reason });
        }
    }
}

const fn direction_of(direction: kernel::connections::Direction) -> Direction {
    match direction {
        kernel::connections::Direction::Inbound => Direction::Accepted,
        kernel::connections::Direction::Outbound => Direction::Dialled,
    }
}
