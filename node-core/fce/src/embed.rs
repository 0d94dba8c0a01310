//! The last step of building a module: its interface types, made of what the SDK left in it.
//!
//! A module that was built with the published SDK carries a section for each function, record and block of imports, in JSON.
//! From these its interface types are made as the published toolchain makes them: first the six functions of the ABI, then
//! records, functions and imports, each in the order of the sections. Nothing else of the module changes.

use std::collections::BTreeMap;

use semver::Version;
use serde::Deserialize;
use serde::de::IgnoredAny;
use wasmparser::{Parser, Payload};

use crate::it::sections::{INTERFACE_TYPES, SDK_VERSION};
use crate::it::write::{WriteError, write};
use crate::it::{
    Adapter, Core, Export, Implementation, Import, Instruction, Integer, Named, Section, TypeDef,
};
use crate::value::{Record, Type};

/// What the generated sections' names begin with: of today's SDK, and of the oldest.
const GENERATED: [&str; 2] = ["__m_generated_section__", "__fce_generated_section__"];
/// The release of interface types that is written.
pub const INTERFACE_VERSION: Version = Version::new(0, 28, 0);
/// How deep vectors may stand in vectors.
const VECTOR_DEPTH_MAX: usize = 32;

/// Why a module cannot be completed.
#[derive(Debug, thiserror::Error)]
pub enum EmbedError {
    /// It is no Wasm.
    #[error("the module cannot be read: {0}")]
    Wasm(String),
    /// It was not built with the SDK.
    #[error("the module has no generated sections: it was not built with the Marine SDK")]
    NotBuilt,
    /// It is complete already.
    #[error("the module has its interface types already")]
    Complete,
    /// A section is not what the SDK writes.
    #[error("the section {name}: {error}")]
    Json {
        /// Which.
        name: String,
        /// What is wrong.
        error: String,
    },
    /// A function takes or gives a record that there is not.
    #[error("there is no record {0}")]
    NoRecord(String),
    /// A record holds itself.
    #[error("the record {0} holds itself")]
    Cycle(String),
    /// Vectors of vectors of vectors.
    #[error("vectors in vectors, deeper than {VECTOR_DEPTH_MAX}")]
    Depth,
    /// A function gives several values.
    #[error("{0} gives several values, of at most one")]
    Results(String),
    /// The interface cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// What a module offers and wants, by names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signatures {
    /// Its records; their types name each other by the places here.
    pub records: Vec<Record>,
    /// Its functions.
    pub functions: Vec<Signature>,
    /// Functions of other modules, by their names.
    pub imports: Vec<(String, Signature)>,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Its name.
    pub name: String,
    /// What it takes.
    pub arguments: Vec<Named>,
    /// What it gives, if anything.
    pub result: Option<Type>,
}

/// Completes a module: what the SDK left in it becomes its interface types.
///
/// # Errors
/// If it was not built with the SDK, or is complete already.
pub fn embed(wasm: &[u8]) -> Result<Vec<u8>, EmbedError> {
    let found = find(wasm)?;
    let section = section(&signatures(&found.generated)?);
    let mut complete = found.rest;
    append(&mut complete, INTERFACE_TYPES, &write(&section)?);
    if let Some(version) = found.sdk_version {
        append(&mut complete, SDK_VERSION, trimmed(&version));
    }
    Ok(complete)
}

/// What is found in a module that is to be completed.
#[derive(Default)]
struct Found {
    /// The generated sections: names and contents, in order.
    generated: Vec<(String, Vec<u8>)>,
    sdk_version: Option<Vec<u8>>,
    /// The module without them.
    rest: Vec<u8>,
}

fn find(wasm: &[u8]) -> Result<Found, EmbedError> {
    let mut found = Found::default();
    let mut kept = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::CustomSection(section) = payload.map_err(|error| EmbedError::Wasm(error.to_string()))?
        else {
            continue;
        };
        let name = section.name();
        if name == INTERFACE_TYPES {
            return Err(EmbedError::Complete);
        }
        let generated = GENERATED.iter().any(|prefix| name.starts_with(prefix));
        if !generated && name != SDK_VERSION {
            continue;
        }
        // The section, its number and its length among it, is left out.
        let content = section.range();
        let begin = header(wasm, content.start, content.len());
        found.rest.extend_from_slice(wasm.get(kept..begin).unwrap_or_default());
        kept = content.end;
        if generated {
            found.generated.push((name.to_owned(), section.data().to_vec()));
        } else {
            found.sdk_version = Some(section.data().to_vec());
        }
    }
    found.rest.extend_from_slice(wasm.get(kept..).unwrap_or_default());
    if found.generated.is_empty() { Err(EmbedError::NotBuilt) } else { Ok(found) }
}

/// Where a section begins whose content, of this length, begins at `content`: before it stand a zero and the length.
fn header(wasm: &[u8], content: usize, length: usize) -> usize {
    let mut begin = content.saturating_sub(1);
    // The length may be written longer than it need be: its bytes but the last have their highest bit set.
    let shortest = leb(length).len();
    let mut size = 1;
    while size < shortest || begin > 0 && wasm.get(begin - 1).is_some_and(|byte| *byte >= 0x80) {
        begin -= 1;
        size += 1;
    }
    begin.saturating_sub(1)
}

fn leb(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// The version without what fills its section up: the SDK's macro leaves room.
fn trimmed(version: &[u8]) -> &[u8] {
    version.trim_ascii()
}

fn append(module: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut section = leb(name.len());
    section.extend_from_slice(name.as_bytes());
    section.extend_from_slice(content);
    module.push(0);
    module.extend(leb(section.len()));
    module.extend(section);
}

/// What the SDK writes.
#[derive(Debug, Deserialize)]
#[serde(tag = "ast_type")]
enum Item {
    Function { signature: SdkSignature },
    Record { name: String, fields: SdkFields },
    ExternMod { namespace: String, imports: Vec<SdkImport> },
}

#[derive(Debug, Deserialize)]
struct SdkSignature {
    name: String,
    arguments: Vec<SdkNamed>,
    output_types: Vec<SdkType>,
}

#[derive(Debug, Deserialize)]
struct SdkNamed {
    name: String,
    ty: SdkType,
}

#[derive(Debug, Deserialize)]
enum SdkFields {
    Named(Vec<SdkNamed>),
}

#[derive(Debug, Deserialize)]
struct SdkImport {
    link_name: Option<String>,
    signature: SdkSignature,
}

#[derive(Debug, Deserialize)]
// How Rust passes a value is read to be passed over.
enum SdkType {
    Boolean(IgnoredAny),
    I8(IgnoredAny),
    I16(IgnoredAny),
    I32(IgnoredAny),
    I64(IgnoredAny),
    U8(IgnoredAny),
    U16(IgnoredAny),
    U32(IgnoredAny),
    U64(IgnoredAny),
    F32(IgnoredAny),
    F64(IgnoredAny),
    Utf8Str(IgnoredAny),
    Utf8String(IgnoredAny),
    Vector(Box<Self>, IgnoredAny),
    Record(String, IgnoredAny),
}

/// Reads the generated sections.
fn signatures(generated: &[(String, Vec<u8>)]) -> Result<Signatures, EmbedError> {
    let read = |(name, content): &(String, Vec<u8>)| {
        serde_json::from_slice::<Item>(content)
            .map_err(|error| EmbedError::Json { name: name.clone(), error: error.to_string() })
    };
    let items = generated.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let places = places(&items)?;
    let mut signatures = Signatures::default();
    for item in items {
        match item {
            Item::Record { name, fields: SdkFields::Named(fields) } => {
                signatures.records.push(Record { name, fields: named(fields, &places)? });
            }
            Item::Function { signature } => {
                signatures.functions.push(self::signature(signature, None, &places)?);
            }
            Item::ExternMod { namespace, imports } => {
                for import in imports {
                    let signature = self::signature(import.signature, import.link_name, &places)?;
                    signatures.imports.push((namespace.clone(), signature));
                }
            }
        }
    }
    signatures.records.sort_by_key(|record| places.get(&record.name).copied());
    Ok(signatures)
}

/// Where each record stands: in the order of their sections, but behind the records that it holds.
fn places(items: &[Item]) -> Result<BTreeMap<String, u32>, EmbedError> {
    let records: BTreeMap<&str, &[SdkNamed]> = items
        .iter()
        .filter_map(|item| match item {
            Item::Record { name, fields: SdkFields::Named(fields) } => {
                Some((name.as_str(), fields.as_slice()))
            }
            _ => None,
        })
        .collect();
    let mut places = BTreeMap::new();
    for item in items {
        let Item::Record { name, .. } = item else { continue };
        // Records that wait for those that they hold, and which field is next.
        let mut waiting = vec![(name.as_str(), 0)];
        while let Some((name, next)) = waiting.pop() {
            if places.contains_key(name) {
                continue;
            }
            let fields = records.get(name).ok_or_else(|| EmbedError::NoRecord(name.to_owned()))?;
            let Some(field) = fields.get(next) else {
                let place = places.len() as u32;
                places.insert(name.to_owned(), place);
                continue;
            };
            waiting.push((name, next + 1));
            if let Some(held) = record_in(&field.ty) {
                if waiting.iter().any(|(name, _)| *name == held) {
                    return Err(EmbedError::Cycle(held.to_owned()));
                }
                waiting.push((held, 0));
            }
        }
    }
    Ok(places)
}

/// The record that a type mentions, if it does.
fn record_in(ty: &SdkType) -> Option<&str> {
    let mut ty = ty;
    while let SdkType::Vector(element, _) = ty {
        ty = element;
    }
    match ty {
        SdkType::Record(name, _) => Some(name),
        _ => None,
    }
}

fn signature(
    sdk: SdkSignature,
    link_name: Option<String>,
    places: &BTreeMap<String, u32>,
) -> Result<Signature, EmbedError> {
    let mut results = sdk.output_types.into_iter();
    let result = results.next().map(|ty| type_of(ty, places, 0)).transpose()?;
    if results.next().is_some() {
        return Err(EmbedError::Results(sdk.name));
    }
    Ok(Signature { name: link_name.unwrap_or(sdk.name), arguments: named(sdk.arguments, places)?, result })
}

fn named(sdk: Vec<SdkNamed>, places: &BTreeMap<String, u32>) -> Result<Vec<Named>, EmbedError> {
    sdk.into_iter().map(|named| Ok(Named { name: named.name, ty: type_of(named.ty, places, 0)? })).collect()
}

fn type_of(sdk: SdkType, places: &BTreeMap<String, u32>, depth: usize) -> Result<Type, EmbedError> {
    if depth > VECTOR_DEPTH_MAX {
        return Err(EmbedError::Depth);
    }
    Ok(match sdk {
        SdkType::Boolean(_) => Type::Bool,
        SdkType::I8(_) => Type::S8,
        SdkType::I16(_) => Type::S16,
        SdkType::I32(_) => Type::S32,
        SdkType::I64(_) => Type::S64,
        SdkType::U8(_) => Type::U8,
        SdkType::U16(_) => Type::U16,
        SdkType::U32(_) => Type::U32,
        SdkType::U64(_) => Type::U64,
        SdkType::F32(_) => Type::F32,
        SdkType::F64(_) => Type::F64,
        SdkType::Utf8Str(_) | SdkType::Utf8String(_) => Type::String,
        SdkType::Vector(element, _) => match type_of(*element, places, depth + 1)? {
            Type::U8 => Type::Bytes,
            element => Type::Array(Box::new(element)),
        },
        SdkType::Record(name, _) => {
            let place = places.get(&name).copied();
            Type::Record(place.ok_or(EmbedError::NoRecord(name))?)
        }
    })
}

/// The functions that every module of the ABI has, in the order in which adapters call them.
const ABI: [(&str, Option<&str>, Option<Type>); 6] = [
    ("allocate", Some("size"), Some(Type::I32)),
    ("release_objects", None, None),
    ("get_result_size", None, Some(Type::I32)),
    ("get_result_ptr", None, Some(Type::I32)),
    ("set_result_size", Some("result_size"), None),
    ("set_result_ptr", Some("result_ptr"), None),
];
const ALLOCATE: u32 = 0;
const RELEASE_OBJECTS: u32 = 1;
const GET_RESULT_SIZE: u32 = 2;
const GET_RESULT_PTR: u32 = 3;
const SET_RESULT_SIZE: u32 = 4;
const SET_RESULT_PTR: u32 = 5;
/// The kind of element that adapters set memory aside for: bytes.
const BYTES: i32 = 1;

/// The interface types of these signatures.
#[must_use]
pub fn section(signatures: &Signatures) -> Section {
    let mut section = Section {
        version: INTERFACE_VERSION,
        types: Vec::new(),
        imports: Vec::new(),
        adapters: Vec::new(),
        exports: Vec::new(),
        implementations: Vec::new(),
    };
    for (name, argument, result) in ABI {
        let argument = argument.map(|name| Named { name: name.to_owned(), ty: Type::I32 });
        let ty = section.types.len() as u32;
        section.types.push(TypeDef::Function {
            arguments: argument.into_iter().collect(),
            results: result.into_iter().collect(),
        });
        section.exports.push(Export { name: name.to_owned(), ty });
    }
    let first = section.types.len() as u32;
    let place = |ty: &Type| moved(ty, first);
    for record in &signatures.records {
        let fields =
            record.fields.iter().map(|field| Named { name: field.name.clone(), ty: place(&field.ty) });
        section.types.push(TypeDef::Record { name: record.name.clone(), fields: fields.collect() });
    }
    for function in &signatures.functions {
        add_function(&mut section, &placed(function, first));
    }
    let exports = section.exports.len() as u32;
    for (number, (namespace, import)) in (0..).zip(&signatures.imports) {
        add_import(&mut section, namespace, &placed(import, first), exports + number);
    }
    section
}

/// The type with its records at their places in the table of types.
fn moved(ty: &Type, first: u32) -> Type {
    match ty {
        Type::Record(place) => Type::Record(first + place),
        Type::Array(element) => Type::Array(Box::new(moved(element, first))),
        other => other.clone(),
    }
}

fn placed(signature: &Signature, first: u32) -> Signature {
    let argument = |named: &Named| Named { name: named.name.clone(), ty: moved(&named.ty, first) };
    Signature {
        name: signature.name.clone(),
        arguments: signature.arguments.iter().map(argument).collect(),
        result: signature.result.as_ref().map(|ty| moved(ty, first)),
    }
}

fn add_function(section: &mut Section, function: &Signature) {
    let ty = section.types.len() as u32;
    let def = TypeDef::Function {
        arguments: function.arguments.clone(),
        results: function.result.iter().cloned().collect(),
    };
    section.types.extend([def.clone(), def]);
    let mut instructions = Vec::new();
    for (index, argument) in (0..).zip(&function.arguments) {
        instructions.push(Instruction::ArgumentGet(index));
        match &argument.ty {
            Type::String => instructions.extend([
                Instruction::StringSize,
                Instruction::PushI32(BYTES),
                Instruction::CallCore(ALLOCATE),
                Instruction::ArgumentGet(index),
                Instruction::StringLower,
            ]),
            Type::Bytes => instructions.push(Instruction::ArrayLower(Type::U8)),
            Type::Array(element) => instructions.push(Instruction::ArrayLower((**element).clone())),
            Type::Record(index) => instructions.push(Instruction::RecordLower(*index)),
            scalar => instructions.extend(to_core(scalar)),
        }
    }
    instructions.push(Instruction::CallCore(section.exports.len() as u32));
    let lifted = function.result.as_ref().and_then(|ty| match ty {
        Type::String => Some(Instruction::StringLift),
        Type::Bytes => Some(Instruction::BytesLift),
        Type::Array(element) => Some(Instruction::ArrayLift((**element).clone())),
        Type::Record(index) => Some(Instruction::RecordLift(*index)),
        _ => None,
    });
    match lifted {
        Some(lift) => {
            instructions.push(Instruction::CallCore(GET_RESULT_PTR));
            if !matches!(lift, Instruction::RecordLift(_)) {
                instructions.push(Instruction::CallCore(GET_RESULT_SIZE));
            }
            instructions.extend([lift, Instruction::CallCore(RELEASE_OBJECTS)]);
        }
        None => instructions.extend(function.result.as_ref().and_then(from_core)),
    }
    section.exports.push(Export { name: function.name.clone(), ty: ty + 1 });
    section.adapters.push(Adapter { ty, instructions });
    section.implementations.push(Implementation { core: ty + 1, adapter: ty });
}

fn add_import(section: &mut Section, namespace: &str, import: &Signature, function: u32) {
    let ty = section.types.len() as u32;
    let interface = TypeDef::Function {
        arguments: import.arguments.clone(),
        results: import.result.iter().cloned().collect(),
    };
    let core = TypeDef::Function {
        arguments: import.arguments.iter().flat_map(flat).collect(),
        // A result that is left in memory is none of the core function's.
        results: import.result.iter().filter(|ty| is_scalar(ty)).cloned().collect(),
    };
    section.types.extend([interface, core.clone(), core]);
    let mut instructions = Vec::new();
    let mut next = 0;
    let mut complex = false;
    let mut argument = |instructions: &mut Vec<_>| {
        instructions.push(Instruction::ArgumentGet(next));
        next += 1;
    };
    for wanted in &import.arguments {
        argument(&mut instructions);
        if matches!(wanted.ty, Type::String | Type::Bytes | Type::Array(_)) {
            argument(&mut instructions);
        }
        complex |= !is_scalar(&wanted.ty);
        match &wanted.ty {
            Type::String => instructions.push(Instruction::StringLift),
            Type::Bytes => instructions.push(Instruction::BytesLift),
            Type::Array(element) => instructions.push(Instruction::ArrayLift((**element).clone())),
            Type::Record(index) => instructions.push(Instruction::RecordLift(*index)),
            scalar => instructions.extend(from_core(scalar)),
        }
    }
    if complex {
        instructions.push(Instruction::CallCore(RELEASE_OBJECTS));
    }
    instructions.push(Instruction::CallCore(function));
    instructions.extend(import.result.iter().flat_map(given_back));
    for ty in [ty, ty + 2] {
        section.imports.push(Import { namespace: namespace.to_owned(), name: import.name.clone(), ty });
    }
    section.adapters.push(Adapter { ty: ty + 1, instructions });
    section.implementations.push(Implementation { core: ty + 2, adapter: ty + 1 });
}

/// How the result of another module's function is given to this one.
fn given_back(ty: &Type) -> Vec<Instruction> {
    let (size, ptr) = (Instruction::CallCore(SET_RESULT_SIZE), Instruction::CallCore(SET_RESULT_PTR));
    match ty {
        Type::String => vec![
            Instruction::Dup,
            Instruction::StringSize,
            Instruction::PushI32(BYTES),
            Instruction::CallCore(ALLOCATE),
            Instruction::Swap2,
            Instruction::StringLower,
            size,
            ptr,
        ],
        Type::Bytes => vec![Instruction::ArrayLower(Type::U8), size, ptr],
        Type::Array(element) => vec![Instruction::ArrayLower((**element).clone()), size, ptr],
        Type::Record(index) => vec![Instruction::RecordLower(*index), ptr],
        scalar => to_core(scalar).into_iter().collect(),
    }
}

fn is_scalar(ty: &Type) -> bool {
    !matches!(ty, Type::String | Type::Bytes | Type::Array(_) | Type::Record(_))
}

/// The arguments of a core function for one of the interface's.
fn flat(argument: &Named) -> Vec<Named> {
    let pointer = || Named { name: format!("{}_ptr", argument.name), ty: Type::I32 };
    match &argument.ty {
        Type::String | Type::Bytes | Type::Array(_) => vec![pointer(), pointer()],
        Type::Record(_) => vec![pointer()],
        Type::S64 | Type::U64 => vec![Named { name: argument.name.clone(), ty: Type::I64 }],
        Type::F32 | Type::F64 => vec![argument.clone()],
        _ => vec![Named { name: argument.name.clone(), ty: Type::I32 }],
    }
}

/// The integer that a type is, and the core one that carries it.
fn integer(ty: &Type) -> Option<(Integer, Core)> {
    Some(match ty {
        Type::S8 => (Integer::S8, Core::I32),
        Type::S16 => (Integer::S16, Core::I32),
        Type::S32 => (Integer::S32, Core::I32),
        Type::S64 => (Integer::S64, Core::I64),
        Type::U8 => (Integer::U8, Core::I32),
        Type::U16 => (Integer::U16, Core::I32),
        Type::U32 => (Integer::U32, Core::I32),
        Type::U64 => (Integer::U64, Core::I64),
        _ => return None,
    })
}

fn to_core(ty: &Type) -> Option<Instruction> {
    match ty {
        Type::Bool => Some(Instruction::I32FromBool),
        ty => integer(ty).map(|(from, to)| Instruction::ToCore { from, to }),
    }
}

fn from_core(ty: &Type) -> Option<Instruction> {
    match ty {
        Type::Bool => Some(Instruction::BoolFromI32),
        ty => integer(ty).map(|(to, from)| Instruction::FromCore { from, to }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::it::sections;

    /// The published interpreter still carries what its interface types were made of.
    #[test]
    fn interface_types_are_made_as_the_published_toolchain_makes_them() {
        let published = sections::read(air_interpreter_wasm::INTERPRETER_WASM).unwrap();
        let incomplete = without_interface(air_interpreter_wasm::INTERPRETER_WASM);
        let complete = embed(&incomplete).unwrap();
        let made = sections::read(&complete).unwrap();
        assert_eq!(made.interface_types, published.interface_types);
        assert_eq!(made.sdk_version, published.sdk_version);
        assert!(matches!(embed(&complete), Err(EmbedError::Complete)));
    }

    #[test]
    fn a_module_without_generated_sections_is_refused() {
        assert!(matches!(embed(b"\0asm\x01\0\0\0"), Err(EmbedError::NotBuilt)));
        assert!(matches!(embed(b"\0as"), Err(EmbedError::Wasm(_))));
    }

    fn without_interface(wasm: &[u8]) -> Vec<u8> {
        let mut rest = Vec::new();
        let mut kept = 0;
        for payload in Parser::new(0).parse_all(wasm) {
            if let Payload::CustomSection(section) = payload.unwrap()
                && section.name() == INTERFACE_TYPES
            {
                let content = section.range();
                rest.extend_from_slice(&wasm[kept..header(wasm, content.start, content.len())]);
                kept = content.end;
            }
        }
        rest.extend_from_slice(&wasm[kept..]);
        rest
    }
}
