//! Who a peer is: its [`PeerId`], the [`Key`] at which it lives, and how far apart keys are.

use alloc::string::String;
use core::fmt;

use sha2::{Digest as _, Sha256};

use crate::mix::Mixer;

/// The longest multihash that a [`PeerId`] can be: an identity hash of 42 bytes, libp2p's bound for inlined keys.
pub const MAX_PEER_ID_BYTES: usize = 44;

/// A peer's id: the multihash of its public key in libp2p's encoding, as bytes.
///
/// An Ed25519 id is the 38 bytes `00 24 08 01 12 20` + public key and prints as `12D3KooW…`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId {
    bytes: [u8; MAX_PEER_ID_BYTES],
    len: u8,
}

/// Why bytes are no peer id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerIdError {
    /// Neither an identity multihash of at most 42 bytes nor a SHA-256 one.
    #[error("peer id of {0} bytes is no multihash of a public key")]
    NotAMultihash(usize),
    /// Not base58.
    #[error("peer id is not base58")]
    NotBase58,
}

impl PeerId {
    /// The id of an Ed25519 public key.
    #[must_use]
    pub fn from_ed25519(public_key: &[u8; 32]) -> Self {
        let mut bytes = [0; MAX_PEER_ID_BYTES];
        let parts = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20].iter().chain(public_key);
        for (to, from) in bytes.iter_mut().zip(parts) {
            *to = *from;
        }
        Self { bytes, len: 38 }
    }

    /// The id in its binary form.
    ///
    /// # Errors
    /// If the bytes are neither an identity multihash of at most 42 bytes nor a SHA-256 multihash.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PeerIdError> {
        let fits = match bytes {
            [0x00, len, key @ ..] => usize::from(*len) == key.len() && key.len() <= MAX_PEER_ID_BYTES - 2,
            [0x12, 0x20, hash @ ..] => hash.len() == 32,
            _ => false,
        };
        if !fits {
            return Err(PeerIdError::NotAMultihash(bytes.len()));
        }
        let mut id = Self { bytes: [0; MAX_PEER_ID_BYTES], len: 0 };
        for (to, from) in id.bytes.iter_mut().zip(bytes) {
            *to = *from;
            id.len += 1;
        }
        Ok(id)
    }

    /// The id in its binary form.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }

    /// The place at which this peer lives in the key space: SHA-256 of its binary id.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::of(self.as_bytes())
    }

    /// The 64-bit digest under which this id enters fingerprints.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut mixer = Mixer::new(0);
        mixer.bytes(self.as_bytes());
        Digest(mixer.finish())
    }

    /// The id as people read it, in base58.
    #[must_use]
    pub fn to_base58(&self) -> String {
        bs58::encode(self.as_bytes()).into_string()
    }
}

impl core::str::FromStr for PeerId {
    type Err = PeerIdError;
    fn from_str(text: &str) -> Result<Self, PeerIdError> {
        let mut bytes = [0; MAX_PEER_ID_BYTES];
        let len = bs58::decode(text).onto(&mut bytes).map_err(|_| PeerIdError::NotBase58)?;
        Self::from_bytes(bytes.get(..len).unwrap_or(&[]))
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_base58())
    }
}

impl serde::Serialize for PeerId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for PeerId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = PeerId;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a peer id in base58")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<PeerId, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A 64-bit digest of a [`PeerId`]: what fingerprints hash and orders compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub u64);

/// A point of the 256-bit key space, big-endian.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// Bits of the key space.
    pub const BITS: u32 = 256;

    /// The key of `name`: its SHA-256.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        Self(Sha256::digest(name).into())
    }

    /// A key given as such.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, most significant first.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The XOR distance to `other`.
    #[must_use]
    pub fn distance(&self, other: &Self) -> Distance {
        let mut xor = [0; 32];
        for ((to, a), b) in xor.iter_mut().zip(&self.0).zip(&other.0) {
            *to = a ^ b;
        }
        Distance(xor)
    }

    /// The length of the prefix that both keys share, in bits: 256 if they are equal.
    #[must_use]
    pub fn common_prefix(&self, other: &Self) -> u32 {
        self.distance(other).leading_zeros()
    }

    /// The bit at `index`, counted from the most significant; false beyond the last.
    #[must_use]
    pub fn bit(&self, index: u32) -> bool {
        self.0.get(index as usize / 8).is_some_and(|byte| byte & (0x80 >> (index % 8)) != 0)
    }

    /// The first 64 bits, most significant first.
    #[must_use]
    pub fn prefix64(&self) -> u64 {
        let mut prefix = [0; 8];
        for (to, from) in prefix.iter_mut().zip(&self.0) {
            *to = *from;
        }
        u64::from_be_bytes(prefix)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("…")
    }
}

/// The XOR distance of two keys, an unsigned 256-bit integer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Distance([u8; 32]);

impl Distance {
    /// Zero bits before the first one: 256 for no distance at all.
    #[must_use]
    pub fn leading_zeros(&self) -> u32 {
        let mut zeros = 0;
        for byte in self.0 {
            zeros += byte.leading_zeros();
            if byte != 0 {
                break;
            }
        }
        zeros
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> impl Strategy<Value = Key> {
        any::<[u8; 32]>().prop_map(Key::from_bytes)
    }

    proptest! {
        #[test]
        fn xor_is_a_metric(a in key(), b in key(), c in key()) {
            prop_assert_eq!(a.distance(&b), b.distance(&a));
            prop_assert_eq!(a.distance(&a), Distance::default());
            // Unidirectional: one key only lies at a given distance from a.
            prop_assert_eq!(a.distance(&b) == a.distance(&c), b == c);
        }

        #[test]
        fn the_common_prefix_is_where_bits_first_differ(a in key(), b in key()) {
            let same = a.common_prefix(&b);
            prop_assert!((0..same).all(|index| a.bit(index) == b.bit(index)));
            prop_assert!(same == Key::BITS || a.bit(same) != b.bit(same));
        }

        #[test]
        fn peer_ids_travel_as_bytes_and_text(public_key in any::<[u8; 32]>()) {
            let id = PeerId::from_ed25519(&public_key);
            prop_assert_eq!(PeerId::from_bytes(id.as_bytes()), Ok(id));
            let text = id.to_base58();
            prop_assert!(text.starts_with("12D3KooW"));
            prop_assert_eq!(text.parse::<PeerId>(), Ok(id));
        }

        #[test]
        fn foreign_bytes_are_refused_or_kept(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(id) = PeerId::from_bytes(&bytes) {
                prop_assert_eq!(id.as_bytes(), &bytes[..]);
            }
        }
    }
}
