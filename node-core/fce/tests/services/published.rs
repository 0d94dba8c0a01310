//! What published services answer.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use wavetank_fce::service::Life;

use crate::{NOW_S, PEER, answer, answer_of, ask, ask_as, call, member, registry, spec, start};

#[test]
fn the_registry_keeps_keys_in_its_database() {
    let mut service = start(&registry(), Life::default());
    let id = answer(&mut service, "get_key_id", json!(["label", PEER]));
    assert_eq!(id, json!("APowpNJX9GxGXbjhgH8ct8fQHSnVtB6YYBpCPNcgNCU7"));
}

#[test]
fn a_spell_keeps_its_script_and_values() {
    let sqlite = member("sqlite3", fluence_spell_distro::SQLITE_WASM, &["storage"]);
    let spell = member("spell", fluence_spell_distro::SPELL_WASM, &["storage"]);
    let mut service = start(&spec(vec![sqlite, spell]), Life::default());
    // Only the spell itself may write: it is known by the id of its particles.
    let mut own = call();
    let mut parameters = (*own.parameters).clone();
    parameters.particle.id = "spell_service_1".to_owned();
    own.parameters = Arc::new(parameters);
    let mut own_answer = |function: &str, arguments: Json| {
        let outcome = ask_as(&mut service, function, &arguments, &own);
        answer_of(&service, function, &outcome)
    };
    let set = own_answer("set_script", json!(["(null)"]));
    assert_eq!(set["success"], json!(true), "{set}");
    assert_eq!(own_answer("get_script", json!([]))["value"], json!("(null)"));
    let set = own_answer("set_string", json!(["key", "value"]));
    assert_eq!(set["success"], json!(true), "{set}");
    assert_eq!(own_answer("get_string", json!(["key"]))["value"], json!("value"));
    let refused = answer(&mut service, "set_string", json!(["key", "other"]));
    assert_eq!(refused["success"], json!(false), "{refused}");
}

#[test]
fn trust_graph_checks_where_a_timestamp_comes_from() {
    let sqlite = member("sqlite3", trust_graph_distro::SQLITE_WASM, &["tmp"]);
    let graph = member("trust-graph", trust_graph_distro::TRUST_GRAPH_WASM, &["tmp"]);
    let mut service = start(&spec(vec![sqlite, graph]), Life::default());
    let set = answer(&mut service, "set_root", json!([PEER, 2]));
    assert_eq!(set["success"], json!(true), "{set}");
    let weight = answer(&mut service, "get_weight", json!([PEER, NOW_S]));
    assert_eq!((&weight["success"], &weight["weight"]), (&json!(true), &json!(4)), "{weight}");
}

#[test]
fn a_module_that_calls_a_program_is_told_that_there_is_none() {
    let mut effector = member("ipfs_effector", aqua_ipfs_distro::IPFS_EFFECTOR, &["tmp"]);
    effector.binaries = vec!["ipfs".to_owned()];
    effector.environment.push(("/tmp/vault".to_owned(), "/tmp/vault".to_owned()));
    let facade = member("ipfs_pure", aqua_ipfs_distro::IPFS_FACADE, &["tmp"]);
    let mut service = start(&spec(vec![effector, facade]), Life::default());
    let outcome = ask(&mut service, "get_external_api_multiaddr", json!([]));
    assert!(outcome.result.is_ok(), "{outcome:?}");
}
