//! Modules that mean harm: each ends where it must, with its own error, within what it was given, and hurts nobody else.

use std::sync::Arc;

use wavetank_fce::embed::{Signature, Signatures, section};
use wavetank_fce::it::Section;
use wavetank_fce::it::write::write;
use wavetank_fce::service::{Life, OnTrap, Service};
use wavetank_fce::spec::{Member, Spec};
use wavetank_fce::value::{Named, Record, Type};

use crate::{call, ground, modules, start};

mod calls;
mod interfaces;
mod loading;

/// Where a module ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// It is not loaded.
    Load,
    /// It does not make a service.
    Link,
    /// It does not start.
    Start,
    /// A call of it fails.
    Call,
}

/// A module and how it ends.
struct Case {
    name: String,
    wasm: Vec<u8>,
    stage: Stage,
    /// A part of the error.
    says: &'static str,
}

fn case(name: impl Into<String>, wasm: Vec<u8>, stage: Stage, says: &'static str) -> Case {
    Case { name: name.into(), wasm, stage, says }
}

/// What every module of the ABI has: memory that is only ever set aside, and places of results.
const ABI: &str = r#"
    (memory (export "memory") 2)
    (global $top (mut i32) (i32.const 1024))
    (global $ptr (mut i32) (i32.const 0))
    (global $size (mut i32) (i32.const 0))
    (func (export "allocate") (param $n i32) (param i32) (result i32)
        (global.get $top)
        (global.set $top (i32.add (global.get $top) (local.get $n))))
    (func (export "release_objects"))
    (func (export "get_result_size") (result i32) (global.get $size))
    (func (export "get_result_ptr") (result i32) (global.get $ptr))
    (func (export "set_result_size") (param i32) (global.set $size (local.get 0)))
    (func (export "set_result_ptr") (param i32) (global.set $ptr (local.get 0)))
"#;

/// A custom section.
fn custom(name: &str, content: &[u8]) -> Vec<u8> {
    let mut body = vec![name.len() as u8];
    body.extend(name.as_bytes());
    body.extend(content);
    let mut section = vec![0];
    let mut length = body.len();
    while length >= 0x80 {
        section.push(length as u8 | 0x80);
        length >>= 7;
    }
    section.push(length as u8);
    section.extend(body);
    section
}

fn compile(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// A module of this text, with these bytes as its interface types.
fn with_section(text: &str, section: &[u8]) -> Vec<u8> {
    let mut wasm = compile(text);
    wasm.extend(custom("interface-types", section));
    wasm.extend(custom("__fluence_sdk_version", b"0.14.0"));
    wasm
}

/// The interface of one function `f`.
fn interface(arguments: &[Type], result: Option<Type>) -> Section {
    let named = |(index, ty): (usize, &Type)| Named { name: format!("a{index}"), ty: ty.clone() };
    let arguments = arguments.iter().enumerate().map(named).collect();
    let function = Signature { name: "f".to_owned(), arguments, result };
    section(&Signatures { functions: vec![function], ..Signatures::default() })
}

/// A module of the ABI with more text, and one function `f` without arguments.
fn guest(text: &str, result: Option<Type>) -> Vec<u8> {
    // Imports stand before everything else.
    let (imports, rest) = text.split_once("---").unwrap_or(("", text));
    with_section(&format!("(module {imports} {ABI} {rest})"), &write(&interface(&[], result)).unwrap())
}

/// Loads, links, starts and calls the module, and says where it ended and why.
fn end_of(wasm: &[u8]) -> (Option<Stage>, String) {
    let module = match modules().load(wasm) {
        Ok(module) => module,
        Err(error) => return (Some(Stage::Load), error.to_string()),
    };
    let member = Member { binaries: Vec::new(), ..Member::new("m", module) };
    let spec = match Spec::new(vec![member], Default::default()) {
        Ok(spec) => Arc::new(spec),
        Err(error) => return (Some(Stage::Link), error.to_string()),
    };
    let mut given = ground();
    given.call.fuel = FUEL;
    let life = Life { on_trap: OnTrap::Keep, ..Life::default() };
    let mut service = match Service::start(modules().engine(), &spec, life, given) {
        Ok((service, outcome)) => {
            assert!(outcome.fuel <= FUEL);
            service
        }
        Err(error) => return (Some(Stage::Start), error.to_string()),
    };
    let mut given = call();
    given.fuel = FUEL;
    let outcome = service.call("f", &[], &given);
    assert!(outcome.fuel <= FUEL, "{}", outcome.fuel);
    match outcome.result {
        Ok(_) => (None, String::new()),
        Err(failure) => {
            // The same service can be asked again: it fails the same way, or not at all, but nothing else breaks.
            let _ = service.call("f", &[], &given);
            (Some(Stage::Call), failure.to_string())
        }
    }
}

/// What each call is given: a tenth of a second of work.
const FUEL: u64 = 100_000_000;
/// How much resident memory all of it may leave behind: compiled code and one service at a time.
const LEFT_BYTES: u64 = 400 << 20;

fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(text.split(' ').nth(1)?.parse::<u64>().ok()? * 4096)
}

fn holds(cases: Vec<Case>, at_least: usize) {
    assert!(cases.len() >= at_least, "{} modules", cases.len());
    let before = resident_bytes();
    let mut wrong = Vec::new();
    for Case { name, wasm, stage, says } in cases {
        let (ended, error) = end_of(&wasm);
        if ended != Some(stage) || !error.contains(says) {
            wrong.push(format!("{name}: {ended:?}, not {stage:?}: {error}, not {says}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if let (Some(before), Some(after)) = (before, resident_bytes()) {
        assert!(after.saturating_sub(before) < LEFT_BYTES, "{before} and {after}");
    }
    // Whoever comes next is served.
    let honest = crate::ours::pure();
    let mut service = start(&honest, Life::default());
    assert_eq!(crate::answer(&mut service, "add", serde_json::json!([1, 2])), serde_json::json!(3));
}

/// The record of this name and these fields.
fn record(name: &str, fields: &[Type]) -> Record {
    let named = |(index, ty): (usize, &Type)| Named { name: format!("f{index}"), ty: ty.clone() };
    Record { name: name.to_owned(), fields: fields.iter().enumerate().map(named).collect() }
}
