//! A context without a mailbox: its owner calls `Handler::handle` itself. A few bytes instead of the
//! kilobyte of an `actix::Context`, and no queueing: the yardstick for what mailboxes cost.

use actix::{ActorContext, ActorState};

/// The context of an actor that is called directly.
#[derive(Debug, Default)]
pub struct Inline {
    stopped: Stopped,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stopped {
    #[default]
    No,
    Asked,
    Done,
}

impl ActorContext for Inline {
    fn stop(&mut self) {
        if self.stopped == Stopped::No {
            self.stopped = Stopped::Asked;
        }
    }

    fn terminate(&mut self) {
        self.stopped = Stopped::Done;
    }

    fn state(&self) -> ActorState {
        match self.stopped {
            Stopped::No => ActorState::Running,
            Stopped::Asked => ActorState::Stopping,
            Stopped::Done => ActorState::Stopped,
        }
    }
}
