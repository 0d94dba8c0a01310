//! What a module may be: valid Wasm of a fixed set of features, within limits.

use core::ops::Range;

use serde::{Deserialize, Serialize};
use wasmparser::{
    BinaryReaderError, CompositeInnerType, ElementItems, ExternalKind, FuncToValidate,
    FuncValidatorAllocations, FunctionBody, Operator, Parser, Payload, TypeRef, ValType, ValidPayload,
    Validator, ValidatorResources, WasmFeatures,
};

use super::{NAMESPACE, Refusal, START};
use crate::limits::ModuleLimits;

/// What modules may be made of: what today's compilers produce, less what differs between machines or runs.
pub(super) fn features() -> WasmFeatures {
    WasmFeatures::MUTABLE_GLOBAL
        | WasmFeatures::SATURATING_FLOAT_TO_INT
        | WasmFeatures::SIGN_EXTENSION
        | WasmFeatures::REFERENCE_TYPES
        | WasmFeatures::CALL_INDIRECT_OVERLONG
        | WasmFeatures::MULTI_VALUE
        | WasmFeatures::BULK_MEMORY
        | WasmFeatures::BULK_MEMORY_OPT
        | WasmFeatures::SIMD
        | WasmFeatures::FLOATS
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::GC_TYPES
}

/// What was found as a module was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Facts {
    /// The module's own size.
    pub module_bytes: u64,
    /// The code's.
    pub code_bytes: u64,
    /// Functions of its own.
    pub functions: u32,
    /// Functions that it imports.
    pub imported_functions: u32,
    /// Slots that its tables begin with.
    pub table_slots: u64,
    /// Pages of 64 KiB that its memory begins with.
    pub memory_pages: u64,
    /// Bytes of its data segments.
    pub data_bytes: u64,
    /// Whether it has a start function.
    pub starts: bool,
    /// Whether its code changes a table.
    pub mutates_tables: bool,
    /// Whether its code uses up segments.
    pub drops_segments: bool,
    /// The most that compiling one of its functions costs, in units of [`ModuleLimits::function_compile_cost`].
    pub function_compile_cost: u64,
    /// What compiling all of them costs.
    pub compile_cost: u64,
    /// The deepest nesting of blocks.
    pub nesting: u32,
    /// The most locals of a function, parameters among them.
    pub locals: u32,
    /// The longest function.
    pub body_bytes: u64,
    /// The most targets of a `br_table`.
    pub branch_targets: u32,
}

/// A function of the module's own, as far as rewriting it needs.
#[derive(Clone, Debug, Default)]
pub(super) struct Function {
    /// Its type.
    pub(super) ty: u32,
    /// Parameters and declared locals.
    pub(super) locals: u32,
    /// Its parameters and results.
    pub(super) passed: u32,
    /// The most operands that it has at once.
    pub(super) height: u32,
    pub(super) operators: u32,
    pub(super) loops: bool,
    /// Whether it calls anything.
    pub(super) calls: bool,
    /// Functions of its own that it calls, by their local index.
    pub(super) callees: Vec<u32>,
    /// Types of functions that it calls through a table.
    pub(super) indirect: Vec<u32>,
}

/// A module as rewriting needs it.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) facts: Facts,
    pub(super) functions: Vec<Function>,
    /// Local functions that may be called through a table.
    pub(super) escaped: Vec<u32>,
    /// Parameters and results of each type.
    pub(super) types: Vec<(Vec<ValType>, Vec<ValType>)>,
    pub(super) start: Option<u32>,
}

fn limit(what: &'static str, found: u64, limit: u64) -> Result<(), Refusal> {
    if found > limit { Err(Refusal::Limit { what, found, limit }) } else { Ok(()) }
}

/// Checks a module.
pub(super) fn check(wasm: &[u8], limits: &ModuleLimits) -> Result<Checked, Refusal> {
    limit("bytes", wasm.len() as u64, limits.module_bytes)?;
    let mut check = Check {
        limits,
        checked: Checked::default(),
        allocations: FuncValidatorAllocations::default(),
        bodies: 0,
    };
    check.checked.facts.module_bytes = wasm.len() as u64;
    let mut validator = Validator::new_with_features(features());
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        // What a section claims is measured before anything is set aside for it.
        check.measure(&payload)?;
        if let ValidPayload::Func(to_validate, body) = validator.payload(&payload)? {
            check.function(to_validate, &body)?;
        }
    }
    limit("units of compile cost", check.checked.facts.compile_cost, limits.compile_cost)?;
    Ok(check.checked)
}

struct Check<'l> {
    limits: &'l ModuleLimits,
    checked: Checked,
    allocations: FuncValidatorAllocations,
    /// Bodies seen so far.
    bodies: u32,
}

impl Check<'_> {
    fn measure(&mut self, payload: &Payload<'_>) -> Result<(), Refusal> {
        let limits = self.limits;
        match payload {
            Payload::TypeSection(reader) => {
                limit("types", reader.count().into(), limits.types)?;
                for group in reader.clone() {
                    for ty in group?.into_types() {
                        self.ty(&ty.composite_type.inner)?;
                    }
                }
            }
            Payload::ImportSection(reader) => {
                limit("imports", reader.count().into(), limits.imports)?;
                for import in reader.clone().into_imports() {
                    let import = import?;
                    self.import(import.module, import.name, &import.ty)?;
                }
            }
            Payload::FunctionSection(reader) => {
                limit("functions", reader.count().into(), limits.functions)?;
                for ty in reader.clone() {
                    self.checked.functions.push(Function { ty: ty?, ..Function::default() });
                }
                self.checked.facts.functions = reader.count();
            }
            Payload::TableSection(reader) => {
                limit("tables", reader.count().into(), limits.tables)?;
                for table in reader.clone() {
                    let table = table?;
                    self.checked.facts.table_slots += table.ty.initial;
                    limit("table slots", self.checked.facts.table_slots, limits.table_slots)?;
                }
            }
            Payload::MemorySection(reader) => {
                for memory in reader.clone() {
                    self.checked.facts.memory_pages += memory?.initial;
                }
                limit("pages of memory", self.checked.facts.memory_pages, limits.memory_pages)?;
            }
            Payload::GlobalSection(reader) => limit("globals", reader.count().into(), limits.globals)?,
            Payload::ExportSection(reader) => {
                limit("exports", reader.count().into(), limits.exports)?;
                for export in reader.clone() {
                    let export = export?;
                    if export.name == START {
                        return Err(Refusal::Export(START.to_owned()));
                    }
                    // A function that is exported may be referred to.
                    if export.kind == ExternalKind::Func {
                        self.escape(export.index);
                    }
                }
            }
            Payload::StartSection { func, .. } => {
                self.checked.start = Some(*func);
                self.checked.facts.starts = true;
            }
            Payload::ElementSection(reader) => self.elements(reader)?,
            Payload::DataSection(reader) => {
                limit("data segments", reader.count().into(), limits.data_segments)?;
                for data in reader.clone() {
                    self.checked.facts.data_bytes += data?.data.len() as u64;
                }
            }
            Payload::CodeSectionStart { size, .. } => self.checked.facts.code_bytes = u64::from(*size),
            _ => {}
        }
        Ok(())
    }

    fn ty(&mut self, ty: &CompositeInnerType) -> Result<(), Refusal> {
        let CompositeInnerType::Func(ty) = ty else { return Ok(()) };
        limit("parameters of a type", ty.params().len() as u64, self.limits.parameters)?;
        limit("results of a type", ty.results().len() as u64, self.limits.parameters)?;
        self.checked.types.push((ty.params().to_vec(), ty.results().to_vec()));
        Ok(())
    }

    fn import(&mut self, namespace: &str, name: &str, ty: &TypeRef) -> Result<(), Refusal> {
        let why = match ty {
            _ if namespace == NAMESPACE => "whose names are the host's",
            TypeRef::Func(_) => {
                self.checked.facts.imported_functions += 1;
                return Ok(());
            }
            TypeRef::FuncExact(_) => "a function of an exact type, which no host offers",
            TypeRef::Memory(_) => "a memory, which no host offers: modules do not share any",
            TypeRef::Table(_) => "a table, which no host offers",
            TypeRef::Global(_) => "a global, which no host offers",
            TypeRef::Tag(_) => "an exception, which no host offers",
        };
        Err(Refusal::Import { namespace: namespace.to_owned(), name: name.to_owned(), why })
    }

    fn escape(&mut self, function: u32) {
        if let Some(local) = function.checked_sub(self.checked.facts.imported_functions) {
            self.checked.escaped.push(local);
        }
    }

    fn elements(&mut self, reader: &wasmparser::ElementSectionReader<'_>) -> Result<(), Refusal> {
        limit("element segments", reader.count().into(), self.limits.element_segments)?;
        let mut entries = 0;
        for element in reader.clone() {
            let element = element?;
            match element.items {
                ElementItems::Functions(functions) => {
                    entries += u64::from(functions.count());
                    limit("table entries", entries, self.limits.table_slots)?;
                    for function in functions {
                        self.escape(function?);
                    }
                }
                ElementItems::Expressions(_, expressions) => {
                    entries += u64::from(expressions.count());
                    limit("table entries", entries, self.limits.table_slots)?;
                    for expression in expressions {
                        for operator in expression?.get_operators_reader() {
                            if let Operator::RefFunc { function_index } = operator? {
                                self.escape(function_index);
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn function(
        &mut self,
        to_validate: FuncToValidate<ValidatorResources>,
        body: &FunctionBody<'_>,
    ) -> Result<(), Refusal> {
        let index = self.bodies;
        self.bodies += 1;
        let at = self.checked.facts.imported_functions + index;
        let most = |what: &'static str, found: u64, limit: u64| {
            if found > limit {
                Err(Refusal::FunctionLimit { function: at, what, found, limit })
            } else {
                Ok(())
            }
        };
        let Range { start, end } = body.range();
        let body_bytes = (end - start) as u64;
        most("bytes", body_bytes, self.limits.body_bytes)?;
        let ty = self.checked.functions.get(index as usize).map_or(0, |function| function.ty);
        let (parameters, results) = self
            .checked
            .types
            .get(ty as usize)
            .map_or((0, 0), |(parameters, results)| (parameters.len(), results.len()));
        let declared = declared(body)?;
        let locals = declared.saturating_add(parameters as u64);
        most("locals", locals, self.limits.locals)?;
        let mut validator = to_validate.into_validator(core::mem::take(&mut self.allocations));
        let mut reader = body.get_binary_reader();
        validator.read_locals(&mut reader)?;
        let mut seen = Seen {
            function: Function {
                ty,
                locals: locals as u32,
                passed: (parameters + results) as u32,
                ..Function::default()
            },
            ..Seen::default()
        };
        let mut operators = wasmparser::OperatorsReader::new(reader);
        while !operators.eof() {
            let offset = operators.original_position();
            let operator = operators.read()?;
            validator.op(offset, &operator)?;
            seen.operator(&operator, &mut self.checked.facts);
            seen.nesting = seen.nesting.max(validator.control_stack_height());
            seen.function.height = seen.function.height.max(validator.operand_stack_height());
            most("nested blocks", seen.nesting.into(), self.limits.nesting)?;
            most("branch targets in one table", seen.targets.into(), self.limits.branch_targets)?;
        }
        operators.finish()?;
        self.allocations = validator.into_allocations();
        let cost = seen.compile_cost();
        most("units of compile cost", cost, self.limits.function_compile_cost)?;
        let facts = &mut self.checked.facts;
        facts.compile_cost += cost;
        facts.function_compile_cost = facts.function_compile_cost.max(cost);
        facts.nesting = facts.nesting.max(seen.nesting);
        facts.locals = facts.locals.max(locals as u32);
        facts.body_bytes = facts.body_bytes.max(body_bytes);
        facts.branch_targets = facts.branch_targets.max(seen.targets);
        let imported = facts.imported_functions;
        seen.function.callees.retain(|callee| *callee >= imported);
        seen.function.callees.iter_mut().for_each(|callee| *callee -= imported);
        seen.function.callees.sort_unstable();
        seen.function.callees.dedup();
        seen.function.indirect.sort_unstable();
        seen.function.indirect.dedup();
        if let Some(place) = self.checked.functions.get_mut(index as usize) {
            *place = seen.function;
        }
        Ok(())
    }
}

/// How many locals a body declares, before room is made for them.
fn declared(body: &FunctionBody<'_>) -> Result<u64, BinaryReaderError> {
    let mut count = 0_u64;
    for group in body.get_locals_reader()? {
        count = count.saturating_add(group?.0.into());
    }
    Ok(count)
}

/// What is seen of one function.
#[derive(Default)]
struct Seen {
    function: Function,
    nesting: u32,
    targets: u32,
    /// Places where control joins or splits.
    blocks: u64,
    all_targets: u64,
}

impl Seen {
    fn operator(&mut self, operator: &Operator<'_>, facts: &mut Facts) {
        self.function.operators += 1;
        match operator {
            Operator::Loop { .. } => {
                self.function.loops = true;
                self.blocks += 1;
            }
            Operator::Block { .. } | Operator::If { .. } | Operator::Else | Operator::BrIf { .. } => {
                self.blocks += 1;
            }
            Operator::BrTable { targets } => {
                self.targets = self.targets.max(targets.len());
                self.all_targets += u64::from(targets.len());
                self.blocks += 1;
            }
            Operator::Call { function_index } => {
                self.function.calls = true;
                self.function.callees.push(*function_index);
            }
            Operator::CallIndirect { type_index, .. } => {
                self.function.calls = true;
                self.function.indirect.push(*type_index);
            }
            Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableInit { .. }
            | Operator::TableCopy { .. }
            | Operator::TableFill { .. } => facts.mutates_tables = true,
            Operator::ElemDrop { .. } | Operator::DataDrop { .. } => facts.drops_segments = true,
            _ => {}
        }
    }

    /// What compiling the function takes: each operator once, and each local at each place where control joins, for the
    /// compiler looks at all of them there.
    fn compile_cost(&self) -> u64 {
        let operators = u64::from(self.function.operators);
        operators + self.blocks * (u64::from(self.function.locals) + 4) + self.all_targets
    }
}
