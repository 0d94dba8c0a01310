//! Modules: checked, compiled once, and shared by all services of a process.
//!
//! # Invariants
//! - A module is what its bytes are: it goes by their hash, and is compiled once, however many services ask for it.
//! - Nothing is compiled that was not checked, and what compiling may cost is bounded by what is checked.

use core::fmt;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use semver::Version;
use sha2::{Digest as _, Sha256};
use wasmer::sys::NativeEngineExt as _;
use wasmer_types::{CompilationProgress, CompilationProgressCallback};

use crate::artefact::{self, Artefact, Folder};
use crate::engine::Engine;
use crate::image::Image;
use crate::it::interface::{Interface, InterfaceError};
use crate::it::sections::{self, SectionError};
use crate::limits::ModuleLimits;
use crate::meter::{self, Facts, Metering, Refusal};

/// What a module goes by: the SHA-256 of its bytes. In text, 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleHash(pub [u8; 32]);

impl ModuleHash {
    /// Of these bytes.
    #[must_use]
    pub fn of(wasm: &[u8]) -> Self {
        Self(Sha256::digest(wasm).into())
    }
}

impl fmt::Display for ModuleHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ModuleHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no module hash: 64 hexadecimal digits")]
pub struct HashError(String);

impl FromStr for ModuleHash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash).map_err(|_| HashError(text.chars().take(80).collect()))?;
        Ok(Self(hash))
    }
}

/// A module, ready to be instantiated.
pub struct Module {
    hash: ModuleHash,
    interface: Interface,
    sdk_version: Option<Version>,
    facts: Facts,
    code: wasmer::Module,
    /// What its memory holds before any of its code has run, once an instance was made.
    image: OnceLock<Arc<Image>>,
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("hash", &self.hash).field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl Module {
    /// What it goes by.
    #[must_use]
    pub fn hash(&self) -> ModuleHash {
        self.hash
    }

    /// What it offers and wants.
    #[must_use]
    pub fn interface(&self) -> &Interface {
        &self.interface
    }

    /// The release of the SDK that it was built with.
    #[must_use]
    pub fn sdk_version(&self) -> Option<&Version> {
        self.sdk_version.as_ref()
    }

    /// What was found as it was checked.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    pub(crate) fn code(&self) -> &wasmer::Module {
        &self.code
    }

    pub(crate) fn image(&self) -> Option<&Arc<Image>> {
        self.image.get()
    }

    /// Keeps what its memory holds before any of its code has run.
    pub(crate) fn keep_image(&self, image: Image) {
        // Two services may come at once; their images are the same.
        let _ = self.image.set(Arc::new(image));
    }
}

/// Why a module cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is malformed, or asks for more than it may.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A section that a service's module needs is missing or malformed.
    #[error(transparent)]
    Section(#[from] SectionError),
    /// Its interface contradicts itself.
    #[error(transparent)]
    Interface(#[from] InterfaceError),
    /// The compiler does not take it.
    #[error("the module does not compile: {0}")]
    Compile(String),
    /// The process holds as much compiled code as it may.
    #[error(
        "{code_bytes} bytes of compiled code do not fit: the process holds {held_bytes} of at most {limit_bytes}"
    )]
    CodeFull {
        /// The module's.
        code_bytes: u64,
        /// What the process holds.
        held_bytes: u64,
        /// What it may hold.
        limit_bytes: u64,
    },
}

/// How the modules of a process came to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many were compiled.
    pub compiled: u64,
    /// How many were loaded from files.
    pub from_files: u64,
    /// How many times an old one was given out again.
    pub shared: u64,
    /// How many files could not be written.
    pub unkept: u64,
    /// How many were refused.
    pub refused: u64,
}

/// What is told as a module is compiled: the phase, and how far it is, from 0 to 1.
pub type Progress = dyn Fn(&str, f32) + Send + Sync;

/// The modules of a process.
#[derive(Debug)]
pub struct Modules {
    engine: Engine,
    limits: ModuleLimits,
    folder: Option<Folder>,
    compile_threads: usize,
    shelf: Mutex<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    modules: BTreeMap<(ModuleHash, bool), Arc<Place>>,
    counts: Counts,
}

/// A module's place: whoever asks while it is being compiled waits for it.
type Place = Mutex<Option<Arc<Module>>>;

impl Modules {
    /// Modules within `limits`, whose compiled code is kept in `folder`, if there is one.
    #[must_use]
    pub fn new(engine: Engine, limits: ModuleLimits, folder: Option<PathBuf>) -> Self {
        let compile_threads = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            engine,
            limits,
            folder: folder.map(|path| Folder { path, limits }),
            compile_threads,
            shelf: Mutex::default(),
        }
    }

    /// The same, compiling on so many threads.
    #[must_use]
    pub fn threads(self, threads: usize) -> Self {
        Self { compile_threads: threads, ..self }
    }

    /// The engine that they are for.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How they came to be, so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.shelf().counts
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The module of these bytes, metered.
    ///
    /// # Errors
    /// If it is refused, does not compile, or does not fit.
    pub fn load(&self, wasm: &[u8]) -> Result<Arc<Module>, LoadError> {
        self.load_with(wasm, Metering::On, None)
    }

    /// The module of these bytes, with or without metering, telling how far compilation is.
    ///
    /// # Errors
    /// If it is refused, does not compile, or does not fit.
    pub fn load_with(
        &self,
        wasm: &[u8],
        metering: Metering,
        progress: Option<Arc<Progress>>,
    ) -> Result<Arc<Module>, LoadError> {
        let hash = ModuleHash::of(wasm);
        let place = Arc::clone(self.shelf().modules.entry((hash, metering == Metering::On)).or_default());
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = &*place {
            self.shelf().counts.shared += 1;
            return Ok(Arc::clone(module));
        }
        let made = self.make(hash, wasm, metering, progress).inspect_err(|_| {
            let mut shelf = self.shelf();
            shelf.counts.refused += 1;
            // A stranger's rubbish is not remembered.
            shelf.modules.remove(&(hash, metering == Metering::On));
        })?;
        Ok(Arc::clone(place.insert(Arc::new(made))))
    }

    fn make(
        &self,
        hash: ModuleHash,
        wasm: &[u8],
        metering: Metering,
        progress: Option<Arc<Progress>>,
    ) -> Result<Module, LoadError> {
        let (code, facts) = match self.found(hash, metering) {
            Some(found) => found,
            None => self.compiled(hash, wasm, metering, progress)?,
        };
        let sections = sections::read(wasm)?;
        let interface = Interface::of(&sections.interface_types)?;
        sections::check_exports(wasm, &interface)?;
        Ok(Module { hash, interface, sdk_version: sections.sdk_version, facts, code, image: OnceLock::new() })
    }

    fn found(&self, hash: ModuleHash, metering: Metering) -> Option<(wasmer::Module, Facts)> {
        let folder = self.folder.as_ref()?;
        let metered = metering == Metering::On;
        let Artefact { code, facts } = folder.find(&self.engine, hash, metered)?;
        let size_bytes = code.len() as u64;
        match self.take_room(size_bytes).ok().and_then(|()| artefact::load(&self.engine, code).ok()) {
            Some(module) => {
                self.shelf().counts.from_files += 1;
                Some((module, facts))
            }
            None => {
                folder.forget(hash, metered);
                None
            }
        }
    }

    fn compiled(
        &self,
        hash: ModuleHash,
        wasm: &[u8],
        metering: Metering,
        progress: Option<Arc<Progress>>,
    ) -> Result<(wasmer::Module, Facts), LoadError> {
        // What is not a service's module need not be compiled to say so.
        let sections = sections::read(wasm);
        let prepared = meter::prepare(wasm, &self.limits, metering)?;
        sections::check_exports(wasm, &Interface::of(&sections?.interface_types)?)?;
        let code = self.compile(&prepared.wasm, progress)?;
        self.take_room(code.len() as u64)?;
        let artefact = Artefact { code, facts: prepared.facts };
        if let Some(folder) = &self.folder
            && folder.keep(&self.engine, hash, metering == Metering::On, &artefact).is_err()
        {
            self.shelf().counts.unkept += 1;
        }
        let Artefact { code, facts } = artefact;
        let module =
            artefact::load(&self.engine, code).map_err(|error| LoadError::Compile(error.to_string()))?;
        self.shelf().counts.compiled += 1;
        Ok((module, facts))
    }

    /// Compiles on an engine that is dropped: the shared one is locked while it compiles, and keeps all that it ever compiled.
    fn compile(&self, wasm: &[u8], progress: Option<Arc<Progress>>) -> Result<Vec<u8>, LoadError> {
        let fails = |error: String| LoadError::Compile(error);
        let engine = Engine::new(self.compile_threads).map_err(|error| fails(error.to_string()))?;
        let module = match progress {
            None => wasmer::Module::new(engine.inner(), wasm).map_err(|error| fails(error.to_string()))?,
            Some(progress) => {
                let told = move |now: CompilationProgress| {
                    let (done, all) = (now.phase_step().unwrap_or(0), now.phase_step_count().unwrap_or(0));
                    let share = if all == 0 { 0.0 } else { done as f32 / all as f32 };
                    progress(now.phase_name().unwrap_or("compiling"), share);
                    Ok(())
                };
                let callback = CompilationProgressCallback::new(told);
                let compiled = engine.inner().new_module_with_progress(wasm, callback);
                compiled.map_err(|error| fails(error.to_string()))?
            }
        };
        let code = module.serialize().map_err(|error| fails(error.to_string()))?;
        Ok(code.to_vec())
    }

    /// Counts `code_bytes` of compiled code, if they fit.
    fn take_room(&self, code_bytes: u64) -> Result<(), LoadError> {
        let _one_at_a_time = self.shelf();
        let (held_bytes, limit_bytes) = (self.engine.code_bytes(), self.limits.process_code_bytes);
        if held_bytes.saturating_add(code_bytes) > limit_bytes {
            return Err(LoadError::CodeFull { code_bytes, held_bytes, limit_bytes });
        }
        self.engine.add_code(code_bytes);
        Ok(())
    }
}

/// What an image could not be made of.
pub(crate) fn image_of(memory: &wasmer::MemoryView<'_>) -> io::Result<Image> {
    Image::of(&memory.copy_to_vec().map_err(io::Error::other)?)
}
