//! Compiled modules as bytes: made by the engine, kept in files, loaded again.
//!
//! A file holds the engine's bytes and behind them a footer: what was found as the module was checked, what the code was made
//! with, how long they are, and their checksum. A file that is damaged, cut short, or made by another release, for other
//! processors, at other prices of fuel or under other limits is not loaded: the module is checked and compiled again.

#![expect(
    unsafe_code,
    reason = "loading compiled code trusts it: only who wrote the file, which is this module, can say that it is sound"
)]

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use wasmer::sys::NativeEngineExt as _;

use crate::engine::{Engine, RELEASE};
use crate::limits::ModuleLimits;
use crate::meter::{COST_VERSION, Facts};
use crate::module::ModuleHash;

const MAGIC: &[u8; 8] = b"wavetank";
/// Lengths of the code, of what was found and of the key, the checksum, and the magic.
const FOOTER_BYTES: usize = 8 + 4 + 4 + 4 + MAGIC.len();

/// What the code is made with: other code is foreign.
fn key(engine: &Engine, limits: &ModuleLimits, metered: bool) -> String {
    let target = engine.inner().target();
    let (triple, features) = (target.triple(), target.cpu_features());
    format!("{RELEASE} {triple} {features:?} costs-{COST_VERSION} metered-{metered} {limits:?}")
}

/// A folder of compiled modules, each in a file of its own.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    /// What its modules were checked against.
    pub(crate) limits: ModuleLimits,
}

/// A compiled module.
#[derive(Debug)]
pub(crate) struct Artefact {
    pub(crate) code: Vec<u8>,
    /// What was found as the module was checked.
    pub(crate) facts: Facts,
}

impl Folder {
    fn file(&self, hash: ModuleHash, metered: bool) -> PathBuf {
        let kind = if metered { "metered" } else { "plain" };
        self.path.join(format!("{hash}.{kind}"))
    }

    /// The module of this hash, if a sound file of this engine holds it.
    pub(crate) fn find(&self, engine: &Engine, hash: ModuleHash, metered: bool) -> Option<Artefact> {
        let mut code = fs::read(self.file(hash, metered)).ok()?;
        let (code_bytes, facts) = sound(&code, key(engine, &self.limits, metered).as_bytes())?;
        code.truncate(code_bytes);
        Some(Artefact { code, facts })
    }

    /// Keeps the module of this hash. The file appears whole, or not at all.
    pub(crate) fn keep(
        &self,
        engine: &Engine,
        hash: ModuleHash,
        metered: bool,
        artefact: &Artefact,
    ) -> io::Result<()> {
        fs::create_dir_all(&self.path)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.path)?;
        let facts = serde_json::to_vec(&artefact.facts)?;
        let key = key(engine, &self.limits, metered);
        let mut checksum = crc32fast::Hasher::new();
        for part in [artefact.code.as_slice(), &facts, key.as_bytes()] {
            checksum.update(part);
            file.write_all(part)?;
        }
        file.write_all(&(artefact.code.len() as u64).to_le_bytes())?;
        file.write_all(&(facts.len() as u32).to_le_bytes())?;
        file.write_all(&(key.len() as u32).to_le_bytes())?;
        file.write_all(&checksum.finalize().to_le_bytes())?;
        file.write_all(MAGIC)?;
        file.persist(self.file(hash, metered))?;
        Ok(())
    }

    /// Forgets the file of this module.
    pub(crate) fn forget(&self, hash: ModuleHash, metered: bool) {
        let _ = fs::remove_file(self.file(hash, metered));
    }
}

/// How many bytes of code there are in this file, and what was found, if it is whole and made with `key`.
fn sound(bytes: &[u8], key: &[u8]) -> Option<(usize, Facts)> {
    let (content, footer) = bytes.split_at_checked(bytes.len().checked_sub(FOOTER_BYTES)?)?;
    let (code_bytes, footer) = footer.split_first_chunk()?;
    let (facts_bytes, footer) = footer.split_first_chunk()?;
    let (key_bytes, footer) = footer.split_first_chunk()?;
    let (checksum, magic) = footer.split_first_chunk()?;
    let code_bytes = usize::try_from(u64::from_le_bytes(*code_bytes)).ok()?;
    let rest = content.get(code_bytes..)?;
    let (facts, made_with) = rest.split_at_checked(u32::from_le_bytes(*facts_bytes) as usize)?;
    let whole = magic == MAGIC
        && made_with == key
        && u32::from_le_bytes(*key_bytes) as usize == key.len()
        && u32::from_le_bytes(*checksum) == crc32fast::hash(content);
    let facts = serde_json::from_slice(facts).ok()?;
    whole.then_some((code_bytes, facts))
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

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: ModuleHash = ModuleHash([7; 32]);

    /// A folder with one module in it, its file, and the engine that made it.
    fn kept() -> (tempfile::TempDir, Folder, Engine) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder { path: dir.path().join("modules"), limits: ModuleLimits::default() };
        let engine = Engine::new(1).unwrap();
        let facts = Facts { functions: 3, ..Facts::default() };
        folder.keep(&engine, HASH, true, &Artefact { code: vec![1; 1000], facts }).unwrap();
        (dir, folder, engine)
    }

    #[test]
    fn what_is_kept_is_found() {
        let (_dir, folder, engine) = kept();
        let found = folder.find(&engine, HASH, true).unwrap();
        assert_eq!((found.code, found.facts.functions), (vec![1; 1000], 3));
        assert!(folder.find(&engine, HASH, false).is_none());
        assert!(folder.find(&engine, ModuleHash([8; 32]), true).is_none());
        folder.forget(HASH, true);
        assert!(folder.find(&engine, HASH, true).is_none());
    }

    #[test]
    fn a_damaged_file_is_not_found() {
        let (_dir, folder, engine) = kept();
        let file = folder.file(HASH, true);
        let whole = fs::read(&file).unwrap();
        for at in [0, 500, 1001, whole.len() - 40, whole.len() - 20, whole.len() - 10, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&file, damaged).unwrap();
            assert!(folder.find(&engine, HASH, true).is_none(), "a bit of byte {at}");
        }
        for length in [0, 10, 1000, whole.len() - 1] {
            fs::write(&file, &whole[..length]).unwrap();
            assert!(folder.find(&engine, HASH, true).is_none(), "{length} bytes");
        }
        fs::write(&file, &whole).unwrap();
        assert!(folder.find(&engine, HASH, true).is_some());
    }

    #[test]
    fn a_file_made_under_other_limits_is_foreign() {
        let (_dir, mut folder, engine) = kept();
        folder.limits.nesting += 1;
        assert!(folder.find(&engine, HASH, true).is_none());
    }
}
