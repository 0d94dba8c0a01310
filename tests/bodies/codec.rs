//! Bytes as a frame.

use std::sync::Arc;

use types::{Book, PeerId, SharedBook};
use wire::{Half, MAX_BODY_BYTES};

/// Reads `bytes` as either half of an exchange, and holds what is read, and what is not, to the laws of the codec.
pub fn decode(bytes: &[u8]) {
    for half in [Half::Request, Half::Response] {
        let plan = (1..=4).map(|byte| PeerId::from_ed25519(&[byte; 32])).collect();
        let mut book = Book::new(Arc::new(SharedBook::new(plan)));
        let Ok(message) = wire::decode(bytes, half, &mut book) else {
            assert_eq!(book.sweep(std::iter::empty()), 0, "what is refused leaves no stranger");
            continue;
        };
        let mut contacts = 0;
        message.for_each_ref(|_| contacts += 1);
        assert!(contacts * 2 <= bytes.len() + 2, "{contacts} contacts of {} bytes", bytes.len());
        let mut places = 0;
        let told = wire::for_each_place(bytes, |_, address| places += address.len());
        assert_eq!(told, Ok(()), "a frame that was decoded is one");
        assert!(places <= bytes.len(), "{places} bytes of addresses in {}", bytes.len());

        let mut again = Vec::new();
        wire::encode(&message, &book, &mut again);
        assert_eq!(wire::encoded_len(&message, &book), again.len(), "the foretold length");
        // Our own addresses may make it longer than a message may be.
        if again.len() <= MAX_BODY_BYTES {
            assert_eq!(
                wire::decode(&again, half, &mut book).as_ref(),
                Ok(&message),
                "it is read back the same"
            );
        }
    }
}
