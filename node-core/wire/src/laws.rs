//! What holds for every message and for all bytes.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use kad::message::MAX_NAME_BYTES;
use kad::{Announcement, Providers, Record, Request, Response, Target};
use node::{DecodeFailure, Message};
use proptest::collection::vec as many;
use proptest::prelude::*;
use types::book::MAX_OWN_PEERS;
use types::{Book, Fold, Mixer, PeerId, PeerRef, SharedBook};

use crate::{Half, MAX_BODY_BYTES, MAX_CONTACTS, decode, encode, encoded_len};

/// Peers of the plan in these tests.
const SHARED: u8 = 8;

fn ed25519(number: u8) -> PeerId {
    PeerId::from_ed25519(&[number; 32])
}

/// Ids of the plan's peers: of one length, or not.
fn plan(mixed: Mixed) -> Vec<PeerId> {
    let mut ids: Vec<_> = (0..SHARED).map(ed25519).collect();
    if mixed == Mixed::Yes {
        ids.push(PeerId::from_bytes(&[0, 0]).unwrap());
    }
    ids
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mixed {
    Yes,
    No,
}

/// An id of the plan, or a stranger's: Ed25519, hashed, or another key of any length.
fn any_id() -> impl Strategy<Value = PeerId> {
    let of = |head: &[u8], key: Vec<u8>| PeerId::from_bytes(&[head, &key].concat()).unwrap();
    prop_oneof![
        3 => (0..SHARED).prop_map(ed25519),
        1 => any::<[u8; 32]>().prop_map(|key| PeerId::from_ed25519(&key)),
        1 => any::<[u8; 32]>().prop_map(move |hash| of(&[0x12, 0x20], hash.to_vec())),
        1 => many(any::<u8>(), 0..=42).prop_map(move |key| of(&[0x00, key.len() as u8], key)),
    ]
}

/// A message whose references are numbers of a list of ids, and the list.
#[derive(Clone, Debug)]
struct Draft {
    half: Half,
    kind: u8,
    name: Vec<u8>,
    record: Option<(Vec<u8>, Option<PeerId>, u32)>,
    closer: Vec<PeerId>,
    providers: Vec<PeerId>,
    mixed: Mixed,
}

fn any_draft() -> impl Strategy<Value = Draft> {
    let value = prop_oneof![
        8 => many(any::<u8>(), 0..300),
        1 => (any::<u8>(), 0..=64 * 1024usize).prop_map(|(byte, len)| vec![byte; len]),
    ];
    let record = (value, proptest::option::of(any_id()), any::<u32>().prop_flat_map(|ttl| 0..=ttl));
    (
        prop_oneof![Just(Half::Request), Just(Half::Response)],
        0..5u8,
        many(any::<u8>(), 0..=MAX_NAME_BYTES),
        proptest::option::of(record),
        prop_oneof![4 => many(any_id(), 0..=20), 1 => many(any_id(), 0..=MAX_CONTACTS)],
        prop_oneof![4 => many(any_id(), 0..=20), 1 => many(any_id(), 0..=MAX_CONTACTS)],
        prop_oneof![Just(Mixed::Yes), Just(Mixed::No)],
    )
        .prop_map(|(half, kind, name, record, closer, providers, mixed)| Draft {
            half,
            kind,
            name,
            record,
            closer,
            providers,
            mixed,
        })
}

impl Draft {
    fn book(&self) -> Book {
        Book::new(Arc::new(SharedBook::new(plan(self.mixed))))
    }

    fn message(&self, book: &mut Book) -> Message {
        let mut refer = |id: &PeerId| book.intern(id).unwrap();
        let target = Target::new(&self.name);
        let closer: Box<[PeerRef]> = self.closer.iter().map(&mut refer).collect();
        let providers: Box<[PeerRef]> = self.providers.iter().map(&mut refer).collect();
        let (value, publisher, ttl_secs) = self.record.clone().unwrap_or_default();
        let record = Arc::new(Record {
            target: target.clone(),
            value: value.into(),
            publisher: publisher.as_ref().map(refer),
            ttl_secs,
        });
        Message::Kad(match (self.half, self.kind) {
            (Half::Request, 0) => kad::Message::Request(Request::FindNode(Arc::new(target))),
            (Half::Request, 1) => kad::Message::Request(Request::GetValue(Arc::new(target))),
            (Half::Request, 2) => kad::Message::Request(Request::GetProviders(Arc::new(target))),
            (Half::Request, 3) => {
                kad::Message::Notice(Arc::new(Announcement { target: Arc::new(target), providers }))
            }
            (Half::Request, _) => kad::Message::Request(Request::PutValue(record)),
            (Half::Response, 0) => kad::Message::Response(Response::Nodes(closer)),
            (Half::Response, 1) => {
                let record = self.record.is_some().then_some(record);
                kad::Message::Response(Response::Value { record, closer })
            }
            (Half::Response, 2) => {
                kad::Message::Response(Response::Providers(Box::new(Providers { providers, closer })))
            }
            (Half::Response, _) => kad::Message::Response(Response::Stored(record)),
        })
    }
}

fn encoded(message: &Message, book: &Book) -> Vec<u8> {
    let mut bytes = vec![];
    encode(message, book, &mut bytes);
    bytes
}

fn imprint(message: &Message, book: &Book) -> u64 {
    let mut mixer = Mixer::new(0);
    message.fold(book, &mut mixer);
    mixer.finish()
}

/// How much a message holds that its sender chose: bytes of names and values, and contacts.
fn held(message: &Message) -> (usize, usize) {
    let of = |record: &Record| record.target.name().len() + record.value.len();
    let Message::Kad(message) = message;
    match message {
        kad::Message::Request(
            Request::FindNode(target) | Request::GetValue(target) | Request::GetProviders(target),
        ) => (target.name().len(), 0),
        kad::Message::Notice(announcement) => {
            (announcement.target.name().len(), announcement.providers.len())
        }
        kad::Message::Response(Response::Providers(answer)) => {
            (0, answer.providers.len() + answer.closer.len())
        }
        kad::Message::Request(Request::PutValue(record))
        | kad::Message::Response(Response::Stored(record)) => (of(record), 0),
        kad::Message::Response(Response::Nodes(closer)) => (0, closer.len()),
        kad::Message::Response(Response::Value { record, closer }) => {
            (record.as_deref().map_or(0, of), closer.len())
        }
    }
}

proptest! {
    #[test]
    fn a_message_is_read_back_as_it_was(draft in any_draft()) {
        let mut book = draft.book();
        let message = draft.message(&mut book);
        let bytes = encoded(&message, &book);
        prop_assert_eq!(encoded_len(&message, &book), bytes.len());
        prop_assert_eq!(decode(&bytes, draft.half, &mut book), Ok(message.clone()));

        // A receiver that never met the strangers reads the same, under references of its own.
        let mut other = draft.book();
        let received = decode(&bytes, draft.half, &mut other).unwrap();
        prop_assert_eq!(imprint(&received, &other), imprint(&message, &book));
        prop_assert_eq!(encoded(&received, &other), bytes);
    }

    #[test]
    fn encoding_appends(draft in any_draft()) {
        let mut book = draft.book();
        let message = draft.message(&mut book);
        let mut bytes = vec![1, 2, 3];
        encode(&message, &book, &mut bytes);
        prop_assert_eq!((&bytes[..3], &bytes[3..]), (&[1, 2, 3][..], &encoded(&message, &book)[..]));
    }

    #[test]
    fn a_frame_cut_anywhere_is_refused_as_cut(draft in any_draft(), cut in any::<prop::sample::Index>()) {
        let mut book = draft.book();
        let message = draft.message(&mut book);
        let bytes = encoded(&message, &book);
        let frames: Vec<usize> = if bytes.len() < 600 { (0..bytes.len()).collect() } else { vec![cut.index(bytes.len())] };
        for len in frames {
            prop_assert_eq!(decode(&bytes[..len], draft.half, &mut book), Err(DecodeFailure::Truncated));
        }
    }

    /// Cut within its frame, the body may be a shorter message or none; it never panics and never grows.
    #[test]
    fn a_body_cut_anywhere_is_refused_or_shorter(draft in any_draft(), cut in any::<prop::sample::Index>()) {
        let mut book = draft.book();
        let message = draft.message(&mut book);
        let bytes = encoded(&message, &book);
        let head = bytes.iter().take_while(|byte| **byte >= 0x80).count() + 1;
        let body = &bytes[head..];
        let cuts: Vec<usize> = if body.len() < 600 { (0..body.len()).collect() } else { vec![cut.index(body.len())] };
        for len in cuts {
            let mut shorter = vec![];
            crate::protobuf::put_varint(&mut shorter, len as u64);
            shorter.extend_from_slice(&body[..len]);
            if let Ok(read) = decode(&shorter, draft.half, &mut book) {
                let ((now, now_contacts), (before, contacts)) = (held(&read), held(&message));
                prop_assert!(now <= before && now_contacts <= contacts);
            }
        }
    }

    #[test]
    fn no_bytes_panic_or_hold_more_than_was_sent(
        mut bytes in many(any::<u8>(), 0..400),
        framed in any::<bool>(),
        half in prop_oneof![Just(Half::Request), Just(Half::Response)],
    ) {
        if framed {
            let mut frame = vec![];
            crate::protobuf::put_varint(&mut frame, bytes.len() as u64);
            frame.append(&mut bytes);
            bytes = frame;
        }
        check_bound(&bytes, half)?;
    }

    /// Garbage that is almost a message reaches deeper than garbage that is nearly never one.
    #[test]
    fn no_damage_panics_or_makes_a_message_hold_more_than_was_sent(
        draft in any_draft(),
        damage in many((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut book = draft.book();
        let message = draft.message(&mut book);
        let mut bytes = encoded(&message, &book);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        check_bound(&bytes, draft.half)?;
    }
}

/// Decodes, and holds what was read, and the strangers that it brought, against the bytes.
fn check_bound(bytes: &[u8], half: Half) -> Result<(), TestCaseError> {
    let mut book = Book::new(Arc::new(SharedBook::new(plan(Mixed::No))));
    match decode(bytes, half, &mut book) {
        Ok(message) => {
            let (len, contacts) = held(&message);
            prop_assert!(len <= bytes.len() && contacts <= 2 * MAX_CONTACTS && contacts * 6 <= bytes.len());
            prop_assert!(book.sweep(core::iter::empty()) <= contacts + 1, "a publisher, and the contacts");
        }
        Err(_) => prop_assert_eq!(book.sweep(core::iter::empty()), 0, "what is refused leaves no stranger"),
    }
    Ok(())
}

#[test]
fn a_message_at_a_limit_is_read_and_one_beyond_it_is_not() {
    let mut book = Book::new(Arc::new(SharedBook::new(plan(Mixed::No))));
    let contacts = |count: usize| {
        let peers: Box<[_]> = (0..count).map(|_| PeerRef::shared(0)).collect();
        Message::Kad(kad::Message::Response(Response::Nodes(peers)))
    };
    let put = |len: usize| {
        Message::Kad(kad::Message::Request(Request::PutValue(Arc::new(Record {
            target: Target::new(b""),
            value: vec![0; len].into(),
            publisher: None,
            ttl_secs: 0,
        }))))
    };
    // Two tags and two lengths of three bytes surround the value.
    let value = MAX_BODY_BYTES - 8;
    for (fits, exceeds, half) in [
        (contacts(MAX_CONTACTS), contacts(MAX_CONTACTS + 1), Half::Response),
        (put(value), put(value + 1), Half::Request),
    ] {
        assert_eq!(decode(&encoded(&fits, &book), half, &mut book), Ok(fits));
        assert_eq!(decode(&encoded(&exceeds, &book), half, &mut book), Err(DecodeFailure::TooLong));
    }
    let name = [0x12, (MAX_NAME_BYTES + 1) as u8 | 0x80, 1];
    let mut long_name = vec![0x86, 0x01, 0x08, 4];
    long_name.extend(name);
    long_name.resize(136, 0);
    assert_eq!(decode(&long_name, Half::Request, &mut book), Err(DecodeFailure::TooLong));
}

#[test]
fn a_full_book_is_reported_and_known_peers_are_still_read() {
    let mut book = Book::new(Arc::new(SharedBook::new(plan(Mixed::No))));
    let stranger = PeerId::from_ed25519(&[99; 32]);
    let asked = book.intern(&stranger).unwrap();
    let nodes = |peer| Message::Kad(kad::Message::Response(Response::Nodes([peer].into())));
    let bytes = encoded(&nodes(asked), &book);
    assert_eq!(book.sweep(core::iter::empty()), 1);
    for number in 0..MAX_OWN_PEERS as u32 {
        let mut key = [7; 32];
        key[..4].copy_from_slice(&number.to_be_bytes());
        book.intern(&PeerId::from_ed25519(&key)).unwrap();
    }
    assert_eq!(decode(&bytes, Half::Response, &mut book), Err(DecodeFailure::BookFull));
    let known = nodes(PeerRef::shared(3));
    assert_eq!(decode(&encoded(&known, &book), Half::Response, &mut book), Ok(known));
}

#[test]
fn a_reference_that_outlived_its_entry_is_left_out() {
    let mut book = Book::new(Arc::new(SharedBook::new(plan(Mixed::No))));
    let gone = book.intern(&PeerId::from_ed25519(&[99; 32])).unwrap();
    book.sweep(core::iter::empty());
    let nodes = |peers: &[PeerRef]| Message::Kad(kad::Message::Response(Response::Nodes(peers.into())));
    let [with, without] =
        [nodes(&[gone, PeerRef::shared(1), PeerRef::shared(200)]), nodes(&[PeerRef::shared(1)])];
    assert_eq!(encoded(&with, &book), encoded(&without, &book));
    assert_eq!(encoded_len(&with, &book), encoded_len(&without, &book));
}
