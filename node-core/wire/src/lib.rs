//! The bytes of every message: pure codecs, both directions, exact sizes.
//!
//! | module | what |
//! |---|---|
//! | `dht` | the messages of `kad`: `/ipfs/kad/1.0.0` of libp2p |
//! | `protobuf` | reading and writing of protobuf fields, borrowed and bounded |
//! | `address` | the synthetic address that a contact travels with |
//! | [`admin`] | what travels between a node and whoever administers it |
//!
//! A message is one frame: its length as an unsigned varint, then its body. [`encoded_len`] is the length of
//! the frame, without encoding it; bandwidth counts it for every simulated message.
//!
//! The protobuf is written by hand, not by `prost`: a generated struct owns its fields, so the size of a message
//! would cost a copy of each id in it, and decoding would allocate per contact before any limit is seen. By
//! hand, both work on borrowed bytes and references, and every limit holds before memory is taken.
//!
//! It is deliberately *not* a transport: what a stream negotiates, how frames are cut from it and where a real
//! contact can be dialled belong to the transport's crate.
//!
//! Invariants:
//! - nothing of a message is lost: a decoded message equals the one that was encoded, in any book, so a run
//!   whose messages are encoded has the fingerprint of one whose messages are not;
//! - [`encoded_len`] is exact;
//! - no bytes panic, recurse or take more memory than a few times their number and the limits named here;
//! - bytes that are refused bring no stranger into the book, unless it is for want of room: then those that
//!   still found some stay until its next sweep.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod address;
pub mod admin;
mod dht;
mod protobuf;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod laws;

use alloc::vec::Vec;

use node::{DecodeFailure, Message};
use types::{Book, PeerId};

/// Bytes of a message's body, at most: a record of 64 KiB, the default limit of a value, and as much again for
/// contacts with several addresses each. libp2p's own default is 16 KiB, which bounds its records to less: a
/// network that is to interoperate sets its `max_record_size` accordingly.
pub const MAX_BODY_BYTES: usize = 128 * 1024;

/// Contacts of a message, at most, and as many providers: twice the greatest k, so that an answer that names too many is still read and
/// reported by `kad`, and one that names absurdly many is refused before anything of it is kept.
pub const MAX_CONTACTS: usize = 256;

/// Addresses of a contact that are written and read, at most: what a peer with several interfaces and transports has.
/// More are left out, and skipped.
pub const MAX_ADDRESSES: usize = 8;

/// Which half of an exchange a message is: requests and answers of one kind look alike in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// It opens the exchange.
    Request,
    /// It ends the exchange.
    Response,
}

/// Appends the frame of `message` to `out`.
///
/// References are written as the ids that `book` has for them; a reference that outlived its entry names nobody
/// and is left out.
pub fn encode(message: &Message, book: &Book, out: &mut Vec<u8>) {
    match message {
        Message::Kad(message) => dht::encode(message, book, out),
    }
}

/// Appends the frame of `message` to `out`, each contact with its binary multiaddrs, of which `places` tells.
///
/// A closer contact without any is left out: whoever reads of it could not dial it.
pub fn encode_with_places<'p, A: AsRef<[u8]> + 'p>(
    message: &Message,
    book: &Book,
    places: impl Fn(&PeerId) -> &'p [A],
    out: &mut Vec<u8>,
) {
    match message {
        Message::Kad(message) => dht::encode_with_places(message, book, places, out),
    }
}

/// Calls `each` with every contact's addresses in the frame `bytes`, as they were written: a stranger's claims.
///
/// # Errors
/// If the bytes are no frame; [`decode`] says more of what they are.
pub fn for_each_place(bytes: &[u8], each: impl FnMut(&PeerId, &[u8])) -> Result<(), DecodeFailure> {
    dht::for_each_place(bytes, each)
}

/// The bytes that [`encode`] appends; nothing is allocated, and ids of the book's shared part are not read when
/// all have one length.
#[must_use]
pub fn encoded_len(message: &Message, book: &Book) -> usize {
    match message {
        Message::Kad(message) => dht::encoded_len(message, book),
    }
}

/// The message of which `bytes` are the whole frame. Ids that `book` does not know are entered into it.
///
/// Fields that are unknown, and the addresses of contacts ([`for_each_place`]), are skipped; a contact whose id is none is left out,
/// as libp2p does.
///
/// # Errors
/// If the bytes are no such message, exceed a limit, or name more strangers than `book` has room for. In the
/// last case the owner of the book sweeps it: the message is lost, as by a full queue.
pub fn decode(bytes: &[u8], half: Half, book: &mut Book) -> Result<Message, DecodeFailure> {
    dht::decode(bytes, half, book).map(Message::Kad)
}
