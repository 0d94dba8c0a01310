//! Weaves counting into a module.
//!
//! Sections are copied as they are but for what changes: two imports more, globals two places up, the start function exported
//! instead of run, tables with a maximum, and the code.
//!
//! A function *without loops* keeps the fuel in the global: it is looked up once per stretch. One *with loops* keeps it in a
//! local, which lives in a register, and writes it back where somebody else looks: before calls, at the end, and each time a
//! loop goes round, so that whatever stops it is charged for what it did.

use core::ops::Range;

use wasm_encoder::{BlockType, Encode as _, EntityType, ExportKind, GlobalType, Instruction, ValType};
use wasmparser::{ExternalKind, FunctionBody, Operator, Parser, Payload};

use super::check::{Checked, Function};
use super::{DEPTH, FUEL, NAMESPACE, Refusal, START, cost, graph};

/// The globals, which are imported before all others.
const FUEL_GLOBAL: u32 = 0;
const DEPTH_GLOBAL: u32 = 1;
/// How many places other globals move up.
pub(super) const GLOBALS: u32 = 2;

/// Section numbers, in the order in which sections stand.
const TYPE: u8 = 1;
const IMPORT: u8 = 2;
const TABLE: u8 = 4;
const EXPORT: u8 = 7;
const CODE: u8 = 10;

/// Weaves.
pub(super) fn weave(wasm: &[u8], checked: &Checked, table_slots: u64) -> Result<Vec<u8>, Refusal> {
    let weights = graph::weights(checked);
    let mut weaver = Weaver::new(checked);
    let mut woven = Module::new();
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::CodeSectionEntry(body) => {
                let index = bodies.len();
                let weight = weights.get(index).copied().flatten();
                if let Some(function) = checked.functions.get(index) {
                    bodies.push(weaver.function(&body, wasm, function, weight)?);
                }
            }
            Payload::TableSection(reader) => woven.add(TABLE, tables(reader, table_slots)?),
            Payload::ExportSection(reader) => woven.add(EXPORT, exports(Some(reader), checked.start)?),
            Payload::StartSection { .. } | Payload::CodeSectionStart { .. } | Payload::CustomSection(_) => {}
            Payload::ImportSection(reader) => {
                woven.add(IMPORT, imports(reader.count(), entries(wasm, reader.range())));
            }
            other => {
                if let Some((id, range)) = other.as_section() {
                    woven.add(id, wasm.get(range).unwrap_or_default().to_vec());
                }
            }
        }
    }
    woven.add_missing(IMPORT, || imports(0, &[]));
    if checked.start.is_some() && !woven.has(EXPORT) {
        woven.add(EXPORT, exports(None, checked.start)?);
    }
    if !bodies.is_empty() {
        woven.add(CODE, code(&bodies));
    }
    woven.extend_types(&weaver.new_types, checked.types.len());
    Ok(woven.bytes())
}

/// The entries of a section, behind their count.
pub(super) fn entries(wasm: &[u8], range: Range<usize>) -> &[u8] {
    let section = wasm.get(range).unwrap_or_default();
    let count = section.iter().take_while(|byte| **byte >= 0x80).count() + 1;
    section.get(count..).unwrap_or_default()
}

pub(super) fn imports(count: u32, entries: &[u8]) -> Vec<u8> {
    let mut section = Vec::with_capacity(entries.len() + 64);
    (count + GLOBALS).encode(&mut section);
    section.extend_from_slice(entries);
    for (name, val_type) in [(FUEL, ValType::I64), (DEPTH, ValType::I32)] {
        NAMESPACE.encode(&mut section);
        name.encode(&mut section);
        EntityType::Global(GlobalType { val_type, mutable: true, shared: false }).encode(&mut section);
    }
    section
}

/// Tables that may grow as far as modules may, where they do not say how far themselves.
pub(super) fn tables(reader: wasmparser::TableSectionReader<'_>, slots_max: u64) -> Result<Vec<u8>, Refusal> {
    let mut section = Vec::new();
    reader.count().encode(&mut section);
    for table in reader {
        let ty = table?.ty;
        let maximum = ty.maximum.unwrap_or(slots_max).min(slots_max).max(ty.initial);
        let element_type = if ty.element_type.is_func_ref() {
            wasm_encoder::RefType::FUNCREF
        } else {
            wasm_encoder::RefType::EXTERNREF
        };
        let ty = wasm_encoder::TableType {
            element_type,
            table64: false,
            minimum: ty.initial,
            maximum: Some(maximum),
            shared: false,
        };
        ty.encode(&mut section);
    }
    Ok(section)
}

pub(super) fn exports(
    reader: Option<wasmparser::ExportSectionReader<'_>>,
    start: Option<u32>,
) -> Result<Vec<u8>, Refusal> {
    let mut section = Vec::new();
    let count = reader.as_ref().map_or(0, wasmparser::ExportSectionReader::count);
    (count + u32::from(start.is_some())).encode(&mut section);
    for export in reader.into_iter().flatten() {
        let export = export?;
        let (kind, index) = match export.kind {
            ExternalKind::Func | ExternalKind::FuncExact => (ExportKind::Func, export.index),
            ExternalKind::Table => (ExportKind::Table, export.index),
            ExternalKind::Memory => (ExportKind::Memory, export.index),
            ExternalKind::Global => (ExportKind::Global, export.index + GLOBALS),
            ExternalKind::Tag => (ExportKind::Tag, export.index),
        };
        export.name.encode(&mut section);
        kind.encode(&mut section);
        index.encode(&mut section);
    }
    if let Some(start) = start {
        START.encode(&mut section);
        ExportKind::Func.encode(&mut section);
        start.encode(&mut section);
    }
    Ok(section)
}

pub(super) fn code(bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut section = Vec::with_capacity(bodies.iter().map(|body| body.len() + 5).sum());
    (bodies.len() as u32).encode(&mut section);
    for body in bodies {
        body.as_slice().encode(&mut section);
    }
    section
}

/// A module's sections, in their order.
struct Module {
    sections: Vec<(u8, Vec<u8>)>,
}

impl Module {
    fn new() -> Self {
        Self { sections: Vec::new() }
    }

    fn has(&self, id: u8) -> bool {
        self.sections.iter().any(|(other, _)| *other == id)
    }

    fn add(&mut self, id: u8, content: Vec<u8>) {
        self.sections.push((id, content));
    }

    fn add_missing(&mut self, id: u8, content: impl FnOnce() -> Vec<u8>) {
        if !self.has(id) {
            self.add(id, content());
        }
    }

    /// Appends types behind the `count` that there are.
    fn extend_types(&mut self, new: &[Vec<wasmparser::ValType>], count: usize) {
        if new.is_empty() {
            return;
        }
        let mut section = Vec::new();
        (count as u32 + new.len() as u32).encode(&mut section);
        if let Some((_, old)) = self.sections.iter().find(|(id, _)| *id == TYPE) {
            section.extend_from_slice(entries(old, 0..old.len()));
        }
        for results in new {
            section.extend([0x60, 0]);
            (results.len() as u32).encode(&mut section);
            section.extend(results.iter().map(|ty| val_type(*ty)));
        }
        self.sections.retain(|(id, _)| *id != TYPE);
        self.add(TYPE, section);
    }

    fn bytes(mut self) -> Vec<u8> {
        // Data counts stand before code, whatever their number.
        let place = |id: u8| if id == DATA_COUNT { (CODE, 0) } else { (id, 1) };
        self.sections.sort_by_key(|(id, _)| place(*id));
        let mut bytes = b"\0asm\x01\0\0\0".to_vec();
        for (id, content) in &self.sections {
            bytes.push(*id);
            content.as_slice().encode(&mut bytes);
        }
        bytes
    }
}

const DATA_COUNT: u8 = 12;

/// The byte that stands for a type.
fn val_type(ty: wasmparser::ValType) -> u8 {
    match ty {
        wasmparser::ValType::I32 => 0x7f,
        wasmparser::ValType::I64 => 0x7e,
        wasmparser::ValType::F32 => 0x7d,
        wasmparser::ValType::F64 => 0x7c,
        wasmparser::ValType::V128 => 0x7b,
        wasmparser::ValType::Ref(ty) if ty.is_func_ref() => 0x70,
        wasmparser::ValType::Ref(_) => 0x6f,
    }
}

/// Where a function keeps the fuel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeps {
    /// In the global.
    Global,
    /// In its local, written back where somebody looks.
    Local,
}

/// Weaves functions.
struct Weaver<'c> {
    checked: &'c Checked,
    /// Types without parameters, for functions of several results, that the module lacks.
    new_types: Vec<Vec<wasmparser::ValType>>,
}

/// A function being woven.
struct Body {
    bytes: Vec<u8>,
    keeps: Keeps,
    /// The local that holds fuel, and the one that holds counts.
    fuel: u32,
    scratch: u32,
}

impl<'c> Weaver<'c> {
    fn new(checked: &'c Checked) -> Self {
        Self { checked, new_types: Vec::new() }
    }

    fn function(
        &mut self,
        body: &FunctionBody<'_>,
        wasm: &[u8],
        function: &Function,
        weight: Option<u32>,
    ) -> Result<Vec<u8>, Refusal> {
        let operators = operators(body, wasm)?;
        let stretches = stretches(&operators);
        let keeps = if function.loops { Keeps::Local } else { Keeps::Global };
        let mut woven = Body {
            bytes: Vec::with_capacity(wasm.get(body.range()).map_or(0, <[u8]>::len) * 2),
            keeps,
            fuel: function.locals,
            scratch: function.locals + 1,
        };
        woven.locals(body, wasm)?;
        if let Some(weight) = weight {
            woven.enter(weight);
        }
        let mut costs = stretches.into_iter();
        woven.begin(costs.next().unwrap_or(0), function.calls);
        let ends = weight.is_some() || keeps == Keeps::Local;
        if ends {
            let ty = self.results_of(function.ty);
            woven.add(&Instruction::Block(ty));
        }
        self.operators(&operators, &mut costs, &mut woven, ends);
        if ends {
            // The wrapper's end, which the body's own last end is.
            woven.flush();
            if let Some(weight) = weight {
                woven.leave(weight);
            }
            woven.add(&Instruction::End);
        }
        Ok(woven.bytes)
    }

    fn operators(
        &self,
        operators: &[(Operator<'_>, &[u8])],
        costs: &mut impl Iterator<Item = u64>,
        woven: &mut Body,
        ends: bool,
    ) {
        let mut nesting = 0;
        let mut dead = Dead::default();
        for (operator, bytes) in operators {
            let charged = dead.is_alive();
            if let Some(per_unit) = cost::per_unit(operator)
                && charged
            {
                woven.charge_units(per_unit);
            }
            match operator {
                Operator::GlobalGet { global_index } => {
                    woven.add(&Instruction::GlobalGet(global_index + GLOBALS));
                }
                Operator::GlobalSet { global_index } => {
                    woven.add(&Instruction::GlobalSet(global_index + GLOBALS));
                }
                // Everybody else who leaves the function jumps to the wrapper, which stands where the function's end stood.
                Operator::Return if ends => woven.add(&Instruction::Br(nesting)),
                Operator::Call { .. } | Operator::CallIndirect { .. } => {
                    woven.flush();
                    woven.bytes.extend_from_slice(bytes);
                    woven.reload();
                }
                Operator::Unreachable => {
                    woven.flush();
                    woven.bytes.extend_from_slice(bytes);
                }
                _ => woven.bytes.extend_from_slice(bytes),
            }
            match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => nesting += 1,
                Operator::End => nesting = nesting.saturating_sub(1),
                _ => {}
            }
            dead.after(operator);
            if splits(operator) && dead.is_alive() {
                let cost = costs.next().unwrap_or(0);
                match operator {
                    Operator::Loop { .. } => woven.go_round(cost),
                    _ => woven.charge(cost),
                }
            }
        }
    }

    /// The type of a block that gives what functions of this type give.
    fn results_of(&mut self, ty: u32) -> BlockType {
        let results = self.checked.types.get(ty as usize).map_or(&[][..], |(_, results)| results);
        match results {
            [] => BlockType::Empty,
            [one] => BlockType::Result(match one {
                wasmparser::ValType::I32 => ValType::I32,
                wasmparser::ValType::I64 => ValType::I64,
                wasmparser::ValType::F32 => ValType::F32,
                wasmparser::ValType::F64 => ValType::F64,
                wasmparser::ValType::V128 => ValType::V128,
                wasmparser::ValType::Ref(ty) if ty.is_func_ref() => ValType::FUNCREF,
                wasmparser::ValType::Ref(_) => ValType::EXTERNREF,
            }),
            _ => {
                let old = self
                    .checked
                    .types
                    .iter()
                    .position(|(params, other)| params.is_empty() && other == results);
                let index = old.unwrap_or_else(|| {
                    let new = self.new_types.iter().position(|other| other == results).unwrap_or_else(|| {
                        self.new_types.push(results.to_vec());
                        self.new_types.len() - 1
                    });
                    self.checked.types.len() + new
                });
                BlockType::FunctionType(index as u32)
            }
        }
    }
}

impl Body {
    fn add(&mut self, instruction: &Instruction<'_>) {
        instruction.encode(&mut self.bytes);
    }

    fn add_all(&mut self, instructions: &[Instruction<'_>]) {
        instructions.iter().for_each(|instruction| self.add(instruction));
    }

    /// The locals that the body declares, and two more.
    fn locals(&mut self, body: &FunctionBody<'_>, wasm: &[u8]) -> Result<(), Refusal> {
        let mut reader = body.get_locals_reader()?;
        let groups = reader.get_count();
        let start = reader.original_position();
        for _ in 0..groups {
            reader.read()?;
        }
        (groups + 2).encode(&mut self.bytes);
        self.bytes.extend_from_slice(wasm.get(start..reader.original_position()).unwrap_or_default());
        for ty in [ValType::I64, ValType::I32] {
            1_u32.encode(&mut self.bytes);
            ty.encode(&mut self.bytes);
        }
        Ok(())
    }

    /// Counts that the function is entered.
    fn enter(&mut self, weight: u32) {
        self.add_all(&[
            Instruction::GlobalGet(DEPTH_GLOBAL),
            Instruction::I32Const(weight.min(i32::MAX as u32) as i32),
            Instruction::I32Sub,
            Instruction::LocalTee(self.scratch),
            Instruction::GlobalSet(DEPTH_GLOBAL),
            Instruction::LocalGet(self.scratch),
            Instruction::I32Const(0),
            Instruction::I32LtS,
            Instruction::If(BlockType::Empty),
            Instruction::Unreachable,
            Instruction::End,
        ]);
    }

    /// Counts that it is left.
    fn leave(&mut self, weight: u32) {
        self.add_all(&[
            Instruction::GlobalGet(DEPTH_GLOBAL),
            Instruction::I32Const(weight.min(i32::MAX as u32) as i32),
            Instruction::I32Add,
            Instruction::GlobalSet(DEPTH_GLOBAL),
        ]);
    }

    /// Charges the first stretch. A function that calls others checks here that there is fuel.
    fn begin(&mut self, cost: u64, calls: bool) {
        match (self.keeps, calls) {
            (Keeps::Global, false) => self.charge(cost),
            (Keeps::Local, false) => {
                self.reload();
                self.charge(cost);
            }
            (_, true) => {
                self.add_all(&[
                    Instruction::GlobalGet(FUEL_GLOBAL),
                    Instruction::I64Const(cost as i64),
                    Instruction::I64Sub,
                    Instruction::LocalTee(self.fuel),
                    Instruction::GlobalSet(FUEL_GLOBAL),
                ]);
                self.check();
            }
        }
    }

    fn charge(&mut self, cost: u64) {
        if cost == 0 {
            return;
        }
        let (get, set) = match self.keeps {
            Keeps::Global => (Instruction::GlobalGet(FUEL_GLOBAL), Instruction::GlobalSet(FUEL_GLOBAL)),
            Keeps::Local => (Instruction::LocalGet(self.fuel), Instruction::LocalSet(self.fuel)),
        };
        self.add_all(&[get, Instruction::I64Const(cost as i64), Instruction::I64Sub, set]);
    }

    /// Charges a loop's beginning, each time that it goes round, and checks that there is fuel.
    fn go_round(&mut self, cost: u64) {
        self.charge(cost);
        self.flush();
        self.check();
    }

    /// Charges an operator that works on as many units as its topmost operand says, before it does.
    fn charge_units(&mut self, per_unit: cost::PerUnit) {
        let get = match self.keeps {
            Keeps::Global => Instruction::GlobalGet(FUEL_GLOBAL),
            Keeps::Local => Instruction::LocalGet(self.fuel),
        };
        self.add_all(&[
            Instruction::LocalTee(self.scratch),
            get,
            Instruction::LocalGet(self.scratch),
            Instruction::I64ExtendI32U,
            Instruction::I64Const(i64::from(per_unit.shift)),
            Instruction::I64ShrU,
            Instruction::I64Const(per_unit.each),
            Instruction::I64Mul,
            Instruction::I64Sub,
            Instruction::LocalTee(self.fuel),
            Instruction::GlobalSet(FUEL_GLOBAL),
        ]);
        self.check();
    }

    /// Stops if the local says that the fuel is used up.
    fn check(&mut self) {
        self.add_all(&[
            Instruction::LocalGet(self.fuel),
            Instruction::I64Const(0),
            Instruction::I64LtS,
            Instruction::If(BlockType::Empty),
            Instruction::Unreachable,
            Instruction::End,
        ]);
    }

    fn flush(&mut self) {
        if self.keeps == Keeps::Local {
            self.add_all(&[Instruction::LocalGet(self.fuel), Instruction::GlobalSet(FUEL_GLOBAL)]);
        }
    }

    fn reload(&mut self) {
        if self.keeps == Keeps::Local {
            self.add_all(&[Instruction::GlobalGet(FUEL_GLOBAL), Instruction::LocalSet(self.fuel)]);
        }
    }
}

/// A body's operators, each with its bytes.
pub(super) fn operators<'w>(
    body: &FunctionBody<'w>,
    wasm: &'w [u8],
) -> Result<Vec<(Operator<'w>, &'w [u8])>, Refusal> {
    let mut reader = body.get_operators_reader()?;
    let mut operators = Vec::new();
    while !reader.eof() {
        let start = reader.original_position();
        let operator = reader.read()?;
        operators.push((operator, wasm.get(start..reader.original_position()).unwrap_or_default()));
    }
    Ok(operators)
}

/// Whether a new stretch begins behind the operator: what is before it does not always go on there, or others come there.
fn splits(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::Loop { .. } | Operator::If { .. } | Operator::Else | Operator::End | Operator::BrIf { .. }
    )
}

/// What each stretch of code costs that runs as a whole, in order, without those that nothing reaches.
fn stretches(operators: &[(Operator<'_>, &[u8])]) -> Vec<u64> {
    let mut costs = Vec::new();
    let mut dead = Dead::default();
    let mut cost = 0;
    for (operator, bytes) in operators {
        if dead.is_alive() {
            cost += cost::of(operator, bytes);
        }
        let was_alive = dead.is_alive();
        dead.after(operator);
        // A stretch ends where the next begins, or where nothing goes on.
        if was_alive && (splits(operator) || !dead.is_alive()) {
            costs.push(cost);
            cost = 0;
        }
    }
    costs
}

/// Whether code is reached: nothing is behind an operator that never goes on, up to the end of its block.
#[derive(Default)]
struct Dead {
    /// Blocks that were opened since, and the one that it is in; nothing while code is reached.
    blocks: Option<u32>,
}

impl Dead {
    fn is_alive(&self) -> bool {
        self.blocks.is_none()
    }

    fn after(&mut self, operator: &Operator<'_>) {
        match (operator, &mut self.blocks) {
            (Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. }, Some(blocks)) => {
                *blocks += 1;
            }
            (Operator::End, Some(0)) | (Operator::Else, Some(0)) => self.blocks = None,
            (Operator::End, Some(blocks)) => *blocks -= 1,
            (
                Operator::Unreachable | Operator::Br { .. } | Operator::BrTable { .. } | Operator::Return,
                None,
            ) => self.blocks = Some(0),
            _ => {}
        }
    }
}
