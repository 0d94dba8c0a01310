//! The published AIR interpreter, as a module.

use std::sync::{Arc, OnceLock};

use serde_json::{Value as Json, json};
use wavetank_fce::service::{Life, Memory};
use wavetank_fce::spec::Spec;

use crate::{NOW_S, PEER, answer, ask, member, spec, start};

pub(crate) fn interpreter() -> Arc<Spec> {
    static SPEC: OnceLock<Arc<Spec>> = OnceLock::new();
    Arc::clone(SPEC.get_or_init(|| spec(vec![member("air", air_interpreter_wasm::INTERPRETER_WASM, &[])])))
}

/// What the interpreter is given for the first step of a script.
fn step(script: &str) -> Json {
    json!({
        "air": script,
        "prev_data": [],
        "data": [],
        "params": {
            "init_peer_id": PEER,
            "current_peer_id": PEER,
            "timestamp": NOW_S,
            "ttl": 7000,
            "key_format": 0,
            "secret_key_bytes": (0_u8..32).collect::<Vec<_>>(),
            "particle_id": "particle",
            "air_size_limit": 1_u64 << 40,
            "particle_size_limit": 1_u64 << 40,
            "call_result_size_limit": 1_u64 << 40,
            "hard_limit_enabled": false,
        },
        // No results yet: an empty map of MessagePack, behind the number that says so.
        "call_results": [0x81, 0x04, 0x80],
    })
}

#[test]
fn it_parses_a_script() {
    let mut service = start(&interpreter(), Life::default());
    let ast = answer(&mut service, "ast", json!(["(seq (null) (never))"]));
    let ast: Json = serde_json::from_str(ast.as_str().unwrap()).unwrap();
    assert!(ast.get("seq").or_else(|| ast.get("Seq")).is_some(), "{ast}");
}

#[test]
fn it_asks_for_the_calls_of_a_script_and_signs_its_data() {
    let mut service = start(&interpreter(), Life::default());
    let script = format!(r#"(call "{PEER}" ("service" "function") [1 "two"] result)"#);
    let outcome = answer(&mut service, "invoke", step(&script));
    assert_eq!((&outcome["ret_code"], &outcome["error_message"]), (&json!(0), &json!("")), "{outcome}");
    assert!(outcome["call_requests"].as_array().unwrap().len() > 3);
    let data = answer(&mut service, "to_human_readable_data", json!([outcome["data"]]));
    assert!(data.as_str().unwrap().contains("signatures"), "{data}");
}

#[test]
fn with_fresh_memory_no_call_depends_on_those_before_it() {
    let life = Life { memory: Memory::Fresh, ..Life::default() };
    let mut service = start(&interpreter(), life);
    let script = format!(r#"(par (call "{PEER}" ("a" "b") [] x) (call "{PEER}" ("c" "d") [] y))"#);
    let first = ask(&mut service, "invoke", step(&script));
    let other = ask(&mut service, "ast", json!(["(seq (null) (null))"]));
    assert!(other.result.is_ok());
    for _ in 0..5 {
        let again = ask(&mut service, "invoke", step(&script));
        assert_eq!(first.result, again.result);
        assert_eq!(first.fuel, again.fuel);
    }
    let mut lasting = start(&interpreter(), Life::default());
    assert_eq!(ask(&mut lasting, "invoke", step(&script)).fuel, first.fuel);
}
