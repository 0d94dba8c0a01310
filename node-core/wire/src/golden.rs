//! Bytes written by hand from libp2p's specification and rust-libp2p's field order, compared one by one.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use kad::{Announcement, Record, Request, Response, Target};
use node::{DecodeFailure, Message};
use types::{Book, PeerId, SharedBook};

use crate::{Half, MAX_ADDRESSES, decode, encode, encode_with_places, encoded_len, for_each_place};

/// The id of the public key of 32 bytes `byte`: 38 bytes.
fn id(byte: u8) -> Vec<u8> {
    let mut id = vec![0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
    id.extend([byte; 32]);
    id
}

/// A book in which peer `n` of the plan has the id of byte `n + 1`.
fn book() -> Book {
    let ids = [1, 2].map(|byte| PeerId::from_ed25519(&[byte; 32]));
    Book::new(Arc::new(SharedBook::new(ids.to_vec())))
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn is_exactly(message: kad::Message, half: Half, frame: &[u8]) {
    let message = Message::Kad(message);
    let mut book = book();
    let mut bytes = vec![];
    encode(&message, &book, &mut bytes);
    assert_eq!(bytes, frame);
    assert_eq!(encoded_len(&message, &book), frame.len());
    assert_eq!(decode(frame, half, &mut book), Ok(message));
}

/// `/ip4/10.….…/tcp/…` as it follows from the digest of the peer.
fn address(byte: u8) -> [u8; 8] {
    let [a, b, c, high, low, ..] = PeerId::from_ed25519(&[byte; 32]).digest().0.to_be_bytes();
    [0x04, 0x0a, a, b, c, 0x06, high | 0x80, low]
}

#[test]
fn find_node_is_a_kind_a_level_and_a_key() {
    let frame = joined(&[
        &[44],       // length
        &[0x08, 4],  // type = FIND_NODE
        &[0x50, 10], // clusterLevelRaw = 10
        &[0x12, 38], // key
        &id(1),
    ]);
    let target = Arc::new(Target::new(&id(1)));
    is_exactly(kad::Message::Request(Request::FindNode(target)), Half::Request, &frame);
}

#[test]
fn get_value_differs_from_find_node_in_its_kind() {
    let frame = joined(&[&[10], &[0x08, 1], &[0x50, 10], &[0x12, 4], b"name"]);
    let target = Arc::new(Target::new(b"name"));
    is_exactly(kad::Message::Request(Request::GetValue(target)), Half::Request, &frame);
}

/// The record of the tests below, and its bytes.
fn record() -> (Arc<Record>, Vec<u8>) {
    let record = Record {
        target: Target::new(b"name"),
        value: Box::from(&b"value"[..]),
        publisher: book().find(&PeerId::from_ed25519(&[2; 32])),
        ttl_secs: 172_800,
    };
    let bytes = joined(&[
        &[0x0a, 4], // key
        b"name",
        &[0x12, 5], // value
        b"value",
        &[0xd2, 0x29, 38], // publisher: (666 << 3 | 2) as a varint
        &id(2),
        &[0xc8, 0x30, 0x80, 0xc6, 0x0a], // ttl: (777 << 3) as a varint, then 48 h
    ]);
    (Arc::new(record), bytes)
}

#[test]
fn put_value_omits_its_kind_which_is_zero_and_its_answer_echoes_it() {
    let (record, bytes) = record();
    let frame = joined(&[
        &[67],
        &[0x12, 4], // key, once more
        b"name",
        &[0x1a, 59], // record
        &bytes,
    ]);
    is_exactly(kad::Message::Request(Request::PutValue(Arc::clone(&record))), Half::Request, &frame);
    is_exactly(kad::Message::Response(Response::Stored(record)), Half::Response, &frame);
}

#[test]
fn contacts_carry_an_id_and_one_address() {
    let contact = |byte| joined(&[&[0x42, 50], &[0x0a, 38], &id(byte), &[0x12, 8], &address(byte)]);
    let frame = joined(&[&[108], &[0x08, 4], &[0x50, 9], &contact(2), &contact(1)]);
    let [first, second] = [2, 1].map(|byte| book().find(&PeerId::from_ed25519(&[byte; 32])).unwrap());
    let nodes = Response::Nodes([first, second].into());
    is_exactly(kad::Message::Response(nodes), Half::Response, &frame);
}

#[test]
fn a_found_value_precedes_the_contacts() {
    let (record, bytes) = record();
    let contact = joined(&[&[0x42, 50], &[0x0a, 38], &id(1), &[0x12, 8], &address(1)]);
    let frame = joined(&[&[117], &[0x08, 1], &[0x50, 9], &[0x1a, 59], &bytes, &contact]);
    let closer = [book().find(&PeerId::from_ed25519(&[1; 32])).unwrap()].into();
    let value = Response::Value { record: Some(record), closer };
    is_exactly(kad::Message::Response(value), Half::Response, &frame);
}

#[test]
fn an_announcement_names_its_key_and_its_provider() {
    let provider = joined(&[&[0x4a, 50], &[0x0a, 38], &id(2), &[0x12, 8], &address(2)]);
    let frame = joined(&[&[62], &[0x08, 2], &[0x50, 10], &[0x12, 4], b"name", &provider]);
    let provider = book().find(&PeerId::from_ed25519(&[2; 32])).unwrap();
    let announcement = Announcement { target: Arc::new(Target::new(b"name")), providers: [provider].into() };
    is_exactly(kad::Message::Notice(Arc::new(announcement)), Half::Request, &frame);
}

#[test]
fn who_asks_for_providers_is_told_of_them_and_of_who_is_closer() {
    let frame = joined(&[&[10], &[0x08, 3], &[0x50, 10], &[0x12, 4], b"name"]);
    let target = Arc::new(Target::new(b"name"));
    is_exactly(kad::Message::Request(Request::GetProviders(target)), Half::Request, &frame);

    let peer = |field, byte| joined(&[&[field, 50], &[0x0a, 38], &id(byte), &[0x12, 8], &address(byte)]);
    let frame = joined(&[&[108], &[0x08, 3], &[0x50, 9], &peer(0x42, 1), &peer(0x4a, 2)]);
    let [closer, provider] = [1, 2].map(|byte| book().find(&PeerId::from_ed25519(&[byte; 32])).unwrap());
    let answer = kad::Providers { providers: [provider].into(), closer: [closer].into() };
    is_exactly(kad::Message::Response(Response::Providers(Box::new(answer))), Half::Response, &frame);
}

#[test]
fn what_only_bytes_can_say_is_skipped() {
    let frame = joined(&[
        &[84],
        &[0x4a, 2, 0x0a, 0], // a provider peer
        &[0x42, 49],         // a contact
        &[0x18, 1],          // that is connected,
        &[0x12, 1, 0xff],    // with two addresses,
        &[0x12, 0],
        &[0x0a, 38],
        &id(1),
        &[0x20, 7],                            // and a field of the future
        &[0x42, 6, 0x0a, 4, 0x12, 0x20, 1, 2], // a contact whose id is none
        &[0xfd, 0x07, 1, 2, 3, 4],             // field 127 of fixed width
        &[0x08, 2],                            // a kind that does not count, since it comes
        &[0x08, 4],                            // again
        &[0x42, 2, 0x12, 0],                   // a contact without an id
        &[0x12, 5],
        b"a key",
    ]);
    let mut book = book();
    let known = book.find(&PeerId::from_ed25519(&[1; 32])).unwrap();
    let nodes = kad::Message::Response(Response::Nodes([known].into()));
    assert_eq!(decode(&frame, Half::Response, &mut book), Ok(Message::Kad(nodes)));
}

#[test]
fn a_put_without_a_key_outside_its_record_is_taken_and_one_with_another_key_is_not() {
    let put = |key: &[u8]| {
        let mut bytes = vec![(key.len() + 8) as u8];
        bytes.extend(joined(&[key, &[0x1a, 6, 0x0a, 4], b"name"]));
        decode(&bytes, Half::Request, &mut book())
    };
    let Ok(Message::Kad(kad::Message::Request(Request::PutValue(record)))) = put(&[]) else {
        panic!("as rust-libp2p sends it");
    };
    assert_eq!((record.target.name(), record.publisher, record.ttl_secs), (&b"name"[..], None, 0));
    assert_eq!(put(&[0x12, 1, b'n']), Err(DecodeFailure::Invalid));
}

/// The addresses that a frame tells of, in order.
fn places(frame: &[u8]) -> Vec<(PeerId, Vec<u8>)> {
    let mut places = vec![];
    for_each_place(frame, |id, address| places.push((*id, address.to_vec()))).unwrap();
    places
}

#[test]
fn contacts_travel_with_the_addresses_that_their_transport_knows() {
    let (one, two) = (PeerId::from_ed25519(&[1; 32]), PeerId::from_ed25519(&[2; 32]));
    let mut book = book();
    let (placed, lost) = (book.find(&one).unwrap(), book.find(&two).unwrap());
    let known = [vec![0xff], vec![0x04, 127, 0, 0, 1]];
    let of = |id: &PeerId| if *id == one { known.as_slice() } else { &[] };
    let nodes = |closer: &[_]| Message::Kad(kad::Message::Response(Response::Nodes(closer.into())));
    let mut frame = vec![];
    encode_with_places(&nodes(&[placed, lost]), &book, of, &mut frame);
    let expected = joined(&[
        &[56],
        &[0x08, 4],  // type = FIND_NODE
        &[0x50, 9],  // clusterLevelRaw = 9
        &[0x42, 50], // the contact that has addresses
        &[0x0a, 38],
        &id(1),
        &[0x12, 1, 0xff],
        &[0x12, 5, 0x04, 127, 0, 0, 1],
    ]);
    assert_eq!(frame, expected);
    assert_eq!(decode(&frame, Half::Response, &mut book), Ok(nodes(&[placed])));
    assert_eq!(places(&frame), known.clone().map(|address| (one, address)));

    let many = vec![vec![7_u8]; MAX_ADDRESSES + 1];
    frame.clear();
    encode_with_places(&nodes(&[lost]), &book, |_| many.as_slice(), &mut frame);
    assert_eq!(places(&frame).len(), MAX_ADDRESSES);
}

#[test]
fn more_addresses_than_a_peer_has_are_skipped() {
    let mut contact = joined(&[&[0x0a, 38], &id(1)]);
    contact.extend([0x12, 1, 7].repeat(2 * MAX_ADDRESSES));
    let frame = joined(&[&[contact.len() as u8 + 4, 0x08, 4, 0x42, contact.len() as u8], &contact]);
    assert_eq!(places(&frame).len(), MAX_ADDRESSES);
    assert_eq!(for_each_place(&frame[..9], |_, _| {}), Err(DecodeFailure::Truncated));
}

#[test]
fn each_defect_has_its_name() {
    let cases: &[(&[u8], DecodeFailure)] = &[
        (&[], DecodeFailure::Truncated),
        (&[0x80], DecodeFailure::Truncated),
        (&[2, 0x08], DecodeFailure::Truncated),
        (&[2, 0x12, 1], DecodeFailure::Truncated), // the key ends outside the frame
        (&[2, 0x08, 4, 0], DecodeFailure::Invalid), // a byte beyond the frame
        (&[0x82, 0x00, 0x08, 4], DecodeFailure::Invalid), // a length that is longer than needed
        (&[2, 0x10, 1], DecodeFailure::Invalid),   // the key as a number
        (&[2, 0x0a, 0], DecodeFailure::Invalid),   // the kind as bytes
        (&[0], DecodeFailure::Invalid),            // a PUT_VALUE without a record
        (&[6, 0x1a, 4, 0xd2, 0x29, 1, 7], DecodeFailure::Invalid), // a publisher that is no id
        (&[2, 0x08, 5], DecodeFailure::UnknownKind), // PING, which nobody sends any more
        (&[2, 0x08, 99], DecodeFailure::UnknownKind),
        (&[0x81, 0x80, 0x08, 0], DecodeFailure::TooLong), // 128 KiB and a byte
    ];
    for (bytes, failure) in cases {
        for half in [Half::Request, Half::Response] {
            assert_eq!(decode(bytes, half, &mut book()), Err(*failure), "{bytes:?}");
        }
    }
}
