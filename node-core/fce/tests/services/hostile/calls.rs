//! Modules that fail as they start or are called.

use wavetank_fce::value::Type;

use super::Stage::{Call, Link, Start};
use super::{Case, case, guest, holds};

#[test]
fn what_wasm_does_not_allow_is_a_trap() {
    let bodies: &[(&str, &str, &str)] = &[
        ("unreachable", "(unreachable)", "unreachable code"),
        ("load", "(drop (i32.load (i32.const -1)))", "memory was accessed out of bounds"),
        ("load at the end", "(drop (i32.load (i32.const 131069)))", "memory was accessed out of bounds"),
        ("store", "(i64.store (i32.const 131072) (i64.const 0))", "memory was accessed out of bounds"),
        (
            "load far off",
            "(drop (i32.load offset=4294967295 (i32.const -1)))",
            "memory was accessed out of bounds",
        ),
        ("SIMD load", "(drop (v128.load (i32.const 131064)))", "memory was accessed out of bounds"),
        (
            "fill",
            "(memory.fill (i32.const 131072) (i32.const 0) (i32.const 1))",
            "memory was accessed out of bounds",
        ),
        (
            "copy",
            "(memory.copy (i32.const 0) (i32.const 1) (i32.const 131072))",
            "memory was accessed out of bounds",
        ),
        (
            "init",
            "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 9))",
            "memory was accessed out of bounds",
        ),
        ("division", "(drop (i32.div_s (i32.const 1) (i32.const 0)))", "divided by zero"),
        ("remainder", "(drop (i64.rem_u (i64.const 1) (i64.const 0)))", "divided by zero"),
        ("overflow", "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", "overflowed"),
        ("conversion", "(drop (i32.trunc_f32_s (f32.const nan)))", "float"),
        ("large conversion", "(drop (i32.trunc_f64_u (f64.const 1e99)))", "overflowed"),
        ("empty slot", "(call_indirect (i32.const 0))", "empty table slot"),
        ("another type", "(call_indirect (param i32) (i32.const 0) (i32.const 1))", "as one of another type"),
        ("far slot", "(call_indirect (i32.const 99))", "table was accessed out of bounds"),
        ("table get", "(drop (table.get $t (i32.const 99)))", "table was accessed out of bounds"),
        (
            "table fill",
            "(table.fill $t (i32.const 9) (ref.null func) (i32.const 9))",
            "table was accessed out of bounds",
        ),
    ];
    let module = |(name, body, says): &(&str, &str, &'static str)| {
        let text = format!(
            r#"(table $t 10 funcref) (func $g) (elem (i32.const 1) func $g) (data $d "ab") (func (export "f") {body})"#
        );
        case(*name, guest(&text, None), Call, says)
    };
    holds(bodies.iter().map(module).collect(), 19);
}

#[test]
fn what_goes_on_for_ever_runs_out_of_fuel() {
    let bodies: &[(&str, &str)] = &[
        ("loop", "(loop (br 0))"),
        ("empty loop", "(loop $l (br $l))"),
        ("loop in a loop", "(loop $o (loop $i (br_if $i (i32.const 1))) (br $o))"),
        ("loop by table", "(loop $l (br_table $l $l (i32.const 1)))"),
        ("loop by if", "(loop $l (if (i32.const 1) (then (br $l))))"),
        ("counting", "(local i64) (loop $l (local.set 0 (i64.add (local.get 0) (i64.const 1))) (br $l))"),
        ("storing", "(loop $l (i32.store (i32.const 0) (i32.const 1)) (br $l))"),
        ("calling", "(loop $l (call $g) (br $l))"),
        ("calling through a table", "(loop $l (call_indirect (i32.const 1)) (br $l))"),
        ("filling", "(loop $l (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536)) (br $l))"),
        ("copying", "(loop $l (memory.copy (i32.const 0) (i32.const 1) (i32.const 65536)) (br $l))"),
        ("initialising", "(loop $l (memory.init $d (i32.const 0) (i32.const 0) (i32.const 2)) (br $l))"),
        ("growing", "(loop $l (drop (memory.grow (i32.const 1))) (br $l))"),
        ("growing much", "(loop $l (drop (memory.grow (i32.const 65535))) (br $l))"),
        ("growing a table", "(loop $l (drop (table.grow $t (ref.null func) (i32.const 1))) (br $l))"),
        (
            "growing a table much",
            "(loop $l (drop (table.grow $t (ref.null func) (i32.const 100000))) (br $l))",
        ),
        ("filling a table", "(loop $l (table.fill $t (i32.const 0) (ref.null func) (i32.const 2)) (br $l))"),
        ("dividing", "(loop $l (drop (i64.div_s (i64.const 9) (i64.const 7))) (br $l))"),
        (
            "SIMD",
            "(loop $l (drop (i32x4.add (v128.const i32x4 1 2 3 4) (v128.const i32x4 1 2 3 4))) (br $l))",
        ),
        ("a tree of calls", "(call $t0)"),
    ];
    // Each of these calls the next twice: without fuel, a thousand years.
    let tree: String =
        (0..60).map(|at| format!("(func $t{at} (call $t{next}) (call $t{next}))", next = at + 1)).collect();
    let module = |(name, body): &(&str, &str)| {
        let text = format!(
            r#"(table $t 10 funcref) (func $g) (elem (i32.const 1) func $g) (data $d "ab")
               {tree} (func $t60) (func (export "f") {body})"#
        );
        case(*name, guest(&text, None), Call, "out of fuel")
    };
    holds(bodies.iter().map(module).collect(), 20);
}

#[test]
fn what_calls_itself_goes_too_deep() {
    let locals = |ty: &str, count: usize| format!("(local {})", format!("{ty} ").repeat(count));
    let values = |count: usize| {
        let push = "(i64.extend_i32_u (call $r (i32.const 1)))".repeat(count);
        format!("(func $r (param i32) (result i32) {push} {} (i32.wrap_i64))", "(i64.add)".repeat(count - 1))
    };
    let bodies: Vec<(&str, String)> = vec![
        ("itself", "(func $r (call $r))".to_owned()),
        ("each other", "(func $r (call $s)) (func $s (call $r))".to_owned()),
        (
            "a ring",
            "(func $r (call $a)) (func $a (call $b)) (func $b (call $c)) (func $c (call $r))".to_owned(),
        ),
        (
            "through a table",
            "(table 1 funcref) (elem (i32.const 0) func $r) (func $r (call_indirect (i32.const 0)))"
                .to_owned(),
        ),
        (
            "through a table's get",
            "(type $v (func)) (table $t 1 funcref) (elem (i32.const 0) func $r)
             (func $r (table.set $t (i32.const 0) (ref.func $r)) (call_indirect $t (type $v) (i32.const 0)))"
                .to_owned(),
        ),
        ("with locals", format!("(func $r {} (call $r))", locals("i64", 1000))),
        ("with SIMD locals", format!("(func $r {} (call $r))", locals("v128", 1000))),
        (
            "with live locals",
            format!(
                "(func $r {} {} (call $r) {})",
                locals("i64", 200),
                (0..200)
                    .map(|at| format!("(local.set {at} (i64.load (i32.const {at})))"))
                    .collect::<String>(),
                (0..200)
                    .map(|at| format!("(i64.store (i32.const {at}) (local.get {at}))"))
                    .collect::<String>()
            ),
        ),
        (
            "with live SIMD locals",
            format!(
                "(func $r {} {} (call $r) {})",
                locals("v128", 200),
                (0..200)
                    .map(|at| format!("(local.set {at} (v128.load (i32.const {at})))"))
                    .collect::<String>(),
                (0..200)
                    .map(|at| format!("(v128.store (i32.const {at}) (local.get {at}))"))
                    .collect::<String>()
            ),
        ),
        ("with many values", values(100) + "(func $q (drop (call $r (i32.const 0))))"),
        (
            "with parameters",
            format!(
                "(func $r (param {}) {} (call $r {}))",
                "i64 ".repeat(120),
                "(nop)",
                (0..120).map(|at| format!("(local.get {at})")).collect::<String>()
            ),
        ),
        ("with results", format!("(func $r (result {}) (call $r))", "i64 ".repeat(100))),
        (
            "through functions that do not recur",
            (0..50)
                .map(|at| format!("(func $c{at} (local {}) (call $c{}))", "i64 ".repeat(50), at + 1))
                .collect::<String>()
                + "(func $c50 (call $r)) (func $r (call $c0))",
        ),
    ];
    let module = |(name, text): (&str, String)| {
        let begin = match name {
            "with parameters" => format!("(call $r {})", "(i64.const 1)".repeat(120)),
            "with results" => format!("(call $r) {}", "(drop)".repeat(100)),
            "with many values" => "(call $q)".to_owned(),
            _ => "(call $r)".to_owned(),
        };
        case(
            name,
            guest(&format!(r#"{text} (func (export "f") {begin})"#), None),
            Call,
            "calls are nested too deep",
        )
    };
    holds(bodies.into_iter().map(module).collect(), 13);
}

#[test]
fn what_fails_as_it_starts_does_not_start() {
    let list: &[(&str, &str, &str)] = &[
        ("_start", r#"(func (export "_start") (unreachable))"#, "m._start: unreachable code"),
        ("_initialize", r#"(func (export "_initialize") (unreachable))"#, "m._initialize: unreachable code"),
        ("a start section", "(func $s (unreachable)) (start $s)", "unreachable code"),
        ("a long start section", "(func $s (loop (br 0))) (start $s)", "out of fuel"),
        ("a long start", r#"(func (export "_start") (loop (br 0)))"#, "out of fuel"),
        ("a start with arguments", r#"(func (export "_start") (param i32))"#, "did not match signature"),
        ("data outside", r#"(data (i32.const 131072) "a")"#, "cannot be instantiated"),
        (
            "elements outside",
            "(table 1 funcref) (func $e) (elem (i32.const 1) func $e)",
            "cannot be instantiated",
        ),
        (
            "an exit",
            r#"(import "wasi_snapshot_preview1" "proc_exit" (func $x (param i32))) --- (func (export "_start") (call $x (i32.const 7)))"#,
            "exited with code 7",
        ),
        (
            "a signal",
            r#"(import "wasi_snapshot_preview1" "proc_raise" (func $x (param i32) (result i32)))
               --- (func (export "_start") (drop (call $x (i32.const 9))))"#,
            "raised signal 9",
        ),
    ];
    let module = |(name, text, says): &(&str, &str, &'static str)| {
        let (imports, rest) = text.split_once("---").unwrap_or(("", text));
        case(*name, guest(&format!(r#"{imports} --- {rest} (func (export "f"))"#), None), Start, says)
    };
    holds(list.iter().map(module).collect(), 10);
}

#[test]
fn what_nobody_offers_is_not_linked() {
    let list: &[(&str, &str, &str)] = &[
        ("an unknown module", r#"(import "other" "g" (func))"#, "which the host does not offer"),
        (
            "an unknown function of WASI",
            r#"(import "wasi_snapshot_preview1" "fork" (func))"#,
            "does not offer",
        ),
        (
            "an unknown namespace",
            r#"(import "env" "abort" (func (param i32 i32 i32 i32)))"#,
            "does not offer",
        ),
        (
            "an old WASI",
            r#"(import "wasi_unstable" "fd_close" (func (param i32) (result i32)))"#,
            "does not offer",
        ),
        ("a program", r#"(import "__marine_host_api_v3" "sh" (func (param i32 i32)))"#, "does not mount"),
        ("a program of the oldest SDK", r#"(import "host" "curl" (func (param i32 i32)))"#, "does not mount"),
        ("another type of the log", r#"(import "host" "log_utf8_string" (func (param i64)))"#, "which is"),
        ("another type of WASI", r#"(import "wasi_snapshot_preview1" "fd_close" (func))"#, "which is"),
        (
            "a result of the parameters",
            r#"(import "host" "get_call_parameters" (func (result i32)))"#,
            "which is",
        ),
    ];
    let module = |(name, imports, says): &(&str, &str, &'static str)| {
        case(*name, guest(&format!(r#"{imports} --- (func (export "f"))"#), None), Link, says)
    };
    holds(list.iter().map(module).collect(), 9);
}

/// A call of the host's parameters, from inside of what the host calls to give them.
fn calling_back(place: &str, text: &str) -> Case {
    let wasm = super::with_section(
        &format!(
            r#"(module
                (import "__marine_host_api_v3" "get_call_parameters" (func $p))
                (memory (export "memory") 2)
                (func (export "release_objects"))
                (func (export "get_result_size") (result i32) (i32.const 0))
                (func (export "get_result_ptr") (result i32) (i32.const 0))
                (func (export "set_result_size") (param i32))
                {text}
                (func (export "f") (call $p)))"#
        ),
        &wavetank_fce::it::write::write(&super::interface(&[], None)).unwrap(),
    );
    case(place, wasm, Call, "calls of the host within calls of the host")
}

#[test]
fn what_calls_its_host_back_from_within_is_stopped() {
    let cases = vec![
        calling_back(
            "from allocate",
            r#"(func (export "allocate") (param i32 i32) (result i32) (call $p) (i32.const 8))
               (func (export "set_result_ptr") (param i32))"#,
        ),
        calling_back(
            "from set_result_ptr",
            r#"(func (export "allocate") (param i32 i32) (result i32) (i32.const 8))
               (func (export "set_result_ptr") (param i32) (call $p))"#,
        ),
    ];
    holds(cases, 2);
}

#[test]
fn results_that_lie_are_refused() {
    let gives = |ptr: i64, size: i64| {
        format!(
            r#"(func (export "f") (global.set $ptr (i32.const {ptr})) (global.set $size (i32.const {size})))"#
        )
    };
    let outside = "are outside of a memory of 131072";
    let texts = || Some(Type::Array(Box::new(Type::String)));
    let numbers = || Some(Type::Array(Box::new(Type::U64)));
    // Every pointer points at the same text, which is as long as memory is.
    let same = r#"(func (export "f") (local $i i32)
        (loop $l
            (i32.store (i32.mul (local.get $i) (i32.const 8)) (i32.const 0))
            (i32.store offset=4 (i32.mul (local.get $i) (i32.const 8)) (i32.const 131072))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $l (i32.lt_u (local.get $i) (i32.const 16384))))
        (global.set $ptr (i32.const 0)) (global.set $size (i32.const 16384)))"#;
    let bad = r#"(data (i32.const 64) "\ff\fe") (func (export "f") (global.set $ptr (i32.const 64)) (global.set $size (i32.const 2)))"#;
    let cases = vec![
        case("a text outside", guest(&gives(131_070, 3), Some(Type::String)), Call, outside),
        case("a text of four gibibytes", guest(&gives(0, -1), Some(Type::String)), Call, outside),
        case("a text at the end of addresses", guest(&gives(-1, 2), Some(Type::String)), Call, outside),
        case("bytes outside", guest(&gives(200_000, 3), Some(Type::Bytes)), Call, outside),
        case("numbers outside", guest(&gives(131_000, 10), numbers()), Call, outside),
        case("more numbers than there are", guest(&gives(0, -1), numbers()), Call, outside),
        case("texts outside", guest(&gives(131_000, 10), texts()), Call, outside),
        case(
            "many texts that are one",
            guest(same, Some(Type::Array(Box::new(Type::Bytes)))),
            Call,
            "a value of more than 67108864 bytes",
        ),
        case(
            "a text that is not UTF-8",
            guest(bad, Some(Type::String)),
            Call,
            "is not UTF-8 from its byte 0 on",
        ),
    ];
    holds(cases, 9);
}

#[test]
fn logs_from_outside_of_memory_are_refused() {
    let log = |args: &str| {
        format!(
            r#"(import "host" "log_utf8_string" (func $l (param i32 i32 i32 i32))) ---
               (func (export "f") (call $l {args}))"#
        )
    };
    let flood = r#"(import "host" "log_utf8_string" (func $l (param i32 i32 i32 i32))) ---
        (func (export "f") (loop (call $l (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0)) (br 0)))"#;
    let text = "(i32.const 1) (i32.const 0)";
    let cases = vec![
        case(
            "outside",
            guest(&log(&format!("{text} (i32.const 131071) (i32.const 2)")), None),
            Call,
            "are outside",
        ),
        case("much", guest(&log(&format!("{text} (i32.const 0) (i32.const -1)")), None), Call, "out of fuel"),
        case("for ever", guest(flood, None), Call, "out of fuel"),
    ];
    holds(cases, 3);
}
