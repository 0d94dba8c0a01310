//! What a module says of itself, for people and for programs. Nothing of it is compiled or run.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use wasmparser::{Parser, Payload, TypeRef};

use crate::it::interface::{ExportedFunction, Interface, InterfaceError};
use crate::it::sections::{self, Manifest, SectionError};
use crate::limits::ModuleLimits;
use crate::meter::{self, Facts, Metering, Refusal};
use crate::module::ModuleHash;
use crate::parameters::Generation;
use crate::value::{Named, Type};
use crate::wasi;

/// A description of a module.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// What it goes by, in hexadecimal digits.
    pub hash: String,
    /// The release of the SDK that it was built with.
    pub sdk_version: Option<String>,
    /// The release of the interface types that it is written in.
    pub interface_version: String,
    /// Who made it, and when, if it says so.
    pub manifest: Option<Manifest>,
    /// The records that its functions take and give.
    pub records: Vec<Record>,
    /// Its functions.
    pub functions: Vec<Function>,
    /// What it imports of other modules, by their names.
    pub modules: BTreeMap<String, Vec<String>>,
    /// What it imports of its host.
    pub host: Vec<String>,
    /// The programs that it calls.
    pub binaries: Vec<String>,
    /// What it imports of WASI.
    pub wasi: Vec<String>,
    /// Imports that nobody offers.
    pub unknown: Vec<String>,
    /// What it is made of.
    pub facts: Facts,
}

/// A record.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// Its fields.
    pub fields: Vec<Field>,
}

/// A field, or an argument.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: String,
}

/// A function.
#[derive(Clone, Debug, Serialize)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub arguments: Vec<Field>,
    /// What it gives, if anything.
    pub result: Option<String>,
}

/// Why a module cannot be described.
#[derive(Debug, thiserror::Error)]
pub enum InfoError {
    /// It is malformed, or more than it may be.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A section is missing or malformed.
    #[error(transparent)]
    Section(#[from] SectionError),
    /// Its interface contradicts itself.
    #[error(transparent)]
    Interface(#[from] InterfaceError),
}

/// Describes a module.
///
/// # Errors
/// If it is no module of a service.
pub fn describe(wasm: &[u8], limits: &ModuleLimits) -> Result<Description, InfoError> {
    let facts = meter::prepare(wasm, limits, Metering::Off)?.facts;
    let sections = sections::read(wasm)?;
    let interface = Interface::of(&sections.interface_types)?;
    sections::check_exports(wasm, &interface)?;
    let mut description = Description {
        hash: ModuleHash::of(wasm).to_string(),
        sdk_version: sections.sdk_version.as_ref().map(ToString::to_string),
        interface_version: sections.interface_types.version.to_string(),
        manifest: sections.manifest,
        records: records(&interface),
        functions: functions(&interface),
        modules: BTreeMap::new(),
        host: Vec::new(),
        binaries: Vec::new(),
        wasi: Vec::new(),
        unknown: Vec::new(),
        facts,
    };
    description.add_imports(wasm, &interface);
    Ok(description)
}

impl Description {
    fn add_imports(&mut self, wasm: &[u8], interface: &Interface) {
        // The module was checked: whatever cannot be read is not there.
        for payload in Parser::new(0).parse_all(wasm).flatten() {
            let Payload::ImportSection(reader) = payload else { continue };
            for import in reader.into_imports().flatten() {
                if let TypeRef::Func(_) = import.ty {
                    self.add_import(import.module, import.name, interface);
                }
            }
        }
    }

    fn add_import(&mut self, namespace: &str, name: &str, interface: &Interface) {
        if namespace == wasi::NAMESPACE && wasi::function(name).is_some() {
            self.wasi.push(name.to_owned());
        } else if Generation::of(namespace).is_some() {
            match name {
                "log_utf8_string" | "get_call_parameters" => self.host.push(format!("{namespace}.{name}")),
                binary => self.binaries.push(binary.to_owned()),
            }
        } else if interface
            .imports()
            .iter()
            .any(|import| import.namespace == namespace && import.name == name)
        {
            self.modules.entry(namespace.to_owned()).or_default().push(name.to_owned());
        } else {
            self.unknown.push(format!("{namespace}.{name}"));
        }
    }
}

/// The records that functions take and give, and those in them, in the order of their types: a module has others, which only its
/// SDK knows.
fn records(interface: &Interface) -> Vec<Record> {
    let mut reached = BTreeSet::new();
    let arguments = |function: &ExportedFunction| {
        function
            .arguments
            .iter()
            .map(|argument| argument.ty.clone())
            .chain(function.result.clone())
            .collect::<Vec<_>>()
    };
    let mut left: Vec<Type> = interface.exports().iter().flat_map(arguments).collect();
    while let Some(ty) = left.pop() {
        match ty {
            Type::Array(element) => left.push(*element),
            Type::Record(index) if reached.insert(index) => {
                let fields = interface.records().get(&index).into_iter().flat_map(|record| &record.fields);
                left.extend(fields.map(|field| field.ty.clone()));
            }
            _ => {}
        }
    }
    let record = |record: &crate::value::Record| Record {
        name: record.name.clone(),
        fields: record.fields.iter().map(|field| self::field(field, interface)).collect(),
    };
    reached.iter().filter_map(|index| interface.records().get(index)).map(record).collect()
}

fn functions(interface: &Interface) -> Vec<Function> {
    let function = |function: &ExportedFunction| Function {
        name: function.name.clone(),
        arguments: function.arguments.iter().map(|argument| field(argument, interface)).collect(),
        result: function.result.as_ref().map(|ty| type_name(ty, interface)),
    };
    interface.exports().iter().map(function).collect()
}

fn field(named: &Named, interface: &Interface) -> Field {
    Field { name: named.name.clone(), ty: type_name(&named.ty, interface) }
}

/// How a type is written.
#[must_use]
pub fn type_name(ty: &Type, interface: &Interface) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::S8 => "s8".to_owned(),
        Type::S16 => "s16".to_owned(),
        Type::S32 => "s32".to_owned(),
        Type::S64 => "s64".to_owned(),
        Type::U8 => "u8".to_owned(),
        Type::U16 => "u16".to_owned(),
        Type::U32 => "u32".to_owned(),
        Type::U64 => "u64".to_owned(),
        Type::F32 => "f32".to_owned(),
        Type::F64 => "f64".to_owned(),
        Type::I32 => "i32".to_owned(),
        Type::I64 => "i64".to_owned(),
        Type::String => "string".to_owned(),
        Type::Bytes => "[u8]".to_owned(),
        Type::Array(element) => format!("[{}]", type_name(element, interface)),
        Type::Record(index) => interface
            .records()
            .get(index)
            .map_or_else(|| format!("record {index}"), |record| record.name.clone()),
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<_> =
            self.arguments.iter().map(|field| format!("{}: {}", field.name, field.ty)).collect();
        write!(f, "{}({})", self.name, arguments.join(", "))?;
        self.result.as_ref().map_or(Ok(()), |result| write!(f, " -> {result}"))
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = &self.facts;
        writeln!(f, "hash       {}", self.hash)?;
        let sdk = self.sdk_version.as_deref().unwrap_or("unknown");
        writeln!(f, "built      SDK {sdk}, interface types {}", self.interface_version)?;
        if let Some(manifest) = &self.manifest {
            writeln!(f, "by         {} {}, {}", manifest.authors, manifest.version, manifest.build_time)?;
            writeln!(f, "about      {} ({})", manifest.description, manifest.repository)?;
        }
        writeln!(
            f,
            "size       {} bytes, {} of code and {} of data",
            facts.module_bytes, facts.code_bytes, facts.data_bytes
        )?;
        writeln!(f, "functions  {} of its own, {} imported", facts.functions, facts.imported_functions)?;
        writeln!(
            f,
            "memory     begins with {} pages of 64 KiB; {} table slots",
            facts.memory_pages, facts.table_slots
        )?;
        for record in &self.records {
            writeln!(f, "\ndata {}", record.name)?;
            for field in &record.fields {
                writeln!(f, "  {}: {}", field.name, field.ty)?;
            }
        }
        writeln!(f)?;
        for function in &self.functions {
            writeln!(f, "fn {function}")?;
        }
        for (module, functions) in &self.modules {
            list(f, &format!("of {module}"), functions)?;
        }
        list(f, "of its host", &self.host)?;
        list(f, "programs", &self.binaries)?;
        list(f, "of WASI", &self.wasi)?;
        list(f, "of nobody", &self.unknown)
    }
}

fn list(f: &mut fmt::Formatter<'_>, what: &str, names: &[String]) -> fmt::Result {
    if names.is_empty() {
        return Ok(());
    }
    write!(f, "\nimports {what}\n ")?;
    let mut column = 1;
    for name in names {
        if column + name.len() > 78 {
            write!(f, "\n ")?;
            column = 1;
        }
        write!(f, " {name}")?;
        column += name.len() + 1;
    }
    writeln!(f)
}
