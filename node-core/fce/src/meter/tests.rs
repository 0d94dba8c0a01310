//! Fuel as it is charged, beside fuel as the table says it: the same module, woven by a second, dumb weaver that charges each
//! operator by itself, right before it, must use the same.

use proptest::prelude::*;
use wasm_encoder::{Encode as _, Instruction, ValType};
use wasmer::{Extern, Function, Global, Imports, Instance, Store, Value};
use wasmparser::{Operator, Parser, Payload};

use super::check::check;
use super::weave::{GLOBALS, code, entries, exports, imports, operators, tables};
use super::{DEPTH, FUEL, Metering, NAMESPACE, cost, prepare};
use crate::limits::ModuleLimits;

/// What the longest stretch of these programs costs.
const STRETCH: i64 = 50;
/// What each program is given.
const GIVEN: i64 = 1 << 40;

/// The module with each operator charged by itself.
fn charged_one_by_one(wasm: &[u8]) -> Vec<u8> {
    let checked = check(wasm, &ModuleLimits::default()).unwrap();
    let mut sections: Vec<(u8, Vec<u8>)> = Vec::new();
    let mut bodies = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.unwrap() {
            Payload::CodeSectionEntry(body) => {
                let scratch = checked.functions[bodies.len()].locals;
                let mut woven = Vec::new();
                let mut locals = body.get_locals_reader().unwrap();
                let begin = locals.original_position();
                let groups = locals.get_count();
                for _ in 0..groups {
                    locals.read().unwrap();
                }
                (groups + 1).encode(&mut woven);
                woven.extend_from_slice(&wasm[begin..locals.original_position()]);
                1_u32.encode(&mut woven);
                ValType::I32.encode(&mut woven);
                for (operator, bytes) in operators(&body, wasm).unwrap() {
                    charge_one(&operator, bytes, scratch, &mut woven);
                    match operator {
                        Operator::GlobalGet { global_index } => {
                            Instruction::GlobalGet(global_index + GLOBALS).encode(&mut woven);
                        }
                        Operator::GlobalSet { global_index } => {
                            Instruction::GlobalSet(global_index + GLOBALS).encode(&mut woven);
                        }
                        _ => woven.extend_from_slice(bytes),
                    }
                }
                bodies.push(woven);
            }
            Payload::ExportSection(reader) => sections.push((7, exports(Some(reader), None).unwrap())),
            Payload::TableSection(reader) => sections.push((4, tables(reader, 100_000).unwrap())),
            Payload::ImportSection(reader) => {
                sections.push((2, imports(reader.count(), entries(wasm, reader.range()))));
            }
            Payload::StartSection { .. } | Payload::CodeSectionStart { .. } | Payload::CustomSection(_) => {}
            other => {
                if let Some((id, range)) = other.as_section() {
                    sections.push((id, wasm[range].to_vec()));
                }
            }
        }
    }
    if !sections.iter().any(|(id, _)| *id == 2) {
        sections.push((2, imports(0, &[])));
    }
    sections.push((10, code(&bodies)));
    sections.sort_by_key(|(id, _)| if *id == 12 { (10, 0) } else { (*id, 1) });
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    for (id, content) in sections {
        module.push(id);
        content.as_slice().encode(&mut module);
    }
    module
}

fn charge_one(operator: &Operator<'_>, bytes: &[u8], scratch: u32, woven: &mut Vec<u8>) {
    let cost = cost::of(operator, bytes) as i64;
    if let Some(per_unit) = cost::per_unit(operator) {
        for instruction in [
            Instruction::LocalTee(scratch),
            Instruction::GlobalGet(0),
            Instruction::LocalGet(scratch),
            Instruction::I64ExtendI32U,
            Instruction::I64Const(per_unit.shift.into()),
            Instruction::I64ShrU,
            Instruction::I64Const(per_unit.each),
            Instruction::I64Mul,
            Instruction::I64Sub,
            Instruction::GlobalSet(0),
        ] {
            instruction.encode(woven);
        }
    }
    // Where a block's end or an else stands, control comes from elsewhere too; those cost nothing.
    if cost > 0 {
        for instruction in [
            Instruction::GlobalGet(0),
            Instruction::I64Const(cost),
            Instruction::I64Sub,
            Instruction::GlobalSet(0),
        ] {
            instruction.encode(woven);
        }
    }
}

/// A module at work, with functions that do nothing for all that it imports.
struct Bench {
    store: Store,
    instance: Instance,
    fuel: Global,
    depth: Global,
}

impl Bench {
    fn new(wasm: &[u8]) -> Self {
        let mut store = Store::default();
        let module = wasmer::Module::new(&store, wasm).unwrap();
        let fuel = Global::new_mut(&mut store, Value::I64(GIVEN));
        let depth = Global::new_mut(&mut store, Value::I32(i32::MAX));
        let mut offered = Imports::new();
        offered.define(NAMESPACE, FUEL, Extern::Global(fuel.clone()));
        offered.define(NAMESPACE, DEPTH, Extern::Global(depth.clone()));
        for import in module.imports() {
            if let wasmer::ExternType::Function(ty) = import.ty() {
                let results: Vec<Value> = ty.results().iter().map(|_| Value::I32(0)).collect();
                let nothing = Function::new(&mut store, ty.clone(), move |_| Ok(results.clone()));
                offered.define(import.module(), import.name(), nothing);
            }
        }
        let instance = Instance::new(&mut store, &module, &offered).unwrap();
        Self { store, instance, fuel, depth }
    }

    /// What a call gives, or that it traps, and what it uses.
    fn call(&mut self, function: &str, arguments: &[Value]) -> (Option<Box<[Value]>>, i64) {
        self.fuel.set(&mut self.store, Value::I64(GIVEN)).unwrap();
        let function = self.instance.exports.get_function(function).unwrap().clone();
        let given = function.call(&mut self.store, arguments).ok();
        (given, GIVEN - self.fuel.get(&mut self.store).unwrap_i64())
    }

    fn write(&mut self, at: i32, bytes: &[u8]) {
        let memory = self.instance.exports.get_memory("memory").unwrap().clone();
        memory.view(&self.store).write(at as u64, bytes).unwrap();
    }
}

fn both(wasm: &[u8]) -> [Bench; 2] {
    let woven = prepare(wasm, &ModuleLimits::default(), Metering::On).unwrap().wasm;
    [Bench::new(&woven), Bench::new(&charged_one_by_one(wasm))]
}

/// Programs of every shape of control, each of one argument.
const PROGRAMS: &str = r#"(module
    (memory (export "memory") 1)
    (table $t 8 funcref)
    (elem (i32.const 0) func $leaf $ifs $fac)
    (data $d "0123456789")
    (global $g (mut i64) (i64.const 0))
    (func $leaf (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func (export "straight") (param i32) (result i32) (call $leaf (i32.mul (local.get 0) (local.get 0))))
    (func $ifs (export "ifs") (param i32) (result i32)
        (if (result i32) (i32.and (local.get 0) (i32.const 1))
            (then (if (result i32) (i32.and (local.get 0) (i32.const 2))
                (then (i32.div_u (i32.const 100) (i32.add (local.get 0) (i32.const 1))))
                (else (return (i32.const 7)))))
            (else (i32.const 3))))
    (func (export "loop") (param i32) (result i32) (local i32)
        (loop $l
            (local.set 1 (i32.add (local.get 1) (local.get 0)))
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (br_if $l (i32.gt_s (local.get 0) (i32.const 0))))
        (local.get 1))
    (func (export "nested") (param i32) (result i32) (local i32 i32)
        (block $out
            (loop $o
                (br_if $out (i32.ge_u (local.get 1) (local.get 0)))
                (local.set 2 (i32.const 0))
                (loop $i
                    (local.set 2 (i32.add (local.get 2) (i32.const 1)))
                    (br_if $i (i32.lt_u (local.get 2) (local.get 1))))
                (global.set $g (i64.add (global.get $g) (i64.extend_i32_u (local.get 2))))
                (local.set 1 (i32.add (local.get 1) (i32.const 1)))
                (br $o)))
        (i32.wrap_i64 (global.get $g)))
    (func (export "table") (param i32) (result i32)
        (block $c (block $b (block $a
            (br_table $a $b $c (i32.rem_u (local.get 0) (i32.const 4))))
            (return (i32.const 10)))
            (return (i32.const 20)))
        (i32.const 30))
    (func $fac (export "fac") (param i32) (result i32)
        (if (result i32) (i32.le_s (local.get 0) (i32.const 1))
            (then (i32.const 1))
            (else (i32.mul (local.get 0) (call $fac (i32.sub (local.get 0) (i32.const 1)))))))
    (func (export "indirect") (param i32) (result i32) (local i32)
        (loop $l
            (local.set 1 (call_indirect (param i32) (result i32) (local.get 1) (i32.rem_u (local.get 0) (i32.const 4))))
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (br_if $l (i32.gt_s (local.get 0) (i32.const 0))))
        (local.get 1))
    (func $two (param i32) (result i32 i64)
        (loop $l (result i32 i64)
            (if (i32.eqz (local.get 0)) (then (return (i32.const 1) (i64.const 2))))
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (br_if $l (i32.rem_u (local.get 0) (i32.const 3)))
            (local.get 0) (i64.extend_i32_u (local.get 0))))
    (func (export "several") (param i32) (result i32) (call $two (local.get 0)) (i32.wrap_i64) (i32.add))
    (func (export "bulk") (param i32) (result i32)
        (memory.fill (i32.const 0) (i32.const 7) (i32.and (local.get 0) (i32.const 1023)))
        (memory.copy (i32.const 64) (i32.const 0) (i32.and (local.get 0) (i32.const 511)))
        (memory.init $d (i32.const 9) (i32.const 0) (i32.rem_u (local.get 0) (i32.const 11)))
        (table.fill $t (i32.const 3) (ref.func $leaf) (i32.rem_u (local.get 0) (i32.const 5)))
        (i32.add (memory.grow (i32.and (local.get 0) (i32.const 1)))
            (table.grow $t (ref.null func) (i32.and (local.get 0) (i32.const 1)))))
    (func (export "dead") (param i32) (result i32)
        (block $b (result i32)
            (br_if $b (i32.const 1) (local.get 0))
            (drop)
            (br $b (i32.const 2))
            (drop (i32.div_u (i32.const 1) (i32.const 0)))
            (loop (br 0))))
    (func (export "loop_that_returns") (param i32) (result i32)
        (loop $l
            (if (i32.gt_u (local.get 0) (i32.const 20)) (then (return (local.get 0))))
            (local.set 0 (i32.add (local.get 0) (call $leaf (local.get 0))))
            (br $l))
        (unreachable))
    (func (export "traps_in_a_loop") (param i32) (result i32)
        (loop $l
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (if (i32.lt_s (local.get 0) (i32.const 0)) (then (unreachable)))
            (br $l))
        (unreachable))
    (func (export "vectors") (param i32) (result i32) (local v128)
        (loop $l
            (local.set 1 (i32x4.add (local.get 1) (i32x4.splat (local.get 0))))
            (v128.store (i32.const 0) (f32x4.div (local.get 1) (v128.load (i32.const 16))))
            (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
            (br_if $l (i32.gt_s (local.get 0) (i32.const 0))))
        (i32x4.extract_lane 0 (local.get 1)))
)"#;

const NAMES: [&str; 14] = [
    "straight",
    "ifs",
    "loop",
    "nested",
    "table",
    "fac",
    "indirect",
    "several",
    "bulk",
    "dead",
    "loop_that_returns",
    "traps_in_a_loop",
    "vectors",
    "straight",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn programs_use_what_the_table_says(arguments in proptest::collection::vec((0_usize..NAMES.len(), 0_i32..60), 40)) {
        let [mut woven, mut one_by_one] = both(&wat::parse_str(PROGRAMS).unwrap());
        for (name, argument) in arguments {
            let name = NAMES[name];
            let (one, other) = (woven.call(name, &[Value::I32(argument)]), one_by_one.call(name, &[Value::I32(argument)]));
            // What traps has paid for the whole stretch of code in which it did.
            let ahead = if one.0.is_none() { 0..STRETCH } else { 0..1 };
            prop_assert!(one.0 == other.0 && ahead.contains(&(one.1 - other.1)), "{name}({argument}): {one:?}, {other:?}");
        }
    }
}

#[test]
fn a_compiled_service_uses_what_the_table_says() {
    let [mut woven, mut one_by_one] = both(include_bytes!("../../../../scenarios/services/wasm/hash.wasm"));
    for size in [0, 1, 63, 64, 1000] {
        let run = |bench: &mut Bench| {
            let (at, first) = bench.call("allocate", &[Value::I32(size), Value::I32(1)]);
            let at = at.unwrap()[0].unwrap_i32();
            bench.write(at, &vec![7; size as usize]);
            let (_, second) = bench.call("sha256", &[Value::I32(at), Value::I32(size)]);
            let (_, third) = bench.call("release_objects", &[]);
            (at, first, second, third)
        };
        let used = run(&mut woven);
        assert_eq!(used, run(&mut one_by_one), "{size} bytes");
        assert!(used.2 > 1000);
    }
}

#[test]
fn depth_is_what_it_was_after_every_way_out() {
    let wasm =
        prepare(&wat::parse_str(PROGRAMS).unwrap(), &ModuleLimits::default(), Metering::On).unwrap().wasm;
    let mut bench = Bench::new(&wasm);
    for name in NAMES {
        for argument in 0..30 {
            let trapped = bench.call(name, &[Value::I32(argument)]).0.is_none();
            let depth = bench.depth.get(&mut bench.store).unwrap_i32();
            assert!(depth == i32::MAX || trapped, "{name}({argument}): {depth}");
            bench.depth.set(&mut bench.store, Value::I32(i32::MAX)).unwrap();
        }
    }
}

#[test]
fn what_recurs_counts_how_deep_it_is() {
    let wasm =
        prepare(&wat::parse_str(PROGRAMS).unwrap(), &ModuleLimits::default(), Metering::On).unwrap().wasm;
    let mut bench = Bench::new(&wasm);
    bench.depth.set(&mut bench.store, Value::I32(3000)).unwrap();
    assert!(bench.call("fac", &[Value::I32(5)]).0.is_some());
    assert!(bench.call("fac", &[Value::I32(100)]).0.is_none());
    assert!(bench.depth.get(&mut bench.store).unwrap_i32() < 0);
}
