//! Interface types, read and written: laws over generated sections, and what published modules carry.
#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use semver::Version;
use serde_json::json;
use wasmparser::{Parser, Payload};
use wavetank_fce::it::interface::Interface;
use wavetank_fce::it::read::read;
use wavetank_fce::it::write::write;
use wavetank_fce::it::{
    Adapter, Core, Export, Implementation, Import, Instruction, Integer, Named, Section, TypeDef, sections,
};
use wavetank_fce::json;
use wavetank_fce::value::{Type, Value};

const PUBLISHED: [(&str, &[u8]); 7] = [
    ("air", air_interpreter_wasm::INTERPRETER_WASM),
    ("registry", registry_distro::REGISTRY_WASM),
    ("sqlite3", registry_distro::SQLITE_WASM),
    ("trust-graph", trust_graph_distro::TRUST_GRAPH_WASM),
    ("spell", fluence_spell_distro::SPELL_WASM),
    ("ipfs_effector", aqua_ipfs_distro::IPFS_EFFECTOR),
    ("ipfs_pure", aqua_ipfs_distro::IPFS_FACADE),
];

fn interface_types(wasm: &[u8]) -> &[u8] {
    let found = Parser::new(0).parse_all(wasm).find_map(|payload| match payload.unwrap() {
        Payload::CustomSection(section) if section.name() == sections::INTERFACE_TYPES => {
            Some(section.data())
        }
        _ => None,
    });
    found.unwrap()
}

#[test]
fn published_sections_are_written_as_they_were_read() {
    for (name, wasm) in PUBLISHED {
        let bytes = interface_types(wasm);
        let section = read(bytes).unwrap();
        assert_eq!(write(&section).unwrap(), bytes, "{name}");
        let interface = Interface::of(&section).unwrap();
        assert!(!interface.exports().is_empty(), "{name}");
        sections::check_exports(wasm, &interface).unwrap();
    }
}

#[test]
fn a_published_section_that_is_cut_or_flipped_is_read_or_refused() {
    let bytes = interface_types(fluence_spell_distro::SPELL_WASM);
    for at in 0..bytes.len() {
        let _ = read(&bytes[..at]).map(|section| Interface::of(&section));
        for bit in 0..8 {
            let mut flipped = bytes.to_vec();
            flipped[at] ^= 1 << bit;
            let _ = read(&flipped).map(|section| Interface::of(&section));
        }
    }
}

fn ty() -> impl Strategy<Value = Type> {
    let scalars = [
        Type::Bool,
        Type::S8,
        Type::S16,
        Type::S32,
        Type::S64,
        Type::U8,
        Type::U16,
        Type::U32,
        Type::U64,
        Type::F32,
        Type::F64,
        Type::I32,
        Type::I64,
        Type::String,
        Type::Bytes,
    ];
    let leaf = prop_oneof![proptest::sample::select(scalars.to_vec()), any::<u32>().prop_map(Type::Record)];
    leaf.prop_recursive(4, 8, 1, |inner| inner.prop_map(|element| Type::Array(Box::new(element))))
}

fn named() -> impl Strategy<Value = Named> {
    ("[a-z_é]{0,20}", ty()).prop_map(|(name, ty)| Named { name, ty })
}

fn type_def() -> impl Strategy<Value = TypeDef> {
    let function = (proptest::collection::vec(named(), 0..5), proptest::collection::vec(ty(), 0..2));
    let record = ("[A-Z]{1,9}", proptest::collection::vec(named(), 1..5));
    prop_oneof![
        function.prop_map(|(arguments, results)| TypeDef::Function { arguments, results }),
        record.prop_map(|(name, fields)| TypeDef::Record { name, fields }),
    ]
}

fn instruction() -> impl Strategy<Value = Instruction> {
    use Instruction as I;
    let integers = [
        Integer::S8,
        Integer::S16,
        Integer::S32,
        Integer::S64,
        Integer::U8,
        Integer::U16,
        Integer::U32,
        Integer::U64,
    ];
    let integer = || proptest::sample::select(integers.to_vec());
    let core = || proptest::sample::select(vec![Core::I32, Core::I64]);
    let plain = [
        I::StringLift,
        I::StringLower,
        I::StringSize,
        I::BytesLift,
        I::BytesLower,
        I::BytesSize,
        I::BoolFromI32,
        I::I32FromBool,
        I::Dup,
        I::Swap2,
    ];
    prop_oneof![
        proptest::sample::select(plain.to_vec()),
        any::<u32>().prop_map(I::ArgumentGet),
        any::<u32>().prop_map(I::CallCore),
        any::<u32>().prop_map(I::RecordLift),
        any::<u32>().prop_map(I::RecordLower),
        ty().prop_map(I::ArrayLift),
        ty().prop_map(I::ArrayLower),
        (0..i32::MAX).prop_map(I::PushI32),
        (0..i64::MAX).prop_map(I::PushI64),
        (core(), integer()).prop_map(|(from, to)| I::FromCore { from, to }),
        (integer(), core()).prop_map(|(from, to)| I::ToCore { from, to }),
    ]
}

fn section() -> impl Strategy<Value = Section> {
    let types = proptest::collection::vec(type_def(), 0..6);
    let name = || "[a-z0-9_]{1,12}";
    let imports =
        (name(), name(), any::<u32>()).prop_map(|(namespace, name, ty)| Import { namespace, name, ty });
    let adapters = (any::<u32>(), proptest::collection::vec(instruction(), 0..9));
    let adapters = adapters.prop_map(|(ty, instructions)| Adapter { ty, instructions });
    let exports = (name(), any::<u32>()).prop_map(|(name, ty)| Export { name, ty });
    let implementations = any::<(u32, u32)>().prop_map(|(core, adapter)| Implementation { core, adapter });
    (
        types,
        proptest::collection::vec(imports, 0..4),
        proptest::collection::vec(adapters, 0..4),
        proptest::collection::vec(exports, 0..4),
        proptest::collection::vec(implementations, 0..4),
    )
        .prop_map(|(types, imports, adapters, exports, implementations)| Section {
            version: Version::new(0, 28, 0),
            types,
            imports,
            adapters,
            exports,
            implementations,
        })
}

proptest! {
    #[test]
    fn what_is_written_is_read(section in section()) {
        prop_assert_eq!(read(&write(&section).unwrap()).unwrap(), section);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn any_section_is_resolved_or_refused(section in section()) {
        let _ = Interface::of(&section);
    }
}

#[test]
fn what_a_published_reader_would_not_understand_is_not_written() {
    let mut section = read(interface_types(fluence_spell_distro::SPELL_WASM)).unwrap();
    section.adapters[0].instructions = vec![Instruction::Dup; 128];
    assert_eq!(
        write(&section).unwrap_err().to_string(),
        "128 instructions, more than the 127 that a published reader understands"
    );
    section.adapters[0].instructions = vec![Instruction::PushI32(-1)];
    assert_eq!(write(&section).unwrap_err().to_string(), "the constant -1 is below zero");
    section.exports[0].name = "x".repeat(256);
    section.adapters.clear();
    assert!(write(&section).unwrap_err().to_string().ends_with("is longer than 255 bytes"));
}

fn of(ty: Type) -> Vec<Named> {
    vec![Named { name: "a".to_owned(), ty }]
}

fn spell() -> Interface {
    Interface::of(&read(interface_types(fluence_spell_distro::SPELL_WASM)).unwrap()).unwrap()
}

#[test]
fn arguments_are_taken_by_place_by_name_and_alone() {
    let interface = spell();
    let read = |json: serde_json::Value| {
        json::arguments(&json, &of(Type::U8), &interface).map_err(|error| error.to_string())
    };
    let one = Ok(vec![Value::U8(1)]);
    assert_eq!(read(json!([1])), one);
    assert_eq!(read(json!({ "a": 1 })), one);
    assert_eq!(read(json!(1)), one);
    assert_eq!(read(json!([[1]])), one, "a list of one, where one is expected");
    for (json, says) in [
        (json!([256]), "a is 256, which does not fit a u8"),
        (json!([-1]), "a is -1, which does not fit a u8"),
        (json!([1.0]), "a is 1.0, which does not fit a u8"),
        (json!(["1"]), "a is a string, not a u8"),
        (json!([1, 2]), "the call has 2 arguments, not 1"),
        (json!(null), "the call has 0 arguments, not 1"),
        (json!({ "b": 1 }), "the call has b, which is not among a"),
        (json!({}), "the call lacks a"),
        (json!([[1, 2]]), "a is an array, not a u8"),
    ] {
        assert_eq!(read(json), Err(says.to_owned()));
    }
}

#[test]
fn what_does_not_fit_is_named_with_its_place() {
    let interface = spell();
    let (index, record) =
        interface.records().iter().find(|(_, record)| record.name == "LastErrorEntry").unwrap();
    assert_eq!(record.fields[0].name, "last_error");
    let entry = |code: serde_json::Value| json!([[{ "last_error": { "error_code": code, "instruction": "", "message": "", "peer_id": "" }, "error_idx": 1 }]]);
    let wanted = of(Type::Array(Box::new(Type::Record(*index))));
    assert!(json::arguments(&entry(json!(7)), &wanted, &interface).is_ok());
    let error = json::arguments(&entry(json!(-7)), &wanted, &interface).unwrap_err();
    assert_eq!(error.to_string(), "a[0].last_error.error_code is -7, which does not fit a u32");
    let by_place = json!([[[[7, "", "", ""], 1]]]);
    assert!(json::arguments(&by_place, &wanted, &interface).is_ok());
    let short = json!([[[[7, "", ""], 1]]]);
    let error = json::arguments(&short, &wanted, &interface).unwrap_err();
    assert_eq!(error.to_string(), "a[0].last_error has 3 fields, not 4");
}

/// A type without records, and a value of it.
fn valued() -> impl Strategy<Value = (Type, Value)> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(|value| (Type::Bool, Value::Bool(value))),
        any::<i8>().prop_map(|value| (Type::S8, Value::S8(value))),
        any::<i64>().prop_map(|value| (Type::S64, Value::S64(value))),
        any::<u16>().prop_map(|value| (Type::U16, Value::U16(value))),
        any::<u64>().prop_map(|value| (Type::U64, Value::U64(value))),
        (-1e30_f32..1e30).prop_map(|value| (Type::F32, Value::F32(value))),
        (-1e300_f64..1e300).prop_map(|value| (Type::F64, Value::F64(value))),
        ".{0,9}".prop_map(|value| (Type::String, Value::String(value))),
        proptest::collection::vec(any::<u8>(), 0..9).prop_map(|value| (Type::Bytes, Value::Bytes(value))),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        (inner, 0_usize..4).prop_map(|((ty, value), times)| {
            let array = Type::Array(Box::new(ty));
            (array, Value::Array(vec![value; times]))
        })
    })
}

proptest! {
    #[test]
    fn a_value_that_is_written_is_read_back((ty, value) in valued()) {
        let interface = spell();
        let json = json::result(Some(&value), Some(&ty), &interface).unwrap();
        let text = serde_json::to_string(&json).unwrap();
        let back = json::arguments(&json!([serde_json::from_str::<serde_json::Value>(&text).unwrap()]), &of(ty), &interface);
        prop_assert_eq!(back.unwrap(), vec![value]);
    }
}

#[test]
fn floats_that_are_no_number_are_not_written() {
    let interface = spell();
    for value in [Value::F32(f32::NAN), Value::F64(f64::INFINITY)] {
        assert!(json::result(Some(&value), Some(&Type::F64), &interface).is_err());
    }
    assert_eq!(
        json::result(Some(&Value::F32(0.1)), Some(&Type::F32), &interface).unwrap().to_string(),
        "0.1"
    );
}
