//! The messages of `kad` as libp2p's peers exchange them.
//!
//! Fields, their order and their defaults are those of rust-libp2p, so that a frame of ours is byte by byte what it
//! would send, with one exception, where libp2p's specification and its other implementations are stricter
//! than rust-libp2p: a PUT_VALUE names its key outside the record too.
//!
//! What the bytes can say and a typed message cannot is skipped: whether a contact is connected, provider peers of other
//! messages than those about providers, the time at which a record was received. Addresses travel beside the message,
//! for transports that have some.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use kad::message::MAX_NAME_BYTES;
use kad::{Message, Record, Request, Response, Target};
use node::DecodeFailure;
use types::id::MAX_PEER_ID_BYTES;
use types::{Book, PeerId, PeerRef};

use crate::address::{ADDRESS_BYTES, synthetic};
use crate::protobuf::{
    Reader, bytes_len, embedded_len, number_len, put_bytes, put_embedded, put_number, put_varint, varint_len,
};
use crate::{Half, MAX_ADDRESSES, MAX_BODY_BYTES, MAX_CONTACTS};

/// Numbers of the fields of `Message`.
mod message {
    pub(super) const TYPE: u32 = 1;
    pub(super) const KEY: u32 = 2;
    pub(super) const RECORD: u32 = 3;
    pub(super) const CLOSER_PEERS: u32 = 8;
    pub(super) const PROVIDER_PEERS: u32 = 9;
    pub(super) const CLUSTER_LEVEL_RAW: u32 = 10;
}

/// Numbers of the fields of `Peer`.
mod peer {
    pub(super) const ID: u32 = 1;
    pub(super) const ADDRS: u32 = 2;
}

/// Numbers of the fields of `Record`.
mod record {
    pub(super) const KEY: u32 = 1;
    pub(super) const VALUE: u32 = 2;
    pub(super) const PUBLISHER: u32 = 666;
    pub(super) const TTL: u32 = 777;
}

const PUT_VALUE: u32 = 0;
const GET_VALUE: u32 = 1;
const ADD_PROVIDER: u32 = 2;
const GET_PROVIDERS: u32 = 3;
const FIND_NODE: u32 = 4;

/// A field of no meaning that rust-libp2p still fills: with this in requests for contacts,
const REQUEST_LEVEL: u32 = 10;
/// and with this in answers that hold them.
const RESPONSE_LEVEL: u32 = 9;

/// A message as the fields that are written.
#[derive(Clone, Copy)]
struct Fields<'a> {
    kind: u32,
    level: u32,
    key: &'a [u8],
    record: Option<&'a Record>,
    closer: &'a [PeerRef],
    providers: &'a [PeerRef],
}

impl<'a> Fields<'a> {
    fn of(message: &'a Message) -> Self {
        match message {
            Message::Request(Request::FindNode(target)) => Self::asks(FIND_NODE, target),
            Message::Request(Request::GetValue(target)) => Self::asks(GET_VALUE, target),
            Message::Request(Request::PutValue(record)) | Message::Response(Response::Stored(record)) => {
                Self {
                    kind: PUT_VALUE,
                    level: 0,
                    key: record.target.name(),
                    record: Some(record),
                    closer: &[],
                    providers: &[],
                }
            }
            Message::Request(Request::GetProviders(target)) => Self::asks(GET_PROVIDERS, target),
            Message::Response(Response::Providers(answer)) => {
                Self { providers: &answer.providers, ..Self::answers(GET_PROVIDERS, None, &answer.closer) }
            }
            Message::Notice(announcement) => {
                let asks = Self::asks(ADD_PROVIDER, &announcement.target);
                Self { providers: &announcement.providers, ..asks }
            }
            Message::Response(Response::Nodes(closer)) => Self::answers(FIND_NODE, None, closer),
            Message::Response(Response::Value { record, closer }) => {
                Self::answers(GET_VALUE, record.as_deref(), closer)
            }
        }
    }

    const fn asks(kind: u32, target: &'a Target) -> Self {
        Self { kind, level: REQUEST_LEVEL, key: target.name(), record: None, closer: &[], providers: &[] }
    }

    const fn answers(kind: u32, record: Option<&'a Record>, closer: &'a [PeerRef]) -> Self {
        Self { kind, level: RESPONSE_LEVEL, key: &[], record, closer, providers: &[] }
    }

    /// Contacts, and the fields under which they are written.
    fn contacts(&self) -> impl Iterator<Item = (u32, &'a PeerRef)> {
        let closer = self.closer.iter().map(|peer| (message::CLOSER_PEERS, peer));
        closer.chain(self.providers.iter().map(|peer| (message::PROVIDER_PEERS, peer)))
    }

    fn len(&self, book: &Book) -> usize {
        let record = self.record.map_or(0, |record| embedded_len(message::RECORD, record_len(record, book)));
        let contact = |peer: &PeerRef| book.id_len(*peer).map(|id| CONTACT_BYTES_BESIDE_ID + id);
        let contacts = self.closer.iter().chain(self.providers);
        let contacts: usize = contacts.filter_map(contact).sum();
        number_len(message::TYPE, self.kind.into())
            + number_len(message::CLUSTER_LEVEL_RAW, self.level.into())
            + bytes_len(message::KEY, self.key.len())
            + record
            + contacts
    }
}

pub(crate) fn encoded_len(message: &Message, book: &Book) -> usize {
    let body = Fields::of(message).len(book);
    varint_len(body as u64) + body
}

pub(crate) fn encode(message: &Message, book: &Book, out: &mut Vec<u8>) {
    let fields = Fields::of(message);
    let body = fields.len(book);
    out.reserve(varint_len(body as u64) + body);
    put_varint(out, body as u64);
    put_all_but_contacts(out, &fields, book);
    for (field, peer) in fields.contacts() {
        if let Some(id) = book.id(*peer) {
            put_embedded(out, field, peer_len(id.as_bytes().len()));
            put_bytes(out, peer::ID, id.as_bytes());
            put_bytes(out, peer::ADDRS, &synthetic(book.digest(*peer)));
        }
    }
}

pub(crate) fn encode_with_places<'p, A: AsRef<[u8]> + 'p>(
    message: &Message,
    book: &Book,
    places: impl Fn(&PeerId) -> &'p [A],
    out: &mut Vec<u8>,
) {
    let all = Fields::of(message);
    let mut contacts = Vec::new();
    for (field, peer) in all.contacts() {
        let Some(id) = book.id(*peer) else { continue };
        let addresses = places(id).iter().map(AsRef::as_ref).take(MAX_ADDRESSES);
        let addresses_len: usize = addresses.clone().map(|bytes| bytes_len(peer::ADDRS, bytes.len())).sum();
        // Who provides something is told of even so: it may be found by a lookup.
        if addresses_len > 0 || field == message::PROVIDER_PEERS {
            let id = id.as_bytes();
            put_embedded(&mut contacts, field, bytes_len(peer::ID, id.len()) + addresses_len);
            put_bytes(&mut contacts, peer::ID, id);
            addresses.for_each(|bytes| put_bytes(&mut contacts, peer::ADDRS, bytes));
        }
    }
    let rest = Fields { closer: &[], providers: &[], ..all };
    put_varint(out, (rest.len(book) + contacts.len()) as u64);
    put_all_but_contacts(out, &rest, book);
    out.append(&mut contacts);
}

pub(crate) fn for_each_place(
    bytes: &[u8],
    mut each: impl FnMut(&PeerId, &[u8]),
) -> Result<(), DecodeFailure> {
    let mut reader = Reader::new(body(bytes)?);
    while let Some((field, value)) = reader.field()? {
        if field != message::CLOSER_PEERS && field != message::PROVIDER_PEERS {
            continue;
        }
        let contact = value.bytes()?;
        let Some(id) = parse_contact(contact)? else { continue };
        let mut reader = Reader::new(contact);
        let mut addresses = 0;
        while let Some((field, value)) = reader.field()? {
            if field == peer::ADDRS && addresses < MAX_ADDRESSES {
                each(&id, value.bytes()?);
                addresses += 1;
            }
        }
    }
    Ok(())
}

fn put_all_but_contacts(out: &mut Vec<u8>, fields: &Fields<'_>, book: &Book) {
    put_number(out, message::TYPE, fields.kind.into());
    put_number(out, message::CLUSTER_LEVEL_RAW, fields.level.into());
    put_bytes(out, message::KEY, fields.key);
    if let Some(record) = fields.record {
        put_record(out, record, book);
    }
}

/// Bytes of a `Peer` whose id has `id` bytes.
const fn peer_len(id: usize) -> usize {
    bytes_len(peer::ID, id) + bytes_len(peer::ADDRS, ADDRESS_BYTES)
}

/// Bytes that a contact adds to a message, its id aside: the same for the shortest id and the longest.
const CONTACT_BYTES_BESIDE_ID: usize = embedded_len(message::CLOSER_PEERS, peer_len(1)) - 1;
const _: () = assert!(
    embedded_len(message::CLOSER_PEERS, peer_len(MAX_PEER_ID_BYTES))
        == CONTACT_BYTES_BESIDE_ID + MAX_PEER_ID_BYTES
);

fn record_len(record: &Record, book: &Book) -> usize {
    let publisher = record.publisher.and_then(|peer| book.id_len(peer)).unwrap_or(0);
    bytes_len(record::KEY, record.target.name().len())
        + bytes_len(record::VALUE, record.value.len())
        + bytes_len(record::PUBLISHER, publisher)
        + number_len(record::TTL, record.ttl_secs.into())
}

fn put_record(out: &mut Vec<u8>, record: &Record, book: &Book) {
    put_embedded(out, message::RECORD, record_len(record, book));
    put_bytes(out, record::KEY, record.target.name());
    put_bytes(out, record::VALUE, &record.value);
    let publisher = record.publisher.and_then(|peer| book.id(peer));
    put_bytes(out, record::PUBLISHER, publisher.map_or(&[], PeerId::as_bytes));
    put_number(out, record::TTL, record.ttl_secs.into());
}

pub(crate) fn decode(bytes: &[u8], half: Half, book: &mut Book) -> Result<Message, DecodeFailure> {
    let parsed = Parsed::of(body(bytes)?)?;
    match half {
        Half::Request if parsed.kind == ADD_PROVIDER => parsed.into_notice(book).map(Message::Notice),
        Half::Request => parsed.into_request(book).map(Message::Request),
        Half::Response => parsed.into_response(book).map(Message::Response),
    }
}

/// The body of the frame that `bytes` are.
fn body(bytes: &[u8]) -> Result<&[u8], DecodeFailure> {
    let mut reader = Reader::new(bytes);
    let len = reader.varint()?;
    let body = reader.rest();
    // An unsigned varint, unlike protobuf's, has one form.
    if bytes.len() - body.len() != varint_len(len) {
        return Err(DecodeFailure::Invalid);
    }
    if len > MAX_BODY_BYTES as u64 {
        return Err(DecodeFailure::TooLong);
    }
    match (body.len() as u64).cmp(&len) {
        core::cmp::Ordering::Less => Err(DecodeFailure::Truncated),
        core::cmp::Ordering::Equal => Ok(body),
        core::cmp::Ordering::Greater => Err(DecodeFailure::Invalid),
    }
}

/// A message as the fields that were read; ids are not in the book yet.
struct Parsed<'a> {
    kind: u32,
    key: &'a [u8],
    record: Option<ParsedRecord<'a>>,
    closer: Vec<PeerId>,
    providers: Vec<PeerId>,
}

#[derive(Default)]
struct ParsedRecord<'a> {
    key: &'a [u8],
    value: &'a [u8],
    publisher: Option<PeerId>,
    ttl_secs: u32,
}

impl<'a> Parsed<'a> {
    /// Of a field that may occur once, the last occurrence counts.
    fn of(body: &'a [u8]) -> Result<Self, DecodeFailure> {
        let mut parsed =
            Self { kind: PUT_VALUE, key: &[], record: None, closer: Vec::new(), providers: Vec::new() };
        let mut reader = Reader::new(body);
        let (mut contacts, mut providers) = (0, 0);
        while let Some((field, value)) = reader.field()? {
            match field {
                message::TYPE => parsed.kind = value.number()?,
                message::KEY => parsed.key = value.bytes()?,
                message::RECORD => parsed.record = Some(ParsedRecord::of(value.bytes()?)?),
                message::CLOSER_PEERS => {
                    contacts += 1;
                    if contacts > MAX_CONTACTS {
                        return Err(DecodeFailure::TooLong);
                    }
                    parsed.closer.extend(parse_contact(value.bytes()?)?);
                }
                message::PROVIDER_PEERS => {
                    providers += 1;
                    if providers > MAX_CONTACTS {
                        return Err(DecodeFailure::TooLong);
                    }
                    parsed.providers.extend(parse_contact(value.bytes()?)?);
                }
                _ => {}
            }
        }
        Ok(parsed)
    }

    fn into_request(self, book: &mut Book) -> Result<Request, DecodeFailure> {
        match self.kind {
            FIND_NODE => Ok(Request::FindNode(Arc::new(target(self.key)?))),
            GET_VALUE => Ok(Request::GetValue(Arc::new(target(self.key)?))),
            PUT_VALUE => Ok(Request::PutValue(self.into_put(book)?)),
            GET_PROVIDERS => Ok(Request::GetProviders(Arc::new(target(self.key)?))),
            _ => Err(DecodeFailure::UnknownKind),
        }
    }

    fn into_response(self, book: &mut Book) -> Result<Response, DecodeFailure> {
        match self.kind {
            FIND_NODE => Ok(Response::Nodes(intern_all(&self.closer, book)?)),
            GET_VALUE => {
                let record = self.record.map(|record| record.into_record(book)).transpose()?;
                let closer = intern_all(&self.closer, book)?;
                Ok(Response::Value { record, closer })
            }
            PUT_VALUE => Ok(Response::Stored(self.into_put(book)?)),
            GET_PROVIDERS => {
                let providers = intern_all(&self.providers, book)?;
                let closer = intern_all(&self.closer, book)?;
                Ok(Response::Providers(Box::new(kad::Providers { providers, closer })))
            }
            _ => Err(DecodeFailure::UnknownKind),
        }
    }

    fn into_notice(self, book: &mut Book) -> Result<Arc<kad::Announcement>, DecodeFailure> {
        let target = Arc::new(target(self.key)?);
        let providers = intern_all(&self.providers, book)?;
        Ok(Arc::new(kad::Announcement { target, providers }))
    }

    /// The record of a PUT_VALUE; a key outside it, where there is one, is the record's.
    fn into_put(self, book: &mut Book) -> Result<Arc<Record>, DecodeFailure> {
        let record = self.record.ok_or(DecodeFailure::Invalid)?;
        if !self.key.is_empty() && self.key != record.key {
            return Err(DecodeFailure::Invalid);
        }
        record.into_record(book)
    }
}

impl<'a> ParsedRecord<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, DecodeFailure> {
        let mut parsed = Self::default();
        let mut reader = Reader::new(bytes);
        while let Some((field, value)) = reader.field()? {
            match field {
                record::KEY => parsed.key = value.bytes()?,
                record::VALUE => parsed.value = value.bytes()?,
                record::PUBLISHER => parsed.publisher = parse_publisher(value.bytes()?)?,
                record::TTL => parsed.ttl_secs = value.number()?,
                _ => {}
            }
        }
        Ok(parsed)
    }

    fn into_record(self, book: &mut Book) -> Result<Arc<Record>, DecodeFailure> {
        Ok(Arc::new(Record {
            target: target(self.key)?,
            value: self.value.into(),
            publisher: self.publisher.map(|id| intern(&id, book)).transpose()?,
            ttl_secs: self.ttl_secs,
        }))
    }
}

/// The id of a `Peer`; `None` if it is none.
fn parse_contact(bytes: &[u8]) -> Result<Option<PeerId>, DecodeFailure> {
    let mut id: &[u8] = &[];
    let mut reader = Reader::new(bytes);
    while let Some((field, value)) = reader.field()? {
        if field == peer::ID {
            id = value.bytes()?;
        }
    }
    Ok(PeerId::from_bytes(id).ok())
}

fn parse_publisher(bytes: &[u8]) -> Result<Option<PeerId>, DecodeFailure> {
    if bytes.is_empty() {
        return Ok(None);
    }
    PeerId::from_bytes(bytes).map(Some).map_err(|_| DecodeFailure::Invalid)
}

fn target(name: &[u8]) -> Result<Target, DecodeFailure> {
    if name.len() > MAX_NAME_BYTES {
        return Err(DecodeFailure::TooLong);
    }
    Ok(Target::new(name))
}

fn intern(id: &PeerId, book: &mut Book) -> Result<PeerRef, DecodeFailure> {
    book.intern(id).map_err(|_| DecodeFailure::BookFull)
}

fn intern_all(ids: &[PeerId], book: &mut Book) -> Result<Box<[PeerRef]>, DecodeFailure> {
    ids.iter().map(|id| intern(id, book)).collect()
}
