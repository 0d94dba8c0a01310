//! What a service is made of: modules in their order, linked by name, and what it may use.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use wasmer::{ExternType, FunctionType, Type as Core};

use crate::image::Image;
use crate::it::interface::{Callee, CoreType, ExportedFunction, ImportedFunction};
use crate::limits::ServiceLimits;
use crate::meter;
use crate::module::Module;
use crate::parameters::Generation;
use crate::wasi::{self, Preopen};

/// A module of a service.
#[derive(Clone, Debug)]
pub struct Member {
    /// What other modules import it by.
    pub name: String,
    /// The module.
    pub module: Arc<Module>,
    /// Its environment.
    pub environment: Vec<(String, String)>,
    /// Directories that it sees.
    pub preopens: Vec<Preopen>,
    /// Which lines of its log are kept: those whose target has a bit of it, and those without a target.
    pub logging_mask: i32,
    /// Whether its log is kept at all.
    pub logs: bool,
    /// The programs that it may call.
    pub binaries: Vec<String>,
}

impl Member {
    /// A module by this name, that sees no directory and may call no program.
    #[must_use]
    pub fn new(name: impl Into<String>, module: Arc<Module>) -> Self {
        Self {
            name: name.into(),
            module,
            environment: Vec::new(),
            preopens: Vec::new(),
            logging_mask: i32::MAX,
            logs: true,
            binaries: Vec::new(),
        }
    }
}

/// What a module imports, as its host answers it.
#[derive(Clone, Debug)]
pub(crate) enum Import {
    /// A function of WASI.
    Wasi(&'static wasi::Function),
    /// A line for the log.
    Log,
    /// The call's parameters, in the layout of this generation.
    CallParameters(Generation),
    /// A program, by its name.
    Binary(String),
    /// A function of a module before it, by the index of the interface's import.
    Interface(usize),
}

/// A function of a module of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) module: usize,
    /// The index of the interface's export.
    pub(crate) function: usize,
}

/// Why modules do not make a service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// There is none.
    #[error("a service needs at least one module")]
    NoModules,
    /// There are too many.
    #[error("{modules} modules are more than the limit of {limit}")]
    TooManyModules {
        /// How many.
        modules: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Two go by one name.
    #[error("two modules are called {0}")]
    NameTaken(String),
    /// A name that stands for the host.
    #[error("a module may not be called {0}: that is the host's name")]
    NameReserved(String),
    /// It imports from a module that there is not before it.
    #[error("{module} imports {function} of {namespace}, {why}")]
    NoModule {
        /// The importer.
        module: String,
        /// The module that it wants.
        namespace: String,
        /// The function that it wants.
        function: String,
        /// Where that module is instead.
        why: &'static str,
    },
    /// It imports a function that the other module does not offer.
    #[error("{module} imports {namespace}.{function}, which {namespace} does not export")]
    NoFunction {
        /// The importer.
        module: String,
        /// The module that it wants it of.
        namespace: String,
        /// The function that it wants.
        function: String,
    },
    /// It imports a function of the host's that there is not.
    #[error("{module} imports {namespace}.{name}, which the host does not offer")]
    NoHostFunction {
        /// The importer.
        module: String,
        /// The namespace.
        namespace: String,
        /// The function.
        name: String,
    },
    /// It imports a program that its configuration does not mount.
    #[error("{module} calls the program {binary}, which its configuration does not mount")]
    NotMounted {
        /// The importer.
        module: String,
        /// The program.
        binary: String,
    },
    /// It imports a function as one of another type.
    #[error("{module} imports {namespace}.{name} as {wanted}, which is {offered}")]
    Signature {
        /// The importer.
        module: String,
        /// The namespace.
        namespace: String,
        /// The function.
        name: String,
        /// As what.
        wanted: String,
        /// What it is.
        offered: String,
    },
}

/// A service's modules and limits: what services of one kind share.
#[derive(Debug)]
pub struct Spec {
    members: Vec<Member>,
    /// Each module's imports of others, by the interface's index; none where its code does not import them.
    targets: Vec<Vec<Option<Target>>>,
    limits: ServiceLimits,
    /// What each module's memory held when the first service had started.
    base: OnceLock<Vec<Option<Arc<Image>>>>,
}

/// The most modules that a service may have: a chain of calls through all of them fits the host's own stack.
pub const MODULES_MAX: usize = 64;

impl Spec {
    /// A service of these modules, in the order in which they are loaded: each may import from those before it, and the last is
    /// the facade.
    ///
    /// # Errors
    /// If they do not fit together.
    pub fn new(members: Vec<Member>, limits: ServiceLimits) -> Result<Self, LinkError> {
        if members.is_empty() {
            return Err(LinkError::NoModules);
        }
        if members.len() > MODULES_MAX {
            return Err(LinkError::TooManyModules { modules: members.len(), limit: MODULES_MAX });
        }
        let mut names = BTreeSet::new();
        for member in &members {
            if is_host(&member.name) {
                return Err(LinkError::NameReserved(member.name.clone()));
            }
            if !names.insert(&member.name) {
                return Err(LinkError::NameTaken(member.name.clone()));
            }
        }
        let mut spec = Self { members, targets: Vec::new(), limits, base: OnceLock::new() };
        for module in 0..spec.members.len() {
            let targets = spec.link(module)?;
            spec.targets.push(targets);
        }
        Ok(spec)
    }

    /// Its modules, the facade last.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The module that answers for the service.
    #[must_use]
    pub fn facade(&self) -> &Member {
        self.member(self.members.len() - 1)
    }

    /// What it may use.
    #[must_use]
    pub fn limits(&self) -> &ServiceLimits {
        &self.limits
    }

    pub(crate) fn has_base(&self) -> bool {
        self.base.get().is_some()
    }

    /// Keeps what memories of such services have in common. Of two that come at once, one is kept.
    pub(crate) fn keep_base(&self, images: Vec<Option<Arc<Image>>>) {
        let _ = self.base.set(images);
    }

    /// What a memory of this size is best compared with: what it held at the start, or before it, if it is smaller than that.
    pub(crate) fn base_for(&self, module: usize, size_bytes: usize) -> Option<Arc<Image>> {
        let started = self.base.get().and_then(|images| images.get(module)?.clone());
        let fits = |image: &Arc<Image>| image.size_bytes() <= size_bytes;
        started.filter(fits).or_else(|| self.member(module).module.image().cloned())
    }

    pub(crate) fn member(&self, module: usize) -> &Member {
        self.members.get(module).unwrap_or_else(|| unreachable!("a module's index is one of the service's"))
    }

    pub(crate) fn code(&self, module: usize) -> &wasmer::Module {
        self.member(module).module.code()
    }

    pub(crate) fn callee(&self, module: usize, function: u32) -> Option<Callee> {
        self.member(module).module.interface().callee(function)
    }

    pub(crate) fn export(&self, module: usize, function: usize) -> Option<(&Member, &ExportedFunction)> {
        let member = self.member(module);
        member.module.interface().exports().get(function).map(|function| (member, function))
    }

    pub(crate) fn imported(&self, module: usize, import: usize) -> Option<(&Member, &ImportedFunction)> {
        let member = self.member(module);
        member.module.interface().imports().get(import).map(|import| (member, import))
    }

    pub(crate) fn import_arity(&self, module: usize, import: usize) -> usize {
        self.imported(module, import).map_or(0, |(_, import)| import.arguments.len())
    }

    pub(crate) fn target(&self, module: usize, import: usize) -> Option<Target> {
        self.targets.get(module)?.get(import).copied().flatten()
    }

    /// The name of a core export of the interface.
    pub(crate) fn core_name(&self, module: usize, export: usize) -> String {
        let names = self.member(module).module.interface().core_exports();
        names.get(export).cloned().unwrap_or_else(|| format!("the export {export}"))
    }

    /// What answers an import of the module's code.
    pub(crate) fn import(&self, module: usize, namespace: &str, name: &str) -> Option<Import> {
        if namespace == wasi::NAMESPACE {
            return wasi::function(name).map(Import::Wasi);
        }
        if let Some(generation) = Generation::of(namespace) {
            return Some(match name {
                "log_utf8_string" => Import::Log,
                "get_call_parameters" => Import::CallParameters(generation),
                binary => Import::Binary(binary.to_owned()),
            });
        }
        let imports = self.member(module).module.interface().imports();
        let found = imports.iter().position(|import| import.namespace == namespace && import.name == name);
        found.map(Import::Interface)
    }

    /// Checks what the module imports, and finds whom it imports it from.
    fn link(&self, module: usize) -> Result<Vec<Option<Target>>, LinkError> {
        let member = self.member(module);
        let mut targets = vec![None; member.module.interface().imports().len()];
        for import in member.module.code().imports() {
            let ExternType::Function(wanted) = import.ty() else { continue };
            let (namespace, name) = (import.module(), import.name());
            let found = self.import(module, namespace, name);
            let found = found.ok_or_else(|| self.unknown(module, namespace, name))?;
            if let Import::Interface(index) = found
                && let Some(target) = targets.get_mut(index)
            {
                *target = Some(self.target_of(module, namespace, name)?);
            }
            if let Import::Binary(binary) = &found
                && !member.binaries.contains(binary)
            {
                return Err(LinkError::NotMounted { module: member.name.clone(), binary: binary.clone() });
            }
            let offered = self.signature(module, &found);
            if *wanted != offered {
                return Err(LinkError::Signature {
                    module: member.name.clone(),
                    namespace: namespace.to_owned(),
                    name: name.to_owned(),
                    wanted: wanted.to_string(),
                    offered: offered.to_string(),
                });
            }
        }
        Ok(targets)
    }

    fn unknown(&self, module: usize, namespace: &str, name: &str) -> LinkError {
        let module = self.member(module).name.clone();
        LinkError::NoHostFunction { module, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    fn target_of(&self, module: usize, namespace: &str, function: &str) -> Result<Target, LinkError> {
        let importer = self.member(module).name.clone();
        let at = self.members.iter().position(|member| member.name == namespace);
        let why = match at {
            None => Some("which is not there"),
            Some(at) if at == module => Some("which is itself"),
            Some(at) if at > module => {
                Some("which is loaded after it: two modules may not import from each other")
            }
            Some(_) => None,
        };
        let (namespace, function) = (namespace.to_owned(), function.to_owned());
        if let Some(why) = why {
            return Err(LinkError::NoModule { module: importer, namespace, function, why });
        }
        let at = at.unwrap_or(0);
        let exports = self.member(at).module.interface().exports();
        match exports.iter().position(|export| export.name == function) {
            Some(index) => Ok(Target { module: at, function: index }),
            None => Err(LinkError::NoFunction { module: importer, namespace, function }),
        }
    }

    /// The core type of what answers an import.
    fn signature(&self, module: usize, import: &Import) -> FunctionType {
        match import {
            Import::Wasi(function) => {
                let params: Vec<Core> = function.params.iter().map(|ty| core(*ty)).collect();
                let results: Vec<Core> = function.results.iter().map(|ty| core(*ty)).collect();
                FunctionType::new(params, results)
            }
            Import::Log => FunctionType::new([Core::I32; 4], []),
            Import::CallParameters(_) => FunctionType::new([], []),
            Import::Binary(_) => FunctionType::new([Core::I32; 2], []),
            Import::Interface(index) => {
                let (params, results) =
                    self.imported(module, *index).map_or((&[][..], &[][..]), |(_, import)| {
                        (import.core_params.as_slice(), import.core_results.as_slice())
                    });
                let engine =
                    |types: &[CoreType]| -> Vec<Core> { types.iter().map(|ty| wide_core(*ty)).collect() };
                FunctionType::new(engine(params), engine(results))
            }
        }
    }
}

fn core(ty: wasi::CoreType) -> Core {
    match ty {
        wasi::CoreType::I32 => Core::I32,
        wasi::CoreType::I64 => Core::I64,
    }
}

fn wide_core(ty: CoreType) -> Core {
    match ty {
        CoreType::I32 => Core::I32,
        CoreType::I64 => Core::I64,
        CoreType::F32 => Core::F32,
        CoreType::F64 => Core::F64,
    }
}

fn is_host(name: &str) -> bool {
    let reserved = [meter::NAMESPACE, wasi::NAMESPACE];
    reserved.contains(&name) || Generation::of(name).is_some()
}
