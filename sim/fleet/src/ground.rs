//! Where the processes of a fleet stand: an address of loopback and a folder each.
//!
//! Every peer has an address of its own, by which the links to it are known, each in another /24, as strangers are. Two
//! fleets on one machine do not meet: each claims a part of loopback for as long as it lives. The folder goes
//! with the fleet; that of one that was killed stays behind in the system's folder for temporary files.

use std::fs;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use types::PeerId;

use crate::stage::FleetError;

/// Where every node listens for its peers: none of the ports that a deployed node takes.
const PEER_PORT: u16 = 7_707;
/// Where every node listens for its administrator.
const ADMIN_PORT: u16 = 7_708;
/// The host part of nobody's address: whoever listens there has claimed this part of loopback.
const CLAIM: u8 = 255;
/// Parts of loopback that are tried: more than fleets that run on a machine at a time.
const TRIES: u32 = 64;

/// A part of loopback and a folder.
#[derive(Debug)]
pub(crate) struct Ground {
    root: PathBuf,
    part: [u8; 2],
    _claim: TcpListener,
}

impl Ground {
    /// Claims a part of loopback that nobody has.
    pub(crate) fn claim() -> Result<Self, FleetError> {
        let process = std::process::id();
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_nanos());
        let mut last = None;
        for attempt in 0..TRIES {
            // Spread so that fleets which start together do not try the same ones.
            let mixed =
                process.wrapping_mul(2_654_435_761).wrapping_add(nanos).wrapping_add(attempt * 40_503);
            let part = [1 + (mixed >> 8) as u8 % 254, 1 + (mixed >> 16) as u8 % 254];
            let address = SocketAddr::from((host(part, CLAIM), PEER_PORT));
            match TcpListener::bind(address) {
                Ok(claim) => {
                    let [first, second] = part;
                    let root = std::env::temp_dir().join(format!("wavetank-{process}-{first}-{second}"));
                    return match make(&root) {
                        Ok(()) => Ok(Self { root, part, _claim: claim }),
                        Err(error) => Err(FleetError::Folder { path: root, error }),
                    };
                }
                Err(error) => last = Some(FleetError::Address { address, error }),
            }
        }
        Err(last.unwrap_or(FleetError::NoPeers))
    }

    /// Where a peer's files are.
    pub(crate) fn folder(&self, peer: u32) -> PathBuf {
        self.root.join(format!("node-{peer}"))
    }

    /// Where its administrator finds a peer.
    pub(crate) fn admin(&self, peer: u32) -> SocketAddr {
        SocketAddr::from((self.host(peer), ADMIN_PORT))
    }

    /// Where a peer listens for others.
    pub(crate) fn listen(&self, peer: u32) -> String {
        format!("/ip4/{}/tcp/{PEER_PORT}", self.host(peer))
    }

    /// How others are told of a peer.
    pub(crate) fn address(&self, peer: u32, id: &PeerId) -> String {
        format!("{}/p2p/{id}", self.listen(peer))
    }

    fn host(&self, peer: u32) -> Ipv4Addr {
        assert!(peer < u32::from(CLAIM), "a fleet has fewer peers than a part of loopback addresses");
        host(self.part, peer as u8)
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // What cannot be removed is in the system's folder for what may be removed.
        let _ = fs::remove_dir_all(&self.root);
    }
}

const fn host([first, second]: [u8; 2], number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, first, number, second)
}

/// Makes a folder that only its owner enters.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Writes a new file that only its owner reads.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_fleets_share_neither_addresses_nor_folders() {
        let (first, second) = (Ground::claim().unwrap(), Ground::claim().unwrap());
        assert_ne!(first.admin(0), second.admin(0));
        assert_ne!(first.folder(0), second.folder(0));
        assert_ne!(first.admin(0).ip(), first.admin(1).ip());
        let root = first.root.clone();
        assert!(root.is_dir());
        drop(first);
        assert!(!root.exists());
    }
}
