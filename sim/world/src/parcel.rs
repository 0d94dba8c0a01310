//! What travels between peers of the world: messages, typed or as bytes, and the frames of links.

use node::{DecodeFailure, Inbound, Message};
use types::{Book, ExchangeId, Fold, Mixer};

/// The payload of an event.
#[derive(Debug)]
pub(crate) enum Payload {
    /// A message of one peer to another.
    Parcel(Parcel),
    /// A frame of the link itself.
    Control(kernel::connections::Control),
    /// Nothing happens: the peer has something of its own to do about now.
    Wake,
}

/// A message under way.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    /// Whether it asks, answers, or neither.
    pub(crate) kind: Inbound,
    /// What stands for it in fingerprints; the same for both forms of the body.
    pub(crate) digest: u64,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Typed(Message),
    Encoded(Box<[u8]>),
    /// It says that there will be no answer.
    Refusal,
}

/// Bytes of a refusal: a frame of Yamux that resets a stream.
pub(crate) const REFUSAL_BYTES: u64 = 12;

/// Whether messages go through the codec on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// As values. A message that names strangers, whose references mean nothing elsewhere, is encoded all the same.
    Typed,
    /// As bytes, encoded by the sender and decoded by the receiver.
    Encoded,
}

impl Parcel {
    pub(crate) fn pack(wire: Wire, kind: Inbound, message: Message, book: &Book) -> Self {
        let mut mixer = Mixer::new(0);
        message.fold(book, &mut mixer);
        let body = if wire == Wire::Typed && message.is_shareable() {
            Body::Typed(message)
        } else {
            let mut bytes = Vec::with_capacity(wire::encoded_len(&message, book));
            wire::encode(&message, book, &mut bytes);
            Body::Encoded(bytes.into_boxed_slice())
        };
        Self { kind, digest: mixer.finish(), body }
    }

    /// What tells the opener of an exchange that it will not be answered.
    pub(crate) const fn refusal(exchange: ExchangeId) -> Self {
        Self { kind: Inbound::Answer(exchange), digest: 0, body: Body::Refusal }
    }

    /// The message; `None` for a refusal.
    pub(crate) fn unpack(self, book: &mut Book) -> Option<Result<Message, DecodeFailure>> {
        Some(match self.body {
            Body::Typed(message) => Ok(message),
            Body::Encoded(bytes) => wire::decode(&bytes, half(self.kind), book),
            Body::Refusal => return None,
        })
    }
}

const fn half(kind: Inbound) -> wire::Half {
    match kind {
        Inbound::OneWay | Inbound::Request(_) => wire::Half::Request,
        Inbound::Answer(_) => wire::Half::Response,
    }
}
