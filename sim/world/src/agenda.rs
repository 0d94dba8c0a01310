//! What a peer has before it in one of its lives: the inputs that wait for a core, and what it caused to
//! itself: deadlines, timeouts, writes under way, clients that are due.

use std::collections::VecDeque;

use kernel::EventId;
use node::{Input, RecordChange};
use types::{Duration, ExchangeId, Instant, PeerRef, WriteId};

/// The order of what happens to one peer at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Look,
    Life,
    Arrival,
    Command,
    Persisted,
    Timeout,
    Link,
    Client,
    Deadline,
}

/// An input that has arrived and waits for a core.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) arrived: Instant,
    pub(crate) cause: EventId,
    pub(crate) input: Input,
    /// What stands for its message in the fingerprint.
    pub(crate) content: u64,
}

/// A change on its way to the disk.
#[derive(Debug)]
pub(crate) struct Write {
    pub(crate) done: Instant,
    pub(crate) id: WriteId,
    pub(crate) change: RecordChange,
    pub(crate) cause: EventId,
}

/// An exchange that waits for its answer.
#[derive(Clone, Copy, Debug)]
struct Open {
    fails_at: Instant,
    id: ExchangeId,
    with: PeerRef,
    /// What was being handled when it was opened.
    cause: EventId,
}

/// One life's agenda.
#[derive(Debug)]
pub(crate) struct Agenda {
    /// Inputs that wait, in the order of their coming. Its memory is the shard's while nothing waits.
    waiting: VecDeque<Waiting>,
    /// When each core is free again.
    cores: Cores,
    pub(crate) deadline: Option<Instant>,
    /// What was being handled when that was asked for.
    pub(crate) deadline_cause: EventId,
    /// Open exchanges by the time at which they fail, earliest first.
    exchanges: Vec<Open>,
    writes: VecDeque<Write>,
    /// Clients by the time at which they are due, earliest first.
    clients: Vec<(Instant, usize)>,
}

#[derive(Debug)]
enum Cores {
    One(Instant),
    Many(Box<[Instant]>),
}

impl Agenda {
    pub(crate) fn new(cores: u32, now: Instant) -> Self {
        let cores = if cores <= 1 {
            Cores::One(now)
        } else {
            Cores::Many(vec![now; cores as usize].into_boxed_slice())
        };
        Self {
            waiting: VecDeque::new(),
            cores,
            deadline: None,
            deadline_cause: EventId::SCRIPT,
            exchanges: Vec::new(),
            writes: VecDeque::new(),
            clients: Vec::new(),
        }
    }

    /// Takes a queue to let inputs wait in, unless there is one.
    pub(crate) fn borrow_queue(&mut self, pool: &mut Vec<VecDeque<Waiting>>) {
        if self.waiting.capacity() == 0 {
            self.waiting = pool.pop().unwrap_or_default();
        }
    }

    /// Gives the queue back if nothing waits, and lets go of what is not needed.
    pub(crate) fn return_queue(&mut self, pool: &mut Vec<VecDeque<Waiting>>) {
        if self.waiting.is_empty() {
            pool.push(std::mem::take(&mut self.waiting));
        }
        if self.exchanges.is_empty() {
            self.exchanges = Vec::new();
        }
    }

    /// Inputs that wait.
    pub(crate) fn depth(&self) -> usize {
        self.waiting.len()
    }

    /// Lets an input wait, after those that wait already.
    pub(crate) fn enqueue(&mut self, waiting: Waiting) {
        self.waiting.push_back(waiting);
    }

    /// When the first input that waits can be handled.
    pub(crate) fn ready_at(&self) -> Option<Instant> {
        let first = self.waiting.front()?;
        let free = match &self.cores {
            Cores::One(free) => *free,
            Cores::Many(free) => free.iter().min().copied().unwrap_or_default(),
        };
        Some(first.arrived.max(free))
    }

    /// Takes the first input that waits.
    pub(crate) fn begin(&mut self) -> Option<Waiting> {
        self.waiting.pop_front()
    }

    /// The core that was free first is busy until then.
    pub(crate) fn occupy(&mut self, until: Instant) {
        let core = match &mut self.cores {
            Cores::One(free) => Some(free),
            Cores::Many(free) => free.iter_mut().min(),
        };
        if let Some(free) = core {
            *free = (*free).max(until);
        }
    }

    /// No core is free before then.
    pub(crate) fn freeze(&mut self, until: Instant) {
        match &mut self.cores {
            Cores::One(free) => *free = (*free).max(until),
            Cores::Many(free) => free.iter_mut().for_each(|free| *free = (*free).max(until)),
        }
    }

    /// The earliest thing that the peer caused to itself, apart from inputs that wait.
    pub(crate) fn next_own(&self) -> Option<(Instant, Rank)> {
        let write = self.writes.front().map(|write| (write.done, Rank::Persisted));
        let timeout = self.exchanges.first().map(|open| (open.fails_at, Rank::Timeout));
        let client = self.clients.first().map(|(at, _)| (*at, Rank::Client));
        let deadline = self.deadline.map(|at| (at, Rank::Deadline));
        [write, timeout, client, deadline].into_iter().flatten().min()
    }

    pub(crate) fn open(&mut self, id: ExchangeId, with: PeerRef, fails_at: Instant, cause: EventId) {
        let at = self.exchanges.partition_point(|other| other.fails_at <= fails_at);
        self.exchanges.insert(at, Open { fails_at, id, with, cause });
    }

    /// Whether this exchange is open.
    pub(crate) fn is_open(&self, id: ExchangeId) -> bool {
        self.exchanges.iter().any(|open| open.id == id)
    }

    /// Ends an exchange and says what opened it; none if it was not open.
    pub(crate) fn close(&mut self, id: ExchangeId) -> Option<EventId> {
        let found = self.exchanges.iter().position(|open| open.id == id);
        found.map(|at| self.exchanges.remove(at).cause)
    }

    /// Takes an exchange with this peer, the one that would fail first, and what opened it.
    pub(crate) fn cut_off(&mut self, peer: PeerRef) -> Option<(ExchangeId, EventId)> {
        let found = self.exchanges.iter().position(|open| open.with == peer)?;
        let open = self.exchanges.remove(found);
        Some((open.id, open.cause))
    }

    /// Takes the exchange that fails first, and what opened it.
    pub(crate) fn time_out(&mut self) -> Option<(ExchangeId, EventId)> {
        let open = (!self.exchanges.is_empty()).then(|| self.exchanges.remove(0))?;
        Some((open.id, open.cause))
    }

    /// Adds a write; the disk does them one after another, each in `takes`.
    pub(crate) fn write(
        &mut self,
        id: WriteId,
        change: RecordChange,
        from: Instant,
        takes: Duration,
        cause: EventId,
    ) {
        let free = self.writes.back().map_or(from, |last| last.done.max(from));
        self.writes.push_back(Write { done: free + takes, id, change, cause });
    }

    /// Takes the write that is done first.
    pub(crate) fn written(&mut self) -> Option<Write> {
        self.writes.pop_front()
    }

    /// The client is due then, and no longer when it said before.
    pub(crate) fn client_due(&mut self, client: usize, at: Instant) {
        self.clients.retain(|(_, other)| *other != client);
        let place = self.clients.partition_point(|(other, _)| *other <= at);
        self.clients.insert(place, (at, client));
    }

    /// Takes the client that is due first.
    pub(crate) fn client(&mut self) -> Option<usize> {
        (!self.clients.is_empty()).then(|| self.clients.remove(0).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    fn deadline(arrived: u64) -> Waiting {
        Waiting { arrived: at(arrived), cause: EventId::SCRIPT, input: Input::Deadline, content: 0 }
    }

    #[test]
    fn an_input_waits_until_a_core_is_free() {
        let mut agenda = Agenda::new(2, at(0));
        for arrived in [1, 2, 3] {
            agenda.enqueue(deadline(arrived));
        }
        let mut starts = Vec::new();
        while let Some(ready) = agenda.ready_at() {
            agenda.begin().unwrap();
            agenda.occupy(ready + Duration::from_nanos(100));
            starts.push(ready.as_nanos());
        }
        assert_eq!(starts, [1, 2, 101], "two at once, the third when the first is done");
    }

    #[test]
    fn nothing_is_handled_while_it_stands_still() {
        for cores in [1, 3] {
            let mut agenda = Agenda::new(cores, at(0));
            agenda.freeze(at(50));
            agenda.freeze(at(20));
            agenda.enqueue(deadline(10));
            assert_eq!(agenda.ready_at(), Some(at(50)));
        }
    }

    #[test]
    fn what_is_due_first_comes_first_and_ties_go_by_rank() {
        let mut agenda = Agenda::new(1, at(0));
        let exchange = |count| ExchangeId { opener: PeerRef::shared(0), incarnation: 0, count };
        agenda.deadline = Some(at(5));
        let cause = |count| EventId { peer: 0, count };
        agenda.open(exchange(1), PeerRef::shared(1), at(9), cause(1));
        agenda.open(exchange(2), PeerRef::shared(2), at(5), cause(2));
        assert_eq!(agenda.next_own(), Some((at(5), Rank::Timeout)));
        assert_eq!(agenda.time_out(), Some((exchange(2), cause(2))));
        assert_eq!(agenda.next_own(), Some((at(5), Rank::Deadline)));
        assert_eq!(agenda.close(exchange(1)), Some(cause(1)));
        assert_eq!(agenda.close(exchange(1)), None, "an exchange ends once");
        agenda.open(exchange(3), PeerRef::shared(3), at(7), cause(3));
        assert_eq!(
            (agenda.cut_off(PeerRef::shared(1)), agenda.cut_off(PeerRef::shared(3))),
            (None, Some((exchange(3), cause(3))))
        );
    }

    #[test]
    fn the_disk_writes_one_after_another() {
        let mut agenda = Agenda::new(1, at(0));
        let target = std::sync::Arc::new(kad::Target::new(b"name"));
        for id in 0..2 {
            let change = RecordChange::Delete { target: target.clone() };
            agenda.write(WriteId(id), change, at(10), Duration::from_nanos(7), EventId::SCRIPT);
        }
        let done: Vec<_> =
            std::iter::from_fn(|| agenda.written()).map(|write| write.done.as_nanos()).collect();
        assert_eq!(done, [17, 24]);
    }
}
