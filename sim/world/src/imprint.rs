//! What a peer handled and emitted, as words of its digest.
//!
//! Everything enters that another peer, a disk or a clock could notice: the time, the kind, the ids by their
//! digests, the content. Events, probes and the form of a message on its way do not.

use kernel::PeerDigest;
use node::{CloseReason, Inbound, Input, LinkState, Outbound, RecordChange};
use types::{Book, ExchangeId, Fold, Instant, Mixer, PeerRef, WriteId};

/// Adds a handled input; `content` stands for the message of a [`Input::Received`].
pub(crate) fn input(digest: &mut PeerDigest, at: Instant, input: &Input, content: u64, book: &Book) {
    let mut mixer = Mixer::new(at.as_nanos());
    match input {
        Input::Started => mixer.word(1),
        Input::Received { from, kind, .. } => {
            mixer.word(2);
            mixer.word(book.digest(*from).0);
            match kind {
                Inbound::OneWay => mixer.word(0),
                Inbound::Request(id) | Inbound::Answer(id) => exchange(&mut mixer, *id, book),
            }
            mixer.word(content);
        }
        Input::Failed { exchange: id, reason } => {
            mixer.word(3);
            exchange(&mut mixer, *id, book);
            mixer.word(*reason as u64);
        }
        Input::Malformed { from, reason } => {
            mixer.word(4);
            mixer.word(book.digest(*from).0);
            mixer.word(*reason as u64);
        }
        Input::Link { peer, state, direction } => {
            mixer.word(if *state == LinkState::Up { 5 } else { 6 });
            mixer.word(book.digest(*peer).0);
            mixer.word(*direction as u64);
        }
        Input::Persisted { write, result } => {
            mixer.word(7);
            mixer.word(write.0);
            mixer.word(result.err().map_or(0, |failure| failure as u64 + 1));
        }
        Input::Command(command) => {
            mixer.word(8);
            mixer.word(command.operation().map_or(0, |id| id.0));
        }
        Input::Deadline => mixer.word(9),
    }
    digest.fold(mixer.finish());
}

/// Adds a message that leaves; `content` stands for it.
pub(crate) fn sent(
    digest: &mut PeerDigest,
    leaves: Instant,
    to: PeerRef,
    kind: Outbound,
    content: u64,
    book: &Book,
) {
    let mut mixer = Mixer::new(leaves.as_nanos());
    mixer.word(17);
    mixer.word(book.digest(to).0);
    match kind {
        Outbound::OneWay => mixer.word(0),
        Outbound::Request { exchange: id, timeout } => {
            exchange(&mut mixer, id, book);
            mixer.word(timeout.as_nanos());
        }
        Outbound::Answer(id) => exchange(&mut mixer, id, book),
    }
    mixer.word(content);
    digest.fold(mixer.finish());
}

/// Adds a request that is turned down.
pub(crate) fn refused(digest: &mut PeerDigest, leaves: Instant, to: PeerRef, id: ExchangeId, book: &Book) {
    let mut mixer = Mixer::new(leaves.as_nanos());
    mixer.word(19);
    mixer.word(book.digest(to).0);
    exchange(&mut mixer, id, book);
    digest.fold(mixer.finish());
}

/// Adds a link that the peer brings up or takes down.
pub(crate) fn link(
    digest: &mut PeerDigest,
    leaves: Instant,
    peer: PeerRef,
    close: Option<CloseReason>,
    book: &Book,
) {
    let mut mixer = Mixer::new(leaves.as_nanos());
    mixer.word(18);
    mixer.word(book.digest(peer).0);
    mixer.word(close.map_or(0, |reason| reason as u64 + 1));
    digest.fold(mixer.finish());
}

/// Adds a change that is to be persisted.
pub(crate) fn write(
    digest: &mut PeerDigest,
    leaves: Instant,
    id: WriteId,
    change: &RecordChange,
    book: &Book,
) {
    let mut mixer = Mixer::new(leaves.as_nanos());
    mixer.word(20);
    mixer.word(id.0);
    match change {
        RecordChange::Put { record, expires } => {
            record.fold(book, &mut mixer);
            mixer.word(expires.as_nanos());
        }
        RecordChange::Delete { target } => mixer.bytes(target.name()),
    }
    digest.fold(mixer.finish());
}

/// Adds a time that the peer asked for.
pub(crate) fn wake(digest: &mut PeerDigest, leaves: Instant, at: Option<Instant>) {
    let mut mixer = Mixer::new(leaves.as_nanos());
    mixer.word(21);
    mixer.word(at.map_or(u64::MAX, Instant::as_nanos));
    digest.fold(mixer.finish());
}

fn exchange(mixer: &mut Mixer, id: ExchangeId, book: &Book) {
    mixer.word(book.digest(id.opener).0);
    mixer.word(u64::from(id.incarnation) << 32 | u64::from(id.count));
}
