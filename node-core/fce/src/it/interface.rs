//! An interface: what a section means, resolved and checked.
//!
//! A section speaks in indices of types; here they are functions. A function is *exported* where an implementation ties an
//! adapter to a core type that an export has, and *imported* where it is one that an import has. What adapters call is a
//! function of the *function space*: all exports in order, then those imports that have an implementation.

use std::collections::BTreeMap;

use super::{Adapter, Instruction, Named, Section, TypeDef};
use crate::abi::Records;
use crate::value::{Record, Type};

/// How deep records and arrays may stand in each other: as deep as the published runtime resolves them. Values are walked
/// recursively, to this depth.
pub const TYPE_DEPTH_MAX: usize = 1024;

/// A core type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreType {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
}

/// A function that a module offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportedFunction {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub arguments: Vec<Named>,
    /// What it gives, if anything.
    pub result: Option<Type>,
    /// The adapter around it.
    pub program: Vec<Instruction>,
}

/// A function that a module wants of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedFunction {
    /// The other module's configured name.
    pub namespace: String,
    /// Its name there.
    pub name: String,
    /// What it takes.
    pub arguments: Vec<Named>,
    /// What it gives, if anything.
    pub result: Option<Type>,
    /// What the module's code passes for that: two integers for a string or an array, one for a record.
    pub core_params: Vec<CoreType>,
    /// What the module's code gets: nothing where the result is left in its memory.
    pub core_results: Vec<CoreType>,
    /// The adapter between the two.
    pub program: Vec<Instruction>,
}

/// A function that an adapter calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    /// The core export of this index.
    Export(usize),
    /// The imported function of this index.
    Import(usize),
}

/// What a module offers and wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    records: BTreeMap<u32, Record>,
    core_exports: Vec<String>,
    exports: Vec<ExportedFunction>,
    imports: Vec<ImportedFunction>,
}

/// Why a section makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InterfaceError {
    /// An index of a type that there is not.
    #[error("{what} names type {index}, of {types} types")]
    NoType {
        /// Who names it.
        what: String,
        /// The index.
        index: u32,
        /// How many types there are.
        types: usize,
    },
    /// A type that is of the other kind.
    #[error("{what} names type {index}, which is {kind}")]
    Kind {
        /// Who names it.
        what: String,
        /// The index.
        index: u32,
        /// What it is.
        kind: &'static str,
    },
    /// A record holds itself.
    #[error("the record {0} holds itself")]
    Cycle(String),
    /// Records and arrays stand in each other too deep.
    #[error("the record {0} is nested deeper than the limit of {TYPE_DEPTH_MAX}")]
    Depth(String),
    /// An implementation without an adapter.
    #[error("no adapter is of type {adapter}, which implements core type {core}")]
    NoAdapter {
        /// The core function's type.
        core: u32,
        /// The type of the adapter that there is not.
        adapter: u32,
    },
    /// An import's type has none two before it.
    #[error("the import {namespace}.{name} has no interface type: its core type is type {core}")]
    NoInterfaceType {
        /// The other module.
        namespace: String,
        /// The function.
        name: String,
        /// The index of its core type.
        core: u32,
    },
    /// More than one result.
    #[error("{function} gives {results} results, more than the one that there may be")]
    Results {
        /// The function.
        function: String,
        /// How many.
        results: usize,
    },
    /// Two exports of one name.
    #[error("two functions are exported as {0}")]
    NameTaken(String),
    /// An instruction names what there is not.
    #[error("the adapter of {function}: {why}")]
    Instruction {
        /// The function.
        function: String,
        /// What is wrong.
        why: String,
    },
}

impl Interface {
    /// Resolves a section.
    ///
    /// # Errors
    /// If it contradicts itself.
    pub fn of(section: &Section) -> Result<Self, InterfaceError> {
        let records = records(section)?;
        let mut interface = Self {
            records,
            core_exports: section.exports.iter().map(|export| export.name.clone()).collect(),
            ..Self::default()
        };
        // As in the published runtime, of several adapters of one type the last is taken.
        let adapters: BTreeMap<u32, &Adapter> =
            section.adapters.iter().map(|adapter| (adapter.ty, adapter)).collect();
        let implemented: BTreeMap<u32, u32> =
            section.implementations.iter().map(|each| (each.core, each.adapter)).collect();
        for (core, adapter) in &implemented {
            if !adapters.contains_key(adapter) {
                return Err(InterfaceError::NoAdapter { core: *core, adapter: *adapter });
            }
        }
        let adapter_of = |core: u32| implemented.get(&core).and_then(|adapter| adapters.get(adapter));
        for export in &section.exports {
            if let Some(adapter) = adapter_of(export.ty) {
                let function = exported(section, &export.name, adapter)?;
                if interface.exports.iter().any(|other| other.name == function.name) {
                    return Err(InterfaceError::NameTaken(function.name));
                }
                interface.exports.push(function);
            }
        }
        for import in &section.imports {
            if let Some(adapter) = adapter_of(import.ty) {
                interface.imports.push(imported(section, import, adapter)?);
            }
        }
        interface.check_programs()?;
        Ok(interface)
    }

    /// The functions that the module offers.
    #[must_use]
    pub fn exports(&self) -> &[ExportedFunction] {
        &self.exports
    }

    /// The functions that the module wants of others.
    #[must_use]
    pub fn imports(&self) -> &[ImportedFunction] {
        &self.imports
    }

    /// The core functions that adapters call, by the module's export names.
    #[must_use]
    pub fn core_exports(&self) -> &[String] {
        &self.core_exports
    }

    /// The records, by the index of their type.
    #[must_use]
    pub fn records(&self) -> &BTreeMap<u32, Record> {
        &self.records
    }

    /// The function of this index of the function space.
    #[must_use]
    pub fn callee(&self, function: u32) -> Option<Callee> {
        let function = function as usize;
        match function.checked_sub(self.core_exports.len()) {
            None => Some(Callee::Export(function)),
            Some(import) if import < self.imports.len() => Some(Callee::Import(import)),
            Some(_) => None,
        }
    }

    /// The core functions that adapters call, by name.
    pub(crate) fn called(&self) -> impl Iterator<Item = &str> {
        let exports = self.exports.iter().flat_map(|function| &function.program);
        let imports = self.imports.iter().flat_map(|function| &function.program);
        exports.chain(imports).filter_map(|instruction| match instruction {
            Instruction::CallCore(index) => self.core_exports.get(*index as usize).map(String::as_str),
            _ => None,
        })
    }

    /// Checks that what adapters name is there.
    fn check_programs(&self) -> Result<(), InterfaceError> {
        let exports =
            self.exports.iter().map(|each| (each.name.clone(), each.arguments.len(), &each.program));
        let imports = self
            .imports
            .iter()
            .map(|each| (format!("{}.{}", each.namespace, each.name), each.core_params.len(), &each.program));
        for (function, arguments, program) in exports.chain(imports) {
            for instruction in program {
                if let Some(why) = self.misnamed(instruction, arguments) {
                    return Err(InterfaceError::Instruction { function, why });
                }
            }
        }
        Ok(())
    }

    fn misnamed(&self, instruction: &Instruction, arguments: usize) -> Option<String> {
        match instruction {
            Instruction::ArgumentGet(index) if *index as usize >= arguments => {
                Some(format!("it takes argument {index} of {arguments}"))
            }
            Instruction::CallCore(index) if self.callee(*index).is_none() => {
                let functions = self.core_exports.len() + self.imports.len();
                Some(format!("it calls function {index} of {functions}"))
            }
            Instruction::RecordLift(index) | Instruction::RecordLower(index)
                if !self.records.contains_key(index) =>
            {
                Some(format!("it names type {index}, which is no record"))
            }
            Instruction::ArrayLift(ty) | Instruction::ArrayLower(ty) => {
                let index = record_in(ty)?;
                (!self.records.contains_key(&index))
                    .then(|| format!("it names type {index}, which is no record"))
            }
            _ => None,
        }
    }
}

impl Records for Interface {
    fn record(&self, index: u32) -> Option<&Record> {
        self.records.get(&index)
    }
}

/// The record that a type mentions, if it does.
fn record_in(ty: &Type) -> Option<u32> {
    let mut ty = ty;
    while let Type::Array(element) = ty {
        ty = element;
    }
    match ty {
        Type::Record(index) => Some(*index),
        _ => None,
    }
}

/// The signature of this index, whose records are records.
fn signature<'s>(
    section: &'s Section,
    index: u32,
    what: &str,
) -> Result<(&'s [Named], &'s [Type]), InterfaceError> {
    let what = || what.to_owned();
    let types = section.types.len();
    let def = section.types.get(index as usize);
    match def.ok_or_else(|| InterfaceError::NoType { what: what(), index, types })? {
        TypeDef::Record { .. } => Err(InterfaceError::Kind { what: what(), index, kind: "a record" }),
        TypeDef::Function { arguments, results } => {
            let mentioned = arguments.iter().map(|argument| &argument.ty).chain(results);
            for index in mentioned.filter_map(record_in) {
                match section.types.get(index as usize) {
                    Some(TypeDef::Record { .. }) => {}
                    Some(_) => return Err(InterfaceError::Kind { what: what(), index, kind: "a function" }),
                    None => return Err(InterfaceError::NoType { what: what(), index, types }),
                }
            }
            Ok((arguments, results))
        }
    }
}

fn one_result(function: &str, results: &[Type]) -> Result<Option<Type>, InterfaceError> {
    match results {
        [] => Ok(None),
        [result] => Ok(Some(result.clone())),
        _ => Err(InterfaceError::Results { function: function.to_owned(), results: results.len() }),
    }
}

fn exported(section: &Section, name: &str, adapter: &Adapter) -> Result<ExportedFunction, InterfaceError> {
    let (arguments, results) = signature(section, adapter.ty, &format!("the function {name}"))?;
    Ok(ExportedFunction {
        name: name.to_owned(),
        arguments: arguments.to_vec(),
        result: one_result(name, results)?,
        program: adapter.instructions.clone(),
    })
}

fn imported(
    section: &Section,
    import: &super::Import,
    adapter: &Adapter,
) -> Result<ImportedFunction, InterfaceError> {
    let name = format!("{}.{}", import.namespace, import.name);
    let what = format!("the import {name}");
    let interface = import.ty.checked_sub(2).ok_or_else(|| InterfaceError::NoInterfaceType {
        namespace: import.namespace.clone(),
        name: import.name.clone(),
        core: import.ty,
    })?;
    let (arguments, results) = signature(section, interface, &what)?;
    let (core_arguments, core_results) = signature(section, adapter.ty, &what)?;
    let result = one_result(&name, results)?;
    one_result(&name, core_results)?;
    Ok(ImportedFunction {
        namespace: import.namespace.clone(),
        name: import.name.clone(),
        arguments: arguments.to_vec(),
        result,
        core_params: core_arguments.iter().flat_map(|argument| passed(&argument.ty)).copied().collect(),
        // A result that is no number is left in memory, whose place the host tells.
        core_results: core_results
            .iter()
            .filter(|ty| passed(ty).len() == 1 && record_in(ty).is_none())
            .flat_map(passed)
            .copied()
            .collect(),
        program: adapter.instructions.clone(),
    })
}

/// What the module's code passes for a value of this type.
fn passed(ty: &Type) -> &'static [CoreType] {
    match ty {
        Type::String | Type::Bytes | Type::Array(_) => &[CoreType::I32, CoreType::I32],
        Type::S64 | Type::U64 | Type::I64 => &[CoreType::I64],
        Type::F32 => &[CoreType::F32],
        Type::F64 => &[CoreType::F64],
        _ => &[CoreType::I32],
    }
}

/// The records of a section, none of which holds itself or is nested too deep.
fn records(section: &Section) -> Result<BTreeMap<u32, Record>, InterfaceError> {
    let mut records = BTreeMap::new();
    for (index, def) in (0..).zip(&section.types) {
        if let TypeDef::Record { name, fields } = def {
            records.insert(index, Record { name: name.clone(), fields: fields.clone() });
        }
    }
    let mut depths = BTreeMap::new();
    for index in records.keys() {
        measure(*index, &records, section, &mut depths)?;
    }
    Ok(records)
}

/// How deep a record is, once it is known; nothing while it is being found out.
type Depths = BTreeMap<u32, Option<usize>>;

/// Finds out how deep the record of this index is, and all that it holds.
fn measure(
    index: u32,
    records: &BTreeMap<u32, Record>,
    section: &Section,
    depths: &mut Depths,
) -> Result<(), InterfaceError> {
    // Records whose fields are being looked at, and which field is next.
    let mut open = vec![(index, 0)];
    while let Some((index, next)) = open.pop() {
        let Some(record) = records.get(&index) else { continue };
        if next == 0 {
            match depths.get(&index) {
                Some(Some(_)) => continue,
                Some(None) => return Err(InterfaceError::Cycle(record.name.clone())),
                None => depths.insert(index, None),
            };
        }
        let Some(field) = record.fields.get(next) else {
            let depth = 1 + record.fields.iter().map(|field| depth(&field.ty, depths)).max().unwrap_or(0);
            if depth > TYPE_DEPTH_MAX {
                return Err(InterfaceError::Depth(record.name.clone()));
            }
            depths.insert(index, Some(depth));
            continue;
        };
        open.push((index, next + 1));
        if let Some(inner) = record_in(&field.ty) {
            if !records.contains_key(&inner) {
                let what = format!("the field {}.{}", record.name, field.name);
                let types = section.types.len();
                return Err(match section.types.get(inner as usize) {
                    Some(_) => InterfaceError::Kind { what, index: inner, kind: "a function" },
                    None => InterfaceError::NoType { what, index: inner, types },
                });
            }
            if depths.get(&inner) == Some(&None) {
                return Err(InterfaceError::Cycle(record.name.clone()));
            }
            open.push((inner, 0));
        }
    }
    Ok(())
}

fn depth(ty: &Type, depths: &Depths) -> usize {
    let (mut ty, mut depth) = (ty, 0);
    while let Type::Array(element) = ty {
        (ty, depth) = (element, depth + 1);
    }
    match ty {
        Type::Record(index) => depth + depths.get(index).copied().flatten().unwrap_or(0),
        _ => depth,
    }
}
