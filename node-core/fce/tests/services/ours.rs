//! The services of `scenarios/services`: each has an oracle.

use std::sync::{Arc, OnceLock};

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use wavetank_fce::fault::{Fault, Trap};
use wavetank_fce::service::{Call, Failure, Life, Outcome, Service};
use wavetank_fce::spec::Spec;

use crate::{answer, ask, ask_as, call, member, modules, spec, start};

macro_rules! wasm {
    ($name:literal) => {
        include_bytes!(concat!("../../../../scenarios/services/wasm/", $name, ".wasm"))
    };
}

pub(crate) const HOSTILE: &[u8] = wasm!("hostile");

/// A service of one module that sees `/storage`.
fn alone(name: &str, wasm: &[u8]) -> Arc<Spec> {
    spec(vec![member(name, wasm, &["/storage"])])
}

pub(crate) fn pure() -> Arc<Spec> {
    static SPEC: OnceLock<Arc<Spec>> = OnceLock::new();
    Arc::clone(SPEC.get_or_init(|| alone("pure", wasm!("pure"))))
}

#[test]
fn each_kind_of_number_comes_back_counted_up() {
    let mut service = start(&pure(), Life::default());
    for (function, from, to) in [
        ("next_s8", json!(i8::MAX), json!(i8::MIN)),
        ("next_s16", json!(i16::MAX), json!(i16::MIN)),
        ("next_s32", json!(i32::MAX), json!(i32::MIN)),
        ("next_s64", json!(i64::MAX), json!(i64::MIN)),
        ("next_u8", json!(u8::MAX), json!(0)),
        ("next_u16", json!(u16::MAX), json!(0)),
        ("next_u32", json!(u32::MAX), json!(0)),
        ("next_u64", json!(u64::MAX), json!(0)),
        ("next_s8", json!(-2), json!(-1)),
        ("next_s64", json!(-2), json!(-1)),
        ("next_u32", json!(1_u32 << 31), json!((1_u32 << 31) + 1)),
        ("next_u64", json!(1_u64 << 63), json!((1_u64 << 63) + 1)),
        ("half_f32", json!(-0.5), json!(-0.25)),
        ("half_f64", json!(1e300), json!(5e299)),
        ("not", json!(true), json!(false)),
        ("nop", json!([]), json!(null)),
        ("add", json!([i32::MAX, 1]), json!(i32::MIN)),
        ("length", json!("née"), json!(4)),
        ("reverse", json!("née"), json!("eén")),
        ("sort", json!([[3, 0, 255, 1]]), json!([0, 1, 3, 255])),
        ("split", json!(["a,b,,c", ","]), json!(["a", "b", "", "c"])),
        ("join", json!([["a", "b"], "-"]), json!("a-b")),
        ("transpose", json!([[[1.5, 2.5], [3.5]]]), json!([[1.5, 3.5], [2.5, 0.0]])),
        ("bits", json!([[true, false, true]]), json!(5)),
        ("totals", json!([[1, -2], [10, -20]]), json!([-1, -10])),
    ] {
        assert_eq!(answer(&mut service, function, from.clone()), to, "{function}({from})");
    }
}

/// A sample, and what `change` makes of it.
fn sample() -> impl Strategy<Value = (Json, Json)> {
    let small = (any::<bool>(), any::<i8>(), any::<i16>(), any::<i32>(), any::<i64>());
    let unsigned = (any::<u8>(), any::<u16>(), any::<u32>(), any::<u64>());
    let floats = (-1e6_f32..1e6, -1e200_f64..1e200);
    let words = proptest::collection::vec(".{0,6}", 0..4);
    let table = proptest::collection::vec(proptest::collection::vec(any::<u32>(), 0..4), 0..4);
    let lists = (".{0,12}", proptest::collection::vec(any::<u8>(), 0..40), words, table);
    (small, unsigned, floats, lists).prop_map(|(small, unsigned, floats, lists)| {
        let ((flag, s8, s16, s32, s64), (u8, u16, u32, u64), (f32, f64)) = (small, unsigned, floats);
        let (text, bytes, words, table) = lists;
        // A float of 32 bits is written as its own shortest digits.
        let half: f64 = (f32 / 2.0).to_string().parse().unwrap();
        let counted: Vec<Vec<u32>> =
            table.iter().map(|row| row.iter().map(|value| value.wrapping_add(1)).collect()).collect();
        let given = json!({
            "flag": flag, "s8": s8, "s16": s16, "s32": s32, "s64": s64, "u8": u8, "u16": u16, "u32": u32, "u64": u64,
            "f32": f32, "f64": f64, "text": text, "bytes": bytes, "words": words, "table": table,
        });
        let expected = json!({
            "flag": !flag, "s8": s8.wrapping_add(1), "s16": s16.wrapping_add(1), "s32": s32.wrapping_add(1),
            "s64": s64.wrapping_add(1), "u8": u8.wrapping_add(1), "u16": u16.wrapping_add(1),
            "u32": u32.wrapping_add(1), "u64": u64.wrapping_add(1), "f32": half, "f64": f64 / 2.0,
            "text": text.repeat(2), "bytes": bytes.iter().map(|byte| byte.wrapping_add(1)).collect::<Vec<_>>(),
            "words": words.iter().map(|word| word.repeat(2)).collect::<Vec<_>>(), "table": counted,
        });
        (given, expected)
    })
}

proptest! {
    #[test]
    fn records_of_every_kind_of_value_go_in_and_come_out((given, expected) in sample(), (other, _) in sample()) {
        let mut service = start(&pure(), Life::default());
        prop_assert_eq!(answer(&mut service, "change", json!([given])), expected);
        let nested = json!({ "first": given, "others": [other] });
        let turned = answer(&mut service, "rotate", json!([nested]));
        prop_assert_eq!(&turned["first"]["text"], &other["text"]);
        prop_assert_eq!(&turned["others"][0]["bytes"], &given["bytes"]);
        let bytes = given["text"].as_str().unwrap().len() + other["text"].as_str().unwrap().len();
        prop_assert_eq!(answer(&mut service, "measure", json!([nested])), json!([2, bytes]));
    }

    #[test]
    fn digests_are_those_of_another_implementation(message in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut service = start(&alone("hash", wasm!("hash")), Life::default());
        let digest = hex::encode(Sha256::digest(&message));
        prop_assert_eq!(answer(&mut service, "sha256", json!([message])), json!(digest));
    }
}

#[test]
fn work_costs_fuel_as_it_grows() {
    let mut service = start(&alone("hash", wasm!("hash")), Life::default());
    let picture = |width: usize| json!([{ "width": width, "pixels": vec![9; width * width] }, 2]);
    let mut fuel = |width| ask(&mut service, "blur", picture(width)).fuel;
    let (small, large) = (fuel(16), fuel(64));
    assert!((10..20).contains(&(large / small)), "{small} and {large}");
    let proof = answer(&mut service, "prove", json!(["message", 8, 10_000]));
    let nonce = proof[0].as_u64().unwrap();
    assert_eq!(Sha256::digest(format!("message{nonce}"))[0], 0);
}

#[test]
fn a_store_keeps_its_values_on_its_disk() {
    let mut service = start(&alone("kv", wasm!("kv")), Life::default());
    for round in 0..200 {
        let put =
            answer(&mut service, "put", json!([format!("key-{}", round % 10), format!("value-{round}")]));
        assert_eq!(put["success"], json!(true), "{put}");
    }
    answer(&mut service, "delete", json!(["key-3"]));
    let before = (answer(&mut service, "list", json!([""])), answer(&mut service, "get", json!(["key-9"])));
    assert_eq!(before.0.as_array().unwrap().len(), 9);
    assert_eq!(before.1["value"], json!(["value-199"]));
    assert!(answer(&mut service, "log_bytes", json!([])).as_u64().unwrap() < 4000, "the log is written anew");

    let mut ground = crate::ground();
    ground.disk = service.disk().clone();
    ground.disk.settle(&mut []);
    let mut later = Service::start(modules().engine(), service.spec(), Life::default(), ground).unwrap().0;
    let after = (answer(&mut later, "list", json!([""])), answer(&mut later, "get", json!(["key-9"])));
    assert_eq!(after, before);
}

#[test]
fn only_its_owner_sets_a_counter_back() {
    let mut service = start(&alone("counter", wasm!("counter")), Life::default());
    assert_eq!(answer(&mut service, "increment", json!(5)), json!(5));
    let mut stranger = call();
    let mut parameters = (*stranger.parameters).clone();
    parameters.particle.init_peer_id = "a stranger".to_owned();
    stranger.parameters = Arc::new(parameters);
    let reset = ask_as(&mut service, "reset", &json!([]), &stranger);
    assert_eq!(crate::answer_of(&service, "reset", &reset), json!(false));
    assert_eq!(answer(&mut service, "reset", json!([])), json!(true));
    assert_eq!(answer(&mut service, "value", json!([])), json!(0));
    let caller = answer(&mut service, "caller", json!("x"));
    assert_eq!(
        (&caller[2], &caller[3]),
        (&json!("particle"), &json!(format!("{}/peer.timestamp_sec", crate::PEER)))
    );
}

#[test]
fn notes_are_kept_in_the_published_database() {
    let sqlite = member("sqlite3", registry_distro::SQLITE_WASM, &["/storage"]);
    let notes = member("notes", wasm!("notes"), &["/storage"]);
    let mut service = start(&spec(vec![sqlite, notes]), Life::default());
    for text in ["one", "two; DROP TABLE notes", "three"] {
        let added = answer(&mut service, "add", json!([text]));
        assert_eq!((&added["error"], &added["notes"][0]["text"]), (&json!(""), &json!(text)), "{added}");
    }
    let found = answer(&mut service, "find", json!(["o"]));
    let texts: Vec<_> =
        found["notes"].as_array().unwrap().iter().map(|note| note["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["two; DROP TABLE notes", "one"]);
    assert_eq!(answer(&mut service, "clear", json!([])), json!(3));
}

#[test]
fn a_module_calls_another() {
    let members = vec![member("pure", wasm!("pure"), &[]), member("facade", wasm!("facade"), &[])];
    let mut service = start(&spec(members), Life::default());
    assert_eq!(answer(&mut service, "add3", json!([1, 2, 3])), json!(6));
    assert_eq!(answer(&mut service, "greet_all", json!("a,b")), json!(["Hi, a", "Hi, b"]));
    assert_eq!(answer(&mut service, "nop", json!([])), json!(null));
    let outcome = ask_as(&mut service, "nop", &json!([]), &Call { fuel: 700, ..call() });
    let Err(Failure::Call(error)) = outcome.result else { panic!("{outcome:?}") };
    assert_eq!(error.to_string(), "facade.nop: pure.nop: out of fuel");
}

/// What the misbehaving service does when it is asked this.
fn misbehaves(function: &str, arguments: Json) -> (Service, Outcome) {
    let mut service = start(&alone("hostile", HOSTILE), Life::default());
    let outcome = ask(&mut service, function, arguments);
    (service, outcome)
}

fn fault(outcome: &Outcome) -> &Fault {
    match &outcome.result {
        Err(Failure::Call(error)) => &error.fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_loop_ends_when_its_fuel_does() {
    let (mut service, outcome) = misbehaves("spin", json!([]));
    assert_eq!((fault(&outcome), outcome.fuel), (&Fault::OutOfFuel, call().fuel));
    assert_eq!(answer(&mut service, "torn", json!([])), json!(""));
}

#[test]
fn what_a_failed_call_wrote_is_not_kept() {
    let (mut service, mut outcome) = misbehaves("write_and_panic", json!("text"));
    assert_eq!(fault(&outcome), &Fault::Trap(Trap::Unreachable));
    assert_eq!(answer(&mut service, "torn", json!([])), json!(""));
    assert!(outcome.report.take_lines().iter().any(|line| line.text.contains("after writing")));
}

#[test]
fn memory_beyond_the_limit_is_refused_and_said() {
    let (_, outcome) = misbehaves("allocate_mib", json!(300));
    assert!(matches!(fault(&outcome), Fault::OutOfMemory { refused: 1.., .. }), "{outcome:?}");
    let (_, outcome) = misbehaves("allocate_mib", json!(100));
    assert_eq!((outcome.result.is_ok(), outcome.memory_refused), (true, 0));
}

#[test]
fn a_full_disk_is_seen_by_the_module_and_by_nobody_else() {
    let (mut service, outcome) = misbehaves("fill_disk", json!(100));
    let written = crate::answer_of(&service, "fill_disk", &outcome).as_u64().unwrap();
    assert!((60..=64).contains(&written), "{written}");
    assert!(outcome.report.refusals().iter().count() > 0);
    assert_eq!(answer(&mut service, "torn", json!([])), json!(""));
}

#[test]
fn results_and_lines_have_their_limits() {
    let (_, outcome) = misbehaves("huge", json!(100_000_000));
    assert!(matches!(fault(&outcome), Fault::Value(_)), "{outcome:?}");
    let (_, outcome) = misbehaves("flood", json!(100_000));
    assert!(
        outcome.result.is_ok() && outcome.report.cut_bytes() > 1_000_000,
        "{}",
        outcome.report.cut_bytes()
    );
    let (_, outcome) = misbehaves("quit", json!(3));
    assert_eq!(fault(&outcome), &Fault::Exited(3));
    let (_, outcome) = misbehaves("read_outside", json!([]));
    assert_eq!(fault(&outcome), &Fault::Trap(Trap::Memory));
}

#[test]
fn clocks_and_entropy_are_the_hosts() {
    let (mut service, outcome) = misbehaves("now_ms", json!([]));
    assert_eq!(crate::answer_of(&service, "now_ms", &outcome), json!(crate::NOW_S * 1000));
    let outcome = ask(&mut service, "sleep_ms", json!(1500));
    assert_eq!(outcome.slept_ns, 1_500_000_000);
    let (one, other) = (misbehaves("shuffled", json!([])), misbehaves("shuffled", json!([])));
    assert_eq!(one.1.result, other.1.result);
    let mut other_seed = crate::ground();
    other_seed.outside = wavetank_fce::wasi::Outside::new([8; 32], 1000);
    let mut other = Service::start(modules().engine(), one.0.spec(), Life::default(), other_seed).unwrap().0;
    assert_ne!(ask(&mut other, "shuffled", json!([])).result, one.1.result);
}
