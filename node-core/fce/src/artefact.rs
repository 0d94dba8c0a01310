//! Compiled modules as bytes: made by the engine, kept in files, loaded again.
//!
//! A file holds the engine's bytes and behind them a footer: what they were made with, how long they are, and their checksum.
//! A file that is damaged, cut short, or made by another release, for other processors or at other prices of fuel is not
//! loaded: the module is compiled again.

#![expect(
    unsafe_code,
    reason = "loading compiled code trusts it: only who wrote the file, which is this module, can say that it is sound"
)]

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use wasmer::sys::NativeEngineExt as _;

use crate::engine::{Engine, RELEASE};
use crate::meter::COST_VERSION;
use crate::module::ModuleHash;

const MAGIC: &[u8; 8] = b"wavetank";
/// Length, checksum, length of the key, and the magic.
const FOOTER_BYTES: usize = 8 + 4 + 4 + MAGIC.len();

/// What the code is made with: other code is foreign.
fn key(engine: &Engine, metered: bool) -> String {
    let target = engine.inner().target();
    let (triple, features) = (target.triple(), target.cpu_features());
    format!("{RELEASE} {triple} {features:?} costs-{COST_VERSION} metered-{metered}")
}

/// A folder of compiled modules, each in a file of its own.
#[derive(Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    fn file(&self, hash: ModuleHash, metered: bool) -> PathBuf {
        let kind = if metered { "metered" } else { "plain" };
        self.0.join(format!("{hash}.{kind}"))
    }

    /// The bytes of the module of this hash, if a sound file of this engine holds them.
    pub(crate) fn find(&self, engine: &Engine, hash: ModuleHash, metered: bool) -> Option<Vec<u8>> {
        let mut bytes = fs::read(self.file(hash, metered)).ok()?;
        let content = sound(&bytes, key(engine, metered).as_bytes())?;
        bytes.truncate(content);
        Some(bytes)
    }

    /// Keeps the bytes of the module of this hash. The file appears whole, or not at all.
    pub(crate) fn keep(
        &self,
        engine: &Engine,
        hash: ModuleHash,
        metered: bool,
        code: &[u8],
    ) -> io::Result<()> {
        fs::create_dir_all(&self.0)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        let key = key(engine, metered);
        file.write_all(code)?;
        file.write_all(key.as_bytes())?;
        file.write_all(&(code.len() as u64).to_le_bytes())?;
        file.write_all(&crc32fast::hash(code).to_le_bytes())?;
        file.write_all(&(key.len() as u32).to_le_bytes())?;
        file.write_all(MAGIC)?;
        file.persist(self.file(hash, metered))?;
        Ok(())
    }

    /// Forgets the file of this module.
    pub(crate) fn forget(&self, hash: ModuleHash, metered: bool) {
        let _ = fs::remove_file(self.file(hash, metered));
    }
}

/// How many bytes of code there are in this file, if it is whole and made with `key`.
fn sound(bytes: &[u8], key: &[u8]) -> Option<usize> {
    let (rest, footer) = bytes.split_at_checked(bytes.len().checked_sub(FOOTER_BYTES)?)?;
    let (length, footer) = footer.split_first_chunk()?;
    let (checksum, footer) = footer.split_first_chunk()?;
    let (key_length, magic) = footer.split_first_chunk()?;
    let code = rest.strip_suffix(key)?;
    let whole = magic == MAGIC
        && u32::from_le_bytes(*key_length) as usize == key.len()
        && u64::from_le_bytes(*length) == code.len() as u64
        && u32::from_le_bytes(*checksum) == crc32fast::hash(code);
    whole.then_some(code.len())
}

/// Loads code that [`Folder::find`] found, or that was just compiled.
///
/// # Errors
/// If the engine does not take it.
pub(crate) fn load(engine: &Engine, code: Vec<u8>) -> Result<wasmer::Module, wasmer::DeserializeError> {
    // SAFETY: the bytes are what an engine of this very release made for this processor: they come from its compiler, or from
    // a file that it wrote, whose checksum holds. Who can write into the folder can run code as this process anyway.
    unsafe { wasmer::Module::deserialize(engine.inner(), code) }
}
