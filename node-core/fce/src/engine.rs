//! The engine: how modules are compiled, and what their memories are made of.
//!
//! One engine serves a process: compiled code is shared by all services, and given back only when the engine goes.
//!
//! # Invariants
//! - Code is compiled for one fixed set of CPU features per architecture, with canonical NaNs: the same module gives the same
//!   machine code everywhere, so a stack is as deep on one machine as on another.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use wasmer::sys::{
    CpuFeature, Cranelift, CraneliftOptLevel, EngineBuilder, NativeEngineExt as _, Target, Triple,
};

use crate::image::{Rooms, RoomsOf};
use crate::limits::DEPTH;

/// The native stack of a call into Wasm: eight times what functions may use of it by their estimated frames, so that counting
/// stops a recursion before the stack does. It is reserved; what is not used takes no memory.
pub(crate) const STACK_BYTES: usize = 8 * DEPTH as usize;
/// The engine's release, part of what compiled artefacts are kept by.
pub(crate) const RELEASE: &str = "wasmer-7.1.0-cranelift-speed-nan";

/// An engine. Cloning it gives another handle to the same one.
#[derive(Clone)]
pub struct Engine {
    inner: wasmer::Engine,
    code_bytes: Arc<AtomicU64>,
}

impl core::fmt::Debug for Engine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Engine").field("code_bytes", &self.code_bytes).finish_non_exhaustive()
    }
}

/// Why there is no engine on this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Code is compiled for a fixed set of features, so that it is the same everywhere.
    #[error("this machine's processor lacks {0}, which compiled modules use")]
    Processor(String),
}

impl Engine {
    /// An engine for this machine, which compiles on `threads` threads, at least one.
    ///
    /// # Errors
    /// If this machine's processor lacks what code is compiled for.
    pub fn new(threads: usize) -> Result<Self, EngineError> {
        let target = target();
        let missing = target.cpu_features().difference(CpuFeature::for_host());
        if !missing.is_empty() {
            return Err(EngineError::Processor(format!("{missing:?}")));
        }
        let mut compiler = Cranelift::new();
        compiler
            .opt_level(CraneliftOptLevel::Speed)
            .canonicalize_nans(true)
            .num_threads(threads.try_into().unwrap_or(core::num::NonZero::<usize>::MIN));
        let engine = EngineBuilder::new(compiler).set_target(Some(target)).engine();
        Ok(Self { inner: engine.into(), code_bytes: Arc::default() })
    }

    /// The compiled code that it holds, in bytes.
    #[must_use]
    pub fn code_bytes(&self) -> u64 {
        self.code_bytes.load(Ordering::Relaxed)
    }

    /// Counts `bytes` of compiled code.
    pub(crate) fn add_code(&self, bytes: u64) {
        self.code_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn inner(&self) -> &wasmer::Engine {
        &self.inner
    }

    /// A store whose memories count towards `rooms`' budget.
    pub(crate) fn store(&self, rooms: &Arc<Rooms>) -> wasmer::Store {
        let mut engine = self.inner.clone();
        engine.set_tunables(RoomsOf(Arc::clone(rooms)));
        wasmer::Store::new(engine)
    }
}

/// What code is compiled for. On x86-64 that is what every processor has since 2009 (x86-64-v2): SIMD of Wasm needs it.
fn target() -> Target {
    let features = if cfg!(target_arch = "x86_64") {
        CpuFeature::SSE2
            | CpuFeature::SSE3
            | CpuFeature::SSSE3
            | CpuFeature::SSE41
            | CpuFeature::SSE42
            | CpuFeature::POPCNT
    } else {
        CpuFeature::set()
    };
    Target::new(Triple::host(), features)
}
