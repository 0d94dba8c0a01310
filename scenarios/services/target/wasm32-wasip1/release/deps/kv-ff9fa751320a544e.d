/work/main/scenarios/services/target/wasm32-wasip1/release/deps/kv-ff9fa751320a544e.d: kv/src/main.rs

/work/main/scenarios/services/target/wasm32-wasip1/release/deps/kv-ff9fa751320a544e.wasm: kv/src/main.rs

kv/src/main.rs:
