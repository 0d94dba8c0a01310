//! Modules that are not loaded.

use super::Stage::Load;
use super::{ABI, Case, case, compile, custom, guest, holds, interface, with_section};
use crate::ours::HOSTILE;
use wavetank_fce::it::write::write;

/// Text that is not of the features that modules may use, and what is said of it.
const FEATURES: &[(&str, &str, &str)] = &[
    ("threads", "(memory 1 1 shared)", "threads"),
    ("atomic operator", "(memory 1) (func (drop (i32.atomic.load (i32.const 0))))", "threads"),
    (
        "relaxed SIMD",
        "(func (drop (i32x4.relaxed_trunc_f32x4_s (v128.const i32x4 0 0 0 0))))",
        "relaxed SIMD",
    ),
    ("tail call", "(func $f (return_call $f))", "tail calls"),
    ("exception", "(tag $e) (func (throw $e))", "exceptions"),
    ("GC struct", "(type $t (struct (field i32)))", "gc"),
    ("typed reference", "(type $t (func)) (func (param (ref $t)))", "function references"),
    ("64-bit memory", "(memory i64 1)", "memory64"),
    ("two memories", "(memory 1) (memory 1)", "multiple memories"),
    ("page size", "(memory 1 (pagesize 1))", "page sizes"),
    (
        "wide arithmetic",
        "(func (drop (drop (i64.add128 (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)))))",
        "wide",
    ),
    ("imported memory", r#"(import "m" "memory" (memory 1))"#, "a memory, which no host offers"),
    ("imported table", r#"(import "m" "t" (table 1 funcref))"#, "a table, which no host offers"),
    ("imported global", r#"(import "m" "g" (global i32))"#, "a global, which no host offers"),
    ("the host's fuel", r#"(import "wavetank" "fuel" (global (mut i64)))"#, "whose names are the host's"),
    ("a function of the host's names", r#"(import "wavetank" "f" (func))"#, "whose names are the host's"),
    ("the host's start", r#"(func (export "wavetank-start"))"#, "a name that is the host's"),
    ("a type mistake", "(func (result i32) (i64.const 0))", "type mismatch"),
    ("an unknown local", "(func (drop (local.get 7)))", "unknown local"),
    ("nothing on the stack", "(func (drop))", "expected"),
];

#[test]
fn modules_of_other_features_are_refused() {
    let refused = |(name, text, says): &(&str, &str, &'static str)| {
        let wasm = wat::parse_str(format!("(module {text})"));
        wasm.ok().map(|wasm| case(*name, wasm, Load, says))
    };
    holds(FEATURES.iter().filter_map(refused).collect(), 18);
}

#[test]
fn modules_that_are_cut_off_are_refused() {
    let step = HOSTILE.len() / 60;
    let cut = |at: usize| case(format!("cut at {at}"), HOSTILE[..at].to_vec(), Load, "");
    holds((1..60).map(|part| cut(part * step)).collect(), 59);
}

fn repeated(count: usize, text: &str) -> String {
    text.repeat(count)
}

#[test]
fn modules_beyond_a_limit_are_refused_before_they_are_compiled() {
    let locals = |count: usize| format!("(func (local {}))", repeated(count, "i32 "));
    let loops = |loops: usize, locals: usize| {
        let body = repeated(loops, "(loop (local.set 0 (i32.add (local.get 0) (local.get 1))))");
        format!("(func (local {}) {body})", repeated(locals, "i32 "))
    };
    let nested = |depth: usize| format!("(func {} {})", repeated(depth, "(block "), repeated(depth, ")"));
    let targets = |count: usize| format!("(func (block (br_table {} (i32.const 0))))", repeated(count, "0 "));
    let list: Vec<(&str, String, &'static str)> = vec![
        ("functions", repeated(50_001, "(func)"), "50001 functions"),
        (
            "types",
            (0..4097).map(|at| format!("(type (func (result{})))", repeated(at % 50, " i32"))).collect(),
            "types",
        ),
        (
            "parameters",
            format!("(type (func (param {})))", repeated(129, "i32 ")),
            "129 parameters of a type",
        ),
        ("results", format!("(type (func (result {})))", repeated(129, "i32 ")), "129 results of a type"),
        ("imports", repeated(1001, r#"(import "host" "f" (func))"#), "1001 imports"),
        (
            "exports",
            (0..10_001).map(|at| format!(r#"(export "e{at}" (func 0))"#)).collect::<String>() + "(func)",
            "exports",
        ),
        ("globals", repeated(1001, "(global i32 (i32.const 0))"), "1001 globals"),
        ("tables", repeated(17, "(table 1 funcref)"), "17 tables"),
        ("table slots", "(table 100001 funcref)".to_owned(), "100001 table slots"),
        (
            "element segments",
            format!("(func) (table 1 funcref) {}", repeated(10_001, "(elem func 0)")),
            "element segments",
        ),
        (
            "table entries",
            format!("(func) (table 1 funcref) (elem func {})", repeated(100_001, "0 ")),
            "table entries",
        ),
        ("data segments", format!("(memory 1) {}", repeated(10_001, r#"(data "")"#)), "data segments"),
        ("memory", "(memory 1025)".to_owned(), "1025 pages of memory"),
        ("body", format!("(func {})", repeated(300_000, "(nop)(nop)")), "bytes, more than the limit"),
        ("locals", locals(5001), "5001 locals"),
        ("nesting", nested(1001), "nested blocks"),
        ("branch targets", targets(10_002), "branch targets"),
        ("compile cost of one function", loops(1000, 3000), "units of compile cost"),
    ];
    holds(
        list.into_iter()
            .map(|(name, text, says)| case(name, compile(&format!("(module {text})")), Load, says))
            .collect(),
        18,
    );
}

#[test]
fn garbled_sections_are_refused() {
    let good = write(&interface(&[], None)).unwrap();
    let text = format!(r#"(module {ABI} (func (export "f")))"#);
    let mut cases: Vec<Case> = (0..good.len().min(60))
        .map(|at| case(format!("interface types cut at {at}"), with_section(&text, &good[..at]), Load, ""))
        // Where a whole entry ends, the rest is a section of its own; only that it says less is wrong then.
        .filter(|case| wavetank_fce::it::sections::read(&case.wasm).is_err())
        .collect();
    let mut unknown = good.clone();
    unknown.push(9);
    let mut twice = with_section(&text, &good);
    twice.extend(custom("interface-types", &good));
    let mut no_sdk = compile(&text);
    no_sdk.extend(custom("interface-types", &good));
    let mut old_sdk = no_sdk.clone();
    old_sdk.extend(custom("__fluence_sdk_version", b"0.5.9"));
    let mut bad_sdk = no_sdk.clone();
    bad_sdk.extend(custom("__fluence_sdk_version", b"newest"));
    let mut bad_manifest = with_section(&text, &good);
    bad_manifest.extend(custom("__fluence_wasm_module_manifest", &[255; 9]));
    let legacy: Vec<u8> = good.iter().skip(1 + 1 + "0.28.0".len()).copied().collect();
    cases.extend([
        case("no Wasm", b"#!/bin/sh".to_vec(), Load, "invalid"),
        case("nothing", Vec::new(), Load, "invalid"),
        case("a component", b"\0asm\x0d\0\x01\0".to_vec(), Load, "component"),
        case("no interface types", compile(&text), Load, "no section interface-types"),
        case("an unknown kind", with_section(&text, &unknown), Load, "0x09 is no kind of entries"),
        case("two sections", twice, Load, "two sections interface-types"),
        case("no SDK", no_sdk, Load, "no section __fluence_sdk_version"),
        case("an old SDK", old_sdk, Load, "older than 0.6.0"),
        case("no version", bad_sdk, Load, "is not one"),
        case("a bad manifest", bad_manifest, Load, "manifest is malformed"),
        case("the ABI of 2021", with_section(&text, &legacy), Load, "2020 and 2021"),
        case("a lie about exports", with_section("(module)", &good), Load, "does not export"),
        case(
            "a function that is not there",
            guest("", None),
            Load,
            "calls f, which its code does not export",
        ),
    ]);
    holds(cases, 50);
}
