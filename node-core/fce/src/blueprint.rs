//! Blueprints: what a service is made of, by the content of its modules.
//!
//! Ids are those of the published peers of 2024: a module's is what `ipfs add --cid-version=1` gives its file, a blueprint's the
//! content id of its own canonical DAG-JSON.

use core::fmt;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest as _, Sha256};

/// The most modules that a blueprint may name: as many as a service may have.
pub use crate::spec::MODULES_MAX as DEPENDENCIES_MAX;

/// What stands in front of a content id: its base, lower-case base 32.
const BASE: char = 'b';
/// Bytes as they are.
const RAW: u8 = 0x55;
/// A node of a Merkle DAG.
const DAG_PB: u8 = 0x70;
/// SHA-256, and how long it is.
const SHA2_256: [u8; 2] = [0x12, 0x20];
/// Files are cut into chunks of so many bytes.
const CHUNK_BYTES: usize = 256 << 10;
/// A node has at most so many children.
const WIDTH: usize = 174;

/// A content id: version 1, of a SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cid {
    codec: u8,
    digest: [u8; 32],
}

impl Cid {
    fn of(codec: u8, block: &[u8]) -> Self {
        Self { codec, digest: Sha256::digest(block).into() }
    }

    /// Of a file, as it is imported: one chunk as it is, several as the leaves of a balanced tree.
    #[must_use]
    pub fn of_file(content: &[u8]) -> Self {
        let leaf = |chunk: &[u8]| Node {
            cid: Self::of(RAW, chunk),
            file_bytes: chunk.len() as u64,
            dag_bytes: chunk.len() as u64,
        };
        let mut level: Vec<Node> = match content {
            [] => vec![leaf(content)],
            _ => content.chunks(CHUNK_BYTES).map(leaf).collect(),
        };
        while level.len() > 1 {
            level = level.chunks(WIDTH).map(parent).collect();
        }
        level.first().map_or_else(|| Self::of(RAW, content), |root| root.cid)
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![1, self.codec];
        bytes.extend(SHA2_256);
        bytes.extend(self.digest);
        bytes
    }
}

impl fmt::Display for Cid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{BASE}{}", BASE32_NOPAD.encode(&self.bytes()).to_lowercase())
    }
}

/// A text that is no content id of the kind that modules have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no content id of a module: version 1, SHA-256, in base 32")]
pub struct CidError(String);

impl core::str::FromStr for Cid {
    type Err = CidError;

    fn from_str(text: &str) -> Result<Self, CidError> {
        let refused = || CidError(text.chars().take(80).collect());
        let digits =
            text.strip_prefix(BASE).filter(|digits| !digits.contains(|digit: char| digit.is_uppercase()));
        let digits = digits.ok_or_else(refused)?.to_uppercase();
        let bytes = BASE32_NOPAD.decode(digits.as_bytes()).map_err(|_| refused())?;
        match bytes.as_slice() {
            [1, codec @ (RAW | DAG_PB), 0x12, 0x20, digest @ ..] => {
                Ok(Self { codec: *codec, digest: digest.try_into().map_err(|_| refused())? })
            }
            _ => Err(refused()),
        }
    }
}

/// A part of a file, and what is below it.
struct Node {
    cid: Cid,
    /// How much of the file it holds.
    file_bytes: u64,
    /// How much all blocks below it hold, itself among them.
    dag_bytes: u64,
}

/// The node whose children these are: UnixFS in a Merkle DAG's protobuf.
fn parent(children: &[Node]) -> Node {
    let file_bytes = children.iter().map(|child| child.file_bytes).sum();
    // A file, its size, and the size of each part.
    let mut file = vec![0x08, 2, 0x18];
    varint(file_bytes, &mut file);
    for child in children {
        file.push(0x20);
        varint(child.file_bytes, &mut file);
    }
    let mut block = Vec::new();
    for child in children {
        let mut link = vec![0x0a];
        let cid = child.cid.bytes();
        varint(cid.len() as u64, &mut link);
        link.extend(cid);
        // A name, which is empty, and what is below.
        link.extend([0x12, 0, 0x18]);
        varint(child.dag_bytes, &mut link);
        block.push(0x12);
        varint(link.len() as u64, &mut block);
        block.extend(link);
    }
    block.push(0x0a);
    varint(file.len() as u64, &mut block);
    block.extend(file);
    let below: u64 = children.iter().map(|child| child.dag_bytes).sum();
    Node { cid: Cid::of(DAG_PB, &block), file_bytes, dag_bytes: below + block.len() as u64 }
}

fn varint(mut number: u64, into: &mut Vec<u8>) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// What a service is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blueprint {
    /// What people call it.
    name: String,
    /// Its modules in the order in which they are loaded, the facade last.
    dependencies: Vec<Cid>,
}

/// Why there is no such blueprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlueprintError {
    /// It names no module. The words are those of published peers, whose callers read them.
    #[error("Blueprint '{0}' has empty list of dependencies")]
    Empty(String),
    /// It names too many.
    #[error("blueprint '{name}' has {found} dependencies, more than the limit of {DEPENDENCIES_MAX}")]
    TooMany {
        /// Its name.
        name: String,
        /// How many.
        found: usize,
    },
}

impl Blueprint {
    /// A blueprint of these modules.
    ///
    /// # Errors
    /// If there are none, or too many.
    pub fn new(name: impl Into<String>, dependencies: Vec<Cid>) -> Result<Self, BlueprintError> {
        let name = name.into();
        match dependencies.len() {
            0 => Err(BlueprintError::Empty(name)),
            found if found > DEPENDENCIES_MAX => Err(BlueprintError::TooMany { name, found }),
            _ => Ok(Self { name, dependencies }),
        }
    }

    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its modules, the facade last.
    #[must_use]
    pub fn dependencies(&self) -> &[Cid] {
        &self.dependencies
    }

    /// What it goes by.
    #[must_use]
    pub fn id(&self) -> Cid {
        Cid::of(RAW, self.dag_json().as_bytes())
    }

    /// Its canonical DAG-JSON: keys in order, no spaces, links as objects.
    fn dag_json(&self) -> String {
        let link = |cid: &Cid| serde_json::json!({ "/": cid.to_string() });
        let links: Vec<_> = self.dependencies.iter().map(link).collect();
        serde_json::json!({ "dependencies": links, "name": self.name }).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blueprint_goes_by_the_id_that_published_peers_give_it() {
        let dependencies = [
            "bafybeiey4i2vtj7uu7tlvdoc2o52uuuwxa4ahcx5g4lpqzk4qtd5klniuq",
            "bafybeibuvzascfzi5ikyzhjxdkridgytg4z26ujtnx7xrejq7gxq54ssdm",
        ];
        let dependencies = dependencies.map(|text| text.parse().unwrap()).to_vec();
        let blueprint = Blueprint::new("trust-graph", dependencies).unwrap();
        assert_eq!(blueprint.id().to_string(), "bafkreifdehdwcppttfsqaju4kodgn5wgbefrarbzc72k4sore2bwpeq2fa");
    }

    #[test]
    fn a_blueprint_names_modules() {
        assert_eq!(
            Blueprint::new("b", Vec::new()).unwrap_err().to_string(),
            "Blueprint 'b' has empty list of dependencies"
        );
        let many = vec![Cid::of_file(b""); DEPENDENCIES_MAX + 1];
        assert!(Blueprint::new("b", many).is_err());
    }

    #[test]
    fn a_file_goes_by_the_id_of_its_import() {
        // The empty file is known to everybody who has ever added one.
        assert_eq!(
            Cid::of_file(b"").to_string(),
            "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
        );
        // What the importer of IPFS's JavaScript implementation gave: one chunk, a few, and more than a node has children.
        for (content, cid) in [
            (aqua_ipfs_distro::IPFS_EFFECTOR, "bafkreifkmxk7l6fuafdyfnagowcu3rafeuwfjm45un4kkkxgr6aiz3lj5y"),
            (registry_distro::SQLITE_WASM, "bafybeifxv46ki77vtgf3kfvxr6zwmmi4gaixzyr4vczyov6hozbyslkqaq"),
            (registry_distro::REGISTRY_WASM, "bafybeih42zrpatvcvtrzym42oyulpc57ruqsw3giyzdpzqafsxepsuubba"),
            (&vec![0; 60_000_000], "bafybeifqrd53ujn22g76dsr7ze6js3ovgmbcqq2n7lafdxfj266s6uhhri"),
        ] {
            assert_eq!(Cid::of_file(content).to_string(), cid);
        }
    }

    #[test]
    fn ids_are_read_back() {
        let cid = Cid::of_file(b"module");
        assert_eq!(cid.to_string().parse(), Ok(cid));
        for text in ["", "b", "bafkre", "Qmfoo", "zb2rh", &cid.to_string().to_uppercase(), "bafkreié"] {
            assert!(text.parse::<Cid>().is_err(), "{text}");
        }
    }
}
