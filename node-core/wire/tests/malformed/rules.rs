//! The rules by which the table is made. Each knows the reason of what it makes from the protocol, not from the codec.

use std::collections::BTreeSet;

use node::DecodeFailure::{self, Invalid, TooLong, Truncated, UnknownKind};
use wavetank_wire::{Half, MAX_BODY_BYTES, MAX_CONTACTS};

/// Bytes, in parts that are written once and repeated.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bytes(Vec<(Vec<u8>, usize)>);

impl Bytes {
    fn then(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.push((bytes.as_ref().to_vec(), 1));
        self
    }

    fn times(mut self, bytes: impl AsRef<[u8]>, times: usize) -> Self {
        self.0.push((bytes.as_ref().to_vec(), times));
        self
    }

    fn len(&self) -> usize {
        self.0.iter().map(|(bytes, times)| bytes.len() * times).sum()
    }

    fn all(&self) -> Vec<u8> {
        self.0.iter().flat_map(|(bytes, times)| bytes.repeat(*times)).collect()
    }

    /// As a frame: with its length before it.
    fn framed(mut self) -> Self {
        self.0.insert(0, (varint(self.len() as u64), 1));
        self
    }

    /// As a field of bytes.
    fn field(mut self, number: u64) -> Self {
        self.0.insert(0, ([tag(number, BYTES), varint(self.len() as u64)].concat(), 1));
        self
    }
}

impl std::fmt::Display for Bytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (bytes, times) in self.0.iter().filter(|(bytes, times)| !bytes.is_empty() && *times > 0) {
            match times {
                1 => write!(f, " {}", hex::encode(bytes))?,
                _ => write!(f, " {}*{times}", hex::encode(bytes))?,
            }
        }
        Ok(())
    }
}

/// What the rules made.
#[derive(Default)]
pub(crate) struct Made {
    lines: Vec<String>,
    /// The bytes of each: two rules may make the same.
    known: BTreeSet<Vec<u8>>,
}

/// Kinds of wire types.
const NUMBER: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

/// Fields of a message, of a contact and of a record.
const TYPE: u64 = 1;
const KEY: u64 = 2;
const RECORD: u64 = 3;
const CLOSER: u64 = 8;
const PROVIDERS: u64 = 9;
const ID: u64 = 1;
const PUBLISHER: u64 = 666;
const TTL: u64 = 777;

/// The table's text.
pub(crate) fn table() -> String {
    let mut made = Made::default();
    made.lengths();
    made.cut_bodies();
    made.promises();
    made.varints();
    made.groups();
    made.wrong_types();
    made.kinds();
    made.names();
    made.crowds();
    made.records();
    let head = "# Frames that are refused: half, reason, bytes, what is wrong. Made by rules.rs: WAVETANK_ACCEPT=1.\n";
    head.to_owned() + &made.lines.join("\n") + "\n"
}

impl Made {
    fn case(&mut self, half: &str, reason: DecodeFailure, bytes: &Bytes, what: impl std::fmt::Display) {
        if self.known.insert(bytes.all()) {
            self.lines.push(format!("{half} {}{bytes}  # {what}", reason.word()));
        }
    }

    /// Refused as either half.
    fn either(&mut self, reason: DecodeFailure, bytes: &Bytes, what: impl std::fmt::Display) {
        self.case("either", reason, bytes, what);
    }

    fn lengths(&mut self) {
        let bytes = |bytes: &[u8]| Bytes::default().then(bytes);
        for len in [MAX_BODY_BYTES as u64 + 1, 200_000, 0x1f_ffff] {
            self.either(TooLong, &bytes(&varint(len)).then([8, 4]), format!("promises {len} bytes"));
        }
        let whole = Bytes::default().times([0x58, 0], MAX_BODY_BYTES / 2).then([0x58, 0]);
        self.either(TooLong, &whole.framed(), "two bytes more than a message has, all of them there");
        for (len, body) in [(1, &[][..]), (2, &[8]), (44, &[8, 4]), (0x7f, &[8, 4, 0x12]), (0x3fff, &[8, 4])]
        {
            let what = format!("promises {len} bytes and has {}", body.len());
            self.either(Truncated, &bytes(&varint(len)).then(body), what);
        }
        for (body, what) in [(&[8, 4][..], "a kind"), (&[0x58, 0], "an unknown field"), (&[], "nothing")] {
            for zeros in 1..=2 {
                let mut len = varint(body.len() as u64);
                if let Some(last) = len.last_mut() {
                    *last |= 0x80;
                }
                len.extend([0x80].repeat(zeros - 1));
                len.push(0);
                let what = format!("a length with {zeros} bytes of zeros, then {what}");
                self.either(Invalid, &bytes(&len).then(body), what);
            }
        }
    }

    /// Bodies that end within a field: all that a sound body cut there can be.
    fn cut_bodies(&mut self) {
        for (half, what, fields) in sound_messages() {
            let body: Vec<u8> = fields.concat();
            let mut ends = vec![0];
            for field in &fields {
                ends.push(ends.last().copied().unwrap_or(0) + field.len());
            }
            for len in (0..body.len()).filter(|len| !ends.contains(len)) {
                let cut = Bytes::default().then(body.get(..len).unwrap_or(&[])).framed();
                let half = if half == Half::Request { "request" } else { "response" };
                self.case(half, Truncated, &cut, format!("{what}, {len} bytes of {}", body.len()));
            }
        }
    }

    /// Fields that promise more than there is, by so much.
    fn promises(&mut self) {
        for field in [KEY, RECORD, CLOSER, PROVIDERS, 15, 4_000] {
            for promised in [2, 0x80, 0x4000, 1 << 21, 1 << 28, 1 << 31, 1 << 32, 1 << 35, 1 << 63, u64::MAX]
            {
                let bytes = [tag(field, BYTES), varint(promised), vec![7]].concat();
                let what = format!("field {field} promises {promised} bytes and has one");
                self.either(Truncated, &Bytes::default().then(bytes).framed(), what);
            }
        }
        for (outer, inner) in [(CLOSER, ID), (PROVIDERS, ID), (RECORD, 1), (RECORD, 2), (RECORD, PUBLISHER)] {
            for promised in [2_u64, 0x80, 1 << 28, u64::MAX] {
                let inside = [tag(inner, BYTES), varint(promised), vec![7]].concat();
                let what = format!("field {inner} of field {outer} promises {promised} bytes and has one");
                self.either(Truncated, &Bytes::default().then(inside).field(outer).framed(), what);
            }
        }
        for (kind, width) in [(FIXED64, 8), (FIXED32, 4)] {
            for len in 0..width {
                let bytes = [tag(20, kind), [7].repeat(len)].concat();
                let what = format!("{len} bytes of a number of {width}");
                self.either(Truncated, &Bytes::default().then(bytes).framed(), what);
            }
        }
    }

    fn varints(&mut self) {
        let endless = [0xff_u8; 10];
        let wide = [&[0xff_u8; 9][..], &[2]].concat();
        for (bytes, what) in [(&endless[..], "of more than ten bytes"), (&wide, "of 65 bits")] {
            let framed = |bytes: Vec<u8>| Bytes::default().then(bytes).framed();
            self.either(Invalid, &framed(bytes.to_vec()), format!("a tag {what}"));
            self.either(Invalid, &framed([&tag(TYPE, NUMBER)[..], bytes].concat()), format!("a kind {what}"));
            for field in [KEY, RECORD, CLOSER, PROVIDERS, 15] {
                let what = format!("field {field} with a length {what}");
                self.either(Invalid, &framed([&tag(field, BYTES)[..], bytes].concat()), what);
            }
            for (outer, inner) in [(CLOSER, 3), (PROVIDERS, 3), (RECORD, TTL)] {
                let inside = Bytes::default().then([&tag(inner, NUMBER)[..], bytes].concat()).field(outer);
                self.either(Invalid, &inside.framed(), format!("field {inner} of field {outer} {what}"));
            }
        }
        for len in 1..10 {
            let bytes = [tag(TYPE, NUMBER), [0x80].repeat(len)].concat();
            self.either(
                Truncated,
                &Bytes::default().then(bytes).framed(),
                format!("a kind that ends after {len}"),
            );
            let bytes = [0x80].repeat(len);
            self.either(
                Truncated,
                &Bytes::default().then(bytes).framed(),
                format!("a tag that ends after {len}"),
            );
        }
        for tag in [1 << 32, 1 << 35, u64::MAX] {
            let bytes = [varint(tag), vec![0; 12]].concat();
            self.either(Invalid, &Bytes::default().then(bytes).framed(), format!("a tag of {tag}"));
        }
        for kind in [NUMBER, FIXED64, BYTES, FIXED32] {
            let bytes = [tag(0, kind), vec![0; 8]].concat();
            self.either(
                Invalid,
                &Bytes::default().then(bytes).framed(),
                format!("field 0 of wire type {kind}"),
            );
        }
    }

    /// Groups, which nobody has sent for years and which nest, and the wire types that there are not.
    fn groups(&mut self) {
        for field in [1, 2, 3, 4, 8, 9, 10, 15, 16, 100, 666] {
            for kind in [3, 4, 6, 7] {
                let bytes = Bytes::default().then(tag(field, kind)).then([0; 2]);
                self.either(Invalid, &bytes.framed(), format!("field {field} of wire type {kind}"));
            }
        }
        for deep in [2, 100, 60_000] {
            let bytes = Bytes::default().times([0x0b], deep).times([0x0c], deep);
            self.either(Invalid, &bytes.framed(), format!("{deep} groups in each other"));
        }
        for outer in [RECORD, CLOSER, PROVIDERS] {
            for kind in [3, 4, 6, 7] {
                let bytes = Bytes::default().then(tag(1, kind)).field(outer).framed();
                self.either(Invalid, &bytes, format!("wire type {kind} within field {outer}"));
            }
        }
    }

    fn wrong_types(&mut self) {
        let value = |kind| match kind {
            NUMBER => vec![1],
            FIXED64 => vec![1; 8],
            BYTES => vec![1, 7],
            _ => vec![1; 4],
        };
        let wrong = |right| [NUMBER, FIXED64, BYTES, FIXED32].into_iter().filter(move |kind| *kind != right);
        for (field, right) in
            [(TYPE, NUMBER), (KEY, BYTES), (RECORD, BYTES), (CLOSER, BYTES), (PROVIDERS, BYTES)]
        {
            for kind in wrong(right) {
                let bytes = Bytes::default().then(tag(field, kind)).then(value(kind)).framed();
                self.either(Invalid, &bytes, format!("field {field} as wire type {kind}"));
            }
        }
        for (outer, inner, right) in [
            (CLOSER, ID, BYTES),
            (PROVIDERS, ID, BYTES),
            (RECORD, 1, BYTES),
            (RECORD, 2, BYTES),
            (RECORD, PUBLISHER, BYTES),
            (RECORD, TTL, NUMBER),
        ] {
            for kind in wrong(right) {
                let bytes = Bytes::default().then(tag(inner, kind)).then(value(kind)).field(outer).framed();
                self.either(Invalid, &bytes, format!("field {inner} of field {outer} as wire type {kind}"));
            }
        }
    }

    fn kinds(&mut self) {
        // A number keeps its lower 32 bits, as protobuf has it.
        let numbers =
            (5..40).chain([64, 127, 128, 255, 256, 1 << 16, 1 << 31, 0xffff_ffff, 1 << 32 | 5, u64::MAX]);
        for kind in numbers {
            let bytes = Bytes::default().then([tag(TYPE, NUMBER), varint(kind)].concat());
            self.either(UnknownKind, &bytes.framed(), format!("kind {kind}"));
        }
        let bytes = Bytes::default().then([8, 2]).then(b"\x12\x04name");
        self.case("response", UnknownKind, &bytes.framed(), "an answer to what nobody answers");
    }

    fn names(&mut self) {
        for kind in 1..=4 {
            for len in [129, 130, 200, 255, 256, 1_000, 60_000] {
                let name = Bytes::default().times([b'n'], len).field(KEY);
                let mut bytes = Bytes::default().then([8, kind]);
                bytes.0.extend(name.0);
                self.case("request", TooLong, &bytes.framed(), format!("kind {kind}, a name of {len} bytes"));
            }
        }
        for len in [129, 1_000] {
            let record = Bytes::default().times([b'n'], len).field(1).field(RECORD);
            self.either(TooLong, &record.framed(), format!("a record's name of {len} bytes"));
        }
    }

    fn crowds(&mut self) {
        for (field, what) in [(CLOSER, "contacts"), (PROVIDERS, "providers")] {
            let empty = [tag(field, BYTES), vec![0]].concat();
            for count in [MAX_CONTACTS + 1, 1_000, 65_000] {
                let bytes = Bytes::default().then([8, 4]).times(&empty, count);
                self.either(TooLong, &bytes.framed(), format!("{count} empty {what}"));
            }
            let one = Bytes::default().then(id(7)).field(ID).field(field).all();
            let bytes = Bytes::default().then([8, 3]).times(&one, MAX_CONTACTS + 1);
            self.either(TooLong, &bytes.framed(), format!("{} {what}", MAX_CONTACTS + 1));
        }
    }

    fn records(&mut self) {
        self.either(Invalid, &Bytes::default().framed(), "a PUT_VALUE of nothing");
        self.either(
            Invalid,
            &Bytes::default().then(b"\x12\x04name").framed(),
            "a PUT_VALUE without its record",
        );
        for key in ["n", "nam", "names", "NAME", "\0"] {
            let put = Bytes::default().then(key).field(KEY).all();
            let record = Bytes::default().then(b"name").field(1).field(RECORD).all();
            self.either(
                Invalid,
                &Bytes::default().then(put).then(record).framed(),
                format!("{key:?} is not the record's name"),
            );
        }
        let no_ids = (1..=36).map(|len| vec![7; len]).chain([
            vec![0x00],
            vec![0x00, 0x05, 1, 2],
            vec![0x12, 0x20, 7],
            vec![0x12, 0x1f].into_iter().chain([7; 31]).collect(),
            vec![0x11, 0x20].into_iter().chain([7; 32]).collect(),
            vec![0x00, 0x2b].into_iter().chain([7; 43]).collect(),
            [id(7), vec![0]].concat(),
        ]);
        for bytes in no_ids {
            let what = format!("a publisher of {} bytes that is no id", bytes.len());
            let record = Bytes::default().then(bytes).field(PUBLISHER).field(RECORD);
            self.either(Invalid, &record.framed(), what);
        }
    }
}

/// Sound messages, field by field.
fn sound_messages() -> Vec<(Half, &'static str, Vec<Vec<u8>>)> {
    let contact = |field, byte| {
        let of = Bytes::default().then(id(byte)).field(ID).then([0x12, 8, 4, 127, 0, 0, 1, 6, 0x1e, 0x61]);
        of.field(field).all()
    };
    let name = || b"\x12\x04name".to_vec();
    let record = || {
        let of = Bytes::default().then(b"\x0a\x04name\x12\x05value").then([0xd2, 0x29, 38]).then(id(2));
        of.then([0xc8, 0x30, 0x80, 0xc6, 0x0a]).field(RECORD).all()
    };
    vec![
        (
            Half::Request,
            "FIND_NODE",
            vec![vec![8, 4], vec![0x50, 10], Bytes::default().then(id(1)).field(KEY).all()],
        ),
        (Half::Request, "PUT_VALUE", vec![name(), record()]),
        (Half::Request, "ADD_PROVIDER", vec![vec![8, 2], vec![0x50, 10], name(), contact(PROVIDERS, 2)]),
        (
            Half::Response,
            "FIND_NODE's answer",
            vec![vec![8, 4], vec![0x50, 9], contact(CLOSER, 1), contact(CLOSER, 2)],
        ),
        (Half::Response, "GET_VALUE's answer", vec![vec![8, 1], vec![0x50, 9], record(), contact(CLOSER, 1)]),
        (
            Half::Response,
            "GET_PROVIDERS' answer",
            vec![vec![8, 3], contact(CLOSER, 1), contact(PROVIDERS, 2)],
        ),
    ]
}

/// The id of a key of 32 such bytes.
fn id(byte: u8) -> Vec<u8> {
    [&[0x00, 0x24, 0x08, 0x01, 0x12, 0x20][..], &[byte; 32]].concat()
}

fn tag(field: u64, kind: u64) -> Vec<u8> {
    varint(field << 3 | kind)
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
