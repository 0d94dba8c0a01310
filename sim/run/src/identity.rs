//! Who the peers of a plan are: ids with keys behind them, or without.
//!
//! Either way they follow from the seed and the peer's number alone: a group that grows leaves the ids of the groups
//! before it as they are. A modelled peer signs nothing, so its public key is 32 drawn bytes. A real one's secret is
//! drawn, so that a process which is handed [`secret`] is the very peer that was simulated: the same id, the same
//! distances, the same buckets.

use ed25519_dalek::SigningKey;
use model::Crypto;
use types::{Domain, PeerId, Purpose, Seed, SharedBook, Streams};

const IDENTITY: Domain = Domain::new("identity");
const PUBLIC_KEY: Purpose = Purpose::new("public key");
const SECRET_KEY: Purpose = Purpose::new("secret key");

/// The book of a plan's peers.
pub(crate) fn book(crypto: Crypto, seed: Seed, peers: u32) -> SharedBook {
    let modelled = Streams::global(seed, IDENTITY);
    let id = |number| match crypto {
        Crypto::Modelled => PeerId::from_ed25519(&modelled.stream(PUBLIC_KEY, u64::from(number)).bytes32()),
        Crypto::Real => {
            PeerId::from_ed25519(SigningKey::from_bytes(&secret(seed, number)).verifying_key().as_bytes())
        }
    };
    SharedBook::new((0..peers).map(id).collect())
}

/// The secret of the peer of this number: the seed of its Ed25519 key, as RFC 8032 calls it.
pub(crate) fn secret(seed: Seed, number: u32) -> [u8; 32] {
    Streams::global(seed, IDENTITY).stream(SECRET_KEY, u64::from(number)).bytes32()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_is_that_of_rfc_8032() {
        // Its first test vector.
        let secret = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let bytes = |text: &str| -> [u8; 32] {
            core::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        };
        assert_eq!(SigningKey::from_bytes(&bytes(secret)).verifying_key().as_bytes(), &bytes(public));
    }

    #[test]
    fn ids_are_those_of_the_secrets_and_follow_from_seed_and_number() {
        let ids = |crypto, seed, peers| -> Vec<PeerId> { book(crypto, Seed(seed), peers).ids().to_vec() };
        let real = ids(Crypto::Real, 7, 3);
        assert_eq!(ids(Crypto::Real, 7, 5)[..3], real);
        assert_ne!(ids(Crypto::Real, 8, 3), real);
        assert_ne!(ids(Crypto::Modelled, 7, 3), real);
        let public = SigningKey::from_bytes(&secret(Seed(7), 2)).verifying_key().to_bytes();
        assert_eq!(real[2], PeerId::from_ed25519(&public));
    }
}
