//! `wavetank fce`: modules and services by hand.

use std::path::PathBuf;

use serde_json::Value as Json;

use crate::Desk;

/// A module of `scenarios/services`.
fn wasm(name: &str) -> String {
    let services = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/services/wasm");
    services.join(format!("{name}.wasm")).display().to_string()
}

/// Keeps what is compiled in the desk's own folder, whoever's cache there is.
const CACHE: [&str; 2] = ["--cache", "modules"];

#[test]
fn a_module_is_described_to_people_and_programs() {
    let desk = Desk::new();
    let said = desk.type_in(&["fce", "info", &wasm("counter")]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("fce_info", said.stdout);
    let said = desk.type_in(&["fce", "info", &wasm("facade"), "--format", "json"]);
    let json: Json = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(json["modules"]["pure"][0], "greeting");
    assert!(json["functions"].as_array().unwrap().iter().any(|function| function["result"] == "string"));
}

#[test]
fn a_function_is_called_and_its_result_is_json() {
    let desk = Desk::new();
    let call = |words: &[&str]| desk.type_in(&[&["fce", "call"], words, &CACHE].concat());
    let said = call(&[&wasm("pure"), "greeting", "\"world\""]);
    assert_eq!((said.code, said.stdout.as_str()), (0, "\"Hi, world\"\n"), "{said:?}");
    let said = call(&[&wasm("pure"), &wasm("facade"), "greet_all", "[\"a,b\"]", "--quiet"]);
    assert_eq!((said.code, said.stderr.as_str()), (0, ""), "{said:?}");
    assert_eq!(serde_json::from_str::<Json>(&said.stdout).unwrap(), serde_json::json!(["Hi, a", "Hi, b"]));
    let said = call(&[&wasm("pure"), "nop", "--format", "json"]);
    let json: Json = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!((&json["exit_code"], &json["result"]), (&0.into(), &Json::Null));
    assert!(json["fuel"].as_u64() > Some(0));
    assert!(desk.path().join("modules").read_dir().unwrap().count() >= 2, "what was compiled is kept");
}

#[test]
fn a_mapped_folder_keeps_what_a_service_writes() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path().join("data")).unwrap();
    let call = |words: &[&str]| {
        let rest = ["--map", "/storage=data", "--cache", "modules", "--quiet"];
        desk.type_in(&[&["fce", "call", &wasm("kv")], words, &rest].concat())
    };
    assert_eq!(call(&["put", "[\"key\", \"value\"]"]).code, 0);
    let said = call(&["get", "[\"key\"]"]);
    assert!(said.stdout.contains("\"value\"\n"), "{said:?}");
    assert!(desk.path().join("data/kv.log").exists());
}

#[test]
fn a_published_configuration_says_what_a_service_is_made_of() {
    let desk = Desk::new();
    let config = format!(
        "[[module]]\nname = \"kv\"\nload_from = {:?}\nmem_pages_count = 7\n[module.wasi]\nmapped_dirs = {{ \"/storage\" = \"kept\" }}\n",
        wasm("kv")
    );
    std::fs::write(desk.path().join("Config.toml"), config).unwrap();
    let call =
        |words: &[&str]| desk.type_in(&[&["fce", "call", "--config", "Config.toml"], words, &CACHE].concat());
    let said = call(&["put", "[\"key\", \"value\"]"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stderr.contains("warning: module[0].mem_pages_count: it has no effect"), "{}", said.stderr);
    assert!(call(&["get", "[\"key\"]"]).stdout.contains("\"value\"\n"));
    assert!(desk.path().join("kept/kv.log").exists());
    std::fs::write(desk.path().join("Config.toml"), "[[module]]\n").unwrap();
    let said = call(&["get", "[\"key\"]"]);
    assert_eq!(said.code, 3);
    assert!(said.stderr.contains("Config.toml: module[0].name is missing"), "{}", said.stderr);
}

#[test]
fn what_goes_wrong_is_said_with_its_own_code() {
    let desk = Desk::new();
    let call = |words: &[&str]| desk.type_in(&[&["fce", "call"], words, &CACHE].concat());
    std::fs::write(desk.path().join("bad.wasm"), "no module").unwrap();
    for (words, code, says) in [
        (
            vec![wasm("hostile"), "panic".to_owned(), "\"oh\"".to_owned()],
            26,
            "hostile.panic: unreachable code was reached",
        ),
        (vec![wasm("hostile"), "quit".to_owned(), "3".to_owned()], 26, "hostile.quit: exited with code 3"),
        (
            vec![wasm("hostile"), "spin".to_owned(), "--fuel".to_owned(), "1000".to_owned()],
            26,
            "hostile.spin: out of fuel",
        ),
        (vec![wasm("facade"), "nop".to_owned()], 3, "facade imports greeting of pure, which is not there"),
        (vec!["bad.wasm".to_owned(), "f".to_owned()], 3, "bad.wasm: "),
        (vec!["nowhere.wasm".to_owned(), "f".to_owned()], 3, "nowhere.wasm: "),
        (vec![wasm("pure"), "shout".to_owned()], 2, "pure has no function shout; it has add, nop"),
        (vec![wasm("pure"), "add".to_owned(), "[1, \"2\"]".to_owned()], 2, "add: b is a string, not an s32"),
        (vec![wasm("pure"), "add".to_owned(), "[1".to_owned()], 2, "the arguments are no JSON"),
        (vec!["greeting".to_owned(), "x".to_owned()], 2, "greeting is no module"),
    ] {
        let said = call(&words.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((said.code, said.stdout.as_str()), (code, ""), "{words:?}: {said:?}");
        assert!(said.stderr.contains(says), "{words:?}: {}", said.stderr);
    }
}

#[test]
fn a_module_that_is_complete_is_not_completed_again() {
    let desk = Desk::new();
    let said = desk.type_in(&["fce", "embed", &wasm("pure"), "--out", "pure.wasm"]);
    assert_eq!(said.code, 3);
    assert!(said.stderr.contains("has its interface types already"), "{}", said.stderr);
    assert!(!desk.path().join("pure.wasm").exists());
}
