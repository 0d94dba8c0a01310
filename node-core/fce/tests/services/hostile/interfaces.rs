//! Modules whose interfaces lie.

use wavetank_fce::embed::{Signature, Signatures, section};
use wavetank_fce::it::write::write;
use wavetank_fce::it::{Adapter, Core, Implementation, Instruction, Integer, Section, TypeDef};
use wavetank_fce::value::{Named, Type};

use super::Stage::{Call, Load};
use super::{ABI, Case, Stage, case, holds, interface, record, with_section};

/// A module with one function `f`, whose interface is changed.
fn changed(name: &str, change: impl FnOnce(&mut Section), stage: Stage, says: &'static str) -> Case {
    let mut section = interface(&[], None);
    change(&mut section);
    let text = format!(
        r#"(module {ABI} (func (export "f")) (func (export "g") (param i64) (result f64) (f64.const 0)))"#
    );
    case(name, with_section(&text, &write(&section).unwrap()), stage, says)
}

fn program(section: &mut Section, instructions: Vec<Instruction>) {
    section.adapters[0].instructions = instructions;
}

#[test]
fn adapters_that_do_not_fit_are_found_out() {
    let at_odds = "an adapter is at odds with its function";
    let with = |name: &str, instructions: Vec<Instruction>, stage, says| {
        changed(name, |section| program(section, instructions), stage, says)
    };
    use Instruction as I;
    let cases = vec![
        with("an argument that is not there", vec![I::ArgumentGet(0)], Load, "it takes argument 0 of 0"),
        with("a function that is not there", vec![I::CallCore(99)], Load, "it calls function 99 of 7"),
        with("a record that is not there", vec![I::RecordLift(99)], Load, "type 99, which is no record"),
        with("a record that is a function", vec![I::RecordLower(0)], Load, "type 0, which is no record"),
        with(
            "an array of what is not there",
            vec![I::ArrayLift(Type::Record(99))],
            Load,
            "type 99, which is no record",
        ),
        with("a value too many", vec![I::PushI32(1), I::PushI32(2)], Call, at_odds),
        with("nothing to duplicate", vec![I::Dup], Call, at_odds),
        with("nothing to swap", vec![I::PushI32(1), I::Swap2], Call, at_odds),
        with("nothing to lift", vec![I::StringLift], Call, at_odds),
        with("nothing to lower", vec![I::StringLower], Call, at_odds),
        with("a number as a text", vec![I::PushI32(1), I::StringSize], Call, at_odds),
        with(
            "a number as an array",
            vec![I::PushI32(1), I::ArrayLower(Type::U8)],
            Call,
            "a value is not of its type",
        ),
        with("a number as a boolean", vec![I::PushI32(1), I::I32FromBool], Call, at_odds),
        with(
            "a long number as a short one",
            vec![I::PushI64(1), I::FromCore { from: Core::I32, to: Integer::U8 }],
            Call,
            at_odds,
        ),
        with(
            "a core number as an interface one",
            vec![I::PushI32(1), I::ToCore { from: Integer::U8, to: Core::I32 }],
            Call,
            at_odds,
        ),
        with("too few arguments", vec![I::CallCore(0)], Call, at_odds),
        with("arguments of other types", vec![I::PushI64(1), I::PushI32(1), I::CallCore(0)], Call, at_odds),
        with(
            "a text beyond memory",
            vec![I::PushI32(-1_i32 as u32 as i32 & 0x7fff_ffff), I::PushI32(9), I::StringLift],
            Call,
            "are outside",
        ),
        with(
            "calls of everything",
            (0..20)
                .flat_map(|_| [I::PushI32(i32::MAX), I::PushI32(1), I::CallCore(0), I::CallCore(5)])
                .collect(),
            Call,
            "",
        ),
    ];
    // The last ends well: setting aside and telling is all that it does.
    let (last, rest) = (cases.len() - 1, cases);
    let mut rest: Vec<Case> = rest;
    let harmless = rest.remove(last);
    assert_eq!(super::end_of(&harmless.wasm).0, None);
    holds(rest, 18);
}

#[test]
fn indices_that_lie_are_refused() {
    let cases = vec![
        changed(
            "an implementation without an adapter",
            |section| {
                section.implementations.push(Implementation { core: 5, adapter: 4 });
            },
            Load,
            "no adapter is of type 4",
        ),
        changed(
            "a function of a type that is not there",
            |section| {
                section.adapters.push(Adapter { ty: 77, instructions: Vec::new() });
                section.implementations[0].adapter = 77;
            },
            Load,
            "names type 77, of 8 types",
        ),
        changed(
            "a function of a record",
            |section| {
                section.types.push(TypeDef::Record {
                    name: "R".to_owned(),
                    fields: vec![Named { name: "a".to_owned(), ty: Type::U8 }],
                });
                let ty = section.types.len() as u32 - 1;
                section.adapters[0].ty = ty;
                section.implementations[0].adapter = ty;
            },
            Load,
            "which is a record",
        ),
        changed(
            "an argument that is no record",
            |section| {
                section.types[6] = TypeDef::Function {
                    arguments: vec![Named { name: "a".to_owned(), ty: Type::Record(0) }],
                    results: Vec::new(),
                };
            },
            Load,
            "which is a function",
        ),
        changed(
            "two results",
            |section| {
                section.types[6] =
                    TypeDef::Function { arguments: Vec::new(), results: vec![Type::U8, Type::U8] };
            },
            Load,
            "gives 2 results",
        ),
        changed(
            "two functions of one name",
            |section| {
                section.exports.push(section.exports[6].clone());
            },
            Load,
            "two functions are exported as f",
        ),
        changed(
            "a result that the code does not give",
            |section| {
                section.types[6] = TypeDef::Function { arguments: Vec::new(), results: vec![Type::U32] };
                section.adapters[0]
                    .instructions
                    .push(Instruction::FromCore { from: Core::I32, to: Integer::U32 });
            },
            Call,
            "it lacks a value",
        ),
        changed(
            "a result that is of another type",
            |section| {
                section.types[6] = TypeDef::Function { arguments: Vec::new(), results: vec![Type::F64] };
                section.exports[6].name = "g".to_owned();
                section.exports[6].ty = 7;
            },
            Call,
            "has no function f",
        ),
    ];
    holds(cases, 8);
}

/// A module whose function takes these records.
fn of_records(name: &str, records: Vec<wavetank_fce::value::Record>, says: &'static str) -> Case {
    let function = Signature { name: "f".to_owned(), arguments: Vec::new(), result: Some(Type::Record(0)) };
    let section = section(&Signatures { records, functions: vec![function], imports: Vec::new() });
    let text = format!(r#"(module {ABI} (func (export "f")))"#);
    case(name, with_section(&text, &write(&section).unwrap()), Load, says)
}

#[test]
fn records_that_hold_themselves_are_refused() {
    let array = |ty| Type::Array(Box::new(ty));
    let chain = |length: u32| {
        let held = |at: u32| if at + 1 == length { Type::U8 } else { Type::Record(at + 1) };
        (0..length).map(|at| record(&format!("R{at}"), &[held(at)])).collect::<Vec<_>>()
    };
    let cases = vec![
        of_records("itself", vec![record("R", &[Type::Record(0)])], "the record R holds itself"),
        of_records("itself in an array", vec![record("R", &[array(Type::Record(0))])], "holds itself"),
        of_records(
            "each other",
            vec![record("R", &[Type::Record(1)]), record("S", &[Type::Record(0)])],
            "holds itself",
        ),
        of_records("one that is not there", vec![record("R", &[Type::Record(7)])], "names type 13"),
        of_records("too deep", chain(1025), "nested deeper than the limit of 1024"),
    ];
    holds(cases, 5);
    let deep = of_records("as deep as may be", chain(1024), "");
    assert_eq!(super::end_of(&deep.wasm).0, None);
}
