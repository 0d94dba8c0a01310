//! Where a node is met: its network, its addresses, whom it asks first.
//!
//! Addresses are texts here: what they mean is known to the crate that has transports, which says so precisely.
//! This one bounds them.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::net::SocketAddr;

/// The protocol of the public network, which stock libp2p nodes speak too.
pub const PROTOCOL: &str = "/ipfs/kad/1.0.0";

/// Bytes of a protocol's name: libp2p agrees on one in a frame of its own, and names have some twenty.
pub const MAX_PROTOCOL_BYTES: usize = 128;

/// Addresses that a node listens at: each transport on each interface of a machine, and more.
pub const MAX_LISTEN: usize = 16;

/// Peers that are asked first: one that answers is enough.
pub const MAX_BOOTSTRAP: usize = 64;

/// Bytes of an address: a domain name of 253, a peer's id and the transports around them.
pub const MAX_ADDRESS_BYTES: usize = 512;

/// Where a node is met. A simulated node has no addresses: there, these keys say nothing.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// The name of the DHT's protocol, which begins with a slash: nodes of another name are of another network. The
    /// default is the public network's.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^/[!-~]{0,127}$")))]
    pub protocol: String,
    /// Where it listens, as multiaddresses, from 1 to 16 of them. Port 0 stands for one that the system chooses.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 16)))]
    pub listen: Vec<String>,
    /// Whom it asks first, at most 64: multiaddresses that end in `/p2p/` and a peer's id. Without any, it is the first node of
    /// its network and ready at once.
    #[cfg_attr(feature = "schema", schemars(length(max = 64)))]
    pub bootstrap: Vec<String>,
    /// The address and port at which it tells how it is and takes commands, over HTTP. Whoever reaches it commands the node:
    /// leave it on this machine.
    pub http: String,
}

impl Default for Network {
    /// The public network; a port for peers, one for browsers, and one for whoever sits at the machine.
    fn default() -> Self {
        Self {
            protocol: PROTOCOL.to_owned(),
            listen: ["/ip4/0.0.0.0/tcp/7777", "/ip4/0.0.0.0/tcp/9999/ws"].map(str::to_owned).into(),
            bootstrap: Vec::new(),
            http: "127.0.0.1:18080".to_owned(),
        }
    }
}

impl Network {
    /// Everything that is wrong with these values: the key of each, and what is wrong with it.
    pub(crate) fn problems(&self) -> impl Iterator<Item = (String, String)> {
        let protocol = protocol_problem(&self.protocol);
        let none = self.listen.is_empty().then(|| "is empty: nobody could reach the node".to_owned());
        let many = too_many(&self.listen, MAX_LISTEN);
        let http = self.http.parse::<SocketAddr>().err().map(|_| {
            format!("is {:?}, not an address and a port such as `127.0.0.1:18080`", shortened(&self.http))
        });
        let whole = [
            ("protocol", protocol),
            ("listen", none.or(many)),
            ("bootstrap", too_many(&self.bootstrap, MAX_BOOTSTRAP)),
            ("http", http),
        ];
        let whole = whole.into_iter().filter_map(|(key, what)| Some((key.to_string(), what?)));
        whole.chain(unlike("listen", &self.listen)).chain(unlike("bootstrap", &self.bootstrap))
    }
}

fn protocol_problem(protocol: &str) -> Option<String> {
    if protocol.len() > MAX_PROTOCOL_BYTES {
        return Some(format!("has {} bytes, more than {MAX_PROTOCOL_BYTES}", protocol.len()));
    }
    let printable = protocol.bytes().all(|byte| byte.is_ascii_graphic());
    (!protocol.starts_with('/') || !printable)
        .then(|| format!("is {protocol:?}, not a slash and then printable characters without space"))
}

fn too_many(addresses: &[String], most: usize) -> Option<String> {
    (addresses.len() > most).then(|| format!("has {} addresses, more than {most}", addresses.len()))
}

/// The addresses that cannot be any.
fn unlike(key: &str, addresses: &[String]) -> impl Iterator<Item = (String, String)> {
    let strange = |address: &String| address.len() > MAX_ADDRESS_BYTES || !address.starts_with('/');
    let strange = addresses.iter().enumerate().filter(move |(_, address)| strange(address));
    strange.map(move |(index, address)| {
        let what = match address.len() {
            len if len > MAX_ADDRESS_BYTES => format!("has {len} bytes, more than {MAX_ADDRESS_BYTES}"),
            _ => format!("is {address:?}, not a multiaddress such as `/ip4/127.0.0.1/tcp/7777`"),
        };
        (format!("{key}.{index}"), what)
    })
}

/// As much of a stranger's text as a message repeats.
fn shortened(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(network: &Network) -> Vec<String> {
        network.problems().map(|(path, _)| path).collect()
    }

    #[test]
    fn the_defaults_are_sound() {
        assert_eq!(paths(&Network::default()), [""; 0]);
    }

    #[test]
    fn each_value_has_its_bounds() {
        let sound = Network::default();
        let long = || "/".repeat(MAX_ADDRESS_BYTES + 1);
        let cases = [
            ("protocol", Network { protocol: "kad".to_owned(), ..sound.clone() }),
            ("protocol", Network { protocol: String::new(), ..sound.clone() }),
            ("protocol", Network { protocol: "/kad\n".to_owned(), ..sound.clone() }),
            ("protocol", Network { protocol: "/k".repeat(100), ..sound.clone() }),
            ("listen", Network { listen: Vec::new(), ..sound.clone() }),
            ("listen", Network { listen: alloc::vec!["/ip4".to_owned(); 17], ..sound.clone() }),
            ("listen.0", Network { listen: ["7777".to_owned()].into(), ..sound.clone() }),
            ("listen.0", Network { listen: [long()].into(), ..sound.clone() }),
            ("bootstrap", Network { bootstrap: alloc::vec!["/ip4".to_owned(); 65], ..sound.clone() }),
            ("bootstrap.0", Network { bootstrap: [long()].into(), ..sound.clone() }),
            ("http", Network { http: "18080".to_owned(), ..sound.clone() }),
            ("http", Network { http: "localhost:1".to_owned(), ..sound }),
        ];
        for (path, network) in cases {
            assert_eq!(paths(&network), [path], "{network:?}");
        }
    }
}
