//! What must never be: the invariants of this layer, as probes check them.

use types::PeerRef;

/// An invariant that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A contact is in a bucket that its key does not belong to, or is the own peer.
    #[error("{peer:?} is in bucket {bucket}, where it does not belong")]
    WrongBucket {
        /// Which contact.
        peer: PeerRef,
        /// Where it is.
        bucket: usize,
    },
    /// A contact is in the table twice.
    #[error("{peer:?} is in bucket {bucket} twice")]
    Duplicate {
        /// Which contact.
        peer: PeerRef,
        /// Where it is.
        bucket: usize,
    },
    /// A bucket or its cache is larger than configured.
    #[error("bucket {bucket} holds {contacts} contacts and {spares} spares, more than configured")]
    Overfull {
        /// Which bucket.
        bucket: usize,
        /// Its contacts.
        contacts: usize,
        /// Its spares.
        spares: usize,
    },
    /// Buckets do not cover the contacts one after the other.
    #[error("buckets do not cover the table")]
    Torn,
    /// A lookup's candidates are out of order or too many, or its nearest answer went away.
    #[error("a lookup is unsound: candidates out of order or too many, or its nearest answer lost")]
    UnsoundLookup,
    /// An exchange was lost or counted twice.
    #[error("exchanges do not balance")]
    Exchanges,
    /// More lookups, writes or records than the limits allow.
    #[error("a limit is exceeded: {0}")]
    Limit(&'static str),
}
